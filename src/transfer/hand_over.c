/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of memory on their way between two threads (hand_over.h).
 */
#include "transfer/hand_over.h"

#include <pthread.h>

#include "base/alloc.h"

/* Beside the one that is being filled. Measured: more bring nothing. */
enum { BLOCKS = 4 };

struct coras_hand_over {
    size_t size; /* const; of a block */
    pthread_mutex_t lock;
    /* under lock */
    struct coras_handed full[BLOCKS]; /* a ring */
    unsigned first, waiting;          /* of it: the oldest, and how many there are */
    char *empty[BLOCKS];
    unsigned empties;
    unsigned made; /* blocks that somebody got for his own */
    bool ended;    /* nobody gives any more */
};

coras_hand_over *coras_hand_over_new(size_t size)
{
    coras_hand_over *h = coras_new(coras_hand_over);

    if (!h)
        return NULL;
    h->size = size;
    pthread_mutex_init(&h->lock, NULL);
    return h;
}

/* lock held, or nobody else is there */
static struct coras_handed pop(coras_hand_over *h)
{
    struct coras_handed oldest = h->full[h->first];

    h->first = (h->first + 1) % BLOCKS;
    h->waiting--;
    return oldest;
}

/* lock held, or nobody else is there */
static void free_empties(coras_hand_over *h)
{
    while (h->empties)
        free(h->empty[--h->empties]);
}

void coras_hand_over_free(coras_hand_over *h)
{
    if (!h)
        return;
    while (h->waiting)
        free(pop(h).bytes);
    free_empties(h);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* ---- receiving ---- */

/* lock held: an empty block; NULL: there is none */
static char *get_empty(coras_hand_over *h)
{
    if (h->empties)
        return h->empty[--h->empties];
    if (h->made == BLOCKS)
        return NULL;
    char *block = coras_malloc(h->size);
    h->made += block != NULL;
    return block;
}

void coras_hand_over_give(coras_hand_over *h, int64_t offset, char **block, size_t len)
{
    pthread_mutex_lock(&h->lock);
    char *other = get_empty(h);
    if (other) {
        h->full[(h->first + h->waiting) % BLOCKS] = (struct coras_handed){offset, *block, len};
        h->waiting++;
        *block = other;
    }
    pthread_mutex_unlock(&h->lock);
}

void coras_hand_over_end(coras_hand_over *h)
{
    pthread_mutex_lock(&h->lock);
    h->ended = true;
    free_empties(h);
    pthread_mutex_unlock(&h->lock);
}

/* ---- hashing ---- */

/* lock held */
static void put_empty(coras_hand_over *h, char *block)
{
    if (h->ended)
        free(block);
    else
        h->empty[h->empties++] = block;
}

bool coras_hand_over_take(coras_hand_over *h, int64_t offset, struct coras_handed *ret)
{
    *ret = (struct coras_handed){.offset = INT64_MAX};
    pthread_mutex_lock(&h->lock);
    while (h->waiting && h->full[h->first].offset < offset)
        put_empty(h, pop(h).bytes);
    if (h->waiting)
        ret->offset = h->full[h->first].offset;
    if (ret->offset == offset)
        *ret = pop(h);
    pthread_mutex_unlock(&h->lock);
    return ret->bytes != NULL;
}

void coras_hand_over_return(coras_hand_over *h, char *block)
{
    pthread_mutex_lock(&h->lock);
    put_empty(h, block);
    pthread_mutex_unlock(&h->lock);
}
