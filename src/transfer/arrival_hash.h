/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest of content that arrives. While it comes in order, each piece is hashed by the thread
 * that has received it. When it does not, a thread follows in the file (hash_behind.h).
 */
#ifndef CORAS_TRANSFER_ARRIVAL_HASH_H
#define CORAS_TRANSFER_ARRIVAL_HASH_H

#include "transfer/hash_behind.h"

typedef struct coras_arrival_hash {
    struct coras_hash_behind_options options;
    coras_hasher *hasher;      /* NULL: `behind` has it */
    int64_t reached;           /* hashed as it came */
    int64_t let_go;            /* of the page cache, up to here */
    bool lost;                 /* what was hashed is not what the file has: it is read at the end */
    coras_hash_behind *behind; /* NULL: everything came in order */
} coras_arrival_hash;

/* Of what `options` say. */
CORAS_MUST_CHECK int coras_arrival_hash_init(coras_arrival_hash *h,
                                             const struct coras_hash_behind_options *options,
                                             coras_error **err);
void coras_arrival_hash_clear(coras_arrival_hash *h);
CORAS_DEFINE_AUTO_VALUE(coras_arrival_hash, coras_arrival_hash_clear)

/* Whether it wants to see what comes. */
bool coras_arrival_hash_is_in_order(const coras_arrival_hash *h);
/* These bytes have come for `offset`, and will be in the file. One thread, in order. */
void coras_arrival_hash_take(coras_arrival_hash *h, int64_t offset, const void *bytes, size_t len);
/* The same, for somebody who has no need of `*block` (from coras_malloc()) when it is done, but of
 * another: once a thread follows it gets the block, and reads what did not come in order. The bytes
 * are in the file. */
void coras_arrival_hash_give(coras_arrival_hash *h, int64_t offset, char **block, size_t len);
/* From now on content comes in any order; that of before is in the file. By the thread that has
 * called coras_arrival_hash_take(), before others call anything. */
void coras_arrival_hash_leave_order(coras_arrival_hash *h);
/* The same, and from several: all of it is read from the file, since what one of them brings is
 * next to be hashed at times only, and many downloads may do so at once. */
void coras_arrival_hash_scatter(coras_arrival_hash *h);
/* Bytes [0, front) are in the file. Any thread, one at a time. */
void coras_arrival_hash_advance(coras_arrival_hash *h, int64_t front);
/* Everything is in the file: its digest. */
CORAS_MUST_CHECK int coras_arrival_hash_get(coras_arrival_hash *h, coras_digest *ret,
                                            coras_error **err);

#endif
