/* SPDX-License-Identifier: Apache-2.0 */
/* The table of upload sessions: whose they are, who holds them, and how long they stay. */
#include "serve/storage/file_sessions.h"

#include <dirent.h>
#include <errno.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "serve/storage/finished.h"
#include "serve/storage/session_owners.h"
#include "serve/storage/sidecar.h"

static const struct serve_session_ops file_session_ops;

struct file_sessions {
    serve_sessions sessions; /* first: it is one */
    serve_blob_store *store; /* const */
    pthread_mutex_t lock;
    pthread_cond_t released;
    coras_map *by_id;         /* lock */
    coras_map *owners;        /* lock; by name, as long as they have sessions */
    serve_finished *finished; /* const */
};

static struct file_sessions *table_of(serve_sessions *t)
{
    return (struct file_sessions *)t;
}

static serve_file_session *file_of(serve_session *s)
{
    return (serve_file_session *)s;
}

static void session_free(void *p)
{
    serve_file_session *s = p;

    if (!s)
        return;
    coras_close_fd(&s->fd);
    coras_hasher_free(s->hasher);
    free(s->session.repository);
    free(s->session.user);
    free(s);
}

static serve_file_session *session_new(const char *repository, const char *user, int algorithm)
{
    serve_file_session *s = coras_new(serve_file_session);

    if (!s)
        return NULL;
    s->fd = -1;
    s->session.algorithm = algorithm;
    s->session.repository = coras_strdup(repository);
    s->session.user = coras_strdup(user ? user : "");
    s->touched_s = coras_wall_s();
    if (!s->session.repository || !s->session.user) {
        session_free(s);
        return NULL;
    }
    return s;
}

/* ---- files ---- */

static void remove_files(struct file_sessions *t, const char *id)
{
    char name[SERVE_SIDECAR_NAME_MAX];

    (void)unlinkat(t->store->uploads_fd, id, 0);
    (void)unlinkat(t->store->uploads_fd, serve_sidecar_name(id, name), 0);
}

/* ---- the table: all with the lock ---- */

/* Into the table, which then owns it. */
static int enlist(struct file_sessions *t, serve_file_session *s, const char *owner_name,
                  coras_error **err)
{
    struct serve_session_owner *owner = serve_session_owner_find(t->owners, owner_name, err);
    int rc;

    if (!owner)
        return CORAS_ERR_NO_MEMORY;
    s->owner = owner;
    owner->sessions++;
    rc = coras_map_set(t->by_id, s->session.id, s, err);
    if (rc < 0)
        serve_session_owner_leave(t->owners, owner);
    return rc;
}

/* Out of the table: frees the session. */
static void unlist(struct file_sessions *t, serve_file_session *s)
{
    char id[SERVE_SESSION_ID_LEN + 1];

    memcpy(id, s->session.id, sizeof(id));
    serve_session_owner_leave(t->owners, s->owner);
    (void)coras_map_remove(t->by_id, id);
}

/* Called with the lock; nobody holds it. */
static void remove_session(struct file_sessions *t, serve_file_session *s)
{
    remove_files(t, s->session.id);
    unlist(t, s);
}

static int open_data(struct file_sessions *t, serve_file_session *s, int flags, coras_error **err)
{
    s->fd =
        openat(t->store->uploads_fd, s->session.id, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (s->fd < 0)
        return coras_fail_errno(err, errno, "open upload %s", s->session.id);
    return serve_blob_store_check_own(s->fd, s->session.id, err);
}

/* One session of an earlier process. */
static int load_session(struct file_sessions *t, const char *id, const struct stat *st,
                        coras_error **err)
{
    coras_auto_value(serve_sidecar) sidecar = {0};
    serve_file_session *s;
    int rc;

    CORAS_TRY(serve_sidecar_read(t->store->uploads_fd, id, &sidecar, err));
    s = session_new(sidecar.repository, sidecar.user, sidecar.algorithm);
    if (!s)
        return coras_fail_no_memory(err);
    memcpy(s->session.id, id, SERVE_SESSION_ID_LEN + 1);
    s->session.size = st->st_size;
    s->touched_s = st->st_mtime;
    rc = enlist(t, s, sidecar.owner, err);
    if (rc < 0)
        session_free(s);
    return rc;
}

static void load_entry(struct file_sessions *t, const char *name)
{
    coras_auto(coras_error) why = NULL;
    struct stat st;

    if (strlen(name) != SERVE_SESSION_ID_LEN ||
        fstatat(t->store->uploads_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return;
    /* without its sidecar nobody can ask for it: what a crash left half-made */
    if (load_session(t, name, &st, &why) < 0)
        remove_files(t, name);
}

static int load_all(struct file_sessions *t, coras_error **err)
{
    int fd = openat(t->store->uploads_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        return coras_fail_errno(err, saved, "read uploads");
    }
    while ((entry = readdir(dir))) {
        load_entry(t, entry->d_name);
        serve_sidecar_drop_lone(t->store->uploads_fd, entry->d_name);
    }
    closedir(dir);
    return 0;
}

/* ---- the table ---- */

static void close_sessions(serve_sessions *sessions)
{
    struct file_sessions *t = table_of(sessions);

    coras_map_free(t->by_id);
    coras_map_free(t->owners);
    serve_finished_free(t->finished);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->released);
    free(t);
}

/* Rather one of an owner of many than of an owner of few; of these the one that was left longest.
 */
static bool goes_before(const serve_file_session *s, const serve_file_session *other)
{
    if (s->owner->sessions != other->owner->sessions)
        return s->owner->sessions > other->owner->sessions;
    return s->touched_s < other->touched_s;
}

static bool find_victim(const char *id, void *value, void *user)
{
    serve_file_session *s = value, **victim = user;

    (void)id;
    if (!s->held && (!*victim || goes_before(s, *victim)))
        *victim = s;
    return true;
}

/*
 * Uploads that were begun and left must not keep new ones out for a week, and whoever begins very
 * many must not end those of others. Called with the lock.
 */
static void make_room(struct file_sessions *t)
{
    while (coras_map_len(t->by_id) >= SERVE_SESSIONS_MAX) {
        serve_file_session *victim = NULL;
        coras_map_each(t->by_id, find_victim, &victim);
        if (!victim)
            return;
        remove_session(t, victim);
    }
}

/* The session enters the table as held, or nothing of it stays. */
static int add_held(struct file_sessions *t, serve_file_session *s, const char *owner,
                    coras_error **err)
{
    int rc;

    s->held = true;
    pthread_mutex_lock(&t->lock);
    make_room(t);
    if (coras_map_len(t->by_id) >= SERVE_SESSIONS_MAX)
        rc = coras_fail(err, CORAS_ERR_TOO_LARGE, "too many uploads are open");
    else
        rc = enlist(t, s, owner, err);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

static int begin(serve_sessions *sessions, const struct serve_session_beginning *b,
                 serve_session **ret, coras_error **err)
{
    struct file_sessions *t = table_of(sessions);
    coras_auto_free char *owner = serve_session_owner_name(b);
    serve_file_session *s = owner ? session_new(b->repository, b->user, b->algorithm) : NULL;
    int rc;

    if (!s)
        return coras_fail_no_memory(err);
    serve_session_make_id(s->session.id);
    rc = coras_hasher_new(b->algorithm, &s->hasher, err);
    if (rc == 0)
        rc = serve_sidecar_write(t->store->uploads_fd, &s->session, owner, err);
    if (rc == 0)
        rc = open_data(t, s, O_CREAT | O_EXCL, err);
    if (rc == 0)
        rc = add_held(t, s, owner, err);
    if (rc < 0) {
        remove_files(t, s->session.id);
        session_free(s);
        return rc;
    }
    *ret = &s->session;
    return 0;
}

/* The session that is asked for; NULL when there is none for this client. */
static serve_file_session *find_session(const struct file_sessions *t,
                                        const struct serve_session_request *r)
{
    serve_file_session *s = coras_map_get(t->by_id, r->id);

    return s && serve_session_may_see(&s->session, r) ? s : NULL;
}

static int acquire_locked(struct file_sessions *t, const struct serve_session_request *request,
                          serve_file_session **ret, int64_t *ret_size, coras_error **err)
{
    struct timespec deadline = coras_deadline_ms(SERVE_SESSION_HOLDER_WAIT_MS);
    const int64_t since_ms = coras_now_ms();
    bool late = false;

    for (;;) {
        serve_file_session *s = find_session(t, request);
        if (!s)
            return coras_fail(err, CORAS_ERR_NOT_FOUND, "no such upload");
        if (!s->held) {
            s->held = true;
            s->session.holder = request->holder;
            *ret = s;
            return 0;
        }
        if (late) {
            if (!serve_session_wait_on(&s->session, request, *ret_size, since_ms))
                return coras_fail(err, CORAS_ERR_EXISTS,
                                  "another request is writing to this upload");
            deadline = coras_deadline_ms(SERVE_SESSION_HOLDER_WAIT_MS);
        }
        *ret_size = __atomic_load_n(&s->session.size, __ATOMIC_RELAXED);
        late = pthread_cond_timedwait(&t->released, &t->lock, &deadline) == ETIMEDOUT;
    }
}

static void release(serve_sessions *sessions, serve_session *session)
{
    struct file_sessions *t = table_of(sessions);
    serve_file_session *s = file_of(session);

    coras_close_fd(&s->fd); /* an idle session costs no descriptor */
    pthread_mutex_lock(&t->lock);
    s->held = false;
    s->session.holder = (struct serve_session_holder){0};
    s->touched_s = coras_wall_s();
    pthread_cond_broadcast(&t->released);
    pthread_mutex_unlock(&t->lock);
}

static int acquire(serve_sessions *sessions, const struct serve_session_request *request,
                   serve_session **ret, int64_t *ret_size, coras_error **err)
{
    struct file_sessions *t = table_of(sessions);
    serve_file_session *s = NULL;
    int rc;

    pthread_mutex_lock(&t->lock);
    rc = acquire_locked(t, request, &s, ret_size, err);
    pthread_mutex_unlock(&t->lock);
    if (rc < 0)
        return rc;
    if (s->fd < 0) {
        rc = open_data(t, s, 0, err);
        if (rc < 0) {
            release(sessions, &s->session);
            return rc;
        }
    }
    *ret = &s->session;
    return 0;
}

static void forget(struct file_sessions *t, serve_file_session *s)
{
    pthread_mutex_lock(&t->lock);
    unlist(t, s);
    pthread_cond_broadcast(&t->released);
    pthread_mutex_unlock(&t->lock);
}

static void drop(serve_sessions *sessions, serve_session *s)
{
    remove_files(table_of(sessions), s->id);
    forget(table_of(sessions), file_of(s));
}

/* ---- the end ---- */

static int publish(serve_sessions *sessions, serve_session **s, const coras_digest *digest,
                   const struct serve_session_place *place, coras_error **err)
{
    struct file_sessions *t = table_of(sessions);
    serve_file_session *f = file_of(*s);
    int rc;

    CORAS_TRY(place->move(place->user, t->store->uploads_fd, f->session.id, f->fd, err));
    /* not before: an upload that could not be moved goes on after a restart too; a sidecar that a
     * crash leaves alone is swept at the next start */
    remove_files(t, f->session.id);
    rc = place->record ? place->record(place->user, err) : 0;
    if (rc == 0)
        serve_finished_note(t->finished, f->session.id, f->session.repository, digest);
    forget(t, f);
    *s = NULL;
    return rc;
}

static bool was_finished(serve_sessions *sessions, const char *id, const char *repository,
                         const coras_digest *digest)
{
    return serve_finished_has(table_of(sessions)->finished, id, repository, digest);
}

/* ---- expiry ---- */

struct expiry {
    int64_t before_s;
    coras_strlist ids;
};

static bool note_expired(const char *id, void *value, void *user)
{
    const serve_file_session *s = value;
    struct expiry *e = user;

    if (!s->held && s->touched_s < e->before_s)
        return coras_strlist_add(&e->ids, id, NULL) == 0;
    return true;
}

static int64_t count_sessions(serve_sessions *sessions)
{
    struct file_sessions *t = table_of(sessions);
    int64_t count;

    pthread_mutex_lock(&t->lock);
    count = (int64_t)coras_map_len(t->by_id);
    pthread_mutex_unlock(&t->lock);
    return count;
}

static void expire(serve_sessions *sessions, int64_t now_s)
{
    struct file_sessions *t = table_of(sessions);
    struct expiry e = {.before_s = now_s - SERVE_SESSION_AGE_MAX_S};

    pthread_mutex_lock(&t->lock);
    coras_map_each(t->by_id, note_expired, &e);
    for (size_t i = 0; i < e.ids.len; i++)
        remove_session(t, coras_map_get(t->by_id, e.ids.items[i]));
    pthread_mutex_unlock(&t->lock);
    coras_strlist_clear(&e.ids);
}

/* ---- the table of verbs ---- */

static const struct serve_session_ops file_session_ops = {
    .close = close_sessions,
    .begin = begin,
    .acquire = acquire,
    .release = release,
    .drop = drop,
    .append = serve_file_session_append,
    .verify = serve_file_session_verify,
    .publish = publish,
    .was_finished = was_finished,
    .count = count_sessions,
    .expire = expire,
};

int serve_file_sessions_open(serve_blob_store *store, serve_sessions **ret, coras_error **err)
{
    struct file_sessions *t = coras_new(struct file_sessions);
    coras_auto(serve_sessions) owned = NULL;

    if (!t)
        return coras_fail_no_memory(err);
    owned = &t->sessions;
    t->sessions.ops = &file_session_ops;
    t->store = store;
    pthread_mutex_init(&t->lock, NULL);
    coras_cond_init(&t->released);
    t->by_id = coras_map_new(session_free);
    t->owners = serve_session_owners_new();
    t->finished = serve_finished_new();
    if (!t->by_id || !t->owners || !t->finished)
        return coras_fail_no_memory(err);
    if (store->uploads_fd >= 0)
        CORAS_TRY(load_all(t, err));
    *ret = coras_steal(&owned);
    return 0;
}
