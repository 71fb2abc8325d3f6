/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models in the stores of other programs, as the files that they consist of.
 */
#ifndef CORAS_OPS_MODELS_SOURCES_H
#define CORAS_OPS_MODELS_SOURCES_H

#include "coras/environment.h"
#include "ops/models/dir.h"

/*
 * The files of what `source` names: "hf:" and a directory or "<owner>/<name>[@<revision>]",
 * "ollama:" and a name, or a directory (coras/model_store.h). `selection` as in
 * coras_model_dir_read().
 */
CORAS_MUST_CHECK int coras_model_source_read(const char *source, const coras_environment *env,
                                             const coras_selection *selection,
                                             const coras_cancel *cancel, coras_model_dir *ret,
                                             coras_error **err);

#endif
