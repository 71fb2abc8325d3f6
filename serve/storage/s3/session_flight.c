/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One part of a session on its way to the store, while the client sends the next one: a push is as
 * fast as the slower of the two. The row belongs to the part meanwhile; whoever holds the session
 * ends the flight before looking at it.
 */
#include "serve/storage/s3/session.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/thread.h"

/* Of a store. */
#define PARTS_MAX    10000
#define THREAD_STACK (256 * CORAS_KIB)

/* ---- the part ---- */

/* The store's name for the parts is known to others before the first one is sent, so that whoever
 * cleans up finds them. */
static int begin_parts(serve_s3_session *s, coras_error **err)
{
    const struct serve_s3_sessions_options *o = &s->table->options;
    const struct serve_upload_hold hold = serve_s3_hold(s->table);

    if (s->row.upload)
        return 0;
    CORAS_TRY(serve_s3_begin_parts(o->store, s->row.place, &s->row.upload, err));
    return serve_metadata_name_upload(o->metadata, &s->row, &hold, err);
}

/* `length` bytes of the file `fd` are the next part. */
static int put_part(const serve_s3_session *s, int fd, int64_t length, const char *payload,
                    char **ret_tag, coras_error **err)
{
    coras_file_bytes file = {fd, "an upload"};
    coras_source source = coras_source_file(&file, length);
    const struct serve_s3_part part = {
        .key = s->row.place,
        .upload = s->row.upload,
        .number = s->row.parts + 1,
        .body = &source,
        .length = length,
        .payload = payload,
    };

    return serve_s3_put_part(s->table->options.store, &part, ret_tag, err);
}

static int send_part(serve_s3_session *s, coras_error **err)
{
    coras_auto_free char *tag = NULL;

    CORAS_TRY(begin_parts(s, err));
    CORAS_TRY(put_part(s, s->flight.fd, s->flight.length, s->flight.payload, &tag, err));
    const struct serve_upload_hold hold = serve_s3_hold(s->table);
    s->row.parts++;
    return serve_metadata_save_part(s->table->options.metadata, &s->row, tag, &hold, err);
}

static void *fly(void *user)
{
    serve_s3_session *s = user;

    s->flight.rc = send_part(s, &s->flight.failure);
    return NULL;
}

/* ---- its thread ---- */

/* false: there are as many as there may be, or none can be made. */
static bool start_thread(serve_s3_session *s)
{
    bool started = atomic_fetch_add(&s->table->flights, 1) < SERVE_S3_FLIGHTS &&
                   coras_thread_start(THREAD_STACK, fly, s, &s->flight.thread) == 0;

    if (!started)
        atomic_fetch_sub(&s->table->flights, 1);
    return started;
}

/* The other file is empty, and collects what comes now. */
static int change_files(serve_s3_session *s, coras_error **err)
{
    int full = s->fd;

    if (s->flight.fd < 0)
        CORAS_TRY(serve_s3_tail_open(s->table, &s->flight.fd, err));
    if (ftruncate(s->flight.fd, 0) < 0)
        return coras_fail_errno(err, errno, "empty the file of an upload");
    s->fd = s->flight.fd;
    s->flight.fd = full;
    s->flight.length = s->tail;
    s->tail = 0;
    return 0;
}

/* Its hash becomes the payload's, and another begins. */
static int change_hashes(serve_s3_session *s, coras_error **err)
{
    coras_digest digest;

    coras_running_hash_value(s->inside, &digest);
    coras_digest_hex(&digest, s->flight.payload);
    coras_running_hash_free(s->inside);
    s->inside = NULL;
    return coras_running_hash_new(CORAS_SHA256, &s->inside, err);
}

static int check_room(const serve_s3_session *s, coras_error **err)
{
    if (s->parts < PARTS_MAX)
        return 0;
    return coras_fail(err, CORAS_ERR_TOO_LARGE, "the blob has more parts than a store takes");
}

int serve_s3_send_last(serve_s3_session *s, char **ret_tag, coras_error **err)
{
    char payload[CORAS_DIGEST_TEXT_MAX];
    coras_digest digest;

    CORAS_TRY(check_room(s, err));
    coras_running_hash_value(s->inside, &digest);
    return put_part(s, s->fd, s->tail, coras_digest_hex(&digest, payload), ret_tag, err);
}

int serve_s3_flight_begin(serve_s3_session *s, coras_error **err)
{
    CORAS_TRY(serve_s3_flight_end(s, err));
    CORAS_TRY(check_room(s, err));
    CORAS_TRY(serve_s3_session_note(s, err));
    s->is_lost = true; /* unless all of this succeeds */
    CORAS_TRY(change_files(s, err));
    CORAS_TRY(change_hashes(s, err));
    s->is_lost = false;
    s->parts++;
    s->flight.is_running = start_thread(s);
    if (s->flight.is_running)
        return 0;
    fly(s);
    return serve_s3_flight_end(s, err);
}

int serve_s3_flight_end(serve_s3_session *s, coras_error **err)
{
    int rc;

    if (s->flight.is_running) {
        pthread_join(s->flight.thread, NULL);
        atomic_fetch_sub(&s->table->flights, 1);
        s->flight.is_running = false;
    }
    rc = s->flight.rc;
    s->flight.rc = 0;
    if (rc < 0)
        s->is_lost = true;
    if (err)
        coras_error_propagate(err, &s->flight.failure);
    coras_error_clear(&s->flight.failure);
    return rc;
}
