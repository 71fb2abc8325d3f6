/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parallel gzip after the scheme of pigz: blocks with a dictionary, each ended by an empty stored
 * block so that it stops at a byte, joined in order.
 *
 * Threads: the caller fills slots and empties them, both in order; workers of the pool deflate.
 * A slot belongs to the caller but while `busy`, which is under the lock.
 */
#include "codec/gzip.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/pool.h"
#include "base/processor.h"

enum {
    BLOCK_BYTES = 128 * 1024,
    DICTIONARY_BYTES = 32 * 1024, /* deflate's window */
    LEVEL = 6,                    /* Go's default */
    /* Probing whether a block can be compressed at all. */
    PROBE_PARTS = 4,
    PROBE_PART_BYTES = 4 * 1024,
    PROBE_BYTES = PROBE_PARTS * PROBE_PART_BYTES,
    PROBE_ENOUGH = PROBE_BYTES / 32, /* saved by the first parts: the others cannot spend that */
    STORED_MAX = 65535,              /* bytes in one stored block: a 16-bit length */
    STORED_HEADER = 5,
    MAX_THREADS = 64,
};

struct slot {
    coras_gzip *owner;
    bool busy; /* lock */
    bool last;
    int rc; /* 0 or CORAS_ERR_NO_MEMORY, of the worker */
    size_t dictionary_len, in_len, out_len, out_cap;
    uLong crc;
    unsigned char *out;
    unsigned char dictionary[DICTIONARY_BYTES];
    unsigned char in[BLOCK_BYTES];
};

struct coras_gzip {
    const coras_sink *sink;
    coras_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t slot_done;
    size_t slots_len;
    struct slot *slots;
    size_t fill;    /* slot that takes input */
    size_t pending; /* slots before it whose output is not written yet */
    bool header_written;
    uLong crc;
    uint32_t total; /* modulo 2^32, as the trailer wants it */
};

struct worker {
    z_stream deflate, probe;
};

static void *worker_start(void *user)
{
    (void)user;
    struct worker *w = coras_new(struct worker);
    if (!w)
        return NULL;
    if (deflateInit2(&w->deflate, LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(w);
        return NULL;
    }
    if (deflateInit2(&w->probe, 1, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        (void)deflateEnd(&w->deflate);
        free(w);
        return NULL;
    }
    return w;
}

static void worker_end(void *state, void *user)
{
    (void)user;
    struct worker *w = state;
    if (!w)
        return;
    (void)deflateEnd(&w->deflate); /* tells only whether output was left */
    (void)deflateEnd(&w->probe);
    free(w);
}

static int make_slots(coras_gzip *gz, size_t count, coras_error **err)
{
    gz->slots = coras_calloc(count, sizeof(*gz->slots));
    if (!gz->slots)
        return coras_fail_no_memory(err);
    gz->slots_len = count;
    for (size_t i = 0; i < count; i++) {
        struct slot *s = &gz->slots[i];
        s->owner = gz;
        /* Room for either form; the bound leaves out what the flush appends. */
        s->out_cap = compressBound(BLOCK_BYTES) + 64;
        s->out = coras_malloc(s->out_cap);
        if (!s->out)
            return coras_fail_no_memory(err);
    }
    return 0;
}

int coras_gzip_new(unsigned threads, const coras_sink *sink, coras_gzip **ret, coras_error **err)
{
    if (threads == 0)
        threads = coras_processors();
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    coras_auto(coras_gzip) gz = coras_new(struct coras_gzip);
    if (!gz)
        return coras_fail_no_memory(err);
    gz->sink = sink;
    gz->crc = crc32(0, NULL, 0);
    (void)pthread_mutex_init(&gz->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_cond_init(&gz->slot_done, NULL);
    CORAS_TRY(make_slots(gz, 2 * (size_t)threads + 2, err));
    const struct coras_pool_options pool = {
        .threads = threads, .worker_start = worker_start, .worker_end = worker_end};
    CORAS_TRY(coras_pool_new(&pool, &gz->pool, err));
    *ret = coras_steal(&gz);
    return 0;
}

void coras_gzip_free(coras_gzip *gz)
{
    if (!gz)
        return;
    coras_pool_free(gz->pool);
    for (size_t i = 0; i < gz->slots_len; i++)
        free(gz->slots[i].out);
    free(gz->slots);
    (void)pthread_cond_destroy(&gz->slot_done);
    (void)pthread_mutex_destroy(&gz->lock);
    free(gz);
}

/* ---- workers ---- */

/*
 * Weights and archives do not shrink, but trying costs as much as succeeding: a quick look at parts
 * of the block decides. It sees only the block, so the output stays the same everywhere.
 */
static bool compressible(z_stream *z, struct slot *s)
{
    if (s->in_len < BLOCK_BYTES)
        return true;
    unsigned char out[PROBE_PART_BYTES + PROBE_PART_BYTES / 8];
    size_t produced = 0;
    for (size_t i = 0; i < PROBE_PARTS; i++) {
        unsigned char *part = s->in + i * (BLOCK_BYTES / PROBE_PARTS);
        (void)deflateReset(z);
        z->next_in = part;
        z->avail_in = PROBE_PART_BYTES;
        z->next_out = out;
        z->avail_out = sizeof(out);
        if (deflate(z, Z_FINISH) != Z_STREAM_END)
            return true;
        produced += sizeof(out) - z->avail_out;
        if (produced + PROBE_ENOUGH < (i + 1) * PROBE_PART_BYTES)
            return true;
    }
    return produced < PROBE_BYTES - PROBE_BYTES / 64;
}

/* Deflate's stored form. The last block is never full, so this is never the last. */
static void store_block(struct slot *s)
{
    s->out_len = 0;
    for (size_t done = 0; done < s->in_len;) {
        size_t n = s->in_len - done < STORED_MAX ? s->in_len - done : STORED_MAX;
        unsigned char *p = s->out + s->out_len;
        p[0] = 0;
        p[1] = (unsigned char)(n & 0xff);
        p[2] = (unsigned char)(n >> 8);
        p[3] = (unsigned char)~p[1];
        p[4] = (unsigned char)~p[2];
        memcpy(p + STORED_HEADER, s->in + done, n);
        s->out_len += STORED_HEADER + n;
        done += n;
    }
}

static bool deflate_block(z_stream *z, struct slot *s)
{
    if (deflateReset(z) != Z_OK)
        return false;
    if (s->dictionary_len > 0 &&
        deflateSetDictionary(z, s->dictionary, (uInt)s->dictionary_len) != Z_OK)
        return false;
    z->next_in = s->in;
    z->avail_in = (uInt)s->in_len;
    z->next_out = s->out;
    z->avail_out = (uInt)s->out_cap;
    int rc = deflate(z, s->last ? Z_FINISH : Z_SYNC_FLUSH);
    s->out_len = s->out_cap - z->avail_out;
    return rc == (s->last ? Z_STREAM_END : Z_OK) && z->avail_in == 0 && z->avail_out > 0;
}

static void run_slot(void *job, void *worker_state)
{
    struct slot *s = job;
    struct worker *w = worker_state;
    s->rc = 0;
    s->crc = crc32(crc32(0, NULL, 0), s->in, (uInt)s->in_len);
    if (!w)
        s->rc = CORAS_ERR_NO_MEMORY;
    else if (!compressible(&w->probe, s))
        store_block(s);
    else if (!deflate_block(&w->deflate, s))
        s->rc = CORAS_ERR_INTERNAL;

    coras_gzip *gz = s->owner;
    (void)pthread_mutex_lock(&gz->lock);
    s->busy = false;
    (void)pthread_cond_signal(&gz->slot_done); /* only the caller waits */
    (void)pthread_mutex_unlock(&gz->lock);
}

/* ---- caller ---- */

static int emit(coras_gzip *gz, const void *data, size_t len, coras_error **err)
{
    static const unsigned char header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
    if (!gz->header_written) {
        CORAS_TRY(gz->sink->write(gz->sink->user, header, sizeof(header), err));
        gz->header_written = true;
    }
    CORAS_TRY(gz->sink->write(gz->sink->user, data, len, err));
    return 0;
}

/* Wait for the oldest block and write it. */
static int drain_one(coras_gzip *gz, coras_error **err)
{
    struct slot *s = &gz->slots[(gz->fill + gz->slots_len - gz->pending) % gz->slots_len];
    (void)pthread_mutex_lock(&gz->lock);
    while (s->busy)
        (void)pthread_cond_wait(&gz->slot_done, &gz->lock);
    (void)pthread_mutex_unlock(&gz->lock);
    gz->pending--;
    if (s->rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (s->rc < 0)
        return coras_fail(err, s->rc, "deflate failed");
    gz->crc = crc32_combine(gz->crc, s->crc, (z_off_t)s->in_len);
    gz->total += (uint32_t)s->in_len;
    return emit(gz, s->out, s->out_len, err);
}

/* Hand the filled slot to the workers and make the next one ready. */
static int submit(coras_gzip *gz, bool last, coras_error **err)
{
    struct slot *s = &gz->slots[gz->fill];
    s->last = last;
    s->busy = true; /* not shared yet */
    int rc = coras_pool_add(gz->pool, run_slot, s, err);
    if (rc < 0) {
        s->busy = false;
        return rc;
    }
    gz->fill = (gz->fill + 1) % gz->slots_len;
    gz->pending++;
    if (gz->pending == gz->slots_len)
        CORAS_TRY(drain_one(gz, err));
    struct slot *next = &gz->slots[gz->fill];
    next->in_len = 0;
    next->dictionary_len = 0;
    if (!last) { /* reading s->in beside its worker, which reads too */
        memcpy(next->dictionary, s->in + BLOCK_BYTES - DICTIONARY_BYTES, DICTIONARY_BYTES);
        next->dictionary_len = DICTIONARY_BYTES;
    }
    return 0;
}

int coras_gzip_write(coras_gzip *gz, const void *data, size_t len, coras_error **err)
{
    const unsigned char *p = data;
    while (len > 0) {
        struct slot *s = &gz->slots[gz->fill];
        size_t n = BLOCK_BYTES - s->in_len;
        if (n > len)
            n = len;
        memcpy(s->in + s->in_len, p, n);
        s->in_len += n;
        p += n;
        len -= n;
        if (s->in_len == BLOCK_BYTES)
            CORAS_TRY(submit(gz, false, err));
    }
    return 0;
}

int coras_gzip_finish(coras_gzip *gz, coras_error **err)
{
    CORAS_TRY(submit(gz, true, err));
    while (gz->pending > 0)
        CORAS_TRY(drain_one(gz, err));
    unsigned char trailer[8];
    for (size_t i = 0; i < 4; i++) {
        trailer[i] = (unsigned char)(gz->crc >> (8 * i));
        trailer[4 + i] = (unsigned char)(gz->total >> (8 * i));
    }
    return emit(gz, trailer, sizeof(trailer), err);
}
