/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a blob in order: a thread receives into a ring, the reader takes out of it, through a
 * decompressor where the blob is compressed.
 */
#include "ops/models/blob_reader.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/thread.h"
#include "codec/gzip.h"
#include "codec/zstd.h"
#include "ops/range_stream.h"

enum { RING_BYTES = 256 * CORAS_KIB, SKIP_BYTES = 64 * CORAS_KIB };

struct coras_blob_reader {
    coras_target *target;
    const coras_descriptor *desc;
    coras_source source;  /* of the bytes as they arrive */
    coras_gunzip *gunzip; /* or NULL */
    coras_unzstd *unzstd; /* or NULL */
    int64_t position;     /* reader: of the bytes as they arrive */
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock */
    size_t head, len; /* what is full of the ring */
    bool stop, ended;
    coras_error *failure;
    char ring[RING_BYTES];
};

/* ---- receiving ---- */

/* Waits for room; how many bytes fit without wrapping, 0 when the reader has gone. */
static size_t room_for(struct coras_blob_reader *r, size_t wanted, char **ret_at)
{
    while (!r->stop && r->len == RING_BYTES)
        (void)pthread_cond_wait(&r->changed, &r->lock);
    if (r->stop)
        return 0;
    size_t tail = (r->head + r->len) % RING_BYTES;
    size_t room = tail < r->head ? r->head - tail : RING_BYTES - tail;
    *ret_at = r->ring + tail;
    return room < wanted ? room : wanted;
}

static int receive(void *user, const void *data, size_t len, coras_error **err)
{
    struct coras_blob_reader *r = user;
    const char *from = data;
    char *at = NULL;

    (void)err;
    while (len > 0) {
        (void)pthread_mutex_lock(&r->lock);
        size_t n = room_for(r, len, &at);
        if (n > 0)
            memcpy(at, from, n);
        r->len += n;
        (void)pthread_cond_signal(&r->changed);
        (void)pthread_mutex_unlock(&r->lock);
        if (n == 0)
            return CORAS_SINK_STOP;
        from += n;
        len -= n;
    }
    return 0;
}

static void *receive_all(void *user)
{
    struct coras_blob_reader *r = user;
    const coras_sink sink = {receive, r};
    coras_error *failure = NULL;

    (void)!coras_stream_range(r->target, r->desc, 0, r->desc->size, &sink, &failure);
    (void)pthread_mutex_lock(&r->lock);
    r->failure = failure;
    r->ended = true;
    (void)pthread_cond_signal(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* ---- taking ---- */

static int fail_as_receiver(struct coras_blob_reader *r, coras_error **err)
{
    coras_error *copy = coras_error_dup(r->failure);
    int rc = coras_error_code(r->failure);

    coras_error_propagate(err, &copy);
    return rc;
}

static int take_locked(struct coras_blob_reader *r, void *buf, size_t cap, size_t *ret,
                       coras_error **err)
{
    while (r->len == 0 && !r->ended)
        (void)pthread_cond_wait(&r->changed, &r->lock);
    if (r->len == 0 && r->failure)
        return fail_as_receiver(r, err);
    size_t n = r->len < cap ? r->len : cap;
    if (n > RING_BYTES - r->head)
        n = RING_BYTES - r->head;
    memcpy(buf, r->ring + r->head, n);
    r->head = (r->head + n) % RING_BYTES;
    r->len -= n;
    r->position += (int64_t)n;
    *ret = n;
    (void)pthread_cond_signal(&r->changed);
    return 0;
}

static int take(struct coras_blob_reader *r, void *buf, size_t cap, size_t *ret, coras_error **err)
{
    (void)pthread_mutex_lock(&r->lock);
    int rc = take_locked(r, buf, cap, ret, err);
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

/* A decompressor asks in order. */
static int source_read_at(void *user, void *buf, size_t cap, int64_t offset, size_t *ret,
                          coras_error **err)
{
    struct coras_blob_reader *r = user;

    if (offset != r->position)
        return coras_fail(err, CORAS_ERR_INTERNAL, "a stream was read out of order");
    CORAS_TRY(take(r, buf, cap, ret, err));
    if (*ret == 0)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "unexpected EOF");
    return 0;
}

/* ---- the reader ---- */

static int open_decompressor(struct coras_blob_reader *r, enum coras_compression compression,
                             coras_error **err)
{
    r->source = (coras_source){r->desc->size, source_read_at, r};
    switch (compression) {
    case CORAS_COMPRESSION_NONE:
        return 0;
    case CORAS_COMPRESSION_GZIP:
        return coras_gunzip_new(&r->source, &r->gunzip, err);
    case CORAS_COMPRESSION_ZSTD:
        break;
    }
    return coras_unzstd_new(&r->source, &r->unzstd, err);
}

int coras_blob_reader_new(coras_target *target, const coras_descriptor *desc,
                          enum coras_compression compression, coras_blob_reader **ret,
                          coras_error **err)
{
    coras_blob_reader *made = coras_new(struct coras_blob_reader);

    if (!made)
        return coras_fail_no_memory(err);
    (void)pthread_mutex_init(&made->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_cond_init(&made->changed, NULL);
    coras_auto(coras_blob_reader) r = made;
    r->target = target;
    r->desc = desc;
    CORAS_TRY(open_decompressor(r, compression, err));
    if (coras_thread_start(0, receive_all, r, &r->thread) != 0)
        return coras_fail_no_memory(err);
    r->threaded = true;
    *ret = coras_steal(&r);
    return 0;
}

void coras_blob_reader_free(coras_blob_reader *r)
{
    if (!r)
        return;
    if (r->threaded) {
        (void)pthread_mutex_lock(&r->lock);
        r->stop = true;
        (void)pthread_cond_signal(&r->changed);
        (void)pthread_mutex_unlock(&r->lock);
        (void)pthread_join(r->thread, NULL);
    }
    coras_gunzip_free(r->gunzip);
    coras_unzstd_free(r->unzstd);
    coras_error_free(r->failure);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

int coras_blob_reader_read(coras_blob_reader *r, void *buf, size_t cap, size_t *ret,
                           coras_error **err)
{
    if (r->gunzip)
        return coras_gunzip_read(r->gunzip, buf, cap, ret, err);
    return r->unzstd ? coras_unzstd_read(r->unzstd, buf, cap, ret, err)
                     : take(r, buf, cap, ret, err);
}

int coras_blob_reader_exactly(coras_blob_reader *r, void *buf, size_t len, bool *ret_end,
                              coras_error **err)
{
    size_t got = 0;

    while (got < len) {
        size_t n = 0;
        CORAS_TRY(coras_blob_reader_read(r, (char *)buf + got, len - got, &n, err));
        if (n == 0)
            break;
        got += n;
    }
    if (ret_end)
        *ret_end = got == 0 && len > 0;
    if (got == len || (ret_end && *ret_end))
        return 0;
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
}

int coras_blob_reader_skip(coras_blob_reader *r, int64_t len, coras_error **err)
{
    coras_auto_free char *buf = coras_malloc(SKIP_BYTES);

    if (!buf)
        return coras_fail_no_memory(err);
    while (len > 0) {
        size_t n = len < SKIP_BYTES ? (size_t)len : SKIP_BYTES;
        CORAS_TRY(coras_blob_reader_exactly(r, buf, n, NULL, err));
        len -= (int64_t)n;
    }
    return 0;
}
