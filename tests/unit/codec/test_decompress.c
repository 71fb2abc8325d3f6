/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed content by its first bytes; Zstandard whole, in frames, damaged. */
#include "codec/decompress.h"

#include "rows.h"
#include "codec/zstd.h"

/* `zstd -c` of "hello, hello, hello\n" from a pipe: the window is 2 MiB; WINDOW is its byte. */
#define FRAME(window)                                                                              \
    "\x28\xb5\x2f\xfd\x04" window "\x75\x00\x00\x40\x68\x65\x6c\x6c\x6f\x2c\x20\x0a\x01\x00\xe2"   \
    "\x8a\x11\x21\x69\x9d\x87"
#define BYTES 27
#define PLAIN "hello, hello, hello\n"
/* A frame for other programs' data (RFC 8878, 3.1.2). */
#define SKIPPABLE "\x50\x2a\x4d\x18\x02\x00\x00\x00zz"

static int read_all(const char *data, size_t len, size_t cap, coras_buf *out, coras_error **err)
{
    const coras_memory memory = {data, len};
    const coras_source source = coras_source_memory(&memory);
    coras_auto(coras_decompressor) d = NULL;
    char piece[64];
    size_t got = 1;

    CORAS_TRY(coras_decompressor_new(coras_compression_of(data, len), &source, &d, err));
    while (got > 0) {
        CORAS_TRY(coras_decompressor_read(d, piece, cap, &got, err));
        coras_buf_put(out, piece, got);
    }
    return 0;
}

static bool has_zstd(void)
{
    const coras_memory memory = {"", 0};
    const coras_source source = coras_source_memory(&memory);
    coras_auto(coras_unzstd) z = NULL;

    return coras_unzstd_new(&source, &z, NULL) != CORAS_ERR_UNSUPPORTED;
}

static void test_kinds(void **state CORAS_UNUSED)
{
    assert_int_equal(coras_compression_of("\x1f\x8b\x08", 3), CORAS_COMPRESSION_GZIP);
    assert_int_equal(coras_compression_of("\x28\xb5\x2f\xfd", 4), CORAS_COMPRESSION_ZSTD);
    assert_int_equal(coras_compression_of("\x28\xb5\x2f", 3), CORAS_COMPRESSION_NONE);
    assert_int_equal(coras_compression_of("", 0), CORAS_COMPRESSION_NONE);
}

static void test_plain(void **state CORAS_UNUSED)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    assert_ok(read_all(PLAIN, sizeof(PLAIN) - 1, 7, &out, &err), err);
    assert_string_equal(out.ptr, PLAIN);
}

static void test_zstd(void **state CORAS_UNUSED)
{
    static const struct {
        const char *label, *data;
        size_t len;
        const char *expect; /* NULL: refused */
        const char *message;
    } rows[] = {
        {"one frame", FRAME("\x58"), BYTES, PLAIN, NULL},
        {"two frames", FRAME("\x58") FRAME("\x58"), (size_t)2 * BYTES, PLAIN PLAIN, NULL},
        {"one to skip", FRAME("\x58") SKIPPABLE, BYTES + 10, PLAIN, NULL},
        {"a window of 128 MiB", FRAME("\x88"), BYTES, PLAIN, NULL},
        {"a window of 256 MiB", FRAME("\x90"), BYTES, NULL, "zstd: corrupt input"},
        {"cut", FRAME("\x58"), BYTES - 1, NULL, "unexpected EOF"},
        {"cut in its head", FRAME("\x58"), 5, NULL, "unexpected EOF"},
        {"junk behind it", FRAME("\x58") "junk", BYTES + 4, NULL, "zstd: corrupt input"},
        {"another frame cut", FRAME("\x58") FRAME("\x58"), BYTES + 9, NULL, "unexpected EOF"},
    };

    if (!has_zstd())
        skip();
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        for (size_t cap = 1; cap <= 64; cap += 9) {
            coras_auto_buf out = CORAS_BUF_UNLIMITED;
            coras_auto(coras_error) err = NULL;
            IN_ROW(rows[i].label);
            int rc = read_all(rows[i].data, rows[i].len, cap, &out, &err);
            if (!rows[i].expect) {
                assert_failed(rc, err, CORAS_ERR_UNSAFE_ARCHIVE, rows[i].message);
                continue;
            }
            assert_ok(rc, err);
            assert_string_equal(out.ptr, rows[i].expect);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_zstd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
