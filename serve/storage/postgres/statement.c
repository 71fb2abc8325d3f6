/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements: prepared by the server at first use on a connection, with the types of what is bound.
 * Values go and come in binary form, so that nothing is quoted or parsed.
 */
#include <endian.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "serve/storage/postgres/internal.h"

/* Spec: PostgreSQL's pg_type.dat; they have never changed. */
#define TYPE_BYTEA 17
#define TYPE_INT8  20
#define TYPE_TEXT  25
#define NAME_MAX_  16

static struct serve_pg_statement *statement_of(serve_statement *s)
{
    return (struct serve_pg_statement *)s;
}

static struct serve_pg_connection *connection_of(const serve_statement *s)
{
    return (struct serve_pg_connection *)s->connection;
}

int serve_pg_statement(serve_db_connection *connection, int query, serve_statement **ret,
                       coras_error **err)
{
    struct serve_pg_connection *c = (struct serve_pg_connection *)connection;
    struct serve_pg_statement *s = &c->statements[query];

    (void)err;
    s->statement.connection = connection;
    s->query = query;
    serve_pg_reset(&s->statement);
    *ret = &s->statement;
    return 0;
}

void serve_pg_reset(serve_statement *statement)
{
    struct serve_pg_statement *s = statement_of(statement);

    if (s->result)
        serve_pg_of(statement->connection)->pq->PQclear(s->result);
    s->result = NULL;
    s->was_run = false;
    s->row = -1;
    for (int i = 0; i < SERVE_PG_VALUES_MAX; i++) {
        free(s->values[i].owned);
        s->values[i] = (struct serve_pg_value){.type = TYPE_TEXT};
    }
}

/* ---- values in; one for which there is no memory stays NULL, which its column refuses ---- */

void serve_pg_bind_text(serve_statement *s, int index, const char *text)
{
    struct serve_pg_value *v = &statement_of(s)->values[index - 1];

    v->owned = text ? coras_strdup(text) : NULL;
    v->data = v->owned;
}

void serve_pg_bind_int(serve_statement *s, int index, int64_t value)
{
    struct serve_pg_value *v = &statement_of(s)->values[index - 1];

    v->number = htobe64((uint64_t)value);
    *v = (struct serve_pg_value){v->number,         NULL, (const char *)&v->number,
                                 sizeof(v->number), true, TYPE_INT8};
}

void serve_pg_bind_blob(serve_statement *s, int index, const void *data, size_t len)
{
    statement_of(s)->values[index - 1] = (struct serve_pg_value){
        .data = data ? data : "", .len = (int)len, .is_binary = true, .type = TYPE_BYTEA};
}

/* ---- running ---- */

static const char *name_of(const struct serve_pg_statement *s, char name[static NAME_MAX_])
{
    snprintf(name, NAME_MAX_, "coras%d", s->query);
    return name;
}

static int prepare(struct serve_pg_statement *s, coras_error **err)
{
    struct serve_pg_connection *c = connection_of(&s->statement);
    const struct serve_pg *p = serve_pg_of(&c->connection);
    const struct serve_pg_query *q = &p->queries[s->query];
    Oid types[SERVE_PG_VALUES_MAX];
    char name[NAME_MAX_];
    PGresult *result = NULL;

    for (int i = 0; i < q->values; i++)
        types[i] = s->values[i].type;
    if (!p->pq->PQsendPrepare(c->handle, name_of(s, name), q->sql, q->values, types))
        return serve_pg_lose(c, p->pq->PQerrorMessage(c->handle), err);
    CORAS_TRY(serve_pg_await(c, &result, err));
    p->pq->PQclear(result);
    s->is_prepared = true;
    return 0;
}

static int send(struct serve_pg_statement *s, coras_error **err)
{
    struct serve_pg_connection *c = connection_of(&s->statement);
    const struct serve_pg *p = serve_pg_of(&c->connection);
    int count = p->queries[s->query].values;
    const char *data[SERVE_PG_VALUES_MAX];
    int lengths[SERVE_PG_VALUES_MAX], formats[SERVE_PG_VALUES_MAX];
    char name[NAME_MAX_];

    for (int i = 0; i < count; i++) {
        data[i] = s->values[i].data;
        lengths[i] = s->values[i].len;
        formats[i] = s->values[i].is_binary;
    }
    if (!p->pq->PQsendQueryPrepared(c->handle, name_of(s, name), count, data, lengths, formats, 1))
        return serve_pg_lose(c, p->pq->PQerrorMessage(c->handle), err);
    return 0;
}

static int run(struct serve_pg_statement *s, coras_error **err)
{
    struct serve_pg_connection *c = connection_of(&s->statement);

    c->remedy = SERVE_PG_NO_REMEDY;
    if (!c->handle)
        return serve_pg_lose(c, "the connection was lost", err);
    if (!s->is_prepared)
        CORAS_TRY(prepare(s, err));
    CORAS_TRY(send(s, err));
    return serve_pg_await(c, &s->result, err);
}

/* What only reads is asked again over another connection: the server may have been restarted since
 * this one was used. What a transaction has done is gone with its connection. */
static int run_or_again(struct serve_pg_statement *s, coras_error **err)
{
    struct serve_pg_connection *c = connection_of(&s->statement);
    coras_auto(coras_error) failure = NULL;
    int rc = run(s, &failure);

    if (rc < 0 && c->remedy == SERVE_PG_CONNECT && !c->in_transaction &&
        coras_now_ms() < c->deadline_ms) {
        serve_pg_disconnect(c);
        coras_error_clear(&failure);
        rc = serve_pg_connect(c, &failure);
        if (rc == 0)
            rc = run(s, &failure);
    }
    coras_error_propagate(err, &failure);
    return rc;
}

int serve_pg_step(serve_statement *statement, coras_error **err)
{
    struct serve_pg_statement *s = statement_of(statement);

    if (!s->was_run)
        CORAS_TRY(run_or_again(s, err));
    s->was_run = true;
    if (++s->row < serve_pg_of(statement->connection)->pq->PQntuples(s->result))
        return 1;
    return 0;
}

int64_t serve_pg_changes(serve_statement *statement)
{
    struct serve_pg_statement *s = statement_of(statement);
    const char *digits =
        s->result ? serve_pg_of(statement->connection)->pq->PQcmdTuples(s->result) : "";
    int64_t rows = 0;

    return coras_parse_int64(coras_str_of(digits), &rows) ? rows : 0;
}

/* ---- values out ---- */

/* Of whatever type and width it is; NULL is 0. */
static int64_t number_in(const struct serve_pq *pq, const PGresult *result, int row, int column)
{
    const unsigned char *bytes = (const unsigned char *)pq->PQgetvalue(result, row, column);
    int len = pq->PQgetlength(result, row, column);
    int64_t number = len > 0 && (bytes[0] & 0x80) ? -1 : 0;

    for (int i = 0; i < len && len <= 8; i++)
        number = (int64_t)((uint64_t)number << 8 | bytes[i]);
    return number;
}

const char *serve_pg_text(serve_statement *statement, int column)
{
    const struct serve_pg_statement *s = statement_of(statement);
    const struct serve_pq *pq = serve_pg_of(statement->connection)->pq;

    return pq->PQgetisnull(s->result, s->row, column) ? NULL
                                                      : pq->PQgetvalue(s->result, s->row, column);
}

int64_t serve_pg_int(serve_statement *statement, int column)
{
    const struct serve_pg_statement *s = statement_of(statement);

    return number_in(serve_pg_of(statement->connection)->pq, s->result, s->row, column);
}

const void *serve_pg_blob(serve_statement *statement, int column, size_t *ret_len)
{
    const struct serve_pg_statement *s = statement_of(statement);
    const struct serve_pq *pq = serve_pg_of(statement->connection)->pq;

    *ret_len = (size_t)pq->PQgetlength(s->result, s->row, column);
    return serve_pg_text(statement, column);
}
