/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking sessions and giving them back. Requests of this process are kept apart by a list of those
 * that are held, which can also be cut off; processes by the hold in the row.
 */
#include "serve/storage/s3/sessions.h"

#include <errno.h>
#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "serve/storage/s3/session.h"

/* Long enough for a client to repeat a request whose answer it lost. */
#define FINISHED_AGE_MAX_S 3600
#define PLACE_PREFIX       "data/"
/* Removed at one go. */
#define EXPIRE_MOST 1000

static struct serve_s3_sessions *table_of(serve_sessions *t)
{
    return (struct serve_s3_sessions *)t;
}

static serve_s3_session *session_of(serve_session *s)
{
    return (serve_s3_session *)s;
}

static void session_free(serve_s3_session *s)
{
    if (!s)
        return;
    (void)!serve_s3_flight_end(s, NULL);
    coras_close_fd(&s->fd);
    coras_close_fd(&s->flight.fd);
    coras_running_hash_free(s->hash);
    coras_running_hash_free(s->inside);
    serve_upload_row_clear(&s->row);
    free(s->session.repository);
    free(s->session.user);
    free(s);
}

static serve_s3_session *session_new(const char *repository, const char *user)
{
    serve_s3_session *s = coras_new(serve_s3_session);

    if (!s)
        return NULL;
    s->fd = s->flight.fd = -1;
    s->row = (serve_upload_row)SERVE_UPLOAD_ROW_INIT;
    s->session.repository = coras_strdup(repository);
    s->session.user = coras_strdup(user ? user : "");
    if (!s->session.repository || !s->session.user) {
        session_free(s);
        return NULL;
    }
    return s;
}

/* ---- those that are held here ---- */

/* With the lock. */
static serve_s3_session *find_held(const struct serve_s3_sessions *t, const char *id)
{
    serve_s3_session *s = t->held;

    while (s && !coras_streq(s->session.id, id))
        s = s->next;
    return s;
}

static void enter(struct serve_s3_sessions *t, serve_s3_session *s)
{
    s->next = t->held;
    t->held = s;
}

/* Out of the list, and freed. */
static void leave(struct serve_s3_sessions *t, serve_s3_session *s)
{
    serve_s3_session **at = &t->held;

    pthread_mutex_lock(&t->lock);
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    pthread_cond_broadcast(&t->released);
    pthread_mutex_unlock(&t->lock);
    session_free(s);
}

static int is_held(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_EXISTS, "another request is writing to this upload");
}

/* Until no request of this process holds it, then `s` does. With the lock. */
static int await_turn(struct serve_s3_sessions *t, const struct serve_session_request *request,
                      serve_s3_session *s, int64_t *ret_size, coras_error **err)
{
    struct timespec deadline = coras_deadline_ms(SERVE_SESSION_HOLDER_WAIT_MS);
    const int64_t since_ms = coras_now_ms();
    bool late = false;
    serve_s3_session *other;

    while ((other = find_held(t, request->id))) {
        if (late) {
            if (!serve_session_may_see(&other->session, request))
                return coras_fail(err, CORAS_ERR_NOT_FOUND, "no such upload");
            if (!serve_session_wait_on(&other->session, request, *ret_size, since_ms))
                return is_held(err);
            deadline = coras_deadline_ms(SERVE_SESSION_HOLDER_WAIT_MS);
        }
        *ret_size = __atomic_load_n(&other->session.size, __ATOMIC_RELAXED);
        late = pthread_cond_timedwait(&t->released, &t->lock, &deadline) == ETIMEDOUT;
    }
    s->session.holder = request->holder;
    enter(t, s);
    return 0;
}

/* ---- beginning ---- */

static int copy_text(const char *text, char **ret, coras_error **err)
{
    *ret = coras_strdup(text);
    return *ret ? 0 : coras_fail_no_memory(err);
}

static int fill_row(serve_s3_session *s, const struct serve_session_beginning *b, coras_error **err)
{
    char key[SERVE_SESSION_ID_LEN + 1]; /* no client learns it before the blob is there */

    serve_session_make_id(s->session.id);
    serve_session_make_id(key);
    CORAS_TRY(copy_text(s->session.id, &s->row.id, err));
    CORAS_TRY(copy_text(s->session.repository, &s->row.repository, err));
    CORAS_TRY(copy_text(s->session.user, &s->row.account, err));
    s->row.owner = serve_session_owner_name(b);
    s->row.place = coras_asprintf(PLACE_PREFIX "%s", key);
    s->row.algorithm = s->session.algorithm = b->algorithm;
    return s->row.owner && s->row.place ? 0 : coras_fail_no_memory(err);
}

/* Remove it with what the store has of it. */
static int remove_upload(struct serve_s3_sessions *t, const serve_upload_row *row,
                         coras_error **err)
{
    CORAS_TRY(serve_metadata_drop_upload(t->options.metadata, row->id, err));
    if (!row->upload)
        return 0;
    return serve_s3_abort_parts(t->options.store, row->place, row->upload, err);
}

/* The object is whole, and no blob will be made of it: unless one was, and the database could not
 * say so any more. What is left where it is becomes a stray. */
static void remove_object(struct serve_s3_sessions *t, const serve_s3_session *s)
{
    serve_metadata *m = t->options.metadata;
    bool is_known = true;

    if (serve_metadata_drop_upload(m, s->row.id, NULL) == 0 &&
        serve_metadata_knows_place(m, s->row.place, &is_known, NULL) == 0 && !is_known)
        (void)!serve_s3_delete(t->options.store, s->row.place, NULL);
}

/* Uploads that were begun and left must not keep new ones out for a week. */
static int make_room(struct serve_s3_sessions *t, coras_error **err)
{
    const struct serve_upload_hold hold = serve_s3_hold(t);
    serve_metadata *m = t->options.metadata;
    int64_t count = 0;

    CORAS_TRY(serve_metadata_count_uploads(m, &count, err));
    while (count-- >= SERVE_SESSIONS_MAX) {
        coras_auto_value(serve_upload_row) victim = SERVE_UPLOAD_ROW_INIT;
        int rc = serve_metadata_take_idle_upload(m, INT64_MAX, true, &hold, &victim, NULL);
        if (rc < 0 && rc != CORAS_ERR_EXISTS)
            return coras_fail(err, CORAS_ERR_TOO_LARGE, "too many uploads are open");
        if (rc == 0)
            CORAS_TRY(remove_upload(t, &victim, err));
    }
    return 0;
}

static int begin_held(struct serve_s3_sessions *t, serve_s3_session *s,
                      const struct serve_session_beginning *b, coras_error **err)
{
    const struct serve_upload_hold hold = serve_s3_hold(t);

    CORAS_TRY(fill_row(s, b, err));
    CORAS_TRY(serve_s3_session_start(t, s, err));
    CORAS_TRY(make_room(t, err));
    CORAS_TRY(serve_metadata_begin_upload(t->options.metadata, &s->row, &hold, err));
    s->extended_ms = coras_now_ms();
    return 0;
}

static int begin(serve_sessions *sessions, const struct serve_session_beginning *beginning,
                 serve_session **ret, coras_error **err)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_new(beginning->repository, beginning->user);
    int rc = s ? begin_held(t, s, beginning, err) : coras_fail_no_memory(err);

    if (rc < 0) {
        session_free(s);
        return rc;
    }
    pthread_mutex_lock(&t->lock);
    enter(t, s);
    pthread_mutex_unlock(&t->lock);
    *ret = &s->session;
    return 0;
}

/* ---- taking and giving back ---- */

/* Its row may be another's: that is not told apart from none. */
static int check_owner(const serve_s3_session *s, coras_error **err)
{
    if (coras_streq(s->row.repository, s->session.repository) &&
        coras_streq(s->row.account, s->session.user))
        return 0;
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "no such upload");
}

/* Others need not wait until it is over. */
static void let_go(struct serve_s3_sessions *t, const serve_s3_session *s)
{
    const struct serve_upload_hold none = {t->holder, 0, 0};

    (void)!serve_metadata_extend_upload(t->options.metadata, s->row.id, &none, NULL);
}

/* From the metadata. Another process that holds it is waited for by nobody: it cannot be cut off.
 */
static int take(struct serve_s3_sessions *t, const struct serve_session_request *request,
                serve_s3_session *s, int64_t *ret_size, coras_error **err)
{
    const struct serve_upload_hold hold = serve_s3_hold(t);
    serve_metadata *m = t->options.metadata;
    int rc;

    CORAS_TRY(serve_metadata_look_upload(m, request->id, &s->row, err));
    CORAS_TRY(check_owner(s, err));
    rc = serve_metadata_take_upload(m, request->id, &hold, &s->row, err);
    *ret_size = s->row.size;
    if (rc < 0)
        return rc;
    s->extended_ms = coras_now_ms();
    s->session.algorithm = s->row.algorithm;
    rc = serve_s3_session_resume(t, s, err);
    if (rc < 0)
        let_go(t, s);
    return rc;
}

static int acquire(serve_sessions *sessions, const struct serve_session_request *request,
                   serve_session **ret, int64_t *ret_size, coras_error **err)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_new(request->repository, request->user);
    int rc;

    if (!s)
        return coras_fail_no_memory(err);
    snprintf(s->session.id, sizeof(s->session.id), "%s", request->id);
    pthread_mutex_lock(&t->lock);
    rc = await_turn(t, request, s, ret_size, err);
    pthread_mutex_unlock(&t->lock);
    if (rc < 0) {
        session_free(s);
        return rc;
    }
    rc = take(t, request, s, ret_size, err);
    if (rc < 0) {
        leave(t, s);
        return rc;
    }
    *ret = &s->session;
    return 0;
}

static int settle(serve_sessions *sessions, serve_session *session, coras_error **err)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_of(session);
    const struct serve_upload_hold hold = serve_s3_hold(t);

    CORAS_TRY(serve_s3_session_pack(s, err));
    CORAS_TRY(serve_metadata_give_upload(t->options.metadata, &s->row, &hold, err));
    s->is_settled = true;
    return 0;
}

/* What cannot be saved is as it was when the request began, or after its last part. */
static void release(serve_sessions *sessions, serve_session *session)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_of(session);

    if (s->is_stored)
        remove_object(t, s);
    else if (!s->is_lost && !s->is_settled)
        (void)!settle(sessions, session, NULL);
    if (s->is_lost)
        let_go(t, s);
    leave(t, s);
}

static void drop(serve_sessions *sessions, serve_session *session)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_of(session);

    (void)!serve_s3_flight_end(s, NULL);
    if (s->is_stored)
        remove_object(t, s);
    else if (!s->is_lost)
        (void)!remove_upload(t, &s->row, NULL);
    leave(t, s);
}

/* The object is whole already (serve_s3_session_verify). It is a blob in the step that ends the
 * session: another process is asked for either by a client that repeats its last request. */
static int publish(serve_sessions *sessions, serve_session **session, const coras_digest *digest,
                   const struct serve_session_place *place, coras_error **err)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_of(*session);
    const struct serve_upload_hold hold = serve_s3_hold(t);

    (void)place;
    s->row.size = s->session.size;
    CORAS_TRY(serve_metadata_finish_upload(t->options.metadata, &s->row, digest, &hold, err));
    leave(t, s);
    *session = NULL;
    return 0;
}

/* ---- all of them ---- */

static bool was_finished(serve_sessions *sessions, const char *id, const char *repository,
                         const coras_digest *digest)
{
    return serve_metadata_was_finished(table_of(sessions)->options.metadata, id, repository, digest,
                                       coras_wall_s() - FINISHED_AGE_MAX_S, NULL) == 0;
}

static int64_t count_sessions(serve_sessions *sessions)
{
    int64_t count = 0;

    (void)!serve_metadata_count_uploads(table_of(sessions)->options.metadata, &count, NULL);
    return count;
}

static void expire(serve_sessions *sessions, int64_t now_s)
{
    struct serve_s3_sessions *t = table_of(sessions);
    const struct serve_upload_hold hold = serve_s3_hold(t);
    const int64_t before_s = now_s - SERVE_SESSION_AGE_MAX_S;
    serve_metadata *m = t->options.metadata;
    int rc = 0;

    for (int i = 0; i < EXPIRE_MOST && (rc == 0 || rc == CORAS_ERR_EXISTS); i++) {
        coras_auto_value(serve_upload_row) old = SERVE_UPLOAD_ROW_INIT;
        rc = serve_metadata_take_idle_upload(m, before_s, false, &hold, &old, NULL);
        if (rc == 0)
            rc = remove_upload(t, &old, NULL);
    }
    (void)!serve_metadata_forget_finished(m, now_s - FINISHED_AGE_MAX_S, NULL);
}

static void close_sessions(serve_sessions *sessions)
{
    struct serve_s3_sessions *t = table_of(sessions);

    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->released);
    free(t);
}

static const struct serve_session_ops s3_session_ops = {
    .close = close_sessions,
    .begin = begin,
    .acquire = acquire,
    .settle = settle,
    .release = release,
    .drop = drop,
    .append = serve_s3_session_append,
    .verify = serve_s3_session_verify,
    .publish = publish,
    .was_finished = was_finished,
    .count = count_sessions,
    .expire = expire,
};

int serve_s3_sessions_open(const struct serve_s3_sessions_options *options, serve_sessions **ret,
                           coras_error **err)
{
    struct serve_s3_sessions *t = coras_new(struct serve_s3_sessions);
    coras_auto(serve_sessions) owned = NULL;

    if (!t)
        return coras_fail_no_memory(err);
    t->sessions.ops = &s3_session_ops;
    t->options = *options;
    pthread_mutex_init(&t->lock, NULL);
    coras_cond_init(&t->released);
    serve_session_make_id(t->holder);
    owned = &t->sessions;
    if (options->alone) /* whoever held one has died */
        CORAS_TRY(serve_metadata_free_uploads(options->metadata, err));
    *ret = coras_steal(&owned);
    return 0;
}
