#include "serve/storage/sessions.h"

#include <dirent.h>
#include <errno.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/error.h"
#include "codec/json.h"
#include "base/map.h"

/* As long as other registries keep them. */
#define SESSION_AGE_MAX_S (7 * 24 * 3600)
/* Long enough for a client to repeat a request whose answer it lost. */
#define FINISHED_AGE_MAX_S 3600
#define FINISHED_MAX       4096
#define SESSIONS_MAX       16384
/* How long a request waits for the connection that held the session to be noticed as gone. */
#define HOLDER_WAIT_MS 1000
/* Start writing out in pieces of this size, so that the final flush finds little left to do. */
#define FLUSH_BYTES  (16 * 1024 * 1024)
#define READ_BYTES   (256 * 1024)
#define SIDECAR_MAX  4096
#define SIDECAR_NAME (SERVE_SESSION_ID_LEN + sizeof(".json"))

struct finished {
    char id[SERVE_SESSION_ID_LEN + 1];
    char *repository;
    coras_digest digest;
    int64_t at_s;
};

struct serve_sessions {
    serve_blob_store *store; /* const */
    pthread_mutex_t lock;
    pthread_cond_t released;
    coras_map *by_id;                       /* lock */
    struct finished finished[FINISHED_MAX]; /* lock; a ring */
    size_t finished_next;                   /* lock */
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

static const char *sidecar_name(const char *id, char name[static SIDECAR_NAME])
{
    snprintf(name, SIDECAR_NAME, "%s.json", id);
    return name;
}

static void remove_files(serve_sessions *t, const char *id)
{
    char name[SIDECAR_NAME];

    (void)unlinkat(t->store->uploads_fd, id, 0);
    (void)unlinkat(t->store->uploads_fd, sidecar_name(id, name), 0);
}

/* Called with the lock; nobody holds it. */
static void remove_session(serve_sessions *t, const char *id)
{
    remove_files(t, id);
    (void)coras_map_remove(t->by_id, id); /* frees the session, and an id that is its own */
}

static int write_sidecar(serve_sessions *t, const serve_session *s, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(SIDECAR_MAX);
    coras_json_writer w = CORAS_JSON_WRITER(&text, 0);
    char name[SIDECAR_NAME];
    coras_auto_fd fd = -1;

    coras_jw_object(&w);
    coras_jw_member(&w, "repository", s->repository);
    coras_jw_member(&w, "user", s->user);
    coras_jw_member(&w, "algorithm", coras_digest_algorithm_name(s->algorithm));
    coras_jw_end_object(&w);
    CORAS_TRY(coras_buf_done(&text, err));
    fd = openat(t->store->uploads_fd, sidecar_name(s->id, name),
                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return coras_fail_errno(err, errno, "create %s", name);
    return coras_write_full(fd, text.ptr, text.len, err);
}

static int open_data(serve_sessions *t, serve_session *s, int flags, coras_error **err)
{
    s->fd = openat(t->store->uploads_fd, s->id, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (s->fd < 0)
        return coras_fail_errno(err, errno, "open upload %s", s->id);
    return 0;
}

static int algorithm_of(const char *name)
{
    for (int i = CORAS_SHA256; name && i <= CORAS_SHA512; i++) {
        if (coras_streq(name, coras_digest_algorithm_name(i)))
            return i;
    }
    return CORAS_SHA256;
}

/* One session of an earlier process. */
static int load_session(serve_sessions *t, const char *id, const struct stat *st, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(SIDECAR_MAX);
    coras_auto(coras_json) json = NULL;
    char name[SIDECAR_NAME];
    const char *repository, *user;
    serve_session *s;

    CORAS_TRY(
        coras_read_file(t->store->uploads_fd, sidecar_name(id, name), SIDECAR_MAX, &text, err));
    CORAS_TRY(coras_json_parse(text.ptr, text.len, &json, err));
    repository = coras_json_get_string(json, "repository");
    user = coras_json_get_string(json, "user");
    if (!repository || !user)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: incomplete", name);
    s = session_new(repository, user, algorithm_of(coras_json_get_string(json, "algorithm")));
    if (!s)
        return coras_fail_no_memory(err);
    memcpy(s->id, id, SERVE_SESSION_ID_LEN + 1);
    s->size = st->st_size;
    s->touched_s = st->st_mtime;
    return coras_map_set(t->by_id, id, s, err);
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

static void drop_lone_sidecar(serve_sessions *t, const char *name)
{
    char id[SERVE_SESSION_ID_LEN + 1];
    struct stat st;

    if (strlen(name) != SIDECAR_NAME - 1 || !coras_str_ends(name, ".json"))
        return;
    memcpy(id, name, SERVE_SESSION_ID_LEN);
    id[SERVE_SESSION_ID_LEN] = '\0';
    if (fstatat(t->store->uploads_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        (void)unlinkat(t->store->uploads_fd, name, 0);
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
        drop_lone_sidecar(t, entry->d_name);
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
    if (!t->by_id)
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
    for (size_t i = 0; i < FINISHED_MAX; i++)
        free(t->finished[i].repository);
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

static bool find_oldest(const char *id, void *value, void *user)
{
    serve_session *s = value, **oldest = user;

    (void)id;
    if (!s->held && (!*oldest || s->touched_s < (*oldest)->touched_s))
        *oldest = s;
    return true;
}

/* Uploads that were begun and left must not keep new ones out for a week. Called with the lock. */
static void make_room(serve_sessions *t)
{
    while (coras_map_len(t->by_id) >= SESSIONS_MAX) {
        serve_session *oldest = NULL;
        coras_map_each(t->by_id, find_oldest, &oldest);
        if (!oldest)
            return;
        remove_session(t, oldest->id);
    }
}

/* The session enters the table as held, or nothing of it stays. */
static int add_held(serve_sessions *t, serve_session *s, coras_error **err)
{
    int rc;

    s->held = true;
    pthread_mutex_lock(&t->lock);
    make_room(t);
    if (coras_map_len(t->by_id) >= SESSIONS_MAX)
        rc = coras_fail(err, CORAS_ERR_TOO_LARGE, "too many uploads are open");
    else
        rc = coras_map_set(t->by_id, s->id, s, err);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

int serve_session_begin(serve_sessions *t, const char *repository, const char *user, int algorithm,
                        serve_session **ret, coras_error **err)
{
    serve_session *s = session_new(repository, user, algorithm);
    int rc;

    if (!s)
        return coras_fail_no_memory(err);
    make_id(s->id);
    rc = coras_hasher_new(algorithm, &s->hasher, err);
    if (rc == 0)
        rc = write_sidecar(t, s, err);
    if (rc == 0)
        rc = open_data(t, s, O_CREAT | O_EXCL, err);
    if (rc == 0)
        rc = add_held(t, s, err);
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
    char id[SERVE_SESSION_ID_LEN + 1];

    memcpy(id, s->id, sizeof(id));
    pthread_mutex_lock(&t->lock);
    (void)coras_map_remove(t->by_id, id); /* frees the session */
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

/* ---- content ---- */

/* Let the disk work while the rest arrives. Failures show at the final flush. */
static void begin_flush(serve_session *s)
{
    if (s->size - s->flushed < FLUSH_BYTES)
        return;
    (void)sync_file_range(s->fd, s->flushed, s->size - s->flushed, SYNC_FILE_RANGE_WRITE);
    s->flushed = s->size;
}

static void set_size(serve_session *s, int64_t size)
{
    __atomic_store_n(&s->size, size, __ATOMIC_RELAXED);
}

int serve_session_append(serve_session *s, const void *data, size_t len, coras_error **err)
{
    int rc = coras_pwrite_full(s->fd, data, len, s->size, err);

    if (rc < 0) {
        /* a part may stand in the file: the offset is what the file says */
        struct stat st;
        if (fstat(s->fd, &st) == 0 && st.st_size > s->size) {
            set_size(s, st.st_size);
            coras_hasher_free(s->hasher);
            s->hasher = NULL;
        }
        return rc;
    }
    if (s->hasher)
        coras_hasher_update(s->hasher, data, len);
    set_size(s, s->size + (int64_t)len);
    begin_flush(s);
    return 0;
}

/* A hasher that has seen the file. */
static int hash_again(serve_session *s, int algorithm, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *chunk = coras_malloc(READ_BYTES);
    int64_t offset = 0;
    size_t got = 0;

    if (!chunk)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(algorithm, &hasher, err));
    do {
        CORAS_TRY(coras_pread_full(s->fd, chunk, READ_BYTES, offset, &got, err));
        coras_hasher_update(hasher, chunk, got);
        offset += (int64_t)got;
    } while (got == READ_BYTES);
    if (offset != s->size)
        return coras_fail(err, CORAS_ERR_IO, "upload %s: %lld bytes on disk, expected %lld", s->id,
                          (long long)offset, (long long)s->size);
    coras_hasher_free(s->hasher);
    s->hasher = coras_steal(&hasher);
    s->algorithm = algorithm;
    return 0;
}

static void remember_finished(serve_sessions *t, const serve_session *s, const coras_digest *digest)
{
    char *repository = coras_strdup(s->repository);
    struct finished *f;

    if (!repository)
        return; /* a repeated request then hears "no such upload" */
    pthread_mutex_lock(&t->lock);
    f = &t->finished[t->finished_next];
    t->finished_next = (t->finished_next + 1) % FINISHED_MAX;
    free(f->repository);
    memcpy(f->id, s->id, sizeof(f->id));
    f->repository = repository;
    f->digest = *digest;
    f->at_s = coras_wall_s();
    pthread_mutex_unlock(&t->lock);
}

int serve_session_verify(serve_session *s, const coras_digest *digest, coras_error **err)
{
    coras_digest have;

    if (!s->hasher || s->algorithm != digest->algorithm)
        CORAS_TRY(hash_again(s, digest->algorithm, err));
    coras_hasher_final(s->hasher, &have);
    coras_hasher_free(s->hasher); /* it is at its start again, the content is not */
    s->hasher = NULL;
    if (!coras_digest_equal(&have, digest))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                          "provided digest did not match uploaded content");
    return coras_fsync(s->fd, s->id, err);
}

int serve_session_publish(serve_sessions *t, serve_session **s, const coras_digest *digest,
                          coras_error **err)
{
    serve_session *session = *s;
    char name[SIDECAR_NAME];

    CORAS_TRY(serve_blob_store_publish(t->store, session->id, session->fd, digest, err));
    (void)unlinkat(t->store->uploads_fd, sidecar_name(session->id, name), 0);
    remember_finished(t, session, digest);
    forget(t, session);
    *s = NULL;
    return 0;
}

bool serve_session_was_finished(serve_sessions *t, const char *id, const char *repository,
                                const coras_digest *digest)
{
    int64_t oldest = coras_wall_s() - FINISHED_AGE_MAX_S;
    bool found = false;

    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < FINISHED_MAX && !found; i++) {
        const struct finished *f = &t->finished[i];
        found = f->repository && f->at_s >= oldest && coras_streq(f->id, id) &&
                coras_streq(f->repository, repository) && coras_digest_equal(&f->digest, digest);
    }
    pthread_mutex_unlock(&t->lock);
    return found;
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

void serve_sessions_expire(serve_sessions *t, int64_t now_s)
{
    struct expiry e = {.before_s = now_s - SESSION_AGE_MAX_S};

    pthread_mutex_lock(&t->lock);
    coras_map_each(t->by_id, note_expired, &e);
    for (size_t i = 0; i < e.ids.len; i++)
        remove_session(t, e.ids.items[i]);
    pthread_mutex_unlock(&t->lock);
    coras_strlist_clear(&e.ids);
}
