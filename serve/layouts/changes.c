/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushes into layouts and deletions from them, by the layout's own writer: other programs that
 * write there at the same time are kept out by its lock, and readers see whole files.
 */
#include "serve/layouts/layouts.h"

#include <errno.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"

static serve_layouts *table_of(serve_content *c)
{
    return (serve_layouts *)c;
}

/* ---- new layouts ---- */

/* Below a layout these are its own. */
static bool is_taken(const char *name)
{
    static const char *const own[] = {"blobs", "ingest", "index.json", "oci-layout"};

    for (const char *at = strchr(name, '/'); at; at = strchr(at + 1, '/')) {
        coras_str part = {at + 1, strcspn(at + 1, "/")};
        for (size_t i = 0; i < CORAS_ARRAY_LEN(own); i++) {
            if (coras_str_eq(part, own[i]))
                return true;
        }
    }
    return false;
}

/* Something of another kind, a file for example, where the layout would lie. */
static bool is_blocked(int parent, const char *last)
{
    struct stat st;

    return fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode);
}

static int make_layout(serve_layouts *t, const char *name, coras_error **err)
{
    struct coras_layout made = {.dirfd = -1};
    coras_auto_fd parent = -1, dirfd = -1;
    const char *last = NULL;

    if (is_taken(name))
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                          "%s: a name that layouts use themselves", name);
    CORAS_TRY(coras_open_parent_beneath(t->dirfd, name, 0777, &parent, &last, err));
    if (is_blocked(parent, last))
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "%s: a file of this name is in the way",
                          name);
    if (mkdirat(parent, last, 0777) < 0 && errno != EEXIST)
        return coras_fail_errno(err, errno, "mkdir %s", name);
    CORAS_TRY(coras_fsync(parent, name, err));
    CORAS_TRY(
        coras_open_beneath(parent, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &dirfd, err));
    made.dirfd = dirfd;
    return coras_layout_create(&made, err);
}

int serve_layouts_make(serve_layouts *t, const char *name, serve_layout **ret, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    int rc = serve_layouts_acquire(t, name, ret, &why);

    if (rc == CORAS_ERR_NOT_FOUND && t->takes_new) {
        CORAS_TRY(make_layout(t, name, err));
        return serve_layouts_acquire(t, name, ret, err);
    }
    coras_error_propagate(err, &why);
    return rc;
}

/* ---- blobs ---- */

/* By a copy, where the upload lies on another file system. */
static int copy_blob(serve_layout *s, int fd, const coras_digest *digest, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_file_bytes file = {fd, "the upload"};
    coras_source source;
    struct stat st;
    int rc;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat the upload");
    CORAS_TRY(coras_descriptor_set(&desc, CORAS_MT_OCTET_STREAM, digest, st.st_size, err));
    source = coras_source_file(&file, st.st_size);
    rc = s->layout->target.ops->push_blob(
        &s->layout->target, &(coras_blob_push){.desc = &desc, .source = &source}, err);
    return rc < 0 ? rc : coras_layout_sync_names(s->layout, err);
}

struct layout_place {
    serve_layout *layout;
    const coras_digest *digest;
};

static int move_to_layout(void *user, int uploads_fd, const char *name, int fd, coras_error **err)
{
    const struct layout_place *place = user;
    struct coras_layout *l = place->layout->layout;
    coras_auto_value(coras_landing) landing = {.dirfd = -1};
    const coras_descriptor desc = {.digest = *place->digest};

    CORAS_TRY(l->target.ops->land(&l->target, &desc, &landing, err));
    if (renameat(uploads_fd, name, landing.dirfd, landing.partial) < 0) {
        if (errno != EXDEV)
            return coras_fail_errno(err, errno, "rename %s", name);
        CORAS_TRY(copy_blob(place->layout, fd, place->digest, err));
        (void)unlinkat(uploads_fd, name, 0); /* expires with other uploads if it cannot go */
        return 0;
    }
    if (fchmod(fd, landing.mode) < 0)
        return coras_fail_errno(err, errno, "chmod %s", landing.partial);
    CORAS_TRY(coras_fsync(fd, landing.partial, err));
    CORAS_TRY(landing.commit(&landing, err));
    return coras_layout_sync_names(l, err);
}

int serve_layouts_take_upload(serve_content *c, serve_sessions *sessions, serve_session **s,
                              const coras_digest *digest, coras_error **err)
{
    coras_auto(serve_layout) layout = NULL;
    struct layout_place to = {.digest = digest};
    const struct serve_session_place place = {.move = move_to_layout, .user = &to};

    CORAS_TRY(serve_layouts_make(table_of(c), (*s)->repository, &layout, err));
    to.layout = layout;
    return serve_session_publish(sessions, s, digest, &place, err);
}

int serve_layouts_mount_blob(serve_content *c, const char *from, const char *repository,
                             const coras_digest *digest, coras_error **err)
{
    coras_auto(serve_layout) source = NULL;
    coras_auto(serve_layout) layout = NULL;
    struct coras_layout_blob blob = {.fd = -1};
    coras_auto_fd fd = -1;

    if (!from)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    CORAS_TRY(serve_layouts_acquire(table_of(c), from, &source, err));
    CORAS_TRY(coras_layout_open_blob(source->layout, digest, &blob, err));
    fd = blob.fd;
    CORAS_TRY(serve_layouts_make(table_of(c), repository, &layout, err));
    return copy_blob(layout, fd, digest, err);
}

int serve_layouts_unlink_blob(serve_content *c, const char *repository, const coras_digest *digest,
                              coras_error **err)
{
    coras_auto(serve_layout) s = NULL;

    CORAS_TRY(serve_layouts_acquire(table_of(c), repository, &s, err));
    return coras_layout_remove_blob(s->layout, digest, err);
}

/* ---- manifests ---- */

static int check_child(serve_layout *s, const coras_descriptor *child, coras_digest *ret_missing,
                       coras_error **err)
{
    bool is_there = false;

    if (serve_metadata_is_foreign(child))
        return 0;
    CORAS_TRY(coras_layout_exists(&s->layout->target, child, &is_there, err));
    if (is_there)
        return 0;
    *ret_missing = child->digest;
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
}

static int check_children(serve_layout *s, const struct serve_manifest_put *put,
                          coras_digest *ret_missing, coras_error **err)
{
    if (!put->check_children || !put->parsed)
        return 0;
    if (put->parsed->has_config)
        CORAS_TRY(check_child(s, &put->parsed->config, ret_missing, err));
    coras_vec_foreach (child, &put->parsed->layers)
        CORAS_TRY(check_child(s, child, ret_missing, err));
    return 0;
}

int serve_layouts_put_manifest(serve_content *c, const struct serve_manifest_put *put,
                               coras_digest *ret_missing, coras_error **err)
{
    coras_auto(serve_layout) s = NULL;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    size_t count = put->tags ? put->tags->len : 0;
    coras_target *t;

    CORAS_TRY(serve_layouts_make(table_of(c), put->repository, &s, err));
    CORAS_TRY(check_children(s, put, ret_missing, err));
    CORAS_TRY(coras_descriptor_set(&desc, put->media_type, &put->digest, (int64_t)put->size, err));
    t = &s->layout->target;
    if (count == 0)
        return t->ops->push_manifest(t, &desc, put->content, NULL, err);
    for (size_t i = 0; i < count; i++)
        CORAS_TRY(t->ops->push_manifest(t, &desc, put->content, put->tags->items[i], err));
    return 0;
}

int serve_layouts_delete_manifest(serve_content *c, const char *repository,
                                  const coras_digest *digest, coras_error **err)
{
    coras_auto(serve_layout) s = NULL;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_target *t;

    CORAS_TRY(serve_layouts_acquire(table_of(c), repository, &s, err));
    CORAS_TRY(serve_layout_find_manifest(s, digest, &desc, err));
    t = &s->layout->target;
    return t->ops->remove(t, &desc, err);
}

int serve_layouts_delete_tag(serve_content *c, const char *repository, const char *tag,
                             coras_error **err)
{
    coras_auto(serve_layout) s = NULL;

    CORAS_TRY(serve_layouts_acquire(table_of(c), repository, &s, err));
    return coras_layout_untag(s->layout, tag, err);
}
