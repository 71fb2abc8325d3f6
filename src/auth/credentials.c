/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the stores, and what was learnt about them: answers of helpers, refused credentials.
 */
#include "auth/credentials.h"

#include <pthread.h>
#include "base/error.h"
#include "base/map.h"
#include "base/str.h"
#include "base/trace.h"
#include "auth/containers_auth.h"

enum { AUTHJSON_FILES = 2 };

struct coras_credentials {
    coras_cred given; /* const after new */
    const coras_cancel *cancel;
    const coras_environment *environment; /* borrowed */
    coras_strlist paths;                  /* docker's files; const after new */
    coras_dockerconfig *docker;           /* as many; const after new */
    size_t docker_count;
    bool named;               /* by registry_configs: no other file counts */
    coras_dockerconfig first; /* REGISTRY_AUTH_FILE; path NULL when unset; const after new */
    pthread_mutex_t lock;
    coras_map *found;       /* lock; "file\nregistry" -> coras_cred of docker's files */
    coras_strlist refused;  /* lock; where spare credentials that a registry refused are from */
    coras_strlist unhelped; /* lock; files whose helper is not installed: told once */
    coras_dockerconfig later[AUTHJSON_FILES]; /* lock; loaded when first needed */
    bool later_loaded;                        /* lock */
};

static void release_cred(void *value)
{
    coras_cred_clear(value);
    free(value);
}

void coras_credentials_free(coras_credentials *c)
{
    if (!c)
        return;
    coras_cred_clear(&c->given);
    for (size_t i = 0; i < c->docker_count; i++)
        coras_dockerconfig_clear(&c->docker[i]);
    free(c->docker);
    coras_strlist_clear(&c->paths);
    coras_strlist_clear(&c->refused);
    coras_strlist_clear(&c->unhelped);
    coras_dockerconfig_clear(&c->first);
    for (size_t i = 0; i < AUTHJSON_FILES; i++)
        coras_dockerconfig_clear(&c->later[i]);
    coras_map_free(c->found);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static const char *non_empty(const char *s)
{
    return s && *s ? s : NULL;
}

static int take_given(const coras_client_options *opts, coras_cred *given, coras_error **err)
{
    const char *username = non_empty(opts->username);
    const char *password = non_empty(opts->password);
    const char *token = non_empty(opts->identity_token);

    if (!username && !token)
        token = password;
    if (!username && !token)
        return 0;
    if (username && !token) {
        given->username = coras_strdup(username);
        given->password = coras_strdup(password ? password : "");
    } else {
        given->refresh_token = coras_strdup(token);
    }
    given->found_in = coras_strdup("the command line");
    bool ok = given->found_in && (given->refresh_token || (given->username && given->password));
    return ok ? 0 : coras_fail_no_memory(err);
}

static int list_paths(const char *const *registry_configs, const coras_environment *environment,
                      coras_strlist *paths, bool *named, coras_error **err)
{
    for (size_t i = 0; registry_configs && registry_configs[i]; i++)
        CORAS_TRY(coras_strlist_add(paths, registry_configs[i], err));
    *named = paths->len > 0;
    if (*named || !environment->docker_config)
        return 0;
    return coras_strlist_add(paths, environment->docker_config, err);
}

static int load_files(coras_credentials *c, coras_error **err)
{
    const char *auth_file = c->environment->auth_file;

    c->docker = coras_calloc(c->paths.len + 1, sizeof(*c->docker));
    if (!c->docker)
        return coras_fail_no_memory(err);
    if (!c->named && auth_file)
        CORAS_TRY(coras_dockerconfig_load(auth_file, &c->first, err));
    for (; c->docker_count < c->paths.len; c->docker_count++)
        CORAS_TRY(coras_dockerconfig_load(c->paths.items[c->docker_count],
                                          &c->docker[c->docker_count], err));
    return 0;
}

int coras_credentials_new(const coras_client_options *opts, coras_credentials **ret,
                          coras_error **err)
{
    coras_auto(coras_credentials) c = coras_new(coras_credentials);

    if (!c)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&c->lock, NULL);
    c->cancel = opts->cancel;
    c->environment = coras_environment_or_none(opts->environment);
    c->found = coras_map_new(release_cred);
    if (!c->found)
        return coras_fail_no_memory(err);
    CORAS_TRY(take_given(opts, &c->given, err));
    CORAS_TRY(list_paths(opts->registry_configs, c->environment, &c->paths, &c->named, err));
    if (coras_cred_is_empty(&c->given))
        CORAS_TRY(load_files(c, err));
    *ret = coras_steal(&c);
    return 0;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? coras_streq(a, b) : a == b;
}

bool coras_credentials_same_given(const coras_credentials *a, const coras_credentials *b)
{
    return is_same(a->given.username, b->given.username) &&
           is_same(a->given.password, b->given.password) &&
           is_same(a->given.refresh_token, b->given.refresh_token);
}

const char *coras_credentials_file(const coras_credentials *c)
{
    return coras_cred_is_empty(&c->given) && c->paths.len == 1 ? c->paths.items[0] : NULL;
}

/* ---- looking up; under the lock ---- */

/* A helper that is not installed has no credential: what is public can be read all the same. */
static int without_helper(coras_credentials *c, const coras_dockerconfig *file, int rc,
                          coras_error **failure, coras_error **err)
{
    if (rc != CORAS_ERR_NOT_FOUND) {
        coras_error_propagate(err, failure);
        return rc;
    }
    if (!coras_strlist_has(&c->unhelped, file->path)) {
        CORAS_TRY(coras_strlist_add(&c->unhelped, file->path, err));
        coras_trace_warning(NULL, "%s: going on without the credentials of %s",
                            coras_error_message(*failure), file->path);
    }
    return 0;
}

/* What a docker file says of a whole registry. */
static int ask_docker_file(coras_credentials *c, const coras_dockerconfig *file,
                           const char *registry, coras_cred *ret, coras_error **err)
{
    const char *key = coras_cred_key(registry);
    coras_auto(coras_error) failure = NULL;

    int rc = coras_dockerconfig_get(file, key, c->cancel, ret, &failure);
    /* Other tools write the Hub's entry under its plain name. */
    if (rc == 0 && !coras_streq(key, registry))
        rc = coras_dockerconfig_get(file, "docker.io", c->cancel, ret, &failure);
    return without_helper(c, file, rc, &failure, err);
}

/* The same, kept once it is known: a helper may be slow. */
static int get_whole(coras_credentials *c, const coras_dockerconfig *file, const char *registry,
                     coras_cred *ret, coras_error **err)
{
    coras_auto_free char *key = coras_asprintf("%s\n%s", file->path, registry);
    coras_cred *known = key ? coras_map_get(c->found, key) : NULL;

    if (!known) {
        known = key ? coras_new(coras_cred) : NULL;
        if (!known)
            return coras_fail_no_memory(err);
        int rc = ask_docker_file(c, file, registry, known, err);
        if (rc >= 0)
            rc = coras_map_set(c->found, key, known, err);
        if (rc < 0) {
            release_cred(known);
            return rc;
        }
    }
    if (coras_cred_is_empty(known))
        return 0;
    CORAS_TRY(coras_cred_copy(known, ret, err));
    return 1;
}

/* An entry for the repository goes before one for the registry, unless a helper is in charge. */
static int get_docker(coras_credentials *c, const coras_dockerconfig *file, const char *registry,
                      const char *repository, coras_cred *ret, coras_error **err)
{
    const char *host = coras_streq(registry, "registry-1.docker.io") ? "docker.io" : registry;
    int rc = 0;

    if (repository && !coras_dockerconfig_helper(file, coras_cred_key(registry)))
        rc = coras_dockerconfig_get_longest(file, host, repository, NULL, ret, err);
    return rc != 0 ? rc : get_whole(c, file, registry, ret, err);
}

/* From a file of the containers tools. Upstream does not read these, so that a stale entry in one
 * must not be in the way of what is public. */
static int get_spare(coras_credentials *c, const coras_dockerconfig *file, const char *registry,
                     const char *repository, coras_cred *ret, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = coras_authjson_get(file, registry, repository, &c->refused, c->cancel, ret, &failure);

    if (rc > 0)
        ret->spare = true;
    return without_helper(c, file, rc, &failure, err);
}

static int load_later(coras_credentials *c, coras_error **err)
{
    const char *paths[AUTHJSON_FILES] = {c->environment->session_auth_file,
                                         c->environment->user_auth_file};

    if (c->later_loaded)
        return 0;
    for (size_t i = 0; i < AUTHJSON_FILES; i++)
        if (paths[i])
            CORAS_TRY(coras_dockerconfig_load(paths[i], &c->later[i], err));
    c->later_loaded = true;
    return 0;
}

static int look_up(coras_credentials *c, const char *registry, const char *repository,
                   coras_cred *ret, coras_error **err)
{
    int rc = 0;

    if (c->first.root)
        rc = get_spare(c, &c->first, registry, repository, ret, err);
    for (size_t i = 0; rc == 0 && i < c->docker_count; i++)
        rc = get_docker(c, &c->docker[i], registry, repository, ret, err);
    if (rc != 0 || c->named)
        return rc;
    CORAS_TRY(load_later(c, err));
    for (size_t i = 0; rc == 0 && i < AUTHJSON_FILES; i++)
        rc = get_spare(c, &c->later[i], registry, repository, ret, err);
    return rc;
}

int coras_credentials_get(coras_credentials *c, const char *registry, const char *repository,
                          coras_cred *ret, coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};

    if (!coras_cred_is_empty(&c->given))
        return coras_cred_copy(&c->given, ret, err);
    pthread_mutex_lock(&c->lock);
    int rc = look_up(c, registry, repository, &cred, err);
    pthread_mutex_unlock(&c->lock);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to resolve credential");
    *ret = cred;
    cred = (coras_cred){0};
    return 0;
}

/* As `c` was when it was new. */
static int read_anew(const coras_credentials *c, coras_credentials *ret, coras_error **err)
{
    ret->environment = c->environment;
    ret->named = c->named;
    ret->found = coras_map_new(release_cred);
    if (!ret->found)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < c->paths.len; i++)
        CORAS_TRY(coras_strlist_add(&ret->paths, c->paths.items[i], err));
    CORAS_TRY(load_files(ret, err));
    return c->named ? 0 : load_later(ret, err);
}

#define SWAP(member)                                                                               \
    do {                                                                                           \
        __typeof__(c->member) before = c->member;                                                  \
        c->member = anew->member;                                                                  \
        anew->member = before;                                                                     \
    } while (0)

/* Under the lock. The paths stay: others hold them. */
static void take_over(coras_credentials *c, coras_credentials *anew)
{
    SWAP(docker);
    SWAP(docker_count);
    SWAP(first);
    SWAP(found);
    SWAP(refused);
    SWAP(unhelped);
    for (size_t i = 0; i < AUTHJSON_FILES; i++)
        SWAP(later[i]);
    SWAP(later_loaded);
}

static bool has_files(const coras_credentials *c)
{
    bool any = c->first.root != NULL;

    for (size_t i = 0; i < c->docker_count; i++)
        any = any || c->docker[i].root;
    for (size_t i = 0; i < AUTHJSON_FILES; i++)
        any = any || c->later[i].root;
    return any;
}

int coras_credentials_reread(coras_credentials *c, coras_error **err)
{
    coras_auto(coras_credentials) anew = NULL;

    if (!coras_cred_is_empty(&c->given))
        return 0;
    anew = coras_new(coras_credentials);
    if (!anew)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&anew->lock, NULL);
    CORAS_TRY(read_anew(c, anew, err));
    pthread_mutex_lock(&c->lock);
    take_over(c, anew);
    bool any = has_files(c);
    pthread_mutex_unlock(&c->lock);
    return any;
}

int coras_credentials_refuse(coras_credentials *c, const coras_cred *cred, coras_error **err)
{
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    if (!coras_strlist_has(&c->refused, cred->found_in)) {
        rc = coras_strlist_add(&c->refused, cred->found_in, err);
        coras_trace_warning(NULL, "the credential from %s was refused: going on without it",
                            cred->found_in);
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* ---- before writing ---- */

static int check_paths(const coras_strlist *paths, coras_error **err)
{
    for (size_t i = 0; i < paths->len; i++) {
        coras_auto_value(coras_dockerconfig) config = {0};
        CORAS_TRY(coras_dockerconfig_load(paths->items[i], &config, err));
    }
    return 0;
}

int coras_credentials_check(const coras_credentials *c, coras_error **err)
{
    return check_paths(&c->paths, err);
}

int coras_credentials_check_files(const char *const *registry_configs,
                                  const coras_environment *environment, coras_error **err)
{
    coras_auto_value(coras_strlist) paths = {0};
    bool named;

    CORAS_TRY(list_paths(registry_configs, environment, &paths, &named, err));
    return check_paths(&paths, err);
}

/* ---- where to write ---- */

int coras_credentials_find_write_path(const char *const *registry_configs,
                                      const coras_environment *environment, char **ret,
                                      coras_error **err)
{
    const char *path = registry_configs && registry_configs[0] ? registry_configs[0]
                       : environment->auth_file                ? environment->auth_file
                                                               : environment->docker_config;

    if (!path)
        return coras_fail(err, CORAS_ERR_CONFIG, "no credential file is known");
    *ret = coras_strdup(path);
    return *ret ? 0 : coras_fail_no_memory(err);
}

int coras_credentials_write_path(const coras_credentials *c, char **ret, coras_error **err)
{
    const char *named[] = {c->named ? c->paths.items[0] : NULL, NULL};

    return coras_credentials_find_write_path(named, c->environment, ret, err);
}
