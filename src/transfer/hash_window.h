/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last blocks of a file that were read to be hashed, for whoever sends the same bytes at the
 * same time: one thread reads block after block, another takes copies from memory, and the file is
 * read once. A sender that is slower is left behind and reads for itself; one that is faster waits
 * for the next block.
 */
#ifndef CORAS_TRANSFER_HASH_WINDOW_H
#define CORAS_TRANSFER_HASH_WINDOW_H

#include "base/common.h"

typedef struct coras_hash_window coras_hash_window;

/* So many blocks of `block` bytes each; NULL: out of memory. */
coras_hash_window *coras_hash_window_new(unsigned blocks, size_t block);
void coras_hash_window_free(coras_hash_window *w);
CORAS_DEFINE_AUTO(coras_hash_window, coras_hash_window_free)

/* ---- the thread that reads ---- */

/* Where the block at `position` is to be read to. Waits for whoever copies the one before it out,
 * and a moment for a sender that is about to. */
char *coras_hash_window_claim(coras_hash_window *w, int64_t position);
/* It has been read, `len` bytes of it. */
void coras_hash_window_publish(coras_hash_window *w, size_t len);
/* Nothing more comes. */
void coras_hash_window_end(coras_hash_window *w);

/* ---- a thread that sends ---- */

/* Up to `cap` bytes at `offset`, when they are there or come next; 0: read them for yourself. */
size_t coras_hash_window_take(coras_hash_window *w, void *buf, size_t cap, int64_t offset);

#endif
