/* SPDX-License-Identifier: Apache-2.0 */
/* Inflating in pieces, up to a bound. */
#include "codec/inflate.h"

#include "rows.h"

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
    const char *what;
    enum coras_inflate_form form;
    const char *data;
    size_t len;
    int64_t limit;
    int rc;
    const char *out;
} cases[] = {
    {"raw", CORAS_INFLATE_RAW, BYTES("\xcb\x48\xcd\xc9\xc9\x07\x00"), 5, 1, "hello"},
    {"zlib", CORAS_INFLATE_ZLIB, BYTES("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"), 100,
     1, "hello"},
    {"gzip", CORAS_INFLATE_GZIP,
     BYTES("\x1f\x8b\x08\0\0\0\0\0\x02\xff\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\0\0\0"),
     100, 1, "hello"},
    {"bytes behind it", CORAS_INFLATE_RAW, BYTES("\xcb\x48\xcd\xc9\xc9\x07\x00more"), 100, 1,
     "hello"},
    {"not all of it", CORAS_INFLATE_RAW, BYTES("\xcb\x48\xcd\xc9"), 100, 0, "hel"},
    {"beyond the limit", CORAS_INFLATE_RAW, BYTES("\xcb\x48\xcd\xc9\xc9\x07\x00"), 4,
     CORAS_ERR_TOO_LARGE, NULL},
    {"no deflate", CORAS_INFLATE_RAW, BYTES("\xff\xff\xff"), 100, CORAS_ERR_UNSAFE_ARCHIVE, NULL},
};

static void inflates_up_to_its_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        for (size_t piece = 1; piece < 60; piece += 50) {
            coras_auto_buf out = CORAS_BUF_UNLIMITED;
            coras_auto(coras_inflate) z = NULL;
            coras_auto(coras_error) err = NULL;
            const coras_sink sink = coras_sink_buf(&out);
            int rc = 0;
            IN_ROW(cases[i].what);
            assert_ok(coras_inflate_new(cases[i].form, cases[i].limit, &sink, &z, &err), err);
            for (size_t at = 0; at < cases[i].len && rc == 0; at += piece) {
                size_t left = cases[i].len - at;
                rc = coras_inflate_feed(z, cases[i].data + at, left < piece ? left : piece, &err);
            }
            assert_int_equal(rc, cases[i].rc);
            assert_int_equal(coras_error_code(err), rc < 0 ? rc : 0);
            if (cases[i].out && rc > 0)
                assert_string_equal(out.ptr, cases[i].out);
        }
}

static int take_four(void *user, const void *data, size_t len, coras_error **err)
{
    (void)data;
    (void)err;
    *(size_t *)user += len;
    return *(size_t *)user >= 4 ? CORAS_SINK_STOP : 0;
}

static void the_sink_may_stop_it(void **state)
{
    coras_auto(coras_inflate) z = NULL;
    size_t taken = 0;
    const coras_sink sink = {take_four, &taken};
    (void)state;
    assert_ok(coras_inflate_new(CORAS_INFLATE_RAW, 100, &sink, &z, NULL), NULL);
    assert_int_equal(coras_inflate_feed(z, cases[0].data, cases[0].len, NULL), 1);
    assert_int_equal(coras_inflate_feed(z, "x", 1, NULL), 1);
    assert_true(taken >= 4 && taken <= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inflates_up_to_its_limit),
        cmocka_unit_test(the_sink_may_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
