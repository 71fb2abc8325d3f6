/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where blobs lie that are in a store elsewhere. What loses its row there is remembered as left
 * over in the same transaction, and removed from the store after it: a crash in between forgets
 * nothing.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

int serve_metadata_find_place(serve_metadata *m, const coras_digest *digest, char **ret,
                              coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) find = NULL;
    const char *place;
    int rc;

    *ret = NULL;
    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_FIND_PLACE, &find, err));
    serve_db_bind_digest(find, 1, digest);
    rc = serve_db_step(find, err);
    if (rc <= 0)
        return rc < 0 ? rc : coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    place = serve_db_text(find, 0);
    if (!place)
        return 0;
    *ret = coras_strdup(place);
    return *ret ? 0 : coras_fail_no_memory(err);
}

int serve_metadata_leave_place(serve_db_connection *c, const char *digest, const char *new_place,
                               coras_error **err)
{
    coras_auto(serve_statement) leave = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_LEAVE_PLACE, &leave, err));
    serve_db_bind_text(leave, 1, digest);
    serve_db_bind_text(leave, 2, new_place ? new_place : "");
    serve_db_bind_int(leave, 3, coras_wall_s());
    return serve_db_run(leave, err);
}

/* ---- places ---- */

int serve_metadata_has_places(serve_metadata *m, bool *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_ANY_PLACE, &find, err));
    rc = serve_db_step(find, err);
    *ret = rc > 0;
    return rc < 0 ? rc : 0;
}

static int forget_blob(serve_db_connection *c, void *user, coras_error **err)
{
    coras_auto(serve_statement) forget = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(serve_metadata_leave_place(c, coras_digest_format(user, text), NULL, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_DELETE_BLOB, &forget, err));
    serve_db_bind_text(forget, 1, text);
    return serve_db_run(forget, err);
}

int serve_metadata_forget_blob(serve_metadata *m, const coras_digest *digest, coras_error **err)
{
    coras_digest copy = *digest;

    return serve_db_write(m->db, SERVE_DB_ALONE, forget_blob, &copy, err);
}

int serve_metadata_leftovers(serve_metadata *m, int64_t before_s, int limit, coras_strlist *ret,
                             coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) list = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_LEFTOVERS, &list, err));
    serve_db_bind_int(list, 1, before_s);
    serve_db_bind_int(list, 2, limit);
    while ((rc = serve_db_step(list, err)) > 0)
        CORAS_TRY(coras_strlist_add(ret, serve_db_text(list, 0), err));
    return rc;
}

static int forget_leftover(serve_db_connection *c, void *user, coras_error **err)
{
    coras_auto(serve_statement) forget = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_FORGET_LEFTOVER, &forget, err));
    serve_db_bind_text(forget, 1, user);
    return serve_db_run(forget, err);
}

int serve_metadata_forget_leftover(serve_metadata *m, const char *place, coras_error **err)
{
    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, forget_leftover, (void *)(uintptr_t)place,
                          err);
}

int serve_metadata_knows_place(serve_metadata *m, const char *place, bool *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_KNOWS_PLACE, &find, err));
    serve_db_bind_text(find, 1, place);
    rc = serve_db_step(find, err);
    *ret = rc > 0;
    return rc < 0 ? rc : 0;
}
