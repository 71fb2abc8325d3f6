/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a weight file's header: the part that both formats share (header.h).
 */
#include "model/header_impl.h"

#include <stdio.h>
#include "base/alloc.h"
#include "base/error.h"

struct coras_header_reader {
    struct coras_header_facts header;
    int64_t fed; /* bytes of the file that arrived, as far as they are in it */
    bool complete;
    struct coras_safetensors *safetensors; /* one of the two */
    struct coras_gguf *gguf;
};

enum { SHOWN_OF_NAME = 128 };

int coras_header_refuse(int64_t offset, coras_error **err, const char *fmt, ...)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    va_list ap;

    va_start(ap, fmt);
    coras_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (text.failed)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_MODEL, "byte %lld: %s", (long long)offset, text.ptr);
}

static void tell(struct coras_header_facts *h, enum coras_header_oddity oddity, const char *text)
{
    if (!(h->told & oddity) && h->visitor.warning)
        h->visitor.warning(h->visitor.user, text);
    h->told |= oddity;
}

int coras_header_odd(struct coras_header_facts *h, enum coras_header_oddity oddity,
                     coras_error **err, const char *fmt, ...)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    va_list ap;

    va_start(ap, fmt);
    coras_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (text.failed)
        return coras_fail_no_memory(err);
    if (h->strict)
        return coras_fail(err, CORAS_ERR_INVALID_MODEL, "%s", text.ptr);
    tell(h, oddity, text.ptr);
    return 0;
}

void coras_header_warn(struct coras_header_facts *h, enum coras_header_oddity oddity,
                       const char *fmt, ...)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    va_list ap;

    va_start(ap, fmt);
    coras_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    tell(h, oddity, text.ptr);
}

const char *coras_header_show(coras_buf *b, coras_str name)
{
    coras_buf_reset(b);
    coras_escape(b, name.ptr, name.len, SHOWN_OF_NAME);
    return b->failed ? "" : b->ptr;
}

bool coras_header_elements(const int64_t *shape, size_t rank, int64_t *ret)
{
    int64_t product = 1;

    for (size_t i = 0; i < rank; i++)
        if (__builtin_mul_overflow(product, shape[i], &product))
            return false;
    *ret = product;
    return true;
}

int coras_header_reader_new(enum coras_weight_format format, int64_t file_size, bool strict,
                            const coras_header_visitor *visitor, coras_header_reader **ret,
                            coras_error **err)
{
    coras_auto(coras_header_reader) reader = coras_new(coras_header_reader);

    if (!reader)
        return coras_fail_no_memory(err);
    reader->header.file_size = file_size;
    reader->header.strict = strict;
    reader->header.visitor = *visitor;
    if (format == CORAS_WEIGHT_SAFETENSORS)
        CORAS_TRY(coras_safetensors_new(&reader->header, &reader->safetensors, err));
    else
        CORAS_TRY(coras_gguf_new(&reader->header, &reader->gguf, err));
    *ret = coras_steal(&reader);
    return 0;
}

void coras_header_reader_free(coras_header_reader *reader)
{
    if (!reader)
        return;
    coras_safetensors_free(reader->safetensors);
    coras_gguf_free(reader->gguf);
    free(reader);
}

int coras_header_feed(coras_header_reader *reader, const void *data, size_t len, coras_error **err)
{
    int64_t left = reader->header.file_size - reader->fed;
    int rc;

    if (reader->complete)
        return 1;
    if ((uint64_t)len > (uint64_t)left)
        len = (size_t)left;
    reader->fed += (int64_t)len;
    rc = reader->safetensors ? coras_safetensors_feed(reader->safetensors, data, len, err)
                             : coras_gguf_feed(reader->gguf, data, len, err);
    reader->complete = rc > 0;
    if (rc == 0 && reader->fed == reader->header.file_size)
        return coras_header_refuse(reader->fed, err, "the file ends inside its header");
    return rc;
}

int64_t coras_header_wants(const coras_header_reader *reader)
{
    int64_t wants = reader->safetensors ? coras_safetensors_size(reader->safetensors)
                                        : coras_gguf_wants(reader->gguf);

    return wants < reader->header.file_size ? wants : reader->header.file_size;
}

int64_t coras_header_size(const coras_header_reader *reader)
{
    return reader->safetensors ? coras_safetensors_size(reader->safetensors)
                               : coras_gguf_size(reader->gguf);
}
