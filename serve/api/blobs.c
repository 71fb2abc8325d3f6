/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs: sent whole or in part, checked, forgotten. */
#include "serve/api/operations.h"

#include <inttypes.h>
#include "base/clock.h"
#include "base/error.h"
#include "serve/storage/collect.h"
#include "serve/api/errors.h"
#include "serve/http/log.h"
#include "serve/http/ranges.h"

static void describe(struct serve_exchange *x, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_digest(x, "Docker-Content-Digest", digest);
    serve_answer_header(x, "ETag", "\"%s\"", coras_digest_format(digest, text));
    serve_answer_header(x, "Cache-Control", "max-age=31536000, immutable");
    serve_answer_header(x, "Accept-Ranges", "bytes");
}

/* Send [first, last] of the open blob, or say that there is no such part. */
static void answer_range(struct serve_exchange *x, int64_t size)
{
    const char *header = x->method == SERVE_GET ? serve_exchange_header(x, "Range") : NULL;
    const char *if_range = serve_exchange_header(x, "If-Range");
    struct serve_range range = {0, size - 1};
    enum serve_range_kind kind;

    /* weak tags do not count here: RFC 9110 13.1.5 */
    if (if_range &&
        (coras_str_starts(if_range, "W/") || !serve_etag_named(if_range, &x->route.digest)))
        header = NULL;
    kind = serve_range_parse(header, size, &range);
    if (kind == SERVE_RANGE_UNSATISFIABLE) {
        coras_close_fd(&x->answer.fd);
        serve_answer_header(x, "Content-Range", "bytes */%" PRId64, size);
        serve_answer_error(x, SERVE_API_RANGE_INVALID, "range not satisfiable", NULL);
        return;
    }
    x->answer.offset = range.first;
    x->answer.length = range.last - range.first + 1;
    if (kind == SERVE_RANGE_PART)
        serve_answer_header(x, "Content-Range", "bytes %" PRId64 "-%" PRId64 "/%" PRId64,
                            range.first, range.last, size);
    serve_answer_body(x, kind == SERVE_RANGE_PART ? 206 : 200, "application/octet-stream");
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

/* Open the file of a blob that is stored according to the metadata. A client that hears NOT_FOUND
 * pushes the blob again, and so repairs it; whoever runs the registry has to hear of it too. */
static int fetch(struct serve_exchange *x, const char *repository, const coras_digest *digest,
                 int64_t size, int *ret_fd, coras_error **err)
{
    int rc = x->content->ops->open_blob(x->content, repository, digest, size, ret_fd, err);

    if (rc == CORAS_ERR_NOT_FOUND)
        serve_log_failure(x->target, coras_error_message(*err));
    return rc;
}

int serve_blob_check(struct serve_exchange *x, const char *repository, const coras_digest *digest,
                     coras_error **err)
{
    coras_auto_fd fd = -1;
    int64_t size = 0;

    CORAS_TRY(x->content->ops->find_blob(x->content, repository, digest, &size, err));
    return fetch(x, repository, digest, size, &fd, err);
}

static void answer_unknown(struct serve_exchange *x)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_error(x, SERVE_API_BLOB_UNKNOWN, "blob unknown to this repository",
                       coras_digest_format(&x->route.digest, text));
}

void serve_blob_get(struct serve_exchange *x)
{
    const coras_digest *digest = &x->route.digest;
    coras_auto(coras_error) err = NULL;
    int64_t size = 0;
    int rc = x->content->ops->find_blob(x->content, x->route.repository, digest, &size, &err);

    if (rc == 0)
        rc = keep_for_pusher(x);
    if (rc == 0)
        rc = fetch(x, x->route.repository, digest, size, &x->answer.fd, &err);
    if (rc == CORAS_ERR_NOT_FOUND) {
        answer_unknown(x);
        return;
    }
    if (rc < 0) {
        serve_answer_failure(x, err);
        return;
    }
    describe(x, digest);
    if (serve_etag_named(serve_exchange_header(x, "If-None-Match"), digest)) {
        coras_close_fd(&x->answer.fd);
        serve_answer_empty(x, 304);
        return;
    }
    answer_range(x, size);
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
        answer_unknown(x);
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
