/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a directory holds all parts of a model that is in several files.
 */
#ifndef CORAS_OPS_MODELS_SURVEY_SHARDS_H
#define CORAS_OPS_MODELS_SURVEY_SHARDS_H

#include "ops/models/dir.h"

/* Sentences about parts that are missing: by the names that count, and by each index.json. A part
 * may be left out on purpose, so this is no error. */
CORAS_MUST_CHECK int coras_model_survey_shards(const coras_model_dir *dir, coras_strlist *warnings,
                                               coras_error **err);

#endif
