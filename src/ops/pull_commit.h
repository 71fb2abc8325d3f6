/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last step of a pull: staged content gets its final names.
 */
#ifndef CORAS_OPS_PULL_COMMIT_H
#define CORAS_OPS_PULL_COMMIT_H

#include "ops/pull_files.h"

/* Sync all, rename all, unpack, sync the directories. */
CORAS_MUST_CHECK int coras_place_files(coras_workdir *w, coras_error **err);
/* Remove what coras_place_files() made and what was not there before. */
void coras_take_files_away(coras_workdir *w);

#endif
