/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of blocks between one who hashes and one who sends (hash_window.h).
 */
#include "transfer/hash_window.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"

enum {
    BLOCKS_MAX = 8,
    PATIENCE_MS = 2, /* for each block: a sender of 128 MiB/s and more is waited for */
};

struct block {
    size_t len;      /* 0: nothing is in it */
    unsigned copied; /* senders that are copying from it */
};

/* Blocks [front - count, front) of the file have been read last; block n lies in place n % count.
 * What is not hashed yet stays. */
struct coras_hash_window {
    struct coras_hash_window_file file; /* const */
    char *memory;                       /* const; one place after the other */
    unsigned count;                     /* const */
    size_t size;                        /* const; of a block */
    bool begun;                         /* hasher: it has a block */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock */
    struct block blocks[BLOCKS_MAX];
    int64_t front;   /* block that is read next */
    int64_t hashing; /* block that the hasher has or wants; those before are done */
    int64_t enough;  /* a sender waits for room until the hasher is there */
    int64_t taken;   /* end of what was taken last; -1: nothing was */
    bool reading;    /* somebody reads block `front` */
    bool ended;
};

coras_hash_window *coras_hash_window_new(const struct coras_hash_window_file *file, unsigned blocks,
                                         size_t block)
{
    coras_auto(coras_hash_window) w = coras_new(coras_hash_window);

    if (!w)
        return NULL;
    w->file = *file;
    w->count = blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX;
    w->size = block;
    w->taken = -1;
    pthread_mutex_init(&w->lock, NULL);
    coras_cond_init(&w->changed);
    w->memory = coras_malloc(w->count * block);
    return w->memory ? coras_steal(&w) : NULL;
}

void coras_hash_window_free(coras_hash_window *w)
{
    if (!w)
        return;
    free(w->memory);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static struct block *block_of(coras_hash_window *w, int64_t number)
{
    return &w->blocks[number % w->count];
}

static char *place_of(const coras_hash_window *w, int64_t number)
{
    return w->memory + (size_t)(number % w->count) * w->size;
}

static size_t length_of(const coras_hash_window *w, int64_t number)
{
    int64_t left = w->file.size - number * (int64_t)w->size;

    return left < (int64_t)w->size ? (size_t)left : w->size;
}

/* lock held, which is given up meanwhile: reads block `front` into its place, where nothing is that
 * anybody needs */
static int read_front(coras_hash_window *w, coras_error **err)
{
    int64_t number = w->front;
    size_t want = length_of(w, number), got = 0;

    w->reading = true;
    block_of(w, number)->len = 0;
    pthread_mutex_unlock(&w->lock);
    int rc = coras_pread_full(w->file.fd, place_of(w, number), want,
                              w->file.offset + number * (int64_t)w->size, &got, err);
    if (rc == 0 && got < want)
        rc = coras_fail(err, CORAS_ERR_CHANGED, "file became shorter while it was read");
    pthread_mutex_lock(&w->lock);
    w->reading = false;
    if (rc == 0) {
        block_of(w, number)->len = want;
        w->front++;
    }
    pthread_cond_broadcast(&w->changed);
    return rc;
}

/* ---- hashing ---- */

/* lock held: a sender has begun with the block that lies in this place or is just before it */
static bool is_wanted(const coras_hash_window *w, int64_t number)
{
    int64_t before = number - w->count;

    return before >= 0 && w->taken >= before * (int64_t)w->size &&
           w->taken < (before + 1) * (int64_t)w->size;
}

/* lock held: until block `number` was read, or is for the hasher to read */
static void wait_for_sender(coras_hash_window *w, int64_t number)
{
    struct timespec until = coras_deadline_ms(PATIENCE_MS);
    bool patient = true;

    while (w->front == number &&
           (w->reading || block_of(w, number)->copied || (patient && is_wanted(w, number)))) {
        if (w->reading || !patient)
            pthread_cond_wait(&w->changed, &w->lock);
        else
            patient = pthread_cond_timedwait(&w->changed, &w->lock, &until) == 0;
    }
}

/* lock held: what is done with has room for the next */
static void pass(coras_hash_window *w)
{
    w->hashing += w->begun;
    w->begun = true;
    if (w->hashing >= w->enough)
        pthread_cond_broadcast(&w->changed);
}

int coras_hash_window_next(coras_hash_window *w, const char **ret, size_t *ret_len,
                           coras_error **err)
{
    int rc = 0;

    pthread_mutex_lock(&w->lock);
    pass(w);
    int64_t number = w->hashing;
    size_t len = number * (int64_t)w->size < w->file.size ? length_of(w, number) : 0;
    if (len) {
        wait_for_sender(w, number);
        if (w->front == number)
            rc = read_front(w, err);
    }
    pthread_mutex_unlock(&w->lock);
    if (rc < 0)
        return rc;
    *ret = place_of(w, number);
    *ret_len = len;
    return 0;
}

void coras_hash_window_end(coras_hash_window *w)
{
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* ---- sending ---- */

/* lock held: whether the next block may be read into its place. Who has to wait waits for half of
 * the ring: being woken for each block costs. */
static bool wait_for_room(coras_hash_window *w)
{
    if (w->front - w->hashing >= w->count) {
        w->enough = w->front - w->count / 2;
        while (w->hashing < w->enough && !w->ended)
            pthread_cond_wait(&w->changed, &w->lock);
    }
    return !w->ended;
}

/* lock held: makes sure that block `number` is there, which may be the next one */
static bool find(coras_hash_window *w, int64_t number)
{
    while (w->front == number && w->reading)
        pthread_cond_wait(&w->changed, &w->lock);
    if (w->front == number && wait_for_room(w) && w->front == number && !w->reading)
        (void)read_front(w, NULL); /* who reads for itself finds out why */
    return number < w->front && number >= w->front - w->count && block_of(w, number)->len;
}

size_t coras_hash_window_take(coras_hash_window *w, void *buf, size_t cap, int64_t offset)
{
    int64_t number = offset / (int64_t)w->size;
    size_t into = (size_t)(offset % (int64_t)w->size), n = 0;

    if (offset >= w->file.size)
        return 0;
    pthread_mutex_lock(&w->lock);
    if (find(w, number)) {
        struct block *b = block_of(w, number);
        n = b->len - into < cap ? b->len - into : cap;
        b->copied++;
        pthread_mutex_unlock(&w->lock);
        memcpy(buf, place_of(w, number) + into, n);
        pthread_mutex_lock(&w->lock);
        b->copied--;
        w->taken = offset + (int64_t)n;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return n;
}
