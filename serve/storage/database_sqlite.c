/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite below the metadata: connections, statements, group commit. */
#include "serve/storage/database_sqlite.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

static struct serve_sqlite *sqlite_of(serve_db *db)
{
    return (struct serve_sqlite *)db;
}

static struct serve_sqlite_connection *connection_of(serve_db_connection *c)
{
    return (struct serve_sqlite_connection *)c;
}

static sqlite3_stmt *handle_of(serve_statement *s)
{
    return ((struct serve_sqlite_statement *)s)->handle;
}

int serve_sqlite_fail(const struct serve_sqlite *q, int sqlite_rc, coras_error **err)
{
    int code = CORAS_ERR_IO;

    if (sqlite_rc == SQLITE_IOERR_SHMSIZE) /* the index of the log did not fit on the disk */
        sqlite_rc = SQLITE_FULL;
    switch (sqlite_rc & 0xff) {
    case SQLITE_NOMEM:
        return coras_fail_no_memory(err);
    case SQLITE_FULL:
        code = CORAS_ERR_NO_SPACE;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = CORAS_ERR_TIMEOUT;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        code = CORAS_ERR_CONFIG;
        break;
    default:
        break;
    }
    return coras_fail(err, code, "%s: %s", q->db.name, sqlite3_errstr(sqlite_rc));
}

/* ---- statements ---- */

static int get_statement(serve_db_connection *connection, int query, serve_statement **ret,
                         coras_error **err)
{
    struct serve_sqlite_connection *c = connection_of(connection);
    struct serve_sqlite_statement *s = &c->statements[query];
    const struct serve_sqlite *q = sqlite_of(connection->db);

    if (!s->handle) {
        int rc = sqlite3_prepare_v3(c->handle, q->queries[query], -1, SQLITE_PREPARE_PERSISTENT,
                                    &s->handle, NULL);
        if (rc != SQLITE_OK)
            return serve_sqlite_fail(q, rc, err);
        s->statement.connection = connection;
    }
    serve_db_reset(&s->statement);
    *ret = &s->statement;
    return 0;
}

static void reset(serve_statement *s)
{
    sqlite3_reset(handle_of(s));
    sqlite3_clear_bindings(handle_of(s));
}

static int step(serve_statement *s, coras_error **err)
{
    int rc = sqlite3_step(handle_of(s));

    if (rc == SQLITE_ROW)
        return 1;
    sqlite3_reset(handle_of(s));
    return rc == SQLITE_DONE ? 0 : serve_sqlite_fail(sqlite_of(s->connection->db), rc, err);
}

static int64_t changes(serve_statement *s)
{
    return sqlite3_changes(connection_of(s->connection)->handle);
}

/* ---- values; a failed binding is out of memory: the step finds NULL and fails on its NOT NULL ---
 */

static void bind_text(serve_statement *s, int index, const char *text)
{
    if (text)
        (void)sqlite3_bind_text(handle_of(s), index, text, -1, SQLITE_TRANSIENT);
    else
        (void)sqlite3_bind_null(handle_of(s), index);
}

static void bind_int(serve_statement *s, int index, int64_t value)
{
    (void)sqlite3_bind_int64(handle_of(s), index, value);
}

static void bind_blob(serve_statement *s, int index, const void *data, size_t len)
{
    (void)sqlite3_bind_blob64(handle_of(s), index, data, len, SQLITE_STATIC);
}

static const char *column_text(serve_statement *s, int column)
{
    return (const char *)sqlite3_column_text(handle_of(s), column);
}

static int64_t column_int(serve_statement *s, int column)
{
    return sqlite3_column_int64(handle_of(s), column);
}

static const void *column_blob(serve_statement *s, int column, size_t *ret_len)
{
    const void *data = sqlite3_column_blob(handle_of(s), column);

    *ret_len = (size_t)sqlite3_column_bytes(handle_of(s), column);
    return data;
}

/* ---- connections ---- */

int serve_sqlite_exec(const struct serve_sqlite *q, const struct serve_sqlite_connection *c,
                      const char *sql, coras_error **err)
{
    int rc = sqlite3_exec(c->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : serve_sqlite_fail(q, rc, err);
}

void serve_sqlite_disconnect(struct serve_sqlite_connection *c)
{
    for (size_t i = 0; i < SERVE_DB_STATEMENTS_MAX; i++)
        sqlite3_finalize(c->statements[i].handle);
    sqlite3_close(c->handle);
    *c = (struct serve_sqlite_connection){.connection = c->connection};
}

static struct serve_sqlite_connection *take_reader(struct serve_sqlite *q)
{
    struct serve_sqlite_connection *c = NULL;

    pthread_mutex_lock(&q->reader_lock);
    while (!c) {
        for (size_t i = 0; i < SERVE_SQLITE_READERS && !c; i++) {
            if (!q->busy[i]) {
                q->busy[i] = true;
                c = &q->readers[i];
            }
        }
        if (!c)
            pthread_cond_wait(&q->reader_free, &q->reader_lock);
    }
    pthread_mutex_unlock(&q->reader_lock);
    return c;
}

static void release(serve_db_connection *c)
{
    struct serve_sqlite *q = sqlite_of(c->db);

    pthread_mutex_lock(&q->reader_lock);
    q->busy[connection_of(c) - q->readers] = false;
    pthread_cond_signal(&q->reader_free);
    pthread_mutex_unlock(&q->reader_lock);
}

static int reader(serve_db *db, serve_db_connection **ret, coras_error **err)
{
    struct serve_sqlite *q = sqlite_of(db);
    struct serve_sqlite_connection *c = take_reader(q);
    int rc = c->handle ? 0 : serve_sqlite_connect(q, c, err);

    if (rc < 0) {
        release(&c->connection);
        return rc;
    }
    *ret = &c->connection;
    return 0;
}

/* ---- group commit ---- */

/* Wait for another process that keeps the database, no longer than `arrived_ms` allows: those who
 * queue here have waited already while the first of them did. */
static int begin(struct serve_sqlite *q, int64_t arrived_ms, coras_error **err)
{
    int64_t waited_ms = coras_now_ms() - arrived_ms;

    sqlite3_busy_timeout(q->writer.handle, waited_ms < SERVE_SQLITE_BUSY_MS
                                               ? SERVE_SQLITE_BUSY_MS - (int)waited_ms
                                               : 0);
    return serve_sqlite_exec(q, &q->writer, "BEGIN IMMEDIATE", err);
}

/* Call with writer_lock held. */
static int group_join(struct serve_sqlite *q, int64_t arrived_ms, coras_error **err)
{
    if (!q->group) {
        struct serve_sqlite_group *group = coras_new(struct serve_sqlite_group);
        int rc;
        if (!group)
            return coras_fail_no_memory(err);
        rc = begin(q, arrived_ms, err);
        if (rc < 0) {
            free(group);
            return rc;
        }
        q->group = group;
    }
    return 0;
}

static void group_commit(struct serve_sqlite *q)
{
    struct serve_sqlite_group *group = q->group;

    /* SQLite itself rolls back when the disk is full or fails in the midst of a statement */
    if (sqlite3_get_autocommit(q->writer.handle))
        group->sqlite_rc = SQLITE_FULL;
    else
        group->sqlite_rc = sqlite3_exec(q->writer.handle, "COMMIT", NULL, NULL, NULL);
    if (group->sqlite_rc != SQLITE_OK && !sqlite3_get_autocommit(q->writer.handle))
        (void)sqlite3_exec(q->writer.handle, "ROLLBACK", NULL, NULL, NULL);
    group->done = true;
    q->group = NULL;
    pthread_cond_broadcast(&q->committed);
}

static int run_in_savepoint(struct serve_sqlite *q, serve_db_work *work, void *user,
                            coras_error **err)
{
    int rc = serve_sqlite_exec(q, &q->writer, "SAVEPOINT work", err);

    if (rc < 0)
        return rc;
    rc = work(&q->writer.connection, user, err);
    if (rc < 0)
        (void)sqlite3_exec(q->writer.handle, "ROLLBACK TO work", NULL, NULL, NULL);
    (void)sqlite3_exec(q->writer.handle, "RELEASE work", NULL, NULL, NULL);
    return rc;
}

/* Writers run one after the other, and a transaction keeps other processes out: each is alone. */
static int write_group(serve_db *db, enum serve_db_company company, serve_db_work *work, void *user,
                       coras_error **err)
{
    struct serve_sqlite *q = sqlite_of(db);
    int64_t arrived_ms = coras_now_ms();
    struct serve_sqlite_group *group;
    int rc;

    (void)company;
    __atomic_add_fetch(&q->arriving, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&q->writer_lock);
    __atomic_sub_fetch(&q->arriving, 1, __ATOMIC_SEQ_CST);
    rc = group_join(q, arrived_ms, err);
    if (rc < 0) {
        pthread_mutex_unlock(&q->writer_lock);
        return rc;
    }
    group = q->group;
    group->members++;
    rc = run_in_savepoint(q, work, user, err);

    /* Whoever arrives after us will commit for us; the one that nobody follows commits for all. */
    if (__atomic_load_n(&q->arriving, __ATOMIC_SEQ_CST) == 0 ||
        sqlite3_get_autocommit(q->writer.handle))
        group_commit(q);
    while (!group->done)
        pthread_cond_wait(&q->committed, &q->writer_lock);
    if (rc >= 0 && group->sqlite_rc != SQLITE_OK)
        rc = serve_sqlite_fail(q, group->sqlite_rc, err);
    if (--group->members == 0)
        free(group);
    pthread_mutex_unlock(&q->writer_lock);
    return rc;
}

/* ---- life ---- */

static void close_all(serve_db *db)
{
    struct serve_sqlite *q = sqlite_of(db);

    for (size_t i = 0; i < SERVE_SQLITE_READERS; i++)
        serve_sqlite_disconnect(&q->readers[i]);
    serve_sqlite_disconnect(&q->writer); /* the last one folds the log into the database */
    pthread_mutex_destroy(&q->writer_lock);
    pthread_cond_destroy(&q->committed);
    pthread_mutex_destroy(&q->reader_lock);
    pthread_cond_destroy(&q->reader_free);
    free(q->db.name);
    free(q);
}

static const struct serve_db_kind sqlite_kind = {
    .close = close_all,
    .reader = reader,
    .release = release,
    .write = write_group,
    .statement = get_statement,
    .step = step,
    .changes = changes,
    .reset = reset,
    .bind_text = bind_text,
    .bind_int = bind_int,
    .bind_blob = bind_blob,
    .text = column_text,
    .integer = column_int,
    .blob = column_blob,
};

static void init(struct serve_sqlite *q, const struct serve_db_opening *opening)
{
    q->db.kind = &sqlite_kind;
    q->mode = opening->mode;
    q->queries = opening->queries;
    q->schema = opening->schema;
    q->schema_version = opening->schema_version;
    pthread_mutex_init(&q->writer_lock, NULL);
    pthread_cond_init(&q->committed, NULL);
    pthread_mutex_init(&q->reader_lock, NULL);
    pthread_cond_init(&q->reader_free, NULL);
    q->writer.connection.db = &q->db;
    for (size_t i = 0; i < SERVE_SQLITE_READERS; i++)
        q->readers[i].connection.db = &q->db;
}

int serve_db_open_sqlite(const char *path, const struct serve_db_opening *opening, serve_db **ret,
                         coras_error **err)
{
    struct serve_sqlite *q = coras_new(struct serve_sqlite);
    coras_auto(serve_db) db = NULL;

    if (!q)
        return coras_fail_no_memory(err);
    init(q, opening);
    db = &q->db;
    db->name = coras_strdup(path);
    if (!db->name)
        return coras_fail_no_memory(err);
    CORAS_TRY(serve_sqlite_open_file(q, err));
    *ret = coras_steal(&db);
    return 0;
}
