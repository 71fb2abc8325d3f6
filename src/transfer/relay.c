/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content on its way from one registry to another: a thread reads into a ring of bounded size and
 * hashes, the upload reads from the ring as if it were a file.
 */
#include "transfer/relay.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/retry.h"
#include "base/thread.h"
#include "transfer/download.h"
#include "oci/digest.h"

enum {
    RING_BYTES = 1024 * 1024,     /* measured: what does not fit into a core's cache costs more */
    BATCH_BYTES = RING_BYTES / 4, /* each side wakes the other for so much, not for each packet */
    BATCH_WAIT_MS = 20,           /* but few bytes do not wait for long */
};

struct coras_relay {
    coras_run *run;               /* const */
    coras_target *from;           /* const */
    const coras_descriptor *desc; /* const */
    coras_hasher *hasher;         /* reader */
    int64_t hashed;               /* reader: bytes of the content that the hasher has seen */
    int64_t position;             /* reader: next offset that the ring gives */
    bool verified;                /* reader */
    char *ring;
    pthread_t thread;
    bool running; /* reader */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock */
    int64_t put, taken; /* offsets: bytes [taken, put) are in the ring */
    int64_t wanted;     /* bytes that the reader waits for; 0: it does not wait */
    bool is_full;       /* the receiver waits for room */
    bool stop, ended;
    coras_error *failure;
};

int coras_relay_new(coras_run *run, coras_target *from, const coras_descriptor *desc,
                    coras_relay **ret, coras_error **err)
{
    coras_auto(coras_relay) relay = coras_new(coras_relay);
    if (!relay)
        return coras_fail_no_memory(err);
    relay->run = run;
    relay->from = from;
    relay->desc = desc;
    pthread_mutex_init(&relay->lock, NULL);
    coras_cond_init(&relay->changed);
    relay->ring = coras_malloc(RING_BYTES);
    if (!relay->ring)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(desc->digest.algorithm, &relay->hasher, err));
    *ret = coras_steal(&relay);
    return 0;
}

/* ---- the receiving thread ---- */

/* lock held: bytes that fit behind `put` without wrapping; waits for room */
static size_t wait_for_room(coras_relay *r)
{
    r->is_full = r->put - r->taken == RING_BYTES;
    while (r->is_full && !r->stop)
        pthread_cond_wait(&r->changed, &r->lock);
    size_t room = (size_t)(RING_BYTES - (r->put - r->taken));
    size_t to_end = RING_BYTES - (size_t)(r->put % RING_BYTES);
    return r->stop ? 0 : room < to_end ? room : to_end;
}

static int ring_put(void *user, const void *data, size_t len, coras_error **err)
{
    coras_relay *r = user;
    const char *bytes = data;

    while (len) {
        pthread_mutex_lock(&r->lock);
        size_t room = wait_for_room(r);
        int64_t at = r->put;
        pthread_mutex_unlock(&r->lock);
        if (room == 0 || coras_run_stopped(r->run))
            return coras_fail(err, CORAS_ERR_CANCELLED, "transfer stopped");
        size_t n = len < room ? len : room;
        memcpy(r->ring + at % RING_BYTES, bytes, n); /* nobody reads behind `put` */
        bytes += n;
        len -= n;
        pthread_mutex_lock(&r->lock);
        r->put += (int64_t)n;
        if (r->wanted && r->put - r->taken >= r->wanted)
            pthread_cond_signal(&r->changed);
        pthread_mutex_unlock(&r->lock);
    }
    return 0;
}

static int receive_all(coras_relay *r, coras_error **err)
{
    const coras_sink sink = {ring_put, r};
    coras_retry tries = {.what = CORAS_RETRY_DOWNLOAD};

    while (r->put < r->desc->size) {
        coras_auto(coras_error) failure = NULL;
        int64_t before = r->put; /* only this thread changes it */
        int rc = r->from->ops->fetch(r->from, r->desc, before, -1, &sink, &failure);
        if (rc >= 0 && r->put >= r->desc->size)
            return 0;
        if (rc >= 0)
            rc = coras_fail(&failure, CORAS_ERR_SIZE_MISMATCH, "unexpected EOF");
        bool progress = r->put > before;
        if (progress)
            coras_error_set_retryable(&failure, true);
        struct coras_retry_verdict verdict = coras_retry_after(&tries, failure, progress);
        if (!verdict.again) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        CORAS_TRY(coras_run_sleep_ms(r->run, verdict.wait_ms, err));
    }
    return 0;
}

static void *receive_thread(void *arg)
{
    coras_relay *r = arg;
    coras_error *failure = NULL;

    (void)coras_at_side(CORAS_SIDE_SOURCE, receive_all(r, &failure), &failure); /* it tells */
    pthread_mutex_lock(&r->lock);
    r->failure = failure;
    r->ended = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void stop_receiving(coras_relay *r)
{
    if (!r->running)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    r->running = false;
    coras_error_clear(&r->failure);
}

static int start_receiving(coras_relay *r, int64_t offset, coras_error **err)
{
    stop_receiving(r);
    r->put = r->taken = r->position = offset;
    r->stop = r->ended = false;
    int rc = coras_thread_start(0, receive_thread, r, &r->thread);
    if (rc != 0)
        return coras_fail_errno(err, rc, "start a receiving thread");
    r->running = true;
    return 0;
}

/* ---- the uploading side ---- */

/* lock held */
static void wait_for_batch(coras_relay *r)
{
    struct timespec deadline = coras_deadline_ms(BATCH_WAIT_MS);

    r->wanted = BATCH_BYTES;
    while (r->put - r->taken < BATCH_BYTES && !r->ended)
        if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) != 0)
            break;
}

/* lock held: bytes that can be read without wrapping; 0 when the other side ended */
static size_t wait_for_bytes(coras_relay *r)
{
    r->wanted = 1;
    while (r->put == r->taken && !r->ended)
        pthread_cond_wait(&r->changed, &r->lock);
    if (r->put - r->taken < BATCH_BYTES)
        wait_for_batch(r);
    r->wanted = 0;
    size_t have = (size_t)(r->put - r->taken);
    size_t to_end = RING_BYTES - (size_t)(r->taken % RING_BYTES);
    return have < to_end ? have : to_end;
}

static int fail_as_receiver(coras_relay *r, coras_error **err)
{
    if (!r->failure)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "unexpected EOF");
    int rc = coras_error_code(r->failure);
    coras_error *copy = coras_error_dup(r->failure);
    coras_error_propagate(err, &copy);
    return rc;
}

static void hash_passing(coras_relay *r, const char *bytes, size_t len, int64_t offset)
{
    int64_t end = offset + (int64_t)len;
    if (end <= r->hashed)
        return; /* sent a second time */
    size_t known = (size_t)(r->hashed - offset);
    coras_hasher_update(r->hasher, bytes + known, len - known);
    r->hashed = end;
}

/* Up to `cap` bytes at `position`; NULL `buf`: they are hashed only. */
static int take(coras_relay *r, char *buf, size_t cap, size_t *ret, coras_error **err)
{
    pthread_mutex_lock(&r->lock);
    size_t available = wait_for_bytes(r);
    int rc = available ? 0 : fail_as_receiver(r, err);
    int64_t at = r->taken;
    pthread_mutex_unlock(&r->lock);
    if (rc < 0)
        return rc;
    size_t n = available < cap ? available : cap;
    const char *bytes = r->ring + at % RING_BYTES;
    if (buf)
        bytes = memcpy(buf, bytes, n);
    hash_passing(r, bytes, n, r->position);
    r->position += (int64_t)n;
    pthread_mutex_lock(&r->lock);
    r->taken += (int64_t)n;
    if (r->is_full && RING_BYTES - (r->put - r->taken) >= BATCH_BYTES) {
        r->is_full = false;
        pthread_cond_signal(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
    *ret = n;
    return 0;
}

/* What the other side has had since an earlier process is hashed all the same. */
static int pass_until(coras_relay *r, int64_t offset, coras_error **err)
{
    size_t n;

    while (r->position < offset) {
        int64_t left = offset - r->position;
        CORAS_TRY(take(r, NULL, left < RING_BYTES ? (size_t)left : RING_BYTES, &n, err));
    }
    return 0;
}

static int relay_read(void *user, void *buf, size_t cap, int64_t offset, size_t *ret,
                      coras_error **err)
{
    coras_relay *r = user;

    if (!r->running || offset != r->position)
        CORAS_TRY(start_receiving(r, offset < r->hashed ? offset : r->hashed, err));
    CORAS_TRY(pass_until(r, offset, err));
    return take(r, buf, cap, ret, err);
}

coras_source coras_relay_source(coras_relay *relay)
{
    return (coras_source){.size = relay->desc->size, .read_at = relay_read, .user = relay};
}

int coras_relay_verify(void *user, coras_error **err)
{
    coras_relay *r = user;
    coras_digest digest;

    if (r->verified || r->hashed < r->desc->size)
        return 0; /* not all of it passed yet: coras_relay_finish() decides */
    coras_hasher_final(r->hasher, &digest);
    r->verified = coras_digest_equal(&digest, &r->desc->digest);
    if (r->verified)
        return 0;
    return coras_at_side(CORAS_SIDE_SOURCE,
                         coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest"), err);
}

int coras_relay_finish(coras_relay *r, coras_error **err)
{
    if (r->hashed < r->desc->size) { /* the other side had it all */
        CORAS_TRY(start_receiving(r, r->hashed, err));
        CORAS_TRY(pass_until(r, r->desc->size, err));
    }
    return coras_relay_verify(r, err);
}

void coras_relay_free(coras_relay *relay)
{
    if (!relay)
        return;
    stop_receiving(relay);
    coras_hasher_free(relay->hasher);
    free(relay->ring);
    pthread_cond_destroy(&relay->changed);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}
