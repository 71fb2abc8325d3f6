/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of `models/` in a cache (cache.h).
 */
#include "ops/models/cache.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"

#define MODELS "models"
#define NAMES  "names"

enum { NAME_LIMIT = 2 * CORAS_LIMIT_PATH };

void coras_model_cache_clear(coras_model_cache *c)
{
    coras_close_fd(&c->fd);
    free(c->path);
    c->path = NULL;
}

int coras_cache_directory(const char *given, const char *user_cache_dir, char **ret,
                          coras_error **err)
{
    coras_auto_free char *usual = NULL;

    if (!given && !user_cache_dir)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "no directory for a cache is known");
    if (!given && !(usual = coras_path_join(user_cache_dir, "content")))
        return coras_fail_no_memory(err);
    *ret = coras_path_abs(given ? given : usual);
    return *ret ? 0 : coras_fail_no_memory(err);
}

int coras_model_cache_open(const char *cache, bool make, coras_model_cache *ret, coras_error **err)
{
    coras_auto_value(coras_model_cache) c = CORAS_MODEL_CACHE_INIT;

    c.path = coras_path_join(cache, MODELS);
    if (!c.path)
        return coras_fail_no_memory(err);
    if (make)
        CORAS_TRY(coras_mkdir_all(AT_FDCWD, c.path, 0777, err));
    c.fd = open(c.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c.fd < 0)
        return coras_fail_errno(err, errno, "open %s", c.path);
    *ret = c;
    c = (coras_model_cache)CORAS_MODEL_CACHE_INIT;
    return 0;
}

char *coras_model_name(const coras_digest *digest, const char *suffix,
                       char name[static CORAS_MODEL_NAME_MAX])
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    (void)snprintf(name, CORAS_MODEL_NAME_MAX, "%s-%s%s",
                   coras_digest_algorithm_name(digest->algorithm), coras_digest_hex(digest, hex),
                   suffix);
    return name;
}

int coras_model_open_beside(const coras_model_cache *c, const coras_digest *digest,
                            const char *suffix)
{
    char name[CORAS_MODEL_NAME_MAX];

    return openat(c->fd, coras_model_name(digest, suffix, name),
                  O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
}

bool coras_model_cache_look(const coras_model_cache *c, const coras_digest *digest,
                            coras_model_tree *ret)
{
    char name[CORAS_MODEL_NAME_MAX];
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MODEL_RECORD);
    coras_auto_value(coras_model_tree) tree = {0};

    if (coras_read_file(c->fd, coras_model_name(digest, CORAS_MODEL_RECORD, name),
                        CORAS_LIMIT_MODEL_RECORD, &text, NULL) < 0 ||
        !coras_model_tree_read_record(text.ptr, text.len, &tree))
        return false;
    coras_auto_fd dirfd = openat(c->fd, coras_model_name(digest, "", name),
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dirfd < 0 || !coras_model_tree_is_intact(dirfd, &tree))
        return false;
    *ret = tree;
    tree = (coras_model_tree){0};
    return true;
}

int coras_model_cache_remove(const coras_model_cache *c, const coras_digest *digest,
                             coras_error **err)
{
    /* The record first: without it nobody believes the directory. */
    static const char *const suffixes[] = {CORAS_MODEL_RECORD, "", CORAS_MODEL_PARTIAL};
    char name[CORAS_MODEL_NAME_MAX];

    for (size_t i = 0; i < CORAS_ARRAY_LEN(suffixes); i++)
        CORAS_TRY(coras_remove_all(c->fd, coras_model_name(digest, suffixes[i], name), err));
    return 0;
}

/* ---- names ---- */

/* "names/<hex>"; empty when out of memory. */
static const char *path_of_name(const char *name, char path[static CORAS_MODEL_NAME_MAX])
{
    coras_digest digest;
    char hex[CORAS_DIGEST_TEXT_MAX];

    *path = '\0';
    if (coras_digest_of(CORAS_SHA256, name, strlen(name), &digest, NULL) == 0)
        (void)snprintf(path, CORAS_MODEL_NAME_MAX, NAMES "/%s", coras_digest_hex(&digest, hex));
    return path;
}

static int add_name(int dirfd, const char *file, coras_strlist *ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(NAME_LIMIT);

    if (coras_read_file(dirfd, file, NAME_LIMIT, &text, NULL) < 0 || !strchr(text.ptr, '\n'))
        return 0; /* none of ours */
    return coras_strlist_addn(ret, text.ptr, strcspn(text.ptr, "\n"), err);
}

int coras_model_cache_names(const coras_model_cache *c, coras_strlist *ret, coras_error **err)
{
    coras_auto_value(coras_strlist) files = {0};
    coras_auto_fd dirfd = openat(c->fd, NAMES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (dirfd < 0)
        return errno == ENOENT ? 0 : coras_fail_errno(err, errno, "open %s/" NAMES, c->path);
    CORAS_TRY(coras_list_directory(dirfd, NAMES, &files, err));
    for (size_t i = 0; i < files.len; i++)
        CORAS_TRY(add_name(dirfd, files.items[i], ret, err));
    return 0;
}

bool coras_model_cache_recall(const coras_model_cache *c, const char *name, coras_digest *ret)
{
    char path[CORAS_MODEL_NAME_MAX];
    coras_auto_buf text = CORAS_BUF_INIT(NAME_LIMIT);

    if (coras_read_file(c->fd, path_of_name(name, path), NAME_LIMIT, &text, NULL) < 0)
        return false;
    char *end = strchr(text.ptr, '\n');
    if (!end)
        return false;
    *end = '\0';
    return coras_streq(text.ptr, name) && coras_digest_parse(end + 1, ret, NULL) == 0;
}

void coras_model_cache_remember(const coras_model_cache *c, const char *name,
                                const coras_digest *digest)
{
    char path[CORAS_MODEL_NAME_MAX], text[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf line = CORAS_BUF_INIT(NAME_LIMIT);
    coras_digest known;

    if (coras_model_cache_recall(c, name, &known) && coras_digest_equal(&known, digest))
        return;
    coras_buf_printf(&line, "%s\n%s", name, coras_digest_format(digest, text));
    (void)mkdirat(c->fd, NAMES, 0777);
    if (coras_buf_done(&line, NULL) == 0 &&
        coras_write_file_atomic(c->fd, path_of_name(name, path), line.ptr, line.len, 0666, NULL) <
            0)
        return; /* the next call asks the registry, which is no harm */
}
