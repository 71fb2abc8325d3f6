/* SPDX-License-Identifier: Apache-2.0 */
/* The table of layouts that are open, and the verbs that read. */
#include "serve/layouts/layouts.h"

#include <errno.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "codec/json.h"

/* Layouts that stay open while nobody uses them: each is a descriptor and what it is known to hold.
 */
#define IDLE_MAX 64

/* ---- life ---- */

static int check_is_no_layout(int dirfd, const char *path, coras_error **err)
{
    struct stat st;

    if (fstatat(dirfd, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    coras_fail(err, CORAS_ERR_CONFIG, "%s: is a layout itself", path);
    coras_hint(err, "name the directory above it: its name becomes that of a repository");
    return CORAS_ERR_CONFIG;
}

static const struct serve_content_ops layouts_ops;

int serve_layouts_open(const struct serve_layouts_options *options, serve_layouts **ret,
                       coras_error **err)
{
    coras_auto(serve_layouts) t = coras_new(serve_layouts);

    if (!t)
        return coras_fail_no_memory(err);
    (void)pthread_mutex_init(&t->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_mutex_init(&t->walk_lock, NULL);
    t->content = (serve_content){&layouts_ops, !options->writable};
    t->takes_new = options->takes_new;
    t->open = coras_map_new(NULL);
    t->told = coras_map_new(NULL);
    t->dirfd = open(options->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->dirfd < 0)
        return coras_fail_errno(err, errno, "open %s", options->path);
    if (!t->open || !t->told)
        return coras_fail_no_memory(err);
    CORAS_TRY(check_is_no_layout(t->dirfd, options->path, err));
    *ret = coras_steal(&t);
    return 0;
}

static bool free_open(const char *key, void *value, void *user)
{
    (void)key;
    (void)user;
    serve_layout_free(value);
    return true;
}

void serve_layouts_close(serve_layouts *t)
{
    if (!t)
        return;
    if (t->open)
        coras_map_each(t->open, free_open, NULL);
    coras_map_free(t->open);
    coras_map_free(t->told);
    coras_strlist_clear(&t->names);
    coras_close_fd(&t->dirfd);
    (void)pthread_mutex_destroy(&t->lock);
    (void)pthread_mutex_destroy(&t->walk_lock);
    free(t);
}

/* ---- finding ---- */

/* What is no directory, or a link to somewhere, is no layout. */
static int open_directory(serve_layouts *t, const char *name, int *ret, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    int rc = coras_open_beneath(t->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, ret, &why);

    /* IO: what is in the way is a file */
    if (rc == CORAS_ERR_UNSAFE_PATH || rc == CORAS_ERR_IO)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "repository not found");
    coras_error_propagate(err, &why);
    return rc;
}

/* The table's lock is held. */
static void detach(serve_layouts *t, serve_layout *s)
{
    (void)coras_map_remove(t->open, s->name);
    s->is_detached = true;
    if (s->users == 0)
        serve_layout_free(s);
}

struct oldest {
    serve_layout *layout;
};

static bool find_oldest(const char *key, void *value, void *user)
{
    struct oldest *oldest = user;
    serve_layout *s = value;

    (void)key;
    if (s->users == 0 && (!oldest->layout || s->used_ms < oldest->layout->used_ms))
        oldest->layout = s;
    return true;
}

static void make_room(serve_layouts *t)
{
    struct oldest oldest = {NULL};

    if (coras_map_len(t->open) < IDLE_MAX)
        return;
    coras_map_each(t->open, find_oldest, &oldest);
    if (oldest.layout)
        detach(t, oldest.layout);
}

/* The table's lock is held. */
static int find_or_open(serve_layouts *t, const char *name, int *dirfd, serve_layout **ret,
                        coras_error **err)
{
    serve_layout *s = coras_map_get(t->open, name);
    struct stat st;

    if (fstat(*dirfd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    if (s && (s->device != st.st_dev || s->inode != st.st_ino)) {
        detach(t, s);
        s = NULL;
    }
    if (!s) {
        make_room(t);
        CORAS_TRY(serve_layout_new(t, name, dirfd, &s, err));
        if (coras_map_set(t->open, name, s, err) < 0) {
            serve_layout_free(s);
            return CORAS_ERR_NO_MEMORY;
        }
    }
    *ret = s;
    return 0;
}

int serve_layouts_acquire(serve_layouts *t, const char *name, serve_layout **ret, coras_error **err)
{
    coras_auto_fd dirfd = -1;
    int rc;

    CORAS_TRY(open_directory(t, name, &dirfd, err));
    (void)pthread_mutex_lock(&t->lock);
    rc = find_or_open(t, name, &dirfd, ret, err);
    if (rc == 0)
        (*ret)->users++;
    (void)pthread_mutex_unlock(&t->lock);
    return rc;
}

void serve_layouts_release(serve_layout *s)
{
    serve_layouts *t = s ? s->table : NULL;

    if (!s)
        return;
    (void)pthread_mutex_lock(&t->lock);
    s->users--;
    s->used_ms = coras_now_ms();
    if (s->users == 0 && s->is_detached)
        serve_layout_free(s);
    (void)pthread_mutex_unlock(&t->lock);
}

bool serve_layouts_have(serve_layouts *t, const char *name)
{
    coras_auto_fd dirfd = -1;
    struct stat st;

    return open_directory(t, name, &dirfd, NULL) == 0 &&
           fstatat(dirfd, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the verbs that read ---- */

static serve_layouts *table_of(serve_content *c)
{
    return (serve_layouts *)c;
}

static int find_blob(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t *ret_size, coras_error **err)
{
    coras_auto(serve_layout) s = NULL;

    if (!repository)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    CORAS_TRY(serve_layouts_acquire(table_of(c), repository, &s, err));
    /* what was pushed is named by a manifest later */
    return serve_layout_find_blob(s, digest, !c->read_only, ret_size, err);
}

static int open_blob(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t size, serve_open_blob *ret, coras_error **err)
{
    struct coras_layout_blob blob = {.fd = -1};
    coras_auto(serve_layout) s = NULL;
    char path[CORAS_LAYOUT_PATH_MAX];
    int rc;

    CORAS_TRY(serve_layouts_acquire(table_of(c), repository, &s, err));
    rc = coras_layout_open_blob(s->layout, digest, &blob, err);
    if (rc == CORAS_ERR_UNSAFE_PATH)
        rc = coras_error_recode(err, CORAS_ERR_NOT_FOUND);
    if (rc < 0)
        return coras_wrap(err, rc, "layout %s: %s", repository,
                          coras_layout_blob_path(digest, path));
    if (blob.size != size) {
        coras_close_fd(&blob.fd);
        return coras_fail(err, CORAS_ERR_NOT_FOUND,
                          "layout %s: %s: %lld bytes, expected %lld: damaged, or still on its way",
                          repository, coras_layout_blob_path(digest, path), (long long)blob.size,
                          (long long)size);
    }
    ret->fd = blob.fd;
    return 0;
}

/* Nothing collects what lies in a layout. */
static int keep_blob(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t before, coras_error **err)
{
    (void)c;
    (void)repository;
    (void)digest;
    (void)before;
    (void)err;
    return 0;
}

static int get_manifest(serve_content *c, const char *repository, const char *tag,
                        const coras_digest *digest, bool with_content,
                        struct serve_stored_manifest *ret, coras_error **err)
{
    coras_auto(serve_layout) s = NULL;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(serve_layouts_acquire(table_of(c), repository, &s, err));
    CORAS_TRY(tag ? serve_layout_find_tag(s, tag, &desc, err)
                  : serve_layout_find_manifest(s, digest, &desc, err));
    return serve_layout_read_manifest(s, &desc, with_content, ret, err);
}

static int has_repository(serve_content *c, const char *repository, coras_error **err)
{
    coras_auto(serve_layout) s = NULL;

    return serve_layouts_acquire(table_of(c), repository, &s, err);
}

/* One page of a sorted list. */
static int take_page(const coras_strlist *all, const char *last, int64_t limit, coras_strlist *ret,
                     bool *ret_more, coras_error **err)
{
    *ret_more = false;
    for (size_t i = 0; i < all->len; i++) {
        if (last && *last && strcmp(all->items[i], last) <= 0)
            continue;
        if ((int64_t)ret->len >= limit) {
            *ret_more = true;
            return 0;
        }
        CORAS_TRY(coras_strlist_add(ret, all->items[i], err));
    }
    return 0;
}

static int list_tags(serve_content *c, const char *repository, const char *last, int64_t limit,
                     coras_strlist *ret, bool *ret_more, coras_error **err)
{
    coras_auto(serve_layout) s = NULL;
    coras_auto_value(coras_strlist) all = {0};

    CORAS_TRY(serve_layouts_acquire(table_of(c), repository, &s, err));
    CORAS_TRY(serve_layout_tags(s, &all, err));
    return take_page(&all, last, limit, ret, ret_more, err);
}

static int list_repositories(serve_content *c, const char *last, int64_t limit, coras_strlist *ret,
                             bool *ret_more, coras_error **err)
{
    coras_auto_value(coras_strlist) all = {0};

    CORAS_TRY(serve_layouts_list(table_of(c), &all, err));
    return take_page(&all, last, limit, ret, ret_more, err);
}

static bool is_wanted(const coras_descriptor *d, const struct serve_referrers_query *query,
                      const char *digest)
{
    if (query->last && *query->last && strcmp(digest, query->last) <= 0)
        return false;
    return !query->artifact_type ||
           (d->artifact_type && coras_streq(d->artifact_type, query->artifact_type));
}

static int list_referrers(serve_content *c, const struct serve_referrers_query *query,
                          bool (*visit)(const char *descriptor, const char *digest, void *user),
                          void *user, coras_error **err)
{
    coras_auto(serve_layout) s = NULL;
    coras_auto_value(coras_descriptors) found = {0};
    int64_t count = 0;
    int rc = serve_layouts_acquire(table_of(c), query->repository, &s, err);

    if (rc == CORAS_ERR_NOT_FOUND) {
        coras_error_clear(err);
        return 0; /* nobody refers to what is not there */
    }
    if (rc == 0)
        rc = serve_layout_referrers(s, &query->subject, &found, err);
    for (size_t i = 0; rc == 0 && i < found.len && count < query->limit; i++) {
        coras_auto_buf text = CORAS_BUF_UNLIMITED;
        coras_json_writer w = CORAS_JSON_WRITER(&text, 0);
        char digest[CORAS_DIGEST_TEXT_MAX];
        if (!is_wanted(&found.items[i], query, coras_digest_format(&found.items[i].digest, digest)))
            continue;
        coras_descriptor_write(&w, &found.items[i]);
        rc = coras_buf_done(&text, err);
        count++;
        if (rc == 0 && !visit(text.ptr, digest, user))
            break;
    }
    return rc;
}

static const struct serve_content_ops layouts_ops = {
    .find_blob = find_blob,
    .open_blob = open_blob,
    .keep_blob = keep_blob,
    .mount_blob = serve_layouts_mount_blob,
    .unlink_blob = serve_layouts_unlink_blob,
    .take_upload = serve_layouts_take_upload,
    .get_manifest = get_manifest,
    .put_manifest = serve_layouts_put_manifest,
    .delete_manifest = serve_layouts_delete_manifest,
    .delete_tag = serve_layouts_delete_tag,
    .has_repository = has_repository,
    .tags = list_tags,
    .repositories = list_repositories,
    .referrers = list_referrers,
};
