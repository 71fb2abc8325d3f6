/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing what a pushed manifest names, some at a time. There may be thousands: whatever was here
 * once is not looked for again when the next one has come. Should it be gone by the end, storing
 * the manifest notices it.
 */
#include "serve/api/children.h"

#include "base/alloc.h"
#include "serve/api/operations.h"
#include "serve/proxy/cached_blob.h"
#include "serve/proxy/manifests.h"

/* The config, then the rest; NULL after the last one. */
static const coras_descriptor *child_at(const coras_manifest *m, size_t place)
{
    size_t before = m->has_config ? 1 : 0;

    if (place < before)
        return &m->config;
    return place - before < m->layers.len ? &m->layers.items[place - before] : NULL;
}

static bool is_here(struct serve_exchange *x, const struct serve_missing_child *w)
{
    struct serve_stored_manifest stored = {0};
    bool here;

    if (!w->is_manifest)
        return serve_blob_check(x, x->route.repository, &w->digest, NULL, NULL) == 0;
    here = serve_metadata_get_manifest(x->registry->metadata, x->route.repository, NULL, &w->digest,
                                       false, &stored, NULL) == 0;
    serve_stored_manifest_clear(&stored);
    return here;
}

static bool is_needed(const coras_descriptor *child, bool is_manifest)
{
    return is_manifest ? coras_media_type_is_manifest(child->media_type)
                       : !serve_metadata_is_foreign(child);
}

void serve_children_look(struct serve_exchange *x, const coras_manifest *m,
                         struct serve_missing_children *ret)
{
    bool is_index = coras_kind_is_index(m->kind);
    const coras_descriptor *child;

    for (size_t place = x->children_done;
         ret->len < SERVE_BROUGHT_AT_ONCE && (child = child_at(m, place)) != NULL; place++) {
        const struct serve_missing_child w = {child->digest, is_index && child != &m->config,
                                              place};
        if (is_needed(child, w.is_manifest) && !is_here(x, &w))
            ret->items[ret->len++] = w;
        else if (ret->len == 0)
            x->children_done = place + 1;
    }
}

/* The next ones come meanwhile. */
static void expect_after(struct serve_exchange *x, const struct serve_missing_children *missing,
                         size_t at)
{
    for (size_t i = at + 1; i < missing->len; i++) {
        if (!missing->items[i].is_manifest)
            serve_cached_blob_expect(x, &missing->items[i].digest);
    }
}

bool serve_children_bring(struct serve_exchange *x, const struct serve_missing_children *missing,
                          coras_digest *ret_missing)
{
    for (size_t i = 0; i < missing->len; i++) {
        const struct serve_missing_child *w = &missing->items[i];
        int rc = w->is_manifest ? serve_proxied_manifest_bring(x, &w->digest, NULL)
                                : serve_cached_blob_bring(x, &w->digest, NULL);
        if (x->pending.user) {
            expect_after(x, missing, i);
            return false;
        }
        *ret_missing = w->digest;
        if (rc < 0 && !w->is_manifest) /* of manifests the database notices it */
            return false;
        x->children_done = w->place + 1;
    }
    return true;
}
