/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the environment of a process means, and that nothing is made of a missing or empty variable.
 */
#include "support.h"
#include "base/environment.h"
#include "base/str.h"

static const char *const names[] = {
    "DOCKER_CONFIG",
    "HOME",
    "REGISTRY_AUTH_FILE",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TMPDIR",
    "ORAS_HTTP_TIMEOUT",
    "SOURCE_DATE_EPOCH",
    "HF_HUB_CACHE",
    "HF_HOME",
    "OLLAMA_MODELS",
};

static int empty_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        unsetenv(names[i]);
    return 0;
}

static coras_environment *load(void)
{
    coras_environment *env = NULL;

    assert_int_equal(coras_environment_load(&env, NULL), 0);
    assert_int_equal(env->size, sizeof(*env));
    return env;
}

static void nothing_comes_of_nothing(void **state)
{
    (void)state;
    setenv("TMPDIR", "", 1);
    setenv("HTTPS_PROXY", "", 1);
    coras_auto(coras_environment) env = load();
    assert_null(env->docker_config);
    assert_null(env->auth_file);
    assert_true(coras_str_starts(env->session_auth_file, "/run/containers/"));
    assert_null(env->user_auth_file);
    assert_null(env->https_proxy);
    assert_null(env->temporary_dir);
    assert_null(env->cache_dir);
    assert_int_equal(env->stall_timeout_s, 0);
    assert_int_equal(env->source_date_s, 0);
}

static void files_are_below_home_unless_said_otherwise(void **state)
{
    (void)state;
    setenv("HOME", "/h", 1);
    setenv("XDG_CACHE_HOME", "relative", 1);
    coras_auto(coras_environment) home = load();
    assert_string_equal(home->docker_config, "/h/.docker/config.json");
    assert_string_equal(home->user_auth_file, "/h/.config/containers/auth.json");
    assert_string_equal(home->cache_dir, "/h/.cache/coras");
    assert_string_equal(home->ollama_models, "/h/.ollama/models");

    setenv("DOCKER_CONFIG", "/d", 1);
    setenv("XDG_CONFIG_HOME", "/c", 1);
    setenv("XDG_RUNTIME_DIR", "/r", 1);
    setenv("XDG_CACHE_HOME", "/x", 1);
    coras_auto(coras_environment) said = load();
    assert_string_equal(said->docker_config, "/d/config.json");
    assert_string_equal(said->user_auth_file, "/c/containers/auth.json");
    assert_string_equal(said->session_auth_file, "/r/containers/auth.json");
    assert_string_equal(said->cache_dir, "/x/coras");
}

static void capitals_win(void **state)
{
    (void)state;
    setenv("http_proxy", "small", 1);
    setenv("https_proxy", "small", 1);
    setenv("HTTPS_PROXY", "capital", 1);
    coras_auto(coras_environment) env = load();
    assert_string_equal(env->http_proxy, "small");
    assert_string_equal(env->https_proxy, "capital");
}

static void timeouts_are_positive_seconds(void **state)
{
    static const struct {
        const char *text;
        int seconds;
    } rows[] = {{"7", 7}, {"0", 0}, {"-1", 0}, {"x", 0}, {"2147483", 2147483}, {"2147484", 0}};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        setenv("ORAS_HTTP_TIMEOUT", rows[i].text, 1);
        coras_auto(coras_environment) env = load();
        assert_int_equal(env->stall_timeout_s, rows[i].seconds);
    }
}

static void copies_outlive_their_source(void **state)
{
    char text[] = "proxy:1";
    const coras_environment mine = {.size = sizeof(mine), .http_proxy = text};
    coras_auto(coras_environment) copy = NULL;
    coras_auto(coras_environment) none = NULL;

    (void)state;
    assert_int_equal(coras_environment_dup(&mine, &copy, NULL), 0);
    memset(text, 'x', sizeof(text) - 1);
    assert_string_equal(copy->http_proxy, "proxy:1");
    assert_int_equal(coras_environment_dup(NULL, &none, NULL), 0);
    assert_null(none->http_proxy);
    assert_int_equal(coras_environment_load(NULL, NULL), CORAS_ERR_INVALID_ARGUMENT);
}

static void every_failed_allocation_is_an_error(void **state)
{
    bool reached = true;

    (void)state;
    setenv("HOME", "/h", 1);
    for (long n = 0; reached; n++) {
        coras_environment *env = NULL;
        coras_alloc_fail_at(n);
        int rc = coras_environment_load(&env, NULL);
        reached = coras_alloc_fail_reached();
        coras_alloc_fail_at(-1);
        assert_int_equal(rc, reached ? CORAS_ERR_NO_MEMORY : 0);
        coras_environment_free(env);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_comes_of_nothing, empty_environment),
        cmocka_unit_test_setup(files_are_below_home_unless_said_otherwise, empty_environment),
        cmocka_unit_test_setup(capitals_win, empty_environment),
        cmocka_unit_test_setup(timeouts_are_positive_seconds, empty_environment),
        cmocka_unit_test(copies_outlive_their_source),
        cmocka_unit_test_setup(every_failed_allocation_is_an_error, empty_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
