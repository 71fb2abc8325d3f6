/* SPDX-License-Identifier: Apache-2.0 */
/* What is tried again, how often and how soon. */
#include "rows.h"
#include "base/limits.h"
#include "base/retry.h"
#include "base/str.h"

static void statuses_are_judged(void **state)
{
    static const struct {
        int status;
        bool again;
    } rows[] = {
        {400, false}, {401, false}, {403, false}, {404, false}, {407, false}, {408, true},
        {409, false}, {413, false}, {425, true},  {429, true},  {500, true},  {501, false},
        {502, true},  {503, true},  {504, true},  {505, false}, {507, false}, {519, false},
        {520, true},  {527, true},  {528, false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_retry r = {0};
        struct coras_retry_case c = {.method = "GET", .status = rows[i].status};
        assert_int_equal(coras_retry_decide(&r, &c).again, rows[i].again);
    }
}

static void errors_are_judged(void **state)
{
    static const struct {
        const char *name, *method;
        int code, attempt;
        bool retryable, again;
    } rows[] = {
        {"refused connection", "HEAD", CORAS_ERR_CONNECT, 1, true, true},
        {"refused the fourth time", "HEAD", CORAS_ERR_CONNECT, 4, true, true},
        {"refused the fifth time", "HEAD", CORAS_ERR_CONNECT, 5, true, false},
        {"unknown host", "HEAD", CORAS_ERR_CONNECT, 1, false, false},
        {"certificate", "GET", CORAS_ERR_TLS, 1, false, false},
        {"stall", "GET", CORAS_ERR_TIMEOUT, 2, true, true},
        {"third stall", "GET", CORAS_ERR_TIMEOUT, 3, true, false},
        {"cancelled", "GET", CORAS_ERR_CANCELLED, 1, false, false},
        {"patch is never sent again", "PATCH", CORAS_ERR_CONNECT, 1, true, false},
        {"put is", "PUT", CORAS_ERR_CONNECT, 1, true, true},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_retry r = {.failures = rows[i].attempt - 1};
        struct coras_retry_case c = {.method = rows[i].method,
                                     .error_code = rows[i].code,
                                     .error_retryable = rows[i].retryable};
        IN_ROW(rows[i].name);
        assert_int_equal(coras_retry_decide(&r, &c).again, rows[i].again);
    }
}

/* How often each kind of thing is tried when nothing moves. */
static void attempts_end(void **state)
{
    static const struct {
        enum coras_retried what;
        int most;
    } rows[] = {
        {CORAS_RETRY_REQUEST, 5}, {CORAS_RETRY_DOWNLOAD, 5}, {CORAS_RETRY_HELPER, 3},
        {CORAS_RETRY_UPLOAD, 10}, {CORAS_RETRY_SETTLING, 3},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_retry r = {.what = rows[i].what};
        struct coras_retry_case c = {.status = 500, .error_retryable = true};
        for (int n = 0; n < rows[i].most; n++)
            assert_true(coras_retry_decide(&r, &c).again);
        assert_false(coras_retry_decide(&r, &c).again);
    }
}

static void progress_begins_the_count_again(void **state)
{
    coras_retry r = {.what = CORAS_RETRY_DOWNLOAD};
    struct coras_retry_case stuck = {.error_retryable = true, .asked_s = 100};
    struct coras_retry_case moved = {.error_retryable = true, .asked_s = 100, .progress = true};

    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_true(coras_retry_decide(&r, &moved).again);
        assert_int_equal(r.failures, 1);
        assert_true(coras_retry_decide(&r, &stuck).again);
        assert_true(coras_retry_decide(&r, &stuck).again);
        assert_false(coras_retry_decide(&r, &stuck).again); /* 400 s of waiting without a byte */
    }
}

static void helpers_leave_a_busy_server_to_others(void **state)
{
    coras_retry r = {.what = CORAS_RETRY_HELPER};
    struct coras_retry_case c = {.error_retryable = true, .asked_s = 1};

    (void)state;
    assert_false(coras_retry_decide(&r, &c).again);
}

static void waits_grow_within_bounds(void **state)
{
    static const struct {
        int status, attempt;
        int64_t least, most;
    } rows[] = {
        {500, 1, 200, 250},   {500, 2, 250, 500},  {500, 3, 500, 1000},  {500, 4, 1000, 2000},
        {500, 5, 2000, 4000}, {429, 1, 500, 1000}, {429, 4, 2500, 5000}, {429, 5, 2500, 5000},
    };
    static const uint32_t randoms[] = {0, 1, 77, UINT32_MAX / 2, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < CORAS_ARRAY_LEN(randoms); k++) {
            coras_retry r = {.failures = rows[i].attempt - 1};
            struct coras_retry_case c = {
                .method = "GET", .status = rows[i].status, .random = randoms[k]};
            assert_in_range(coras_retry_decide(&r, &c).wait_ms, rows[i].least, rows[i].most);
        }
    }
}

static void what_is_asked_is_obeyed(void **state)
{
    static const struct {
        const char *name;
        int64_t asked_s, waited_ms;
        bool again;
        int64_t wait_ms; /* -1: any back-off */
    } rows[] = {
        {"nothing", -1, 0, true, -1},
        {"zero", 0, 0, true, -1},
        {"seconds", 2, 0, true, 2000},
        {"at the limit", CORAS_LIMIT_RETRY_AFTER_S, 0, true, CORAS_LIMIT_RETRY_AFTER_S * 1000},
        {"one beyond", CORAS_LIMIT_RETRY_AFTER_S + 1, 0, false, 0},
        {"beyond in sum", 200, 150000, false, 0},
        {"huge", INT64_MAX, 0, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_retry r = {.waited_ms = rows[i].waited_ms};
        struct coras_retry_case c = {.method = "GET", .status = 429, .asked_s = rows[i].asked_s};
        struct coras_retry_verdict v = coras_retry_decide(&r, &c);
        IN_ROW(rows[i].name);
        assert_int_equal(v.again, rows[i].again);
        if (rows[i].wait_ms >= 0)
            assert_int_equal(v.wait_ms, rows[i].wait_ms);
        else
            assert_in_range(v.wait_ms, 200, 5000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_are_judged),
        cmocka_unit_test(errors_are_judged),
        cmocka_unit_test(attempts_end),
        cmocka_unit_test(progress_begins_the_count_again),
        cmocka_unit_test(helpers_leave_a_busy_server_to_others),
        cmocka_unit_test(waits_grow_within_bounds),
        cmocka_unit_test(what_is_asked_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
