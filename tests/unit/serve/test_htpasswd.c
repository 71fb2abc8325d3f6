/* SPDX-License-Identifier: Apache-2.0 */
/* Password files and Authorization headers. The hashes have the lowest cost, for speed. */
#include "serve/access/htpasswd.h"

#include <string.h>
#include "support.h"

/* "secret" */
#define HASH_SECRET "$2y$04$QzzPxRCalg6nWOvhxasBA.BUUvsQSy7txggDwLB8c5XJq8ouH7L5u"
/* "pässwort" */
#define HASH_UTF8 "$2y$04$919pkr9qhjX0552NDPbC1eTs3MxyOPoctWxPt60NdMikSXdL5FJU2"

static void accepts_the_right_password_only(void **state)
{
    static const char file[] = "# people\n"
                               "alice:" HASH_SECRET "\n"
                               "\n"
                               "bob:" HASH_UTF8;
    static const struct {
        const char *user, *password;
        bool ok;
    } cases[] = {
        {"alice", "secret", true},     {"bob", "p\xc3\xa4sswort", true},
        {"alice", "secre", false},     {"alice", "secret ", false},
        {"alice", "", false},          {"Alice", "secret", false},
        {"carol", "secret", false},    {"bob", "secret", false},
        {"", "secret", false},         {"alic", "secret", false},
        {"alice", HASH_SECRET, false},
    };
    coras_auto(coras_error) err = NULL;
    coras_auto(serve_htpasswd) h = NULL;

    (void)state;
    assert_ok(serve_htpasswd_parse(file, strlen(file), "f", &h, &err), err);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(serve_htpasswd_check(h, cases[i].user, cases[i].password), cases[i].ok);
}

static void refuses_passwords_that_bcrypt_would_cut(void **state)
{
    /* the hash of 72 times "x" */
    static const char file[] = "a:$2y$04$AwhlpVadykd8YJi6A.qtSOvbqT/GByqaOIB6phKfapfXqsKiNCKEm";
    char password[SERVE_PASSWORD_MAX + 2];
    coras_auto(coras_error) err = NULL;
    coras_auto(serve_htpasswd) h = NULL;

    (void)state;
    assert_ok(serve_htpasswd_parse(file, strlen(file), "f", &h, &err), err);
    memset(password, 'x', sizeof(password));
    password[SERVE_PASSWORD_MAX] = '\0';
    assert_true(serve_htpasswd_check(h, "a", password));
    password[SERVE_PASSWORD_MAX] = 'x';
    password[SERVE_PASSWORD_MAX + 1] = '\0';
    assert_false(serve_htpasswd_check(h, "a", password));
}

static void names_the_line_that_is_wrong(void **state)
{
    static const struct {
        const char *file, *message;
    } cases[] = {
        {"", "f: no users"},
        {"# nobody\n", "f: no users"},
        {"alice", "f:1: not a line \"user:hash\""},
        {"a:" HASH_SECRET "\n:" HASH_SECRET, "f:2: not a line \"user:hash\""},
        {"a:" HASH_SECRET "\r\n", "f:1: not a line \"user:hash\""},
        {"a:" HASH_SECRET "\na:" HASH_SECRET, "f:2: the user has a line already"},
        {"a:plain", NULL},
        {"a:$apr1$x$yyyyyyyyyyyyyyyyyyyyyy", NULL},
        {"a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", NULL},
        {"a:" HASH_SECRET "x", NULL},
        {"a:$2y$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"a:$2y$03$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"a:$2y$10$aaaaaaaaaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        serve_htpasswd *h = NULL;
        assert_failed(serve_htpasswd_parse(cases[i].file, strlen(cases[i].file), "f", &h, &err),
                      err, CORAS_ERR_CONFIG, cases[i].message);
        assert_null(h);
        assert_null(strstr(coras_error_message(err), "plain"));
    }
}

static void takes_basic_credentials_apart(void **state)
{
    static const struct {
        const char *header, *user, *password; /* user NULL: refused */
    } cases[] = {
        {"Basic YWxpY2U6c2VjcmV0", "alice", "secret"},
        {"bAsIc   YWxpY2U6c2VjcmV0  ", "alice", "secret"},
        {"Basic YTo=", "a", ""},
        {"Basic OmI=", "", "b"},
        {"Basic YTpiOmM=", "a", "b:c"},
        {"", NULL, NULL},
        {"Basic", NULL, NULL},
        {"Basic ", NULL, NULL},
        {"Basic YWxpY2U=", NULL, NULL},
        {"Basic !!!", NULL, NULL},
        {"Basic YQA6Yg==", NULL, NULL},
        {"Bearer YWxpY2U6c2VjcmV0", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        char *user = NULL, *password = NULL;

        assert_int_equal(serve_basic_credentials(cases[i].header, &user, &password),
                         cases[i].user != NULL);
        if (!cases[i].user)
            continue;
        assert_string_equal(user, cases[i].user);
        assert_string_equal(password, cases[i].password);
        free(user);
        coras_free_secret(password);
    }
}

static int take_apart(coras_error **err)
{
    coras_auto_free char *user = NULL;
    coras_auto_secret char *password = NULL;

    if (serve_basic_credentials("Basic YWxpY2U6c2VjcmV0", &user, &password))
        return 0;
    assert_null(user);
    assert_null(password);
    return coras_fail_no_memory(err);
}

static void takes_credentials_apart_whole_or_not_at_all(void **state)
{
    (void)state;
    check_each_allocation(take_apart, assert_out_of_memory_if);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_the_right_password_only),
        cmocka_unit_test(refuses_passwords_that_bcrypt_would_cut),
        cmocka_unit_test(names_the_line_that_is_wrong),
        cmocka_unit_test(takes_basic_credentials_apart),
        cmocka_unit_test(takes_credentials_apart_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
