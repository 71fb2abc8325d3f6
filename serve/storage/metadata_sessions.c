/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of upload sessions: taken, saved and given back by whoever holds them. */
#include "serve/storage/metadata_sessions.h"

#include "base/alloc.h"
#include "base/error.h"
#include "serve/storage/metadata_queries.h"

void serve_upload_row_clear(struct serve_upload_row *row)
{
    free(row->id);
    free(row->repository);
    free(row->account);
    free(row->owner);
    free(row->place);
    free(row->upload);
    coras_buf_clear(&row->state);
    coras_buf_clear(&row->tail);
    *row = (struct serve_upload_row)SERVE_UPLOAD_ROW_INIT;
}

/* ---- reading a row ---- */

static int copy_text(serve_statement *s, int column, char **ret, coras_error **err)
{
    const char *text = serve_db_text(s, column);

    *ret = text ? coras_strdup(text) : NULL;
    return *ret || !text ? 0 : coras_fail_no_memory(err);
}

static int copy_blob(serve_statement *s, int column, coras_buf *ret, coras_error **err)
{
    size_t len = 0;
    const void *bytes = serve_db_blob(s, column, &len);

    coras_buf_put(ret, bytes, len);
    return coras_buf_done(ret, err);
}

/* The columns of SERVE_Q_FIND_UPLOAD and SERVE_Q_IDLE_UPLOAD. */
static int read_columns(serve_statement *s, serve_upload_row *ret, coras_error **err)
{
    CORAS_TRY(copy_text(s, 0, &ret->id, err));
    CORAS_TRY(copy_text(s, 1, &ret->repository, err));
    CORAS_TRY(copy_text(s, 2, &ret->account, err));
    CORAS_TRY(copy_text(s, 3, &ret->owner, err));
    CORAS_TRY(copy_text(s, 4, &ret->place, err));
    CORAS_TRY(copy_text(s, 5, &ret->upload, err));
    ret->algorithm = (int)serve_db_int(s, 6);
    ret->size = serve_db_int(s, 7);
    ret->parts = serve_db_int(s, 8);
    return 0;
}

static int no_such_upload(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "no such upload");
}

static int find_row(serve_db_connection *c, const char *id, serve_upload_row *ret,
                    coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_FIND_UPLOAD, &find, err));
    serve_db_bind_text(find, 1, id);
    rc = serve_db_step(find, err);
    if (rc <= 0)
        return rc < 0 ? rc : no_such_upload(err);
    return read_columns(find, ret, err);
}

static int find_bytes(serve_db_connection *c, const char *id, serve_upload_row *ret,
                      coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_UPLOAD_BYTES, &find, err));
    serve_db_bind_text(find, 1, id);
    rc = serve_db_step(find, err);
    if (rc <= 0)
        return rc < 0 ? rc : no_such_upload(err);
    CORAS_TRY(copy_blob(find, 0, &ret->state, err));
    return copy_blob(find, 1, &ret->tail, err);
}

int serve_metadata_look_upload(serve_metadata *m, const char *id, serve_upload_row *ret,
                               coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    return find_row(c, id, ret, err);
}

/* ---- writes ---- */

/* What the writes below are given: each uses what it needs. */
struct upload_write {
    const serve_upload_row *row;
    const char *id, *tag;
    int64_t before_s;
    bool crowded;
    const struct serve_upload_hold *hold;
    const coras_digest *digest;
    serve_upload_row *ret;
};

static int begin_upload(serve_db_connection *c, void *user, coras_error **err)
{
    const struct upload_write *w = user;
    coras_auto(serve_statement) add = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_BEGIN_UPLOAD, &add, err));
    serve_db_bind_text(add, 1, w->row->id);
    serve_db_bind_text(add, 2, w->row->repository);
    serve_db_bind_text(add, 3, w->row->account);
    serve_db_bind_text(add, 4, w->row->owner);
    serve_db_bind_text(add, 5, w->row->place);
    serve_db_bind_int(add, 6, w->row->algorithm);
    serve_db_bind_int(add, 7, w->hold->now_s);
    serve_db_bind_text(add, 8, w->hold->holder);
    serve_db_bind_int(add, 9, w->hold->for_ms);
    return serve_db_run(add, err);
}

int serve_metadata_begin_upload(serve_metadata *m, const serve_upload_row *row,
                                const struct serve_upload_hold *hold, coras_error **err)
{
    struct upload_write w = {.row = row, .hold = hold};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, begin_upload, &w, err);
}

/* Run a statement whose values end with (id, holder): it changes a row, or the session is lost. */
static int run_held(serve_statement *s, coras_error **err)
{
    CORAS_TRY(serve_db_run(s, err));
    if (serve_db_changes(s) == 0)
        return coras_fail(err, CORAS_ERR_CHANGED, "another request has taken this upload over");
    return 0;
}

/* Hold it, if nobody else does: 1; 0: somebody does. */
static int hold(serve_db_connection *c, const struct upload_write *w, coras_error **err)
{
    coras_auto(serve_statement) take = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_HOLD_UPLOAD, &take, err));
    serve_db_bind_text(take, 1, w->id);
    serve_db_bind_text(take, 2, w->hold->holder);
    serve_db_bind_int(take, 3, w->hold->for_ms);
    CORAS_TRY(serve_db_run(take, err));
    return serve_db_changes(take) > 0;
}

static int is_written_to(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_EXISTS, "another request is writing to this upload");
}

static int take_upload(serve_db_connection *c, void *user, coras_error **err)
{
    struct upload_write *w = user;
    int rc = hold(c, w, err);

    if (rc < 0)
        return rc;
    serve_upload_row_clear(w->ret);
    CORAS_TRY(find_row(c, w->id, w->ret, err));
    if (rc == 0)
        return is_written_to(err);
    return find_bytes(c, w->id, w->ret, err);
}

int serve_metadata_take_upload(serve_metadata *m, const char *id,
                               const struct serve_upload_hold *hold, serve_upload_row *ret,
                               coras_error **err)
{
    struct upload_write w = {.id = id, .hold = hold, .ret = ret};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, take_upload, &w, err);
}

static int find_idle(serve_db_connection *c, const struct upload_write *w, coras_error **err)
{
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_statement(c, w->crowded ? SERVE_Q_CROWDING_UPLOAD : SERVE_Q_IDLE_UPLOAD,
                                 &find, err));
    serve_db_bind_int(find, 1, w->before_s);
    rc = serve_db_step(find, err);
    if (rc <= 0)
        return rc < 0 ? rc : no_such_upload(err);
    return read_columns(find, w->ret, err);
}

/* Among processes the row that was found may be held by another before it is held by us. */
static int take_idle_upload(serve_db_connection *c, void *user, coras_error **err)
{
    struct upload_write *w = user;
    int rc;

    serve_upload_row_clear(w->ret);
    CORAS_TRY(find_idle(c, w, err));
    w->id = w->ret->id;
    rc = hold(c, w, err);
    return rc == 0 ? is_written_to(err) : rc < 0 ? rc : 0;
}

int serve_metadata_take_idle_upload(serve_metadata *m, int64_t before_s, bool crowded,
                                    const struct serve_upload_hold *hold, serve_upload_row *ret,
                                    coras_error **err)
{
    struct upload_write w = {.before_s = before_s, .crowded = crowded, .hold = hold, .ret = ret};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, take_idle_upload, &w, err);
}

static int extend_upload(serve_db_connection *c, void *user, coras_error **err)
{
    const struct upload_write *w = user;
    coras_auto(serve_statement) extend = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_EXTEND_UPLOAD, &extend, err));
    serve_db_bind_text(extend, 1, w->id);
    serve_db_bind_text(extend, 2, w->hold->holder);
    serve_db_bind_int(extend, 3, w->hold->for_ms);
    return run_held(extend, err);
}

int serve_metadata_extend_upload(serve_metadata *m, const char *id,
                                 const struct serve_upload_hold *hold, coras_error **err)
{
    struct upload_write w = {.id = id, .hold = hold};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, extend_upload, &w, err);
}

static int name_upload(serve_db_connection *c, void *user, coras_error **err)
{
    const struct upload_write *w = user;
    coras_auto(serve_statement) name = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_NAME_UPLOAD, &name, err));
    serve_db_bind_text(name, 1, w->row->id);
    serve_db_bind_text(name, 2, w->hold->holder);
    serve_db_bind_text(name, 3, w->row->upload);
    return run_held(name, err);
}

int serve_metadata_name_upload(serve_metadata *m, const serve_upload_row *row,
                               const struct serve_upload_hold *hold, coras_error **err)
{
    struct upload_write w = {.row = row, .hold = hold};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, name_upload, &w, err);
}

/* The row as it is after a part, or when it is given back (for no time: nobody holds it then). */
static int save_row(serve_db_connection *c, const struct upload_write *w, bool give,
                    coras_error **err)
{
    coras_auto(serve_statement) save = NULL;
    const serve_upload_row *row = w->row;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_SAVE_UPLOAD, &save, err));
    serve_db_bind_text(save, 1, row->id);
    serve_db_bind_text(save, 2, w->hold->holder);
    serve_db_bind_int(save, 3, give ? 0 : w->hold->for_ms);
    serve_db_bind_text(save, 4, row->upload);
    serve_db_bind_int(save, 5, row->size);
    serve_db_bind_int(save, 6, row->parts);
    serve_db_bind_blob(save, 7, row->state.ptr, row->state.len);
    serve_db_bind_blob(save, 8, row->tail.ptr, give ? row->tail.len : 0);
    serve_db_bind_int(save, 9, w->hold->now_s);
    return run_held(save, err);
}

static int add_part(serve_db_connection *c, const struct upload_write *w, coras_error **err)
{
    coras_auto(serve_statement) add = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_ADD_UPLOAD_PART, &add, err));
    serve_db_bind_text(add, 1, w->row->id);
    serve_db_bind_int(add, 2, w->row->parts);
    serve_db_bind_text(add, 3, w->tag);
    return serve_db_run(add, err);
}

static int save_part(serve_db_connection *c, void *user, coras_error **err)
{
    CORAS_TRY(save_row(c, user, false, err));
    return add_part(c, user, err);
}

int serve_metadata_save_part(serve_metadata *m, const serve_upload_row *row, const char *tag,
                             const struct serve_upload_hold *hold, coras_error **err)
{
    struct upload_write w = {.row = row, .tag = tag, .hold = hold};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, save_part, &w, err);
}

static int give_upload(serve_db_connection *c, void *user, coras_error **err)
{
    return save_row(c, user, true, err);
}

int serve_metadata_give_upload(serve_metadata *m, const serve_upload_row *row,
                               const struct serve_upload_hold *hold, coras_error **err)
{
    struct upload_write w = {.row = row, .hold = hold};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, give_upload, &w, err);
}

/* ---- ends ---- */

static int run_on_id(serve_db_connection *c, int query, const char *id, coras_error **err)
{
    coras_auto(serve_statement) s = NULL;

    CORAS_TRY(serve_db_statement(c, query, &s, err));
    serve_db_bind_text(s, 1, id);
    return serve_db_run(s, err);
}

static int note_finished(serve_db_connection *c, const struct upload_write *w, coras_error **err)
{
    coras_auto(serve_statement) add = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_NOTE_FINISHED, &add, err));
    serve_db_bind_text(add, 1, w->row->id);
    serve_db_bind_text(add, 2, w->row->repository);
    serve_db_bind_digest(add, 3, w->digest);
    serve_db_bind_int(add, 4, w->hold->now_s);
    return serve_db_run(add, err);
}

static int drop_held(serve_db_connection *c, const struct upload_write *w, coras_error **err)
{
    coras_auto(serve_statement) drop = NULL;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_END_UPLOAD, &drop, err));
    serve_db_bind_text(drop, 1, w->row->id);
    serve_db_bind_text(drop, 2, w->hold->holder);
    return run_held(drop, err);
}

static int finish_upload(serve_db_connection *c, void *user, coras_error **err)
{
    const struct upload_write *w = user;

    CORAS_TRY(drop_held(c, w, err));
    CORAS_TRY(run_on_id(c, SERVE_Q_DROP_UPLOAD_PARTS, w->row->id, err));
    CORAS_TRY(serve_metadata_add_blob(c, w->row->repository, w->digest, w->row->size, w->row->place,
                                      err));
    return note_finished(c, w, err);
}

int serve_metadata_finish_upload(serve_metadata *m, const serve_upload_row *row,
                                 const coras_digest *digest, const struct serve_upload_hold *hold,
                                 coras_error **err)
{
    struct upload_write w = {.row = row, .digest = digest, .hold = hold};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, finish_upload, &w, err);
}

static int drop_upload(serve_db_connection *c, void *user, coras_error **err)
{
    const struct upload_write *w = user;

    CORAS_TRY(run_on_id(c, SERVE_Q_DROP_UPLOAD, w->id, err));
    return run_on_id(c, SERVE_Q_DROP_UPLOAD_PARTS, w->id, err);
}

int serve_metadata_drop_upload(serve_metadata *m, const char *id, coras_error **err)
{
    struct upload_write w = {.id = id};

    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, drop_upload, &w, err);
}

/* ---- what there is ---- */

int serve_metadata_upload_parts(serve_metadata *m, const char *id, coras_strlist *ret,
                                coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) list = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_UPLOAD_PARTS, &list, err));
    serve_db_bind_text(list, 1, id);
    while ((rc = serve_db_step(list, err)) > 0)
        CORAS_TRY(coras_strlist_add(ret, serve_db_text(list, 0), err));
    return rc;
}

int serve_metadata_was_finished(serve_metadata *m, const char *id, const char *repository,
                                const coras_digest *digest, int64_t after_s, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) find = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_WAS_FINISHED, &find, err));
    serve_db_bind_text(find, 1, id);
    serve_db_bind_text(find, 2, repository);
    serve_db_bind_digest(find, 3, digest);
    serve_db_bind_int(find, 4, after_s);
    rc = serve_db_step(find, err);
    if (rc < 0)
        return rc;
    return rc > 0 ? 0 : no_such_upload(err);
}

int serve_metadata_count_uploads(serve_metadata *m, int64_t *ret, coras_error **err)
{
    coras_auto(serve_db_connection) c = NULL;
    coras_auto(serve_statement) count = NULL;
    int rc;

    CORAS_TRY(serve_db_reader(m->db, &c, err));
    CORAS_TRY(serve_db_statement(c, SERVE_Q_COUNT_UPLOADS, &count, err));
    rc = serve_db_step(count, err);
    if (rc > 0)
        *ret = serve_db_int(count, 0);
    return rc < 0 ? rc : 0;
}

static int forget_finished(serve_db_connection *c, void *user, coras_error **err)
{
    coras_auto(serve_statement) forget = NULL;
    const int64_t *before_s = user;

    CORAS_TRY(serve_db_statement(c, SERVE_Q_FORGET_FINISHED, &forget, err));
    serve_db_bind_int(forget, 1, *before_s);
    return serve_db_run(forget, err);
}

int serve_metadata_forget_finished(serve_metadata *m, int64_t before_s, coras_error **err)
{
    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, forget_finished, &before_s, err);
}

static int free_uploads(serve_db_connection *c, void *user, coras_error **err)
{
    coras_auto(serve_statement) release = NULL;

    (void)user;
    CORAS_TRY(serve_db_statement(c, SERVE_Q_FREE_UPLOADS, &release, err));
    return serve_db_run(release, err);
}

int serve_metadata_free_uploads(serve_metadata *m, coras_error **err)
{
    return serve_db_write(m->db, SERVE_DB_AMONG_OTHERS, free_uploads, NULL, err);
}
