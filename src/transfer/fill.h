/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings what is missing of some content into an open file: by one connection, and by several where
 * each is slow and several are faster (growth.h). A cut costs the bytes on their way; a server that
 * does not serve ranges is asked for everything, by one connection. Nothing is verified here.
 */
#ifndef CORAS_TRANSFER_FILL_H
#define CORAS_TRANSFER_FILL_H

#include "transfer/download.h"
#include "transfer/gaps.h"

struct coras_fill {
    const struct coras_download *download;
    int fd;
    coras_gaps missing; /* in: what to bring; out: what did not come */
    bool disk_is_full;  /* out: there was no room for what came */
    /* Bytes [0, front) are in the file; on any thread, one at a time. May be NULL. */
    void (*advanced)(void *user, int64_t front);
    void *user;
};
CORAS_MUST_CHECK int coras_fill(struct coras_fill *fill, coras_error **err);

#endif
