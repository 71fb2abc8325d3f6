/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflating what lies inside of other files: members of zip archives (raw deflate), zlib and gzip
 * streams. Compressed bytes are fed in pieces of any size and come out in a sink; never more of
 * them than the limit says, whatever is claimed elsewhere.
 */
#ifndef CORAS_CODEC_INFLATE_H
#define CORAS_CODEC_INFLATE_H

#include "base/stream.h"

enum coras_inflate_form { CORAS_INFLATE_RAW, CORAS_INFLATE_ZLIB, CORAS_INFLATE_GZIP };

typedef struct coras_inflate coras_inflate;

/* `sink` is copied; it may stop the reading. */
CORAS_MUST_CHECK int coras_inflate_new(enum coras_inflate_form form, int64_t limit,
                                       const coras_sink *sink, coras_inflate **ret,
                                       coras_error **err);
/*
 * 0: more is needed; 1: the stream has ended, or the sink has enough; UNSAFE_ARCHIVE for what
 * cannot be inflated, TOO_LARGE beyond the limit.
 */
CORAS_MUST_CHECK int coras_inflate_feed(coras_inflate *z, const void *data, size_t len,
                                        coras_error **err);
void coras_inflate_free(coras_inflate *z);
CORAS_DEFINE_AUTO(coras_inflate, coras_inflate_free)

#endif
