/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that a fill writes: ROOT/uploads/fill-<algorithm>-<hex>. Its name says what it is going
 * to be and its length how far it has come, so that a process that was killed leaves nothing else,
 * and the next one that is asked for the digest goes on there. While parts come out of turn, the
 * length cannot tell: a tail behind the place of the last byte says what is missing then. Neither
 * is trusted, since the digest of the whole decides.
 */
#ifndef SERVE_PROXY_PARTIAL_H
#define SERVE_PROXY_PARTIAL_H

#include "serve/storage/blob_store.h"
#include "transfer/gaps.h"

#define SERVE_PARTIAL_PREFIX   "fill-"
#define SERVE_PARTIAL_NAME_MAX (sizeof(SERVE_PARTIAL_PREFIX) + CORAS_DIGEST_TEXT_MAX)

const char *serve_partial_name(const coras_digest *digest,
                               char name[static SERVE_PARTIAL_NAME_MAX]);
/* Open or make it. */
CORAS_MUST_CHECK int serve_partial_open(const serve_blob_store *store, const coras_digest *digest,
                                        int *ret_fd, int64_t *ret_len, coras_error **err);
/* The tail of an open file of `length` bytes: the size of the blob, and what of it is missing.
 * false: it has none. */
bool serve_partial_read_tail(int fd, int64_t length, int64_t *ret_size, coras_gaps *ret);
/* Writes one. What it says to be there was written before. */
CORAS_MUST_CHECK int serve_partial_write_tail(int fd, int64_t size, const coras_gaps *missing,
                                              coras_error **err);
/* Its content did not turn out to be what its name says. */
void serve_partial_remove(const serve_blob_store *store, const coras_digest *digest);
/* Bytes that all of them take. */
int64_t serve_partials_bytes(const serve_blob_store *store);
/* Remove those that nobody has added to since `before_s` (wall clock). `is_used` tells of those
 * that somebody works on. */
void serve_partials_expire(const serve_blob_store *store, int64_t before_s,
                           bool (*is_used)(void *user, const coras_digest *digest), void *user);

#endif
