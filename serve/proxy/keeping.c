/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for what upstreams have told. */
#include "serve/proxy/keeping.h"

#include "base/error.h"
#include "serve/http/log.h"
#include "serve/proxy/freshness.h"

/* A document that we cannot read has the right digest all the same: it is kept as it is. */
static int put(struct serve_exchange *x, const struct serve_manifest_put *what, coras_error **err)
{
    coras_auto_value(coras_manifest) parsed = {0};
    struct serve_manifest_put m = *what;
    coras_digest missing;

    if (coras_media_type_is_manifest(m.media_type) &&
        coras_manifest_parse(m.content, m.size, m.media_type, &parsed, NULL) == 0)
        m.parsed = &parsed;
    return serve_metadata_put_manifest(x->registry->metadata, &m, &missing, err);
}

static int keep(struct serve_exchange *x, const char *tag, const struct serve_manifest_put *what,
                coras_error **err)
{
    coras_auto_value(coras_strlist) tags = {0};
    struct serve_manifest_put m = *what;
    size_t taken;
    int rc;

    CORAS_TRY(serve_freshness_tags_of(x->registry->upstreams->freshness, m.repository, &m.digest,
                                      &tags, err));
    if (tag && !coras_strlist_has(&tags, tag))
        CORAS_TRY(coras_strlist_add(&tags, tag, err));
    m.tags = &tags;
    m.is_cached = true;
    taken = serve_budget_take(x->registry->parsing, m.size);
    pthread_rwlock_rdlock(&x->registry->store->collecting);
    rc = put(x, &m, err);
    pthread_rwlock_unlock(&x->registry->store->collecting);
    serve_budget_give(x->registry->parsing, taken);
    return rc;
}

static void keep_or_say(struct serve_exchange *x, const char *tag,
                        const struct serve_manifest_put *m)
{
    coras_auto(coras_error) err = NULL;

    if (x->registry->read_only)
        return;
    if (keep(x, tag, m, &err) < 0)
        serve_log_failure(x->target, coras_error_message(err));
}

void serve_keep_manifest(struct serve_exchange *x, const char *tag, const coras_descriptor *desc,
                         const coras_buf *content)
{
    struct serve_manifest_put m = {.repository = x->route.repository,
                                   .digest = desc->digest,
                                   .media_type = desc->media_type,
                                   .content = content->ptr,
                                   .size = content->len};

    keep_or_say(x, tag, &m);
}

void serve_keep_tag(struct serve_exchange *x, const coras_digest *digest)
{
    struct serve_stored_manifest stored = {0};
    struct serve_manifest_put m = {.repository = x->route.repository, .digest = *digest};

    if (serve_metadata_get_manifest(x->registry->metadata, x->route.repository, NULL, digest, true,
                                    &stored, NULL) < 0)
        return;
    m.media_type = stored.media_type;
    m.content = stored.content;
    m.size = (size_t)stored.size;
    keep_or_say(x, NULL, &m);
    serve_stored_manifest_clear(&stored);
}

void serve_drop_tag(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    int rc;

    if (x->registry->read_only)
        return;
    rc = serve_metadata_forget_tag(x->registry->metadata, x->route.repository, x->route.tag, &err);
    if (rc < 0 && rc != CORAS_ERR_NOT_FOUND)
        serve_log_failure(x->target, coras_error_message(err));
}
