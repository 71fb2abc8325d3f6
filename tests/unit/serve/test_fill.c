/* SPDX-License-Identifier: Apache-2.0 */
/* Fills: what readers may have, how long is waited for an upstream, and which lies are remembered.
 */
#include "serve/proxy/fill.h"

#include <sys/resource.h>
#include <unistd.h>
#include "base/error.h"
#include "base/fs.h"
#include "serve/proxy/partial.h"
#include "serve/proxy/patience.h"
#include "serve/proxy/refused.h"
#include "scratch.h"
#include "support.h"

#define HELD SERVE_FILL_HELD_BACK

static void the_end_is_held_back(void **state)
{
    static const struct {
        enum serve_fill_state state;
        int64_t got, size, limit;
    } cases[] = {
        {SERVE_FILL_RUNNING, 0, -1, 0},
        {SERVE_FILL_RUNNING, 1000, 10 * HELD, 1000},
        {SERVE_FILL_RUNNING, 10 * HELD - 1, 10 * HELD, 9 * HELD},
        {SERVE_FILL_RUNNING, 10 * HELD, 10 * HELD, 9 * HELD},
        {SERVE_FILL_FAILED, 10 * HELD, 10 * HELD, 9 * HELD},
        {SERVE_FILL_RUNNING, 10, 10, 0},
        {SERVE_FILL_RUNNING, 3 * HELD, -1, 2 * HELD},
        {SERVE_FILL_RUNNING, HELD / 2, -1, 0},
        {SERVE_FILL_DONE, 10, 10, 10},
        {SERVE_FILL_DONE, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(serve_fill_limit(cases[i].state, cases[i].got, cases[i].size),
                         cases[i].limit);
}

static coras_error *failure(int code, int status, bool retryable, int64_t asked_s)
{
    coras_error *err = NULL;

    (void)coras_fail(&err, code, "x");
    if (status)
        coras_error_set_http(&err, status, "h", "x", NULL);
    coras_error_set_retryable(&err, retryable);
    if (asked_s > 0)
        coras_error_set_retry_after_s(&err, asked_s);
    return err;
}

static void patience_has_an_end(void **state)
{
    coras_auto(coras_error) cut = failure(CORAS_ERR_CONNECT, 0, true, 0);
    struct serve_patience p = {.since_ms = 1000};
    int64_t wait_ms = 0;

    (void)state;
    assert_int_equal(serve_patience_decide(&p, 1000, cut, false, &wait_ms), SERVE_PATIENCE_AGAIN);
    assert_int_equal(wait_ms, 200);
    assert_int_equal(serve_patience_decide(&p, 1200, cut, false, &wait_ms), SERVE_PATIENCE_AGAIN);
    assert_int_equal(wait_ms, 400);
    assert_int_equal(serve_patience_decide(&p, 3900, cut, false, &wait_ms), SERVE_PATIENCE_OVER);
    serve_patience_moved(&p, 5000);
    assert_int_equal(serve_patience_decide(&p, 24000, cut, true, &wait_ms), SERVE_PATIENCE_AGAIN);
    assert_int_equal(serve_patience_decide(&p, 24900, cut, true, &wait_ms), SERVE_PATIENCE_OVER);
}

static void what_passes_is_waited_for(void **state)
{
    static const struct {
        int code, status;
        bool retryable;
        int64_t asked_s;
        bool was_part;
        enum serve_patience_verdict verdict;
        int64_t wait_ms;
    } cases[] = {
        {CORAS_ERR_HTTP, 500, false, 0, true, SERVE_PATIENCE_AGAIN, 200},
        {CORAS_ERR_RATE_LIMITED, 429, false, 7, true, SERVE_PATIENCE_AGAIN, 7000},
        {CORAS_ERR_HTTP, 503, false, 60, true, SERVE_PATIENCE_AGAIN, 60000},
        {CORAS_ERR_HTTP, 503, false, 61, true, SERVE_PATIENCE_OVER, 61000},
        {CORAS_ERR_NOT_FOUND, 404, false, 0, true, SERVE_PATIENCE_OVER, 0},
        {CORAS_ERR_UNAUTHORIZED, 401, false, 0, true, SERVE_PATIENCE_OVER, 0},
        {CORAS_ERR_RANGE, 0, false, 0, true, SERVE_PATIENCE_WHOLE, 0},
        {CORAS_ERR_RANGE, 0, false, 0, false, SERVE_PATIENCE_OVER, 0},
        {CORAS_ERR_NO_SPACE, 0, false, 0, true, SERVE_PATIENCE_OVER, 0},
        {CORAS_ERR_CANCELLED, 0, true, 0, true, SERVE_PATIENCE_OVER, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err =
            failure(cases[i].code, cases[i].status, cases[i].retryable, cases[i].asked_s);
        struct serve_patience p = {.since_ms = 100, .has_flowed = true};
        int64_t wait_ms = 0;
        assert_int_equal(serve_patience_decide(&p, 200, err, cases[i].was_part, &wait_ms),
                         cases[i].verdict);
        assert_int_equal(wait_ms, cases[i].wait_ms);
    }
}

static void a_wish_does_not_end_patience_but_wishes_do(void **state)
{
    coras_auto(coras_error) busy = failure(CORAS_ERR_RATE_LIMITED, 429, false, 30);
    struct serve_patience p = {.has_flowed = true};
    int64_t now_ms = 0, wait_ms = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(serve_patience_decide(&p, now_ms, busy, true, &wait_ms),
                         SERVE_PATIENCE_AGAIN);
        now_ms += wait_ms;
    }
    assert_int_equal(serve_patience_decide(&p, now_ms, busy, true, &wait_ms), SERVE_PATIENCE_OVER);
}

static void a_window_waits_for_those_who_move(void **state)
{
    static serve_window w = {.kept = 100};
    static char data[2 * 1000], back[sizeof(data)];
    serve_follower slow = {.position = 0}, fast = {.next = &slow};
    int64_t got = 100;

    (void)state;
    assert_int_equal(serve_window_room(&w, got, NULL), SERVE_WINDOW_BYTES);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7);
    while (serve_window_room(&w, got, &fast) >= sizeof(data)) {
        serve_window_put(&w, got, data, sizeof(data));
        got += (int64_t)sizeof(data);
        fast.position = got;
    }
    assert_int_equal(serve_window_first(&w, got), 100);
    assert_int_equal(serve_window_room(&w, got, &fast), SERVE_WINDOW_BYTES - (got - 100));
    serve_window_leave_behind(&w, got, &fast);
    assert_false(slow.is_behind);
    serve_window_put(&w, got, data, sizeof(data) / 2); /* around the end of the ring */
    got = 100 + SERVE_WINDOW_BYTES;
    serve_window_leave_behind(&w, got, &fast);
    assert_true(slow.is_behind);
    assert_false(fast.is_behind);
    assert_int_equal(serve_window_room(&w, got, &slow), 0);
    assert_int_equal(serve_window_room(&w, fast.position, &fast), SERVE_WINDOW_BYTES);
    serve_window_copy(&w, fast.position, back, sizeof(data) / 2);
    assert_memory_equal(back, data, sizeof(data) / 2);
}

static void lies_are_remembered_for_a_minute(void **state)
{
    static serve_refused r;
    coras_digest digest = {.algorithm = CORAS_SHA256}, other = digest;
    int upstream = 0;

    (void)state;
    other.bytes[0] = 1;
    serve_refused_note(&r, &digest, &upstream, 1000);
    assert_false(serve_refused_has(&r, &digest, &upstream, 1000));
    serve_refused_note(&r, &digest, &upstream, 2000);
    assert_true(serve_refused_has(&r, &digest, &upstream, 2000));
    assert_false(serve_refused_has(&r, &other, &upstream, 2000));
    assert_false(serve_refused_has(&r, &digest, &r, 2000));
    for (unsigned i = 0; i < SERVE_REFUSED_MAX - 1; i++) {
        other.bytes[1] = (unsigned char)i;
        serve_refused_note(&r, &other, &upstream, 3000);
    }
    assert_true(serve_refused_has(&r, &digest, &upstream, 3000));
    other.bytes[1] = 255;
    serve_refused_note(&r, &other, &upstream, 3000); /* takes the oldest one's place */
    assert_false(serve_refused_has(&r, &digest, &upstream, 3000));
    serve_refused_note(&r, &digest, &upstream, 4000);
    serve_refused_note(&r, &digest, &upstream, 4000);
    assert_false(serve_refused_has(&r, &digest, &upstream, 4000 + SERVE_REFUSED_MS));
}

static bool has_tail(int fd, int64_t length)
{
    coras_gaps missing;
    int64_t size;

    return serve_partial_read_tail(fd, length, &size, &missing);
}

static void a_file_says_what_is_missing_of_it(void **state)
{
    coras_auto_fd fd = -1;
    coras_gaps missing = {.len = 0}, found;
    int64_t size = 0, length;

    (void)state;
    assert_int_equal(coras_tmpfile(NULL, &fd, NULL), 0);
    assert_false(has_tail(fd, 0));
    coras_gaps_add(&missing, 100, 200);
    coras_gaps_add(&missing, 300, 1000);
    assert_int_equal(serve_partial_write_tail(fd, 1000, &missing, NULL), 0);
    length = lseek(fd, 0, SEEK_END);
    assert_true(serve_partial_read_tail(fd, length, &size, &found));
    assert_int_equal(size, 1000);
    assert_int_equal(found.len, 2);
    assert_int_equal(found.items[1].start, 300);
    assert_int_equal(coras_gaps_sum(&found), 800);
    /* one of another length, or cut off, or with parts that cannot be, is none */
    assert_false(has_tail(fd, length - 1));
    assert_int_equal(ftruncate(fd, length + 1), 0);
    assert_false(has_tail(fd, length + 1));
    missing.items[1].end = 1001;
    assert_int_equal(serve_partial_write_tail(fd, 1000, &missing, NULL), 0);
    assert_false(has_tail(fd, length));
}

/* A large blob of which little has come out of turn must not cost others their place. */
static void only_what_is_there_takes_room(void **state)
{
    coras_auto_fd directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const serve_blob_store store = {.uploads_fd = directory};
    const coras_digest digest = {.algorithm = CORAS_SHA256};
    coras_auto_fd fd = -1;
    coras_gaps missing = {.len = 0};
    int64_t length = 0, size = 1024LL * CORAS_MIB;

    (void)state;
    assert_int_equal(serve_partial_open(&store, &digest, &fd, &length, NULL), 0);
    assert_int_equal(serve_partials_bytes(&store), 0);
    assert_int_equal(coras_pwrite_full(fd, "bytes", 5, 0, NULL), 0);
    assert_int_equal(serve_partials_bytes(&store), 5);
    coras_gaps_add(&missing, 5, size);
    assert_int_equal(serve_partial_write_tail(fd, size, &missing, NULL), 0);
    assert_in_range(serve_partials_bytes(&store), 6, CORAS_MIB);
}

static void assert_length(const serve_blob_store *store, int64_t expected)
{
    const coras_digest digest = {.algorithm = CORAS_SHA256};
    coras_auto_fd fd = -1;
    int64_t length = -1;

    assert_int_equal(serve_partial_open(store, &digest, &fd, &length, NULL), 0);
    assert_int_equal(length, expected);
}

/* What was fetched before is not lost because a descriptor is missing. */
static void what_cannot_be_opened_now_stays(void **state)
{
    coras_auto_fd directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const serve_blob_store store = {.uploads_fd = directory};
    const coras_digest digest = {.algorithm = CORAS_SHA256};
    char name[SERVE_PARTIAL_NAME_MAX];
    struct rlimit before, none;
    coras_auto_fd fd = -1;
    int64_t length = 0;

    (void)state;
    put_text(serve_partial_name(&digest, name), "bytes");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_true(serve_partial_open(&store, &digest, &fd, &length, NULL) < 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_length(&store, 5);
}

static void what_is_not_ours_gives_way(void **state)
{
    coras_auto_fd directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const serve_blob_store store = {.uploads_fd = directory};
    const coras_digest digest = {.algorithm = CORAS_SHA256};
    char name[SERVE_PARTIAL_NAME_MAX];

    (void)state;
    put_text("theirs", "theirs");
    assert_int_equal(symlink("theirs", serve_partial_name(&digest, name)), 0);
    assert_length(&store, 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(link("theirs", name), 0);
    assert_length(&store, 0);
    assert_text("theirs", "theirs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_held_back),
        cmocka_unit_test(patience_has_an_end),
        cmocka_unit_test(what_passes_is_waited_for),
        cmocka_unit_test(a_wish_does_not_end_patience_but_wishes_do),
        cmocka_unit_test(a_window_waits_for_those_who_move),
        cmocka_unit_test(lies_are_remembered_for_a_minute),
        cmocka_unit_test(a_file_says_what_is_missing_of_it),
        SCRATCH_TEST(only_what_is_there_takes_room),
        SCRATCH_TEST(what_cannot_be_opened_now_stays),
        SCRATCH_TEST(what_is_not_ours_gives_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
