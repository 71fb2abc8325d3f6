/* Errors: the chain of messages, hints, out of memory, errno in Go's words. */
#include "support.h"

#include <errno.h>

static void levels_stand_from_outer_to_inner(void **state)
{
    coras_auto(coras_error) err = NULL;
    int rc = coras_fail(&err, CORAS_ERR_NOT_FOUND, "tag %s", "v1");

    (void)state;
    rc = coras_wrap(&err, rc, "manifest of %s", "a/b");
    assert_failed(rc, err, CORAS_ERR_NOT_FOUND, "manifest of a/b: tag v1");
    assert_null(coras_error_hint(err));
    coras_hint(&err, "try %d", 1);
    coras_hint(&err, "try %d", 2);
    assert_string_equal(coras_error_hint(err), "try 1");
}

static void callers_without_interest_get_the_code(void **state)
{
    (void)state;
    assert_int_equal(coras_fail(NULL, CORAS_ERR_TLS, "x"), CORAS_ERR_TLS);
    assert_int_equal(coras_fail_errno(NULL, ENOSPC, "x"), CORAS_ERR_NO_SPACE);
    assert_int_equal(coras_fail_no_memory(NULL), CORAS_ERR_NO_MEMORY);
    assert_int_equal(coras_wrap(NULL, CORAS_ERR_TLS, "x"), CORAS_ERR_TLS);
    assert_int_equal(coras_error_recode(NULL, CORAS_ERR_TLS), CORAS_ERR_TLS);
    coras_hint(NULL, "x");
    coras_error_set_retryable(NULL, true);
    coras_error_set_http(NULL, 500, "h", "r", NULL);
}

static void no_error_reads_as_success(void **state)
{
    (void)state;
    coras_error_free(NULL);
    assert_int_equal(coras_error_code(NULL), CORAS_OK);
    assert_string_equal(coras_error_message(NULL), "success");
    assert_null(coras_error_hint(NULL));
    assert_null(coras_error_response(NULL));
    assert_false(coras_error_is_retryable(NULL));
    assert_null(coras_error_dup(NULL));
}

static void names_are_known_for_every_code(void **state)
{
    (void)state;
    assert_string_equal(coras_error_name(CORAS_OK), "OK");
    assert_string_equal(coras_error_name(CORAS_ERR_NOT_FOUND), "NOT_FOUND");
    assert_string_equal(coras_error_name(1), "UNKNOWN");
    assert_string_equal(coras_error_name(-10000), "UNKNOWN");
    for (int code = CORAS_ERR_INTERNAL; code < 0; code++)
        assert_string_not_equal(coras_error_name(code), "UNKNOWN");
}

static void errno_reads_as_in_go(void **state)
{
    static const struct {
        int errnum;
        const char *message;
        int code;
    } cases[] = {
        {ENOENT, "open x: no such file or directory", CORAS_ERR_NOT_FOUND},
        {EACCES, "open x: permission denied", CORAS_ERR_IO},
        {EEXIST, "open x: file exists", CORAS_ERR_IO},
        {ENOTDIR, "open x: not a directory", CORAS_ERR_IO},
        {EISDIR, "open x: is a directory", CORAS_ERR_IO},
        {ENOSPC, "open x: no space left on device", CORAS_ERR_NO_SPACE},
        {EDQUOT, "open x: disk quota exceeded", CORAS_ERR_NO_SPACE},
        {EXDEV, "open x: invalid cross-device link", CORAS_ERR_IO},
        {EBUSY, "open x: device or resource busy", CORAS_ERR_IO},
        {EIO, "open x: input/output error", CORAS_ERR_IO},
        {EMFILE, "open x: too many open files", CORAS_ERR_IO},
        {EROFS, "open x: read-only file system", CORAS_ERR_IO},
        {ENAMETOOLONG, "open x: file name too long", CORAS_ERR_IO},
        {ELOOP, "open x: too many levels of symbolic links", CORAS_ERR_IO},
        {EPIPE, "open x: broken pipe", CORAS_ERR_IO},
        {ECONNREFUSED, "open x: connection refused", CORAS_ERR_IO},
        {ECONNRESET, "open x: connection reset by peer", CORAS_ERR_IO},
        {ENETUNREACH, "open x: network is unreachable", CORAS_ERR_IO},
        {EHOSTUNREACH, "open x: no route to host", CORAS_ERR_IO},
        {ETIMEDOUT, "open x: connection timed out", CORAS_ERR_IO},
        {0, "open x: unknown error", CORAS_ERR_IO},
        {-1, "open x: unknown error", CORAS_ERR_IO},
        {99999, "open x: unknown error", CORAS_ERR_IO},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        int rc = coras_fail_errno(&err, cases[i].errnum, "open %s", "x");
        assert_failed(rc, err, cases[i].code, cases[i].message);
    }
}

static void out_of_memory_needs_no_memory(void **state)
{
    coras_auto(coras_error) err = NULL;

    (void)state;
    coras_alloc_fail_at(0);
    int rc = coras_fail(&err, CORAS_ERR_TLS, "lost");
    assert_failed(rc, err, CORAS_ERR_NO_MEMORY, "out of memory");
    assert_int_equal(coras_wrap(&err, rc, "outer"), rc);
    assert_int_equal(coras_error_recode(&err, CORAS_ERR_TLS), CORAS_ERR_NO_MEMORY);
    coras_hint(&err, "buy some");
    coras_error_set_retryable(&err, true);
    assert_string_equal(coras_error_message(err), "out of memory");
    assert_null(coras_error_hint(err));
    coras_error *copy = coras_error_dup(err);
    assert_int_equal(coras_error_code(copy), CORAS_ERR_NO_MEMORY);
    coras_error_free(copy);
}

static void a_lack_of_memory_on_the_way_up_keeps_the_cause(void **state)
{
    coras_auto(coras_error) err = NULL;
    int rc = coras_fail(&err, CORAS_ERR_TLS, "cause");

    (void)state;
    for (long nth = 0; nth < 2; nth++) {
        coras_alloc_fail_at(nth);
        assert_int_equal(coras_wrap(&err, rc, "outer"), CORAS_ERR_TLS);
        assert_string_equal(coras_error_message(err), "cause");
    }
    coras_alloc_fail_at(-1);
}

static void copies_are_whole(void **state)
{
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) copy = NULL;

    (void)state;
    (void)coras_fail(&err, CORAS_ERR_HTTP, "denied: no way");
    coras_hint(&err, "log in");
    coras_error_set_http(&err, 403, "reg:5000", "denied: no way", "DENIED");
    coras_error_set_retryable(&err, true);
    copy = coras_error_dup(err);
    coras_error_clear(&err);
    assert_null(err);
    assert_int_equal(coras_error_code(copy), CORAS_ERR_HTTP);
    assert_string_equal(coras_error_message(copy), "denied: no way");
    assert_string_equal(coras_error_hint(copy), "log in");
    assert_int_equal(coras_error_http_status(copy), 403);
    assert_string_equal(coras_error_http_host(copy), "reg:5000");
    assert_string_equal(coras_error_response(copy), "denied: no way");
    assert_string_equal(coras_error_registry_code(copy), "DENIED");
    assert_true(coras_error_is_retryable(copy));
}

static void the_first_error_wins_when_passed_on(void **state)
{
    coras_auto(coras_error) first = NULL;
    coras_error *from = NULL;

    (void)state;
    (void)coras_fail(&from, CORAS_ERR_TLS, "first");
    coras_error_propagate(&first, &from);
    assert_null(from);
    (void)coras_fail(&from, CORAS_ERR_TLS, "second");
    coras_error_propagate(&first, &from);
    assert_null(from);
    assert_string_equal(coras_error_message(first), "first");
    (void)coras_fail(&from, CORAS_ERR_TLS, "third");
    coras_error_propagate(NULL, &from);
    assert_null(from);
    coras_error_propagate(&first, &from); /* nothing to pass on */
    assert_non_null(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_stand_from_outer_to_inner),
        cmocka_unit_test(callers_without_interest_get_the_code),
        cmocka_unit_test(no_error_reads_as_success),
        cmocka_unit_test(names_are_known_for_every_code),
        cmocka_unit_test(errno_reads_as_in_go),
        cmocka_unit_test(out_of_memory_needs_no_memory),
        cmocka_unit_test(a_lack_of_memory_on_the_way_up_keeps_the_cause),
        cmocka_unit_test(copies_are_whole),
        cmocka_unit_test(the_first_error_wins_when_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
