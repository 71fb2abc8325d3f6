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

int serve_metadata_blobs(serve_metadata *m, int limit, struct serve_blob_page *page,
                         coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) list = NULL;
    int rc;

    page->len = 0;
    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_BLOBS, &list, err));
    serve_db_bind_text(list, 1, page->last);
    serve_db_bind_int(list, 2, limit);
    while ((rc = serve_db_step(list, err)) > 0)
        CORAS_TRY(add_blob(page, serve_db_text(list, 0), serve_db_int(list, 1), err));
    return rc;
}

int serve_metadata_holders(serve_metadata *m, const coras_digest *digest, int most,
                           coras_strlist *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) list = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_HOLDERS, &list, err));
    serve_db_bind_digest(list, 1, digest);
    serve_db_bind_int(list, 2, most);
    while ((rc = serve_db_step(list, err)) > 0)
        CORAS_TRY(coras_strlist_add(ret, serve_db_text(list, 0), err));
    return rc;
}

/* ---- manifests ---- */

/* One at a time: the database is not kept while its content is looked at for long. */
static int next_manifest(serve_db_connection *c, int64_t *id,
                         int (*visit)(const struct serve_manifest_row *row, void *user,
                                      coras_error **err),
                         void *user, coras_error **err)
{
    coras_auto(serve_statement) next = NULL;
    struct serve_manifest_row row;
    int rc;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_ALL_MANIFESTS, &next, err));
    serve_db_bind_int(next, 1, *id);
    rc = serve_db_step(next, err);
    if (rc <= 0)
        return rc;
    *id = serve_db_int(next, 0);
    row = (struct serve_manifest_row){
        .repository = serve_db_text(next, 1),
        .digest = serve_db_text(next, 2),
    };
    row.content = serve_db_blob(next, 3, &row.size);
    rc = visit(&row, user, err);
    return rc < 0 ? rc : 1;
}

int serve_metadata_each_manifest(serve_metadata *m,
                                 int (*visit)(const struct serve_manifest_row *row, void *user,
                                              coras_error **err),
                                 void *user, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    int64_t id = INT64_MIN;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    do
        rc = next_manifest(c, &id, visit, user, err);
    while (rc > 0);
    return rc;
}
