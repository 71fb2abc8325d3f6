/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the public functions add to a target's verbs: verification, resuming, limits.
 */
#include "support.h"
#include "base/str.h"
#include "target/target.h"

#define CONTENT      "0123456789"
#define CONTENT_SIZE 10

/* A target whose fetch goes wrong in a prepared way. */
struct flaky {
    coras_target base;
    const char *content;
    int cut_after; /* bytes of each try; -1: no cut */
    bool ranges;
    int fetches, wrong_fetches; /* so many first tries give other bytes */
};

static int flaky_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset,
                       int64_t length, const coras_sink *sink, coras_error **err)
{
    struct flaky *f = (struct flaky *)t;
    char other[] = "9876543210";

    (void)length;
    f->fetches++;
    if (offset > 0 && !f->ranges)
        return coras_fail(err, CORAS_ERR_RANGE, "no ranges");
    const char *from = f->wrong_fetches-- > 0 ? other : f->content;
    int64_t end = (int64_t)strlen(from);
    if (f->cut_after >= 0 && offset + f->cut_after < end)
        end = offset + f->cut_after;
    for (int64_t i = offset; i < end; i++) {
        int rc = sink->write(sink->user, from + i, 1, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    if (end >= desc->size)
        return 0;
    coras_fail(err, CORAS_ERR_CONNECT, "cut");
    coras_error_set_retryable(err, true);
    return CORAS_ERR_CONNECT;
}

static const coras_target_ops flaky_ops = {.kind = "flaky", .fetch = flaky_fetch};

static void describe(coras_descriptor *d, int64_t size)
{
    coras_digest digest;

    assert_int_equal(coras_digest_of(CORAS_SHA256, CONTENT, CONTENT_SIZE, &digest, NULL), 0);
    assert_int_equal(coras_descriptor_set(d, "a/b", &digest, size, NULL), 0);
}

static void content_arrives_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *name, *content;
        int cut_after;
        bool ranges;
        int wrong_fetches;
        int64_t size;
        size_t limit;
        int rc;
        int fetches;
    } rows[] = {
        {"plain", CONTENT, -1, true, 0, 10, 10, 0, 1},
        {"cut once", CONTENT, 6, true, 0, 10, 10, 0, 2},
        {"cut at every third byte", CONTENT, 3, true, 0, 10, 10, 0, 4},
        {"cut, resumed without ranges is the same bytes again", CONTENT, 10, false, 0, 10, 10, 0,
         1},
        {"no progress", CONTENT, 0, true, 0, 10, 10, CORAS_ERR_CONNECT, 6},
        {"longer", CONTENT "x", -1, true, 0, 10, 10, CORAS_ERR_SIZE_MISMATCH, 1},
        {"other bytes once", CONTENT, -1, true, 1, 10, 10, 0, 2},
        {"other bytes always", CONTENT, -1, true, 9, 10, 10, CORAS_ERR_DIGEST_MISMATCH, 2},
        {"over the limit", CONTENT, -1, true, 0, 10, 9, CORAS_ERR_TOO_LARGE, 0},
        {"negative size", CONTENT, -1, true, 0, -1, 9, CORAS_ERR_INVALID_ARGUMENT, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct flaky f = {
            {&flaky_ops},         rows[i].content, rows[i].cut_after, rows[i].ranges, 0,
            rows[i].wrong_fetches};
        coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
        coras_auto_free char *bytes = NULL;
        describe(&d, CONTENT_SIZE);
        d.size = rows[i].size;
        int rc = coras_fetch_bytes(&f.base, &d, rows[i].limit, &bytes, NULL);
        if (rc != rows[i].rc || f.fetches != rows[i].fetches)
            fail_msg("%s: %d after %d fetches", rows[i].name, rc, f.fetches);
        if (rc == 0)
            assert_string_equal(bytes, CONTENT);
    }
}

/* Cuts the first try after six bytes, then serves everything. */
static int cut_then_whole(coras_target *t, const coras_descriptor *desc, int64_t offset,
                          int64_t length, const coras_sink *sink, coras_error **err)
{
    struct flaky *f = (struct flaky *)t;

    f->cut_after = f->fetches == 0 ? 6 : -1;
    return flaky_fetch(t, desc, offset, length, sink, err);
}

static void a_target_without_ranges_starts_over_unnoticed(void **state)
{
    static const coras_target_ops ops = {.kind = "flaky", .fetch = cut_then_whole};
    struct flaky f = {.base = {&ops}, .content = CONTENT, .ranges = false};
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;

    (void)state;
    describe(&d, CONTENT_SIZE);
    assert_int_equal(coras_fetch_bytes(&f.base, &d, 100, &bytes, NULL), 0);
    assert_string_equal(bytes, CONTENT);
    assert_int_equal(f.fetches, 3); /* cut, range refused, whole */
}

static void known_content_needs_no_request(void **state)
{
    struct flaky f = {.base = {&flaky_ops}, .content = ""};
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;

    (void)state;
    assert_int_equal(coras_descriptor_empty(NULL, false, &d, NULL), 0);
    assert_int_equal(coras_fetch_bytes(&f.base, &d, 100, &bytes, NULL), 0);
    assert_string_equal(bytes, "{}");
    assert_int_equal(f.fetches, 0);
}

static int refuse_write(void *user, const void *data, size_t len, coras_error **err)
{
    (void)user;
    (void)data;
    (void)len;
    return coras_fail(err, CORAS_ERR_NO_SPACE, "disk full");
}

static void the_writers_error_is_passed_on(void **state)
{
    struct flaky f = {.base = {&flaky_ops}, .content = CONTENT, .cut_after = -1};
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) err = NULL;

    (void)state;
    describe(&d, CONTENT_SIZE);
    assert_failed(coras_fetch_blob(&f.base, &d, refuse_write, NULL, &err), err, CORAS_ERR_NO_SPACE,
                  "disk full");
    assert_int_equal(f.fetches, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_arrives_whole_or_not_at_all),
        cmocka_unit_test(a_target_without_ranges_starts_over_unnoticed),
        cmocka_unit_test(known_content_needs_no_request),
        cmocka_unit_test(the_writers_error_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
