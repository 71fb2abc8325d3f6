/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading docker's config.json as upstream does, and writing one entry of it.
 */
#include "auth/docker_config.h"

#include "base/error.h"
#include "base/file_lock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "auth/credential_helper.h"
#include "codec/base64.h"

void coras_dockerconfig_clear(coras_dockerconfig *c)
{
    free(c->path);
    coras_json_free(c->root);
    *c = (coras_dockerconfig){0};
}

static int wrong(const char *path, const char *why, coras_error **err)
{
    int rc = coras_fail(err, CORAS_ERR_CONFIG, "failed to decode config file %s: %s", path, why);

    coras_advise_with(err, CORAS_HINT_REPAIR_CONFIG, path);
    return rc;
}

/* What Go's decoder says of text that is no JSON. */
static int not_json(const char *path, const coras_buf *text, const coras_error *cause,
                    coras_error **err)
{
    coras_auto(coras_error) reason = NULL;
    coras_auto_buf why = CORAS_BUF_UNLIMITED;
    const char *words = coras_error_message(cause);

    if (coras_json_check(text->ptr, text->len, &reason) == CORAS_ERR_INVALID_JSON)
        words = coras_error_message(reason);
    coras_buf_printf(&why, "invalid config format: %s", words);
    return wrong(path, why.ptr, err);
}

static const char *gos_name(const coras_json *value)
{
    switch (coras_json_type_of(value)) {
    case CORAS_JSON_OBJECT:
        return "object";
    case CORAS_JSON_ARRAY:
        return "array";
    case CORAS_JSON_STRING:
        return "string";
    case CORAS_JSON_BOOL:
        return "bool";
    default:
        return "number";
    }
}

/* A value of another type must not pass for "no credentials". In upstream's words. */
static int fail_type(const char *field, const coras_json *value, const char *wanted,
                     coras_error **err)
{
    return coras_fail(err, CORAS_ERR_CONFIG,
                      "failed to unmarshal %s field: invalid config format: json: cannot unmarshal "
                      "%s into Go value of type %s",
                      field, gos_name(value), wanted);
}

static bool is_present(const coras_json *value)
{
    return value && coras_json_type_of(value) != CORAS_JSON_NULL;
}

static int check_helpers(const coras_json *helpers, coras_error **err)
{
    const char *key;
    const coras_json *value;
    void *iter = NULL;

    if (!is_present(helpers))
        return 0;
    if (coras_json_type_of(helpers) != CORAS_JSON_OBJECT)
        return fail_type("cred helpers", helpers, "map[string]string", err);
    while (coras_json_next(helpers, &iter, &key, &value))
        if (is_present(value) && coras_json_type_of(value) != CORAS_JSON_STRING)
            return fail_type("cred helpers", value, "string", err);
    return 0;
}

static int check_members(const char *path, const coras_json *root, coras_error **err)
{
    const coras_json *store = coras_json_get(root, "credsStore");
    const coras_json *auths = coras_json_get(root, "auths");
    int rc = 0;

    if (is_present(store) && coras_json_type_of(store) != CORAS_JSON_STRING)
        rc = fail_type("creds store", store, "string", err);
    if (rc == 0)
        rc = check_helpers(coras_json_get(root, "credHelpers"), err);
    if (rc == 0 && is_present(auths) && coras_json_type_of(auths) != CORAS_JSON_OBJECT)
        rc = fail_type("auths", auths, "map[string]json.RawMessage", err);
    if (rc < 0)
        coras_advise_with(err, CORAS_HINT_REPAIR_CONFIG, path);
    return rc;
}

static int parse(const char *path, const coras_buf *text, coras_json **ret, coras_error **err)
{
    coras_auto(coras_error) cause = NULL;
    coras_auto(coras_json) root = NULL;
    coras_auto_buf why = CORAS_BUF_UNLIMITED;

    int rc = coras_json_parse_prefix(text->ptr, text->len, &root, &cause);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (rc < 0)
        return not_json(path, text, cause, err);
    if (!is_present(root))
        return 0;
    if (coras_json_type_of(root) != CORAS_JSON_OBJECT) {
        coras_buf_printf(&why,
                         "invalid config format: json: cannot unmarshal %s into Go value of type "
                         "map[string]json.RawMessage",
                         gos_name(root));
        return wrong(path, why.ptr, err);
    }
    CORAS_TRY(check_members(path, root, err));
    *ret = coras_steal(&root);
    return 0;
}

int coras_dockerconfig_load(const char *path, coras_dockerconfig *ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);
    coras_auto(coras_error) cause = NULL;
    coras_auto_value(coras_dockerconfig) c = {.path = coras_strdup(path)};

    if (!c.path)
        return coras_fail_no_memory(err);
    int rc = coras_read_file(AT_FDCWD, path, CORAS_LIMIT_CONFIG_FILE, &text, &cause);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (rc < 0 && rc != CORAS_ERR_NOT_FOUND)
        return coras_fail(err, CORAS_ERR_CONFIG, "failed to open config file at %s: %s", path,
                          coras_error_message(cause));
    if (rc == 0 && coras_str_trim((coras_str){text.ptr, text.len}).len) {
        rc = parse(path, &text, &c.root, err);
        coras_wipe(text.ptr, text.len);
        CORAS_TRY(rc);
    }
    *ret = c;
    c = (coras_dockerconfig){0};
    return 0;
}

const char *coras_dockerconfig_helper(const coras_dockerconfig *c, const char *key)
{
    const char *helper = coras_json_get_string(coras_json_get(c->root, "credHelpers"), key);

    if (!helper || !*helper)
        helper = coras_json_get_string(c->root, "credsStore");
    return helper && *helper ? helper : NULL;
}

/* "https://host/v1/" and "host/v2/" are of "host"; "host/team" is of a part of it only: false. */
static bool key_is_of_host(const char *key, const char *host)
{
    static const char *const whole[] = {"", "/", "/v1", "/v1/", "/v2", "/v2/"};
    bool is_url = coras_str_starts(key, "http://") || coras_str_starts(key, "https://");
    const char *start = is_url ? strstr(key, "://") + 3 : key;
    size_t len = strcspn(start, "/");

    if (!coras_str_eq((coras_str){start, len}, host))
        return false;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(whole); i++)
        if (coras_streq(start + len, whole[i]))
            return true;
    return is_url;
}

static const coras_json *find_entry(const coras_json *auths, const char *key)
{
    const coras_json *entry = coras_json_get(auths, key);
    void *iter = NULL;
    const char *other;
    const coras_json *value;

    if (entry)
        return entry;
    while (auths && coras_json_next(auths, &iter, &other, &value))
        if (key_is_of_host(other, key))
            return value;
    return NULL;
}

/* The offset that Go names for text that is no base64. */
static size_t bad_base64_at(const char *text)
{
    size_t at = 0;

    while (coras_is_alnum(text[at]) || text[at] == '+' || text[at] == '/')
        at++;
    return at;
}

/* "auth" holds base64 of "user:password". */
static int decode_auth(const char *auth, coras_cred *cred, coras_error **err)
{
    coras_auto_buf pair = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);

    bool decoded = coras_base64_decode(&pair, auth, strlen(auth));
    CORAS_TRY(coras_buf_done(&pair, err));
    if (!decoded)
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "failed to decode auth field: invalid config format: illegal base64 "
                          "data at input byte %zu",
                          bad_base64_at(auth));
    while (pair.len && pair.ptr[pair.len - 1] == '\0')
        coras_buf_truncate(&pair, pair.len - 1);
    const char *colon = memchr(pair.ptr, ':', pair.len);
    if (!colon || memchr(pair.ptr, '\0', pair.len))
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "failed to decode auth field: invalid config format: auth '%s' does not "
                          "conform the base64 encoding of username:password",
                          "*****");
    coras_free_secret(cred->username);
    coras_free_secret(cred->password);
    cred->username = coras_strndup(pair.ptr, (size_t)(colon - pair.ptr));
    cred->password = coras_strdup(colon + 1);
    coras_wipe(pair.ptr, pair.len);
    return cred->username && cred->password ? 0 : coras_fail_no_memory(err);
}

static int copy_member(const coras_json *entry, const char *name, char **ret, coras_error **err)
{
    const char *text = coras_json_get_string(entry, name);

    if (!text || !*text)
        return 0;
    *ret = coras_strdup(text);
    return *ret ? 0 : coras_fail_no_memory(err);
}

int coras_dockerconfig_entry(const coras_json *auths, const char *key, coras_cred *ret,
                             coras_error **err)
{
    coras_auto_value(coras_cred) cred = {0};
    const coras_json *entry = find_entry(auths, key);
    const char *auth = coras_json_get_string(entry, "auth");

    if (!is_present(entry))
        return 0;
    if (coras_json_type_of(entry) != CORAS_JSON_OBJECT)
        return fail_type("auth", entry, "config.AuthConfig", err);
    CORAS_TRY(copy_member(entry, "username", &cred.username, err));
    CORAS_TRY(copy_member(entry, "password", &cred.password, err));
    CORAS_TRY(copy_member(entry, "identitytoken", &cred.refresh_token, err));
    CORAS_TRY(copy_member(entry, "registrytoken", &cred.access_token, err));
    if (auth && *auth)
        CORAS_TRY(decode_auth(auth, &cred, err));
    if (coras_cred_is_empty(&cred))
        return 0; /* docker's marker for "logged in through a helper" */
    *ret = cred;
    cred = (coras_cred){0};
    return 1;
}

int coras_dockerconfig_get(const coras_dockerconfig *c, const char *key, const coras_cancel *cancel,
                           coras_cred *ret, coras_error **err)
{
    const char *helper = coras_dockerconfig_helper(c, key);
    int found = helper ? coras_helper_get(helper, key, cancel, ret, err)
                       : coras_dockerconfig_entry(coras_json_get(c->root, "auths"), key, ret, err);

    if (found > 0) {
        ret->found_in =
            helper ? coras_asprintf("docker-credential-%s under the key \"%s\"", helper, key)
                   : coras_asprintf("%s under the key \"%s\"", c->path, key);
        if (!ret->found_in) {
            coras_cred_clear(ret);
            return coras_fail_no_memory(err);
        }
    }
    return found;
}

static int name_source(const coras_dockerconfig *c, const char *key, coras_cred *cred,
                       coras_error **err)
{
    cred->found_in = coras_asprintf("%s under the key \"%s\"", c->path, key);
    if (cred->found_in)
        return 1;
    coras_cred_clear(cred);
    return coras_fail_no_memory(err);
}

int coras_dockerconfig_get_longest(const coras_dockerconfig *c, const char *host,
                                   const char *repository, const coras_strlist *refused,
                                   coras_cred *ret, coras_error **err)
{
    const coras_json *auths = coras_json_get(c->root, "auths");
    coras_auto_free char *key =
        repository ? coras_asprintf("%s/%s", host, repository) : coras_strdup(host);

    if (!key)
        return coras_fail_no_memory(err);
    for (;;) {
        coras_auto_value(coras_cred) cred = {0};
        int rc = coras_dockerconfig_entry(auths, key, &cred, err);
        if (rc > 0)
            rc = name_source(c, key, &cred, err);
        CORAS_TRY(rc);
        if (rc > 0 && !(refused && coras_strlist_has(refused, cred.found_in))) {
            *ret = cred;
            cred = (coras_cred){0};
            return 1;
        }
        char *slash = strrchr(key, '/');
        if (!slash)
            return 0;
        *slash = '\0';
    }
}

/* ---- writing ---- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The object's keys and `extra` (may be NULL), sorted, none twice. Free the list, not the keys. */
static const char **sorted_keys(const coras_json *object, const char *extra, size_t *ret_n)
{
    const char **keys = coras_calloc(coras_json_len(object) + 2, sizeof(*keys));
    void *iter = NULL;
    const char *key;
    const coras_json *value;
    size_t n = 0;

    if (!keys)
        return NULL;
    while (object && coras_json_next(object, &iter, &key, &value))
        if (!extra || !coras_streq(key, extra))
            keys[n++] = key;
    if (extra)
        keys[n++] = extra;
    qsort(keys, n, sizeof(*keys), compare_keys);
    *ret_n = n;
    return keys;
}

static void write_entry(coras_json_writer *w, const coras_cred *cred)
{
    coras_auto_buf pair = CORAS_BUF_UNLIMITED;
    coras_auto_buf auth = CORAS_BUF_UNLIMITED;

    coras_jw_object(w);
    if (cred->username && *cred->username) {
        coras_buf_printf(&pair, "%s:%s", cred->username, cred->password ? cred->password : "");
        coras_base64_put(&auth, pair.ptr, pair.len);
        coras_jw_member(w, "auth", auth.ptr);
        if (pair.failed || auth.failed)
            w->out->failed = CORAS_ERR_NO_MEMORY;
        coras_wipe(pair.ptr, pair.len);
        coras_wipe(auth.ptr, auth.len);
    }
    coras_jw_member_opt(w, "identitytoken", cred->refresh_token);
    coras_jw_member_opt(w, "registrytoken", cred->access_token);
    coras_jw_end_object(w);
}

static int write_auths(coras_json_writer *w, const coras_json *auths, const char *key,
                       const coras_cred *cred, coras_error **err)
{
    size_t n;
    coras_auto_free const char **keys = sorted_keys(auths, cred ? key : NULL, &n);

    if (!keys)
        return coras_fail_no_memory(err);
    coras_jw_object(w);
    for (size_t i = 0; i < n; i++) {
        bool ours = coras_streq(keys[i], key);
        if (ours && !cred)
            continue;
        coras_jw_key(w, keys[i]);
        if (ours)
            write_entry(w, cred);
        else
            coras_jw_value(w, coras_json_get(auths, keys[i]), false);
    }
    coras_jw_end_object(w);
    return 0;
}

static int render(const coras_dockerconfig *c, const char *key, const coras_cred *cred,
                  coras_buf *out, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, -1);
    size_t n;
    coras_auto_free const char **keys = sorted_keys(c->root, "auths", &n);

    if (!keys)
        return coras_fail_no_memory(err);
    coras_jw_object(&w);
    for (size_t i = 0; i < n; i++) {
        coras_jw_key(&w, keys[i]);
        if (coras_streq(keys[i], "auths"))
            CORAS_TRY(write_auths(&w, coras_json_get(c->root, "auths"), key, cred, err));
        else
            coras_jw_value(&w, coras_json_get(c->root, keys[i]), false);
    }
    coras_jw_end_object(&w);
    return coras_buf_done(out, err);
}

static int make_parent(const char *path, coras_error **err)
{
    const char *slash = strrchr(path, '/');

    if (!slash || slash == path)
        return 0;
    coras_auto_free char *dir = coras_strndup(path, (size_t)(slash - path));
    if (!dir)
        return coras_fail_no_memory(err);
    return coras_mkdir_all(AT_FDCWD, dir, 0700, err);
}

/*
 * Several of us may do this at once: the file is read again under a lock on its directory, so that
 * nobody's entry is lost. (The lock is not on the file, which is replaced.)
 */
static int store_in_file(const char *path, const char *key, const coras_cred *cred,
                         const coras_cancel *cancel, coras_error **err)
{
    __attribute__((cleanup(coras_replacement_clear))) struct coras_replacement file =
        CORAS_REPLACEMENT_INIT;
    coras_auto_value(coras_dockerconfig) c = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (cred && cred->username && strchr(cred->username, ':'))
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "bad credential format: colons(:) are not allowed in username");
    CORAS_TRY(make_parent(path, err));
    CORAS_TRY(coras_replacement_open(AT_FDCWD, path, 0600, &file, err));
    CORAS_TRY(coras_file_lock(file.dir, path, cancel, err));
    CORAS_TRY(coras_dockerconfig_load(path, &c, err));
    CORAS_TRY(render(&c, key, cred, &text, err));
    int rc = coras_write_full(file.fd, text.ptr, text.len, err);
    coras_wipe(text.ptr, text.len);
    if (rc < 0)
        return coras_wrap(err, rc, "%s", file.path);
    return coras_replacement_commit(&file, true, err);
}

static bool has_entry(const coras_dockerconfig *c, const char *key)
{
    return coras_json_get(coras_json_get(c->root, "auths"), key) != NULL;
}

/* To write, a helper that is not installed is a fault of the configuration. */
static int store_in_helper(const char *helper, const char *key, const coras_cred *cred,
                           const coras_cancel *cancel, coras_error **err)
{
    int rc = cred ? coras_helper_store(helper, key, cred, cancel, err)
                  : coras_helper_erase(helper, key, cancel, err);

    return rc == CORAS_ERR_NOT_FOUND ? coras_error_recode(err, CORAS_ERR_CONFIG) : rc;
}

int coras_dockerconfig_store(const char *path, const char *key, const coras_cred *cred,
                             const coras_cancel *cancel, coras_error **err)
{
    coras_auto_value(coras_dockerconfig) c = {0};

    CORAS_TRY(coras_dockerconfig_load(path, &c, err));
    const char *helper = coras_dockerconfig_helper(&c, key);
    if (helper)
        return store_in_helper(helper, key, cred, cancel, err);
    return cred || has_entry(&c, key) ? store_in_file(path, key, cred, cancel, err) : 0;
}
