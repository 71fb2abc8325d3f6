/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two small files of a layout, oci-layout and index.json, and the lock for changing them.
 */
#include "layout/layout.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/file_lock.h"
#include "base/fs.h"
#include "base/limits.h"

#define VERSION_FILE "{\"imageLayoutVersion\":\"1.0.0\"}"

enum {
    VERSION_FILE_MAX = 64 * CORAS_KIB,
    /* A writer of Go's truncates and writes in place: half a file may be seen for a moment. */
    READ_TRIES = 5,
    READ_PAUSE_MS = 50,
};

/* ---- reading by name, in either form ---- */

static int read_member(const struct coras_layout *l, const char *name, size_t limit, coras_buf *ret,
                       coras_error **err)
{
    int64_t offset, size;
    size_t got = 0;
    if (!coras_layout_tar_find(l->tar, name, &offset, &size))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "open %s: file does not exist", name);
    if ((uint64_t)size > limit)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "%s: %lld bytes exceed the limit of %zu", name,
                          (long long)size, limit);
    coras_buf_reset(ret);
    if (!coras_buf_reserve(ret, (size_t)size))
        return coras_buf_done(ret, err);
    CORAS_TRY(
        coras_pread_full(coras_layout_tar_fd(l->tar), ret->ptr, (size_t)size, offset, &got, err));
    ret->len = got;
    return 0;
}

/* `ret_stat` tells whether it is the same file next time; zero for archives, which never change. */
static int read_by_name(const struct coras_layout *l, const char *name, size_t limit,
                        coras_buf *ret, struct stat *ret_stat, coras_error **err)
{
    if (l->tar) {
        memset(ret_stat, 0, sizeof(*ret_stat));
        return read_member(l, name, limit, ret, err);
    }
    /* The state before reading: a change meanwhile is seen as one next time. */
    if (fstatat(l->dirfd, name, ret_stat, 0) < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    return coras_read_file(l->dirfd, name, limit, ret, err);
}

/* ---- oci-layout ---- */

static int check_version_text(const coras_buf *text, coras_error **err)
{
    coras_auto(coras_json) doc = NULL;
    int parsed = coras_json_parse_prefix(text->ptr, text->len, &doc, NULL);
    if (parsed == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (parsed < 0) {
        coras_auto_buf ignored = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) why = NULL;
        int rc = coras_json_compact(text->ptr, text->len, &ignored, &why);
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "invalid OCI Image Layout: failed to decode OCI layout file: %s",
                          rc < 0 ? coras_error_message(why) : "invalid JSON");
    }
    const char *version = coras_json_get_string(doc, "imageLayoutVersion");
    if (!version || strcmp(version, "1.0.0") != 0)
        return coras_fail(err, CORAS_ERR_CONFIG, "invalid OCI Image Layout: unsupported version");
    return 0;
}

int coras_layout_check_version(const struct coras_layout *l, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(VERSION_FILE_MAX);
    coras_auto(coras_error) why = NULL;
    struct stat st;
    int rc = read_by_name(l, "oci-layout", VERSION_FILE_MAX, &text, &st, &why);
    if (rc < 0) {
        coras_error_propagate(err, &why);
        if (rc == CORAS_ERR_NOT_FOUND)
            rc = coras_error_recode(err, CORAS_ERR_CONFIG);
        return coras_wrap(err, rc, "invalid OCI Image Layout: failed to open OCI layout file");
    }
    return check_version_text(&text, err);
}

/* ---- index.json ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool is_current(const struct coras_layout *l)
{
    struct stat st;
    if (!l->index_loaded || l->tar)
        return l->index_loaded;
    return fstatat(l->dirfd, "index.json", &st, 0) == 0 && same_file(&st, &l->index_stat);
}

static void take_index(struct coras_layout *l, struct coras_layout_index *index,
                       const struct stat *st)
{
    coras_layout_index_clear(&l->index);
    coras_layout_graph_free(l->graph);
    l->graph = NULL;
    l->index = *index;
    l->index_stat = *st;
    l->index_loaded = true;
    l->index_age++;
}

static int read_index(struct coras_layout *l, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_INDEX_JSON);
    struct coras_layout_index index = {0};
    struct stat st;
    int rc = read_by_name(l, "index.json", CORAS_LIMIT_INDEX_JSON, &text, &st, err);
    if (rc < 0)
        return coras_wrap(err, rc, "invalid OCI Image Index: failed to open index file");
    CORAS_TRY(coras_layout_index_parse(text.ptr, text.len, &index, err));
    take_index(l, &index, &st);
    return 0;
}

int coras_layout_load_index(struct coras_layout *l, coras_error **err)
{
    if (is_current(l))
        return 0;
    for (int left = READ_TRIES - 1;; left--) {
        coras_auto(coras_error) why = NULL;
        int rc = read_index(l, &why);
        if (rc == CORAS_ERR_CONFIG && left > 0 && !l->tar) {
            CORAS_TRY(coras_cancel_sleep_ms(NULL, READ_PAUSE_MS, err));
            continue;
        }
        coras_error_propagate(err, &why);
        return rc == CORAS_ERR_NOT_FOUND ? coras_error_recode(err, CORAS_ERR_CONFIG) : rc;
    }
}

/* ---- changing ---- */

static int lock_directory(const struct coras_layout *l, coras_error **err)
{
    int rc = coras_file_lock(l->dirfd, "the layout", NULL, err);

    return rc > 0 ? coras_fail_errno(err, ENOLCK, "lock the layout") : rc;
}

static int create_file(const struct coras_layout *l, const char *name, const char *text,
                       coras_error **err)
{
    struct stat st;
    if (fstatat(l->dirfd, name, &st, 0) == 0 || errno != ENOENT)
        return 0; /* reading it will tell */
    return coras_write_file_not_through(l->dirfd, name, text, strlen(text), 0666, err);
}

int coras_layout_create(const struct coras_layout *l, coras_error **err)
{
    CORAS_TRY(lock_directory(l, err));
    int rc = create_file(l, "oci-layout", VERSION_FILE, err);
    if (rc == 0 && mkdirat(l->dirfd, "blobs", 0777) < 0 && errno != EEXIST)
        rc = coras_fail_errno(err, errno, "mkdir blobs");
    if (rc == 0) /* before anything is added to a layout of another version */
        rc = coras_layout_check_version(l, err);
    if (rc == 0)
        rc = create_file(l, "index.json", CORAS_LAYOUT_EMPTY_INDEX, err);
    (void)flock(l->dirfd, LOCK_UN);
    return rc;
}

int coras_layout_begin_change(struct coras_layout *l, coras_error **err)
{
    if (l->tar)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "a layout in a tar archive cannot be written");
    (void)pthread_mutex_lock(&l->lock);
    int rc = lock_directory(l, err);
    if (rc == 0) {
        rc = coras_layout_load_index(l, err);
        if (rc < 0)
            (void)flock(l->dirfd, LOCK_UN);
    }
    if (rc < 0)
        (void)pthread_mutex_unlock(&l->lock);
    return rc;
}

int coras_layout_save_index(struct coras_layout *l, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_INDEX_JSON);
    CORAS_TRY(coras_layout_index_write(&l->index, &text, err));
    CORAS_TRY(coras_write_file_not_through(l->dirfd, "index.json", text.ptr, text.len, 0666, err));
    coras_layout_graph_free(l->graph);
    l->graph = NULL;
    l->index_age++;
    if (fstatat(l->dirfd, "index.json", &l->index_stat, 0) < 0)
        l->index_loaded = false; /* read again when it is wanted */
    return 0;
}

void coras_layout_end_change(struct coras_layout *l, bool failed)
{
    if (failed)
        l->index_loaded = false;
    (void)flock(l->dirfd, LOCK_UN);
    (void)pthread_mutex_unlock(&l->lock);
}
