/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: made, asked, and lost. */
#include <errno.h>
#include <poll.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "serve/storage/postgres/internal.h"

/* Of a message of the server or of libpq. */
#define SAID_MAX 500

/* ---- what it is called ---- */

/* The value of an option of the URL, or what stands for its absence. */
static const char *option_of(const PQconninfoOption *o, const char *keyword, const char *absent)
{
    for (; o->keyword; o++) {
        if (coras_streq(o->keyword, keyword))
            return o->val && *o->val ? o->val : absent;
    }
    return absent;
}

int serve_pg_name(const struct serve_pq *pq, const char *url, char **ret, coras_error **err)
{
    /* what libpq says about a URL that it cannot read has the URL in it, with the password */
    PQconninfoOption *options = pq->PQconninfoParse(url, NULL);
    coras_auto_free char *plain = NULL;

    if (!options)
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "not a URL of PostgreSQL, or not one of this form "
                          "(postgres://USER@HOST:PORT/DATABASE)");
    plain = coras_asprintf("PostgreSQL at %s, database %s", option_of(options, "host", "this host"),
                           option_of(options, "dbname", "of the user's name"));
    pq->PQconninfoFree(options);
    *ret = plain ? coras_escape_dup(plain) : NULL;
    return *ret ? 0 : coras_fail_no_memory(err);
}

/* ---- failures ---- */

static const struct {
    const char *begins; /* of an SQLSTATE. Spec: PostgreSQL 15, appendix A */
    int code;
    enum serve_pg_remedy remedy;
} states[] = {
    {"40001", CORAS_ERR_TIMEOUT, SERVE_PG_AGAIN},   /* serialization_failure */
    {"40P01", CORAS_ERR_TIMEOUT, SERVE_PG_AGAIN},   /* deadlock_detected */
    {"08", CORAS_ERR_TIMEOUT, SERVE_PG_CONNECT},    /* connection exceptions */
    {"57P", CORAS_ERR_TIMEOUT, SERVE_PG_CONNECT},   /* the server goes down, or comes up */
    {"25006", CORAS_ERR_TIMEOUT, SERVE_PG_CONNECT}, /* it reads only: another is the primary now */
    {"26000", CORAS_ERR_TIMEOUT, SERVE_PG_CONNECT}, /* a pool between gave us another session */
    {"55P03", CORAS_ERR_TIMEOUT, SERVE_PG_NO_REMEDY}, /* lock_not_available */
    {"57014", CORAS_ERR_TIMEOUT, SERVE_PG_NO_REMEDY}, /* query_canceled */
    {"53100", CORAS_ERR_NO_SPACE, SERVE_PG_NO_REMEDY},
    {"53", CORAS_ERR_TIMEOUT, SERVE_PG_NO_REMEDY}, /* insufficient_resources */
    {"42", CORAS_ERR_CONFIG, SERVE_PG_NO_REMEDY},  /* a table is missing, or not ours to use */
};

/* What libpq says ends with a line's end. */
static char *said_of(const char *message)
{
    coras_auto_buf plain = CORAS_BUF_INIT(SAID_MAX);

    coras_buf_put(&plain, message, strnlen(message, SAID_MAX - 1));
    while (plain.len > 0 && plain.ptr[plain.len - 1] == '\n')
        coras_buf_truncate(&plain, plain.len - 1);
    return coras_escape_dup(plain.ptr);
}

static int fail_with(struct serve_pg_connection *c, const PGresult *result, coras_error **err)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);
    const char *state = p->pq->PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = p->pq->PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    coras_auto_free char *said = said_of(message ? message : "no reason given");
    size_t i = 0;

    while (i < CORAS_ARRAY_LEN(states) && !(state && coras_str_starts(state, states[i].begins)))
        i++;
    c->remedy = i < CORAS_ARRAY_LEN(states) ? states[i].remedy : SERVE_PG_NO_REMEDY;
    return coras_fail(err, i < CORAS_ARRAY_LEN(states) ? states[i].code : CORAS_ERR_IO, "%s: %s",
                      p->db.name, said ? said : "");
}

int serve_pg_lose(struct serve_pg_connection *c, const char *why, coras_error **err)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);
    coras_auto_free char *said = said_of(why);

    serve_pg_disconnect(c);
    c->remedy = SERVE_PG_CONNECT;
    return coras_fail(err, CORAS_ERR_TIMEOUT, "%s does not answer: %s", p->db.name,
                      said ? said : "");
}

static int fail_to_connect(struct serve_pg_connection *c, coras_error **err)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);
    coras_auto_free char *said = said_of(p->pq->PQerrorMessage(c->handle));

    serve_pg_disconnect(c);
    c->remedy = SERVE_PG_CONNECT;
    return coras_fail(err, CORAS_ERR_TIMEOUT, "connect to %s: %s", p->db.name, said ? said : "");
}

/* ---- asking ---- */

/* Wait until something can be read, or written when `events` say so; no longer than there is time.
 */
static int await_socket(struct serve_pg_connection *c, short events, coras_error **err)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);
    struct pollfd fd = {.fd = p->pq->PQsocket(c->handle), .events = events};
    int64_t left_ms = c->deadline_ms - coras_now_ms();
    int rc;

    if (left_ms <= 0)
        return serve_pg_lose(c, "no answer in time", err);
    rc = poll(&fd, 1, (int)left_ms);
    if (rc < 0 && errno != EINTR)
        return serve_pg_lose(c, coras_errno_text(errno), err);
    return 0;
}

static int flush(struct serve_pg_connection *c, coras_error **err)
{
    const struct serve_pq *pq = serve_pg_of(&c->connection)->pq;
    int rc;

    while ((rc = pq->PQflush(c->handle)) > 0) {
        CORAS_TRY(await_socket(c, POLLIN | POLLOUT, err));
        if (!pq->PQconsumeInput(c->handle))
            return serve_pg_lose(c, pq->PQerrorMessage(c->handle), err);
    }
    return rc < 0 ? serve_pg_lose(c, pq->PQerrorMessage(c->handle), err) : 0;
}

static int next_result(struct serve_pg_connection *c, PGresult **ret, coras_error **err)
{
    const struct serve_pq *pq = serve_pg_of(&c->connection)->pq;

    while (pq->PQisBusy(c->handle)) {
        CORAS_TRY(await_socket(c, POLLIN, err));
        if (!pq->PQconsumeInput(c->handle))
            return serve_pg_lose(c, pq->PQerrorMessage(c->handle), err);
    }
    *ret = pq->PQgetResult(c->handle);
    return 0;
}

/* The first failure counts; without one, the last result. Takes `next` over. */
static void keep_result(const struct serve_pq *pq, PGresult **kept, PGresult *next)
{
    ExecStatusType status = pq->PQresultStatus(*kept);
    bool has_failed = *kept && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;

    pq->PQclear(has_failed ? next : *kept);
    if (!has_failed)
        *kept = next;
}

static int check_result(struct serve_pg_connection *c, PGresult *result, coras_error **err)
{
    const struct serve_pq *pq = serve_pg_of(&c->connection)->pq;
    ExecStatusType status = pq->PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    if (pq->PQstatus(c->handle) == CONNECTION_BAD)
        return serve_pg_lose(c, pq->PQerrorMessage(c->handle), err);
    return fail_with(c, result, err);
}

int serve_pg_await(struct serve_pg_connection *c, PGresult **ret, coras_error **err)
{
    const struct serve_pq *pq = serve_pg_of(&c->connection)->pq;
    PGresult *kept = NULL, *next = NULL;
    int rc = flush(c, err);

    while (rc == 0 && (rc = next_result(c, &next, err)) == 0 && next)
        keep_result(pq, &kept, next);
    if (rc == 0)
        rc = check_result(c, kept, err);
    if (rc < 0) {
        pq->PQclear(kept);
        return rc;
    }
    *ret = kept;
    return 0;
}

int serve_pg_query(struct serve_pg_connection *c, const char *sql, PGresult **ret,
                   coras_error **err)
{
    const struct serve_pq *pq = serve_pg_of(&c->connection)->pq;

    if (!c->handle)
        return serve_pg_lose(c, "the connection was lost", err);
    if (!pq->PQsendQuery(c->handle, sql))
        return serve_pg_lose(c, pq->PQerrorMessage(c->handle), err);
    return serve_pg_await(c, ret, err);
}

int serve_pg_exec(struct serve_pg_connection *c, const char *sql, coras_error **err)
{
    PGresult *result = NULL;

    CORAS_TRY(serve_pg_query(c, sql, &result, err));
    serve_pg_of(&c->connection)->pq->PQclear(result);
    return 0;
}

/* ---- connecting ---- */

static void ignore_notice(void *user, const char *message)
{
    (void)user;
    (void)message;
}

/*
 * What holds for every session, whatever the role's defaults are. A transaction that its process
 * has left (the machine is gone, and the network does not tell) keeps nobody out for longer than a
 * minute.
 */
static const char settings[] =
    "SET statement_timeout = '150s'; SET lock_timeout = '8s';"
    "SET idle_in_transaction_session_timeout = '60s';"
    "SET default_transaction_isolation = 'read committed'; SET client_min_messages = error;";
static const char reading_only[] = "SET default_transaction_read_only = on";

/* Those before the URL are defaults for it, those after it are not to be changed by it. */
static PGconn *dial(const struct serve_pg *p)
{
    static const char *const keywords[] = {
        "connect_timeout",      "tcp_user_timeout", "keepalives_idle", "fallback_application_name",
        "target_session_attrs", "dbname",           "client_encoding", NULL};
    const char *const values[] = {
        "5",    "15000", "30", "coras-serve", p->mode == SERVE_DB_READ_ONLY ? "any" : "read-write",
        p->url, "UTF8",  NULL};

    return p->pq->PQconnectdbParams(keywords, values, 1);
}

int serve_pg_connect(struct serve_pg_connection *c, coras_error **err)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);

    c->handle = dial(p);
    if (!c->handle)
        return coras_fail_no_memory(err);
    if (p->pq->PQstatus(c->handle) != CONNECTION_OK)
        return fail_to_connect(c, err);
    (void)p->pq->PQsetNoticeProcessor(c->handle, ignore_notice, NULL);
    if (p->pq->PQsetnonblocking(c->handle, 1) != 0)
        return serve_pg_lose(c, p->pq->PQerrorMessage(c->handle), err);
    CORAS_TRY(serve_pg_exec(c, settings, err));
    return p->mode == SERVE_DB_READ_ONLY ? serve_pg_exec(c, reading_only, err) : 0;
}

void serve_pg_disconnect(struct serve_pg_connection *c)
{
    const struct serve_pg *p = serve_pg_of(&c->connection);

    if (c->handle)
        p->pq->PQfinish(c->handle);
    c->handle = NULL;
    c->in_transaction = false;
    for (int i = 0; c->statements && i < p->query_count; i++)
        c->statements[i].is_prepared = false;
}
