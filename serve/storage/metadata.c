/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata as a whole: lists, opening and closing. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "serve/storage/metadata_queries.h"
#include "serve/storage/sessions.h"

/* ---- lists ---- */

int serve_metadata_has_repository(serve_metadata *m, const char *repository, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    int64_t id;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    return serve_metadata_repository_id(c, repository, &id, err);
}

/* Collect the first column; asks for one row more than wanted, to know whether there are more. */
static int collect_names(serve_statement *list, int64_t limit, coras_strlist *ret, bool *ret_more,
                         coras_error **err)
{
    int rc;

    *ret_more = false;
    while ((rc = serve_db_step(list, err)) > 0) {
        if ((int64_t)ret->len == limit) {
            *ret_more = true;
            break;
        }
        CORAS_TRY(coras_strlist_add(ret, serve_db_text(list, 0), err));
    }
    return rc < 0 ? rc : 0;
}

static int list_names(serve_metadata *m, enum serve_query_id query, const char *repository,
                      const char *last, int64_t limit, coras_strlist *ret, bool *ret_more,
                      coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) list = NULL;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, (int)query, &list, err));
    if (repository)
        serve_db_bind_text(list, 1, repository);
    serve_db_bind_text(list, 2, last);
    serve_db_bind_int(list, 3, limit + 1);
    return collect_names(list, limit, ret, ret_more, err);
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

static int visit_referrers(serve_statement *list, bool (*visit)(const char *, const char *, void *),
                           void *user, coras_error **err)
{
    int rc;

    while ((rc = serve_db_step(list, err)) > 0) {
        const char *descriptor = serve_db_text(list, 0);
        const char *digest = serve_db_text(list, 1);
        if (!descriptor || !digest || !visit(descriptor, digest, user))
            break;
    }
    return rc < 0 ? rc : 0;
}

int serve_metadata_referrers(serve_metadata *m, const struct serve_referrers_query *query,
                             bool (*visit)(const char *descriptor, const char *digest, void *user),
                             void *user, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) list = NULL;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_REFERRERS, &list, err));
    serve_db_bind_text(list, 1, query->repository);
    serve_db_bind_digest(list, 2, &query->subject);
    serve_db_bind_text(list, 3, query->last);
    serve_db_bind_text(list, 4, query->artifact_type);
    serve_db_bind_int(list, 5, query->limit);
    return visit_referrers(list, visit, user, err);
}

int serve_metadata_has_referrers(serve_metadata *m, const char *repository, bool *ret,
                                 coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) any = NULL;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_ANY_REFERRER, &any, err));
    serve_db_bind_text(any, 1, repository);
    int rc = serve_db_step(any, err);
    *ret = rc > 0;
    return rc < 0 ? rc : 0;
}

int serve_metadata_count(serve_metadata *m, struct serve_metadata_counts *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) all = NULL;
    int rc;

    *ret = (struct serve_metadata_counts){0};
    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_COUNT_ALL, &all, err));
    rc = serve_db_step(all, err);
    if (rc <= 0)
        return rc;
    ret->repositories = serve_db_int(all, 0);
    ret->manifests = serve_db_int(all, 1);
    ret->tags = serve_db_int(all, 2);
    ret->blobs = serve_db_int(all, 3);
    ret->blob_bytes = serve_db_int(all, 4);
    return 0;
}

/* ---- life ---- */

bool serve_metadata_is_url(const char *where)
{
    return coras_str_starts(where, "postgres://") || coras_str_starts(where, "postgresql://");
}

int serve_metadata_open(const char *where, enum serve_db_mode mode, serve_metadata **ret,
                        coras_error **err)
{
    coras_auto(serve_metadata) m = coras_new(serve_metadata);
    const struct serve_db_opening opening = {mode, serve_queries, SERVE_Q_COUNT, serve_schema,
                                             serve_schema_version};

    if (!m)
        return coras_fail_no_memory(err);
    serve_session_make_id(m->holder);
    if (serve_metadata_is_url(where))
        CORAS_TRY(serve_db_open_postgres(where, &opening, &m->db, err));
    else
        CORAS_TRY(serve_db_open_sqlite(where, &opening, &m->db, err));
    *ret = coras_steal(&m);
    return 0;
}

void serve_metadata_measure(serve_metadata *m, serve_metrics *metrics)
{
    m->db->metrics = metrics;
}

void serve_metadata_close(serve_metadata *m)
{
    if (!m)
        return;
    serve_db_close(m->db);
    free(m);
}
