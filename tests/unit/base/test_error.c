/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the chain of messages, whose failure, hints, out of memory, texts of errno. */
#include "support.h"

#include <errno.h>

static void levels_stand_from_outer_to_inner(void **state)
{
    coras_auto(coras_error) err = NULL;
    int rc = coras_fail(&err, CORAS_ERR_NOT_FOUND, "tag %s", "v1");

    (void)state;
    rc = coras_wrap(&err, rc, "manifest of %s", "a/b");
    assert_failed(rc, err, CORAS_ERR_NOT_FOUND, "manifest of a/b: tag v1");
    assert_string_equal(coras_error_level(err, 0), "manifest of a/b");
    assert_string_equal(coras_error_level(err, 1), "tag v1");
    assert_null(coras_error_level(err, 2));
}

static void the_hint_nearest_to_the_cause_stays(void **state)
{
    coras_auto(coras_error) err = NULL;

    (void)state;
    (void)coras_fail(&err, CORAS_ERR_NOT_FOUND, "tag v1");
    assert_null(coras_error_hint(err));
    assert_int_equal(coras_error_hint_kind(err), CORAS_HINT_NONE);
    coras_advise_with(&err, CORAS_HINT_TAGS_EXIST, "v2, v3");
    coras_advise(&err, CORAS_HINT_FREE_SPACE);
    coras_hint(&err, "try %d", 2);
    assert_int_equal(coras_error_hint_kind(err), CORAS_HINT_TAGS_EXIST);
    assert_string_equal(coras_error_hint(err), "tags there: v2, v3");
    assert_string_equal(coras_error_hint_argument(err, 0), "v2, v3");
    assert_null(coras_error_hint_argument(err, 1));
    assert_null(coras_error_hint_argument(err, CORAS_HINT_ARGS));
}

static void a_hint_passes_to_the_error_that_replaces_another(void **state)
{
    coras_auto(coras_error) cause = NULL;
    coras_auto(coras_error) err = NULL;

    (void)state;
    (void)coras_fail(&cause, CORAS_ERR_NOT_FOUND, "tag v1");
    (void)coras_fail(&err, CORAS_ERR_CONFIG, "x");
    coras_advise_as(&err, cause);
    assert_null(coras_error_hint(err));
    coras_advise_with(&cause, CORAS_HINT_NO_TAGS, "h", "r");
    coras_advise_as(&err, cause);
    assert_int_equal(coras_error_hint_kind(err), CORAS_HINT_NO_TAGS);
    assert_string_equal(coras_error_hint(err), "h/r has no tags");
}

static void advice_without_a_kind_is_its_sentence(void **state)
{
    coras_auto(coras_error) err = NULL;

    (void)state;
    (void)coras_fail(&err, CORAS_ERR_CONFIG, "x");
    coras_hint(&err, "try %d {%%1}", 1);
    assert_int_equal(coras_error_hint_kind(err), CORAS_HINT_TEXT);
    assert_string_equal(coras_error_hint(err), "try 1 {%1}");
}

static void whose_failure_it_was_is_said_once(void **state)
{
    coras_auto(coras_error) err = NULL;

    (void)state;
    (void)coras_fail(&err, CORAS_ERR_HTTP, "x");
    assert_int_equal(coras_error_party(err), CORAS_PARTY_UNKNOWN);
    assert_int_equal(coras_error_side(err), CORAS_SIDE_NONE);
    coras_error_set_party(&err, CORAS_PARTY_TOKEN_SERVICE);
    coras_error_set_party(&err, CORAS_PARTY_REGISTRY);
    coras_error_set_side(&err, CORAS_SIDE_SOURCE);
    coras_error_set_side(&err, CORAS_SIDE_DESTINATION);
    assert_int_equal(coras_error_party(err), CORAS_PARTY_TOKEN_SERVICE);
    assert_int_equal(coras_error_side(err), CORAS_SIDE_SOURCE);
}

static void all_codes_of_a_registry_are_known(void **state)
{
    coras_auto(coras_error) err = NULL;

    (void)state;
    (void)coras_fail(&err, CORAS_ERR_HTTP, "x");
    assert_false(coras_error_has_registry_code(err, "DIGEST_INVALID"));
    coras_error_set_http(&err, 400, "h", "r", "DIGEST_INVALID");
    coras_error_add_registry_code(&err, "MANIFEST_BLOB_UNKNOWN");
    assert_string_equal(coras_error_registry_code(err), "DIGEST_INVALID");
    assert_true(coras_error_has_registry_code(err, "DIGEST_INVALID"));
    assert_true(coras_error_has_registry_code(err, "MANIFEST_BLOB_UNKNOWN"));
    assert_false(coras_error_has_registry_code(err, "DENIED"));
    assert_false(coras_error_has_registry_code(NULL, "DENIED"));
}

/* A failure of a system call is this machine's, and the system's words are the cause. */
static void system_calls_fail_here(void **state)
{
    coras_auto(coras_error) err = NULL;

    (void)state;
    (void)coras_fail_errno(&err, ENOENT, "open %s", "x");
    assert_int_equal(coras_error_party(err), CORAS_PARTY_LOCAL);
    assert_string_equal(coras_error_level(err, 0), "open x");
    assert_string_equal(coras_error_level(err, 1), "no such file or directory");
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
    assert_null(coras_error_level(NULL, 0));
    assert_int_equal(coras_error_party(NULL), CORAS_PARTY_UNKNOWN);
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
    for (int code = CORAS_ERR_INVALID_MODEL; code < 0; code++)
        assert_string_not_equal(coras_error_name(code), "UNKNOWN");
}

static void errno_has_a_text_and_a_code(void **state)
{
    static const struct {
        int errnum;
        const char *message;
        int code;
    } cases[] = {
        {ENOENT, "open x: no such file or directory", CORAS_ERR_NOT_FOUND},
        {EACCES, "open x: permission denied", CORAS_ERR_PERMISSION},
        {EEXIST, "open x: file exists", CORAS_ERR_IO},
        {ENOTDIR, "open x: not a directory", CORAS_ERR_IO},
        {EISDIR, "open x: is a directory", CORAS_ERR_IO},
        {ENOSPC, "open x: no space left on device", CORAS_ERR_NO_SPACE},
        {EDQUOT, "open x: disk quota exceeded", CORAS_ERR_NO_SPACE},
        {EXDEV, "open x: invalid cross-device link", CORAS_ERR_IO},
        {EBUSY, "open x: device or resource busy", CORAS_ERR_IO},
        {EIO, "open x: input/output error", CORAS_ERR_IO},
        {EMFILE, "open x: too many open files", CORAS_ERR_IO},
        {EROFS, "open x: read-only file system", CORAS_ERR_PERMISSION},
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
    assert_string_equal(coras_error_level(err, 0), "out of memory");
    assert_null(coras_error_level(err, 1));
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
    for (long nth = 0; nth < 3; nth++) {
        coras_alloc_fail_at(nth);
        assert_int_equal(coras_wrap(&err, rc, "outer"), CORAS_ERR_TLS);
        assert_string_equal(coras_error_message(err), "cause");
        assert_null(coras_error_level(err, 1));
    }
    coras_alloc_fail_at(-1);
}

static void copies_are_whole(void **state)
{
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) copy = NULL;

    (void)state;
    (void)coras_fail(&err, CORAS_ERR_HTTP, "denied: no way");
    (void)coras_wrap(&err, CORAS_ERR_HTTP, "outer");
    coras_advise_with(&err, CORAS_HINT_NO_TAGS, "h", "r");
    coras_error_set_party(&err, CORAS_PARTY_REGISTRY);
    coras_error_set_side(&err, CORAS_SIDE_SOURCE);
    coras_error_set_http(&err, 403, "reg:5000", "denied: no way", "DENIED");
    coras_error_add_registry_code(&err, "BLOB_UNKNOWN");
    coras_error_add_registry_code(&err, "BLOB");
    coras_error_set_retryable(&err, true);
    copy = coras_error_dup(err);
    coras_error_clear(&err);
    assert_null(err);
    assert_int_equal(coras_error_code(copy), CORAS_ERR_HTTP);
    assert_string_equal(coras_error_message(copy), "outer: denied: no way");
    assert_string_equal(coras_error_level(copy, 1), "denied: no way");
    assert_string_equal(coras_error_hint(copy), "h/r has no tags");
    assert_int_equal(coras_error_hint_kind(copy), CORAS_HINT_NO_TAGS);
    assert_string_equal(coras_error_hint_argument(copy, 1), "r");
    assert_int_equal(coras_error_party(copy), CORAS_PARTY_REGISTRY);
    assert_int_equal(coras_error_side(copy), CORAS_SIDE_SOURCE);
    assert_int_equal(coras_error_http_status(copy), 403);
    assert_string_equal(coras_error_http_host(copy), "reg:5000");
    assert_string_equal(coras_error_response(copy), "denied: no way");
    assert_string_equal(coras_error_registry_code(copy), "DENIED");
    assert_true(coras_error_has_registry_code(copy, "DENIED"));
    assert_true(coras_error_has_registry_code(copy, "BLOB"));
    assert_true(coras_error_has_registry_code(copy, "BLOB_UNKNOWN"));
    assert_false(coras_error_has_registry_code(copy, "UNKNOWN"));
    assert_false(coras_error_has_registry_code(copy, ""));
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
        cmocka_unit_test(the_hint_nearest_to_the_cause_stays),
        cmocka_unit_test(a_hint_passes_to_the_error_that_replaces_another),
        cmocka_unit_test(advice_without_a_kind_is_its_sentence),
        cmocka_unit_test(whose_failure_it_was_is_said_once),
        cmocka_unit_test(all_codes_of_a_registry_are_known),
        cmocka_unit_test(system_calls_fail_here),
        cmocka_unit_test(callers_without_interest_get_the_code),
        cmocka_unit_test(no_error_reads_as_success),
        cmocka_unit_test(names_are_known_for_every_code),
        cmocka_unit_test(errno_has_a_text_and_a_code),
        cmocka_unit_test(out_of_memory_needs_no_memory),
        cmocka_unit_test(a_lack_of_memory_on_the_way_up_keeps_the_cause),
        cmocka_unit_test(copies_are_whole),
        cmocka_unit_test(the_first_error_wins_when_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
