/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a repository as a target, and holds what all its verbs share: requests, references, the
 * words for what is not there.
 */
#include "registry/registry.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/retry.h"
#include "client/lane_memory.h"
#include "coras/reference.h"
#include "gospell/quote.h"
#include "oci/digest.h"
#include "registry/hints.h"

static void registry_close(coras_target *t)
{
    coras_registry *r = coras_registry_of(t);

    free(r->host);
    free(r->repository);
    free(r->base_url);
    free(r->pull.text);
    free(r->push.text);
    free(r->remove.text);
    coras_registry_manner_clear(r);
    coras_map_free(r->sessions);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->referrers_lock);
    free(r);
}

static unsigned known_lanes(coras_target *t)
{
    const coras_registry *r = coras_registry_of(t);

    return coras_client_known_lanes(r->client, r->host);
}

static void learn_lanes(coras_target *t, unsigned connections)
{
    const coras_registry *r = coras_registry_of(t);

    coras_client_learn_lanes(r->client, r->host, connections);
}

static bool is_here(coras_target *t)
{
    const coras_registry *r = coras_registry_of(t);

    return coras_client_is_here(r->client, r->host);
}

static bool is_encrypted(coras_target *t)
{
    return coras_str_starts(coras_registry_of(t)->base_url, "https:");
}

static const coras_target_ops registry_ops = {
    .kind = "registry",
    .names_by_push = true,
    .takes_unhashed = true,
    .close = registry_close,
    .resolve = coras_registry_resolve,
    .fetch_manifest = coras_registry_fetch_manifest,
    .fetch = coras_registry_fetch,
    .read_blob = coras_registry_read_blob,
    .resolve_blob = coras_registry_resolve_blob,
    .probe_blob = coras_registry_probe_blob,
    .exists = coras_registry_exists,
    .push_blob = coras_registry_push_blob,
    .push_manifest = coras_registry_push_manifest,
    .tag = coras_registry_tag,
    .tags = coras_registry_tags,
    .referrers = coras_registry_referrers,
    .remove = coras_registry_remove,
    .mount = coras_registry_mount,
    .claim = coras_registry_claim,
    .known_lanes = known_lanes,
    .learn_lanes = learn_lanes,
    .is_here = is_here,
    .is_encrypted = is_encrypted,
    .will_write = coras_registry_will_write,
    .explain_missing = coras_registry_explain_missing,
};

static bool scope_set(coras_registry_scope *s, const char *repository, const char *actions)
{
    s->text = coras_asprintf("repository:%s:%s", repository, actions);
    s->list[0] = s->text;
    return s->text != NULL;
}

static int fill(coras_registry *r, const char *registry, const char *repository, coras_error **err)
{
    bool api_only = coras_client_referrers_mode(r->client) == CORAS_REFERRERS_API;

    r->host = coras_strdup(registry);
    r->repository = coras_strdup(repository);
    r->sessions = coras_map_new(free);
    /* Deleting a referrer may mean rewriting a referrers tag, which is a push. */
    if (!r->host || !r->repository || !r->sessions || !scope_set(&r->pull, repository, "pull") ||
        !scope_set(&r->push, repository, "pull,push") ||
        !scope_set(&r->remove, repository, api_only ? "delete,pull" : "delete,pull,push"))
        return coras_fail_no_memory(err);
    return coras_client_base_url(r->client, registry, &r->base_url, err);
}

int coras_repository_open(coras_client *client, const char *registry, const char *repository,
                          coras_target **ret, coras_error **err)
{
    if (!client || !registry || !repository || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_registry_validate(registry, err));
    CORAS_TRY(coras_repository_validate(repository, err));
    coras_registry *r = coras_new(coras_registry);
    if (!r)
        return coras_fail_no_memory(err);
    r->base = (coras_target){.ops = &registry_ops, .cancel = coras_client_cancel(client)};
    r->client = client;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->referrers_lock, NULL);
    int rc = fill(r, registry, repository, err);
    if (rc < 0) {
        registry_close(&r->base);
        return rc;
    }
    *ret = &r->base;
    return 0;
}

/* ---- requests ---- */

void coras_registry_put_url(const coras_registry *r, coras_buf *b, const char *path)
{
    coras_buf_puts(b, r->base_url);
    coras_buf_puts(b, "/v2/");
    coras_buf_puts(b, r->repository);
    coras_buf_putc(b, '/');
    coras_buf_puts(b, path);
}

void coras_registry_put_query(const coras_registry *r, coras_buf *b)
{
    if (!r->query)
        return;
    coras_buf_putc(b, b->ptr && strchr(b->ptr, '?') ? '&' : '?');
    coras_buf_puts(b, r->query);
}

int coras_registry_url(const coras_registry *r, const char *kind, const char *name, char **ret,
                       coras_error **err)
{
    coras_auto_buf b = CORAS_BUF_UNLIMITED;

    coras_registry_put_url(r, &b, kind);
    coras_buf_putc(&b, '/');
    coras_buf_puts(&b, name);
    coras_registry_put_query(r, &b);
    return coras_buf_take(&b, ret, err);
}

const coras_registry_scope *coras_registry_read_scope(const coras_registry *r)
{
    return atomic_load_explicit(&r->is_written, memory_order_relaxed) ? &r->push : &r->pull;
}

void coras_registry_will_write(coras_target *t)
{
    atomic_store(&coras_registry_of(t)->is_written, true);
}

coras_request coras_registry_request(const coras_registry *r, const char *method, const char *url,
                                     const coras_registry_scope *scope)
{
    coras_request req = {
        .method = method,
        .url = url,
        .registry = r->host,
        .scopes = scope->list,
        .small = true,
    };

    coras_registry_manner_apply(&r->manner, &req);
    return req;
}

void coras_registry_mark_retryable(coras_error **err)
{
    if (err && coras_status_is_transient(coras_error_http_status(*err)))
        coras_error_set_retryable(err, true);
}

/* ---- references ---- */

int coras_registry_parse_reference(const char *reference, coras_digest *ret_digest,
                                   coras_error **err)
{
    if (!*reference)
        return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "invalid reference");
    if (strchr(reference, ':')) {
        int rc = coras_digest_parse(reference, ret_digest, err);
        if (rc == 0)
            return 0;
        coras_auto_free char *quoted = coras_go_quote_dup(reference);
        if (!quoted)
            return coras_fail_no_memory(err);
        return coras_wrap(err, rc, "invalid reference: invalid digest %s", quoted);
    }
    CORAS_TRY(coras_tag_validate(reference, err));
    *ret_digest = (coras_digest){.algorithm = CORAS_DIGEST_NONE};
    return 0;
}

int coras_registry_not_found(const coras_registry *r, const char *reference, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s/%s%c%s: not found", r->host, r->repository,
                      strchr(reference, ':') ? '@' : ':', reference);
}

int coras_registry_digest_not_found(const coras_registry *r, const coras_digest *digest,
                                    coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    return coras_registry_not_found(r, coras_digest_format(digest, text), err);
}

int coras_registry_content_not_found(const coras_digest *digest, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s: not found", coras_digest_format(digest, text));
}

int coras_registry_content_digest(const coras_response *resp, coras_digest *ret, coras_error **err)
{
    const char *value = coras_response_header(resp, "Docker-Content-Digest");
    coras_auto(coras_error) problem = NULL;

    if (!value || !*value)
        return 0;
    int rc = coras_digest_parse(value, ret, &problem);
    if (rc == 0)
        return 1;
    if (rc == CORAS_ERR_UNSUPPORTED_DIGEST)
        return 0;
    coras_auto_free char *shown = coras_escape_dup(value);
    return coras_fail(err, CORAS_ERR_PROTOCOL,
                      "invalid response header `Docker-Content-Digest: %.160s`: %s",
                      shown ? shown : "", coras_error_message(problem));
}
