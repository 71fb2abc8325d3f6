/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings what is missing of some content into an open file: by one connection, and by several where
 * each is slow and several are faster (growth.h). A cut costs the bytes on their way; a server that
 * does not serve ranges is asked for everything, by one connection. Nothing is verified here.
 */
#ifndef CORAS_TRANSFER_FILL_H
#define CORAS_TRANSFER_FILL_H

#include "transfer/arrival_hash.h"
#include "transfer/download.h"
#include "transfer/gaps.h"

/* Written at a time, in blocks of this size: libcurl gives 16 KiB, which is too little. */
#define CORAS_FILL_GATHER_BYTES ((size_t)256 * 1024)
/* Of each further connection, which is there because none is fast. */
#define CORAS_FILL_HELPER_BYTES ((size_t)128 * 1024)

struct coras_fill {
    const struct coras_download *download;
    int fd;
    coras_gaps missing;       /* in: what to bring; out: what did not come */
    bool disk_is_full;        /* out: there was no room for what came */
    coras_arrival_hash *hash; /* is told what comes */
};
CORAS_MUST_CHECK int coras_fill(struct coras_fill *fill, coras_error **err);

#endif
