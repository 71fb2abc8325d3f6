/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables in PostgreSQL: made, brought up or checked in one transaction under a lock, so that
 * several processes may start at once.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "serve/storage/postgres/internal.h"

/* One lock for the schema, of this number; those of database.c are others. */
#define BEGIN_ALONE "BEGIN; SELECT pg_advisory_xact_lock(1668248161, 2)"

static int ask_number(struct serve_pg_connection *c, const char *sql, int64_t *ret,
                      coras_error **err)
{
    const struct serve_pq *pq = serve_pg_of(&c->connection)->pq;
    const char *text = "";
    PGresult *result = NULL;

    CORAS_TRY(serve_pg_query(c, sql, &result, err));
    if (pq->PQntuples(result) > 0)
        text = pq->PQgetvalue(result, 0, 0);
    *ret = 0;
    (void)coras_parse_int64(coras_str_of(text), ret);
    pq->PQclear(result);
    return 0;
}

/* 0: there are no tables of ours. */
static int read_version(struct serve_pg_connection *c, int64_t *ret, coras_error **err)
{
    int64_t exists = 0;

    *ret = 0;
    CORAS_TRY(ask_number(c,
                         "SELECT count(*) FROM (SELECT to_regclass('coras_registry') AS name) t"
                         " WHERE name IS NOT NULL",
                         &exists, err));
    return exists ? ask_number(c, "SELECT version FROM coras_registry", ret, err) : 0;
}

static int add_steps(const struct serve_db_opening *o, int version, coras_buf *sql,
                     coras_error **err)
{
    if (version == 0)
        coras_buf_puts(sql, "CREATE TABLE coras_registry (version BIGINT NOT NULL);"
                            "INSERT INTO coras_registry VALUES (0);");
    for (int i = version; i < o->schema_version; i++) {
        coras_auto_free char *step = NULL;
        int values = 0;
        CORAS_TRY(serve_pg_translate(o->schema[i], &step, &values, err));
        coras_buf_puts(sql, step);
    }
    coras_buf_printf(sql, "UPDATE coras_registry SET version = %d", o->schema_version);
    return coras_buf_done(sql, err);
}

static int bring_up(struct serve_pg_connection *c, const struct serve_db_opening *o, int version,
                    coras_error **err)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);
    coras_auto_buf sql = CORAS_BUF_UNLIMITED;

    CORAS_TRY(add_steps(o, version, &sql, err));
    if (serve_pg_exec(c, sql.ptr, err) < 0)
        return coras_wrap(err, CORAS_ERR_CONFIG, "make the tables of the registry in %s",
                          p->db.name);
    return 0;
}

static int check_version(struct serve_pg_connection *c, const struct serve_db_opening *o,
                         coras_error **err)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);
    int64_t version = 0;

    CORAS_TRY(read_version(c, &version, err));
    if (version == 0 && o->mode != SERVE_DB_CREATE)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: there is no registry in it", p->db.name);
    if (version > o->schema_version) {
        coras_fail(err, CORAS_ERR_CONFIG, "%s: made by another version (schema %lld)", p->db.name,
                   (long long)version);
        coras_hint(err, "serve it with the version that made it");
        return CORAS_ERR_CONFIG;
    }
    if (version == o->schema_version)
        return 0;
    if (o->mode == SERVE_DB_READ_ONLY) {
        coras_fail(err, CORAS_ERR_CONFIG, "%s: made by an older version", p->db.name);
        coras_hint(err, "serve it once without --read-only");
        return CORAS_ERR_CONFIG;
    }
    return bring_up(c, o, (int)version, err);
}

int serve_pg_check_schema(struct serve_pg_connection *c, const struct serve_db_opening *opening,
                          coras_error **err)
{
    int rc = 0;

    if (opening->mode == SERVE_DB_READ_ONLY)
        return check_version(c, opening, err);
    CORAS_TRY(serve_pg_exec(c, BEGIN_ALONE, err));
    rc = check_version(c, opening, err);
    if (rc == 0)
        rc = serve_pg_exec(c, "COMMIT", err);
    if (rc < 0)
        serve_pg_disconnect(c); /* what was begun is taken back */
    return rc;
}
