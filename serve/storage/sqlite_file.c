/* SPDX-License-Identifier: Apache-2.0 */
/* A database of SQLite as a file: opening it, what it is checked for, bringing its schema up. */
#include "serve/storage/database_sqlite.h"

#include <sys/stat.h>
#include <time.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "serve/http/uri.h"

#define APPLICATION_ID 0x636f7261 /* "cora" */
/* Above this a look at every page would make the start slow: a processor does some 500 MiB in a
 * second, a slow disk a tenth of it. */
#define QUICK_CHECK_BYTES_MAX (32 * CORAS_MIB)

/* ---- connections ---- */

/* Nobody writes to it while we read: no log and no locks are needed, nor a place to write them to.
 */
static int connection_open_immutable(const struct serve_sqlite *q,
                                     struct serve_sqlite_connection *c)
{
    coras_auto_buf uri = CORAS_BUF_UNLIMITED;

    coras_buf_puts(&uri, "file:");
    serve_uri_encode(&uri, q->db.name);
    coras_buf_puts(&uri, "?immutable=1");
    if (uri.failed)
        return SQLITE_NOMEM;
    return sqlite3_open_v2(uri.ptr, &c->handle,
                           SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
}

/* now_ms() of the statements. */
static void tell_time(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct timespec now;

    (void)count;
    (void)values;
    clock_gettime(CLOCK_REALTIME, &now);
    sqlite3_result_int64(context, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

int serve_sqlite_connect(struct serve_sqlite *q, struct serve_sqlite_connection *c,
                         coras_error **err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int rc;

    if (q->mode == SERVE_DB_READ_ONLY)
        rc = connection_open_immutable(q, c);
    else
        rc = sqlite3_open_v2(q->db.name, &c->handle,
                             flags | (q->mode == SERVE_DB_CREATE ? SQLITE_OPEN_CREATE : 0), NULL);

    if (rc != SQLITE_OK) {
        serve_sqlite_disconnect(c);
        return serve_sqlite_fail(q, rc, err);
    }
    (void)sqlite3_create_function(c->handle, "now_ms", 0, SQLITE_UTF8, NULL, tell_time, NULL, NULL);
    sqlite3_extended_result_codes(c->handle, 1);
    sqlite3_busy_timeout(c->handle, SERVE_SQLITE_BUSY_MS);
    return 0;
}

/* ---- opening ---- */

/* First column of the first row; 0 when there is none. */
static int query_int(const struct serve_sqlite *q, const char *sql, int64_t *ret, coras_error **err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(q->writer.handle, sql, -1, &statement, NULL);

    *ret = 0;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
            *ret = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : serve_sqlite_fail(q, rc, err);
}

static int check_damage(const struct serve_sqlite *q, coras_error **err)
{
    struct stat st;
    int64_t faults = 0;

    if (stat(q->db.name, &st) == 0 && st.st_size > QUICK_CHECK_BYTES_MAX)
        return 0;
    CORAS_TRY(query_int(q, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check <> 'ok'",
                        &faults, err));
    if (faults > 0)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: database disk image is malformed",
                          q->db.name);
    return 0;
}

/* From a version on to the last one, in one transaction; version 0 has nothing yet. */
static int bring_up(struct serve_sqlite *q, int version, coras_error **err)
{
    coras_auto_buf sql = CORAS_BUF_UNLIMITED;

    coras_buf_puts(&sql, "BEGIN; ");
    if (version == 0)
        coras_buf_printf(&sql, "PRAGMA application_id = %d; ", APPLICATION_ID);
    for (int i = version; i < q->schema_version; i++)
        coras_buf_puts(&sql, q->schema[i]);
    coras_buf_printf(&sql, " PRAGMA user_version = %d; COMMIT;", q->schema_version);
    CORAS_TRY(coras_buf_done(&sql, err));
    return serve_sqlite_exec(q, &q->writer, sql.ptr, err);
}

static int refuse_old(const struct serve_sqlite *q, coras_error **err)
{
    coras_fail(err, CORAS_ERR_CONFIG, "%s: made by an older version", q->db.name);
    coras_hint(err, "serve it once without --read-only");
    return CORAS_ERR_CONFIG;
}

static int check_schema(struct serve_sqlite *q, coras_error **err)
{
    int64_t tables = 0, application = 0, version = 0;

    CORAS_TRY(query_int(q, "SELECT count(*) FROM sqlite_schema", &tables, err));
    CORAS_TRY(query_int(q, "PRAGMA application_id", &application, err));
    CORAS_TRY(query_int(q, "PRAGMA user_version", &version, err));
    if (tables == 0 && q->mode == SERVE_DB_CREATE)
        return bring_up(q, 0, err);
    if (tables == 0)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: empty", q->db.name);
    if (application != APPLICATION_ID)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: not a database of this registry", q->db.name);
    if (version < 1 || version > q->schema_version) {
        coras_fail(err, CORAS_ERR_CONFIG, "%s: made by another version (schema %d)", q->db.name,
                   (int)version);
        coras_hint(err, "serve it with the version that made it");
        return CORAS_ERR_CONFIG;
    }
    CORAS_TRY(check_damage(q, err));
    if (version == q->schema_version)
        return 0;
    return q->mode == SERVE_DB_READ_ONLY ? refuse_old(q, err) : bring_up(q, (int)version, err);
}

/* What was committed and not yet folded into the database is not seen without its log. */
static int check_log(const struct serve_sqlite *q, coras_error **err)
{
    coras_auto_free char *log = coras_asprintf("%s-wal", q->db.name);
    struct stat st;

    if (!log)
        return coras_fail_no_memory(err);
    if (stat(log, &st) < 0 || st.st_size == 0)
        return 0;
    coras_fail(err, CORAS_ERR_IO, "%s: its last server did not end well", q->db.name);
    coras_hint(err, "serve it once without --read-only");
    return CORAS_ERR_IO;
}

static int open_writer(struct serve_sqlite *q, coras_error **err)
{
    if (q->mode == SERVE_DB_READ_ONLY)
        CORAS_TRY(check_log(q, err));
    CORAS_TRY(serve_sqlite_connect(q, &q->writer, err));
    /* FULL: every commit is flushed before its answer is sent */
    if (q->mode != SERVE_DB_READ_ONLY)
        CORAS_TRY(serve_sqlite_exec(q, &q->writer,
                                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", err));
    return check_schema(q, err);
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

int serve_sqlite_open_file(struct serve_sqlite *q, coras_error **err)
{
    int rc = open_writer(q, err);

    return rc < 0 ? advise(q->db.name, rc, err) : 0;
}
