/* SPDX-License-Identifier: Apache-2.0 */
/* gzip: what is written can be read by others and is always the same; what is read is whole. */
#include "codec/gzip.h"

#include <string.h>
#include <zlib.h>
#include "support.h"

enum { BLOCK = 128 * 1024 };

/* Text that compresses, with noise that does not from `noise_from` on. */
static unsigned char *sample(size_t len, size_t noise_from)
{
    unsigned char *bytes = malloc(len + 1);
    uint32_t x = 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = i < noise_from ? (unsigned char)("abcdefgh"[x >> 29]) : (unsigned char)(x >> 24);
    }
    return bytes;
}

/* `step`: bytes handed in at a time. */
static void compress_with(unsigned threads, size_t step, const unsigned char *data, size_t len,
                          coras_buf *out)
{
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_gzip) gz = NULL;
    const coras_sink sink = coras_sink_buf(out);
    assert_ok(coras_gzip_new(threads, &sink, &gz, &err), err);
    for (size_t at = 0; at < len; at += step)
        assert_ok(coras_gzip_write(gz, data + at, len - at < step ? len - at : step, &err), err);
    assert_ok(coras_gzip_finish(gz, &err), err);
}

/* With zlib alone, as any other program would. */
static void assert_inflates_to(const coras_buf *gz, const unsigned char *data, size_t len)
{
    unsigned char *out = malloc(len + 1);
    z_stream z = {.next_in = (Bytef *)gz->ptr,
                  .avail_in = (uInt)gz->len,
                  .next_out = out,
                  .avail_out = (uInt)len + 1};
    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, len);
    assert_memory_equal(out, data, len);
    (void)inflateEnd(&z);
    free(out);
}

static void sizes_around_the_block_survive(void **state)
{
    static const size_t sizes[] = {0,         1,         BLOCK - 1,     BLOCK,
                                   BLOCK + 1, 2 * BLOCK, 7 * BLOCK + 5, 20 * BLOCK};
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(sizes); i++) {
        coras_auto_buf gz = CORAS_BUF_UNLIMITED;
        unsigned char *data = sample(sizes[i], sizes[i]);
        compress_with(2, 10000, data, sizes[i], &gz);
        assert_memory_equal(gz.ptr, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
        assert_inflates_to(&gz, data, sizes[i]);
        free(data);
    }
}

static void bytes_do_not_depend_on_threads_or_pieces(void **state)
{
    static const struct {
        unsigned threads;
        size_t step;
    } cases[] = {{1, 1 << 20}, {2, 1 << 20}, {3, 777}, {7, BLOCK}, {0, BLOCK + 1}};
    const size_t len = 9 * BLOCK + 123;
    unsigned char *data = sample(len, 5 * BLOCK + 1000);
    coras_auto_buf first = CORAS_BUF_UNLIMITED;
    (void)state;
    compress_with(1, len, data, len, &first);
    assert_inflates_to(&first, data, len);
    assert_true(first.len < 7 * BLOCK); /* the text shrank, the noise was not blown up */
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf again = CORAS_BUF_UNLIMITED;
        compress_with(cases[i].threads, cases[i].step, data, len, &again);
        assert_int_equal(again.len, first.len);
        assert_memory_equal(again.ptr, first.ptr, first.len);
    }
    free(data);
}

static void noise_hardly_grows(void **state)
{
    const size_t len = 8 * BLOCK;
    unsigned char *data = sample(len, 0);
    coras_auto_buf gz = CORAS_BUF_UNLIMITED;
    (void)state;
    compress_with(2, len, data, len, &gz);
    assert_true(gz.len < len + 200);
    assert_inflates_to(&gz, data, len);
    free(data);
}

static int failing_sink(void *user, const void *data, size_t len, coras_error **err)
{
    (void)data;
    (void)len;
    int *left = user;
    return (*left)-- > 0 ? 0 : coras_fail(err, CORAS_ERR_NO_SPACE, "full");
}

static void a_failing_sink_ends_the_work(void **state)
{
    const size_t len = 20 * BLOCK;
    unsigned char *data = sample(len, len);
    (void)state;
    for (int writes = 0; writes < 4; writes++) {
        int left = writes;
        const coras_sink sink = {failing_sink, &left};
        coras_auto(coras_gzip) gz = NULL;
        coras_auto(coras_error) err = NULL;
        assert_ok(coras_gzip_new(2, &sink, &gz, &err), err);
        assert_failed(coras_gzip_write(gz, data, len, &err), err, CORAS_ERR_NO_SPACE, "full");
    }
    free(data);
}

/* ---- reading ---- */

static int gunzip(const coras_buf *in, size_t cap, coras_buf *out, coras_error **err)
{
    const coras_memory mem = {in->ptr, in->len};
    const coras_source source = coras_source_memory(&mem);
    coras_auto(coras_gunzip) gz = NULL;
    unsigned char buf[4096];
    size_t got;
    CORAS_TRY(coras_gunzip_new(&source, &gz, err));
    do {
        CORAS_TRY(coras_gunzip_read(gz, buf, cap, &got, err));
        coras_buf_put(out, buf, got);
    } while (got > 0);
    return 0;
}

static void reads_members_and_padding(void **state)
{
    static const char zeroes[300000];
    const size_t len = 3 * BLOCK;
    unsigned char *data = sample(len, BLOCK);
    coras_auto_buf in = CORAS_BUF_UNLIMITED, out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    (void)state;
    compress_with(1, len, data, 1000, &in);
    compress_with(1, len, data, 0, &in); /* an empty member */
    compress_with(1, len, data + 1000, len - 1000, &in);
    coras_buf_put(&in, zeroes, sizeof(zeroes));
    assert_ok(gunzip(&in, 1000, &out, &err), err);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.ptr, data, len);
    free(data);
}

static void refuses_what_is_not_whole(void **state)
{
    coras_auto_buf good = CORAS_BUF_UNLIMITED;
    (void)state;
    compress_with(1, 100, (const unsigned char *)"hello", 5, &good);
    for (size_t len = 0; len < good.len; len++) { /* cut anywhere */
        coras_auto_buf in = CORAS_BUF_UNLIMITED, out = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        coras_buf_put(&in, good.ptr, len);
        assert_failed(gunzip(&in, 100, &out, &err), err, CORAS_ERR_UNSAFE_ARCHIVE,
                      "unexpected EOF");
    }
    for (size_t bit = 0; bit < 8 * good.len; bit++) { /* any bit wrong: refused, or no matter */
        coras_auto_buf in = CORAS_BUF_UNLIMITED, out = CORAS_BUF_UNLIMITED;
        coras_buf_put(&in, good.ptr, good.len);
        in.ptr[bit / 8] ^= (char)(1 << bit % 8);
        int rc = gunzip(&in, 100, &out, NULL);
        if (rc == 0)
            assert_string_equal(out.ptr, "hello");
        else
            assert_int_equal(rc, CORAS_ERR_UNSAFE_ARCHIVE);
    }
}

static void refuses_other_bytes_after_the_end(void **state)
{
    static const struct {
        const char *tail;
        size_t len;
    } cases[] = {{"x", 1}, {"\0x", 2}, {"\x1f", 1}, {"\x1f\x8b\x07garbage..", 12}};
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf in = CORAS_BUF_UNLIMITED, out = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        compress_with(1, 100, (const unsigned char *)"hello", 5, &in);
        coras_buf_put(&in, cases[i].tail, cases[i].len);
        assert_failed(gunzip(&in, 100, &out, &err), err, CORAS_ERR_UNSAFE_ARCHIVE,
                      "trailing data after the gzip stream");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_around_the_block_survive),
        cmocka_unit_test(bytes_do_not_depend_on_threads_or_pieces),
        cmocka_unit_test(noise_hardly_grows),
        cmocka_unit_test(a_failing_sink_ends_the_work),
        cmocka_unit_test(reads_members_and_padding),
        cmocka_unit_test(refuses_what_is_not_whole),
        cmocka_unit_test(refuses_other_bytes_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
