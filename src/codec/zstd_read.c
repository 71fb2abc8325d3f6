/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zstandard by libzstd's streaming functions. Their declarations stand here: the library's own
 * header would be needed to build what most never use, and this much of it has not changed since
 * version 1.4. Spec: RFC 8878.
 */
#include "codec/zstd.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/late_library.h"
#include "base/limits.h"

enum { IN_BYTES = 128 * 1024, PARAMETER_WINDOW_LOG_MAX = 100 };

typedef struct zstd_context zstd_context;
struct zstd_in {
    const void *ptr;
    size_t size, at;
};
struct zstd_out {
    void *ptr;
    size_t size, at;
};

#ifdef CORAS_STATIC_PROGRAM
zstd_context *ZSTD_createDCtx(void);
size_t ZSTD_freeDCtx(zstd_context *z);
size_t ZSTD_DCtx_setParameter(zstd_context *z, int parameter, int value);
size_t ZSTD_decompressStream(zstd_context *z, struct zstd_out *out, struct zstd_in *in);
unsigned ZSTD_isError(size_t code);
#endif

struct zstd_api {
    zstd_context *(*create)(void);
    size_t (*release)(zstd_context *z);
    size_t (*set_parameter)(zstd_context *z, int parameter, int value);
    size_t (*decompress)(zstd_context *z, struct zstd_out *out, struct zstd_in *in);
    unsigned (*is_error)(size_t code);
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct zstd_api api; /* written once, under `once` */
static const char *missing; /* what could not be found; NULL when all is well */

static void load(void)
{
    static const char *const names[] = {"libzstd.so.1", NULL};
    static const struct coras_late_symbol symbols[] = {
        CORAS_LATE_SYMBOL(ZSTD_createDCtx, struct zstd_api, create),
        CORAS_LATE_SYMBOL(ZSTD_freeDCtx, struct zstd_api, release),
        CORAS_LATE_SYMBOL(ZSTD_DCtx_setParameter, struct zstd_api, set_parameter),
        CORAS_LATE_SYMBOL(ZSTD_decompressStream, struct zstd_api, decompress),
        CORAS_LATE_SYMBOL(ZSTD_isError, struct zstd_api, is_error),
    };

    missing = coras_late_library_load(names, symbols, CORAS_ARRAY_LEN(symbols), &api);
}

struct coras_unzstd {
    const coras_source *source;
    zstd_context *context;
    int64_t offset; /* of the next byte to be read from the source */
    size_t len, at; /* of `in`: how much is there, and how much of that is read */
    bool in_frame;
    unsigned char in[IN_BYTES];
};

void coras_unzstd_free(coras_unzstd *z)
{
    if (z && z->context)
        (void)api.release(z->context); /* always 0 */
    free(z);
}

int coras_unzstd_new(const coras_source *source, coras_unzstd **ret, coras_error **err)
{
    pthread_once(&once, load);
    if (missing)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "content is compressed with Zstandard, and libzstd cannot be loaded: %s "
                          "not found (Debian's package is libzstd1)",
                          missing);
    coras_auto(coras_unzstd) z = coras_new(struct coras_unzstd);
    if (!z || !(z->context = api.create()))
        return coras_fail_no_memory(err);
    z->source = source;
    if (api.is_error(
            api.set_parameter(z->context, PARAMETER_WINDOW_LOG_MAX, CORAS_LIMIT_ZSTD_WINDOW_LOG)))
        return coras_fail(err, CORAS_ERR_INTERNAL, "libzstd refuses a bound of its window");
    *ret = coras_steal(&z);
    return 0;
}

static int refuse(coras_error **err, const char *what)
{
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "%s", what);
}

/* Have unread bytes in `in`, unless the source has ended. */
static int fill(coras_unzstd *z, coras_error **err)
{
    if (z->at < z->len || z->offset >= z->source->size)
        return 0;
    z->at = z->len = 0;
    CORAS_TRY(z->source->read_at(z->source->user, z->in, sizeof(z->in), z->offset, &z->len, err));
    z->offset += (int64_t)z->len;
    return 0;
}

int coras_unzstd_read(coras_unzstd *z, void *buf, size_t cap, size_t *ret, coras_error **err)
{
    struct zstd_out out = {.ptr = buf, .size = cap};

    while (out.at == 0) {
        CORAS_TRY(fill(z, err));
        struct zstd_in in = {.ptr = z->in, .size = z->len, .at = z->at};
        bool ended = in.at == in.size;
        if (ended && !z->in_frame && z->offset > 0)
            break;
        size_t before = in.at;
        size_t rc = api.decompress(z->context, &out, &in);
        if (api.is_error(rc))
            return refuse(err, "zstd: corrupt input");
        z->at = in.at;
        z->in_frame = rc != 0;
        if (ended && out.at == 0 && in.at == before && z->in_frame)
            return refuse(err, "unexpected EOF");
    }
    *ret = out.at;
    return 0;
}
