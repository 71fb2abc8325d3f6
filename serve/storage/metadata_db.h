/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata_db: the database below metadata.c: opening, prepared statements, the group commit. The
 * only header that shows SQLite.
 */
#ifndef SERVE_STORAGE_METADATA_DB_H
#define SERVE_STORAGE_METADATA_DB_H

#include <pthread.h>
#include <sqlite3.h>
#include "base/common.h"
#include "oci/digest.h"
#include "serve/storage/metadata.h"

/* Connections for readers; more requests than that wait for one another. */
#define SERVE_DB_READERS 8
/* Statements of metadata.c, by its own numbering. */
#define SERVE_DB_STATEMENTS_MAX 48

typedef struct serve_db_connection {
    sqlite3 *handle;
    sqlite3_stmt *statements[SERVE_DB_STATEMENTS_MAX]; /* prepared at first use */
} serve_db_connection;

/* Writes that are committed together. */
struct serve_db_group {
    unsigned members; /* calls that still look at it */
    bool done;
    int sqlite_rc; /* of the commit, once done */
};

typedef struct serve_db {
    char *path;                 /* const after open */
    enum serve_db_mode mode;    /* const after open */
    const char *const *queries; /* const after open */

    pthread_mutex_t writer_lock;
    pthread_cond_t committed;
    serve_db_connection writer;   /* writer_lock */
    struct serve_db_group *group; /* writer_lock; open transaction, or NULL */
    unsigned arriving;            /* atomic: writers that wait for writer_lock */

    pthread_mutex_t reader_lock;
    pthread_cond_t reader_free;
    serve_db_connection readers[SERVE_DB_READERS]; /* whoever took it */
    bool busy[SERVE_DB_READERS];                   /* reader_lock */
} serve_db;

/* CONFIG when it is damaged, empty or of another program or version. */
CORAS_MUST_CHECK int serve_db_open(const char *path, enum serve_db_mode mode,
                                   const char *const *queries, serve_db **ret, coras_error **err);
void serve_db_close(serve_db *db);
CORAS_DEFINE_AUTO(serve_db, serve_db_close)

/* A failed SQLite call as an error; the message names the database. */
int serve_db_fail(const serve_db *db, int sqlite_rc, coras_error **err);

/* The prepared statement `query`, reset and without bindings; NULL with *err set. */
sqlite3_stmt *serve_db_statement(const serve_db *db, serve_db_connection *c, int query,
                                 coras_error **err);
/* Step: 1 = a row, 0 = done (and reset), negative = failed (and reset). */
int serve_db_step(const serve_db *db, sqlite3_stmt *statement, coras_error **err);
/* For statements without rows. */
CORAS_MUST_CHECK int serve_db_run(const serve_db *db, sqlite3_stmt *statement, coras_error **err);

void serve_db_bind_text(sqlite3_stmt *statement, int index, const char *text); /* NULL allowed */
void serve_db_bind_digest(sqlite3_stmt *statement, int index, const coras_digest *digest);

/* A reader, waiting for one; NULL with *err set. Give it back with serve_db_reader_release. */
serve_db_connection *serve_db_reader(serve_db *db, coras_error **err);
void serve_db_reader_release(serve_db *db, serve_db_connection *c);

/*
 * Run `work` on the writer's connection as one atomic, durable step: what it changed is undone when
 * it returns negative, and on the disk when this returns 0.
 */
CORAS_MUST_CHECK int serve_db_write(serve_db *db,
                                    int (*work)(serve_db *db, serve_db_connection *c, void *user,
                                                coras_error **err),
                                    void *user, coras_error **err);

#endif
