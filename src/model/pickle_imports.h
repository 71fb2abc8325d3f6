/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an import in a pickle means: expected in weight files, known to run other things, or on no
 * list.
 */
#ifndef CORAS_MODEL_PICKLE_IMPORTS_H
#define CORAS_MODEL_PICKLE_IMPORTS_H

#include "base/common.h"
#include "coras/model_scan.h"

/*
 * LOW for what weight files are made of, HIGH for what runs programs, reads and writes files,
 * speaks to hosts or leads to such things, MEDIUM for everything else. `name` may have dots: the
 * loader follows them as attributes, so that each part of it counts as well.
 */
enum coras_severity coras_pickle_judge(const char *module, const char *name);

#endif
