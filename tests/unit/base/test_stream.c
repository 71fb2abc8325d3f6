/* SPDX-License-Identifier: Apache-2.0 */
/* Sources over memory and files, sinks into buffers. */
#include "base/fs.h"
#include "base/stream.h"

#include "support.h"

static void read_whole(const coras_source *source, size_t piece, coras_buf *out)
{
    char buf[16];
    size_t n = 0;

    assert_true(piece <= sizeof(buf));
    for (int64_t at = 0; at < source->size; at += (int64_t)n) {
        assert_ok(source->read_at(source->user, buf, piece, at, &n, NULL), NULL);
        assert_true(n >= 1 && n <= piece);
        coras_buf_put(out, buf, n);
    }
}

static void sources_give_their_bytes(void **state)
{
    static const char text[] = "0123456789";
    coras_memory mem = {text, 10};
    coras_file_bytes file = {-1, "f"};
    coras_auto_fd fd = -1;

    (void)state;
    assert_ok(coras_tmpfile(NULL, &fd, NULL), NULL);
    assert_ok(coras_write_full(fd, text, 10, NULL), NULL);
    file.fd = fd;
    coras_source sources[] = {coras_source_memory(&mem), coras_source_file(&file, 10)};
    for (size_t i = 0; i < CORAS_ARRAY_LEN(sources); i++) {
        for (size_t piece = 1; piece <= 11; piece += 5) {
            coras_auto_buf out = CORAS_BUF_UNLIMITED;
            assert_int_equal(sources[i].size, 10);
            read_whole(&sources[i], piece, &out);
            assert_string_equal(out.ptr, text);
        }
    }
}

static void a_file_that_shrinks_is_noticed(void **state)
{
    coras_auto(coras_error) err = NULL;
    coras_file_bytes file = {-1, "f"};
    coras_auto_fd fd = -1;
    char buf[4];
    size_t n;

    (void)state;
    assert_ok(coras_tmpfile(NULL, &fd, NULL), NULL);
    assert_ok(coras_write_full(fd, "abc", 3, NULL), NULL);
    file.fd = fd;
    coras_source source = coras_source_file(&file, 5);
    assert_ok(source.read_at(source.user, buf, 4, 0, &n, NULL), NULL);
    assert_int_equal(n, 3);
    assert_failed(source.read_at(source.user, buf, 4, 3, &n, &err), err, CORAS_ERR_CHANGED,
                  "f: file became shorter while it was read");
}

static void a_sink_respects_the_limit_of_its_buffer(void **state)
{
    coras_auto_buf b = CORAS_BUF_INIT(5);
    coras_sink sink = coras_sink_buf(&b);
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_ok(sink.write(sink.user, "abcde", 5, NULL), NULL);
    assert_failed(sink.write(sink.user, "f", 1, &err), err, CORAS_ERR_TOO_LARGE, NULL);
    assert_string_equal(b.ptr, "abcde");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_give_their_bytes),
        cmocka_unit_test(a_file_that_shrinks_is_noticed),
        cmocka_unit_test(a_sink_respects_the_limit_of_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
