/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nothing needs any more. A look at everything takes its time, and keeps nobody waiting; what
 * it found goes by and by, and is judged again in the step in which it goes.
 */
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

int serve_metadata_find_garbage(serve_metadata *m, int64_t before, int limit, coras_strlist *ret,
                                coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_GARBAGE, &find, err));
    serve_db_bind_int(find, 1, before);
    serve_db_bind_int(find, 2, limit);
    while ((rc = serve_db_step(find, err)) > 0)
        CORAS_TRY(coras_strlist_add(ret, serve_db_text(find, 0), err));
    return rc;
}

struct collection {
    int64_t before;
    const char *const *candidates;
    size_t count;
    coras_strlist *digests;
    int64_t bytes;
};

static int forget_links(serve_db_connection *c, int64_t before, const char *digest,
                        coras_error **err)
{
    coras_auto(serve_statement) links = NULL;

    CORAS_TRY(serve_db_statement(c, digest ? SERVE_Q_COLLECT_LINKS_OF : SERVE_Q_COLLECT_LINKS,
                                 &links, err));
    serve_db_bind_int(links, 1, before);
    if (digest)
        serve_db_bind_text(links, 2, digest);
    return serve_db_run(links, err);
}

/* Of processes that are gone. */
static int forget_leases(serve_db_connection *c, coras_error **err)
{
    coras_auto(serve_statement) forget = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_FORGET_LEASES, &forget, err));
    return serve_db_run(forget, err);
}

/* 1 = there is this blob, and nobody links it; 0 = not. */
static int find_unlinked(serve_db_connection *c, int64_t before, const char *digest,
                         int64_t *ret_size, coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_UNLINKED_SIZE, &find, err));
    serve_db_bind_int(find, 1, before);
    serve_db_bind_text(find, 2, digest);
    rc = serve_db_step(find, err);
    if (rc > 0)
        *ret_size = serve_db_int(find, 0);
    return rc;
}

static int forget_blob(serve_db_connection *c, const char *digest, coras_error **err)
{
    coras_auto(serve_statement) forget = NULL;

    CORAS_TRY(serve_metadata_leave_place(c, digest, NULL, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_DELETE_BLOB, &forget, err));
    serve_db_bind_text(forget, 1, digest);
    return serve_db_run(forget, err);
}

static int collect_one(serve_db_connection *c, struct collection *collection, const char *digest,
                       coras_error **err)
{
    int64_t size = 0;
    int rc;

    CORAS_TRY(forget_links(c, collection->before, digest, err));
    rc = find_unlinked(c, collection->before, digest, &size, err);
    if (rc <= 0)
        return rc;
    CORAS_TRY(forget_blob(c, digest, err));
    collection->bytes += size;
    return coras_strlist_add(collection->digests, digest, err);
}

static int collect(serve_db_connection *c, void *user, coras_error **err)
{
    struct collection *collection = user;

    coras_strlist_clear(collection->digests);
    collection->bytes = 0;
    CORAS_TRY(forget_leases(c, err));
    for (size_t i = 0; i < collection->count; i++)
        CORAS_TRY(collect_one(c, collection, collection->candidates[i], err));
    return 0;
}

int serve_metadata_collect(serve_metadata *m, int64_t before, const coras_strlist *candidates,
                           size_t first, struct serve_collected *ret, coras_error **err)
{
    size_t left = candidates->len - first;
    struct collection collection = {
        .before = before,
        .candidates = left > 0 ? (const char *const *)&candidates->items[first] : NULL,
        .count = left < SERVE_COLLECT_BATCH ? left : SERVE_COLLECT_BATCH,
        .digests = &ret->digests,
    };

    CORAS_TRY(serve_db_write(m->db, SERVE_DB_ALONE, collect, &collection, err));
    ret->bytes = collection.bytes;
    return 0;
}

struct collectable {
    int64_t before, blobs, bytes;
};

/* Forgets links as a collection does, counts, and fails, so that all of it is taken back. */
static int try_collection(serve_db_connection *c, void *user, coras_error **err)
{
    struct collectable *found = user;
    coras_auto(serve_statement) count = NULL;
    int rc;

    CORAS_TRY(forget_links(c, found->before, NULL, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_COUNT_UNLINKED, &count, err));
    serve_db_bind_int(count, 1, found->before);
    rc = serve_db_step(count, err);
    if (rc < 0)
        return rc;
    found->blobs = serve_db_int(count, 0);
    found->bytes = serve_db_int(count, 1);
    return coras_fail(err, CORAS_ERR_CANCELLED, "taken back");
}

int serve_metadata_collectable(serve_metadata *m, int64_t before, int64_t *ret_blobs,
                               int64_t *ret_bytes, coras_error **err)
{
    struct collectable found = {.before = before};
    coras_auto(coras_error) taken_back = NULL;
    int rc = serve_db_write(m->db, SERVE_DB_ALONE, try_collection, &found, &taken_back);

    if (rc != CORAS_ERR_CANCELLED) {
        coras_error_propagate(err, &taken_back);
        return rc;
    }
    *ret_blobs = found.blobs;
    *ret_bytes = found.bytes;
    return 0;
}
