/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that goes from a thread that receives to one that hashes, so that what was received need
 * not be read back from the file. The receiver gives a full block away and gets an empty one for
 * it; when all are full it keeps its own, and the other reads that part back: who waited would be
 * behind when the other goes on.
 */
#ifndef CORAS_TRANSFER_HAND_OVER_H
#define CORAS_TRANSFER_HAND_OVER_H

#include "base/common.h"

typedef struct coras_hand_over coras_hand_over;

struct coras_handed {
    int64_t offset; /* of the content */
    char *bytes;
    size_t len;
};

/* For blocks of `size` bytes, from coras_malloc(); NULL: out of memory. */
coras_hand_over *coras_hand_over_new(size_t size);
/* Blocks that nobody has taken too. NULL allowed. */
void coras_hand_over_free(coras_hand_over *h);
CORAS_DEFINE_AUTO(coras_hand_over, coras_hand_over_free)

/* ---- the thread that receives ---- */

/* `len` bytes in `*block`, which follow those of the call before; it becomes an empty one. When it
 * does not, since all others are full or there is no memory, it is still the caller's as it was. */
void coras_hand_over_give(coras_hand_over *h, int64_t offset, char **block, size_t len);
/* Nothing more is given: empty blocks, and those that become empty, are freed. */
void coras_hand_over_end(coras_hand_over *h);

/* ---- the thread that hashes ---- */

/* The block that begins at `offset`. False: there is none, and ret->offset is where the next one
 * begins. */
CORAS_MUST_CHECK bool coras_hand_over_take(coras_hand_over *h, int64_t offset,
                                           struct coras_handed *ret);
/* It is done with. */
void coras_hand_over_return(coras_hand_over *h, char *block);

#endif
