/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database below the metadata, whatever it is: connections, statements by their numbers, values
 * in and out, and writes that are atomic and durable. A kind of database is a table of verbs; the
 * metadata (metadata*.c) has one text for all of them and sees none.
 *
 * Threads: a serve_db may be used by any thread, a connection and its statements by the one that
 * has taken it.
 */
#ifndef SERVE_STORAGE_DATABASE_H
#define SERVE_STORAGE_DATABASE_H

#include "base/common.h"
#include "oci/digest.h"
#include "serve/operate/metrics.h"

typedef struct serve_db serve_db;
typedef struct serve_db_connection serve_db_connection;
typedef struct serve_statement serve_statement;

/* Statements of the metadata, by its own numbering. */
#define SERVE_DB_STATEMENTS_MAX 96

enum serve_db_mode {
    SERVE_DB_EXISTING,
    SERVE_DB_CREATE,   /* made, or filled when it is empty */
    SERVE_DB_READ_ONLY /* nobody writes to it meanwhile; nothing is written beside it either */
};

/* Which writes of other processes may happen at the same time. */
enum serve_db_company {
    SERVE_DB_AMONG_OTHERS, /* what adds, or touches one row */
    SERVE_DB_ALONE         /* what removes rows that another write may be relying on */
};

/* Runs once, or again after the database has taken it back because of others: what it leaves in
 * `user` is what it left there last. */
typedef int serve_db_work(serve_db_connection *c, void *user, coras_error **err);

/* What a kind of database does; see the functions of the same names below. */
struct serve_db_kind {
    bool is_shared; /* other processes may use it at the same time */
    void (*close)(serve_db *db);
    int (*reader)(serve_db *db, serve_db_connection **ret, coras_error **err);
    void (*release)(serve_db_connection *c);
    int (*write)(serve_db *db, enum serve_db_company company, serve_db_work *work, void *user,
                 coras_error **err);
    int (*statement)(serve_db_connection *c, int query, serve_statement **ret, coras_error **err);
    int (*step)(serve_statement *s, coras_error **err);
    int64_t (*changes)(serve_statement *s);
    void (*reset)(serve_statement *s);
    void (*bind_text)(serve_statement *s, int index, const char *text);
    void (*bind_int)(serve_statement *s, int index, int64_t value);
    void (*bind_blob)(serve_statement *s, int index, const void *data, size_t len);
    const char *(*text)(serve_statement *s, int column);
    int64_t (*integer)(serve_statement *s, int column);
    const void *(*blob)(serve_statement *s, int column, size_t *ret_len);
};

/* Each kind's own structures begin with these. */
struct serve_db {
    const struct serve_db_kind *kind;
    char *name;             /* for messages; without secrets */
    serve_metrics *metrics; /* const from the start on; may be NULL */
};
struct serve_db_connection {
    serve_db *db;
    int64_t taken_ms; /* for reading; 0: it is not */
};
struct serve_statement {
    serve_db_connection *connection;
};

static inline void serve_db_close(serve_db *db)
{
    if (db)
        db->kind->close(db);
}
CORAS_DEFINE_AUTO(serve_db, serve_db_close)

/* ---- connections ---- */

/* One for reading, waiting for it when all are taken: whoever has one asks for no second. TIMEOUT
 * when the database does not answer. */
CORAS_MUST_CHECK int serve_db_reader(serve_db *db, serve_db_connection **ret, coras_error **err);
void serve_db_release(serve_db_connection *c);
CORAS_DEFINE_AUTO(serve_db_connection, serve_db_release)

/*
 * Run `work` as one atomic, durable step: what it changed is undone when it returns negative, and
 * on the disk when this returns 0.
 */
CORAS_MUST_CHECK int serve_db_write(serve_db *db, enum serve_db_company company,
                                    serve_db_work *work, void *user, coras_error **err);

/* ---- statements ---- */

/* The statement of this number, without values. One that is in use must not be asked for again. */
CORAS_MUST_CHECK static inline int serve_db_statement(serve_db_connection *c, int query,
                                                      serve_statement **ret, coras_error **err)
{
    return c->db->kind->statement(c, query, ret, err);
}
/* Its values are forgotten, those in and those out. */
static inline void serve_db_reset(serve_statement *s)
{
    s->connection->db->kind->reset(s);
}
CORAS_DEFINE_AUTO(serve_statement, serve_db_reset)

/* The next row: 1 = there is one, 0 = there are no more, negative = failed. */
CORAS_MUST_CHECK int serve_db_step(serve_statement *s, coras_error **err);
/* For statements without rows. */
CORAS_MUST_CHECK static inline int serve_db_run(serve_statement *s, coras_error **err)
{
    int rc = serve_db_step(s, err);

    return rc < 0 ? rc : 0;
}
/* How many rows it inserted, updated or deleted. */
static inline int64_t serve_db_changes(serve_statement *s)
{
    return s->connection->db->kind->changes(s);
}

/* ---- values in, counted from 1; what is not bound is NULL ---- */

/* Copied. NULL allowed. */
static inline void serve_db_bind_text(serve_statement *s, int index, const char *text)
{
    s->connection->db->kind->bind_text(s, index, text);
}
static inline void serve_db_bind_int(serve_statement *s, int index, int64_t value)
{
    s->connection->db->kind->bind_int(s, index, value);
}
/* Borrowed until the statement is reset. */
static inline void serve_db_bind_blob(serve_statement *s, int index, const void *data, size_t len)
{
    s->connection->db->kind->bind_blob(s, index, data, len);
}
static inline void serve_db_bind_digest(serve_statement *s, int index, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_db_bind_text(s, index, coras_digest_format(digest, text));
}

/* ---- values out of the row, counted from 0; valid until the next step or reset ---- */

/* NULL where the database has NULL. */
static inline const char *serve_db_text(serve_statement *s, int column)
{
    return s->connection->db->kind->text(s, column);
}
static inline int64_t serve_db_int(serve_statement *s, int column)
{
    return s->connection->db->kind->integer(s, column);
}
static inline const void *serve_db_blob(serve_statement *s, int column, size_t *ret_len)
{
    return s->connection->db->kind->blob(s, column, ret_len);
}

/* ---- kinds ---- */

/* What is run: all of it is alive as long as the database. */
struct serve_db_opening {
    enum serve_db_mode mode;
    const char *const *queries; /* by their numbers; values are ?1, ?2, ... */
    int query_count;
    const char *const *schema; /* what each version adds to the one before; the first is at 0 */
    int schema_version;
};
/* A file of SQLite. CONFIG when it is damaged, empty or of another program or version. */
CORAS_MUST_CHECK int serve_db_open_sqlite(const char *path, const struct serve_db_opening *opening,
                                          serve_db **ret, coras_error **err);
/*
 * A database of PostgreSQL, which several processes may share; `url` is copied, and may hold a
 * password. CONFIG when it is of another program or version, CONNECT when it does not answer,
 * UNSUPPORTED when this coras or this machine has no PostgreSQL.
 */
CORAS_MUST_CHECK int serve_db_open_postgres(const char *url, const struct serve_db_opening *opening,
                                            serve_db **ret, coras_error **err);

#endif
