/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of blocks between one reader and those who send what it reads (hash_window.h).
 */
#include "transfer/hash_window.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum {
    BLOCKS_MAX = 8,
    PAGE = 4096,
    /* Measured: several processors copy at a third of their speed to an address that lies a few
     * bytes further into its page than the source in its own; and that is where allocators put
     * large buffers, and file contents begin at the beginning. */
    INTO_PAGE = 1024,
    PATIENCE_MS = 2, /* for each block: a sender of 128 MiB/s and more is waited for */
};

struct block {
    int64_t start;
    size_t len;      /* 0: nothing is in it */
    unsigned copied; /* takers that are copying from it */
};

struct coras_hash_window {
    char *memory, *first; /* const; the latter is where the first block lies */
    unsigned count;       /* const */
    size_t size;          /* const; of a block */
    int64_t reading;      /* reader: where the block that it reads begins */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock */
    struct block blocks[BLOCKS_MAX];
    unsigned next;  /* block that is read next */
    int64_t read;   /* bytes before were read */
    int64_t enough; /* a sender waits until so much was read */
    int64_t taken;  /* end of what was taken last; -1: nothing was */
    bool ended;
};

coras_hash_window *coras_hash_window_new(unsigned blocks, size_t block)
{
    coras_auto(coras_hash_window) w = coras_new(coras_hash_window);

    if (!w)
        return NULL;
    w->count = blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX;
    w->size = block;
    w->taken = -1;
    pthread_mutex_init(&w->lock, NULL);
    coras_cond_init(&w->changed);
    w->memory = coras_malloc(w->count * block + 2 * PAGE);
    if (!w->memory)
        return NULL;
    w->first = w->memory + (PAGE - (uintptr_t)w->memory % PAGE) + INTO_PAGE;
    return coras_steal(&w);
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

/* ---- reading ---- */

/* lock held: a sender has begun with this block or is just before it */
static bool is_wanted(const coras_hash_window *w, const struct block *b)
{
    return b->len && w->taken >= b->start && w->taken < b->start + (int64_t)b->len;
}

char *coras_hash_window_claim(coras_hash_window *w, int64_t position)
{
    struct block *b = &w->blocks[w->next];
    struct timespec until = coras_deadline_ms(PATIENCE_MS);

    pthread_mutex_lock(&w->lock);
    while (is_wanted(w, b) && pthread_cond_timedwait(&w->changed, &w->lock, &until) == 0)
        ;
    while (b->copied)
        pthread_cond_wait(&w->changed, &w->lock);
    b->len = 0;
    w->reading = position;
    pthread_mutex_unlock(&w->lock);
    return w->first + w->next * w->size;
}

void coras_hash_window_publish(coras_hash_window *w, size_t len)
{
    pthread_mutex_lock(&w->lock);
    w->blocks[w->next] = (struct block){.start = w->reading, .len = len};
    w->next = (w->next + 1) % w->count;
    w->read = w->reading + (int64_t)len;
    if (w->read >= w->enough)
        pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void coras_hash_window_end(coras_hash_window *w)
{
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* ---- taking ---- */

/* lock held */
static struct block *find(coras_hash_window *w, int64_t offset)
{
    for (unsigned i = 0; i < w->count; i++) {
        struct block *b = &w->blocks[i];
        if (b->len && offset >= b->start && offset < b->start + (int64_t)b->len)
            return b;
    }
    return NULL;
}

/* lock held: the block with `offset`, which may be the next one. Who has to wait waits for half of
 * the ring: being woken for each block costs. */
static struct block *wait_for(coras_hash_window *w, int64_t offset)
{
    if (offset == w->read) {
        w->enough = offset + (int64_t)w->size * (w->count / 2);
        while (w->read < w->enough && !w->ended)
            pthread_cond_wait(&w->changed, &w->lock);
    }
    return find(w, offset);
}

size_t coras_hash_window_take(coras_hash_window *w, void *buf, size_t cap, int64_t offset)
{
    size_t n = 0;

    pthread_mutex_lock(&w->lock);
    struct block *b = wait_for(w, offset);
    if (b) {
        size_t into = (size_t)(offset - b->start);
        n = b->len - into < cap ? b->len - into : cap;
        b->copied++;
        pthread_mutex_unlock(&w->lock);
        memcpy(buf, w->first + (size_t)(b - w->blocks) * w->size + into, n);
        pthread_mutex_lock(&w->lock);
        b->copied--;
        w->taken = offset + (int64_t)n;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return n;
}
