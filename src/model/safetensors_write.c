/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A safetensors header, written (safetensors_write.h).
 */
#include "model/safetensors_write.h"

#include "base/error.h"
#include "base/limits.h"
#include "codec/json.h"

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };

static void put_text(coras_safetensors_writer *w, coras_str text)
{
    coras_json_escape(&w->bytes, text.ptr, text.len, true);
}

void coras_safetensors_begin(coras_safetensors_writer *w)
{
    *w = (coras_safetensors_writer){
        .bytes = CORAS_BUF_INIT(LENGTH_BYTES + CORAS_LIMIT_SAFETENSORS_HEADER)};
    coras_buf_put(&w->bytes, "\0\0\0\0\0\0\0\0{", LENGTH_BYTES + 1);
}

void coras_safetensors_metadata(coras_safetensors_writer *w, coras_str key, coras_str value)
{
    coras_buf_puts(&w->bytes, w->has_metadata ? "," : "\"__metadata__\":{");
    w->has_metadata = true;
    put_text(w, key);
    coras_buf_putc(&w->bytes, ':');
    put_text(w, value);
}

/* The end of the metadata, unless tensors have come already. */
static void end_metadata(coras_safetensors_writer *w)
{
    if (w->has_metadata && !w->has_tensor)
        coras_buf_putc(&w->bytes, '}');
}

void coras_safetensors_tensor(coras_safetensors_writer *w, coras_str name, const char *dtype,
                              const int64_t *shape, size_t rank, int64_t bytes)
{
    int64_t begin = w->data;

    end_metadata(w);
    if (w->has_metadata || w->has_tensor)
        coras_buf_putc(&w->bytes, ',');
    w->has_tensor = true;
    put_text(w, name);
    coras_buf_puts(&w->bytes, ":{\"dtype\":");
    put_text(w, coras_str_of(dtype));
    coras_buf_puts(&w->bytes, ",\"shape\":[");
    for (size_t i = 0; i < rank; i++)
        coras_buf_printf(&w->bytes, "%s%lld", i ? "," : "", (long long)shape[i]);
    w->data += bytes;
    coras_buf_printf(&w->bytes, "],\"data_offsets\":[%lld,%lld]}", (long long)begin,
                     (long long)w->data);
}

int coras_safetensors_end(coras_safetensors_writer *w, coras_error **err)
{
    uint64_t length;

    end_metadata(w);
    coras_buf_putc(&w->bytes, '}');
    while (!w->bytes.failed && w->bytes.len % ALIGNMENT != 0)
        coras_buf_putc(&w->bytes, ' ');
    CORAS_TRY(coras_buf_done(&w->bytes, err));
    length = w->bytes.len - LENGTH_BYTES;
    for (int i = 0; i < LENGTH_BYTES; i++)
        w->bytes.ptr[i] = (char)(length >> 8 * i);
    return 0;
}

void coras_safetensors_writer_clear(coras_safetensors_writer *w)
{
    coras_buf_clear(&w->bytes);
}
