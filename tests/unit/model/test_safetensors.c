/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: what is read, what is refused, in every way of cutting a file. */
#include "reading.h"

#include <stdio.h>
#include "base/limits.h"

/* Length, JSON, spaces up to a multiple of eight, `data` bytes. */
static void build(coras_buf *file, const char *json, size_t json_len, size_t data)
{
    size_t length = (json_len + 7) / 8 * 8;

    for (int i = 0; i < 8; i++)
        coras_buf_putc(file, (char)(length >> 8 * i));
    coras_buf_put(file, json, json_len);
    for (size_t i = json_len; i < length; i++)
        coras_buf_putc(file, ' ');
    for (size_t i = 0; i < data; i++)
        coras_buf_putc(file, (char)i);
    assert_false(file->failed);
}

#define T(name, dtype, shape, offsets)                                                             \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define A(offsets) T("a", "U8", "[1]", offsets)

/* What both readings accept without a word. */
static void tensors_and_metadata_are_told(void **state)
{
    static const struct {
        const char *json;
        size_t data;
        const char *told;
    } rows[] = {
        {"{" T("a", "U8", "[2]", "[0,2]") "}", 2, "a U8 [2] 2 at 64+2\n"},
        {"{\"__metadata__\":{\"format\":\"pt\"}," T("w", "F16", "[2,2]", "[0,8]") "}", 8,
         "format=pt\nw F16 [2,2] 4 at 96+8\n"},
        {"{}", 0, ""},
        {"{" T("s", "F32", "[]", "[0,4]") "," T("z", "I8", "[0,3]", "[4,4]") "}", 4,
         "s F32 [] 1 at 120+4\nz I8 [0,3] 0 at 124+0\n"},
        {"{" T("a", "F4", "[4]", "[0,2]") "}", 2, "a F4 [4] 4 at 64+2\n"},
        {"{" T("b", "U8", "[1]", "[1,2]") "," T("z", "U8", "[0]", "[1,1]") "," A("[0,1]") "}", 2,
         "b U8 [1] 1 at 169+1\nz U8 [0] 0 at 169+0\na U8 [1] 1 at 168+1\n"},
        {"{\"a\":{\"more\":{\"x\":[1e9,null]},\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]"
         ","
         "\"last\":true}}",
         1, "a U8 [1] 1 at 104+1\n"},
        {"{\"\\u00e9\\ud83d\\ude00\\n/../"
         "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
         1, "\xc3\xa9\xf0\x9f\x98\x80\n/../ U8 [1] 1 at 88+1\n"},
        {"{" T("", "U8", "[1]", "[0,1]") "}", 1, " U8 [1] 1 at 64+1\n"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_buf file = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        struct reading r;
        IN_ROW(rows[i].json);
        build(&file, rows[i].json, strlen(rows[i].json), rows[i].data);
        int rc = read_file(CORAS_WEIGHT_SAFETENSORS, file.ptr, file.len, true, &r, &err);
        check_ok(rc > 0 ? 0 : rc - 1, err);
        assert_string_equal(r.told.ptr, rows[i].told);
        assert_string_equal(r.warnings.ptr, "");
        assert_int_equal(r.size, file.len - rows[i].data);
        reading_clear(&r);
    }
}

/* What no reading takes. */
static void what_the_file_does_not_hold_is_refused(void **state)
{
    static const struct {
        const char *name, *json;
        size_t data;
        const char *message; /* NULL: any */
    } rows[] = {
        {"hole", "{" A("[0,1]") "," T("b", "U8", "[1]", "[2,3]") "}", 3,
         "byte 121: bytes that belong to no tensor: 1"},
        {"overlap", "{" T("a", "U8", "[2]", "[0,2]") "," T("b", "U8", "[2]", "[1,3]") "}", 3,
         "byte 121: two tensors share these bytes"},
        {"one twice", "{" A("[0,1]") "," T("b", "U8", "[1]", "[0,1]") "}", 1, NULL},
        {"size", "{" T("a", "F32", "[1]", "[0,2]") "}", 2,
         "byte 60: tensor \"a\": 4 bytes by its shape, 2 by its offsets"},
        {"overflow", "{" T("a", "F64", "[4294967296,4294967296]", "[0,0]") "}", 0, NULL},
        {"overflow of bits", "{" T("a", "F64", "[2305843009213693952]", "[0,0]") "}", 0, NULL},
        {"overflow before a zero", "{" T("a", "U8", "[4294967296,4294967296,0]", "[0,0]") "}", 0,
         NULL},
        {"trailing", "{" A("[0,1]") "}", 3, "byte 65: bytes behind the last tensor: 2"},
        {"nothing but trailing", "{}", 1, "byte 16: bytes behind the last tensor: 1"},
        {"short", "{" T("a", "U8", "[9]", "[0,9]") "}", 2,
         "byte 59: tensor \"a\": ends beyond the file"},
        {"metadata is a number", "{\"__metadata__\":{\"n\":1}}", 0,
         "byte 30: metadata \"n\" is no text"},
        {"metadata is a list", "{\"__metadata__\":[]}", 0, NULL},
        {"metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, NULL},
        {"key of metadata twice", "{\"__metadata__\":{\"a\":\"1\",\"\\u0061\":\"2\"}}", 0,
         "byte 40: the name \"a\" is there twice"},
        {"tensor twice", "{" A("[0,1]") "," A("[0,1]") "}", 1,
         "byte 63: the name \"a\" is there twice"},
        {"tensor twice in disguise", "{" A("[0,1]") "," T("\\u0061", "U8", "[1]", "[1,2]") "}", 2,
         NULL},
        {"negative", "{" T("a", "U8", "[-1]", "[0,1]") "}", 1, NULL},
        {"exponent", "{" T("a", "U8", "[1e0]", "[0,1]") "}", 1, NULL},
        {"fraction", "{" T("a", "U8", "[1.0]", "[0,1]") "}", 1, NULL},
        {"beyond 64 bits", "{" T("a", "U8", "[18446744073709551617]", "[0,1]") "}", 1, NULL},
        {"text as number", "{" T("a", "U8", "[\"1\"]", "[0,1]") "}", 1, NULL},
        {"list in a shape", "{" T("a", "U8", "[[1]]", "[0,1]") "}", 1, NULL},
        {"three F4", "{" T("a", "F4", "[3]", "[0,2]") "}", 2, NULL},
        {"one offset", "{" A("[0]") "}", 1, NULL},
        {"three offsets", "{" A("[0,1,1]") "}", 1, NULL},
        {"backwards", "{" T("a", "U8", "[0]", "[1,0]") "}", 1, NULL},
        {"no shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, NULL},
        {"dtype twice",
         "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
         NULL},
        {"dtype is a number", "{\"a\":{\"dtype\":8,\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
         NULL},
        {"tensor is a list", "{\"a\":[]}", 0, NULL},
        {"no object", "[]", 0, NULL},
        {"two objects", "{}{}", 0, NULL},
        {"cut", "{\"a\":{", 0, NULL},
        {"too deep", "{\"a\":{\"x\":{\"y\":{\"z\":{}}}}}", 0, "byte 28: nested too deeply"},
        {"invalid UTF-8", "{" T("\xff", "U8", "[1]", "[0,1]") "}", 1, NULL},
        {"cut UTF-8", "{" T("\xe2\x82", "U8", "[1]", "[0,1]") "}", 1, NULL},
        {"surrogate in UTF-8", "{" T("\xed\xa0\x80", "U8", "[1]", "[0,1]") "}", 1, NULL},
        {"half a pair", "{" T("\\ud800", "U8", "[1]", "[0,1]") "}", 1,
         "byte 16: half of a surrogate pair"},
        {"half a pair and text", "{" T("\\ud800x", "U8", "[1]", "[0,1]") "}", 1, NULL},
        {"second half", "{" T("\\udc00", "U8", "[1]", "[0,1]") "}", 1, NULL},
        {"NUL in a name", "{" T("\\u0000", "U8", "[1]", "[0,1]") "}", 1, NULL},
        {"escape on a terminal", "{" T("\\u001b[31m", "U8", "[1]", "[0,2]") "}", 2,
         "byte 68: tensor \"\\x1b[31m\": 1 bytes by its shape, 2 by its offsets"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_buf file = CORAS_BUF_UNLIMITED;
        IN_ROW(rows[i].name);
        build(&file, rows[i].json, strlen(rows[i].json), rows[i].data);
        for (int strict = 0; strict < 2; strict++) {
            coras_auto(coras_error) err = NULL;
            struct reading r;
            int rc = read_file(CORAS_WEIGHT_SAFETENSORS, file.ptr, file.len, strict, &r, &err);
            assert_failed(rc, err, CORAS_ERR_INVALID_MODEL, rows[i].message);
            reading_clear(&r);
        }
    }
}

/* What leaves no doubt about the tensors: refused by the strict reading, else a warning. */
static void oddities_are_warnings_or_refused(void **state)
{
    static const struct {
        const char *json;
        size_t data;
        const char *told, *warning;
    } rows[] = {
        {" {}", 0, "", "byte 8: the header begins with white space"},
        {"{" T("a", "Q4", "[3]", "[0,7]") "}", 7, "a Q4 [3] 3 at 64+7\n",
         "tensor \"a\" has the type \"Q4\", which is not known"},
        {"{\"__metadata__\":null}", 0, "", "__metadata__ is null"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_buf file = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        coras_auto_buf line = CORAS_BUF_UNLIMITED;
        struct reading strict, lenient;
        IN_ROW(rows[i].json);
        build(&file, rows[i].json, strlen(rows[i].json), rows[i].data);
        int rc = read_file(CORAS_WEIGHT_SAFETENSORS, file.ptr, file.len, true, &strict, &err);
        assert_failed(rc, err, CORAS_ERR_INVALID_MODEL, rows[i].warning);
        assert_int_equal(
            read_file(CORAS_WEIGHT_SAFETENSORS, file.ptr, file.len, false, &lenient, NULL), 1);
        coras_buf_printf(&line, "%s\n", rows[i].warning);
        assert_string_equal(lenient.told.ptr, rows[i].told);
        assert_string_equal(lenient.warnings.ptr, line.ptr);
        reading_clear(&strict);
        reading_clear(&lenient);
    }
}

static void refuse_bytes(const char *bytes, size_t len, const char *message)
{
    coras_auto(coras_error) err = NULL;
    struct reading r;

    int rc = read_file(CORAS_WEIGHT_SAFETENSORS, bytes, len, false, &r, &err);
    assert_failed(rc, err, CORAS_ERR_INVALID_MODEL, message);
    reading_clear(&r);
}

static void the_length_is_a_claim(void **state)
{
    (void)state;
    refuse_bytes("\xff\xff\xff\xff\xff\xff\xff\x7f{}      ", 16,
                 "byte 0: a header of 9223372036854775807 bytes, where 100000000 are allowed");
    refuse_bytes("\x01\xe1\xf5\x05\0\0\0\0{}      ", 16,
                 "byte 0: a header of 100000001 bytes, where 100000000 are allowed");
    refuse_bytes("\x09\0\0\0\0\0\0\0{}      ", 16, "byte 0: a header of 9 bytes in a file of 16");
    refuse_bytes("\0\0\0\0\0\0\0\0", 8, NULL);
    refuse_bytes("\0\0\0\0\0\0\0", 7, "byte 7: the file ends inside its header");
    refuse_bytes("\x08\0\0\0\0\0\0\0{}\0\0\0\0\0\0", 16, NULL);
    refuse_bytes("\x02\0\0\0\0\0\0\0{}{}", 12, "byte 10: bytes behind the last tensor: 2");
}

static void names_and_ranks_are_bounded(void **state)
{
    static const struct {
        size_t name, rank;
        int rc;
    } rows[] = {
        {CORAS_LIMIT_TENSOR_NAME, 1, 1},
        {CORAS_LIMIT_TENSOR_NAME + 1, 1, CORAS_ERR_TOO_LARGE},
        {100000, 1, CORAS_ERR_TOO_LARGE},
        {1, CORAS_LIMIT_TENSOR_RANK, 1},
        {1, CORAS_LIMIT_TENSOR_RANK + 1, CORAS_ERR_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_buf json = CORAS_BUF_UNLIMITED;
        coras_auto_buf file = CORAS_BUF_UNLIMITED;
        struct reading r;
        coras_buf_puts(&json, "{\"");
        for (size_t k = 0; k < rows[i].name; k++)
            coras_buf_putc(&json, 'n');
        coras_buf_puts(&json, "\":{\"dtype\":\"U8\",\"data_offsets\":[0,1],\"shape\":[1");
        for (size_t k = 1; k < rows[i].rank; k++)
            coras_buf_puts(&json, ",1");
        coras_buf_puts(&json, "]}}");
        build(&file, json.ptr, json.len, 1);
        assert_int_equal(read_pieces(CORAS_WEIGHT_SAFETENSORS, file.ptr, file.len,
                                     (int64_t)file.len, true, 1000, &r, NULL),
                         rows[i].rc);
        reading_clear(&r);
    }
}

/* The reader knows after eight bytes how much it wants. */
static void the_reader_says_what_it_wants(void **state)
{
    coras_header_visitor visitor = {0};
    coras_auto(coras_header_reader) reader = NULL;
    static const char head[] = "\x88\x13\0\0\0\0\0\0{";

    (void)state;
    assert_int_equal(
        coras_header_reader_new(CORAS_WEIGHT_SAFETENSORS, 10000, false, &visitor, &reader, NULL),
        0);
    assert_int_equal(coras_header_wants(reader), 8);
    assert_int_equal(coras_header_feed(reader, head, 9, NULL), 0);
    assert_int_equal(coras_header_wants(reader), 5008);
}

/* A long header costs no memory, and a short one little. */
static void memory_does_not_follow_the_header(void **state)
{
    enum { LENGTH = 3000000, PIECE = 4096 };
    coras_header_visitor visitor = {0};
    coras_header_reader *reader = NULL;
    char piece[PIECE] = "\xc0\xc6\x2d\0\0\0\0\0{}";
    size_t bytes;
    int rc = 0;

    (void)state;
    memset(piece + 10, ' ', sizeof(piece) - 10);
    coras_alloc_count_start();
    assert_int_equal(coras_header_reader_new(CORAS_WEIGHT_SAFETENSORS, 8 + LENGTH, true, &visitor,
                                             &reader, NULL),
                     0);
    while (rc == 0) {
        rc = coras_header_feed(reader, piece, sizeof(piece), NULL);
        memset(piece, ' ', 10);
    }
    bytes = coras_alloc_count_stop();
    coras_header_reader_free(reader);
    assert_int_equal(rc, 1);
    assert_true(bytes < 16384);
}

/* Many tensors cost some tens of bytes each. */
static void tensors_take_some_bytes_each(void **state)
{
    enum { TENSORS = 20000 };
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_auto_buf file = CORAS_BUF_UNLIMITED;
    coras_header_visitor visitor = {0};
    coras_header_reader *reader = NULL;
    size_t bytes;

    (void)state;
    for (int i = 0; i < TENSORS; i++)
        coras_buf_printf(&json,
                         "%c\"t%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
                         i ? ',' : '{', i, TENSORS - 1 - i, TENSORS - i);
    coras_buf_putc(&json, '}');
    build(&file, json.ptr, json.len, TENSORS);
    coras_alloc_count_start();
    assert_int_equal(coras_header_reader_new(CORAS_WEIGHT_SAFETENSORS, (int64_t)file.len, true,
                                             &visitor, &reader, NULL),
                     0);
    assert_int_equal(coras_header_feed(reader, file.ptr, file.len, NULL), 1);
    bytes = coras_alloc_count_stop(); /* of every step of growing */
    coras_header_reader_free(reader);
    assert_true(bytes < TENSORS * 100);
}

static int read_some(coras_error **err)
{
    static const char json[] =
        "{\"__metadata__\":{\"k\":\"v\"}," T("b", "U8", "[1]", "[1,2]") "," A("[0,1]") "}";
    coras_header_visitor visitor = {0};
    coras_auto(coras_header_reader) reader = NULL;
    char file[8 + sizeof(json) - 1 + 2] = {(char)(sizeof(json) - 1)};
    int rc;

    memcpy(file + 8, json, sizeof(json) - 1);
    CORAS_TRY(coras_header_reader_new(CORAS_WEIGHT_SAFETENSORS, sizeof(file), true, &visitor,
                                      &reader, err));
    rc = coras_header_feed(reader, file, sizeof(file), err);
    return rc > 0 ? 0 : rc;
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(read_some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_and_metadata_are_told),
        cmocka_unit_test(what_the_file_does_not_hold_is_refused),
        cmocka_unit_test(oddities_are_warnings_or_refused),
        cmocka_unit_test(the_length_is_a_claim),
        cmocka_unit_test(names_and_ranks_are_bounded),
        cmocka_unit_test(the_reader_says_what_it_wants),
        cmocka_unit_test(memory_does_not_follow_the_header),
        cmocka_unit_test(tensors_take_some_bytes_each),
        cmocka_unit_test(lack_of_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
