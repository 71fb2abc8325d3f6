/* SPDX-License-Identifier: Apache-2.0 */
/* What a scan takes bytes for, and what names promise. */
#include "model/scan_kind.h"

#include "model/npy.h"
#include "rows.h"

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    enum coras_scan_kind kind;
} kinds[] = {
    {"safetensors", BYTES("\x02\0\0\0\0\0\0\0{}"), CORAS_SCAN_SAFETENSORS},
    {"a header beyond the file", BYTES("\x03\0\0\0\0\0\0\0{}"), CORAS_SCAN_OTHER},
    {"GGUF", BYTES("GGUF\3\0\0\0"), CORAS_SCAN_GGUF},
    {"zip", BYTES("PK\3\4...."), CORAS_SCAN_ZIP},
    {"pickle 2", BYTES("\x80\2}."), CORAS_SCAN_PICKLE},
    {"pickle 5", BYTES("\x80\5\x95"), CORAS_SCAN_PICKLE},
    {"no pickle", BYTES("\x80\6\x95"), CORAS_SCAN_OTHER},
    {"HDF5", BYTES("\x89HDF\r\n\x1a\n"), CORAS_SCAN_HDF5},
    {"NumPy", BYTES("\x93NUMPY\1\0"), CORAS_SCAN_NPY},
    {"ONNX", BYTES("\x08\x08\x12\x07pytorch"), CORAS_SCAN_ONNX},
    {"gzip", BYTES("\x1f\x8b\x08"), CORAS_SCAN_GZIP},
    {"zlib", BYTES("\x78\x9c\xcb"), CORAS_SCAN_ZLIB},
    {"xz",
     BYTES("\xfd"
           "7zXZ\0"),
     CORAS_SCAN_COMPRESSED},
    {"ELF",
     BYTES("\x7f"
           "ELF\2\1\1"),
     CORAS_SCAN_EXECUTABLE},
    {"Mach-O", BYTES("\xcf\xfa\xed\xfe\x07\0"), CORAS_SCAN_EXECUTABLE},
    {"script", BYTES("#!/bin/sh\n"), CORAS_SCAN_SCRIPT},
    {"text", BYTES("{\"a\": \"\xc3\xa4\"}\n"), CORAS_SCAN_TEXT},
    {"text, cut in a character", BYTES("abcdefgh\xc3"), CORAS_SCAN_TEXT},
    {"bytes", BYTES("\xff\xfe\x01\x02"), CORAS_SCAN_OTHER},
    {"TFLite", BYTES("\x1c\0\0\0TFL3"), CORAS_SCAN_INERT},
};

static void kinds_go_by_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(kinds); i++) {
        IN_ROW(kinds[i].what);
        assert_int_equal(coras_scan_kind_of(kinds[i].bytes, kinds[i].len, (int64_t)kinds[i].len),
                         kinds[i].kind);
        assert_true(strlen(coras_scan_kind_text(kinds[i].kind)) > 0);
    }
    assert_int_equal(coras_scan_kind_of("", 0, 0), CORAS_SCAN_TEXT);
}

static void a_portable_executable_has_two_signs(void **state)
{
    char head[128] = "MZ";
    (void)state;
    head[0x3c] = 0x50;
    assert_int_equal(coras_scan_kind_of(head, sizeof(head), 128), CORAS_SCAN_OTHER);
    memcpy(head + 0x50, "PE\0\0", 4);
    assert_int_equal(coras_scan_kind_of(head, sizeof(head), 128), CORAS_SCAN_EXECUTABLE);
}

static void names_promise(void **state)
{
    (void)state;
    assert_int_equal(coras_scan_promise_of("a/model.safetensors"), CORAS_PROMISE_SAFETENSORS);
    assert_int_equal(coras_scan_promise_of("MODEL.GGUF"), CORAS_PROMISE_GGUF);
    assert_int_equal(coras_scan_promise_of("config.json"), CORAS_PROMISE_DATA);
    assert_int_equal(coras_scan_promise_of("pytorch_model.bin"), CORAS_PROMISE_PICKLE);
    assert_int_equal(coras_scan_promise_of("modeling_x.py"), CORAS_PROMISE_CODE);
    assert_int_equal(coras_scan_promise_of("LICENSE"), CORAS_PROMISE_NOTHING);
    assert_string_equal(coras_scan_base_name("a/b/c"), "c");
    assert_string_equal(coras_scan_base_name("c"), "c");
}

static void arrays_tell_whether_they_hold_objects(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool objects;
        size_t data_at;
    } arrays[] = {
        {BYTES("\x93NUMPY\1\0\x16\0{'descr': '|O', 'a':1}x"), true, 32},
        {BYTES("\x93NUMPY\1\0\x16\0{'descr': '<f4','a':1}x"), false, 32},
        {BYTES("\x93NUMPY\2\0\x14\0\0\0{'descr':'O', 'a':1}x"), true, 32},
        {BYTES("\x93NUMPY\1\0\x23\0{'descr': [('a','<i4'),('b','|O')]}x"), true, 45},
    };
    size_t at = 0;
    bool objects = false;
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(arrays); i++) {
        assert_true(coras_npy_read(arrays[i].bytes, arrays[i].len, &at, &objects));
        assert_int_equal(objects, arrays[i].objects);
        assert_int_equal(at, arrays[i].data_at);
    }
    assert_false(coras_npy_read("\x93NUMPY\1\0\xff\xff{}", 12, &at, &objects));
    assert_false(coras_npy_read("\x93NUMPY", 6, &at, &objects));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_go_by_bytes),
        cmocka_unit_test(a_portable_executable_has_two_signs),
        cmocka_unit_test(names_promise),
        cmocka_unit_test(arrays_tell_whether_they_hold_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
