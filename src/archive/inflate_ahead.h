/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompressing and hashing on a second thread, some buffers ahead of the reader: unpacking makes
 * files on one core while the other inflates.
 */
#ifndef CORAS_ARCHIVE_INFLATE_AHEAD_H
#define CORAS_ARCHIVE_INFLATE_AHEAD_H

#include "base/stream.h"
#include "codec/decompress.h"
#include "coras/digest.h"

typedef struct coras_inflate_ahead coras_inflate_ahead;

/* `source` is borrowed; it is read on the other thread. `algorithm`: hash the decompressed bytes
 * with it; CORAS_DIGEST_NONE: do not. */
CORAS_MUST_CHECK int coras_inflate_ahead_new(const coras_source *source,
                                             enum coras_compression compression, int algorithm,
                                             coras_inflate_ahead **ret, coras_error **err);
/* The next piece, valid until the next call; *ret_len 0 at the end. */
CORAS_MUST_CHECK int coras_inflate_ahead_next(coras_inflate_ahead *a, const void **ret,
                                              size_t *ret_len, coras_error **err);
/* Digest of everything; only after the end was reached, once. */
void coras_inflate_ahead_digest(coras_inflate_ahead *a, coras_digest *ret);
void coras_inflate_ahead_free(coras_inflate_ahead *a);
CORAS_DEFINE_AUTO(coras_inflate_ahead, coras_inflate_ahead_free)

#endif
