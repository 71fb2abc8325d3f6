/* SPDX-License-Identifier: Apache-2.0 */
/* Which repository holds which blobs. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

static int add_link(serve_db_connection *c, const char *repository, const coras_digest *digest,
                    coras_error **err)
{
    coras_auto(serve_statement) add = NULL;
    int64_t id = 0;

    CORAS_TRY(serve_metadata_make_repository(c, repository, &id, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_ADD_LINK, &add, err));
    serve_db_bind_int(add, 1, id);
    serve_db_bind_digest(add, 2, digest);
    serve_db_bind_int(add, 3, coras_wall_s());
    return serve_db_run(add, err);
}

struct blob_link {
    const char *repository, *from;
    const char *place;
    const coras_digest *digest;
    int64_t size;
    int64_t before; /* wall clock seconds */
    bool is_cached;
};

static int add_blob_row(serve_db_connection *c, const struct blob_link *link, coras_error **err)
{
    coras_auto(serve_statement) add = NULL;

    CORAS_TRY(serve_db_statement(c, link->is_cached ? SERVE_Q_ADD_CACHED_BLOB : SERVE_Q_ADD_BLOB,
                                 &add, err));
    serve_db_bind_digest(add, 1, link->digest);
    serve_db_bind_int(add, 2, link->size);
    serve_db_bind_int(add, 3, coras_wall_s());
    serve_db_bind_text(add, 4, link->place);
    return serve_db_run(add, err);
}

static int link_blob(serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    char text[CORAS_DIGEST_TEXT_MAX];

    if (link->place || !link->is_cached)
        CORAS_TRY(serve_metadata_leave_place(c, coras_digest_format(link->digest, text),
                                             link->place, err));
    CORAS_TRY(add_blob_row(c, link, err));
    return add_link(c, link->repository, link->digest, err);
}

int serve_metadata_add_blob(serve_db_connection *c, const char *repository,
                            const coras_digest *digest, int64_t size, const char *place,
                            coras_error **err)
{
    struct blob_link link = {
        .repository = repository, .digest = digest, .size = size, .place = place};

    return link_blob(c, &link, err);
}

int serve_metadata_link_blob(serve_metadata *m, const char *repository, const coras_digest *digest,
                             int64_t size, const char *place, coras_error **err)
{
    struct blob_link link = {
        .repository = repository, .digest = digest, .size = size, .place = place};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, link_blob, &link, err);
}

int serve_metadata_link_cached_blob(serve_metadata *m, const char *repository,
                                    const coras_digest *digest, int64_t size, const char *place,
                                    coras_error **err)
{
    struct blob_link link = {.repository = repository,
                             .digest = digest,
                             .size = size,
                             .place = place,
                             .is_cached = true};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, link_blob, &link, err);
}

static int find_blob(serve_db_connection *c, const char *repository, const coras_digest *digest,
                     int64_t *ret_size, coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_statement(c, repository ? SERVE_Q_FIND_LINKED_BLOB : SERVE_Q_FIND_BLOB,
                                 &find, err));
    if (repository)
        serve_db_bind_text(find, 1, repository);
    serve_db_bind_digest(find, 2, digest);
    rc = serve_db_step(find, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    *ret_size = serve_db_int(find, 0);
    return 0;
}

/* Stored, but on its way out unless some repository holds it. */
static int check_linked(serve_db_connection *c, const coras_digest *digest, coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_FIND_ANY_LINK, &find, err));
    serve_db_bind_digest(find, 1, digest);
    rc = serve_db_step(find, err);
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    return rc < 0 ? rc : 0;
}

/* It counts as pushed from now on. */
static int own_blob(serve_db_connection *c, const coras_digest *digest, coras_error **err)
{
    coras_auto(serve_statement) own = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_OWN_BLOB, &own, err));
    serve_db_bind_digest(own, 1, digest);
    return serve_db_run(own, err);
}

static int mount_blob(serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    int64_t size = 0;

    CORAS_TRY(find_blob(c, link->from, link->digest, &size, err));
    if (!link->from)
        CORAS_TRY(check_linked(c, link->digest, err));
    CORAS_TRY(own_blob(c, link->digest, err));
    return add_link(c, link->repository, link->digest, err);
}

int serve_metadata_mount_blob(serve_metadata *m, const char *from, const char *repository,
                              const coras_digest *digest, coras_error **err)
{
    struct blob_link link = {.repository = repository, .from = from, .digest = digest};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, mount_blob, &link, err);
}

int serve_metadata_find_blob(serve_metadata *m, const char *repository, const coras_digest *digest,
                             int64_t *ret_size, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    return find_blob(c, repository, digest, ret_size, err);
}

/* Bind (repository, digest, time) of a query on one link. */
static int link_query(serve_db_connection *c, enum serve_query_id query,
                      const struct blob_link *link, int64_t time, serve_statement **ret,
                      coras_error **err)
{
    CORAS_TRY(serve_db_statement(c, (int)query, ret, err));
    serve_db_bind_text(*ret, 1, link->repository);
    serve_db_bind_digest(*ret, 2, link->digest);
    serve_db_bind_int(*ret, 3, time);
    return 0;
}

static int renew_link(serve_db_connection *c, void *user, coras_error **err)
{
    coras_auto(serve_statement) renew = NULL;

    CORAS_TRY(link_query(c, SERVE_Q_RENEW_LINK, user, coras_wall_s(), &renew, err));
    CORAS_TRY(serve_db_run(renew, err));
    if (serve_db_changes(renew) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    return 0;
}

/* 1 = it was made before link->before, 0 = not. NOT_FOUND. */
static int link_is_old(serve_metadata *m, const struct blob_link *link, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(link_query(c, SERVE_Q_LINK_IS_OLD, link, link->before, &find, err));
    rc = serve_db_step(find, err);
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    return rc < 0 ? rc : (int)serve_db_int(find, 0);
}

int serve_metadata_keep_blob(serve_metadata *m, const char *repository, const coras_digest *digest,
                             int64_t before, coras_error **err)
{
    struct blob_link link = {.repository = repository, .digest = digest, .before = before};
    int rc = link_is_old(m, &link, err);

    return rc > 0 ? serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, renew_link, &link, err) : rc;
}

static int unlink_blob(serve_db_connection *c, void *user, coras_error **err)
{
    const struct blob_link *link = user;
    coras_auto(serve_statement) remove = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_DELETE_LINK, &remove, err));
    serve_db_bind_text(remove, 1, link->repository);
    serve_db_bind_digest(remove, 2, link->digest);
    CORAS_TRY(serve_db_run(remove, err));
    if (serve_db_changes(remove) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    return 0;
}

int serve_metadata_unlink_blob(serve_metadata *m, const char *repository,
                               const coras_digest *digest, coras_error **err)
{
    struct blob_link link = {.repository = repository, .digest = digest};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, unlink_blob, &link, err);
}
