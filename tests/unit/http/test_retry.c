#include "rows.h"
#include "http/retry.h"

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
        struct coras_retry_case c = {.attempt = 1, .method = "GET", .status = rows[i].status};
        assert_int_equal(coras_retry_decide(&c).again, rows[i].again);
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
        struct coras_retry_case c = {.attempt = rows[i].attempt,
                                     .method = rows[i].method,
                                     .error_code = rows[i].code,
                                     .error_retryable = rows[i].retryable};
        IN_ROW(rows[i].name);
        assert_int_equal(coras_retry_decide(&c).again, rows[i].again);
    }
}

static void attempts_end(void **state)
{
    struct coras_retry_case c = {.method = "PUT", .status = 500};

    (void)state;
    for (c.attempt = 1; c.attempt <= CORAS_RETRY_MAX; c.attempt++)
        assert_true(coras_retry_decide(&c).again);
    assert_false(coras_retry_decide(&c).again);
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
            struct coras_retry_case c = {.attempt = rows[i].attempt,
                                         .method = "GET",
                                         .status = rows[i].status,
                                         .random = randoms[k]};
            assert_in_range(coras_retry_decide(&c).wait_ms, rows[i].least, rows[i].most);
        }
    }
}

static void retry_after_is_obeyed(void **state)
{
    static const char *const date = "Tue, 24 Nov 2026 04:00:00 GMT";
    static const struct {
        const char *name, *retry_after;
        int status;
        int64_t waited_ms, wait_ms, asked_s; /* wait_ms -1: any back-off */
    } rows[] = {
        {"seconds", "2", 429, 0, 2000, 0},
        {"seconds on 503", "7", 503, 0, 7000, 0},
        {"ignored on 500", "7", 500, 0, -1, 0},
        {"date against the answer's own", "Tue, 24 Nov 2026 04:00:03 GMT", 429, 0, 3000, 0},
        {"date in the past", "Tue, 24 Nov 2026 03:00:00 GMT", 429, 0, -1, 0},
        {"zero", "0", 429, 0, -1, 0},
        {"negative", "-5", 429, 0, -1, 0},
        {"garbage", "soon", 429, 0, -1, 0},
        {"at the limit", "300", 429, 0, 300000, 0},
        {"one beyond", "301", 429, 0, 0, 301},
        {"beyond in sum", "200", 429, 150000, 0, 200},
        {"huge", "9223372036854775807", 429, 0, 0, INT64_MAX},
        {"beyond 64 bits", "9223372036854775808", 429, 0, -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct coras_retry_case c = {.attempt = 1,
                                     .method = "GET",
                                     .status = rows[i].status,
                                     .retry_after = rows[i].retry_after,
                                     .date = date,
                                     .waited_ms = rows[i].waited_ms};
        struct coras_retry_verdict v = coras_retry_decide(&c);
        IN_ROW(rows[i].name);
        assert_int_equal(v.asked_s, rows[i].asked_s);
        assert_int_equal(v.again, rows[i].asked_s == 0);
        if (rows[i].wait_ms >= 0)
            assert_int_equal(v.wait_ms, rows[i].wait_ms);
        else
            assert_in_range(v.wait_ms, 200, 5000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_are_judged),   cmocka_unit_test(errors_are_judged),
        cmocka_unit_test(attempts_end),          cmocka_unit_test(waits_grow_within_bounds),
        cmocka_unit_test(retry_after_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
