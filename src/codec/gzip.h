/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip: a compressor that uses all cores and a strict reader. zlib is visible in gzip_write.c and
 * gzip_read.c only.
 */
#ifndef CORAS_CODEC_GZIP_H
#define CORAS_CODEC_GZIP_H

#include "base/stream.h"

/*
 * Compressor. The input is cut into blocks of fixed size that are deflated independently, each with
 * the 32 KiB before it as dictionary, and strung together in order: the bytes depend on the input
 * only, not on the number of threads nor on how the input was handed in. The header is the one that
 * Go writes: no name, no time. Memory: some blocks per thread.
 *
 * The sink is called on the thread that calls coras_gzip_write() and coras_gzip_finish().
 */
typedef struct coras_gzip coras_gzip;

/* threads 0: one per processor that this process may use. `sink` is borrowed. */
CORAS_MUST_CHECK int coras_gzip_new(unsigned threads, const coras_sink *sink, coras_gzip **ret,
                                    coras_error **err);
CORAS_MUST_CHECK int coras_gzip_write(coras_gzip *gz, const void *data, size_t len,
                                      coras_error **err);
/* Write what is left and the trailer. Nothing may be written afterwards. */
CORAS_MUST_CHECK int coras_gzip_finish(coras_gzip *gz, coras_error **err);
/* Waits for its threads. NULL allowed. */
void coras_gzip_free(coras_gzip *gz);
CORAS_DEFINE_AUTO(coras_gzip, coras_gzip_free)

/*
 * Reader. Members that follow one another are read as one stream, zero bytes after the last are
 * skipped. UNSAFE_ARCHIVE with Go's words: "unexpected EOF" (cut short), "gzip: invalid header",
 * "gzip: invalid checksum", "flate: corrupt input"; and "trailing data after the gzip stream".
 */
typedef struct coras_gunzip coras_gunzip;

/* `source` is borrowed. */
CORAS_MUST_CHECK int coras_gunzip_new(const coras_source *source, coras_gunzip **ret,
                                      coras_error **err);
/* *ret is 0 at the end of the stream only. */
CORAS_MUST_CHECK int coras_gunzip_read(coras_gunzip *gz, void *buf, size_t cap, size_t *ret,
                                       coras_error **err);
void coras_gunzip_free(coras_gunzip *gz);
CORAS_DEFINE_AUTO(coras_gunzip, coras_gunzip_free)

#endif
