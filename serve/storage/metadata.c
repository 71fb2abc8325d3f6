#include "serve/storage/metadata.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/metadata_db.h"

struct serve_metadata {
    serve_db *db;
};

enum query {
    Q_ADD_REPOSITORY,
    Q_REPOSITORY_ID,
    Q_ADD_BLOB,
    Q_ADD_LINK,
    Q_FIND_LINKED_BLOB,
    Q_FIND_BLOB,
    Q_FIND_ANY_LINK,
    Q_LINK_IS_OLD,
    Q_RENEW_LINK,
    Q_DELETE_LINK,
    Q_HAS_LINK,
    Q_HAS_MANIFEST,
    Q_PUT_MANIFEST,
    Q_ADD_REFERENCE,
    Q_PUT_TAG,
    Q_MANIFEST_BY_TAG,
    Q_MANIFEST_BY_DIGEST,
    Q_DELETE_MANIFEST,
    Q_DELETE_TAGS_OF,
    Q_DELETE_REFERENCES_OF,
    Q_DELETE_TAG,
    Q_TAGS,
    Q_REPOSITORIES,
    Q_REFERRERS,
    Q_COLLECT_LINKS,
    Q_UNLINKED_BLOBS,
    Q_DELETE_BLOB,
    Q_COUNT
};
_Static_assert(Q_COUNT <= SERVE_DB_STATEMENTS_MAX, "a connection has a slot for each statement");

static const char *const queries[Q_COUNT] = {
    [Q_ADD_REPOSITORY] = "INSERT INTO repository (name) VALUES (?1) ON CONFLICT DO NOTHING",
    [Q_REPOSITORY_ID] = "SELECT id FROM repository WHERE name = ?1",
    [Q_ADD_BLOB] = "INSERT INTO blob (digest, size, stored) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT DO UPDATE SET size = excluded.size, stored = excluded.stored",
    [Q_ADD_LINK] = "INSERT INTO link (repository, digest, linked) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT DO UPDATE SET linked = excluded.linked",
    [Q_FIND_LINKED_BLOB] =
        "SELECT size FROM blob WHERE digest = ?2 AND EXISTS (SELECT 1 FROM link JOIN repository"
        " ON id = repository WHERE name = ?1 AND link.digest = ?2)",
    [Q_FIND_BLOB] = "SELECT size FROM blob WHERE digest = ?2",
    [Q_FIND_ANY_LINK] = "SELECT 1 FROM link WHERE digest = ?1",
    [Q_LINK_IS_OLD] = "SELECT linked < ?3 FROM link WHERE digest = ?2"
                      " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [Q_RENEW_LINK] = "UPDATE link SET linked = ?3 WHERE digest = ?2"
                     " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [Q_DELETE_LINK] = "DELETE FROM link WHERE digest = ?2"
                      " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [Q_HAS_LINK] = "SELECT 1 FROM link WHERE repository = ?1 AND digest = ?2",
    [Q_HAS_MANIFEST] = "SELECT 1 FROM manifest WHERE repository = ?1 AND digest = ?2",
    [Q_PUT_MANIFEST] =
        "INSERT INTO manifest (repository, digest, media_type, size, subject, artifact_type,"
        " descriptor, stored, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT DO UPDATE SET media_type = excluded.media_type, size = excluded.size,"
        " content = excluded.content, subject = excluded.subject,"
        " artifact_type = excluded.artifact_type, descriptor = excluded.descriptor,"
        " stored = excluded.stored",
    [Q_ADD_REFERENCE] = "INSERT INTO reference (repository, child, parent) VALUES (?1, ?2, ?3)"
                        " ON CONFLICT DO NOTHING",
    [Q_PUT_TAG] = "INSERT INTO tag (repository, name, digest, moved) VALUES (?1, ?2, ?3, ?4)"
                  " ON CONFLICT DO UPDATE SET digest = excluded.digest, moved = excluded.moved",
    [Q_MANIFEST_BY_TAG] =
        "SELECT manifest.digest, media_type, size, iif(?3, content, NULL) FROM tag"
        " JOIN repository ON repository.id = tag.repository"
        " JOIN manifest ON manifest.repository = tag.repository AND manifest.digest = tag.digest"
        " WHERE repository.name = ?1 AND tag.name = ?2",
    [Q_MANIFEST_BY_DIGEST] =
        "SELECT manifest.digest, media_type, size, iif(?3, content, NULL) FROM manifest"
        " JOIN repository ON repository.id = manifest.repository"
        " WHERE repository.name = ?1 AND manifest.digest = ?2",
    [Q_DELETE_MANIFEST] = "DELETE FROM manifest WHERE repository = ?1 AND digest = ?2",
    [Q_DELETE_TAGS_OF] = "DELETE FROM tag WHERE repository = ?1 AND digest = ?2",
    [Q_DELETE_REFERENCES_OF] = "DELETE FROM reference WHERE repository = ?1 AND parent = ?2",
    [Q_DELETE_TAG] = "DELETE FROM tag WHERE name = ?2"
                     " AND repository = (SELECT id FROM repository WHERE name = ?1)",
    [Q_TAGS] = "SELECT tag.name FROM tag JOIN repository ON repository.id = tag.repository"
               " WHERE repository.name = ?1 AND tag.name > ?2 ORDER BY tag.name LIMIT ?3",
    [Q_REPOSITORIES] =
        "SELECT name FROM repository WHERE name > ?2 AND EXISTS (SELECT 1 FROM manifest"
        " WHERE manifest.repository = repository.id) ORDER BY name LIMIT ?3",
    [Q_REFERRERS] = "SELECT descriptor, digest FROM manifest WHERE subject = ?2 AND digest > ?3"
                    " AND repository = (SELECT id FROM repository WHERE name = ?1)"
                    " AND (?4 IS NULL OR artifact_type = ?4) ORDER BY digest LIMIT ?5",
    [Q_COLLECT_LINKS] =
        "DELETE FROM link WHERE linked < ?1 AND NOT EXISTS (SELECT 1 FROM reference"
        " WHERE reference.repository = link.repository AND reference.child IN (link.digest, '*'))",
    [Q_UNLINKED_BLOBS] = "SELECT digest FROM blob WHERE stored < ?1 AND NOT EXISTS"
                         " (SELECT 1 FROM link WHERE link.digest = blob.digest) LIMIT ?2",
    [Q_DELETE_BLOB] = "DELETE FROM blob WHERE digest = ?1",
};

/* ---- steps shared by the writes ---- */

static int repository_id(serve_db *db, serve_db_connection *c, const char *name, int64_t *ret,
                         coras_error **err)
{
    sqlite3_stmt *find = serve_db_statement(db, c, Q_REPOSITORY_ID, err);
    int rc;

    if (!find)
        return CORAS_ERR_IO;
    serve_db_bind_text(find, 1, name);
    rc = serve_db_step(db, find, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "repository %s not found", name);
    *ret = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return 0;
}

static int make_repository(serve_db *db, serve_db_connection *c, const char *name, int64_t *ret,
                           coras_error **err)
{
    sqlite3_stmt *add = serve_db_statement(db, c, Q_ADD_REPOSITORY, err);

    if (!add)
        return CORAS_ERR_IO;
    serve_db_bind_text(add, 1, name);
    CORAS_TRY(serve_db_run(db, add, err));
    return repository_id(db, c, name, ret, err);
}

static int add_link(serve_db *db, serve_db_connection *c, const char *repository,
                    const coras_digest *digest, coras_error **err)
{
    sqlite3_stmt *add;
    int64_t id = 0;

    CORAS_TRY(make_repository(db, c, repository, &id, err));
    add = serve_db_statement(db, c, Q_ADD_LINK, err);
    if (!add)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(add, 1, id);
    serve_db_bind_digest(add, 2, digest);
    sqlite3_bind_int64(add, 3, coras_wall_s());
    return serve_db_run(db, add, err);
}

/* Run `query` with (repository, digest) on one repository id. */
static int run_on_digest(serve_db *db, serve_db_connection *c, enum query query, int64_t repository,
                         const coras_digest *digest, coras_error **err)
{
    sqlite3_stmt *statement = serve_db_statement(db, c, (int)query, err);

    if (!statement)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(statement, 1, repository);
    serve_db_bind_digest(statement, 2, digest);
    return serve_db_run(db, statement, err);
}

/* The same for a SELECT: 1 = there is a row, 0 = none. */
static int has_row(serve_db *db, serve_db_connection *c, enum query query, int64_t repository,
                   const coras_digest *digest, coras_error **err)
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

/* ---- blobs ---- */

struct blob_link {
    const char *repository, *from;
    const coras_digest *digest;
    int64_t size;
    int64_t before; /* wall clock seconds */
};

static int link_blob(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    sqlite3_stmt *add = serve_db_statement(db, c, Q_ADD_BLOB, err);

    if (!add)
        return CORAS_ERR_IO;
    serve_db_bind_digest(add, 1, link->digest);
    sqlite3_bind_int64(add, 2, link->size);
    sqlite3_bind_int64(add, 3, coras_wall_s());
    CORAS_TRY(serve_db_run(db, add, err));
    return add_link(db, c, link->repository, link->digest, err);
}

int serve_metadata_link_blob(serve_metadata *m, const char *repository, const coras_digest *digest,
                             int64_t size, coras_error **err)
{
    struct blob_link link = {.repository = repository, .digest = digest, .size = size};

    return serve_db_write(m->db, link_blob, &link, err);
}

static int find_blob(serve_db *db, serve_db_connection *c, const char *repository,
                     const coras_digest *digest, int64_t *ret_size, coras_error **err)
{
    sqlite3_stmt *find =
        serve_db_statement(db, c, repository ? Q_FIND_LINKED_BLOB : Q_FIND_BLOB, err);
    int rc;

    if (!find)
        return CORAS_ERR_IO;
    if (repository)
        serve_db_bind_text(find, 1, repository);
    serve_db_bind_digest(find, 2, digest);
    rc = serve_db_step(db, find, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    *ret_size = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return 0;
}

static int mount_blob(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    int64_t size = 0;

    CORAS_TRY(find_blob(db, c, link->from, link->digest, &size, err));
    if (!link->from) {
        /* stored, but on its way out unless some repository holds it */
        sqlite3_stmt *find = serve_db_statement(db, c, Q_FIND_ANY_LINK, err);
        int rc;
        if (!find)
            return CORAS_ERR_IO;
        serve_db_bind_digest(find, 1, link->digest);
        rc = serve_db_step(db, find, err);
        if (rc <= 0)
            return rc < 0 ? rc : coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
        sqlite3_reset(find);
    }
    return add_link(db, c, link->repository, link->digest, err);
}

int serve_metadata_mount_blob(serve_metadata *m, const char *from, const char *repository,
                              const coras_digest *digest, coras_error **err)
{
    struct blob_link link = {.repository = repository, .from = from, .digest = digest};

    return serve_db_write(m->db, mount_blob, &link, err);
}

int serve_metadata_find_blob(serve_metadata *m, const char *repository, const coras_digest *digest,
                             int64_t *ret_size, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    int rc;

    if (!c)
        return CORAS_ERR_IO;
    rc = find_blob(m->db, c, repository, digest, ret_size, err);
    serve_db_reader_release(m->db, c);
    return rc;
}

/* Bind (repository, digest, time) of a query on one link. NULL with *err set. */
static sqlite3_stmt *link_query(serve_db *db, serve_db_connection *c, enum query query,
                                const struct blob_link *link, int64_t time, coras_error **err)
{
    sqlite3_stmt *statement = serve_db_statement(db, c, (int)query, err);

    if (!statement)
        return NULL;
    serve_db_bind_text(statement, 1, link->repository);
    serve_db_bind_digest(statement, 2, link->digest);
    sqlite3_bind_int64(statement, 3, time);
    return statement;
}

static int renew_link(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    sqlite3_stmt *renew = link_query(db, c, Q_RENEW_LINK, user, coras_wall_s(), err);

    if (!renew)
        return CORAS_ERR_IO;
    CORAS_TRY(serve_db_run(db, renew, err));
    if (sqlite3_changes(c->handle) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    return 0;
}

/* 1 = it was made before link->before, 0 = not. NOT_FOUND. */
static int link_is_old(serve_metadata *m, const struct blob_link *link, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    sqlite3_stmt *find;
    int rc = CORAS_ERR_IO;

    if (!c)
        return CORAS_ERR_IO;
    find = link_query(m->db, c, Q_LINK_IS_OLD, link, link->before, err);
    if (find) {
        rc = serve_db_step(m->db, find, err);
        if (rc == 0)
            rc = coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
        else if (rc > 0)
            rc = sqlite3_column_int(find, 0);
        sqlite3_reset(find);
    }
    serve_db_reader_release(m->db, c);
    return rc;
}

int serve_metadata_keep_blob(serve_metadata *m, const char *repository, const coras_digest *digest,
                             int64_t before, coras_error **err)
{
    struct blob_link link = {.repository = repository, .digest = digest, .before = before};
    int rc = link_is_old(m, &link, err);

    return rc > 0 ? serve_db_write(m->db, renew_link, &link, err) : rc;
}

static int unlink_blob(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    sqlite3_stmt *remove = serve_db_statement(db, c, Q_DELETE_LINK, err);

    if (!remove)
        return CORAS_ERR_IO;
    serve_db_bind_text(remove, 1, link->repository);
    serve_db_bind_digest(remove, 2, link->digest);
    CORAS_TRY(serve_db_run(db, remove, err));
    if (sqlite3_changes(c->handle) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    return 0;
}

int serve_metadata_unlink_blob(serve_metadata *m, const char *repository,
                               const coras_digest *digest, coras_error **err)
{
    struct blob_link link = {.repository = repository, .digest = digest};

    return serve_db_write(m->db, unlink_blob, &link, err);
}

/* ---- manifests ---- */

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
    rc = has_row(db, c, is_index ? Q_HAS_MANIFEST : Q_HAS_LINK, repository, &child->digest, err);
    /* an index may also name blobs: some artifacts do */
    if (rc == 0 && is_index)
        rc = has_row(db, c, Q_HAS_LINK, repository, &child->digest, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    w->missing = child->digest;
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s not found",
                      coras_digest_format(&child->digest, text));
}

static int add_reference(serve_db *db, serve_db_connection *c, const struct manifest_write *w,
                         const char *child, int64_t repository, coras_error **err)
{
    sqlite3_stmt *add = serve_db_statement(db, c, Q_ADD_REFERENCE, err);

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
    sqlite3_stmt *insert = serve_db_statement(db, c, Q_PUT_MANIFEST, err);
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
        sqlite3_stmt *set = serve_db_statement(db, c, Q_PUT_TAG, err);
        if (!set)
            return CORAS_ERR_IO;
        sqlite3_bind_int64(set, 1, repository);
        serve_db_bind_text(set, 2, put->tags->items[i]);
        serve_db_bind_digest(set, 3, &put->digest);
        sqlite3_bind_int64(set, 4, coras_wall_s());
        CORAS_TRY(serve_db_run(db, set, err));
    }
    return 0;
}

static int put_manifest(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    struct manifest_write *w = user;
    int64_t repository = 0;

    CORAS_TRY(make_repository(db, c, w->put->repository, &repository, err));
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
    struct serve_stored_manifest s = {.size = sqlite3_column_int64(row, 2)};
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
    find = serve_db_statement(m->db, c, tag ? Q_MANIFEST_BY_TAG : Q_MANIFEST_BY_DIGEST, err);
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

static int delete_manifest(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    int64_t repository = 0;

    CORAS_TRY(repository_id(db, c, link->repository, &repository, err));
    CORAS_TRY(run_on_digest(db, c, Q_DELETE_MANIFEST, repository, link->digest, err));
    if (sqlite3_changes(c->handle) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "manifest not found");
    CORAS_TRY(run_on_digest(db, c, Q_DELETE_TAGS_OF, repository, link->digest, err));
    return run_on_digest(db, c, Q_DELETE_REFERENCES_OF, repository, link->digest, err);
}

int serve_metadata_delete_manifest(serve_metadata *m, const char *repository,
                                   const coras_digest *digest, coras_error **err)
{
    struct blob_link link = {.repository = repository, .digest = digest};

    return serve_db_write(m->db, delete_manifest, &link, err);
}

struct tag_name {
    const char *repository, *tag;
};

static int delete_tag(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct tag_name *name = user;
    sqlite3_stmt *remove = serve_db_statement(db, c, Q_DELETE_TAG, err);

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
    struct tag_name name = {repository, tag};

    return serve_db_write(m->db, delete_tag, &name, err);
}

/* ---- lists ---- */

int serve_metadata_has_repository(serve_metadata *m, const char *repository, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    int64_t id;
    int rc;

    if (!c)
        return CORAS_ERR_IO;
    rc = repository_id(m->db, c, repository, &id, err);
    serve_db_reader_release(m->db, c);
    return rc;
}

/* Collect the first column; asks for one row more than wanted, to know whether there are more. */
static int collect_names(serve_db *db, sqlite3_stmt *list, int64_t limit, coras_strlist *ret,
                         bool *ret_more, coras_error **err)
{
    int rc;

    *ret_more = false;
    while ((rc = serve_db_step(db, list, err)) > 0) {
        if ((int64_t)ret->len == limit) {
            *ret_more = true;
            break;
        }
        rc = coras_strlist_add(ret, (const char *)sqlite3_column_text(list, 0), err);
        if (rc < 0)
            break;
    }
    sqlite3_reset(list);
    return rc < 0 ? rc : 0;
}

static int list_names(serve_metadata *m, enum query query, const char *repository, const char *last,
                      int64_t limit, coras_strlist *ret, bool *ret_more, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    sqlite3_stmt *list;
    int rc = CORAS_ERR_IO;

    if (!c)
        return CORAS_ERR_IO;
    list = serve_db_statement(m->db, c, (int)query, err);
    if (list) {
        if (repository)
            serve_db_bind_text(list, 1, repository);
        serve_db_bind_text(list, 2, last);
        sqlite3_bind_int64(list, 3, limit + 1);
        rc = collect_names(m->db, list, limit, ret, ret_more, err);
    }
    serve_db_reader_release(m->db, c);
    return rc;
}

int serve_metadata_tags(serve_metadata *m, const char *repository, const char *last, int64_t limit,
                        coras_strlist *ret, bool *ret_more, coras_error **err)
{
    return list_names(m, Q_TAGS, repository, last, limit, ret, ret_more, err);
}

int serve_metadata_repositories(serve_metadata *m, const char *last, int64_t limit,
                                coras_strlist *ret, bool *ret_more, coras_error **err)
{
    return list_names(m, Q_REPOSITORIES, NULL, last, limit, ret, ret_more, err);
}

static int visit_referrers(serve_db *db, sqlite3_stmt *list,
                           bool (*visit)(const char *, const char *, void *), void *user,
                           coras_error **err)
{
    int rc;

    while ((rc = serve_db_step(db, list, err)) > 0) {
        const char *descriptor = (const char *)sqlite3_column_text(list, 0);
        const char *digest = (const char *)sqlite3_column_text(list, 1);
        if (!descriptor || !digest || !visit(descriptor, digest, user))
            break;
    }
    sqlite3_reset(list);
    return rc < 0 ? rc : 0;
}

int serve_metadata_referrers(serve_metadata *m, const struct serve_referrers_query *query,
                             bool (*visit)(const char *descriptor, const char *digest, void *user),
                             void *user, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    sqlite3_stmt *list;
    int rc = CORAS_ERR_IO;

    if (!c)
        return CORAS_ERR_IO;
    list = serve_db_statement(m->db, c, Q_REFERRERS, err);
    if (list) {
        serve_db_bind_text(list, 1, query->repository);
        serve_db_bind_digest(list, 2, &query->subject);
        serve_db_bind_text(list, 3, query->last);
        serve_db_bind_text(list, 4, query->artifact_type);
        sqlite3_bind_int64(list, 5, query->limit);
        rc = visit_referrers(m->db, list, visit, user, err);
    }
    serve_db_reader_release(m->db, c);
    return rc;
}

/* ---- collection ---- */

struct collection {
    int64_t before;
    int limit;
    coras_strlist *digests;
};

static int collect(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct collection *collection = user;
    sqlite3_stmt *links = serve_db_statement(db, c, Q_COLLECT_LINKS, err);
    sqlite3_stmt *list = serve_db_statement(db, c, Q_UNLINKED_BLOBS, err);
    bool more;

    if (!links || !list)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(links, 1, collection->before);
    CORAS_TRY(serve_db_run(db, links, err));
    sqlite3_bind_int64(list, 1, collection->before);
    sqlite3_bind_int(list, 2, collection->limit);
    CORAS_TRY(collect_names(db, list, collection->limit, collection->digests, &more, err));
    for (size_t i = 0; i < collection->digests->len; i++) {
        sqlite3_stmt *forget = serve_db_statement(db, c, Q_DELETE_BLOB, err);
        if (!forget)
            return CORAS_ERR_IO;
        serve_db_bind_text(forget, 1, collection->digests->items[i]);
        CORAS_TRY(serve_db_run(db, forget, err));
    }
    return 0;
}

int serve_metadata_collect(serve_metadata *m, int64_t before, int limit, coras_strlist *ret_digests,
                           coras_error **err)
{
    struct collection collection = {before, limit, ret_digests};

    return serve_db_write(m->db, collect, &collection, err);
}

/* ---- life ---- */

int serve_metadata_open(const char *path, enum serve_db_mode mode, serve_metadata **ret,
                        coras_error **err)
{
    coras_auto(serve_metadata) m = coras_new(serve_metadata);

    if (!m)
        return coras_fail_no_memory(err);
    CORAS_TRY(serve_db_open(path, mode, queries, &m->db, err));
    *ret = coras_steal(&m);
    return 0;
}

void serve_metadata_close(serve_metadata *m)
{
    if (!m)
        return;
    serve_db_close(m->db);
    free(m);
}
