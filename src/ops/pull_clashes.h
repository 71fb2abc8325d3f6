/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of one artifact that cannot all become files: a file inside of a file, and different names
 * that the file system takes for one (letters of another case, a link between directories).
 */
#ifndef CORAS_OPS_PULL_CLASHES_H
#define CORAS_OPS_PULL_CLASHES_H

#include "ops/pull_files.h"

/* UNSAFE_PATH when one place would lie inside of another that is a file. */
CORAS_MUST_CHECK int coras_check_nesting(const coras_workdir *w, coras_error **err);

/* What stands where, by identity of the file: coras_place, borrowed. */
typedef coras_map coras_taken;

/* With the places that are right already. */
CORAS_MUST_CHECK int coras_taken_new(const coras_workdir *w, coras_taken **ret, coras_error **err);

/*
 * Before `p` gets a name under which something is (`there`): 0, 1 when its content has got there
 * under another name, EXISTS when other content has.
 */
CORAS_MUST_CHECK int coras_taken_check(const coras_taken *taken, const coras_place *p,
                                       const struct stat *there, coras_error **err);

/* `name` now is `p`. */
CORAS_MUST_CHECK int coras_taken_add(coras_taken *taken, coras_place *p, int dirfd,
                                     const char *name, coras_error **err);

#endif
