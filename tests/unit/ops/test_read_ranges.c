/* SPDX-License-Identifier: Apache-2.0 */
/* Many parts of several files: which requests they cost, where their bytes end up, what is
 * verified. */
#include "coras/read.h"

#include <pthread.h>
#include <stdio.h>

#include "content.h"
#include "memory_target.h"

/* The memory target, seen through a table that notes what is asked for and breaks as told. */
static struct {
    const coras_target_ops *real;
    coras_target_ops ops;
    pthread_mutex_t lock;
    char log[1024]; /* under lock: "<first byte of the file>:<offset>+<length>" each */
    int cuts;       /* under lock: so many requests end after one byte */
} spy = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int one_byte(void *user, const void *data, size_t len, coras_error **err)
{
    const coras_sink *sink = user;
    int rc = sink->write(sink->user, data, len > 0, err);

    if (rc < 0)
        return rc;
    (void)coras_fail(err, CORAS_ERR_CONNECT, "cut");
    coras_error_set_retryable(err, true);
    return CORAS_ERR_CONNECT;
}

static int spy_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset, int64_t length,
                     const coras_sink *sink, coras_error **err)
{
    const coras_sink short_sink = {one_byte, (void *)(uintptr_t)sink};

    (void)pthread_mutex_lock(&spy.lock);
    size_t at = strlen(spy.log);
    (void)snprintf(spy.log + at, sizeof(spy.log) - at, "%s%lld:%lld+%lld", at ? " " : "",
                   (long long)desc->size, (long long)offset, (long long)length);
    bool cut = spy.cuts-- > 0;
    (void)pthread_mutex_unlock(&spy.lock);
    return spy.real->fetch(t, desc, offset, length, cut ? &short_sink : sink, err);
}

static coras_target *open_spied(void)
{
    coras_target *t = NULL;

    assert_ok(coras_memory_target_new(&t, NULL), NULL);
    spy.real = t->ops;
    spy.ops = *t->ops;
    spy.ops.fetch = spy_fetch;
    t->ops = &spy.ops;
    spy.log[0] = '\0';
    spy.cuts = 0;
    return t;
}

static coras_descriptor put(coras_target *t, const char *text)
{
    assert_true(push_text(t, text, NULL) >= 0);
    return describe(CORAS_MT_OCTET_STREAM, text);
}

static const coras_run_options one_at_a_time = {.size = sizeof(one_at_a_time), .concurrency = 1};

struct told {
    const coras_range_read *ranges[8];
    size_t count;
};

static void note(const coras_range_read *range, void *user)
{
    struct told *told = user;

    assert_true(told->count < CORAS_ARRAY_LEN(told->ranges));
    told->ranges[told->count++] = range;
}

static void neighbours_share_a_request_and_files_keep_their_order(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_spied();
    coras_auto_value(coras_descriptor) a = put(t, "0123456789");
    coras_auto_value(coras_descriptor) b = put(t, "abcdefghijklmnopqrst");
    struct told told = {.count = 0};
    coras_read_options options = CORAS_READ_OPTIONS_INIT;
    char buf[5][8] = {{0}};
    coras_range_read ranges[] = {
        {.desc = &b, .offset = 17, .length = 2, .buffer = buf[0]},
        {.desc = &a, .offset = 6, .length = 2, .buffer = buf[1]},
        {.desc = &b, .offset = 1, .length = 3, .buffer = buf[2]},
        {.desc = &a, .offset = 2, .length = 2, .buffer = buf[3]},
        {.desc = &a, .offset = 3, .length = 4, .buffer = buf[4]},
    };

    options.gap = 3;
    options.on_range = note;
    options.user = &told;
    assert_ok(coras_read_ranges(t, ranges, 5, &options, &one_at_a_time, NULL), NULL);
    assert_string_equal(spy.log, "20:1+3 20:17+2 10:2+6");
    assert_string_equal(buf[0], "rs");
    assert_string_equal(buf[1], "67");
    assert_string_equal(buf[2], "bcd");
    assert_string_equal(buf[3], "23");
    assert_string_equal(buf[4], "3456");
    assert_int_equal(told.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_false(ranges[i].verified);
}

static void a_gap_of_a_mebibyte_is_bridged_unless_told_otherwise(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_spied();
    coras_auto_value(coras_descriptor) a = put(t, "0123456789");
    coras_read_options apart = CORAS_READ_OPTIONS_INIT;
    char buf[2] = {0};
    coras_range_read ranges[] = {{.desc = &a, .offset = 0, .length = 1, .buffer = &buf[0]},
                                 {.desc = &a, .offset = 9, .length = 1, .buffer = &buf[1]}};

    apart.gap = -1;
    assert_ok(coras_read_ranges(t, ranges, 2, NULL, &one_at_a_time, NULL), NULL);
    assert_string_equal(spy.log, "10:0+10");
    spy.log[0] = '\0';
    assert_ok(coras_read_ranges(t, ranges, 2, &apart, &one_at_a_time, NULL), NULL);
    assert_string_equal(spy.log, "10:0+1 10:9+1");
}

static void what_is_cut_goes_on(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_spied();
    coras_auto_value(coras_descriptor) a = put(t, "0123456789");
    char buf[8] = {0};
    coras_range_read range = {.desc = &a, .offset = 2, .length = 6, .buffer = buf};

    spy.cuts = 1;
    assert_ok(coras_read_ranges(t, &range, 1, NULL, NULL, NULL), NULL);
    assert_string_equal(buf, "234567");
    assert_string_equal(spy.log, "10:2+6 10:3+5");
}

/* Overlapping and out of order. */
static void a_file_that_is_read_whole_is_verified(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_spied();
    coras_auto_value(coras_descriptor) a = put(t, "0123456789");
    coras_auto_value(coras_descriptor) lie = describe(CORAS_MT_OCTET_STREAM, "9876543210");
    char buf[3][8];
    coras_range_read ranges[] = {{.desc = &a, .offset = 4, .length = 6, .buffer = buf[0]},
                                 {.desc = &a, .offset = 0, .length = 5, .buffer = buf[1]},
                                 {.desc = &a, .offset = 1, .length = 2, .buffer = buf[2]}};

    assert_ok(coras_read_ranges(t, ranges, 3, NULL, NULL, NULL), NULL);
    for (size_t i = 0; i < 3; i++)
        assert_true(ranges[i].verified);

    lie.data = coras_strdup("0123456789"); /* what a registry might send */
    lie.data_len = 10;
    for (size_t i = 0; i < 3; i++)
        ranges[i].desc = &lie;
    assert_int_equal(coras_read_ranges(t, ranges, 3, NULL, NULL, NULL), CORAS_ERR_DIGEST_MISMATCH);
    assert_ok(coras_read_ranges(t, ranges + 1, 2, NULL, NULL, NULL), NULL);
    assert_false(ranges[1].verified);
}

static void ranges_outside_of_the_file_are_refused(void **state)
{
    static const struct {
        int64_t offset;
        size_t length;
        int rc;
    } cases[] = {{10, 0, 0},
                 {0, 10, 0},
                 {0, 11, CORAS_ERR_INVALID_ARGUMENT},
                 {11, 0, CORAS_ERR_INVALID_ARGUMENT},
                 {-1, 1, CORAS_ERR_INVALID_ARGUMENT},
                 {1, SIZE_MAX, CORAS_ERR_INVALID_ARGUMENT}};
    char buf[10];

    (void)state;
    coras_auto(coras_target) t = open_spied();
    coras_auto_value(coras_descriptor) a = put(t, "0123456789");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_range_read range = {
            .desc = &a, .offset = cases[i].offset, .length = cases[i].length, .buffer = buf};
        assert_int_equal(coras_read_ranges(t, &range, 1, NULL, NULL, NULL), cases[i].rc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_share_a_request_and_files_keep_their_order),
        cmocka_unit_test(a_gap_of_a_mebibyte_is_bridged_unless_told_otherwise),
        cmocka_unit_test(what_is_cut_goes_on),
        cmocka_unit_test(a_file_that_is_read_whole_is_verified),
        cmocka_unit_test(ranges_outside_of_the_file_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
