/* SPDX-License-Identifier: Apache-2.0 */
/* Which repository holds which blobs. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

static int add_link(serve_db *db, serve_db_connection *c, const char *repository,
                    const coras_digest *digest, coras_error **err)
{
    sqlite3_stmt *add;
    int64_t id = 0;

    CORAS_TRY(serve_metadata_make_repository(db, c, repository, &id, err));
    add = serve_db_statement(db, c, SERVE_Q_ADD_LINK, err);
    if (!add)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(add, 1, id);
    serve_db_bind_digest(add, 2, digest);
    sqlite3_bind_int64(add, 3, coras_wall_s());
    return serve_db_run(db, add, err);
}

struct blob_link {
    const char *repository, *from;
    const coras_digest *digest;
    int64_t size;
    int64_t before; /* wall clock seconds */
    bool is_cached;
};

static int link_blob(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    sqlite3_stmt *add = serve_db_statement(
        db, c, link->is_cached ? SERVE_Q_ADD_CACHED_BLOB : SERVE_Q_ADD_BLOB, err);

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

int serve_metadata_link_cached_blob(serve_metadata *m, const char *repository,
                                    const coras_digest *digest, int64_t size, coras_error **err)
{
    struct blob_link link = {
        .repository = repository, .digest = digest, .size = size, .is_cached = true};

    return serve_db_write(m->db, link_blob, &link, err);
}

static int find_blob(serve_db *db, serve_db_connection *c, const char *repository,
                     const coras_digest *digest, int64_t *ret_size, coras_error **err)
{
    sqlite3_stmt *find =
        serve_db_statement(db, c, repository ? SERVE_Q_FIND_LINKED_BLOB : SERVE_Q_FIND_BLOB, err);
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

/* It counts as pushed from now on. */
static int own_blob(serve_db *db, serve_db_connection *c, const coras_digest *digest,
                    coras_error **err)
{
    sqlite3_stmt *own = serve_db_statement(db, c, SERVE_Q_OWN_BLOB, err);

    if (!own)
        return CORAS_ERR_IO;
    serve_db_bind_digest(own, 1, digest);
    return serve_db_run(db, own, err);
}

static int mount_blob(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    int64_t size = 0;

    CORAS_TRY(find_blob(db, c, link->from, link->digest, &size, err));
    if (!link->from) {
        /* stored, but on its way out unless some repository holds it */
        sqlite3_stmt *find = serve_db_statement(db, c, SERVE_Q_FIND_ANY_LINK, err);
        int rc;
        if (!find)
            return CORAS_ERR_IO;
        serve_db_bind_digest(find, 1, link->digest);
        rc = serve_db_step(db, find, err);
        if (rc <= 0)
            return rc < 0 ? rc : coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
        sqlite3_reset(find);
    }
    CORAS_TRY(own_blob(db, c, link->digest, err));
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
static sqlite3_stmt *link_query(serve_db *db, serve_db_connection *c, enum serve_query_id query,
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
    sqlite3_stmt *renew = link_query(db, c, SERVE_Q_RENEW_LINK, user, coras_wall_s(), err);

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
    find = link_query(m->db, c, SERVE_Q_LINK_IS_OLD, link, link->before, err);
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
    sqlite3_stmt *remove = serve_db_statement(db, c, SERVE_Q_DELETE_LINK, err);

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
