/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content that may be compressed, read as what it is: by its first bytes, whatever its name or type
 * says.
 */
#ifndef CORAS_CODEC_DECOMPRESS_H
#define CORAS_CODEC_DECOMPRESS_H

#include "base/stream.h"

enum coras_compression {
    CORAS_COMPRESSION_NONE,
    CORAS_COMPRESSION_GZIP,
    CORAS_COMPRESSION_ZSTD,
};

/* How content is compressed that begins with these bytes; four are enough. */
enum coras_compression coras_compression_of(const void *data, size_t len);

typedef struct coras_decompressor coras_decompressor;

/* `source` is borrowed. Errors as of coras_gunzip and coras_unzstd. */
CORAS_MUST_CHECK int coras_decompressor_new(enum coras_compression compression,
                                            const coras_source *source, coras_decompressor **ret,
                                            coras_error **err);
/* *ret is 0 at the end of the content only. */
CORAS_MUST_CHECK int coras_decompressor_read(coras_decompressor *d, void *buf, size_t cap,
                                             size_t *ret, coras_error **err);
void coras_decompressor_free(coras_decompressor *d);
CORAS_DEFINE_AUTO(coras_decompressor, coras_decompressor_free)

#endif
