/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place of the library that reads environment variables, and only when it is asked to.
 */
#include "base/environment.h"

#include <stddef.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"

/* Every member that is a string. */
static const size_t strings[] = {
    offsetof(coras_environment, docker_config),     offsetof(coras_environment, auth_file),
    offsetof(coras_environment, session_auth_file), offsetof(coras_environment, user_auth_file),
    offsetof(coras_environment, http_proxy),        offsetof(coras_environment, https_proxy),
    offsetof(coras_environment, no_proxy),          offsetof(coras_environment, authorities_file),
    offsetof(coras_environment, authorities_dir),   offsetof(coras_environment, temporary_dir),
    offsetof(coras_environment, cache_dir),         offsetof(coras_environment, hub_cache),
    offsetof(coras_environment, ollama_models),
};

static char **string_at(coras_environment *e, size_t i)
{
    return (char **)(void *)((char *)e + strings[i]);
}

void coras_environment_free(coras_environment *environment)
{
    if (!environment)
        return;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(strings); i++)
        free(*string_at(environment, i));
    free(environment);
}

const coras_environment *coras_environment_or_none(const coras_environment *given)
{
    static const coras_environment none = CORAS_ENVIRONMENT_INIT;

    return given ? given : &none;
}

/* Replace borrowed strings by copies, so that all of them can be freed. */
static bool own_strings(coras_environment *e)
{
    bool ok = true;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(strings); i++) {
        char **text = string_at(e, i);
        if (!*text)
            continue;
        *text = ok ? coras_strdup(*text) : NULL;
        ok = ok && *text;
    }
    return ok;
}

int coras_environment_dup(const coras_environment *from, coras_environment **ret, coras_error **err)
{
    coras_environment *copy = coras_new(coras_environment);

    if (!copy)
        return coras_fail_no_memory(err);
    from = coras_environment_or_none(from);
    memcpy(copy, from, from->size < sizeof(*copy) ? from->size : sizeof(*copy));
    copy->size = sizeof(*copy);
    if (!own_strings(copy)) {
        coras_environment_free(copy);
        return coras_fail_no_memory(err);
    }
    *ret = copy;
    return 0;
}

/* ---- reading ---- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static const char *any_case(const char *upper, const char *lower)
{
    const char *value = variable(upper);

    return value ? value : variable(lower);
}

/* Empty variables count as missing, and relative ones where the convention says so. */
static const char *absolute(const char *name)
{
    const char *value = variable(name);

    return value && value[0] == '/' ? value : NULL;
}

/* directory/name, or without a directory other/other_name; NULL without both. False: no memory. */
static bool join_first(const char *directory, const char *name, const char *other,
                       const char *other_name, char **ret)
{
    if (!directory && !other)
        return true;
    *ret = directory ? coras_path_join(directory, name) : coras_path_join(other, other_name);
    return *ret != NULL;
}

static int stall_timeout_s(void)
{
    const char *text = variable("ORAS_HTTP_TIMEOUT");
    int64_t seconds;

    if (text && coras_parse_int64(coras_str_of(text), &seconds) && seconds > 0 &&
        seconds <= INT32_MAX / 1000)
        return (int)seconds;
    return 0;
}

/* As https://reproducible-builds.org/specs/source-date-epoch/ has it, up to the year 9999. */
static int64_t source_date_s(void)
{
    const char *text = variable("SOURCE_DATE_EPOCH");
    int64_t seconds;

    if (text && coras_parse_int64(coras_str_of(text), &seconds) && seconds <= 253402300799)
        return seconds;
    return 0;
}

/* As the hub's clients look for it. */
static bool hub_cache(char **ret)
{
    const char *home = variable("HF_HOME");

    if (variable("HF_HUB_CACHE"))
        return (*ret = coras_strdup(variable("HF_HUB_CACHE"))) != NULL;
    if (home)
        return (*ret = coras_path_join(home, "hub")) != NULL;
    return join_first(variable("XDG_CACHE_HOME"), "huggingface/hub", variable("HOME"),
                      ".cache/huggingface/hub", ret);
}

int coras_environment_load(coras_environment **ret, coras_error **err)
{
    const char *home = variable("HOME"), *runtime = variable("XDG_RUNTIME_DIR");
    coras_auto_free char *docker = NULL, *session = NULL, *user = NULL, *cache = NULL;
    coras_auto_free char *hub = NULL, *ollama = NULL;
    coras_auto_free char *system = coras_asprintf("/run/containers/%u", (unsigned)getuid());

    if (!ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "no place for the environment");
    if (!system ||
        !join_first(variable("DOCKER_CONFIG"), "config.json", home, ".docker/config.json",
                    &docker) ||
        !join_first(runtime, "containers/auth.json", system, "auth.json", &session) ||
        !join_first(variable("XDG_CONFIG_HOME"), "containers/auth.json", home,
                    ".config/containers/auth.json", &user) ||
        !join_first(absolute("XDG_CACHE_HOME"), "coras", absolute("HOME"), ".cache/coras",
                    &cache) ||
        !hub_cache(&hub) ||
        !join_first(variable("OLLAMA_MODELS"), ".", home, ".ollama/models", &ollama))
        return coras_fail_no_memory(err);
    const coras_environment read = {
        .size = sizeof(read),
        .docker_config = docker,
        .auth_file = variable("REGISTRY_AUTH_FILE"),
        .session_auth_file = session,
        .user_auth_file = user,
        .http_proxy = any_case("HTTP_PROXY", "http_proxy"),
        .https_proxy = any_case("HTTPS_PROXY", "https_proxy"),
        .no_proxy = any_case("NO_PROXY", "no_proxy"),
        .authorities_file = variable("SSL_CERT_FILE"),
        .authorities_dir = variable("SSL_CERT_DIR"),
        .temporary_dir = variable("TMPDIR"),
        .cache_dir = cache,
        .hub_cache = hub,
        .ollama_models = ollama,
        .stall_timeout_s = stall_timeout_s(),
        .source_date_s = source_date_s(),
    };
    return coras_environment_dup(&read, ret, err);
}

/* ---- stores ---- */

bool coras_environment_store(struct coras_store_environment *ret)
{
    const char *file = variable("AWS_SHARED_CREDENTIALS_FILE"), *home = variable("HOME");

    *ret = (struct coras_store_environment){
        .key_id = variable("AWS_ACCESS_KEY_ID"),
        .secret = variable("AWS_SECRET_ACCESS_KEY"),
        .token = variable("AWS_SESSION_TOKEN"),
        .profile = variable("AWS_PROFILE"),
    };
    if (file)
        return (ret->credentials_file = coras_strdup(file)) != NULL;
    return join_first(NULL, NULL, home, ".aws/credentials", &ret->credentials_file);
}

/* ---- accounts ---- */

void coras_environment_account(struct coras_account_environment *ret)
{
    *ret = (struct coras_account_environment){
        .home = absolute("HOME"),
        .registries_conf = absolute("CONTAINERS_REGISTRIES_CONF"),
    };
}

/* ---- services ---- */

static int64_t number(const char *name)
{
    const char *text = variable(name);
    int64_t value = 0;

    return text && coras_parse_int64(coras_str_of(text), &value) ? value : 0;
}

void coras_environment_service(struct coras_service_environment *ret)
{
    int64_t self = (int64_t)getpid();
    bool watched = !variable("WATCHDOG_PID") || number("WATCHDOG_PID") == self;
    int64_t sockets = number("LISTEN_PID") == self ? number("LISTEN_FDS") : 0;

    *ret = (struct coras_service_environment){
        .notify_socket = variable("NOTIFY_SOCKET"),
        .watchdog_ms = watched ? number("WATCHDOG_USEC") / 1000 : 0,
        .sockets = sockets < INT32_MAX ? (int)sockets : INT32_MAX,
    };
}
