/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests with what they name, their tags and their place among the referrers. */
#include <inttypes.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

/* Bind (repository, digest) of a query on one repository. */
static int query_digest(serve_db_connection *c, enum serve_query_id query, int64_t repository,
                        const coras_digest *digest, serve_statement **ret, coras_error **err)
{
    CORAS_TRY(serve_db_statement(c, (int)query, ret, err));
    serve_db_bind_int(*ret, 1, repository);
    serve_db_bind_digest(*ret, 2, digest);
    return 0;
}

/* Run it; *ret_changes: how many rows it changed. */
static int run_on_digest(serve_db_connection *c, enum serve_query_id query, int64_t repository,
                         const coras_digest *digest, int64_t *ret_changes, coras_error **err)
{
    coras_auto(serve_statement) s = NULL;

    CORAS_TRY(query_digest(c, query, repository, digest, &s, err));
    CORAS_TRY(serve_db_run(s, err));
    *ret_changes = serve_db_changes(s);
    return 0;
}

/* The same for a SELECT: 1 = there is a row, 0 = none. */
static int has_row(serve_db_connection *c, enum serve_query_id query, int64_t repository,
                   const coras_digest *digest, coras_error **err)
{
    coras_auto(serve_statement) s = NULL;

    CORAS_TRY(query_digest(c, query, repository, digest, &s, err));
    return serve_db_step(s, err);
}

void serve_stored_manifest_clear(struct serve_stored_manifest *s)
{
    free(s->media_type);
    free(s->content);
    *s = (struct serve_stored_manifest){0};
}

struct manifest_write {
    const struct serve_manifest_put *put;
    coras_strlist tags; /* sorted: writers that move the same tags do not wait for one another */
    coras_digest missing;
};

bool serve_metadata_is_foreign(const coras_descriptor *d)
{
    return d->media_type && (strstr(d->media_type, ".nondistributable.") ||
                             strstr(d->media_type, ".rootfs.foreign."));
}

/* Of what an index names: 1 = it is there, with the size that the index states, 0 = there is none.
 */
static int look_for_manifest(serve_db_connection *c, const coras_descriptor *child,
                             int64_t repository, coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    int64_t size;
    int rc;

    CORAS_TRY(query_digest(c, SERVE_Q_MANIFEST_SIZE, repository, &child->digest, &find, err));
    rc = serve_db_step(find, err);
    if (rc <= 0)
        return rc;
    size = serve_db_int(find, 0);
    if (size == child->size)
        return 1;
    return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "%s has %" PRId64 " bytes, not %" PRId64,
                      coras_digest_format(&child->digest, text), size, child->size);
}

static int check_child(serve_db_connection *c, struct manifest_write *w,
                       const coras_descriptor *child, int64_t repository, coras_error **err)
{
    bool is_index = coras_kind_is_index(w->put->parsed->kind);
    char text[CORAS_DIGEST_TEXT_MAX];
    int rc;

    if (!w->put->check_children || serve_metadata_is_foreign(child))
        return 0;
    rc = is_index ? look_for_manifest(c, child, repository, err) : 0;
    if (rc == 0) /* an index may also name blobs: some artifacts do */
        rc = has_row(c, SERVE_Q_HAS_LINK, repository, &child->digest, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    w->missing = child->digest;
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s not found",
                      coras_digest_format(&child->digest, text));
}

static int add_reference(serve_db_connection *c, const struct manifest_write *w, const char *child,
                         int64_t repository, coras_error **err)
{
    coras_auto(serve_statement) add = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_ADD_REFERENCE, &add, err));
    serve_db_bind_int(add, 1, repository);
    serve_db_bind_text(add, 2, child);
    serve_db_bind_digest(add, 3, &w->put->digest);
    return serve_db_run(add, err);
}

static int add_child(serve_db_connection *c, struct manifest_write *w,
                     const coras_descriptor *child, int64_t repository, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(check_child(c, w, child, repository, err));
    return add_reference(c, w, coras_digest_format(&child->digest, text), repository, err);
}

static int add_children(serve_db_connection *c, struct manifest_write *w, int64_t repository,
                        coras_error **err)
{
    const coras_manifest *parsed = w->put->parsed;

    if (!parsed) /* it may name anything: nothing of this repository is collected meanwhile */
        return add_reference(c, w, "*", repository, err);
    if (parsed->has_config)
        CORAS_TRY(add_child(c, w, &parsed->config, repository, err));
    for (size_t i = 0; i < parsed->layers.len; i++)
        CORAS_TRY(add_child(c, w, &parsed->layers.items[i], repository, err));
    return 0;
}

/* What a referrers list shows of this manifest. Spec: distribution-spec 1.1, "Listing Referrers".
 */
static int referrer_descriptor(const struct serve_manifest_put *put, coras_buf *out,
                               coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);
    const char *type = coras_manifest_effective_artifact_type(put->parsed);

    CORAS_TRY(coras_descriptor_set(&d, put->media_type, &put->digest, (int64_t)put->size, err));
    CORAS_TRY(coras_annotations_copy(&d.annotations, &put->parsed->annotations, err));
    if (type) {
        d.artifact_type = coras_strdup(type);
        if (!d.artifact_type)
            return coras_fail_no_memory(err);
    }
    coras_descriptor_write(&w, &d);
    return coras_buf_done(out, err);
}

static int put_row(serve_db_connection *c, const struct serve_manifest_put *put, int64_t repository,
                   coras_error **err)
{
    coras_auto_buf descriptor = CORAS_BUF_UNLIMITED;
    coras_auto(serve_statement) insert = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_PUT_MANIFEST, &insert, err));
    serve_db_bind_int(insert, 1, repository);
    serve_db_bind_digest(insert, 2, &put->digest);
    serve_db_bind_text(insert, 3, put->media_type);
    serve_db_bind_int(insert, 4, (int64_t)put->size);
    if (put->parsed && put->parsed->has_subject && !put->is_cached) {
        CORAS_TRY(referrer_descriptor(put, &descriptor, err));
        serve_db_bind_digest(insert, 5, &put->parsed->subject.digest);
        serve_db_bind_text(insert, 6, coras_manifest_effective_artifact_type(put->parsed));
        serve_db_bind_text(insert, 7, descriptor.ptr);
    }
    serve_db_bind_int(insert, 8, coras_wall_s());
    serve_db_bind_blob(insert, 9, put->content, put->size);
    return serve_db_run(insert, err);
}

static int put_tag(serve_db_connection *c, const struct serve_manifest_put *put, const char *tag,
                   int64_t repository, coras_error **err)
{
    coras_auto(serve_statement) set = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_PUT_TAG, &set, err));
    serve_db_bind_int(set, 1, repository);
    serve_db_bind_text(set, 2, tag);
    serve_db_bind_digest(set, 3, &put->digest);
    serve_db_bind_int(set, 4, coras_wall_s());
    serve_db_bind_int(set, 5, put->is_cached);
    return serve_db_run(set, err);
}

static int put_manifest(serve_db_connection *c, void *user, coras_error **err)
{
    struct manifest_write *w = user;
    int64_t repository = 0;

    CORAS_TRY(serve_metadata_make_repository(c, w->put->repository, &repository, err));
    CORAS_TRY(add_children(c, w, repository, err));
    CORAS_TRY(put_row(c, w->put, repository, err));
    for (size_t i = 0; i < w->tags.len; i++)
        CORAS_TRY(put_tag(c, w->put, w->tags.items[i], repository, err));
    return 0;
}

static int sort_tags(struct manifest_write *w, coras_error **err)
{
    for (size_t i = 0; w->put->tags && i < w->put->tags->len; i++)
        CORAS_TRY(coras_strlist_add(&w->tags, w->put->tags->items[i], err));
    coras_strlist_sort(&w->tags);
    return 0;
}

int serve_metadata_put_manifest(serve_metadata *m, const struct serve_manifest_put *put,
                                coras_digest *ret_missing, coras_error **err)
{
    struct manifest_write w = {.put = put};
    int rc = sort_tags(&w, err);

    if (rc == 0)
        rc = serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, put_manifest, &w, err);

    if (rc < 0)
        *ret_missing = w.missing;
    coras_strlist_clear(&w.tags);
    return rc;
}

/* What the disk gave back for a manifest is what was pushed, or is not served. */
static int read_content(serve_statement *row, struct serve_stored_manifest *s, coras_error **err)
{
    size_t size = 0;
    const void *content = serve_db_blob(row, 3, &size);
    coras_digest digest;

    if ((int64_t)size != s->size)
        return coras_fail(err, CORAS_ERR_IO, "damaged manifest row");
    CORAS_TRY(coras_digest_of(s->digest.algorithm, content ? content : "", size, &digest, err));
    if (!coras_digest_equal(&digest, &s->digest))
        return coras_fail(err, CORAS_ERR_IO, "damaged manifest row");
    s->content = coras_malloc(size + 1);
    if (!s->content)
        return coras_fail_no_memory(err);
    if (size > 0)
        memcpy(s->content, content, size);
    return 0;
}

static int read_manifest(serve_statement *row, bool with_content, struct serve_stored_manifest *ret,
                         coras_error **err)
{
    struct serve_stored_manifest s = {.size = serve_db_int(row, 2),
                                      .is_cached = serve_db_int(row, 4) != 0};
    const char *digest = serve_db_text(row, 0);
    const char *media_type = serve_db_text(row, 1);
    int rc;

    if (!digest || !media_type || coras_digest_parse(digest, &s.digest, NULL) < 0)
        return coras_fail(err, CORAS_ERR_IO, "damaged manifest row");
    s.media_type = coras_strdup(media_type);
    if (!s.media_type)
        return coras_fail_no_memory(err);
    rc = with_content ? read_content(row, &s, err) : 0;
    if (rc < 0) {
        serve_stored_manifest_clear(&s);
        return rc;
    }
    *ret = s;
    return 0;
}

int serve_metadata_get_manifest(serve_metadata *m, const char *repository, const char *tag,
                                const coras_digest *digest, bool with_content,
                                struct serve_stored_manifest *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, tag ? SERVE_Q_MANIFEST_BY_TAG : SERVE_Q_MANIFEST_BY_DIGEST,
                                 &find, err));
    serve_db_bind_text(find, 1, repository);
    if (tag)
        serve_db_bind_text(find, 2, tag);
    else
        serve_db_bind_digest(find, 2, digest);
    serve_db_bind_int(find, 3, with_content);
    rc = serve_db_step(find, err);
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "manifest not found");
    return rc < 0 ? rc : read_manifest(find, with_content, ret, err);
}

struct manifest_name {
    const char *repository;
    const coras_digest *digest;
};

static int delete_manifest(serve_db_connection *c, void *user, coras_error **err)
{
    const struct manifest_name *name = user;
    int64_t repository = 0, rows = 0;

    CORAS_TRY(serve_metadata_repository_id(c, name->repository, &repository, err));
    CORAS_TRY(run_on_digest(c, SERVE_Q_DELETE_MANIFEST, repository, name->digest, &rows, err));
    if (rows == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "manifest not found");
    CORAS_TRY(run_on_digest(c, SERVE_Q_DELETE_TAGS_OF, repository, name->digest, &rows, err));
    return run_on_digest(c, SERVE_Q_DELETE_REFERENCES_OF, repository, name->digest, &rows, err);
}

int serve_metadata_delete_manifest(serve_metadata *m, const char *repository,
                                   const coras_digest *digest, coras_error **err)
{
    struct manifest_name name = {repository, digest};

    return serve_db_write(m->db, SERVE_DB_ALONE, delete_manifest, &name, err);
}

struct tag_name {
    const char *repository, *tag;
    enum serve_query_id query;
};

static int delete_tag(serve_db_connection *c, void *user, coras_error **err)
{
    const struct tag_name *name = user;
    coras_auto(serve_statement) remove = NULL;

    CORAS_TRY(serve_db_statement(c, (int)name->query, &remove, err));
    serve_db_bind_text(remove, 1, name->repository);
    serve_db_bind_text(remove, 2, name->tag);
    CORAS_TRY(serve_db_run(remove, err));
    if (serve_db_changes(remove) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "tag not found");
    return 0;
}

int serve_metadata_delete_tag(serve_metadata *m, const char *repository, const char *tag,
                              coras_error **err)
{
    struct tag_name name = {repository, tag, SERVE_Q_DELETE_TAG};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, delete_tag, &name, err);
}

int serve_metadata_forget_tag(serve_metadata *m, const char *repository, const char *tag,
                              coras_error **err)
{
    struct tag_name name = {repository, tag, SERVE_Q_DELETE_CACHED_TAG};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, delete_tag, &name, err);
}
