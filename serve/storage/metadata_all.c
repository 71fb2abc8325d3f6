/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata from one end to the other, for whoever checks everything. */
#include "base/error.h"
#include "base/vec.h"
#include "serve/storage/metadata_queries.h"

/* ---- blobs ---- */

void serve_blob_page_clear(struct serve_blob_page *page)
{
    free(page->items);
    *page = (struct serve_blob_page){0};
}

/* A digest that is none stands for nothing that could be read. */
static int add_blob(struct serve_blob_page *page, const char *digest, int64_t size,
                    coras_error **err)
{
    struct serve_blob_row row = {.size = size};

    snprintf(page->last, sizeof(page->last), "%s", digest);
    if (coras_digest_parse(digest, &row.digest, NULL) < 0)
        return 0;
    if (coras_vec_grow(page, 1) < 0)
        return coras_fail_no_memory(err);
    page->items[page->len++] = row;
    return 0;
}

static int list_blobs(serve_db *db, serve_db_connection *c, int limit, struct serve_blob_page *page,
                      coras_error **err)
{
    sqlite3_stmt *list = serve_db_statement(db, c, SERVE_Q_BLOBS, err);
    int rc;

    if (!list)
        return CORAS_ERR_IO;
    serve_db_bind_text(list, 1, page->last);
    sqlite3_bind_int(list, 2, limit);
    while ((rc = serve_db_step(db, list, err)) > 0) {
        rc = add_blob(page, (const char *)sqlite3_column_text(list, 0),
                      sqlite3_column_int64(list, 1), err);
        if (rc < 0)
            break;
    }
    sqlite3_reset(list);
    return rc;
}

int serve_metadata_blobs(serve_metadata *m, int limit, struct serve_blob_page *page,
                         coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    int rc;

    page->len = 0;
    if (!c)
        return CORAS_ERR_IO;
    rc = list_blobs(m->db, c, limit, page, err);
    serve_db_reader_release(m->db, c);
    return rc;
}

/* ---- manifests ---- */

/* One at a time: the database is not kept while its content is looked at for long. */
static int next_manifest(serve_db *db, serve_db_connection *c, int64_t *id,
                         int (*visit)(const struct serve_manifest_row *row, void *user,
                                      coras_error **err),
                         void *user, coras_error **err)
{
    sqlite3_stmt *next = serve_db_statement(db, c, SERVE_Q_ALL_MANIFESTS, err);
    struct serve_manifest_row row;
    int rc;

    if (!next)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(next, 1, *id);
    rc = serve_db_step(db, next, err);
    if (rc <= 0)
        return rc;
    *id = sqlite3_column_int64(next, 0);
    row = (struct serve_manifest_row){
        .repository = (const char *)sqlite3_column_text(next, 1),
        .digest = (const char *)sqlite3_column_text(next, 2),
        .content = sqlite3_column_blob(next, 3),
        .size = (size_t)sqlite3_column_bytes(next, 3),
    };
    rc = visit(&row, user, err);
    sqlite3_reset(next);
    return rc < 0 ? rc : 1;
}

int serve_metadata_each_manifest(serve_metadata *m,
                                 int (*visit)(const struct serve_manifest_row *row, void *user,
                                              coras_error **err),
                                 void *user, coras_error **err)
{
    serve_db_connection *c = serve_db_reader(m->db, err);
    int64_t id = INT64_MIN;
    int rc;

    if (!c)
        return CORAS_ERR_IO;
    do
        rc = next_manifest(m->db, c, &id, visit, user, err);
    while (rc > 0);
    serve_db_reader_release(m->db, c);
    return rc;
}

/* ---- what a collection would find ---- */

struct collectable {
    int64_t before, blobs, bytes;
};

/* Forgets links as a collection does, counts, and fails, so that all of it is taken back. */
static int try_collection(serve_db *db, serve_db_connection *c, void *user, coras_error **err)
{
    struct collectable *found = user;
    sqlite3_stmt *links = serve_db_statement(db, c, SERVE_Q_COLLECT_LINKS, err);
    sqlite3_stmt *count = links ? serve_db_statement(db, c, SERVE_Q_COUNT_UNLINKED, err) : NULL;
    int rc;

    if (!count)
        return CORAS_ERR_IO;
    sqlite3_bind_int64(links, 1, found->before);
    CORAS_TRY(serve_db_run(db, links, err));
    sqlite3_bind_int64(count, 1, found->before);
    rc = serve_db_step(db, count, err);
    if (rc < 0)
        return rc;
    found->blobs = sqlite3_column_int64(count, 0);
    found->bytes = sqlite3_column_int64(count, 1);
    sqlite3_reset(count);
    return coras_fail(err, CORAS_ERR_CANCELLED, "taken back");
}

int serve_metadata_collectable(serve_metadata *m, int64_t before, int64_t *ret_blobs,
                               int64_t *ret_bytes, coras_error **err)
{
    struct collectable found = {.before = before};
    coras_auto(coras_error) taken_back = NULL;
    int rc = serve_db_write(m->db, try_collection, &found, &taken_back);

    if (rc != CORAS_ERR_CANCELLED) {
        coras_error_propagate(err, &taken_back);
        return rc;
    }
    *ret_blobs = found.blobs;
    *ret_bytes = found.bytes;
    return 0;
}
