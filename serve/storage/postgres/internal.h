/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL below the metadata: what connection.c (one connection and what is asked over it),
 * statement.c (values in and out), dialect.c (words of SQL), schema.c (tables) and database.c (the
 * pool, writes) share.
 *
 * Nothing waits longer than the connection's deadline, for the server or the network: libpq's calls
 * that do not block are used, and poll(2).
 */
#ifndef SERVE_STORAGE_POSTGRES_INTERNAL_H
#define SERVE_STORAGE_POSTGRES_INTERNAL_H

#include <pthread.h>
#include "serve/storage/database.h"
#include "serve/storage/postgres/api.h"

/* Connections of a process; more requests than that wait for one another. */
#define SERVE_PG_CONNECTIONS 16
/* Values of one statement. */
#define SERVE_PG_VALUES_MAX 16
/* What one request may take. */
#define SERVE_PG_REQUEST_MS 10000
/* What removes rows looks at all of them. */
#define SERVE_PG_REMOVAL_MS 120000

struct serve_pg_value {
    uint64_t number; /* as it is sent: most significant byte first */
    char *owned;     /* text */
    const char *data;
    int len;
    bool is_binary;
    Oid type;
};

struct serve_pg_connection;

struct serve_pg_statement {
    serve_statement statement;
    int query;
    bool is_prepared; /* by the server, for this connection */
    struct serve_pg_value values[SERVE_PG_VALUES_MAX];
    bool was_run;
    int row; /* of the result; before the first step -1 */
    PGresult *result;
};

/* What can be done about the failure of a statement. */
enum serve_pg_remedy {
    SERVE_PG_NO_REMEDY,
    SERVE_PG_AGAIN,   /* the same transaction once more: others were in the way */
    SERVE_PG_CONNECT, /* it once more on another connection: this one is of no use */
};

struct serve_pg_connection {
    serve_db_connection connection;
    PGconn *handle; /* NULL: not connected */
    int64_t deadline_ms;
    bool in_transaction;
    enum serve_pg_remedy remedy; /* of the last failure */
    struct serve_pg_statement *statements;
};

struct serve_pg_query {
    char *sql;
    int values;
};

struct serve_pg {
    serve_db db;
    const struct serve_pq *pq;      /* const after open */
    enum serve_db_mode mode;        /* const after open */
    char *url;                      /* const after open; a secret */
    int query_count;                /* const after open */
    struct serve_pg_query *queries; /* const after open */
    pthread_mutex_t lock;
    pthread_cond_t released;
    int64_t down_until_ms;           /* lock; no connection is tried before */
    bool busy[SERVE_PG_CONNECTIONS]; /* lock */
    struct serve_pg_connection connections[SERVE_PG_CONNECTIONS]; /* whoever took it */
};

static inline struct serve_pg *serve_pg_of(const serve_db_connection *c)
{
    return (struct serve_pg *)c->db;
}

/* ---- connection.c ---- */
/* What it is called in messages: where it is, and never a secret. CONFIG when it is no URL of
 * PostgreSQL. */
CORAS_MUST_CHECK int serve_pg_name(const struct serve_pq *pq, const char *url, char **ret,
                                   coras_error **err);
CORAS_MUST_CHECK int serve_pg_connect(struct serve_pg_connection *c, coras_error **err);
/* Its statements are none of the server's any more. */
void serve_pg_disconnect(struct serve_pg_connection *c);
/* Statements without values and without rows, divided by semicolons. */
CORAS_MUST_CHECK int serve_pg_exec(struct serve_pg_connection *c, const char *sql,
                                   coras_error **err);
/* The same with rows; the last result, to be cleared. */
CORAS_MUST_CHECK int serve_pg_query(struct serve_pg_connection *c, const char *sql, PGresult **ret,
                                    coras_error **err);
/* What was sent has been answered, with failure or success. */
CORAS_MUST_CHECK int serve_pg_await(struct serve_pg_connection *c, PGresult **ret,
                                    coras_error **err);
/* It cannot be used any more; says why. */
int serve_pg_lose(struct serve_pg_connection *c, const char *why, coras_error **err);

/* ---- statement.c ---- */
int serve_pg_statement(serve_db_connection *c, int query, serve_statement **ret, coras_error **err);
int serve_pg_step(serve_statement *s, coras_error **err);
int64_t serve_pg_changes(serve_statement *s);
void serve_pg_reset(serve_statement *s);
void serve_pg_bind_text(serve_statement *s, int index, const char *text);
void serve_pg_bind_int(serve_statement *s, int index, int64_t value);
void serve_pg_bind_blob(serve_statement *s, int index, const void *data, size_t len);
const char *serve_pg_text(serve_statement *s, int column);
int64_t serve_pg_int(serve_statement *s, int column);
const void *serve_pg_blob(serve_statement *s, int column, size_t *ret_len);

/* ---- dialect.c ---- */
/* A statement of the metadata in PostgreSQL's words; *ret_values: how many values it takes. */
CORAS_MUST_CHECK int serve_pg_translate(const char *sql, char **ret, int *ret_values,
                                        coras_error **err);

/* ---- schema.c ---- */
/* Make the tables, or check whose they are and of which version. CONFIG. */
CORAS_MUST_CHECK int serve_pg_check_schema(struct serve_pg_connection *c,
                                           const struct serve_db_opening *opening,
                                           coras_error **err);

#endif
