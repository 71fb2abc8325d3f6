/* SPDX-License-Identifier: Apache-2.0 */
/* Credential helpers: what they are asked, what their answers become. */
#include "rows.h"

#include <signal.h>
#include "files.h"
#include "auth/credential_helper.h"

/* Put a helper into the directory that setup made the only PATH. */
static void script(const char *name, const char *body)
{
    coras_auto_free char *file = coras_asprintf("docker-credential-%s", name);
    coras_auto_free char *text = coras_asprintf("#!/bin/sh\n%s\n", body);

    write_file(file, text, 0755);
}

static int set_up(void **state)
{
    if (make_dir(state) != 0)
        return -1;
    coras_auto_free char *path = coras_asprintf("%s:/usr/bin:/bin", test_dir);
    return setenv("PATH", path, 1);
}

static void answers_are_understood(void **state)
{
    static const struct {
        const char *name, *body, *username, *password, *refresh;
        int rc;
    } rows[] = {
        {"pair", "cat >/dev/null; echo '{\"ServerURL\":\"h\",\"Username\":\"u\",\"Secret\":\"s\"}'",
         "u", "s", NULL, 1},
        {"identity token", "echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}'", NULL, NULL, "s",
         1},
        {"anonymous", "echo '{\"Username\":\"\",\"Secret\":\"\"}'", NULL, NULL, NULL, 0},
        {"none", "echo 'credentials not found in native keychain'; exit 1", NULL, NULL, NULL, 0},
        {"input is the key",
         "read k; echo \"{\\\"Username\\\":\\\"$1\\\",\\\"Secret\\\":\\\"$k\\\"}\"", "get",
         "example.org:5000", NULL, 1},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_cred) cred = {0};
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i].name);
        script("x", rows[i].body);
        assert_int_equal(coras_helper_get("x", "example.org:5000", NULL, &cred, &err), rows[i].rc);
        assert_null(err);
        if (rows[i].username)
            assert_string_equal(cred.username, rows[i].username);
        if (rows[i].password)
            assert_string_equal(cred.password, rows[i].password);
        if (rows[i].refresh)
            assert_string_equal(cred.refresh_token, rows[i].refresh);
    }
}

static void failures_are_told(void **state)
{
    static const struct {
        const char *name, *helper, *body, *message;
    } rows[] = {
        {"its words", "x", "printf 'no\\033[2J key\\n'; exit 1", "no\\x1b[2J key"},
        {"no words", "x", "exit 3", "docker-credential-x failed without a message"},
        {"not JSON", "x", "echo hello", "docker-credential-x printed no valid JSON"},
        {"list", "x", "echo '[]'", "docker-credential-x printed no valid JSON"},
        {"newline in the secret", "x", "printf '%s' '{\"Username\":\"u\",\"Secret\":\"a\\nb\"}'",
         "docker-credential-x gave a credential with a control character"},
        {"endless output", "x",
         "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
         "docker-credential-x printed more than 65536 bytes"},
        {"missing", "none", "",
         "exec: \"docker-credential-none\": executable file not found in $PATH"},
        {"slash in the name", "../x", "", "bad name of a credential helper: \"../x\""},
        {"dots as the name", "..", "", "bad name of a credential helper: \"..\""},
        {"empty name", "", "", "bad name of a credential helper: \"\""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_cred) cred = {0};
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i].name);
        script("x", rows[i].body);
        int rc = coras_helper_get(rows[i].helper, "h", NULL, &cred, &err);
        bool is_missing = coras_streq(rows[i].helper, "none");
        assert_failed(rc, err, is_missing ? CORAS_ERR_NOT_FOUND : CORAS_ERR_CONFIG,
                      rows[i].message);
    }
}

static void keys_with_newlines_are_refused(void **state)
{
    coras_auto_value(coras_cred) cred = {0};
    coras_auto_free char *mark = in_dir("ran");
    coras_auto_free char *body = coras_asprintf("touch '%s'", mark);

    (void)state;
    script("x", body);
    assert_int_equal(coras_helper_get("x", "h\nevil", NULL, &cred, NULL),
                     CORAS_ERR_INVALID_REFERENCE);
    assert_int_not_equal(access(mark, F_OK), 0);
}

static void secrets_go_through_the_pipe(void **state)
{
    coras_auto_free char *seen = in_dir("seen");
    coras_auto_free char *body = coras_asprintf("(echo \"$*\"; cat) >'%s'", seen);
    coras_cred pair = {.username = (char[]){"u"}, .password = (char[]){"s<>"}};
    coras_cred token = {.refresh_token = (char[]){"t"}};

    (void)state;
    script("x", body);
    assert_int_equal(coras_helper_store("x", "h", &pair, NULL, NULL), 0);
    assert_file("seen", "store\n{\"ServerURL\":\"h\",\"Username\":\"u\",\"Secret\":\"s<>\"}");
    assert_int_equal(coras_helper_store("x", "h", &token, NULL, NULL), 0);
    assert_file("seen", "store\n{\"ServerURL\":\"h\",\"Username\":\"<token>\",\"Secret\":\"t\"}");
    assert_int_equal(coras_helper_erase("x", "h", NULL, NULL), 0);
    assert_file("seen", "erase\nh");
}

/* What coras itself ignores or blocks is not handed down. */
static void helpers_start_with_default_signals(void **state)
{
    coras_auto_free char *seen = in_dir("seen");
    /* The last seven digits: glibc has signals of its own higher up. */
    coras_auto_free char *body =
        coras_asprintf("sed -nE 's/^Sig(Blk|Ign):.*(.{7})$/\\2/p' /proc/self/status >'%s'", seen);
    coras_cred cred = {0};
    sigset_t all, before;

    (void)state;
    script("x", body);
    sigfillset(&all);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = coras_helper_get("x", "h", NULL, &cred, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(rc, CORAS_ERR_CONFIG); /* it prints nothing */
    assert_file("seen", "0000000\n0000000\n");
}

static void a_hanging_helper_is_cancelled(void **state)
{
    coras_auto_value(coras_cred) cred = {0};
    coras_cancel cancel = {true};

    (void)state;
    script("x", "exec sleep 30");
    assert_int_equal(coras_helper_get("x", "h", &cancel, &cred, NULL), CORAS_ERR_CANCELLED);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(answers_are_understood),         FILE_TEST(failures_are_told),
        FILE_TEST(keys_with_newlines_are_refused), FILE_TEST(secrets_go_through_the_pipe),
        FILE_TEST(a_hanging_helper_is_cancelled),  FILE_TEST(helpers_start_with_default_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
