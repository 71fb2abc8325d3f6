/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that are here because an upstream has them, and when they were used. */
#include "base/alloc.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

/* A row says of its first use only in which second it was, by that second's end. */
#define FIRST_USE_MS 2000

struct uses {
    const struct serve_blob_use *items;
    size_t len;
};

static int save_use(serve_db_connection *c, const struct serve_blob_use *use, coras_error **err)
{
    coras_auto(serve_statement) save = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_USE_BLOB, &save, err));
    serve_db_bind_digest(save, 1, &use->digest);
    serve_db_bind_int(save, 2, use->at_ms);
    return serve_db_run(save, err);
}

static int save_uses(serve_db_connection *c, void *user, coras_error **err)
{
    const struct uses *uses = user;

    for (size_t i = 0; i < uses->len; i++)
        CORAS_TRY(save_use(c, &uses->items[i], err));
    return 0;
}

int serve_metadata_save_uses(serve_metadata *m, const struct serve_blob_use *items, size_t len,
                             coras_error **err)
{
    struct uses uses = {items, len};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, save_uses, &uses, err);
}

static int last_use(serve_metadata *m, int64_t *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) last = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_LAST_USE, &last, err));
    rc = serve_db_step(last, err);
    if (rc > 0)
        *ret = serve_db_int(last, 0);
    return rc < 0 ? rc : 0;
}

struct shift {
    int64_t by_ms, after_ms;
};

static int shift_uses(serve_db_connection *c, void *user, coras_error **err)
{
    const struct shift *shift = user;
    coras_auto(serve_statement) update = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_SHIFT_USES, &update, err));
    serve_db_bind_int(update, 1, shift->by_ms);
    serve_db_bind_int(update, 2, shift->after_ms);
    return serve_db_run(update, err);
}

int serve_metadata_mend_uses(serve_metadata *m, int64_t now_ms, coras_error **err)
{
    int64_t last_ms = 0;

    CORAS_TRY(last_use(m, &last_ms, err));
    struct shift shift = {.by_ms = last_ms - now_ms, .after_ms = now_ms};
    if (last_ms <= now_ms + FIRST_USE_MS)
        return 0;
    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, shift_uses, &shift, err);
}

int serve_metadata_cached_bytes(serve_metadata *m, int64_t *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) sum = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_CACHED_BYTES, &sum, err));
    rc = serve_db_step(sum, err);
    if (rc > 0)
        *ret = serve_db_int(sum, 0);
    return rc < 0 ? rc : 0;
}

static int read_oldest(serve_statement *list, struct serve_cached_blob *ret, size_t most,
                       size_t *ret_len, coras_error **err)
{
    size_t len = 0;
    int rc = 0;

    while (len < most && (rc = serve_db_step(list, err)) > 0) {
        const char *text = serve_db_text(list, 0);
        if (!text || coras_digest_parse(text, &ret[len].digest, NULL) < 0)
            continue;
        ret[len].size = serve_db_int(list, 1);
        ret[len].used_ms = serve_db_int(list, 2);
        len++;
    }
    *ret_len = len;
    return rc < 0 ? rc : 0;
}

int serve_metadata_oldest_cached(serve_metadata *m, int64_t after_ms, struct serve_cached_blob *ret,
                                 size_t most, size_t *ret_len, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) list = NULL;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_OLDEST_CACHED, &list, err));
    serve_db_bind_int(list, 1, after_ms);
    serve_db_bind_int(list, 2, (int64_t)most);
    return read_oldest(list, ret, most, ret_len, err);
}

static int forget(serve_db_connection *c, void *user, coras_error **err)
{
    coras_auto(serve_statement) blob = NULL;
    coras_auto(serve_statement) links = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(serve_metadata_leave_place(c, coras_digest_format(user, text), NULL, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_FORGET_CACHED, &blob, err));
    serve_db_bind_digest(blob, 1, user);
    CORAS_TRY(serve_db_run(blob, err));
    if (serve_db_changes(blob) == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "no cached blob");
    CORAS_TRY(serve_db_statement(c, SERVE_Q_FORGET_LINKS, &links, err));
    serve_db_bind_digest(links, 1, user);
    return serve_db_run(links, err);
}

int serve_metadata_forget_cached(serve_metadata *m, const coras_digest *digest, coras_error **err)
{
    coras_digest copy = *digest;

    return serve_db_write(m->db, SERVE_DB_ALONE, forget, &copy, err);
}
