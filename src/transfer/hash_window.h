/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is hashed by one thread and sent by another, read once: whoever comes to a block
 * first reads it into a ring, the other finds it there. So the thread that is ahead, mostly the
 * one that sends, takes the reading off the other, on which the end waits. A sender that is much
 * slower is left behind and reads for itself.
 */
#ifndef CORAS_TRANSFER_HASH_WINDOW_H
#define CORAS_TRANSFER_HASH_WINDOW_H

#include "base/common.h"
#include "base/error.h"

typedef struct coras_hash_window coras_hash_window;

struct coras_hash_window_file {
    int fd;         /* borrowed; open for reading until the end */
    int64_t offset; /* where the content begins in the file */
    int64_t size;   /* bytes of content */
};

/* So many blocks of `block` bytes each; NULL: out of memory. */
coras_hash_window *coras_hash_window_new(const struct coras_hash_window_file *file, unsigned blocks,
                                         size_t block);
void coras_hash_window_free(coras_hash_window *w);
CORAS_DEFINE_AUTO(coras_hash_window, coras_hash_window_free)

/* ---- the thread that hashes ---- */

/* The next block, which stays where it is until the next call; `*ret_len` 0: the end. */
CORAS_MUST_CHECK int coras_hash_window_next(coras_hash_window *w, const char **ret, size_t *ret_len,
                                            coras_error **err);
/* Nothing more is hashed. */
void coras_hash_window_end(coras_hash_window *w);

/* ---- a thread that sends ---- */

/* Up to `cap` bytes at `offset`, when they are there or come next; 0: read them for yourself. */
size_t coras_hash_window_take(coras_hash_window *w, void *buf, size_t cap, int64_t offset);

#endif
