/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that are here because an upstream has them, and when they were used. */
#include "base/alloc.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

struct uses {
    const struct serve_blob_use *items;
    size_t len;
};

static int save_uses(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    const struct uses *uses = user;

    for (size_t i = 0; i < uses->len; i++) {
        sqlite3_stmt *save = serve_db_statement(db, c, SERVE_Q_USE_BLOB, err);
        if (!save)
            return CORAS_ERR_IO;
        serve_db_bind_digest(save, 1, &uses->items[i].digest);
        sqlite3_bind_int64(save, 2, uses->items[i].at_ms);
        CORAS_TRY(serve_db_run(db, save, err));
    }
    return 0;
}

int serve_metadata_save_uses(serve_metadata *m, const struct serve_blob_use *items, size_t len,
                             coras_error **err)
{
    struct uses uses = {items, len};

    return serve_db_write(m->db, save_uses, &uses, err);
}

int serve_metadata_cached_bytes(serve_metadata *m, int64_t *ret, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    sqlite3_stmt *sum;
    int rc = CORAS_ERR_IO;

    if (!c)
        return CORAS_ERR_IO;
    sum = serve_db_statement(m->db, c, SERVE_Q_CACHED_BYTES, err);
    if (sum) {
        rc = serve_db_step(m->db, sum, err);
        if (rc > 0)
            *ret = sqlite3_column_int64(sum, 0);
        sqlite3_reset(sum);
    }
    serve_db_reader_release(m->db, c);
    return rc < 0 ? rc : 0;
}

static int read_oldest(const serve_db *db, sqlite3_stmt *list, struct serve_cached_blob *ret,
                       size_t most, size_t *ret_len, coras_error **err)
{
    size_t len = 0;
    int rc = 0;

    while (len < most && (rc = serve_db_step(db, list, err)) > 0) {
        const char *text = (const char *)sqlite3_column_text(list, 0);
        if (!text || coras_digest_parse(text, &ret[len].digest, NULL) < 0)
            continue;
        ret[len].size = sqlite3_column_int64(list, 1);
        ret[len].used_ms = sqlite3_column_int64(list, 2);
        len++;
    }
    sqlite3_reset(list);
    *ret_len = len;
    return rc < 0 ? rc : 0;
}

int serve_metadata_oldest_cached(serve_metadata *m, int64_t after_ms, struct serve_cached_blob *ret,
                                 size_t most, size_t *ret_len, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    sqlite3_stmt *list;
    int rc = CORAS_ERR_IO;

    if (!c)
        return CORAS_ERR_IO;
    list = serve_db_statement(m->db, c, SERVE_Q_OLDEST_CACHED, err);
    if (list) {
        sqlite3_bind_int64(list, 1, after_ms);
        sqlite3_bind_int64(list, 2, (int64_t)most);
        rc = read_oldest(m->db, list, ret, most, ret_len, err);
    }
    serve_db_reader_release(m->db, c);
    return rc;
}

static int forget(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    sqlite3_stmt *blob = serve_db_statement(db, c, SERVE_Q_FORGET_CACHED, err);
    sqlite3_stmt *links = serve_db_statement(db, c, SERVE_Q_FORGET_LINKS, err);

    if (!blob || !links)
        return CORAS_ERR_IO;
    serve_db_bind_digest(blob, 1, user);
    CORAS_TRY(serve_db_run(db, blob, err));
    if (sqlite3_changes(c->handle) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "no cached blob");
    serve_db_bind_digest(links, 1, user);
    return serve_db_run(db, links, err);
}

int serve_metadata_forget_cached(serve_metadata *m, const coras_digest *digest, coras_error **err)
{
    coras_digest copy = *digest;

    return serve_db_write(m->db, forget, &copy, err);
}
