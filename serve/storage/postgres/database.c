/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL as a database of the metadata: a pool of connections, and writes as transactions.
 *
 * Several processes may write at the same time, each in transactions that read what was committed.
 * Where one removes rows on the strength of what it has seen (the collector: "no manifest needs
 * this blob") another could be about to add what makes that wrong, unseen until it commits. So
 * every write holds one advisory lock to its end: those that add share it, those that remove have
 * it alone, and take it before they look. Row locks would not do: a collector that waited for one
 * goes on with what it had seen before. Whoever dies gives the lock back with the connection.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "serve/storage/postgres/internal.h"

/* After a connection could not be made, nobody tries for so long: requests fail at once. */
#define DOWN_MS 1000
/* How often a transaction is begun in all when others are in its way. */
#define ATTEMPTS   8
#define PAUSE_MS   20
#define BEGIN_WITH "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT "

static const char begin_among_others[] = BEGIN_WITH "pg_advisory_xact_lock_shared(1668248161, 1)";
static const char begin_alone[] = BEGIN_WITH "pg_advisory_xact_lock(1668248161, 1)";

/* ---- the pool ---- */

/* One that is connected rather than one that is not. NULL: all are taken. With the lock. */
static struct serve_pg_connection *find_free(struct serve_pg *p)
{
    struct serve_pg_connection *found = NULL;

    for (size_t i = 0; i < SERVE_PG_CONNECTIONS; i++) {
        if (!p->busy[i] && (!found || (!found->handle && p->connections[i].handle)))
            found = &p->connections[i];
    }
    return found;
}

static struct serve_pg_connection *await_free(struct serve_pg *p)
{
    struct timespec deadline = coras_deadline_ms(SERVE_PG_REQUEST_MS);
    struct serve_pg_connection *c;

    pthread_mutex_lock(&p->lock);
    while (!(c = find_free(p))) {
        if (pthread_cond_timedwait(&p->released, &p->lock, &deadline) != 0)
            break;
    }
    if (c)
        p->busy[c - p->connections] = true;
    pthread_mutex_unlock(&p->lock);
    return c;
}

static void release(serve_db_connection *connection)
{
    struct serve_pg_connection *c = (struct serve_pg_connection *)connection;
    struct serve_pg *p = serve_pg_of(connection);

    pthread_mutex_lock(&p->lock);
    p->busy[c - p->connections] = false;
    pthread_cond_signal(&p->released);
    pthread_mutex_unlock(&p->lock);
}

static bool is_down(struct serve_pg *p)
{
    bool down;

    pthread_mutex_lock(&p->lock);
    down = coras_now_ms() < p->down_until_ms;
    pthread_mutex_unlock(&p->lock);
    return down;
}

static int connect_one(struct serve_pg *p, struct serve_pg_connection *c, coras_error **err)
{
    int rc;

    if (is_down(p))
        return coras_fail(err, CORAS_ERR_TIMEOUT, "%s did not answer a moment ago", p->db.name);
    rc = serve_pg_connect(c, err);
    pthread_mutex_lock(&p->lock);
    p->down_until_ms = rc < 0 ? coras_now_ms() + DOWN_MS : 0;
    pthread_mutex_unlock(&p->lock);
    return rc;
}

static int take(struct serve_pg *p, int64_t limit_ms, struct serve_pg_connection **ret,
                coras_error **err)
{
    struct serve_pg_connection *c = await_free(p);
    int rc = 0;

    if (!c)
        return coras_fail(err, CORAS_ERR_TIMEOUT, "%s: all connections are busy", p->db.name);
    c->deadline_ms = coras_now_ms() + limit_ms;
    c->remedy = SERVE_PG_NO_REMEDY;
    if (!c->handle)
        rc = connect_one(p, c, err);
    if (rc < 0) {
        release(&c->connection);
        return rc;
    }
    *ret = c;
    return 0;
}

static int reader(serve_db *db, serve_db_connection **ret, coras_error **err)
{
    struct serve_pg_connection *c = NULL;

    CORAS_TRY(take((struct serve_pg *)db, SERVE_PG_REQUEST_MS, &c, err));
    *ret = &c->connection;
    return 0;
}

/* ---- writes ---- */

struct write {
    enum serve_db_company company;
    serve_db_work *work;
    void *user;
};

static int begin(struct serve_pg *p, struct serve_pg_connection *c, const struct write *w,
                 coras_error **err)
{
    const char *sql = w->company == SERVE_DB_ALONE ? begin_alone : begin_among_others;
    coras_auto(coras_error) failure = NULL;
    int rc = serve_pg_exec(c, sql, &failure);

    if (rc < 0 && c->remedy == SERVE_PG_CONNECT) { /* nothing is lost with it yet */
        serve_pg_disconnect(c);
        CORAS_TRY(connect_one(p, c, err));
        return serve_pg_exec(c, sql, err);
    }
    coras_error_propagate(err, &failure);
    return rc;
}

/* A statement whose failure nobody minded has ended the transaction: PostgreSQL would answer a
 * COMMIT with a rollback, and no error. */
static int commit(struct serve_pg *p, struct serve_pg_connection *c, coras_error **err)
{
    if (c->handle && p->pq->PQtransactionStatus(c->handle) != PQTRANS_INTRANS)
        return coras_fail(err, CORAS_ERR_IO, "%s: a statement of a transaction has failed",
                          p->db.name);
    return serve_pg_exec(c, "COMMIT", err);
}

static int run_in_transaction(struct serve_pg *p, struct serve_pg_connection *c,
                              const struct write *w, coras_error **err)
{
    int rc = begin(p, c, w, err);

    if (rc < 0)
        return rc;
    if (w->company == SERVE_DB_ALONE)
        c->deadline_ms = coras_now_ms() + SERVE_PG_REMOVAL_MS;
    c->in_transaction = true;
    c->remedy = SERVE_PG_NO_REMEDY;
    rc = w->work(&c->connection, w->user, err);
    if (rc >= 0) {
        int committed = commit(p, c, err);
        rc = committed < 0 ? committed : rc;
    }
    c->in_transaction = false;
    return rc;
}

/* What a failed write has begun ends with it, by the connection's end if need be. */
static void undo(struct serve_pg *p, struct serve_pg_connection *c)
{
    if (c->handle && p->pq->PQtransactionStatus(c->handle) != PQTRANS_IDLE &&
        serve_pg_exec(c, "ROLLBACK", NULL) < 0)
        serve_pg_disconnect(c);
}

static int write_once(struct serve_pg *p, const struct write *w, enum serve_pg_remedy *ret_remedy,
                      coras_error **err)
{
    struct serve_pg_connection *c = NULL;
    int rc;

    CORAS_TRY(take(p, SERVE_PG_REQUEST_MS, &c, err));
    rc = run_in_transaction(p, c, w, err);
    *ret_remedy = rc < 0 ? c->remedy : SERVE_PG_NO_REMEDY;
    if (rc < 0)
        undo(p, c);
    release(&c->connection);
    return rc;
}

/* So that those who were in each other's way do not meet again. */
static void pause_some(int attempt)
{
    struct timespec some = {.tv_nsec =
                                (long)coras_random_below((uint32_t)(attempt * PAUSE_MS * 1000000))};

    (void)nanosleep(&some, NULL);
}

static int write_all(serve_db *db, enum serve_db_company company, serve_db_work *work, void *user,
                     coras_error **err)
{
    struct serve_pg *p = (struct serve_pg *)db;
    const struct write w = {company, work, user};
    enum serve_pg_remedy remedy = SERVE_PG_NO_REMEDY;
    coras_auto(coras_error) failure = NULL;
    int rc = write_once(p, &w, &remedy, &failure);

    for (int i = 1; rc < 0 && remedy == SERVE_PG_AGAIN && i < ATTEMPTS; i++) {
        pause_some(i);
        coras_error_clear(&failure);
        remedy = SERVE_PG_NO_REMEDY;
        rc = write_once(p, &w, &remedy, &failure);
    }
    coras_error_propagate(err, &failure);
    return rc;
}

/* ---- life ---- */

static void close_connection(struct serve_pg *p, struct serve_pg_connection *c)
{
    for (int i = 0; c->statements && i < p->query_count; i++) {
        if (c->statements[i].statement.connection)
            serve_pg_reset(&c->statements[i].statement);
    }
    serve_pg_disconnect(c);
    free(c->statements);
}

static void close_all(serve_db *db)
{
    struct serve_pg *p = (struct serve_pg *)db;

    for (size_t i = 0; i < SERVE_PG_CONNECTIONS; i++)
        close_connection(p, &p->connections[i]);
    for (int i = 0; p->queries && i < p->query_count; i++)
        free(p->queries[i].sql);
    free(p->queries);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->released);
    coras_free_secret(p->url);
    free(p->db.name);
    free(p);
}

static const struct serve_db_kind postgres_kind = {
    .is_shared = true,
    .close = close_all,
    .reader = reader,
    .release = release,
    .write = write_all,
    .statement = serve_pg_statement,
    .step = serve_pg_step,
    .changes = serve_pg_changes,
    .reset = serve_pg_reset,
    .bind_text = serve_pg_bind_text,
    .bind_int = serve_pg_bind_int,
    .bind_blob = serve_pg_bind_blob,
    .text = serve_pg_text,
    .integer = serve_pg_int,
    .blob = serve_pg_blob,
};

static void init(struct serve_pg *p, const struct serve_pq *pq, const struct serve_db_opening *o)
{
    p->db.kind = &postgres_kind;
    p->pq = pq;
    p->mode = o->mode;
    p->query_count = o->query_count;
    pthread_mutex_init(&p->lock, NULL);
    coras_cond_init(&p->released);
    for (size_t i = 0; i < SERVE_PG_CONNECTIONS; i++)
        p->connections[i].connection.db = &p->db;
}

static int translate_all(struct serve_pg *p, const struct serve_db_opening *o, coras_error **err)
{
    p->queries = coras_calloc((size_t)o->query_count, sizeof(*p->queries));
    if (!p->queries)
        return coras_fail_no_memory(err);
    for (int i = 0; i < o->query_count; i++)
        CORAS_TRY(
            serve_pg_translate(o->queries[i], &p->queries[i].sql, &p->queries[i].values, err));
    for (size_t i = 0; i < SERVE_PG_CONNECTIONS; i++) {
        p->connections[i].statements =
            coras_calloc((size_t)o->query_count, sizeof(struct serve_pg_statement));
        if (!p->connections[i].statements)
            return coras_fail_no_memory(err);
    }
    return 0;
}

static int check_tables(struct serve_pg *p, const struct serve_db_opening *o, coras_error **err)
{
    struct serve_pg_connection *c = NULL;
    int rc;

    CORAS_TRY(take(p, SERVE_PG_REMOVAL_MS, &c, err));
    rc = serve_pg_check_schema(c, o, err);
    release(&c->connection);
    return rc;
}

int serve_db_open_postgres(const char *url, const struct serve_db_opening *opening, serve_db **ret,
                           coras_error **err)
{
    const struct serve_pq *pq = NULL;
    coras_auto(serve_db) db = NULL;
    coras_auto(coras_error) failure = NULL;
    struct serve_pg *p;
    int rc;

    CORAS_TRY(serve_pq_load(&pq, err));
    p = coras_new(struct serve_pg);
    if (!p)
        return coras_fail_no_memory(err);
    init(p, pq, opening);
    db = &p->db;
    CORAS_TRY(serve_pg_name(pq, url, &db->name, err));
    p->url = coras_strdup(url);
    if (!p->url)
        return coras_fail_no_memory(err);
    CORAS_TRY(translate_all(p, opening, err));
    rc = check_tables(p, opening, &failure);
    if (rc == CORAS_ERR_TIMEOUT)
        rc = coras_error_recode(&failure, CORAS_ERR_CONNECT);
    coras_error_propagate(err, &failure);
    if (rc < 0)
        return rc;
    *ret = coras_steal(&db);
    return 0;
}
