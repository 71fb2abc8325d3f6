/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata as a whole: lists, collection, opening and closing. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

/* ---- lists ---- */

int serve_metadata_has_repository(serve_metadata *m, const char *repository, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    int64_t id;
    int rc;

    if (!c)
        return CORAS_ERR_IO;
    rc = serve_metadata_repository_id(m->db, c, repository, &id, err);
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

static int list_names(serve_metadata *m, enum serve_query_id query, const char *repository,
                      const char *last, int64_t limit, coras_strlist *ret, bool *ret_more,
                      coras_error **err)
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
    return list_names(m, SERVE_Q_TAGS, repository, last, limit, ret, ret_more, err);
}

int serve_metadata_pushed_tags(serve_metadata *m, const char *repository, const char *last,
                               int64_t limit, coras_strlist *ret, bool *ret_more, coras_error **err)
{
    return list_names(m, SERVE_Q_PUSHED_TAGS, repository, last, limit, ret, ret_more, err);
}

int serve_metadata_repositories(serve_metadata *m, const char *last, int64_t limit,
                                coras_strlist *ret, bool *ret_more, coras_error **err)
{
    return list_names(m, SERVE_Q_REPOSITORIES, NULL, last, limit, ret, ret_more, err);
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
    list = serve_db_statement(m->db, c, SERVE_Q_REFERRERS, err);
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

static int count(serve_db *db, serve_db_connection *c, struct serve_metadata_counts *ret,
                 coras_error **err)
{
    sqlite3_stmt *all = serve_db_statement(db, c, SERVE_Q_COUNT_ALL, err);
    int rc;

    if (!all)
        return CORAS_ERR_IO;
    rc = serve_db_step(db, all, err);
    if (rc <= 0)
        return rc;
    ret->repositories = sqlite3_column_int64(all, 0);
    ret->manifests = sqlite3_column_int64(all, 1);
    ret->tags = sqlite3_column_int64(all, 2);
    ret->blobs = sqlite3_column_int64(all, 3);
    ret->blob_bytes = sqlite3_column_int64(all, 4);
    sqlite3_reset(all);
    return 0;
}

int serve_metadata_count(serve_metadata *m, struct serve_metadata_counts *ret, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    int rc;

    *ret = (struct serve_metadata_counts){0};
    if (!c)
        return CORAS_ERR_IO;
    rc = count(m->db, c, ret, err);
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
    sqlite3_stmt *links = serve_db_statement(db, c, SERVE_Q_COLLECT_LINKS, err);
    sqlite3_stmt *list = serve_db_statement(db, c, SERVE_Q_UNLINKED_BLOBS, err);
    bool more;

    if (!links || !list)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(links, 1, collection->before);
    CORAS_TRY(serve_db_run(db, links, err));
    sqlite3_bind_int64(list, 1, collection->before);
    sqlite3_bind_int(list, 2, collection->limit);
    CORAS_TRY(collect_names(db, list, collection->limit, collection->digests, &more, err));
    for (size_t i = 0; i < collection->digests->len; i++) {
        sqlite3_stmt *forget = serve_db_statement(db, c, SERVE_Q_DELETE_BLOB, err);
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
    CORAS_TRY(serve_db_open(path, mode, serve_queries, &m->db, err));
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
