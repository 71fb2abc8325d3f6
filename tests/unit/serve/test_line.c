/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of jobs: parties take turns, those that are late come last, and delays are kept. */
#include "serve/http/line.h"

#include "support.h"

#define NEVER INT64_MAX

static serve_job job_of(const char *party)
{
    return (serve_job){.party = party};
}

/* Whose job is next; NULL: nobody's. */
static const serve_job *next(serve_line *line, int64_t now_ms, struct serve_party **party)
{
    int64_t next_ms = NEVER;

    return serve_line_take(line, now_ms, party, &next_ms);
}

static void parties_take_turns(void **state)
{
    serve_line line = {.most = 9, .most_per_party = 9};
    serve_job a1 = job_of("a"), a2 = job_of("a"), a3 = job_of("a"), b1 = job_of("b");
    const serve_job *order[] = {&a1, &b1, &a2, &a3};
    struct serve_party *parties[4];

    (void)state;
    assert_true(serve_line_add(&line, &a1) && serve_line_add(&line, &a2) &&
                serve_line_add(&line, &a3) && serve_line_add(&line, &b1));
    assert_int_equal(line.waiting, 4);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(next(&line, 0, &parties[i]), order[i]);
    assert_int_equal(line.running, 4);
    for (size_t i = 0; i < 4; i++)
        serve_line_done(&line, parties[i]);
    assert_null(line.parties);
}

static void nobody_has_more_than_a_share(void **state)
{
    serve_line line = {.most = 2, .most_per_party = 1};
    serve_job a1 = job_of("a"), a2 = job_of("a"), b1 = job_of("b"), c1 = job_of("c");
    struct serve_party *a, *b, *c;

    (void)state;
    assert_true(serve_line_add(&line, &a1) && serve_line_add(&line, &a2));
    assert_ptr_equal(next(&line, 0, &a), &a1);
    assert_null(next(&line, 0, &b));
    assert_true(serve_line_add(&line, &b1) && serve_line_add(&line, &c1));
    assert_ptr_equal(next(&line, 0, &b), &b1);
    assert_null(next(&line, 0, &c));
    serve_line_done(&line, a);
    assert_ptr_equal(next(&line, 0, &a), &a2);
    serve_line_done(&line, b);
    assert_ptr_equal(next(&line, 0, &c), &c1);
    serve_line_done(&line, a);
    serve_line_done(&line, c);
}

static void delays_are_kept_and_the_late_come_last(void **state)
{
    serve_line line = {.most = 9, .most_per_party = 9};
    serve_job guess = job_of("a"), good = job_of("b");
    struct serve_party *party;
    int64_t next_ms = NEVER;

    (void)state;
    guess.not_before_ms = 100;
    guess.is_late = true;
    assert_true(serve_line_add(&line, &guess));
    assert_null(serve_line_take(&line, 99, &party, &next_ms));
    assert_int_equal(next_ms, 100);
    assert_true(serve_line_add(&line, &good));
    assert_ptr_equal(next(&line, 100, &party), &good);
    serve_line_done(&line, party);
    assert_ptr_equal(next(&line, 100, &party), &guess);
    serve_line_done(&line, party);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parties_take_turns),
        cmocka_unit_test(nobody_has_more_than_a_share),
        cmocka_unit_test(delays_are_kept_and_the_late_come_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
