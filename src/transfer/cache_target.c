/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target around a target: reads look into a local store first, and what had to be fetched stays
 * there (coras/cache.h has the public view, docs/internals/cache.md the rules).
 *
 * Small content, which every manifest is, passes through memory: the stored copy is verified before
 * a byte of it is given out, and what comes from the origin is kept as it passes. Large content is
 * brought into the store whole, by the engine, so that it arrives by ranges and is resumed; then it
 * is read from there. The reader verifies it, as it does with every target, and tells the cache
 * when the copy was bad (`distrust`): the next `bring` fetches it again, over the bad one.
 *
 * This file lies in transfer/, not in target/, since it needs the engine to fill the store.
 */
#include "coras/cache.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "oci/digest.h"
#include "transfer/transfer.h"

enum { SMALL_BYTES = CORAS_LIMIT_MANIFEST };

/* What this process has learnt of a copy. */
static char copy_is_bad, copy_is_new;

struct cache {
    coras_target target;  /* first: a cache is a target */
    coras_target_ops ops; /* const after open */
    coras_target *origin; /* borrowed */
    coras_target *store;  /* borrowed */
    pthread_mutex_t lock;
    coras_map *copies; /* under lock: digest -> &copy_is_bad or &copy_is_new */
};

static struct cache *cache_of(coras_target *t)
{
    return (struct cache *)t;
}

static bool is_small(const coras_descriptor *desc)
{
    return desc->size <= SMALL_BYTES;
}

/* ---- what is known of copies ---- */

static const char *known_of(struct cache *c, const coras_descriptor *desc)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(&desc->digest, digest);
    (void)pthread_mutex_lock(&c->lock);
    const char *known = coras_map_get(c->copies, digest);
    (void)pthread_mutex_unlock(&c->lock);
    return known;
}

static int note_copy(struct cache *c, const coras_descriptor *desc, char *known, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(&desc->digest, digest);
    (void)pthread_mutex_lock(&c->lock);
    int rc = coras_map_set(c->copies, digest, known, err);
    (void)pthread_mutex_unlock(&c->lock);
    return rc;
}

/* What this process has brought itself was right then: bringing it again would not help. */
static bool cache_distrust(coras_target *t, const coras_descriptor *desc)
{
    struct cache *c = cache_of(t);

    return known_of(c, desc) != &copy_is_new && note_copy(c, desc, &copy_is_bad, NULL) == 0;
}

/* ---- small content ---- */

static bool read_copy(struct cache *c, const coras_descriptor *desc, coras_buf *ret)
{
    coras_buf_reset(ret);
    return coras_target_fetch_verified(c->store, desc, SMALL_BYTES, ret, NULL) == 0;
}

/* Kept under its digest alone, with nothing of what somebody's index says about it. */
static int keep(struct cache *c, const coras_descriptor *desc, const coras_buf *bytes,
                coras_error **err)
{
    coras_auto_value(coras_descriptor) bare = CORAS_DESCRIPTOR_INIT;
    coras_memory memory = {bytes->ptr, bytes->len};
    const coras_source source = coras_source_memory(&memory);
    const coras_blob_push push = {.desc = &bare, .source = &source, .known_missing = true};

    CORAS_TRY(coras_descriptor_set(&bare, desc->media_type, &desc->digest, desc->size, err));
    if (coras_media_type_is_manifest(desc->media_type))
        return c->store->ops->push_manifest(c->store, &bare, bytes->ptr, NULL, err);
    int rc = c->store->ops->push_blob(c->store, &push, err);
    return rc < 0 ? rc : 0;
}

/* Content on its way from the origin to a reader. */
struct passing {
    const coras_sink *sink;
    coras_buf *bytes;
    bool stopped; /* the reader has enough */
};

static int pass_on(void *user, const void *data, size_t len, coras_error **err)
{
    struct passing *p = user;
    int rc = p->sink->write(p->sink->user, data, len, err);

    p->stopped = rc == CORAS_SINK_STOP;
    if (p->bytes->len <= SMALL_BYTES - len)
        coras_buf_put(p->bytes, data, len);
    return rc;
}

/* That what came is wrong is for the reader to say, who has it. */
static bool is_right(const coras_descriptor *desc, const coras_buf *bytes)
{
    coras_digest digest;

    return (int64_t)bytes->len == desc->size &&
           coras_digest_of(desc->digest.algorithm, bytes->ptr, bytes->len, &digest, NULL) == 0 &&
           coras_digest_equal(&digest, &desc->digest);
}

static int fetch_and_keep(struct cache *c, const coras_descriptor *desc, const coras_sink *sink,
                          coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(SMALL_BYTES);
    struct passing passing = {.sink = sink, .bytes = &bytes};
    const coras_sink both = {pass_on, &passing};

    CORAS_TRY(c->origin->ops->fetch(c->origin, desc, 0, -1, &both, err));
    CORAS_TRY(coras_buf_done(&bytes, err));
    return !passing.stopped && is_right(desc, &bytes) ? keep(c, desc, &bytes, err) : 0;
}

static int fetch_small(struct cache *c, const coras_descriptor *desc, int64_t offset,
                       int64_t length, const coras_sink *sink, coras_error **err)
{
    coras_auto_buf copy = CORAS_BUF_INIT(SMALL_BYTES);

    if (read_copy(c, desc, &copy) && offset <= (int64_t)copy.len) {
        int64_t left = (int64_t)copy.len - offset;
        size_t wanted = (size_t)(length < 0 || length > left ? left : length);
        int rc = wanted ? sink->write(sink->user, copy.ptr + offset, wanted, err) : 0;
        return rc < 0 ? rc : 0;
    }
    if (offset == 0 && length < 0)
        return fetch_and_keep(c, desc, sink, err);
    return c->origin->ops->fetch(c->origin, desc, offset, length, sink, err); /* a part only */
}

/* ---- large content ---- */

/* A copy of another size is none. */
static int has_copy(struct cache *c, const coras_descriptor *desc, bool *ret, coras_error **err)
{
    *ret = false;
    if (known_of(c, desc) == &copy_is_bad)
        return 0;
    return c->store->ops->exists(c->store, desc, ret, err);
}

static int bring_copy(struct cache *c, const coras_descriptor *desc, coras_run *run,
                      const coras_transfer *transfer, coras_error **err)
{
    coras_auto_value(coras_run) own;
    const coras_run_options options = {.size = sizeof(options), .cancel = c->target.cancel};

    coras_run_init(&own, &options);
    CORAS_TRY(coras_transfer_land(run ? run : &own, c->origin, c->store, desc, transfer, err));
    CORAS_TRY(note_copy(c, desc, &copy_is_new, err));
    return 1;
}

static int cache_bring(coras_target *t, const coras_descriptor *desc, coras_run *run,
                       const coras_transfer *transfer, coras_error **err)
{
    struct cache *c = cache_of(t);
    bool there;

    if (is_small(desc))
        return 0; /* is kept as it passes */
    CORAS_TRY(has_copy(c, desc, &there, err));
    return there ? 0 : bring_copy(c, desc, run, transfer, err);
}

/* ---- reading ---- */

static int cache_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset,
                       int64_t length, const coras_sink *sink, coras_error **err)
{
    struct cache *c = cache_of(t);

    if (is_small(desc))
        return fetch_small(c, desc, offset, length, sink, err);
    CORAS_TRY(cache_bring(t, desc, NULL, NULL, err));
    return c->store->ops->fetch(c->store, desc, offset, length, sink, err);
}

/* Have small content in the store, where it may have passed in parts. */
static int need_small_copy(struct cache *c, const coras_descriptor *desc, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(SMALL_BYTES);

    if (read_copy(c, desc, &bytes))
        return 0;
    coras_buf_reset(&bytes);
    CORAS_TRY(coras_target_fetch_verified(c->origin, desc, SMALL_BYTES, &bytes, err));
    return keep(c, desc, &bytes, err);
}

static int cache_open_local(coras_target *t, const coras_descriptor *desc, int *ret_fd,
                            int64_t *ret_offset, coras_error **err)
{
    struct cache *c = cache_of(t);

    CORAS_TRY(is_small(desc) ? need_small_copy(c, desc, err)
                             : cache_bring(t, desc, NULL, NULL, err));
    return c->store->ops->open_local(c->store, desc, ret_fd, ret_offset, err);
}

/* Always the origin's answer: a name may have moved since. */
static int cache_fetch_manifest(coras_target *t, const char *reference, const char *accept,
                                coras_descriptor *ret, coras_buf *bytes, coras_error **err)
{
    struct cache *c = cache_of(t);
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(c->origin->ops->fetch_manifest(c->origin, reference, accept, &desc, bytes, err));
    CORAS_TRY(keep(c, &desc, bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

/* ---- what only the origin knows ---- */

static coras_target *origin_of(coras_target *t)
{
    return cache_of(t)->origin;
}

static int cache_resolve(coras_target *t, const char *reference, coras_descriptor *ret,
                         coras_error **err)
{
    return origin_of(t)->ops->resolve(origin_of(t), reference, ret, err);
}

static int cache_resolve_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                              coras_error **err)
{
    return coras_resolve_blob(origin_of(t), digest, ret, err);
}

static int cache_probe_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                            coras_error **err)
{
    return coras_probe_blob(origin_of(t), digest, ret, err);
}

static int cache_exists(coras_target *t, const coras_descriptor *desc, bool *ret, coras_error **err)
{
    return origin_of(t)->ops->exists(origin_of(t), desc, ret, err);
}

static int cache_push_blob(coras_target *t, const coras_blob_push *push, coras_error **err)
{
    return origin_of(t)->ops->push_blob(origin_of(t), push, err);
}

static int cache_push_manifest(coras_target *t, const coras_descriptor *desc, const void *data,
                               const char *reference, coras_error **err)
{
    return origin_of(t)->ops->push_manifest(origin_of(t), desc, data, reference, err);
}

static int cache_tag(coras_target *t, const coras_descriptor *desc, const void *data,
                     const char *reference, coras_error **err)
{
    return origin_of(t)->ops->tag(origin_of(t), desc, data, reference, err);
}

static int cache_tags(coras_target *t, const char *last, bool (*visit)(const char *tag, void *user),
                      void *user, coras_error **err)
{
    return origin_of(t)->ops->tags(origin_of(t), last, visit, user, err);
}

static int cache_referrers(coras_target *t, const coras_descriptor *desc, const char *artifact_type,
                           bool (*visit)(const coras_descriptor *d, void *user), void *user,
                           coras_error **err)
{
    return origin_of(t)->ops->referrers(origin_of(t), desc, artifact_type, visit, user, err);
}

static int cache_remove(coras_target *t, const coras_descriptor *desc, coras_error **err)
{
    return origin_of(t)->ops->remove(origin_of(t), desc, err);
}

static void cache_explain_missing(coras_target *t, const char *reference, coras_error **err)
{
    (void)coras_target_explain(origin_of(t), CORAS_ERR_NOT_FOUND, reference, err);
}

/* ---- opening ---- */

static void cache_close(coras_target *t)
{
    struct cache *c = cache_of(t);

    coras_map_free(c->copies);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static const coras_target_ops cache_ops = {
    .close = cache_close,
    .resolve = cache_resolve,
    .fetch_manifest = cache_fetch_manifest,
    .fetch = cache_fetch,
    .resolve_blob = cache_resolve_blob,
    .probe_blob = cache_probe_blob,
    .exists = cache_exists,
    .push_blob = cache_push_blob,
    .push_manifest = cache_push_manifest,
    .tag = cache_tag,
    .tags = cache_tags,
    .referrers = cache_referrers,
    .remove = cache_remove,
    .open_local = cache_open_local,
    .explain_missing = cache_explain_missing,
    .bring = cache_bring,
    .distrust = cache_distrust,
};

int coras_cache_open(coras_target *origin, coras_target *store, coras_target **ret,
                     coras_error **err)
{
    if (!origin || !store || !ret || !store->ops->land || !store->ops->open_local)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a target and a local one to keep in");
    struct cache *c = coras_new(struct cache);
    coras_auto(coras_map) copies = coras_map_new(NULL);
    if (!c || !copies) {
        free(c);
        return coras_fail_no_memory(err);
    }
    c->origin = origin;
    c->store = store;
    c->copies = coras_steal(&copies);
    c->ops = cache_ops;
    c->ops.kind = origin->ops->kind; /* its rules are the origin's */
    c->ops.one_store = origin->ops->one_store;
    c->ops.names_by_push = origin->ops->names_by_push;
    c->ops.takes_unhashed = origin->ops->takes_unhashed;
    c->target = (coras_target){.ops = &c->ops, .cancel = origin->cancel, .origin = origin};
    (void)pthread_mutex_init(&c->lock, NULL);
    *ret = &c->target;
    return 0;
}
