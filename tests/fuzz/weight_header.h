/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of every header reader: a file gives the same tensors however it is cut, no tensor
 * lies outside of it, the strict reading takes no more than the other, and memory follows the bytes
 * that came, not what they claim.
 */
#ifndef CORAS_TESTS_FUZZ_WEIGHT_HEADER_H
#define CORAS_TESTS_FUZZ_WEIGHT_HEADER_H

#include "fuzz.h"

#include "base/alloc.h"
#include "model/header.h"

enum {
    FUZZ_BASE_BYTES = 32768, /* that a reading may take of an empty file */
    FUZZ_BYTES_PER_BYTE = 64,
};

struct fuzz_told {
    int64_t file_size;
    uint64_t sum; /* of all that was told, in order */
};

static int fuzz_tensor(void *user, const coras_tensor_record *t, coras_error **err)
{
    struct fuzz_told *told = user;

    (void)err;
    FUZZ_CHECK(t->offset >= 8 && t->bytes >= 0 && t->elements >= 0);
    FUZZ_CHECK(t->offset <= told->file_size && t->bytes <= told->file_size - t->offset);
    FUZZ_CHECK(strlen(t->dtype) < 256);
    told->sum = told->sum * 31 + (uint64_t)t->offset * 7 + (uint64_t)t->bytes + t->name.len;
    for (size_t i = 0; i < t->rank; i++)
        told->sum = told->sum * 31 + (uint64_t)t->shape[i];
    return 0;
}

static int fuzz_text(void *user, coras_str key, coras_str value, coras_error **err)
{
    struct fuzz_told *told = user;

    (void)err;
    told->sum = told->sum * 31 + key.len * 7 + value.len;
    return 0;
}

static int fuzz_number(void *user, coras_str key, int64_t value, coras_error **err)
{
    struct fuzz_told *told = user;

    (void)err;
    told->sum = told->sum * 31 + key.len * 7 + (uint64_t)value;
    return 0;
}

/* Read the file in pieces; what was told goes to *ret. */
static int fuzz_read(enum coras_weight_format format, const char *data, size_t len, bool strict,
                     size_t piece, uint64_t *ret)
{
    struct fuzz_told told = {.file_size = (int64_t)len};
    coras_header_visitor visitor = {fuzz_tensor, fuzz_text, fuzz_number, NULL, &told};
    coras_auto(coras_header_reader) reader = NULL;
    int rc = 0;

    FUZZ_CHECK(coras_header_reader_new(format, (int64_t)len, strict, &visitor, &reader, NULL) == 0);
    for (size_t at = 0; rc == 0 && at < len; at += piece) {
        int64_t wants = coras_header_wants(reader);
        FUZZ_CHECK(wants > (int64_t)at - 1 && wants <= (int64_t)len);
        rc = coras_header_feed(reader, data + at, piece < len - at ? piece : len - at, NULL);
    }
    if (rc == 1)
        FUZZ_CHECK(coras_header_size(reader) <= (int64_t)len);
    *ret = told.sum;
    return rc;
}

static bool fuzz_header(enum coras_weight_format format, const char *data, size_t len)
{
    uint64_t whole, cut, strict;
    int rc, strict_rc;
    size_t bytes;

    coras_alloc_count_start();
    rc = fuzz_read(format, data, len, false, SIZE_MAX / 2, &whole);
    bytes = coras_alloc_count_stop();
    FUZZ_CHECK(bytes <= FUZZ_BASE_BYTES + FUZZ_BYTES_PER_BYTE * len);
    FUZZ_CHECK(fuzz_read(format, data, len, false, 1 + len % 7, &cut) == rc);
    FUZZ_CHECK(cut == whole);
    strict_rc = fuzz_read(format, data, len, true, SIZE_MAX / 2, &strict);
    FUZZ_CHECK(rc == 1 || strict_rc != 1);
    return strict_rc == 1;
}

#endif
