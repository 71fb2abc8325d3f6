/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reader for what is compressed in this way, in that, or not at all.
 */
#include "codec/decompress.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "codec/gzip.h"
#include "codec/zstd.h"

struct coras_decompressor {
    const coras_source *source;
    coras_gunzip *gunzip; /* or NULL */
    coras_unzstd *unzstd; /* or NULL */
    int64_t offset;       /* of plain content: what is read next */
};

enum coras_compression coras_compression_of(const void *data, size_t len)
{
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

    if (len >= sizeof(gzip) && memcmp(data, gzip, sizeof(gzip)) == 0)
        return CORAS_COMPRESSION_GZIP;
    if (len >= sizeof(zstd) && memcmp(data, zstd, sizeof(zstd)) == 0)
        return CORAS_COMPRESSION_ZSTD;
    return CORAS_COMPRESSION_NONE;
}

int coras_decompressor_new(enum coras_compression compression, const coras_source *source,
                           coras_decompressor **ret, coras_error **err)
{
    coras_auto(coras_decompressor) d = coras_new(struct coras_decompressor);

    if (!d)
        return coras_fail_no_memory(err);
    d->source = source;
    if (compression == CORAS_COMPRESSION_GZIP)
        CORAS_TRY(coras_gunzip_new(source, &d->gunzip, err));
    else if (compression == CORAS_COMPRESSION_ZSTD)
        CORAS_TRY(coras_unzstd_new(source, &d->unzstd, err));
    *ret = coras_steal(&d);
    return 0;
}

int coras_decompressor_read(coras_decompressor *d, void *buf, size_t cap, size_t *ret,
                            coras_error **err)
{
    if (d->gunzip)
        return coras_gunzip_read(d->gunzip, buf, cap, ret, err);
    if (d->unzstd)
        return coras_unzstd_read(d->unzstd, buf, cap, ret, err);
    *ret = 0;
    if (d->offset >= d->source->size)
        return 0;
    CORAS_TRY(d->source->read_at(d->source->user, buf, cap, d->offset, ret, err));
    d->offset += (int64_t)*ret;
    return 0;
}

void coras_decompressor_free(coras_decompressor *d)
{
    if (!d)
        return;
    coras_gunzip_free(d->gunzip);
    coras_unzstd_free(d->unzstd);
    free(d);
}
