/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a header in a test: whole, or in pieces of any size, into one text that says all that the
 * visitor was told.
 */
#ifndef CORAS_TESTS_UNIT_MODEL_READING_H
#define CORAS_TESTS_UNIT_MODEL_READING_H

#include "rows.h"
#include "model/header.h"

struct reading {
    coras_buf told;
    coras_buf warnings;
    int64_t size; /* of the header, when it was read */
};

static inline void reading_clear(struct reading *r)
{
    coras_buf_clear(&r->told);
    coras_buf_clear(&r->warnings);
}

static int reading_tensor(void *user, const coras_tensor_record *t, coras_error **err)
{
    struct reading *r = user;

    (void)err;
    coras_buf_put(&r->told, t->name.ptr, t->name.len);
    coras_buf_printf(&r->told, " %s [", t->dtype);
    for (size_t i = 0; i < t->rank; i++)
        coras_buf_printf(&r->told, "%s%lld", i ? "," : "", (long long)t->shape[i]);
    coras_buf_printf(&r->told, "] %lld at %lld+%lld\n", (long long)t->elements,
                     (long long)t->offset, (long long)t->bytes);
    return 0;
}

static int reading_text(void *user, coras_str key, coras_str value, coras_error **err)
{
    struct reading *r = user;

    (void)err;
    coras_buf_put(&r->told, key.ptr, key.len);
    coras_buf_putc(&r->told, '=');
    coras_buf_put(&r->told, value.ptr, value.len < 64 ? value.len : 64);
    coras_buf_putc(&r->told, '\n');
    return 0;
}

static int reading_number(void *user, coras_str key, int64_t value, coras_error **err)
{
    struct reading *r = user;

    (void)err;
    coras_buf_put(&r->told, key.ptr, key.len);
    coras_buf_printf(&r->told, "=%lld\n", (long long)value);
    return 0;
}

static void reading_warning(void *user, const char *text)
{
    struct reading *r = user;

    coras_buf_printf(&r->warnings, "%s\n", text);
}

/* Read `len` bytes of a file of `file_size`, `piece` at a time. 0: more would be needed. */
static inline int read_pieces(enum coras_weight_format format, const char *bytes, size_t len,
                              int64_t file_size, bool strict, size_t piece, struct reading *r,
                              coras_error **err)
{
    coras_header_visitor visitor = {reading_tensor, reading_text, reading_number, reading_warning,
                                    r};
    coras_auto(coras_header_reader) reader = NULL;
    int rc = 0;

    r->told = r->warnings = (coras_buf)CORAS_BUF_UNLIMITED;
    r->size = -1;
    CORAS_TRY(coras_header_reader_new(format, file_size, strict, &visitor, &reader, err));
    for (size_t at = 0; rc == 0 && at < len; at += piece) {
        assert_true(coras_header_wants(reader) >= 0);
        assert_true(coras_header_wants(reader) <= file_size);
        rc = coras_header_feed(reader, bytes + at, piece < len - at ? piece : len - at, err);
    }
    if (rc == 1)
        r->size = coras_header_size(reader);
    return rc;
}

/* A file in every way of cutting it: each must end alike. Returns what they all returned. */
static inline int read_file(enum coras_weight_format format, const char *bytes, size_t len,
                            bool strict, struct reading *ret, coras_error **err)
{
    static const size_t pieces[] = {1, 2, 3, 5, 7, 8, 13, 64};
    int rc = read_pieces(format, bytes, len, (int64_t)len, strict, SIZE_MAX / 2, ret, err);

    for (size_t i = 0; i < CORAS_ARRAY_LEN(pieces); i++) {
        struct reading again;
        coras_auto(coras_error) failure = NULL;
        int rc2 =
            read_pieces(format, bytes, len, (int64_t)len, strict, pieces[i], &again, &failure);
        assert_int_equal(rc2, rc);
        assert_string_equal(again.told.ptr, ret->told.ptr);
        assert_string_equal(again.warnings.ptr, ret->warnings.ptr);
        assert_true(again.size == ret->size);
        if (rc < 0 && err && *err)
            assert_string_equal(coras_error_message(failure), coras_error_message(*err));
        reading_clear(&again);
    }
    return rc;
}

#endif
