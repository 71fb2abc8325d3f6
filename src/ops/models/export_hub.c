/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model in the cache of the Hugging Face hub's clients (hub_cache.h), so that they find it
 * without the network.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/vec.h"
#include "oci/digest.h"
#include "ops/hub_cache.h"
#include "ops/models/export.h"

enum { COMMIT_DIGITS = 40 };

struct hub_export {
    struct coras_model_export *x;
    struct coras_export_files files;
    char *repository; /* "models--<owner>--<name>" */
    char commit[COMMIT_DIGITS + 1];
    int blobs;
};

static void hub_export_clear(struct hub_export *h)
{
    free(h->files.items);
    free(h->repository);
    coras_close_fd(&h->blobs);
}

/* ---- names ---- */

static bool is_name_byte(char c)
{
    return coras_is_alnum(c) || c == '-' || c == '_' || c == '.';
}

/* "<owner>/<name>" or "<name>"; what the hub would not take could be another directory. */
static bool is_model_name(const char *name)
{
    size_t slashes = 0;

    for (const char *c = name; *c; c++) {
        bool starts = c == name || c[-1] == '/';
        if (*c == '/' ? slashes++ > 0 : !is_name_byte(*c))
            return false;
        if ((starts && !coras_is_alnum(*c)) || (*c == '-' && c[1] == '-'))
            return false;
    }
    return *name && name[strlen(name) - 1] != '/';
}

static int name_repository(struct hub_export *h, coras_error **err)
{
    const char *name = h->x->name, *slash = strchr(name, '/');

    if (!is_model_name(name)) {
        coras_auto_free char *shown = coras_escape_dup(name);
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                          "\"%s\" is no name of a model of the hub", shown ? shown : "");
    }
    h->repository = slash ? coras_asprintf("models--%.*s--%s", (int)(slash - name), name, slash + 1)
                          : coras_asprintf("models--%s", name);
    return h->repository ? 0 : coras_fail_no_memory(err);
}

/* The commit that the package came from, else the beginning of its digest. */
static void name_commit(struct hub_export *h)
{
    const char *revision =
        coras_annotations_get(&h->x->model->manifest.annotations, CORAS_ANN_REVISION);
    char hex[CORAS_DIGEST_TEXT_MAX];

    if (!revision || !coras_hub_is_commit(revision))
        revision = coras_digest_hex(&h->x->model->desc.digest, hex);
    memcpy(h->commit, revision, COMMIT_DIGITS);
    h->commit[COMMIT_DIGITS] = '\0';
}

/* ---- content ---- */

static char *blob_name_of(const coras_digest *digest)
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    return coras_strdup(coras_digest_hex(digest, hex));
}

static int bring_blobs(const struct hub_export *h, coras_error **err)
{
    struct coras_export_blobs blobs = {0};
    int rc = 0;

    for (size_t i = 0; i < h->files.len && rc == 0; i++)
        rc = coras_export_blobs_add(&blobs, h->files.items[i]->blob, err);
    if (rc == 0)
        rc = coras_model_export_blobs(h->x, &blobs, h->blobs, blob_name_of, err);
    free(blobs.items);
    return rc;
}

static int enter(const struct hub_export *h, const char *below, int *ret, coras_error **err)
{
    coras_auto_free char *path = coras_asprintf("%s/%s", h->repository, below);

    return path ? coras_model_export_enter(h->x, path, ret, err) : coras_fail_no_memory(err);
}

/* ---- the snapshot ---- */

/* A link of that text under that name, whatever was there. */
static int place_link(int dirfd, const char *name, const char *target, coras_error **err)
{
    char temporary[CORAS_TEMP_NAME_BYTES];

    coras_temp_name(temporary);
    if (symlinkat(target, dirfd, temporary) < 0)
        return coras_fail_errno(err, errno, "symlink %s", name);
    if (renameat(dirfd, temporary, dirfd, name) == 0)
        return 0;
    int saved = errno;
    (void)unlinkat(dirfd, temporary, 0);
    return coras_fail_errno(err, saved, "rename %s", name);
}

static int link_file(int snapshot, const coras_model_file *file, coras_error **err)
{
    coras_auto_buf target = CORAS_BUF_UNLIMITED;
    coras_auto_fd parent = -1;
    const char *name = NULL;
    char hex[CORAS_DIGEST_TEXT_MAX];

    coras_buf_puts(&target, "../../");
    for (const char *c = file->path; *c; c++)
        if (*c == '/')
            coras_buf_puts(&target, "../");
    coras_buf_printf(&target, "blobs/%s", coras_digest_hex(&file->blob->digest, hex));
    CORAS_TRY(coras_buf_done(&target, err));
    CORAS_TRY(coras_open_parent_beneath(snapshot, file->path, 0755, &parent, &name, err));
    return place_link(parent, name, target.ptr, err);
}

static int make_snapshot(const struct hub_export *h, coras_error **err)
{
    coras_auto_free char *below = coras_asprintf("snapshots/%s", h->commit);
    coras_auto_fd snapshot = -1;

    if (!below)
        return coras_fail_no_memory(err);
    CORAS_TRY(enter(h, below, &snapshot, err));
    for (size_t i = 0; i < h->files.len; i++)
        CORAS_TRY(link_file(snapshot, h->files.items[i], err));
    coras_buf_printf(&h->x->path, "%s/%s", h->repository, below);
    return coras_buf_done(&h->x->path, err);
}

/* ---- revisions ---- */

/* No newline: clients take the whole file for the commit. */
static int point_at(int refs, const struct hub_export *h, const char *revision, coras_error **err)
{
    return coras_write_file_not_through(refs, revision, h->commit, COMMIT_DIGITS, 0644, err);
}

/* Last: a client that finds a revision finds everything. */
static int name_revisions(const struct hub_export *h, coras_error **err)
{
    coras_auto_fd refs = -1;

    CORAS_TRY(enter(h, "refs", &refs, err));
    if (h->x->tag && !coras_streq(h->x->tag, "main"))
        CORAS_TRY(point_at(refs, h, h->x->tag, err));
    return point_at(refs, h, "main", err);
}

static int export_all(struct hub_export *h, coras_error **err)
{
    CORAS_TRY(name_repository(h, err));
    name_commit(h);
    CORAS_TRY(coras_model_export_files(h->x, &h->files, err));
    CORAS_TRY(enter(h, "blobs", &h->blobs, err));
    CORAS_TRY(bring_blobs(h, err));
    CORAS_TRY(make_snapshot(h, err));
    return name_revisions(h, err);
}

int coras_model_export_hub(struct coras_model_export *x, coras_error **err)
{
    struct hub_export h = {.x = x, .blobs = -1};
    int rc = export_all(&h, err);

    hub_export_clear(&h);
    return rc;
}
