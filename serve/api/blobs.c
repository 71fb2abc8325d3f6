/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs: sent whole or in part, checked, forgotten. */
#include "serve/api/operations.h"

#include <inttypes.h>
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/collect.h"
#include "serve/api/errors.h"
#include "serve/api/far_blob.h"
#include "serve/http/log.h"
#include "serve/proxy/cached_blob.h"

void serve_blob_describe(struct serve_exchange *x, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_digest(x, "Docker-Content-Digest", digest);
    serve_answer_header(x, "ETag", "\"%s\"", coras_digest_format(digest, text));
    serve_answer_header(x, "Cache-Control", "max-age=31536000, immutable");
    serve_answer_header(x, "Accept-Ranges", "bytes");
}

bool serve_blob_is_known(struct serve_exchange *x, const coras_digest *digest)
{
    if (!serve_etag_named(serve_exchange_header(x, "If-None-Match"), digest))
        return false;
    serve_answer_empty(x, 304);
    return true;
}

enum serve_range_kind serve_blob_range(const struct serve_exchange *x, int64_t size,
                                       struct serve_range *ret)
{
    const char *header = x->method == SERVE_GET ? serve_exchange_header(x, "Range") : NULL;
    const char *if_range = serve_exchange_header(x, "If-Range");

    *ret = (struct serve_range){0, size - 1};
    /* weak tags do not count here: RFC 9110 13.1.5 */
    if (if_range &&
        (coras_str_starts(if_range, "W/") || !serve_etag_named(if_range, &x->route.digest)))
        header = NULL;
    return serve_range_parse(header, size, ret);
}

bool serve_blob_answer_range(struct serve_exchange *x, int64_t size, enum serve_range_kind kind,
                             const struct serve_range *range)
{
    if (kind == SERVE_RANGE_UNSATISFIABLE) {
        serve_answer_header(x, "Content-Range", "bytes */%" PRId64, size);
        serve_answer_error(x, SERVE_API_RANGE_INVALID, "range not satisfiable", NULL);
        return false;
    }
    x->answer.offset = range->first;
    x->answer.length = size;
    if (kind == SERVE_RANGE_PART) {
        x->answer.length = range->last - range->first + 1;
        serve_answer_header(x, "Content-Range", "bytes %" PRId64 "-%" PRId64 "/%" PRId64,
                            range->first, range->last, size);
    }
    serve_answer_body(x, kind == SERVE_RANGE_PART ? 206 : 200, "application/octet-stream");
    return true;
}

/*
 * A client that finds the blob here does not push it, and names it in a manifest later: the
 * collector must not take it in between. What is young is safe without a write.
 */
static int keep_for_pusher(struct serve_exchange *x)
{
    int64_t before = coras_wall_s() - SERVE_COLLECT_GRACE_S / 2;
    int rc;

    if (x->method != SERVE_HEAD || x->registry->read_only)
        return 0;
    rc =
        x->content->ops->keep_blob(x->content, x->route.repository, &x->route.digest, before, NULL);
    return rc == CORAS_ERR_NOT_FOUND ? rc : 0; /* a full disk does not end reading */
}

/* Open a blob that is stored according to the metadata. A client that hears NOT_FOUND
 * pushes the blob again, and so repairs it; whoever runs the registry has to hear of it too. */
static int fetch(struct serve_exchange *x, const char *repository, const coras_digest *digest,
                 int64_t size, serve_open_blob *ret, coras_error **err)
{
    int rc = x->content->ops->open_blob(x->content, repository, digest, size, ret, err);

    if (rc == CORAS_ERR_NOT_FOUND)
        serve_log_failure(x->target, coras_error_message(*err));
    return rc;
}

int serve_blob_check(struct serve_exchange *x, const char *repository, const coras_digest *digest,
                     int64_t *ret_size, coras_error **err)
{
    coras_auto_value(serve_open_blob) blob = SERVE_OPEN_BLOB_INIT;
    int64_t size = 0;

    CORAS_TRY(x->content->ops->find_blob(x->content, repository, digest, &size, err));
    CORAS_TRY(fetch(x, repository, digest, size, &blob, err));
    if (ret_size)
        *ret_size = size;
    return 0;
}

void serve_blob_answer_unknown(struct serve_exchange *x)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_error(x, SERVE_API_BLOB_UNKNOWN, "blob unknown to this repository",
                       coras_digest_format(&x->route.digest, text));
}

void serve_blob_hold(struct serve_exchange *x)
{
    if (x->holds_blob)
        return;
    serve_uses_hold(x->registry->uses, &x->route.digest);
    x->holds_blob = true;
}

/* The body is on its way already; what fails now cuts the connection. */
static void answer_far(struct serve_exchange *x, serve_open_blob *blob)
{
    coras_auto(coras_error) err = NULL;
    serve_far_blob *far = blob->far;

    blob->far = NULL;
    if (serve_far_blob_stream(x, far, &err) < 0) {
        serve_log_failure(x->target, coras_error_message(err));
        x->answer.incomplete = true;
    }
}

static void answer_open(struct serve_exchange *x, serve_open_blob *blob, int64_t size)
{
    const coras_digest *digest = &x->route.digest;
    struct serve_range range;
    enum serve_range_kind kind = serve_blob_range(x, size, &range);

    serve_blob_describe(x, digest);
    if (serve_blob_is_known(x, digest))
        return;
    if (blob->far && x->method == SERVE_GET && !x->registry->options.no_redirect) {
        serve_far_blob_redirect(x, blob->far);
        return;
    }
    if (!serve_blob_answer_range(x, size, kind, &range))
        return;
    x->answer.fd = blob->fd;
    blob->fd = -1;
    if (blob->far)
        answer_far(x, blob);
}

bool serve_blob_answer_stored(struct serve_exchange *x)
{
    const coras_digest *digest = &x->route.digest;
    coras_auto_value(serve_open_blob) blob = SERVE_OPEN_BLOB_INIT;
    coras_auto(coras_error) err = NULL;
    int64_t size = 0;
    int rc = x->content->ops->find_blob(x->content, x->route.repository, digest, &size, &err);

    if (rc == 0)
        serve_blob_hold(x);
    if (rc == 0)
        rc = keep_for_pusher(x);
    if (rc == 0)
        rc = fetch(x, x->route.repository, digest, size, &blob, &err);
    if (rc == CORAS_ERR_NOT_FOUND)
        return false;
    if (rc < 0)
        serve_answer_failure(x, err);
    else
        answer_open(x, &blob, size);
    return true;
}

/* Content of an upstream that is here already. */
static void count_hit(struct serve_exchange *x)
{
    serve_metrics *m = x->registry->metrics;
    struct serve_labels labels = {.kind = SERVE_KIND_BLOB, .result = SERVE_RESULT_HIT};

    if (!x->place.upstream)
        return;
    labels.upstream = x->place.upstream->metrics_label;
    serve_metrics_add(m, SERVE_METRIC_CACHE_REQUESTS, &labels, 1);
    if (x->method == SERVE_GET)
        serve_metrics_add(m, SERVE_METRIC_CACHE_SENT_BYTES, &labels, x->answer.length);
}

void serve_blob_get(struct serve_exchange *x)
{
    if (serve_blob_answer_stored(x)) {
        count_hit(x);
        return;
    }
    if (!x->place.upstream || !x->registry->fills)
        serve_blob_answer_unknown(x);
    else if (!x->may_ask && serve_cached_blob_follow(x))
        return;
    else if (serve_exchange_may_ask(x))
        serve_cached_blob_get(x);
}

void serve_blob_delete(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    int rc;

    if (x->registry->options.disable_delete) {
        serve_answer_error(x, SERVE_API_UNSUPPORTED, "deleting is switched off", NULL);
        return;
    }
    rc = x->content->ops->unlink_blob(x->content, x->route.repository, &x->route.digest, &err);
    if (rc == CORAS_ERR_NOT_FOUND)
        serve_blob_answer_unknown(x);
    else if (rc < 0)
        serve_answer_failure(x, err);
    else
        serve_answer_empty(x, 202);
}

void serve_blob_created(struct serve_exchange *x, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_header(x, "Location", "/v2/%s/blobs/%s", x->asked,
                        coras_digest_format(digest, text));
    serve_answer_digest(x, "Docker-Content-Digest", digest);
    serve_answer_empty(x, 201);
}
