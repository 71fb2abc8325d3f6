/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that requests share, with a line of those who wait. */
#include "serve/api/budget.h"

#include <pthread.h>
#include "base/alloc.h"

struct serve_budget {
    size_t bytes; /* const */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t free_bytes;         /* lock */
    uint64_t last_number, now; /* lock; of the line: given out, and being served */
};

serve_budget *serve_budget_new(size_t bytes)
{
    serve_budget *b = coras_new(serve_budget);

    if (!b)
        return NULL;
    b->bytes = b->free_bytes = bytes;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    return b;
}

void serve_budget_free(serve_budget *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->changed);
    free(b);
}

size_t serve_budget_take(serve_budget *b, size_t bytes)
{
    size_t taken = bytes < b->bytes ? bytes : b->bytes;
    uint64_t number;

    pthread_mutex_lock(&b->lock);
    number = b->last_number++;
    while (number != b->now || b->free_bytes < taken)
        pthread_cond_wait(&b->changed, &b->lock);
    b->free_bytes -= taken;
    b->now++;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return taken;
}

bool serve_budget_try(serve_budget *b, size_t bytes)
{
    bool there;

    pthread_mutex_lock(&b->lock);
    there = b->free_bytes >= bytes;
    if (there)
        b->free_bytes -= bytes;
    pthread_mutex_unlock(&b->lock);
    return there;
}

void serve_budget_give(serve_budget *b, size_t bytes)
{
    pthread_mutex_lock(&b->lock);
    b->free_bytes += bytes;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}
