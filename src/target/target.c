/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public functions over targets: argument checks, and verification where the table of verbs
 * does not promise it.
 */
#include "target/target.h"

#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/limits.h"
#include "base/retry.h"
#include "oci/digest.h"

void coras_target_close(coras_target *target)
{
    if (target)
        target->ops->close(target);
}

void coras_landing_clear(coras_landing *l)
{
    if (l->partial && l->dirfd >= 0)
        close(l->dirfd);
    free(l->partial);
    *l = (coras_landing){.dirfd = -1};
}

/* ---- verified streaming ---- */

/* One piece of content on its way from a target to a sink that wants it whole and once. */
struct verified {
    coras_hasher *hasher;
    const coras_sink *sink;
    int64_t size;
    int64_t got;  /* bytes that the sink has */
    int64_t skip; /* bytes to drop: a target without ranges begins at 0 again */
};

static int verified_write(void *user, const void *data, size_t len, coras_error **err)
{
    struct verified *v = user;
    const char *bytes = data;

    if (v->skip >= (int64_t)len) {
        v->skip -= (int64_t)len;
        return 0;
    }
    bytes += v->skip;
    len -= (size_t)v->skip;
    v->skip = 0;
    if ((int64_t)len > v->size - v->got)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "more than %lld bytes: trailing data",
                          (long long)v->size);
    CORAS_TRY(v->sink->write(v->sink->user, bytes, len, err));
    coras_hasher_update(v->hasher, bytes, len);
    v->got += (int64_t)len;
    return 0;
}

/* One try, from where the sink stands. */
static int fetch_on(coras_target *t, const coras_descriptor *desc, struct verified *v,
                    bool *can_range, coras_error **err)
{
    coras_sink sink = {verified_write, v};
    coras_auto(coras_error) failure = NULL;

    v->skip = 0;
    if (v->got && *can_range) {
        int rc = t->ops->fetch(t, desc, v->got, -1, &sink, &failure);
        if (rc != CORAS_ERR_RANGE) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        *can_range = false;
    }
    v->skip = v->got;
    return t->ops->fetch(t, desc, 0, -1, &sink, err);
}

static int check_digest(struct verified *v, const coras_descriptor *desc, coras_error **err)
{
    char want[CORAS_DIGEST_TEXT_MAX], have[CORAS_DIGEST_TEXT_MAX];
    coras_digest digest;

    if (v->got != desc->size)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "got %lld of %lld bytes: unexpected EOF",
                          (long long)v->got, (long long)desc->size);
    coras_hasher_final(v->hasher, &digest);
    if (coras_digest_equal(&digest, &desc->digest))
        return 0;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest: %s expected, got %s",
                      coras_digest_format(&desc->digest, want), coras_digest_format(&digest, have));
}

static int stream_verified(coras_target *t, const coras_descriptor *desc, const coras_sink *sink,
                           coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    bool can_range = true;
    coras_retry tries = {.what = CORAS_RETRY_DOWNLOAD};

    CORAS_TRY(coras_hasher_new(desc->digest.algorithm, &hasher, err));
    struct verified v = {.hasher = hasher, .sink = sink, .size = desc->size};
    while (v.got < desc->size) {
        coras_auto(coras_error) failure = NULL;
        int64_t before = v.got;
        int rc = fetch_on(t, desc, &v, &can_range, &failure);
        if (rc >= 0)
            break;
        struct coras_retry_verdict verdict = coras_retry_after(&tries, failure, v.got > before);
        if (!verdict.again) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        CORAS_TRY(coras_cancel_sleep_ms(t->cancel, verdict.wait_ms, err));
    }
    return check_digest(&v, desc, err);
}

static int fetch_once_verified(coras_target *t, const coras_descriptor *desc, size_t limit,
                               coras_buf *ret, coras_error **err)
{
    coras_auto_buf content = CORAS_BUF_INIT(limit);
    coras_sink sink = coras_sink_buf(&content);

    CORAS_TRY(stream_verified(t, desc, &sink, err));
    coras_buf_put(ret, content.ptr, content.len);
    return coras_buf_done(ret, err);
}

/* Content that every reader knows without asking anybody. */
static bool known_content(const coras_descriptor *desc, coras_str *ret)
{
    if (desc->data)
        *ret = (coras_str){desc->data, desc->data_len};
    else if (coras_descriptor_is_empty(desc, false))
        *ret = CORAS_STR(CORAS_EMPTY_JSON);
    else
        return false;
    return true;
}

int coras_target_fetch_verified(coras_target *t, const coras_descriptor *desc, size_t limit,
                                coras_buf *ret, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_str known;

    if (desc->size < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "invalid descriptor size");
    if ((uint64_t)desc->size > limit)
        return coras_fail(err, CORAS_ERR_TOO_LARGE,
                          "content size %lld exceeds max size %zu: size exceeds limit",
                          (long long)desc->size, limit);
    if (known_content(desc, &known)) {
        coras_buf_put(ret, known.ptr, known.len);
        return coras_buf_done(ret, err);
    }
    int rc = fetch_once_verified(t, desc, limit, ret, &failure);
    if (rc == CORAS_ERR_DIGEST_MISMATCH) {
        /* A bad cache on the way may have a good neighbour. */
        (void)coras_target_distrust(t, desc);
        return fetch_once_verified(t, desc, limit, ret, err);
    }
    coras_error_propagate(err, &failure);
    return rc;
}

/* ---- the public calls ---- */

void coras_target_will_write(coras_target *target)
{
    if (target && target->ops->will_write)
        target->ops->will_write(target);
}

int coras_target_explain(coras_target *t, int rc, const char *reference, coras_error **err)
{
    if (rc == CORAS_ERR_NOT_FOUND && t->ops->explain_missing && err && *err)
        t->ops->explain_missing(t, reference, err);
    return rc;
}

int coras_resolve(coras_target *target, const char *reference, coras_descriptor *ret,
                  coras_error **err)
{
    if (!target || !reference || !ret)
        return coras_missing_argument(err);
    return coras_target_explain(target, target->ops->resolve(target, reference, ret, err),
                                reference, err);
}

int coras_fetch_manifest(coras_target *target, const char *reference, const char *accept,
                         coras_descriptor *ret, char **ret_bytes, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;

    if (!target || !reference || !ret || !ret_bytes)
        return coras_missing_argument(err);
    CORAS_TRY(coras_target_explain(
        target, target->ops->fetch_manifest(target, reference, accept, &desc, &bytes, err),
        reference, err));
    CORAS_TRY(coras_buf_take(&bytes, ret_bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

int coras_fetch_bytes(coras_target *target, const coras_descriptor *desc, size_t limit,
                      char **ret_bytes, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(limit);

    if (!target || !desc || !ret_bytes)
        return coras_missing_argument(err);
    CORAS_TRY(coras_target_fetch_verified(target, desc, limit, &bytes, err));
    return coras_buf_take(&bytes, ret_bytes, err);
}

static int drop(void *user, const void *data, size_t len, coras_error **err)
{
    (void)user;
    (void)data;
    (void)len;
    (void)err;
    return 0;
}

/* What a reader has got cannot be taken back: a cache's copy is read through before. */
static int check_copy(coras_target *t, const coras_descriptor *desc, coras_error **err)
{
    const coras_sink nowhere = {drop, NULL};
    coras_auto(coras_error) failure = NULL;

    if (!t->ops->bring)
        return 0;
    CORAS_TRY(coras_target_bring(t, desc, NULL, NULL, err));
    int rc = stream_verified(t, desc, &nowhere, &failure);
    if (rc == CORAS_ERR_DIGEST_MISMATCH && coras_target_distrust(t, desc))
        return coras_target_bring(t, desc, NULL, NULL, err);
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_fetch_blob(coras_target *target, const coras_descriptor *desc, coras_write_fn write,
                     void *user, coras_error **err)
{
    coras_sink sink = {write, user};

    if (!target || !desc || !write)
        return coras_missing_argument(err);
    if (desc->size < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "invalid descriptor size");
    CORAS_TRY(check_copy(target, desc, err));
    return stream_verified(target, desc, &sink, err);
}

int coras_resolve_blob(coras_target *target, const coras_digest *digest, coras_descriptor *ret,
                       coras_error **err)
{
    if (!target || !digest || !ret)
        return coras_missing_argument(err);
    return target->ops->resolve_blob(target, digest, ret, err);
}

int coras_probe_blob(coras_target *target, const coras_digest *digest, coras_descriptor *ret,
                     coras_error **err)
{
    if (!target || !digest || !ret)
        return coras_missing_argument(err);
    return target->ops->probe_blob ? target->ops->probe_blob(target, digest, ret, err)
                                   : target->ops->resolve_blob(target, digest, ret, err);
}

int coras_exists(coras_target *target, const coras_descriptor *desc, bool *ret, coras_error **err)
{
    if (!target || !desc || !ret)
        return coras_missing_argument(err);
    return target->ops->exists(target, desc, ret, err);
}

int coras_push_manifest(coras_target *target, const coras_descriptor *desc, const void *data,
                        const char *reference, coras_error **err)
{
    if (!target || !desc || !data)
        return coras_missing_argument(err);
    coras_target_will_write(target);
    return target->ops->push_manifest(target, desc, data, reference, err);
}

int coras_list_tags(coras_target *target, const char *last,
                    bool (*visit)(const char *tag, void *user), void *user, coras_error **err)
{
    if (!target || !visit)
        return coras_missing_argument(err);
    return target->ops->tags(target, last, visit, user, err);
}

int coras_list_referrers(coras_target *target, const coras_descriptor *desc,
                         const char *artifact_type,
                         bool (*visit)(const coras_descriptor *referrer, void *user), void *user,
                         coras_error **err)
{
    if (!target || !desc || !visit)
        return coras_missing_argument(err);
    return target->ops->referrers(target, desc, artifact_type, visit, user, err);
}

int coras_delete(coras_target *target, const coras_descriptor *desc, coras_error **err)
{
    if (!target || !desc)
        return coras_missing_argument(err);
    return target->ops->remove(target, desc, err);
}
