/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a tree meets another file system (a mount point in the target), nothing gets there by
 * rename: it is copied beside its place first.
 */
#ifndef CORAS_ARCHIVE_UNPACK_CROSS_H
#define CORAS_ARCHIVE_UNPACK_CROSS_H

#include "base/common.h"

/* Give a file or a symbolic link of the directory `from` the same name in `to`, with its mode and
 * time, synced. What has that name there is replaced. `shown` is for messages. */
CORAS_MUST_CHECK int coras_cross_over(int from, int to, const char *name, const char *shown,
                                      coras_error **err);

#endif
