/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layout inside a tar archive: where its files lie. Read only.
 */
#ifndef CORAS_LAYOUT_LAYOUT_TAR_H
#define CORAS_LAYOUT_LAYOUT_TAR_H

#include "base/common.h"

typedef struct coras_layout_tar coras_layout_tar;

/* Read the headers of the archive. `name` is for messages. Takes *fd over when it succeeds.
 * UNSAFE_ARCHIVE: no tar, or one that is refused (names with "..", duplicates, links). */
CORAS_MUST_CHECK int coras_layout_tar_open(int *fd, const char *name, coras_layout_tar **ret,
                                           coras_error **err);
void coras_layout_tar_free(coras_layout_tar *tar);
CORAS_DEFINE_AUTO(coras_layout_tar, coras_layout_tar_free)

int coras_layout_tar_fd(const coras_layout_tar *tar); /* borrowed */
/* Content of a member by its clean name ("blobs/sha256/…"); false when there is none. */
bool coras_layout_tar_find(const coras_layout_tar *tar, const char *name, int64_t *ret_offset,
                           int64_t *ret_size);

#endif
