/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that hashes a file behind whoever writes it: it gets the memory that was written, or
 * reads it back (from the page cache), so receiving and hashing use two cores and the digest is
 * known when the last byte is. For a file that is complete already the front is its end from the
 * start.
 */
#ifndef CORAS_TRANSFER_HASH_BEHIND_H
#define CORAS_TRANSFER_HASH_BEHIND_H

#include "base/cancel.h"
#include "oci/digest.h"

typedef struct coras_hash_behind coras_hash_behind;

struct coras_hash_behind_options {
    int fd;         /* borrowed; open for reading until the end */
    int64_t offset; /* where the content begins in the file */
    int64_t size;   /* bytes of content */
    int algorithm;
    const coras_cancel *cancel; /* may be NULL */
    coras_hasher
        *hasher;      /* of what lies before `position`; taken when it starts; NULL: a new one */
    int64_t position; /* where it begins; with `hasher` */
    bool shared;      /* somebody sends the same bytes meanwhile: coras_hash_behind_take() */
    int64_t kept;     /* what lies behind this leaves the page cache; 0: nothing does */
    size_t handed;    /* somebody gives what he writes in blocks of this size; 0: nobody does */
    /* coras_hash_now() tells how far it is; may be NULL. */
    void (*progress)(void *user, int64_t position);
    void *user;
};

CORAS_MUST_CHECK int coras_hash_behind_start(const struct coras_hash_behind_options *options,
                                             coras_hash_behind **ret, coras_error **err);
/* The same for content that is complete, on this thread. */
CORAS_MUST_CHECK int coras_hash_now(const struct coras_hash_behind_options *options,
                                    coras_digest *ret, coras_error **err);

/*
 * With `handed`: `len` bytes at `offset`, which follow those given before and are in the file, but
 * need not be read there. `*block` (from coras_malloc()) is exchanged for another, if it is taken.
 * One thread, before the front goes there; when it is far ahead the block stays its own.
 */
void coras_hash_behind_give(coras_hash_behind *h, int64_t offset, char **block, size_t len);
/* Nothing more is given. */
void coras_hash_behind_give_no_more(coras_hash_behind *h);
/* Bytes [0, front) of the content can be read. Never goes back. */
void coras_hash_behind_advance(coras_hash_behind *h, int64_t front);
/*
 * The digest of all `size` bytes. 0 when known; 1 when not yet (only without `wait`); a negative
 * code when reading failed, it was cancelled, or the file is shorter. May be asked again.
 */
int coras_hash_behind_get(coras_hash_behind *h, bool wait, coras_digest *ret, coras_error **err);
/* With `shared`: up to `cap` bytes of the content at `offset` from what is read to be hashed; 0:
 * they are not at hand. */
size_t coras_hash_behind_take(coras_hash_behind *h, void *buf, size_t cap, int64_t offset);
/* Stops the thread if it still runs. NULL allowed. */
void coras_hash_behind_free(coras_hash_behind *h);
CORAS_DEFINE_AUTO(coras_hash_behind, coras_hash_behind_free)

#endif
