/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding models in the caches of the Hugging Face hub's clients and of Ollama (sources.h).
 */
#include "ops/models/sources.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/package.h"
#include "ops/hub_cache.h"
#include "ops/models/ollama_store.h"

/* ---- the hub's cache ---- */

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The commit that a revision's file holds, or the revision itself where a snapshot has its name. */
static int find_commit(const char *repository, const char *revision, char **ret, coras_error **err)
{
    coras_auto_free char *file = coras_asprintf("%s/refs/%s", repository, revision);
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_COMPONENT);

    if (!file)
        return coras_fail_no_memory(err);
    if (coras_read_file(AT_FDCWD, file, CORAS_LIMIT_COMPONENT, &text, NULL) < 0) {
        *ret = coras_strdup(revision);
        return *ret ? 0 : coras_fail_no_memory(err);
    }
    coras_str commit = coras_str_trim((coras_str){text.ptr, text.len});
    *ret = coras_strndup(commit.ptr, commit.len);
    return *ret ? 0 : coras_fail_no_memory(err);
}

/* A name that stays below the directory that it is put behind. */
static bool is_inside(const char *name)
{
    coras_auto_free char *clean = coras_path_clean(name);

    return clean && *name && *name != '/' && coras_streq(clean, name) &&
           !coras_str_starts(clean, "..") && !coras_streq(clean, ".");
}

static int find_snapshot(const char *repository, const char *revision, char **ret,
                         coras_error **err)
{
    coras_auto_free char *commit = NULL;

    if (!is_inside(revision))
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "no revision has such a name");
    CORAS_TRY(find_commit(repository, revision, &commit, err));
    coras_auto_free char *path = coras_asprintf("%s/snapshots/%s", repository, commit);
    if (!path)
        return coras_fail_no_memory(err);
    if (!is_inside(commit) || !is_directory(path))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s has no snapshot of revision %s", repository,
                          revision);
    *ret = coras_steal(&path);
    return 0;
}

/* "<owner>/<name>" as the directory that the cache has for it. */
static char *repository_path(const char *cache, coras_str name)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED;
    char *ret = NULL;

    coras_buf_printf(&path, "%s/models--", cache);
    for (size_t i = 0; i < name.len; i++)
        coras_buf_puts(&path, name.ptr[i] == '/' ? "--" : (char[]){name.ptr[i], '\0'});
    return coras_buf_take(&path, &ret, NULL) == 0 ? ret : NULL;
}

static int read_repository(const char *repository, const char *revision,
                           const coras_selection *selection, const coras_cancel *cancel,
                           coras_model_dir *ret, coras_error **err)
{
    coras_auto_free char *snapshot = NULL;

    CORAS_TRY(find_snapshot(repository, revision, &snapshot, err));
    return coras_model_dir_read(snapshot, selection, cancel, ret, err);
}

/* "<owner>/<name>[@<revision>]", where the environment says that the cache is. */
static int read_named(const char *text, const coras_environment *env,
                      const coras_selection *selection, const coras_cancel *cancel,
                      coras_model_dir *ret, coras_error **err)
{
    const char *at = strchr(text, '@');
    coras_str name = {text, at ? (size_t)(at - text) : strlen(text)};
    coras_auto_free char *plain = coras_strndup(name.ptr, name.len);
    coras_auto_free char *shown = coras_escape_dup(text);

    if (!plain || !shown)
        return coras_fail_no_memory(err);
    if (!env->hub_cache || !is_inside(plain))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s: no such directory or model", shown);
    coras_auto_free char *repository = repository_path(env->hub_cache, name);
    if (!repository)
        return coras_fail_no_memory(err);
    if (!is_directory(repository))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s: neither a directory nor a model in %s",
                          shown, env->hub_cache);
    return read_repository(repository, at ? at + 1 : "main", selection, cancel, ret, err);
}

static int read_directory_or_repository(const char *path, const coras_selection *selection,
                                        const coras_cancel *cancel, coras_model_dir *ret,
                                        coras_error **err)
{
    coras_auto_free char *absolute = coras_path_abs(path);

    if (!absolute)
        return coras_fail_no_memory(err);
    coras_auto_free char *snapshots = coras_path_join(absolute, "snapshots");
    if (snapshots && coras_hub_is_repository(coras_path_base(absolute)) && is_directory(snapshots))
        return read_repository(absolute, "main", selection, cancel, ret, err);
    return coras_model_dir_read(path, selection, cancel, ret, err);
}

/* ---- Ollama's store ---- */

struct ollama_model {
    int store;
    const coras_selection *selection;
    coras_model_dir *ret;
};

static int check_blob(int fd, const coras_package_entry *entry, coras_error **err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat");
    if (!S_ISREG(st.st_mode) || st.st_size != entry->desc->size)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "has %lld bytes, the manifest says %lld",
                          (long long)st.st_size, (long long)entry->desc->size);
    return 0;
}

static int add_entry(struct ollama_model *m, const coras_package_entry *entry, coras_error **err)
{
    coras_auto_free char *path = coras_ollama_blob_path(&entry->desc->digest);

    if (!coras_selection_matches(m->selection, entry->path, entry->desc->media_type))
        return 0;
    if (!path)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED_DIGEST, "%s: not named by a sha256",
                          entry->path);
    coras_auto_fd fd = openat(m->store, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    int rc = check_blob(fd, entry, err);
    if (rc < 0)
        return coras_wrap(err, rc, "%s", path);
    if (coras_vec_grow(&m->ret->files, 1) < 0)
        return coras_fail_no_memory(err);
    struct coras_model_dir_file file = {.path = coras_strdup(entry->path),
                                        .size = entry->desc->size,
                                        .has_expected = true,
                                        .expected = entry->desc->digest};
    if (!file.path)
        return coras_fail_no_memory(err);
    file.fd = fd;
    fd = -1;
    m->ret->files.items[m->ret->files.len++] = file;
    return 0;
}

static int read_package(struct ollama_model *m, const coras_manifest *manifest, coras_error **err)
{
    coras_auto_value(coras_package) package = {0};

    CORAS_TRY(coras_package_read(manifest, NULL, 0, &package, err));
    coras_vec_foreach (entry, &package.entries)
        CORAS_TRY(add_entry(m, entry, err));
    if (m->ret->files.len == 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "no file to push");
    return 0;
}

static int read_ollama(const char *name, const coras_environment *env,
                       const coras_selection *selection, coras_model_dir *ret, coras_error **err)
{
    coras_auto_free char *path = NULL;
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) manifest = {0};
    coras_auto_value(coras_model_dir) dir = {0};

    CORAS_TRY(coras_ollama_manifest_path(name, &path, err));
    if (!env->ollama_models)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "nobody says where Ollama's models are");
    coras_auto_fd store = open(env->ollama_models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store < 0)
        return coras_fail_errno(err, errno, "open %s", env->ollama_models);
    struct ollama_model m = {store, selection, &dir};
    CORAS_TRY(coras_read_file(store, path, CORAS_LIMIT_MANIFEST, &text, err));
    int rc = coras_manifest_parse(text.ptr, text.len, CORAS_MT_DOCKER_MANIFEST, &manifest, err);
    if (rc == 0)
        rc = read_package(&m, &manifest, err);
    if (rc < 0)
        return coras_wrap(err, rc, "%s", path);
    *ret = dir;
    dir = (coras_model_dir){0};
    return 0;
}

/* ---- all of them ---- */

static int read_source(const char *source, const coras_environment *env,
                       const coras_selection *selection, const coras_cancel *cancel,
                       coras_model_dir *ret, coras_error **err)
{
    static const char hub[] = "hf:", ollama[] = "ollama:";

    if (coras_str_starts(source, ollama))
        return read_ollama(source + sizeof(ollama) - 1, env, selection, ret, err);
    if (!coras_str_starts(source, hub))
        return read_directory_or_repository(source, selection, cancel, ret, err);
    source += sizeof(hub) - 1;
    if (is_directory(source))
        return read_directory_or_repository(source, selection, cancel, ret, err);
    return read_named(source, env, selection, cancel, ret, err);
}

int coras_model_source_read(const char *source, const coras_environment *env,
                            const coras_selection *selection, const coras_cancel *cancel,
                            coras_model_dir *ret, coras_error **err)
{
    int rc = read_source(source, env, selection, cancel, ret, err);

    if (rc < 0)
        coras_error_set_party(err, CORAS_PARTY_LOCAL);
    return rc;
}
