/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of verbs of a layout, and opening one.
 */
#include "layout/layout.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "gospell/quote.h"
#include "oci/digest.h"
#include "oci/manifest_shape.h"
#include "oci/mediatype.h"

static struct coras_layout *layout_of(coras_target *t)
{
    return (struct coras_layout *)t;
}

static void layout_close(coras_target *t)
{
    struct coras_layout *l = layout_of(t);
    coras_layout_graph_free(l->graph);
    coras_layout_index_clear(&l->index);
    coras_layout_tar_free(l->tar);
    coras_close_fd(&l->dirfd);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- references ---- */

/* A name gives the entry as it stands, a digest the plain triple. */
static int resolve_in_index(const struct coras_layout_index *index, const char *reference,
                            coras_digest *digest, coras_descriptor *ret, coras_error **err)
{
    const struct coras_layout_entry *entry = coras_layout_index_by_tag(index, reference);
    if (entry && entry->desc.digest.algorithm == CORAS_DIGEST_NONE)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED_DIGEST, "unsupported digest algorithm");
    if (entry)
        return coras_descriptor_copy(ret, &entry->desc, err);
    if (coras_digest_parse(reference, digest, NULL) < 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
    entry = coras_layout_index_by_digest(index, digest);
    if (!entry)
        return CORAS_ERR_NOT_FOUND; /* without words: the blobs are still to be asked */
    return coras_descriptor_set(ret, entry->desc.media_type, digest, entry->desc.size, err);
}

static int layout_resolve(coras_target *t, const char *reference, coras_descriptor *ret,
                          coras_error **err)
{
    struct coras_layout *l = layout_of(t);
    coras_digest digest = {0};
    (void)pthread_mutex_lock(&l->lock);
    int rc = coras_layout_load_index(l, err);
    if (rc == 0)
        rc = resolve_in_index(&l->index, reference, &digest, ret, err);
    (void)pthread_mutex_unlock(&l->lock);
    if (rc == CORAS_ERR_NOT_FOUND && digest.algorithm != CORAS_DIGEST_NONE)
        return coras_layout_resolve_blob(t, &digest, ret, err);
    return rc;
}

static int layout_fetch_manifest(coras_target *t, const char *reference, const char *accept,
                                 coras_descriptor *ret, coras_buf *bytes, coras_error **err)
{
    (void)accept; /* there is nothing to negotiate with */
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(layout_resolve(t, reference, &desc, err));
    CORAS_TRY(coras_layout_read_blob(layout_of(t), &desc, CORAS_LIMIT_MANIFEST, bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

/* ---- manifests and tags ---- */

/* A reference that is the manifest's own digest is no name. */
static bool is_name(const char *reference)
{
    coras_digest digest;
    return reference && *reference && coras_digest_parse(reference, &digest, NULL) < 0;
}

static int list_in_index(struct coras_layout *l, const coras_descriptor *desc,
                         const char *reference, coras_error **err)
{
    CORAS_TRY(coras_layout_sync_names(l, err));
    CORAS_TRY(coras_layout_begin_change(l, err));
    int rc = is_name(reference) ? coras_layout_index_tag(&l->index, desc, reference, err)
                                : coras_layout_index_add(&l->index, desc, err);
    if (rc == 0)
        rc = coras_layout_save_index(l, err);
    coras_layout_end_change(l, rc < 0);
    return rc;
}

static int check_bytes(const coras_descriptor *desc, const char *reference, const void *data,
                       coras_error **err)
{
    coras_digest got, asked;
    CORAS_TRY(coras_digest_of(desc->digest.algorithm, data, (size_t)desc->size, &got, err));
    bool right = coras_digest_equal(&got, &desc->digest);
    if (right && reference && coras_digest_parse(reference, &asked, NULL) == 0)
        right = asked.algorithm != got.algorithm || coras_digest_equal(&asked, &got);
    return right ? 0 : coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest");
}

/* A layout whose manifests cannot be read cannot be walked. */
static int check_readable(const coras_descriptor *desc, const void *data, coras_error **err)
{
    coras_auto_buf compact = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    if (!coras_media_type_is_manifest(desc->media_type))
        return 0;
    int rc = coras_json_compact(data, (size_t)desc->size, &compact, err);
    if (rc == 0)
        rc = coras_manifest_check_shape(data, (size_t)desc->size, desc->media_type, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to push content") : 0;
}

static int layout_push_manifest(coras_target *t, const coras_descriptor *desc, const void *data,
                                const char *reference, coras_error **err)
{
    struct coras_layout *l = layout_of(t);
    coras_auto_buf stored = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    CORAS_TRY(check_bytes(desc, reference, data, err));
    CORAS_TRY(check_readable(desc, data, err));
    /* What is there already may be damaged: it is small enough to look. */
    int rc = coras_layout_read_blob(l, desc, CORAS_LIMIT_MANIFEST, &stored, NULL);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (rc < 0) {
        /* Where a manifest is found, all below it is taken to be there. */
        CORAS_TRY(coras_layout_sync_names(l, err));
        CORAS_TRY(coras_layout_store_bytes(l, &desc->digest, data, (size_t)desc->size, err));
    }
    return list_in_index(l, desc, reference, err);
}

static int layout_tag(coras_target *t, const coras_descriptor *desc, const void *data CORAS_UNUSED,
                      const char *reference, coras_error **err)
{
    bool exists = false;
    CORAS_TRY(coras_layout_exists(t, desc, &exists, err));
    if (!exists) {
        char digest[CORAS_DIGEST_TEXT_MAX];
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s: not found",
                          coras_digest_format(&desc->digest, digest));
    }
    return list_in_index(layout_of(t), desc, reference, err);
}

static int collect_tags(const struct coras_layout_index *index, const char *last,
                        coras_strlist *ret, coras_error **err)
{
    coras_vec_foreach (entry, &index->entries) {
        const char *tag = coras_layout_entry_tag(entry);
        if (is_name(tag) && (!last || strcmp(tag, last) > 0))
            CORAS_TRY(coras_strlist_add(ret, tag, err));
    }
    coras_strlist_sort(ret);
    return 0;
}

static int layout_tags(coras_target *t, const char *last,
                       bool (*visit)(const char *tag, void *user), void *user, coras_error **err)
{
    struct coras_layout *l = layout_of(t);
    coras_auto_value(coras_strlist) tags = {0};
    (void)pthread_mutex_lock(&l->lock);
    int rc = coras_layout_load_index(l, err);
    if (rc == 0)
        rc = collect_tags(&l->index, last, &tags, err);
    (void)pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; rc == 0 && i < tags.len; i++) {
        bool again = i > 0 && strcmp(tags.items[i], tags.items[i - 1]) == 0;
        if (!again && !visit(tags.items[i], user))
            break;
    }
    return rc;
}

/* ---- the graph ---- */

/* l->lock is held and the index is loaded. */
static int need_graph(struct coras_layout *l, coras_error **err)
{
    return l->graph ? 0 : coras_layout_graph_new(l, &l->index, &l->graph, err);
}

static int layout_referrers(coras_target *t, const coras_descriptor *desc,
                            const char *artifact_type,
                            bool (*visit)(const coras_descriptor *d, void *user), void *user,
                            coras_error **err)
{
    struct coras_layout *l = layout_of(t);
    coras_auto_value(coras_descriptors) found = {0};
    (void)pthread_mutex_lock(&l->lock);
    int rc = coras_layout_load_index(l, err);
    if (rc == 0)
        rc = need_graph(l, err);
    if (rc == 0)
        rc = coras_layout_graph_referrers(l->graph, &desc->digest, &found, err);
    (void)pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; rc == 0 && i < found.len; i++) {
        const coras_descriptor *d = &found.items[i];
        bool wanted = !artifact_type || !*artifact_type ||
                      (d->artifact_type && strcmp(d->artifact_type, artifact_type) == 0);
        if (wanted && !visit(d, user))
            break;
    }
    return rc;
}

/* First the names go, then the content: index.json never names what is not there. */
static int remove_manifest(struct coras_layout *l, const coras_descriptor *desc, coras_error **err)
{
    coras_auto_value(coras_descriptors) garbage = {0};
    CORAS_TRY(need_graph(l, err));
    CORAS_TRY(coras_layout_graph_garbage(l->graph, &l->index, &desc->digest, &garbage, err));
    if (garbage.len == 0) /* not listed, so nothing hangs on it */
        CORAS_TRY(coras_descriptors_add(&garbage, desc, err));
    coras_vec_foreach (d, &garbage) {
        (void)coras_layout_index_remove(&l->index, &d->digest); /* blobs are not listed */
    }
    CORAS_TRY(coras_layout_save_index(l, err));
    coras_vec_foreach (d, &garbage) {
        coras_auto(coras_error) why = NULL;
        int rc = coras_layout_remove_blob(l, &d->digest, &why);
        if (rc < 0 && rc != CORAS_ERR_NOT_FOUND) {
            coras_error_propagate(err, &why);
            return rc;
        }
    }
    return 0;
}

static int layout_remove(coras_target *t, const coras_descriptor *desc, coras_error **err)
{
    struct coras_layout *l = layout_of(t);
    coras_auto_value(coras_descriptor) there = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(coras_layout_begin_change(l, err));
    int rc = coras_layout_resolve_blob(t, &desc->digest, &there, err);
    bool manifest = desc->media_type && coras_media_type_is_manifest(desc->media_type);
    if (rc == 0 && (manifest || coras_layout_index_by_digest(&l->index, &desc->digest)))
        rc = remove_manifest(l, desc, err);
    else if (rc == 0)
        rc = coras_layout_remove_blob(l, &desc->digest, err);
    /* Deleting has used up the graph's counts, saved or not. */
    coras_layout_graph_free(l->graph);
    l->graph = NULL;
    coras_layout_end_change(l, rc < 0);
    return rc;
}

int coras_layout_untag(struct coras_layout *l, const char *tag, coras_error **err)
{
    CORAS_TRY(coras_layout_begin_change(l, err));
    int rc = coras_layout_index_untag(&l->index, tag)
                 ? coras_layout_save_index(l, err)
                 : coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
    coras_layout_end_change(l, rc < 0);
    return rc;
}

static const coras_target_ops layout_ops = {
    .kind = "oci-layout",
    .one_store = true,
    .close = layout_close,
    .resolve = layout_resolve,
    .fetch_manifest = layout_fetch_manifest,
    .fetch = coras_layout_fetch,
    .resolve_blob = coras_layout_resolve_blob,
    .exists = coras_layout_exists_whole,
    .push_blob = coras_layout_push_blob,
    .push_manifest = layout_push_manifest,
    .tag = layout_tag,
    .tags = layout_tags,
    .referrers = layout_referrers,
    .remove = layout_remove,
    .open_local = coras_layout_open_local,
    .land = coras_layout_land,
    .set_part = coras_layout_set_part,
};

/* ---- opening ---- */

static int open_for_writing(struct coras_layout *l, const char *path, coras_error **err)
{
    coras_auto_free char *absolute = coras_path_abs(path);
    if (!absolute)
        return coras_fail_no_memory(err);
    unsigned made = coras_missing_dirs(absolute);
    CORAS_TRY(coras_mkdir_all(AT_FDCWD, absolute, 0777, err));
    l->dirfd = open(absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l->dirfd < 0)
        return coras_fail_errno(err, errno, "open %s", absolute);
    CORAS_TRY(coras_layout_create(l, err));
    return coras_sync_parents(absolute, made, err);
}

static int open_for_reading(struct coras_layout *l, const char *path, coras_error **err)
{
    struct stat st;
    coras_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int rc = coras_fail_errno(err, errno, "stat %s", path);
        coras_auto_free char *quoted = coras_go_quote_dup(path);
        return coras_wrap(err, rc, "failed to find path %s", quoted ? quoted : "");
    }
    if (S_ISDIR(st.st_mode)) {
        l->dirfd = fd;
        fd = -1;
    } else if (S_ISREG(st.st_mode)) {
        CORAS_TRY(coras_layout_tar_open(&fd, path, &l->tar, err));
    } else {
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: neither a directory nor a file", path);
    }
    return coras_layout_check_version(l, err);
}

static struct coras_layout *new_layout(void)
{
    struct coras_layout *l = coras_new(struct coras_layout);
    if (!l)
        return NULL;
    l->target.ops = &layout_ops;
    l->dirfd = -1;
    (void)pthread_mutex_init(&l->lock, NULL); /* cannot fail with default attributes */
    return l;
}

int coras_layout_open_at(int *dirfd, struct coras_layout **ret, coras_error **err)
{
    struct stat st;
    if (fstatat(*dirfd, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return coras_fail_errno(err, errno, "stat oci-layout");
    struct coras_layout *l = new_layout();
    if (!l)
        return coras_fail_no_memory(err);
    l->dirfd = *dirfd;
    int rc = coras_layout_check_version(l, err);
    if (rc < 0) {
        l->dirfd = -1;
        layout_close(&l->target);
        return rc;
    }
    *dirfd = -1;
    *ret = l;
    return 0;
}

int coras_layout_open(const char *path, enum coras_layout_mode mode, coras_target **ret,
                      coras_error **err)
{
    if (!path || !ret)
        return coras_missing_argument(err);
    struct coras_layout *l = new_layout();
    if (!l)
        return coras_fail_no_memory(err);
    int rc = mode == CORAS_LAYOUT_WRITE ? open_for_writing(l, path, err)
                                        : open_for_reading(l, path, err);
    if (rc == 0)
        rc = coras_layout_load_index(l, err);
    if (rc < 0) {
        layout_close(&l->target);
        return rc;
    }
    *ret = &l->target;
    return 0;
}
