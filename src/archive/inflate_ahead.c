/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of buffers between one inflating thread and one reader. Without a second thread the reader
 * inflates for itself.
 */
#include "archive/inflate_ahead.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"
#include "oci/digest.h"

enum { RING = 4, PIECE_BYTES = 256 * 1024 };

struct piece {
    size_t len; /* 0: the end, or rc < 0 */
    int rc;
    coras_error *error;
    unsigned char bytes[PIECE_BYTES];
};

struct coras_inflate_ahead {
    coras_decompressor *plain; /* inflating thread */
    coras_hasher *hasher;      /* inflating thread until the end; NULL: not wanted */
    pthread_t thread;
    bool threaded;
    bool lent; /* reader: it holds pieces[taken % RING] */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;            /* lock */
    size_t made, taken;   /* lock: pieces finished, pieces given back */
    struct piece *pieces; /* [taken, made) are the reader's, the rest the thread's */
};

static void inflate_piece(coras_inflate_ahead *a, struct piece *p)
{
    p->len = 0;
    p->rc = coras_decompressor_read(a->plain, p->bytes, sizeof(p->bytes), &p->len, &p->error);
    if (p->rc == 0 && a->hasher)
        coras_hasher_update(a->hasher, p->bytes, p->len);
}

static void *inflate_thread(void *user)
{
    coras_inflate_ahead *a = user;
    (void)pthread_mutex_lock(&a->lock);
    bool more = true;
    while (more) {
        while (!a->stop && a->made - a->taken == RING)
            (void)pthread_cond_wait(&a->changed, &a->lock);
        if (a->stop)
            break;
        struct piece *p = &a->pieces[a->made % RING];
        (void)pthread_mutex_unlock(&a->lock);
        inflate_piece(a, p);
        more = p->rc == 0 && p->len > 0;
        (void)pthread_mutex_lock(&a->lock);
        a->made++;
        (void)pthread_cond_signal(&a->changed);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return NULL;
}

int coras_inflate_ahead_new(const coras_source *source, enum coras_compression compression,
                            int algorithm, coras_inflate_ahead **ret, coras_error **err)
{
    coras_auto(coras_inflate_ahead) a = coras_new(struct coras_inflate_ahead);
    if (!a)
        return coras_fail_no_memory(err);
    (void)pthread_mutex_init(&a->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_cond_init(&a->changed, NULL);
    a->pieces = coras_calloc(RING, sizeof(*a->pieces));
    if (!a->pieces)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_decompressor_new(compression, source, &a->plain, err));
    if (algorithm != CORAS_DIGEST_NONE)
        CORAS_TRY(coras_hasher_new(algorithm, &a->hasher, err));
    a->threaded = coras_thread_start(0, inflate_thread, a, &a->thread) == 0;
    *ret = coras_steal(&a);
    return 0;
}

/* Give the last piece back and wait for the next. */
static struct piece *next_piece(coras_inflate_ahead *a)
{
    if (!a->threaded) {
        inflate_piece(a, &a->pieces[0]);
        return &a->pieces[0];
    }
    (void)pthread_mutex_lock(&a->lock);
    if (a->lent) {
        a->taken++;
        (void)pthread_cond_signal(&a->changed);
    }
    while (a->made == a->taken)
        (void)pthread_cond_wait(&a->changed, &a->lock);
    struct piece *p = &a->pieces[a->taken % RING];
    (void)pthread_mutex_unlock(&a->lock);
    a->lent = true;
    return p;
}

int coras_inflate_ahead_next(coras_inflate_ahead *a, const void **ret, size_t *ret_len,
                             coras_error **err)
{
    struct piece *p = next_piece(a);
    if (p->rc < 0 || p->len == 0)
        a->lent = false; /* stays the last one: the thread has ended */
    if (p->rc < 0) {
        coras_error *copy = coras_error_dup(p->error);
        coras_error_propagate(err, &copy);
        return p->rc;
    }
    *ret = p->bytes;
    *ret_len = p->len;
    return 0;
}

void coras_inflate_ahead_digest(coras_inflate_ahead *a, coras_digest *ret)
{
    coras_hasher_final(a->hasher, ret);
}

void coras_inflate_ahead_free(coras_inflate_ahead *a)
{
    if (!a)
        return;
    if (a->threaded) {
        (void)pthread_mutex_lock(&a->lock);
        a->stop = true;
        (void)pthread_cond_signal(&a->changed);
        (void)pthread_mutex_unlock(&a->lock);
        (void)pthread_join(a->thread, NULL);
    }
    for (size_t i = 0; a->pieces && i < RING; i++)
        coras_error_free(a->pieces[i].error);
    free(a->pieces);
    coras_decompressor_free(a->plain);
    coras_hasher_free(a->hasher);
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}
