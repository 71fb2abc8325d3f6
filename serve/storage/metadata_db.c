/* SPDX-License-Identifier: Apache-2.0 */
/* The database below the metadata: opening, statements, group commit. */
#include "serve/storage/metadata_db.h"

#include <stdatomic.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "serve/http/uri.h"

#define APPLICATION_ID  0x636f7261 /* "cora" */
#define BUSY_TIMEOUT_MS 5000
/* Above this a look at every page would make the start slow. */
#define QUICK_CHECK_BYTES_MAX (128 * 1024 * 1024)

static const char schema[] =
    "CREATE TABLE repository (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE blob (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, stored INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE link (repository INTEGER NOT NULL, digest TEXT NOT NULL, linked INTEGER NOT NULL,"
    " PRIMARY KEY (repository, digest)) WITHOUT ROWID;"
    "CREATE INDEX link_by_digest ON link (digest);"
    /* content stands last: the columns before it are read without touching its pages */
    "CREATE TABLE manifest (id INTEGER PRIMARY KEY, repository INTEGER NOT NULL,"
    " digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL, subject TEXT,"
    " artifact_type TEXT, descriptor TEXT, stored INTEGER NOT NULL, content BLOB NOT NULL,"
    " UNIQUE (repository, digest));"
    "CREATE INDEX manifest_by_subject ON manifest (repository, subject, digest)"
    " WHERE subject IS NOT NULL;"
    "CREATE TABLE reference (repository INTEGER NOT NULL, child TEXT NOT NULL,"
    " parent TEXT NOT NULL, PRIMARY KEY (repository, child, parent)) WITHOUT ROWID;"
    "CREATE INDEX reference_by_parent ON reference (repository, parent);"
    "CREATE TABLE tag (repository INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,"
    " moved INTEGER NOT NULL, PRIMARY KEY (repository, name)) WITHOUT ROWID;"
    "CREATE INDEX tag_by_digest ON tag (repository, digest);";

/* What each version of the schema adds to the one before; the first is the schema above. A database
 * is brought up to the last one when it is opened for writing. */
static const char *const schema_steps[] = {
    /* 2: a tag that an upstream has told, and may tell anew */
    "ALTER TABLE tag ADD COLUMN cached INTEGER NOT NULL DEFAULT 0;",
    /* 3: a blob that an upstream has: when it was read last (milliseconds); NULL: it was pushed */
    "ALTER TABLE blob ADD COLUMN used INTEGER;"
    "CREATE INDEX blob_by_use ON blob (used, size) WHERE used IS NOT NULL;",
};
#define SCHEMA_VERSION ((int)CORAS_ARRAY_LEN(schema_steps) + 1)

int serve_db_fail(const serve_db *db, int sqlite_rc, coras_error **err)
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
    return coras_fail(err, code, "%s: %s", db->path, sqlite3_errstr(sqlite_rc));
}

/* ---- statements ---- */

sqlite3_stmt *serve_db_statement(const serve_db *db, serve_db_connection *c, int query,
                                 coras_error **err)
{
    sqlite3_stmt **slot = &c->statements[query];

    if (!*slot) {
        int rc = sqlite3_prepare_v3(c->handle, db->queries[query], -1, SQLITE_PREPARE_PERSISTENT,
                                    slot, NULL);
        if (rc != SQLITE_OK) {
            serve_db_fail(db, rc, err);
            return NULL;
        }
        return *slot;
    }
    sqlite3_reset(*slot);
    sqlite3_clear_bindings(*slot);
    return *slot;
}

int serve_db_step(const serve_db *db, sqlite3_stmt *statement, coras_error **err)
{
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW)
        return 1;
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? 0 : serve_db_fail(db, rc, err);
}

int serve_db_run(const serve_db *db, sqlite3_stmt *statement, coras_error **err)
{
    int rc = serve_db_step(db, statement, err);

    if (rc > 0)
        sqlite3_reset(statement);
    return rc < 0 ? rc : 0;
}

void serve_db_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    /* a failed binding is out of memory: the step then finds NULL and fails on its NOT NULL */
    if (text)
        (void)sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
    else
        (void)sqlite3_bind_null(statement, index);
}

void serve_db_bind_digest(sqlite3_stmt *statement, int index, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_db_bind_text(statement, index, coras_digest_format(digest, text));
}

/* ---- connections ---- */

static void connection_close(serve_db_connection *c)
{
    for (size_t i = 0; i < SERVE_DB_STATEMENTS_MAX; i++)
        sqlite3_finalize(c->statements[i]);
    sqlite3_close(c->handle);
    *c = (serve_db_connection){0};
}

static int connection_exec(const serve_db *db, serve_db_connection *c, const char *sql,
                           coras_error **err)
{
    int rc = sqlite3_exec(c->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : serve_db_fail(db, rc, err);
}

/* Nobody writes to it while we read: no log and no locks are needed, nor a place to write them to.
 */
static int connection_open_immutable(const serve_db *db, serve_db_connection *c)
{
    coras_auto_buf uri = CORAS_BUF_UNLIMITED;

    coras_buf_puts(&uri, "file:");
    serve_uri_encode(&uri, db->path);
    coras_buf_puts(&uri, "?immutable=1");
    if (uri.failed)
        return SQLITE_NOMEM;
    return sqlite3_open_v2(uri.ptr, &c->handle,
                           SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
}

static int connection_open(const serve_db *db, serve_db_connection *c, coras_error **err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int rc;

    if (db->mode == SERVE_DB_READ_ONLY)
        rc = connection_open_immutable(db, c);
    else
        rc = sqlite3_open_v2(db->path, &c->handle,
                             flags | (db->mode == SERVE_DB_CREATE ? SQLITE_OPEN_CREATE : 0), NULL);

    if (rc != SQLITE_OK) {
        connection_close(c);
        return serve_db_fail(db, rc, err);
    }
    sqlite3_extended_result_codes(c->handle, 1);
    sqlite3_busy_timeout(c->handle, BUSY_TIMEOUT_MS);
    return 0;
}

serve_db_connection *serve_db_reader(serve_db *db, coras_error **err)
{
    serve_db_connection *c = NULL;

    pthread_mutex_lock(&db->reader_lock);
    while (!c) {
        for (size_t i = 0; i < SERVE_DB_READERS && !c; i++) {
            if (!db->busy[i]) {
                db->busy[i] = true;
                c = &db->readers[i];
            }
        }
        if (!c)
            pthread_cond_wait(&db->reader_free, &db->reader_lock);
    }
    pthread_mutex_unlock(&db->reader_lock);
    if (!c->handle && connection_open(db, c, err) < 0) {
        serve_db_reader_release(db, c);
        return NULL;
    }
    return c;
}

void serve_db_reader_release(serve_db *db, serve_db_connection *c)
{
    pthread_mutex_lock(&db->reader_lock);
    db->busy[c - db->readers] = false;
    pthread_cond_signal(&db->reader_free);
    pthread_mutex_unlock(&db->reader_lock);
}

/* ---- opening ---- */

/* First column of the first row; 0 when there is none. */
static int query_int(const serve_db *db, const char *sql, int64_t *ret, coras_error **err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db->writer.handle, sql, -1, &statement, NULL);

    *ret = 0;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
            *ret = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : serve_db_fail(db, rc, err);
}

static int check_damage(const serve_db *db, coras_error **err)
{
    struct stat st;
    int64_t faults = 0;

    if (stat(db->path, &st) == 0 && st.st_size > QUICK_CHECK_BYTES_MAX)
        return 0;
    CORAS_TRY(query_int(db, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check <> 'ok'",
                        &faults, err));
    if (faults > 0)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: database disk image is malformed", db->path);
    return 0;
}

/* From a version on to the last one, in one transaction; version 0 has nothing yet. */
static int bring_up(serve_db *db, int version, coras_error **err)
{
    coras_auto_buf sql = CORAS_BUF_UNLIMITED;

    coras_buf_puts(&sql, "BEGIN; ");
    if (version == 0)
        coras_buf_printf(&sql, "%s PRAGMA application_id = %d; ", schema, APPLICATION_ID);
    for (int i = version > 0 ? version - 1 : 0; i < SCHEMA_VERSION - 1; i++)
        coras_buf_puts(&sql, schema_steps[i]);
    coras_buf_printf(&sql, " PRAGMA user_version = %d; COMMIT;", SCHEMA_VERSION);
    CORAS_TRY(coras_buf_done(&sql, err));
    return connection_exec(db, &db->writer, sql.ptr, err);
}

static int refuse_old(const serve_db *db, coras_error **err)
{
    coras_fail(err, CORAS_ERR_CONFIG, "%s: made by an older version", db->path);
    coras_hint(err, "serve it once without --read-only");
    return CORAS_ERR_CONFIG;
}

static int check_schema(serve_db *db, coras_error **err)
{
    int64_t tables = 0, application = 0, version = 0;

    CORAS_TRY(query_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err));
    CORAS_TRY(query_int(db, "PRAGMA application_id", &application, err));
    CORAS_TRY(query_int(db, "PRAGMA user_version", &version, err));
    if (tables == 0 && db->mode == SERVE_DB_CREATE)
        return bring_up(db, 0, err);
    if (tables == 0)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: empty", db->path);
    if (application != APPLICATION_ID)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: not a database of this registry", db->path);
    if (version < 1 || version > SCHEMA_VERSION) {
        coras_fail(err, CORAS_ERR_CONFIG, "%s: made by another version (schema %d)", db->path,
                   (int)version);
        coras_hint(err, "serve it with the version that made it");
        return CORAS_ERR_CONFIG;
    }
    CORAS_TRY(check_damage(db, err));
    if (version == SCHEMA_VERSION)
        return 0;
    return db->mode == SERVE_DB_READ_ONLY ? refuse_old(db, err) : bring_up(db, (int)version, err);
}

/* What was committed and not yet folded into the database is not seen without its log. */
static int check_log(const serve_db *db, coras_error **err)
{
    coras_auto_free char *log = coras_asprintf("%s-wal", db->path);
    struct stat st;

    if (!log)
        return coras_fail_no_memory(err);
    if (stat(log, &st) < 0 || st.st_size == 0)
        return 0;
    coras_fail(err, CORAS_ERR_IO, "%s: its last server did not end well", db->path);
    coras_hint(err, "serve it once without --read-only");
    return CORAS_ERR_IO;
}

static int open_writer(serve_db *db, coras_error **err)
{
    if (db->mode == SERVE_DB_READ_ONLY)
        CORAS_TRY(check_log(db, err));
    CORAS_TRY(connection_open(db, &db->writer, err));
    /* FULL: every commit is flushed before its answer is sent */
    if (db->mode != SERVE_DB_READ_ONLY)
        CORAS_TRY(connection_exec(db, &db->writer,
                                  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", err));
    return check_schema(db, err);
}

/* The advice is for what is damaged only: whoever followed it because of a full disk, or of another
 * process that keeps the database, would throw a registry away. */
static int advise(const char *path, int rc, coras_error **err)
{
    if (rc == CORAS_ERR_CONFIG)
        coras_hint(err,
                   "restore %s from a backup, or move the whole directory away to start with "
                   "an empty registry; 'sqlite3 %s .recover' reads what is left of it",
                   path, path);
    if (rc == CORAS_ERR_NO_SPACE)
        coras_hint(err, "free some space; nothing is wrong with %s", path);
    return rc;
}

int serve_db_open(const char *path, enum serve_db_mode mode, const char *const *queries,
                  serve_db **ret, coras_error **err)
{
    coras_auto(serve_db) db = coras_new(serve_db);
    int rc;

    if (!db)
        return coras_fail_no_memory(err);
    pthread_mutex_init(&db->writer_lock, NULL);
    pthread_cond_init(&db->committed, NULL);
    pthread_mutex_init(&db->reader_lock, NULL);
    pthread_cond_init(&db->reader_free, NULL);
    db->queries = queries;
    db->mode = mode;
    db->path = coras_strdup(path);
    if (!db->path)
        return coras_fail_no_memory(err);
    rc = open_writer(db, err);
    if (rc < 0)
        return advise(path, rc, err);
    *ret = coras_steal(&db);
    return 0;
}

void serve_db_close(serve_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < SERVE_DB_READERS; i++)
        connection_close(&db->readers[i]);
    connection_close(&db->writer); /* the last one folds the log into the database */
    pthread_mutex_destroy(&db->writer_lock);
    pthread_cond_destroy(&db->committed);
    pthread_mutex_destroy(&db->reader_lock);
    pthread_cond_destroy(&db->reader_free);
    free(db->path);
    free(db);
}

/* ---- group commit ---- */

/* Wait for another process that keeps the database, no longer than `arrived_ms` allows: those who
 * queue here have waited already while the first of them did. */
static int begin(serve_db *db, int64_t arrived_ms, coras_error **err)
{
    int64_t waited_ms = coras_now_ms() - arrived_ms;

    sqlite3_busy_timeout(db->writer.handle,
                         waited_ms < BUSY_TIMEOUT_MS ? BUSY_TIMEOUT_MS - (int)waited_ms : 0);
    return connection_exec(db, &db->writer, "BEGIN IMMEDIATE", err);
}

/* Call with writer_lock held. */
static int group_join(serve_db *db, int64_t arrived_ms, coras_error **err)
{
    if (!db->group) {
        struct serve_db_group *group = coras_new(struct serve_db_group);
        int rc;
        if (!group)
            return coras_fail_no_memory(err);
        rc = begin(db, arrived_ms, err);
        if (rc < 0) {
            free(group);
            return rc;
        }
        db->group = group;
    }
    return 0;
}

static void group_commit(serve_db *db)
{
    struct serve_db_group *group = db->group;

    /* SQLite itself rolls back when the disk is full or fails in the midst of a statement */
    if (sqlite3_get_autocommit(db->writer.handle))
        group->sqlite_rc = SQLITE_FULL;
    else
        group->sqlite_rc = sqlite3_exec(db->writer.handle, "COMMIT", NULL, NULL, NULL);
    if (group->sqlite_rc != SQLITE_OK && !sqlite3_get_autocommit(db->writer.handle))
        (void)sqlite3_exec(db->writer.handle, "ROLLBACK", NULL, NULL, NULL);
    group->done = true;
    db->group = NULL;
    pthread_cond_broadcast(&db->committed);
}

static int run_in_savepoint(serve_db *db,
                            int (*work)(serve_db *, serve_db_connection *, void *, coras_error **),
                            void *user, coras_error **err)
{
    int rc = connection_exec(db, &db->writer, "SAVEPOINT work", err);

    if (rc < 0)
        return rc;
    rc = work(db, &db->writer, user, err);
    if (rc < 0)
        (void)sqlite3_exec(db->writer.handle, "ROLLBACK TO work", NULL, NULL, NULL);
    (void)sqlite3_exec(db->writer.handle, "RELEASE work", NULL, NULL, NULL);
    return rc;
}

int serve_db_write(serve_db *db,
                   int (*work)(serve_db *db, serve_db_connection *c, void *user, coras_error **err),
                   void *user, coras_error **err)
{
    int64_t arrived_ms = coras_now_ms();
    struct serve_db_group *group;
    int rc;

    __atomic_add_fetch(&db->arriving, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&db->writer_lock);
    __atomic_sub_fetch(&db->arriving, 1, __ATOMIC_SEQ_CST);
    rc = group_join(db, arrived_ms, err);
    if (rc < 0) {
        pthread_mutex_unlock(&db->writer_lock);
        return rc;
    }
    group = db->group;
    group->members++;
    rc = run_in_savepoint(db, work, user, err);

    /* Whoever arrives after us will commit for us; the one that nobody follows commits for all. */
    if (__atomic_load_n(&db->arriving, __ATOMIC_SEQ_CST) == 0 ||
        sqlite3_get_autocommit(db->writer.handle))
        group_commit(db);
    while (!group->done)
        pthread_cond_wait(&db->committed, &db->writer_lock);
    if (rc >= 0 && group->sqlite_rc != SQLITE_OK)
        rc = serve_db_fail(db, group->sqlite_rc, err);
    if (--group->members == 0)
        free(group);
    pthread_mutex_unlock(&db->writer_lock);
    return rc;
}
