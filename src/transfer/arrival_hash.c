/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashing what arrives, in order or behind (arrival_hash.h).
 */
#include "transfer/arrival_hash.h"

#include "transfer/let_go.h"

int coras_arrival_hash_init(coras_arrival_hash *h, const struct coras_hash_behind_options *options,
                            coras_error **err)
{
    *h = (coras_arrival_hash){.options = *options};
    return coras_hasher_new(options->algorithm, &h->hasher, err);
}

void coras_arrival_hash_clear(coras_arrival_hash *h)
{
    coras_hash_behind_free(h->behind);
    coras_hasher_free(h->hasher);
    *h = (coras_arrival_hash){.hasher = NULL};
}

bool coras_arrival_hash_is_in_order(const coras_arrival_hash *h)
{
    return h->hasher && !h->lost;
}

void coras_arrival_hash_take(coras_arrival_hash *h, int64_t offset, const void *bytes, size_t len)
{
    if (!coras_arrival_hash_is_in_order(h))
        return;
    if (offset != h->reached) { /* it came a second time, and may be something else */
        h->lost = true;
        return;
    }
    coras_hasher_update(h->hasher, bytes, len);
    h->reached += (int64_t)len;
    coras_let_go(h->options.fd, h->options.kept, h->reached, &h->let_go);
}

void coras_arrival_hash_give(coras_arrival_hash *h, int64_t offset, char **block, size_t len)
{
    if (!h->behind) {
        coras_arrival_hash_take(h, offset, *block, len);
        return;
    }
    if (!h->options.handed || offset != h->reached)
        return;
    h->reached += (int64_t)len;
    coras_hash_behind_give(h->behind, offset, block, len);
}

void coras_arrival_hash_leave_order(coras_arrival_hash *h)
{
    struct coras_hash_behind_options options = h->options;

    if (!coras_arrival_hash_is_in_order(h))
        return;
    options.hasher = h->hasher;
    options.position = h->reached;
    if (coras_hash_behind_start(&options, &h->behind, NULL) == 0)
        h->hasher = NULL;
    else
        h->lost = true; /* no thread: no reason to stop */
}

void coras_arrival_hash_scatter(coras_arrival_hash *h)
{
    h->options.handed = 0;
    if (h->behind)
        coras_hash_behind_give_no_more(h->behind);
    else
        coras_arrival_hash_leave_order(h);
}

void coras_arrival_hash_advance(coras_arrival_hash *h, int64_t front)
{
    if (h->behind)
        coras_hash_behind_advance(h->behind, front);
}

int coras_arrival_hash_get(coras_arrival_hash *h, coras_digest *ret, coras_error **err)
{
    if (h->behind)
        return coras_hash_behind_get(h->behind, true, ret, err);
    if (h->lost || h->reached != h->options.size)
        return coras_hash_now(&h->options, ret, err);
    coras_hasher_final(h->hasher, ret);
    return 0;
}
