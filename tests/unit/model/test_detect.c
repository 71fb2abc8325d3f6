/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of content by their first bytes. */
#include "rows.h"

#include "model/detect.h"

#define ROW(bytes, size, name)                                                                     \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, size, name                                                       \
    }

static void content_says_what_it_is(void **state)
{
    static const struct {
        const char *head;
        size_t len;
        int64_t size;
        const char *name;
    } rows[] = {
        ROW("GGUF\3\0\0\0", 24, "gguf"),
        ROW("GGUG\3\0\0\0", 24, "unknown"),
        ROW("\x08\0\0\0\0\0\0\0{}      ", 16, "safetensors"),
        ROW("\x08\0\0\0\0\0\0\0 {}     ", 16, "safetensors"),
        ROW("\x08\0\0\0\0\0\0\0x{}     ", 16, "unknown"),
        ROW("\x09\0\0\0\0\0\0\0{}      ", 16, "unknown"),
        ROW("\x01\xe1\xf5\x05\0\0\0\0{}", INT64_MAX, "unknown"),
        ROW("\xff\xff\xff\xff\xff\xff\xff\x7f{}", INT64_MAX, "unknown"),
        ROW("\x02\0\0\0\0\0\0\0", 8, "unknown"),
        ROW("lmgg", 4, "ggml"),
        ROW("PK\3\4\x14\0\0\0\x08\0", 100, "zip"),
        ROW("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15, "torch"),
        ROW("\x80\x04\x95", 3, "pickle"),
        ROW("\x80\x06\x95", 3, "unknown"),
        ROW("\x80", 1, "unknown"),
        ROW("\x89HDF\r\n\x1a\n", 8, "hdf5"),
        ROW("\x93NUMPY\1\0", 8, "npy"),
        ROW("\x1c\0\0\0TFL3", 8, "tflite"),
        ROW("\x08\x04\x12\x04test", 8, "onnx"),
        ROW("\x08\x08:\x10", 4, "onnx"),
        ROW("\x08\x15\x12\x04", 4, "unknown"),
        ROW("\x08\x01\x12\xd0\x0f", 5, "savedmodel"),
        ROW("x\x9c", 2, "zlib"),
        ROW("\x1f\x8b\x08", 3, "gzip"),
        ROW("\x28\xb5\x2f\xfd", 4, "zstd"),
        ROW("BZh9", 4, "bzip2"),
        ROW("\xfd"
            "7zXZ\0",
            6, "xz"),
        ROW("PAR1", 4, "parquet"),
        ROW("ARROW1\0\0", 8, "arrow"),
        ROW("|TZR|", 5, "tensorizer"),
        ROW("\x7f"
            "ELF",
            4, "executable"),
        ROW("#!/bin/sh", 9, "script"),
        ROW("\n{\"a\":1}", 8, "json"),
        ROW("<?xml version", 13, "xml"),
        ROW("", 0, "unknown"),
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        IN_ROW(rows[i].name);
        assert_string_equal(
            coras_content_name(coras_content_detect(rows[i].head, rows[i].len, rows[i].size)),
            rows[i].name);
    }
}

static void a_tar_is_known_late(void **state)
{
    char head[CORAS_CONTENT_HEAD] = "model.safetensors";

    (void)state;
    memcpy(head + 257, "ustar", 6);
    assert_int_equal(coras_content_detect(head, sizeof(head), 10240), CORAS_CONTENT_TAR);
    assert_int_equal(coras_content_detect(head, 261, 10240), CORAS_CONTENT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_says_what_it_is),
        cmocka_unit_test(a_tar_is_known_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
