/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a session: collected, hashed, and joined at the end. Its holder alone calls. */
#include "serve/storage/s3/session.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/storage/blobs.h"

#define READ_BYTES (256 * CORAS_KIB)
/* Parts of one size, before they grow by as much again. */
#define PARTS_OF_A_SIZE 1000
/* A tail that could be a part becomes one when a request ends, while there are enough numbers. */
#define PARTS_EARLY 5000
/* How often a hold is extended while bytes come. */
#define EXTEND_MS (SERVE_S3_HOLD_MS / 3)

struct serve_upload_hold serve_s3_hold(const struct serve_s3_sessions *t)
{
    return (struct serve_upload_hold){t->holder, coras_wall_s(), SERVE_S3_HOLD_MS};
}

static struct serve_s3_sessions *table_of(serve_sessions *t)
{
    return (struct serve_s3_sessions *)t;
}

static serve_s3_session *session_of(serve_session *s)
{
    return (serve_s3_session *)s;
}

static void set_size(serve_s3_session *s, int64_t size)
{
    __atomic_store_n(&s->session.size, size, __ATOMIC_RELAXED);
}

static int64_t part_bytes(const serve_s3_session *s)
{
    return SERVE_S3_PART_BYTES * (1 + s->parts / PARTS_OF_A_SIZE);
}

/* ---- the state ---- */

int serve_s3_tail_open(const struct serve_s3_sessions *t, int *ret_fd, coras_error **err)
{
    *ret_fd = openat(t->options.work_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *ret_fd < 0 ? coras_fail_errno(err, errno, "make a file for an upload") : 0;
}

int serve_s3_session_start(struct serve_s3_sessions *t, serve_s3_session *s, coras_error **err)
{
    s->table = t;
    CORAS_TRY(serve_s3_tail_open(t, &s->fd, err));
    CORAS_TRY(coras_running_hash_new(s->row.algorithm, &s->hash, err));
    return coras_running_hash_new(CORAS_SHA256, &s->inside, err);
}

int serve_s3_session_resume(struct serve_s3_sessions *t, serve_s3_session *s, coras_error **err)
{
    coras_auto(coras_running_hash) saved = NULL;
    const coras_buf *tail = &s->row.tail;

    CORAS_TRY(serve_s3_session_start(t, s, err));
    if (s->row.state.len > 0) {
        CORAS_TRY(coras_running_hash_load(s->row.state.ptr, s->row.state.len, &saved, err));
        coras_running_hash_free(s->hash);
        s->hash = coras_steal(&saved);
    }
    CORAS_TRY(coras_pwrite_full(s->fd, tail->ptr, tail->len, 0, err));
    coras_running_hash_update(s->inside, tail->ptr, tail->len);
    s->tail = (int64_t)tail->len;
    s->parts = s->row.parts;
    set_size(s, s->row.size);
    coras_buf_clear(&s->row.tail); /* of several MiB */
    return 0;
}

int serve_s3_session_note(serve_s3_session *s, coras_error **err)
{
    s->row.size = s->session.size;
    coras_buf_reset(&s->row.state);
    coras_running_hash_save(s->hash, &s->row.state);
    return coras_buf_done(&s->row.state, err);
}

/* ---- bytes that come ---- */

static int take_piece(serve_s3_session *s, const char *data, size_t len, coras_error **err)
{
    CORAS_TRY(coras_pwrite_full(s->fd, data, len, s->tail, err));
    coras_running_hash_update(s->hash, data, len);
    coras_running_hash_update(s->inside, data, len);
    s->tail += (int64_t)len;
    set_size(s, s->session.size + (int64_t)len);
    return 0;
}

/* That its holder is alive. */
static int extend(struct serve_s3_sessions *t, serve_s3_session *s, coras_error **err)
{
    const struct serve_upload_hold hold = serve_s3_hold(t);
    int64_t now_ms = coras_now_ms();
    int rc;

    if (now_ms - s->extended_ms < EXTEND_MS)
        return 0;
    s->extended_ms = now_ms;
    rc = serve_metadata_extend_upload(t->options.metadata, s->row.id, &hold, err);
    if (rc == CORAS_ERR_CHANGED)
        s->is_lost = true;
    return rc;
}

int serve_s3_session_append(serve_sessions *sessions, serve_session *session, const void *data,
                            size_t len, coras_error **err)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_of(session);
    const char *at = data;

    if (s->is_lost || s->is_stored)
        return coras_fail(err, CORAS_ERR_CHANGED, "nothing can be appended to this upload");
    CORAS_TRY(extend(t, s, err));
    while (len > 0) {
        int64_t room = part_bytes(s) - s->tail;
        size_t piece = (int64_t)len < room ? len : (size_t)(room > 0 ? room : 0);
        CORAS_TRY(take_piece(s, at, piece, err));
        at += piece;
        len -= piece;
        if (s->tail >= part_bytes(s))
            CORAS_TRY(serve_s3_flight_begin(s, err));
    }
    return 0;
}

int serve_s3_session_pack(serve_s3_session *s, coras_error **err)
{
    size_t got = 0;

    if (s->tail >= SERVE_S3_PART_LEAST && s->parts < PARTS_EARLY)
        CORAS_TRY(serve_s3_flight_begin(s, err));
    CORAS_TRY(serve_s3_flight_end(s, err));
    CORAS_TRY(serve_s3_session_note(s, err));
    coras_buf_reset(&s->row.tail);
    if (!coras_buf_reserve(&s->row.tail, (size_t)s->tail))
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_pread_full(s->fd, s->row.tail.ptr, (size_t)s->tail, 0, &got, err));
    if ((int64_t)got < s->tail)
        return coras_fail(err, CORAS_ERR_IO, "the file of an upload ends early");
    s->row.tail.len = got;
    return 0;
}

/* ---- the end ---- */

static int hash_into(void *user, const void *data, size_t len, coras_error **err)
{
    (void)err;
    coras_hasher_update(user, data, len);
    return 0;
}

/* The digest by another hash than the one that has run: from the tail, or from the store. */
static int hash_again(struct serve_s3_sessions *t, serve_s3_session *s, int algorithm,
                      coras_digest *ret, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    serve_open_blob tail = {.fd = s->fd};
    coras_sink sink;

    CORAS_TRY(coras_hasher_new(algorithm, &hasher, err));
    sink = (coras_sink){hash_into, hasher};
    if (s->parts == 0)
        CORAS_TRY(serve_open_blob_fetch(&tail, 0, s->tail, &sink, err));
    else
        CORAS_TRY(serve_s3_get(t->options.store, s->row.place, 0, s->session.size, &sink, err));
    coras_hasher_final(hasher, ret);
    return 0;
}

static int put_whole(struct serve_s3_sessions *t, serve_s3_session *s, coras_error **err)
{
    coras_file_bytes file = {s->fd, "an upload"};
    coras_source source = coras_source_file(&file, s->tail);
    char payload[CORAS_DIGEST_TEXT_MAX];
    coras_digest digest;

    coras_running_hash_value(s->inside, &digest);
    return serve_s3_put(t->options.store, s->row.place, &source, coras_digest_hex(&digest, payload),
                        err);
}

static int join_parts(struct serve_s3_sessions *t, serve_s3_session *s, coras_error **err)
{
    coras_auto_value(coras_strlist) tags = {0};
    coras_auto_free char *last = NULL;

    CORAS_TRY(serve_s3_flight_end(s, err));
    CORAS_TRY(serve_metadata_upload_parts(t->options.metadata, s->row.id, &tags, err));
    if ((int64_t)tags.len != s->row.parts)
        return coras_fail(err, CORAS_ERR_CHANGED, "parts of this upload are missing");
    if (s->tail > 0) {
        CORAS_TRY(serve_s3_send_last(s, &last, err));
        CORAS_TRY(coras_strlist_add(&tags, last, err));
    }
    return serve_s3_finish_parts(t->options.store, s->row.place, s->row.upload, &tags,
                                 s->session.size, err);
}

/* Or the store waits for some. */
static bool has_parts(const serve_s3_session *s)
{
    return s->parts > 0 || s->row.upload;
}

/* The object comes into being, under a key that nobody knows. */
static int store_object(struct serve_s3_sessions *t, serve_s3_session *s, coras_error **err)
{
    if (s->is_stored)
        return 0;
    CORAS_TRY(has_parts(s) ? join_parts(t, s, err) : put_whole(t, s, err));
    s->is_stored = true;
    return 0;
}

static int mismatch(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                      "provided digest did not match uploaded content");
}

/* Its parts can only be read when they are joined, and then nothing can be appended any more. */
static int verify_otherwise(struct serve_s3_sessions *t, serve_s3_session *s,
                            const coras_digest *digest, coras_error **err)
{
    coras_digest found;

    if (has_parts(s))
        CORAS_TRY(store_object(t, s, err));
    CORAS_TRY(hash_again(t, s, digest->algorithm, &found, err));
    if (coras_digest_equal(&found, digest))
        return 0;
    s->is_lost = s->is_stored;
    return mismatch(err);
}

int serve_s3_session_verify(serve_sessions *sessions, serve_session *session,
                            const coras_digest *digest, coras_error **err)
{
    struct serve_s3_sessions *t = table_of(sessions);
    serve_s3_session *s = session_of(session);
    coras_digest found;

    if (s->is_lost)
        return coras_fail(err, CORAS_ERR_CHANGED, "another request has taken this upload over");
    if (digest->algorithm != s->row.algorithm) {
        CORAS_TRY(verify_otherwise(t, s, digest, err));
    } else {
        coras_running_hash_value(s->hash, &found);
        if (!coras_digest_equal(&found, digest))
            return mismatch(err);
    }
    return store_object(t, s, err);
}
