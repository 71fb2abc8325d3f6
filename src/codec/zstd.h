/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading Zstandard, with libzstd, which is loaded with the first stream: as good as no artifact
 * needs it.
 */
#ifndef CORAS_CODEC_ZSTD_H
#define CORAS_CODEC_ZSTD_H

#include "base/stream.h"

/*
 * Reader. Frames that follow one another are read as one stream. UNSAFE_ARCHIVE: "unexpected EOF"
 * (cut short), "zstd: corrupt input", also for a frame whose window is above
 * CORAS_LIMIT_ZSTD_WINDOW_LOG.
 */
typedef struct coras_unzstd coras_unzstd;

/* `source` is borrowed. UNSUPPORTED when libzstd is not installed. */
CORAS_MUST_CHECK int coras_unzstd_new(const coras_source *source, coras_unzstd **ret,
                                      coras_error **err);
/* *ret is 0 at the end of the stream only. */
CORAS_MUST_CHECK int coras_unzstd_read(coras_unzstd *z, void *buf, size_t cap, size_t *ret,
                                       coras_error **err);
void coras_unzstd_free(coras_unzstd *z);
CORAS_DEFINE_AUTO(coras_unzstd, coras_unzstd_free)

#endif
