/* SPDX-License-Identifier: Apache-2.0 */
/* Credential files: where a registry is found, what is kept when one is rewritten. */
#include "rows.h"
#include "files.h"
#include "auth/containers_auth.h"
#include "auth/docker_config.h"

static coras_dockerconfig load(const char *text)
{
    coras_dockerconfig c;
    coras_auto_free char *path = in_dir("config.json");

    write_file("config.json", text, 0600);
    assert_int_equal(coras_dockerconfig_load(path, &c, NULL), 0);
    return c;
}

static bool same(const char *a, const char *b)
{
    return a && b ? coras_streq(a, b) : a == b;
}

static void entries_are_found(void **state)
{
    static const struct {
        const char *name, *auths, *key, *username, *password, *refresh, *access;
    } rows[] = {
        {"exact key", "{\"h:5000\":{\"auth\":\"dTpw\"}}", "h:5000", "u", "p", NULL, NULL},
        {"other port", "{\"h:5000\":{\"auth\":\"dTpw\"}}", "h", NULL, NULL, NULL, NULL},
        {"url as key", "{\"https://h/v1/\":{\"auth\":\"dTpw\"}}", "h", "u", "p", NULL, NULL},
        {"password with a colon", "{\"h\":{\"auth\":\"dTpwOnE=\"}}", "h", "u", "p:q", NULL, NULL},
        {"trailing NULs", "{\"h\":{\"auth\":\"dTpwAAA=\"}}", "h", "u", "p", NULL, NULL},
        {"auth overrides", "{\"h\":{\"auth\":\"dTpw\",\"username\":\"x\",\"password\":\"y\"}}", "h",
         "u", "p", NULL, NULL},
        {"old members", "{\"h\":{\"username\":\"x\",\"password\":\"y\"}}", "h", "x", "y", NULL,
         NULL},
        {"identity token", "{\"h\":{\"identitytoken\":\"i\"}}", "h", NULL, NULL, "i", NULL},
        {"registry token", "{\"h\":{\"registrytoken\":\"r\"}}", "h", NULL, NULL, NULL, "r"},
        {"marker of a helper", "{\"h\":{}}", "h", NULL, NULL, NULL, NULL},
        {"nothing", "{\"h\":null}", "h", NULL, NULL, NULL, NULL},
        {"another's is no object", "{\"x\":7}", "h", NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_free char *text = coras_asprintf("{\"auths\":%s}", rows[i].auths);
        coras_auto_value(coras_dockerconfig) c = load(text);
        coras_auto_value(coras_cred) cred = {0};
        bool any = rows[i].username || rows[i].refresh || rows[i].access;
        IN_ROW(rows[i].name);
        assert_int_equal(coras_dockerconfig_get(&c, rows[i].key, NULL, &cred, NULL), any);
        assert_true(same(cred.username, rows[i].username));
        assert_true(same(cred.password, rows[i].password));
        assert_true(same(cred.refresh_token, rows[i].refresh));
        assert_true(same(cred.access_token, rows[i].access));
    }
}

static void broken_entries_are_errors(void **state)
{
    coras_auto_value(coras_dockerconfig) c = load("{\"auths\":{\"h\":{\"auth\":\"!!\"}}}");
    coras_auto_value(coras_cred) cred = {0};
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_failed(coras_dockerconfig_get(&c, "h", NULL, &cred, &err), err, CORAS_ERR_CONFIG,
                  "failed to decode auth field: invalid config format: illegal base64 data at "
                  "input byte 0");
}

/* Silence would look like "no credentials". */
static void values_of_another_type_are_errors(void **state)
{
    static const char *const rows[] = {
        "{\"auths\":[]}",      "{\"auths\":\"x\"}",
        "{\"credHelpers\":5}", "{\"credHelpers\":{\"h\":false}}",
        "{\"credsStore\":{}}",
    };
    coras_auto_value(coras_dockerconfig) number = load("{\"auths\":{\"h\":7}}");
    coras_auto_value(coras_dockerconfig) nothing =
        load("{\"auths\":null,\"credHelpers\":null,\"credsStore\":null}");
    coras_auto_value(coras_cred) cred = {0};
    coras_auto(coras_error) failure = NULL;

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_dockerconfig c;
        coras_auto_free char *path = in_dir("config.json");
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i]);
        write_file("config.json", rows[i], 0600);
        assert_int_equal(coras_dockerconfig_load(path, &c, &err), CORAS_ERR_CONFIG);
        assert_true(coras_str_starts(coras_error_message(err), "failed to unmarshal "));
    }
    assert_failed(coras_dockerconfig_get(&number, "h", NULL, &cred, &failure), failure,
                  CORAS_ERR_CONFIG,
                  "failed to unmarshal auth field: invalid config format: json: cannot unmarshal "
                  "number into Go value of type config.AuthConfig");
    assert_int_equal(coras_dockerconfig_get(&nothing, "h", NULL, &cred, NULL), 0);
}

static void broken_files_are_errors(void **state)
{
    static const char *const rows[] = {"{", "[]", "7", "\"x\""};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_dockerconfig c;
        coras_auto_free char *path = in_dir("config.json");
        coras_auto_free char *head =
            coras_asprintf("failed to decode config file %s: invalid config format: ", path);
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i]);
        write_file("config.json", rows[i], 0600);
        assert_int_equal(coras_dockerconfig_load(path, &c, &err), CORAS_ERR_CONFIG);
        assert_true(coras_str_starts(coras_error_message(err), head));
    }
}

static void missing_and_empty_files_hold_nothing(void **state)
{
    coras_auto_free char *missing = in_dir("none.json");
    coras_auto_value(coras_dockerconfig) c = {0};
    coras_auto_value(coras_dockerconfig) empty = load("\n");
    coras_auto_value(coras_cred) cred = {0};

    (void)state;
    assert_int_equal(coras_dockerconfig_load(missing, &c, NULL), 0);
    assert_int_equal(coras_dockerconfig_get(&c, "h", NULL, &cred, NULL), 0);
    assert_int_equal(coras_dockerconfig_get(&empty, "h", NULL, &cred, NULL), 0);
}

static void helpers_are_chosen_per_host(void **state)
{
    coras_auto_value(coras_dockerconfig) c =
        load("{\"credsStore\":\"all\",\"credHelpers\":{\"h\":\"one\"}}");

    (void)state;
    assert_string_equal(coras_dockerconfig_helper(&c, "h"), "one");
    assert_string_equal(coras_dockerconfig_helper(&c, "x"), "all");
}

static void files_are_rewritten_in_dockers_form(void **state)
{
    coras_auto_free char *path = in_dir("config.json");
    coras_cred cred = {.username = (char[]){"user"}, .password = (char[]){"pass"}};
    coras_cred token = {.refresh_token = (char[]){"<tok>"}};

    (void)state;
    write_file("config.json",
               "{\"zeta\":{\"b\":[1,2.5],\"a\":null},\"auths\":{\"x\":{\"email\":\"e\"}},"
               "\"alpha\":\"a<b\"}",
               0644);
    assert_int_equal(coras_dockerconfig_store(path, "localhost:5000", &cred, NULL, NULL), 0);
    assert_int_equal(coras_dockerconfig_store(path, "a", &token, NULL, NULL), 0);
    assert_int_equal(mode_of("config.json"), 0600);
    assert_int_equal(coras_dockerconfig_store(path, "x", NULL, NULL, NULL), 0);
    assert_file("config.json", "{\n"
                               "\t\"alpha\": \"a\\u003cb\",\n"
                               "\t\"auths\": {\n"
                               "\t\t\"a\": {\n"
                               "\t\t\t\"identitytoken\": \"\\u003ctok\\u003e\"\n"
                               "\t\t},\n"
                               "\t\t\"localhost:5000\": {\n"
                               "\t\t\t\"auth\": \"dXNlcjpwYXNz\"\n"
                               "\t\t}\n"
                               "\t},\n"
                               "\t\"zeta\": {\n"
                               "\t\t\"b\": [\n"
                               "\t\t\t1,\n"
                               "\t\t\t2.5\n"
                               "\t\t],\n"
                               "\t\t\"a\": null\n"
                               "\t}\n"
                               "}");
}

static void a_file_is_made_with_its_directory(void **state)
{
    coras_auto_free char *path = in_dir("new/deep/config.json");
    coras_cred cred = {.username = (char[]){"user"}, .password = (char[]){"pass"}};

    (void)state;
    assert_int_equal(coras_dockerconfig_store(path, "h", NULL, NULL, NULL), 0);
    assert_int_not_equal(access(path, F_OK), 0); /* nothing to delete: no file */
    assert_int_equal(coras_dockerconfig_store(path, "h", &cred, NULL, NULL), 0);
    assert_int_equal(mode_of("new/deep"), 0700);
    assert_int_equal(coras_dockerconfig_store(path, "h", NULL, NULL, NULL), 0);
    assert_file("new/deep/config.json", "{\n\t\"auths\": {}\n}");
}

static void a_link_is_kept(void **state)
{
    coras_auto_free char *link_path = in_dir("link.json");
    coras_cred cred = {.username = (char[]){"user"}, .password = (char[]){"pass"}};
    struct stat st;

    (void)state;
    write_file("real.json", "{}", 0600);
    assert_int_equal(symlink("real.json", link_path), 0);
    assert_int_equal(coras_dockerconfig_store(link_path, "h", &cred, NULL, NULL), 0);
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_file("real.json",
                "{\n\t\"auths\": {\n\t\t\"h\": {\n\t\t\t\"auth\": \"dXNlcjpwYXNz\"\n\t\t}\n\t}\n}");
}

static void broken_files_are_left_alone(void **state)
{
    coras_auto_free char *path = in_dir("config.json");
    coras_cred cred = {.username = (char[]){"user"}, .password = (char[]){"pass"}};
    coras_cred colon = {.username = (char[]){"us:er"}, .password = (char[]){"pass"}};
    coras_auto(coras_error) err = NULL;

    (void)state;
    write_file("config.json", "{\"auths\":", 0600);
    assert_int_equal(coras_dockerconfig_store(path, "h", &cred, NULL, NULL), CORAS_ERR_CONFIG);
    assert_file("config.json", "{\"auths\":");
    write_file("config.json", "{}", 0600);
    assert_failed(coras_dockerconfig_store(path, "h", &colon, NULL, &err), err, CORAS_ERR_CONFIG,
                  "bad credential format: colons(:) are not allowed in username");
    assert_file("config.json", "{}");
}

static void containers_keys_go_down_to_repositories(void **state)
{
    static const struct {
        const char *registry, *repository, *username;
    } rows[] = {
        {"h", "a/b", "deep"},      {"h", "a/b/c", "deep"},
        {"h", "a/x", "mid"},       {"h", "x", "host"},
        {"h", NULL, "host"},       {"i", "a/b", NULL},
        {"docker.io", "x", "hub"}, {"registry-1.docker.io", "x", "hub"},
    };
    coras_auto_value(coras_dockerconfig) c =
        load("{\"auths\":{\"h\":{\"username\":\"host\",\"password\":\"p\"},"
             "\"h/a\":{\"username\":\"mid\",\"password\":\"p\"},"
             "\"docker.io\":{\"username\":\"hub\",\"password\":\"p\"},"
             "\"h/a/b\":{\"username\":\"deep\",\"password\":\"p\"}}}");

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_cred) cred = {0};
        int rc =
            coras_authjson_get(&c, rows[i].registry, rows[i].repository, NULL, NULL, &cred, NULL);
        assert_int_equal(rc, rows[i].username != NULL);
        assert_true(same(cred.username, rows[i].username));
    }
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

static int store_and_get(coras_error **err)
{
    coras_auto_free char *path = coras_path_join(test_dir, "oom.json");
    coras_auto_value(coras_dockerconfig) c = {0};
    coras_auto_value(coras_cred) cred = {0};
    coras_cred typed = {.username = (char[]){"user"}, .password = (char[]){"pass"}};

    if (!path)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_dockerconfig_store(path, "h", &typed, NULL, err));
    CORAS_TRY(coras_dockerconfig_load(path, &c, err));
    int rc = coras_dockerconfig_get(&c, "h", NULL, &cred, err);
    return rc < 0 ? rc : 0;
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(store_and_get);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(lack_of_memory_is_reported),
        FILE_TEST(entries_are_found),
        FILE_TEST(broken_entries_are_errors),
        FILE_TEST(broken_files_are_errors),
        FILE_TEST(values_of_another_type_are_errors),
        FILE_TEST(missing_and_empty_files_hold_nothing),
        FILE_TEST(helpers_are_chosen_per_host),
        FILE_TEST(files_are_rewritten_in_dockers_form),
        FILE_TEST(a_file_is_made_with_its_directory),
        FILE_TEST(a_link_is_kept),
        FILE_TEST(broken_files_are_left_alone),
        FILE_TEST(containers_keys_go_down_to_repositories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
