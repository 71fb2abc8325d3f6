/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests with what they name, their tags and their place among the referrers. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

/* Run `query` with (repository, digest) on one repository id. */
static int run_on_digest(serve_db *db, serve_db_connection *c, enum serve_query_id query,
                         int64_t repository, const coras_digest *digest, coras_error **err)
{
    sqlite3_stmt *statement = serve_db_statement(db, c, (int)query, err);

    if (!statement)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(statement, 1, repository);
    serve_db_bind_digest(statement, 2, digest);
    return serve_db_run(db, statement, err);
}

/* The same for a SELECT: 1 = there is a row, 0 = none. */
static int has_row(serve_db *db, serve_db_connection *c, enum serve_query_id query,
                   int64_t repository, const coras_digest *digest, coras_error **err)
{
    sqlite3_stmt *statement = serve_db_statement(db, c, (int)query, err);
    int rc;

    if (!statement)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(statement, 1, repository);
    serve_db_bind_digest(statement, 2, digest);
    rc = serve_db_step(db, statement, err);
    if (rc > 0)
        sqlite3_reset(statement);
    return rc;
}

void serve_stored_manifest_clear(struct serve_stored_manifest *s)
{
    free(s->media_type);
    free(s->content);
    *s = (struct serve_stored_manifest){0};
}

struct manifest_write {
    const struct serve_manifest_put *put;
    coras_digest missing;
};

bool serve_metadata_is_foreign(const coras_descriptor *d)
{
    return d->media_type && (strstr(d->media_type, ".nondistributable.") ||
                             strstr(d->media_type, ".rootfs.foreign."));
}

static int check_child(serve_db *db, serve_db_connection *c, struct manifest_write *w,
                       const coras_descriptor *child, int64_t repository, coras_error **err)
{
    bool is_index = coras_kind_is_index(w->put->parsed->kind);
    char text[CORAS_DIGEST_TEXT_MAX];
    int rc;

    if (!w->put->check_children || serve_metadata_is_foreign(child))
        return 0;
    rc = has_row(db, c, is_index ? SERVE_Q_HAS_MANIFEST : SERVE_Q_HAS_LINK, repository,
                 &child->digest, err);
    /* an index may also name blobs: some artifacts do */
    if (rc == 0 && is_index)
        rc = has_row(db, c, SERVE_Q_HAS_LINK, repository, &child->digest, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    w->missing = child->digest;
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s not found",
                      coras_digest_format(&child->digest, text));
}

static int add_reference(serve_db *db, serve_db_connection *c, const struct manifest_write *w,
                         const char *child, int64_t repository, coras_error **err)
{
    sqlite3_stmt *add = serve_db_statement(db, c, SERVE_Q_ADD_REFERENCE, err);

    if (!add)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(add, 1, repository);
    serve_db_bind_text(add, 2, child);
    serve_db_bind_digest(add, 3, &w->put->digest);
    return serve_db_run(db, add, err);
}

static int add_child(serve_db *db, serve_db_connection *c, struct manifest_write *w,
                     const coras_descriptor *child, int64_t repository, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(check_child(db, c, w, child, repository, err));
    return add_reference(db, c, w, coras_digest_format(&child->digest, text), repository, err);
}

static int add_children(serve_db *db, serve_db_connection *c, struct manifest_write *w,
                        int64_t repository, coras_error **err)
{
    const coras_manifest *parsed = w->put->parsed;

    if (!parsed) /* it may name anything: nothing of this repository is collected meanwhile */
        return add_reference(db, c, w, "*", repository, err);
    if (parsed->has_config)
        CORAS_TRY(add_child(db, c, w, &parsed->config, repository, err));
    for (size_t i = 0; i < parsed->layers.len; i++)
        CORAS_TRY(add_child(db, c, w, &parsed->layers.items[i], repository, err));
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

static int put_row(serve_db *db, serve_db_connection *c, const struct serve_manifest_put *put,
                   int64_t repository, coras_error **err)
{
    coras_auto_buf descriptor = CORAS_BUF_UNLIMITED;
    sqlite3_stmt *insert = serve_db_statement(db, c, SERVE_Q_PUT_MANIFEST, err);
    int rc;

    if (!insert)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(insert, 1, repository);
    serve_db_bind_digest(insert, 2, &put->digest);
    serve_db_bind_text(insert, 3, put->media_type);
    sqlite3_bind_int64(insert, 4, (int64_t)put->size);
    if (put->parsed && put->parsed->has_subject) {
        CORAS_TRY(referrer_descriptor(put, &descriptor, err));
        serve_db_bind_digest(insert, 5, &put->parsed->subject.digest);
        serve_db_bind_text(insert, 6, coras_manifest_effective_artifact_type(put->parsed));
        serve_db_bind_text(insert, 7, descriptor.ptr);
    }
    sqlite3_bind_int64(insert, 8, coras_wall_s());
    sqlite3_bind_blob64(insert, 9, put->content, put->size, SQLITE_STATIC);
    rc = serve_db_run(db, insert, err);
    sqlite3_clear_bindings(insert); /* the content is the caller's */
    return rc;
}

static int put_tags(serve_db *db, serve_db_connection *c, const struct serve_manifest_put *put,
                    int64_t repository, coras_error **err)
{
    for (size_t i = 0; put->tags && i < put->tags->len; i++) {
        sqlite3_stmt *set = serve_db_statement(db, c, SERVE_Q_PUT_TAG, err);
        if (!set)
            return CORAS_ERR_IO;
        sqlite3_bind_int64(set, 1, repository);
        serve_db_bind_text(set, 2, put->tags->items[i]);
        serve_db_bind_digest(set, 3, &put->digest);
        sqlite3_bind_int64(set, 4, coras_wall_s());
        sqlite3_bind_int(set, 5, put->is_cached);
        CORAS_TRY(serve_db_run(db, set, err));
    }
    return 0;
}

static int put_manifest(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    struct manifest_write *w = user;
    int64_t repository = 0;

    CORAS_TRY(serve_metadata_make_repository(db, c, w->put->repository, &repository, err));
    CORAS_TRY(add_children(db, c, w, repository, err));
    CORAS_TRY(put_row(db, c, w->put, repository, err));
    return put_tags(db, c, w->put, repository, err);
}

int serve_metadata_put_manifest(serve_metadata *m, const struct serve_manifest_put *put,
                                coras_digest *ret_missing, coras_error **err)
{
    struct manifest_write w = {.put = put};
    int rc = serve_db_write(m->db, put_manifest, &w, err);

    if (rc < 0)
        *ret_missing = w.missing;
    return rc;
}

/* What the disk gave back for a manifest is what was pushed, or is not served. */
static int read_content(sqlite3_stmt *row, struct serve_stored_manifest *s, coras_error **err)
{
    const void *content = sqlite3_column_blob(row, 3);
    int size = sqlite3_column_bytes(row, 3);
    coras_digest digest;

    if (size != s->size)
        return coras_fail(err, CORAS_ERR_IO, "damaged manifest row");
    CORAS_TRY(
        coras_digest_of(s->digest.algorithm, content ? content : "", (size_t)size, &digest, err));
    if (!coras_digest_equal(&digest, &s->digest))
        return coras_fail(err, CORAS_ERR_IO, "damaged manifest row");
    s->content = coras_malloc((size_t)size + 1);
    if (!s->content)
        return coras_fail_no_memory(err);
    if (size > 0)
        memcpy(s->content, content, (size_t)size);
    return 0;
}

static int read_manifest(sqlite3_stmt *row, bool with_content, struct serve_stored_manifest *ret,
                         coras_error **err)
{
    struct serve_stored_manifest s = {.size = sqlite3_column_int64(row, 2),
                                      .is_cached = sqlite3_column_int(row, 4) != 0};
    const char *digest = (const char *)sqlite3_column_text(row, 0);
    const char *media_type = (const char *)sqlite3_column_text(row, 1);
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
    serve_db_connection *c = serve_db_reader(m->db, err);
    sqlite3_stmt *find;
    int rc = CORAS_ERR_IO;

    if (!c)
        return CORAS_ERR_IO;
    find = serve_db_statement(m->db, c, tag ? SERVE_Q_MANIFEST_BY_TAG : SERVE_Q_MANIFEST_BY_DIGEST,
                              err);
    if (find) {
        serve_db_bind_text(find, 1, repository);
        if (tag)
            serve_db_bind_text(find, 2, tag);
        else
            serve_db_bind_digest(find, 2, digest);
        sqlite3_bind_int(find, 3, with_content);
        rc = serve_db_step(m->db, find, err);
        if (rc == 0)
            rc = coras_fail(err, CORAS_ERR_NOT_FOUND, "manifest not found");
        else if (rc > 0)
            rc = read_manifest(find, with_content, ret, err);
        sqlite3_reset(find);
    }
    serve_db_reader_release(m->db, c);
    return rc;
}

struct manifest_name {
    const char *repository;
    const coras_digest *digest;
};

static int delete_manifest(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct manifest_name *name = user;
    int64_t repository = 0;

    CORAS_TRY(serve_metadata_repository_id(db, c, name->repository, &repository, err));
    CORAS_TRY(run_on_digest(db, c, SERVE_Q_DELETE_MANIFEST, repository, name->digest, err));
    if (sqlite3_changes(c->handle) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "manifest not found");
    CORAS_TRY(run_on_digest(db, c, SERVE_Q_DELETE_TAGS_OF, repository, name->digest, err));
    return run_on_digest(db, c, SERVE_Q_DELETE_REFERENCES_OF, repository, name->digest, err);
}

int serve_metadata_delete_manifest(serve_metadata *m, const char *repository,
                                   const coras_digest *digest, coras_error **err)
{
    struct manifest_name name = {repository, digest};

    return serve_db_write(m->db, delete_manifest, &name, err);
}

struct tag_name {
    const char *repository, *tag;
    enum serve_query_id query;
};

static int delete_tag(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct tag_name *name = user;
    sqlite3_stmt *remove = serve_db_statement(db, c, (int)name->query, err);

    if (!remove)
        return CORAS_ERR_IO;
    serve_db_bind_text(remove, 1, name->repository);
    serve_db_bind_text(remove, 2, name->tag);
    CORAS_TRY(serve_db_run(db, remove, err));
    if (sqlite3_changes(c->handle) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "tag not found");
    return 0;
}

int serve_metadata_delete_tag(serve_metadata *m, const char *repository, const char *tag,
                              coras_error **err)
{
    struct tag_name name = {repository, tag, SERVE_Q_DELETE_TAG};

    return serve_db_write(m->db, delete_tag, &name, err);
}

int serve_metadata_forget_tag(serve_metadata *m, const char *repository, const char *tag,
                              coras_error **err)
{
    struct tag_name name = {repository, tag, SERVE_Q_DELETE_CACHED_TAG};

    return serve_db_write(m->db, delete_tag, &name, err);
}
