/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private directory in which the files of a pull grow, beside the places that they will get.
 * For pull_files.c only.
 */
#ifndef CORAS_OPS_PULL_STAGE_H
#define CORAS_OPS_PULL_STAGE_H

#include "ops/pull_files.h"

/* Make and open the output directory unless it is open. The lock of the workdir is held. */
CORAS_MUST_CHECK int coras_stage_need_output(coras_workdir *w, coras_error **err);
/* Take away what is left in the stage, and the stage, unless it is worth resuming. Also what an
 * earlier pull left that did not live to clean up. */
void coras_stage_clean(coras_workdir *w);

#endif
