/* SPDX-License-Identifier: Apache-2.0 */
/* The table of upload sessions: whose they are, who holds them, and how long they stay. */
#include "serve/storage/sessions.h"

#include <dirent.h>
#include <errno.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/error.h"
#include "base/map.h"
#include "serve/storage/finished.h"
#include "serve/storage/sidecar.h"

/* As long as other registries keep them. */
#define SESSION_AGE_MAX_S (7 * 24 * 3600)
#define SESSIONS_MAX      16384
/* How long a request waits for the connection that held the session to be noticed as gone. */
#define HOLDER_WAIT_MS 1000
#define SIDECAR_MAX    4096
#define SIDECAR_NAME   (SERVE_SESSION_ID_LEN + sizeof(".json"))

/* Who shares the room of the table. */
struct serve_session_owner {
    char *name;
    size_t sessions;
};

struct serve_sessions {
    serve_blob_store *store; /* const */
    pthread_mutex_t lock;
    pthread_cond_t released;
    coras_map *by_id;         /* lock */
    coras_map *owners;        /* lock; by name, as long as they have sessions */
    serve_finished *finished; /* const */
};

static void session_free(void *p)
{
    serve_session *s = p;

    if (!s)
        return;
    coras_close_fd(&s->fd);
    coras_hasher_free(s->hasher);
    free(s->repository);
    free(s->user);
    free(s);
}

static void owner_free(void *p)
{
    struct serve_session_owner *owner = p;

    if (!owner)
        return;
    free(owner->name);
    free(owner);
}

static serve_session *session_new(const char *repository, const char *user, int algorithm)
{
    serve_session *s = coras_new(serve_session);

    if (!s)
        return NULL;
    s->fd = -1;
    s->algorithm = algorithm;
    s->repository = coras_strdup(repository);
    s->user = coras_strdup(user ? user : "");
    s->touched_s = coras_wall_s();
    if (!s->repository || !s->user) {
        session_free(s);
        return NULL;
    }
    return s;
}

/* ---- files ---- */

static void remove_files(serve_sessions *t, const char *id)
{
    char name[SERVE_SIDECAR_NAME_MAX];

    (void)unlinkat(t->store->uploads_fd, id, 0);
    (void)unlinkat(t->store->uploads_fd, serve_sidecar_name(id, name), 0);
}

/* ---- owners: all with the lock ---- */

static struct serve_session_owner *find_owner(serve_sessions *t, const char *name,
                                              coras_error **err)
{
    struct serve_session_owner *owner = coras_map_get(t->owners, name);

    if (owner)
        return owner;
    owner = coras_new(struct serve_session_owner);
    if (owner)
        owner->name = coras_strdup(name);
    if (!owner || !owner->name) {
        owner_free(owner);
        coras_fail_no_memory(err);
        return NULL;
    }
    if (coras_map_set(t->owners, name, owner, err) < 0) {
        owner_free(owner);
        return NULL;
    }
    return owner;
}

static void leave_owner(serve_sessions *t, struct serve_session_owner *owner)
{
    if (--owner->sessions == 0)
        (void)coras_map_remove(t->owners, owner->name);
}

/* Into the table, which then owns it. */
static int enlist(serve_sessions *t, serve_session *s, const char *owner_name, coras_error **err)
{
    struct serve_session_owner *owner = find_owner(t, owner_name, err);
    int rc;

    if (!owner)
        return CORAS_ERR_NO_MEMORY;
    s->owner = owner;
    owner->sessions++;
    rc = coras_map_set(t->by_id, s->id, s, err);
    if (rc < 0)
        leave_owner(t, owner);
    return rc;
}

/* Out of the table: frees the session. */
static void unlist(serve_sessions *t, serve_session *s)
{
    char id[SERVE_SESSION_ID_LEN + 1];

    memcpy(id, s->id, sizeof(id));
    leave_owner(t, s->owner);
    (void)coras_map_remove(t->by_id, id);
}

/* Called with the lock; nobody holds it. */
static void remove_session(serve_sessions *t, serve_session *s)
{
    remove_files(t, s->id);
    unlist(t, s);
}

static int open_data(serve_sessions *t, serve_session *s, int flags, coras_error **err)
{
    s->fd = openat(t->store->uploads_fd, s->id, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (s->fd < 0)
        return coras_fail_errno(err, errno, "open upload %s", s->id);
    return 0;
}

/* One session of an earlier process. */
static int load_session(serve_sessions *t, const char *id, const struct stat *st, coras_error **err)
{
    coras_auto_value(serve_sidecar) sidecar = {0};
    serve_session *s;
    int rc;

    CORAS_TRY(serve_sidecar_read(t->store->uploads_fd, id, &sidecar, err));
    s = session_new(sidecar.repository, sidecar.user, sidecar.algorithm);
    if (!s)
        return coras_fail_no_memory(err);
    memcpy(s->id, id, SERVE_SESSION_ID_LEN + 1);
    s->size = st->st_size;
    s->touched_s = st->st_mtime;
    rc = enlist(t, s, sidecar.owner, err);
    if (rc < 0)
        session_free(s);
    return rc;
}

static void load_entry(serve_sessions *t, const char *name)
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

static int load_all(serve_sessions *t, coras_error **err)
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

int serve_sessions_open(serve_blob_store *store, serve_sessions **ret, coras_error **err)
{
    coras_auto(serve_sessions) t = coras_new(serve_sessions);

    if (!t)
        return coras_fail_no_memory(err);
    t->store = store;
    pthread_mutex_init(&t->lock, NULL);
    coras_cond_init(&t->released);
    t->by_id = coras_map_new(session_free);
    t->owners = coras_map_new(owner_free);
    t->finished = serve_finished_new();
    if (!t->by_id || !t->owners || !t->finished)
        return coras_fail_no_memory(err);
    if (store->uploads_fd >= 0)
        CORAS_TRY(load_all(t, err));
    *ret = coras_steal(&t);
    return 0;
}

void serve_sessions_close(serve_sessions *t)
{
    if (!t)
        return;
    coras_map_free(t->by_id);
    coras_map_free(t->owners);
    serve_finished_free(t->finished);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->released);
    free(t);
}

static void make_id(char id[static SERVE_SESSION_ID_LEN + 1])
{
    unsigned char r[16];

    coras_random(r, sizeof(r));
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40); /* RFC 9562 version 4 */
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
    snprintf(id, SERVE_SESSION_ID_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
             r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
             r[15]);
}

/* Rather one of an owner of many than of an owner of few; of these the one that was left longest.
 */
static bool goes_before(const serve_session *s, const serve_session *other)
{
    if (s->owner->sessions != other->owner->sessions)
        return s->owner->sessions > other->owner->sessions;
    return s->touched_s < other->touched_s;
}

static bool find_victim(const char *id, void *value, void *user)
{
    serve_session *s = value, **victim = user;

    (void)id;
    if (!s->held && (!*victim || goes_before(s, *victim)))
        *victim = s;
    return true;
}

/*
 * Uploads that were begun and left must not keep new ones out for a week, and whoever begins very
 * many must not end those of others. Called with the lock.
 */
static void make_room(serve_sessions *t)
{
    while (coras_map_len(t->by_id) >= SESSIONS_MAX) {
        serve_session *victim = NULL;
        coras_map_each(t->by_id, find_victim, &victim);
        if (!victim)
            return;
        remove_session(t, victim);
    }
}

/* The session enters the table as held, or nothing of it stays. */
static int add_held(serve_sessions *t, serve_session *s, const char *owner, coras_error **err)
{
    int rc;

    s->held = true;
    pthread_mutex_lock(&t->lock);
    make_room(t);
    if (coras_map_len(t->by_id) >= SESSIONS_MAX)
        rc = coras_fail(err, CORAS_ERR_TOO_LARGE, "too many uploads are open");
    else
        rc = enlist(t, s, owner, err);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

int serve_session_begin(serve_sessions *t, const struct serve_session_beginning *b,
                        serve_session **ret, coras_error **err)
{
    coras_auto_free char *owner =
        coras_asprintf("%s %s", b->user ? "user" : "address", b->user ? b->user : b->network);
    serve_session *s = owner ? session_new(b->repository, b->user, b->algorithm) : NULL;
    int rc;

    if (!s)
        return coras_fail_no_memory(err);
    make_id(s->id);
    rc = coras_hasher_new(b->algorithm, &s->hasher, err);
    if (rc == 0)
        rc = serve_sidecar_write(t->store->uploads_fd, s, owner, err);
    if (rc == 0)
        rc = open_data(t, s, O_CREAT | O_EXCL, err);
    if (rc == 0)
        rc = add_held(t, s, owner, err);
    if (rc < 0) {
        remove_files(t, s->id);
        session_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

/* The session that is asked for; NULL when there is none for this client. */
static serve_session *find_session(const serve_sessions *t, const struct serve_session_request *r)
{
    serve_session *s = coras_map_get(t->by_id, r->id);

    if (!s || !coras_streq(s->repository, r->repository) ||
        !coras_streq(s->user, r->user ? r->user : ""))
        return NULL;
    return s;
}

/* false: the holder works, or was cut before. */
static bool cut_stalled(serve_session *s, int64_t size_before)
{
    if (!s->holder.cut || __atomic_load_n(&s->size, __ATOMIC_RELAXED) != size_before)
        return false;
    s->holder.cut(s->holder.user);
    s->holder.cut = NULL;
    return true;
}

static int acquire_locked(serve_sessions *t, const struct serve_session_request *request,
                          serve_session **ret, int64_t *ret_size, coras_error **err)
{
    struct timespec deadline = coras_deadline_ms(HOLDER_WAIT_MS);
    bool late = false;

    for (;;) {
        serve_session *s = find_session(t, request);
        if (!s)
            return coras_fail(err, CORAS_ERR_NOT_FOUND, "no such upload");
        if (!s->held) {
            s->held = true;
            s->holder = request->holder;
            *ret = s;
            return 0;
        }
        if (late) {
            if (request->look_only || !cut_stalled(s, *ret_size))
                return coras_fail(err, CORAS_ERR_EXISTS,
                                  "another request is writing to this upload");
            deadline = coras_deadline_ms(HOLDER_WAIT_MS);
        }
        *ret_size = __atomic_load_n(&s->size, __ATOMIC_RELAXED);
        late = pthread_cond_timedwait(&t->released, &t->lock, &deadline) == ETIMEDOUT;
    }
}

int serve_session_acquire(serve_sessions *t, const struct serve_session_request *request,
                          serve_session **ret, int64_t *ret_size, coras_error **err)
{
    serve_session *s = NULL;
    int rc;

    pthread_mutex_lock(&t->lock);
    rc = acquire_locked(t, request, &s, ret_size, err);
    pthread_mutex_unlock(&t->lock);
    if (rc < 0)
        return rc;
    if (s->fd < 0) {
        rc = open_data(t, s, 0, err);
        if (rc < 0) {
            serve_session_release(t, s);
            return rc;
        }
    }
    *ret = s;
    return 0;
}

void serve_session_release(serve_sessions *t, serve_session *s)
{
    if (!s)
        return;
    coras_close_fd(&s->fd); /* an idle session costs no descriptor */
    pthread_mutex_lock(&t->lock);
    s->held = false;
    s->holder = (struct serve_session_holder){0};
    s->touched_s = coras_wall_s();
    pthread_cond_broadcast(&t->released);
    pthread_mutex_unlock(&t->lock);
}

static void forget(serve_sessions *t, serve_session *s)
{
    pthread_mutex_lock(&t->lock);
    unlist(t, s);
    pthread_cond_broadcast(&t->released);
    pthread_mutex_unlock(&t->lock);
}

void serve_session_drop(serve_sessions *t, serve_session *s)
{
    if (!s)
        return;
    remove_files(t, s->id);
    forget(t, s);
}

/* ---- the end ---- */

int serve_session_publish(serve_sessions *t, serve_session **s, const coras_digest *digest,
                          const struct serve_session_place *place, coras_error **err)
{
    serve_session *session = *s;
    char name[SERVE_SIDECAR_NAME_MAX];

    CORAS_TRY(place->move(place->user, t->store->uploads_fd, session->id, session->fd, err));
    (void)unlinkat(t->store->uploads_fd, serve_sidecar_name(session->id, name), 0);
    serve_finished_note(t->finished, session->id, session->repository, digest);
    forget(t, session);
    *s = NULL;
    return 0;
}

bool serve_session_was_finished(serve_sessions *t, const char *id, const char *repository,
                                const coras_digest *digest)
{
    return serve_finished_has(t->finished, id, repository, digest);
}

/* ---- expiry ---- */

struct expiry {
    int64_t before_s;
    coras_strlist ids;
};

static bool note_expired(const char *id, void *value, void *user)
{
    const serve_session *s = value;
    struct expiry *e = user;

    if (!s->held && s->touched_s < e->before_s)
        return coras_strlist_add(&e->ids, id, NULL) == 0;
    return true;
}

int64_t serve_sessions_count(serve_sessions *t)
{
    int64_t count;

    pthread_mutex_lock(&t->lock);
    count = (int64_t)coras_map_len(t->by_id);
    pthread_mutex_unlock(&t->lock);
    return count;
}

void serve_sessions_expire(serve_sessions *t, int64_t now_s)
{
    struct expiry e = {.before_s = now_s - SESSION_AGE_MAX_S};

    pthread_mutex_lock(&t->lock);
    coras_map_each(t->by_id, note_expired, &e);
    for (size_t i = 0; i < e.ids.len; i++)
        remove_session(t, coras_map_get(t->by_id, e.ids.items[i]));
    pthread_mutex_unlock(&t->lock);
    coras_strlist_clear(&e.ids);
}
