/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflating with a bound, on zlib.
 */
#include "codec/inflate.h"

#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"

enum { OUT_BYTES = 64 * 1024, MAX_PIECE = 1 << 30 };

struct coras_inflate {
    z_stream z;
    coras_sink sink;
    int64_t limit, total;
    bool done;
    unsigned char out[OUT_BYTES];
};

int coras_inflate_new(enum coras_inflate_form form, int64_t limit, const coras_sink *sink,
                      coras_inflate **ret, coras_error **err)
{
    static const int window[] = {[CORAS_INFLATE_RAW] = -MAX_WBITS,
                                 [CORAS_INFLATE_ZLIB] = MAX_WBITS,
                                 [CORAS_INFLATE_GZIP] = 16 + MAX_WBITS};
    coras_inflate *z = coras_new(struct coras_inflate);
    if (!z)
        return coras_fail_no_memory(err);
    z->sink = *sink;
    z->limit = limit;
    if (inflateInit2(&z->z, window[form]) != Z_OK) {
        free(z);
        return coras_fail_no_memory(err);
    }
    *ret = z;
    return 0;
}

void coras_inflate_free(coras_inflate *z)
{
    if (!z)
        return;
    (void)inflateEnd(&z->z); /* tells only whether output was left */
    free(z);
}

static int pass_on(coras_inflate *z, size_t len, coras_error **err)
{
    if ((int64_t)len > z->limit - z->total)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "inflates to more than %lld bytes",
                          (long long)z->limit);
    z->total += (int64_t)len;
    return len > 0 ? z->sink.write(z->sink.user, z->out, len, err) : 0;
}

/* One turn of zlib's; 1 at the end. */
static int inflate_some(coras_inflate *z, coras_error **err)
{
    z->z.next_out = z->out;
    z->z.avail_out = OUT_BYTES;
    int rc = inflate(&z->z, Z_NO_FLUSH);
    int passed = pass_on(z, OUT_BYTES - z->z.avail_out, err);
    if (passed != 0)
        return passed;
    if (rc == Z_MEM_ERROR)
        return coras_fail_no_memory(err);
    if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "flate: corrupt input");
    return rc == Z_STREAM_END;
}

int coras_inflate_feed(coras_inflate *z, const void *data, size_t len, coras_error **err)
{
    const unsigned char *at = data;

    while (len > 0 && !z->done) {
        size_t piece = len < MAX_PIECE ? len : MAX_PIECE;
        z->z.next_in = (unsigned char *)(uintptr_t)at; /* zlib does not write there */
        z->z.avail_in = (uInt)piece;
        do {
            int rc = inflate_some(z, err);
            if (rc < 0)
                return rc;
            z->done = rc > 0;
        } while (!z->done && (z->z.avail_in > 0 || z->z.avail_out == 0));
        at += piece - z->z.avail_in;
        len -= piece;
    }
    return z->done;
}
