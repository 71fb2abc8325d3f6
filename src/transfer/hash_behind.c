/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes a file from the front while others still write behind, on a thread of its own.
 */
#include "transfer/hash_behind.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/thread.h"
#include "transfer/hand_over.h"
#include "transfer/hash_window.h"
#include "transfer/let_go.h"

enum {
    READ_BYTES = 256 * 1024,
    SHARED_BLOCKS = 4,
    SHARED_BYTES = 128 * 1024, /* of a block: all of them fit into a core's cache */
};

struct coras_hash_behind {
    struct coras_hash_behind_options options; /* const */
    coras_hasher *hasher;                     /* thread */
    coras_hash_window *window;                /* NULL: for nobody else */
    coras_hand_over *handed;                  /* NULL: everything is read from the file */
    char *buffer;                             /* thread; NULL: nothing was read from the file */
    pthread_t thread;
    bool started; /* const after start */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock */
    int64_t front;
    bool stop, done;
    coras_digest digest;
    coras_error *failure;
};

/* Wait until there is something to read at `position`; its length, 0 to stop. */
static int64_t wait_for_bytes(coras_hash_behind *h, int64_t position)
{
    pthread_mutex_lock(&h->lock);
    while (h->front <= position && !h->stop)
        pthread_cond_wait(&h->changed, &h->lock);
    int64_t available = h->stop ? 0 : h->front - position;
    pthread_mutex_unlock(&h->lock);
    return available;
}

/* The piece at `position`, of which `available` bytes can be read. */
static int read_piece(const struct coras_hash_behind_options *options, char *buffer,
                      int64_t position, int64_t available, size_t *ret, coras_error **err)
{
    size_t want = available < READ_BYTES ? (size_t)available : READ_BYTES;

    CORAS_TRY(coras_cancel_check(options->cancel, err));
    CORAS_TRY(coras_pread_full(options->fd, buffer, want, options->offset + position, ret, err));
    if (*ret < want)
        return coras_fail(err, CORAS_ERR_CHANGED, "file became shorter while it was read");
    return 0;
}

static size_t buffer_bytes(const struct coras_hash_behind_options *options)
{
    return options->size < READ_BYTES ? (size_t)options->size : READ_BYTES;
}

int coras_hash_now(const struct coras_hash_behind_options *options, coras_digest *ret,
                   coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *buffer = coras_malloc(buffer_bytes(options));
    size_t n;

    if (!buffer)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(options->algorithm, &hasher, err));
    for (int64_t position = 0; position < options->size; position += (int64_t)n) {
        CORAS_TRY(read_piece(options, buffer, position, options->size - position, &n, err));
        coras_hasher_update(hasher, buffer, n);
        if (options->progress)
            options->progress(options->user, position + (int64_t)n);
    }
    coras_hasher_final(hasher, ret);
    return 0;
}

/* What was handed over at `position`, up to its end; 0: the next of that begins at `*next`. */
static size_t hash_handed(coras_hash_behind *h, int64_t position, int64_t *next)
{
    struct coras_handed given;

    *next = INT64_MAX;
    if (!h->handed)
        return 0;
    bool taken = coras_hand_over_take(h->handed, position, &given);
    *next = given.offset;
    if (!taken)
        return 0;
    coras_hasher_update(h->hasher, given.bytes, given.len);
    coras_hand_over_return(h->handed, given.bytes);
    return given.len;
}

/* What comes next, of which `available` bytes are in the file. */
static int hash_next(coras_hash_behind *h, int64_t position, int64_t available, size_t *ret,
                     coras_error **err)
{
    int64_t next;

    CORAS_TRY(coras_cancel_check(h->options.cancel, err));
    *ret = hash_handed(h, position, &next);
    if (*ret)
        return 0;
    if (available > next - position)
        available = next - position;
    if (!h->buffer)
        h->buffer = coras_malloc(buffer_bytes(&h->options));
    if (!h->buffer)
        return coras_fail_no_memory(err);
    CORAS_TRY(read_piece(&h->options, h->buffer, position, available, ret, err));
    coras_hasher_update(h->hasher, h->buffer, *ret);
    return 0;
}

static int hash_all(coras_hash_behind *h, coras_error **err)
{
    int64_t let_go = 0;
    size_t n;

    for (int64_t position = h->options.position; position < h->options.size;
         position += (int64_t)n) {
        coras_let_go(h->options.fd, h->options.kept, position, &let_go);
        int64_t available = wait_for_bytes(h, position);
        if (available == 0)
            return coras_fail(err, CORAS_ERR_CANCELLED, "hashing stopped");
        CORAS_TRY(hash_next(h, position, available, &n, err));
    }
    return 0;
}

/* Together with somebody who sends. */
static int hash_shared(coras_hash_behind *h, coras_error **err)
{
    const char *bytes;
    size_t n;

    for (int64_t position = 0; position < h->options.size; position += (int64_t)n) {
        if (wait_for_bytes(h, position) == 0)
            return coras_fail(err, CORAS_ERR_CANCELLED, "hashing stopped");
        CORAS_TRY(coras_cancel_check(h->options.cancel, err));
        CORAS_TRY(coras_hash_window_next(h->window, &bytes, &n, err));
        coras_hasher_update(h->hasher, bytes, n);
    }
    return 0;
}

static void *hash_thread(void *arg)
{
    coras_hash_behind *h = arg;
    coras_error *failure = NULL;
    coras_digest digest = {0};

    int rc = h->window ? hash_shared(h, &failure) : hash_all(h, &failure);
    if (rc == 0)
        coras_hasher_final(h->hasher, &digest);
    if (h->window)
        coras_hash_window_end(h->window);
    pthread_mutex_lock(&h->lock);
    h->digest = digest;
    h->failure = failure;
    h->done = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static coras_hash_window *new_window(const struct coras_hash_behind_options *options)
{
    const struct coras_hash_window_file file = {options->fd, options->offset, options->size};
    size_t block = options->size < SHARED_BYTES ? (size_t)options->size : SHARED_BYTES;

    return coras_hash_window_new(&file, SHARED_BLOCKS, block ? block : 1);
}

int coras_hash_behind_start(const struct coras_hash_behind_options *options,
                            coras_hash_behind **ret, coras_error **err)
{
    coras_auto(coras_hash_behind) h = coras_new(coras_hash_behind);
    if (!h)
        return coras_fail_no_memory(err);
    h->options = *options;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    if (options->shared)
        h->window = new_window(options);
    if (options->handed)
        h->handed = coras_hand_over_new(options->handed);
    if ((options->shared && !h->window) || (options->handed && !h->handed))
        return coras_fail_no_memory(err);
    h->hasher = options->hasher;
    if (!h->hasher)
        CORAS_TRY(coras_hasher_new(options->algorithm, &h->hasher, err));
    int rc = coras_thread_start(0, hash_thread, h, &h->thread);
    if (rc != 0) {
        if (options->hasher)
            h->hasher = NULL; /* the caller's, still */
        return coras_fail_errno(err, rc, "start a hashing thread");
    }
    h->started = true;
    *ret = coras_steal(&h);
    return 0;
}

void coras_hash_behind_give(coras_hash_behind *h, int64_t offset, char **block, size_t len)
{
    coras_hand_over_give(h->handed, offset, block, len);
}

void coras_hash_behind_give_no_more(coras_hash_behind *h)
{
    if (h->handed)
        coras_hand_over_end(h->handed);
}

void coras_hash_behind_advance(coras_hash_behind *h, int64_t front)
{
    pthread_mutex_lock(&h->lock);
    if (front > h->front) {
        h->front = front;
        pthread_cond_broadcast(&h->changed);
    }
    pthread_mutex_unlock(&h->lock);
}

int coras_hash_behind_get(coras_hash_behind *h, bool wait, coras_digest *ret, coras_error **err)
{
    int rc = 1;

    pthread_mutex_lock(&h->lock);
    while (wait && !h->done)
        pthread_cond_wait(&h->changed, &h->lock);
    if (h->done && h->failure) {
        coras_error *copy = coras_error_dup(h->failure);
        rc = coras_error_code(h->failure);
        coras_error_propagate(err, &copy);
    } else if (h->done) {
        *ret = h->digest;
        rc = 0;
    }
    pthread_mutex_unlock(&h->lock);
    return rc;
}

size_t coras_hash_behind_take(coras_hash_behind *h, void *buf, size_t cap, int64_t offset)
{
    return h->window ? coras_hash_window_take(h->window, buf, cap, offset) : 0;
}

void coras_hash_behind_free(coras_hash_behind *h)
{
    if (!h)
        return;
    if (h->started) {
        pthread_mutex_lock(&h->lock);
        h->stop = true;
        pthread_cond_broadcast(&h->changed);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->thread, NULL);
    }
    coras_hasher_free(h->hasher);
    coras_error_free(h->failure);
    coras_hash_window_free(h->window);
    coras_hand_over_free(h->handed);
    free(h->buffer);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
