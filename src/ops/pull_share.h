/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that a pull need not copy, since the source has them on this disk.
 */
#ifndef CORAS_OPS_PULL_SHARE_H
#define CORAS_OPS_PULL_SHARE_H

#include "transfer/run.h"

/* Give an open file a further name; what had it is replaced. False where that is not possible. */
bool coras_link_open_file(int fd, int dirfd, const char *name);

/*
 * Have content under a name as a hard link to the file in which a cache keeps it, which is brought
 * and verified first. *ret is false where that is not possible: then nothing has the name.
 */
CORAS_MUST_CHECK int coras_share_content(coras_run *run, coras_target *from,
                                         const coras_descriptor *desc,
                                         const coras_transfer *transfer, int dirfd,
                                         const char *name, bool *ret, coras_error **err);

#endif
