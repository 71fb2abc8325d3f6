/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite below the metadata: what database_sqlite.c (connections, statements, group commit) and
 * sqlite_file.c (the file and its schema) share. The only header that shows SQLite.
 */
#ifndef SERVE_STORAGE_DATABASE_SQLITE_H
#define SERVE_STORAGE_DATABASE_SQLITE_H

#include <pthread.h>
#include <sqlite3.h>
#include "serve/storage/database.h"

/* Connections for readers; more requests than that wait for one another. */
#define SERVE_SQLITE_READERS 8
/* How long a process waits for another that keeps the file. */
#define SERVE_SQLITE_BUSY_MS 5000

struct serve_sqlite_statement {
    serve_statement statement;
    sqlite3_stmt *handle; /* prepared at first use */
};

struct serve_sqlite_connection {
    serve_db_connection connection;
    sqlite3 *handle;
    struct serve_sqlite_statement statements[SERVE_DB_STATEMENTS_MAX];
};

/* Writes that are committed together. */
struct serve_sqlite_group {
    unsigned members; /* calls that still look at it */
    bool done;
    int sqlite_rc; /* of the commit, once done */
};

struct serve_sqlite {
    serve_db db;                /* its name is the path; const after open */
    enum serve_db_mode mode;    /* const after open */
    const char *const *queries; /* const after open */
    const char *const *schema;  /* const after open */
    int schema_version;         /* const after open */

    pthread_mutex_t writer_lock;
    pthread_cond_t committed;
    struct serve_sqlite_connection writer; /* writer_lock */
    struct serve_sqlite_group *group;      /* writer_lock; open transaction, or NULL */
    unsigned arriving;                     /* atomic: writers that wait for writer_lock */

    pthread_mutex_t reader_lock;
    pthread_cond_t reader_free;
    struct serve_sqlite_connection readers[SERVE_SQLITE_READERS]; /* whoever took it */
    bool busy[SERVE_SQLITE_READERS];                              /* reader_lock */
};

/* A failed SQLite call as an error; the message names the database. */
int serve_sqlite_fail(const struct serve_sqlite *q, int sqlite_rc, coras_error **err);
CORAS_MUST_CHECK int serve_sqlite_exec(const struct serve_sqlite *q,
                                       const struct serve_sqlite_connection *c, const char *sql,
                                       coras_error **err);
CORAS_MUST_CHECK int serve_sqlite_connect(struct serve_sqlite *q, struct serve_sqlite_connection *c,
                                          coras_error **err);
/* Its statements go too. */
void serve_sqlite_disconnect(struct serve_sqlite_connection *c);
/* Open the writer's connection, with everything checked, and the schema brought up to date. */
CORAS_MUST_CHECK int serve_sqlite_open_file(struct serve_sqlite *q, coras_error **err);

#endif
