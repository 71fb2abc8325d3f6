/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads: sessions begun, continued, finished, cancelled; and blobs mounted instead. */
#include "serve/api/operations.h"

#include <inttypes.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/storage/collect.h"
#include "serve/api/errors.h"
#include "serve/http/ranges.h"

/* How often a long body looks at the free space. */
#define SPACE_CHECK_BYTES (16 * CORAS_MIB)

/* ---- answers ---- */

/* Where the session stands. "0-0" means nothing or one byte; every client lives with that. */
static void describe(struct serve_exchange *x, const char *id, int64_t size)
{
    serve_answer_header(x, "Location", "/v2/%s/blobs/uploads/%s", x->asked, id);
    serve_answer_header(x, "Range", "0-%" PRId64, size > 0 ? size - 1 : 0);
    serve_answer_header(x, "Docker-Upload-UUID", "%s", id);
}

static void answer_out_of_order(struct serve_exchange *x, const serve_session *s)
{
    describe(x, s->id, s->size);
    serve_answer_error(x, SERVE_API_RANGE_INVALID, "chunk does not begin where the upload ends",
                       NULL);
}

static void answer_unknown(struct serve_exchange *x)
{
    serve_answer_error(x, SERVE_API_BLOB_UPLOAD_UNKNOWN, "no such upload", NULL);
}

/* Somebody else writes: tell the client how far they have come. */
static void answer_held(struct serve_exchange *x, int64_t size)
{
    describe(x, x->route.session, size);
    if (x->method == SERVE_GET || x->method == SERVE_HEAD) {
        serve_answer_empty(x, 204);
        return;
    }
    serve_answer_error(x, SERVE_API_RANGE_INVALID, "another request is writing to this upload",
                       NULL);
}

static void release(struct serve_exchange *x)
{
    serve_session_release(x->registry->sessions, x->upload);
    x->upload = NULL;
}

static void drop(struct serve_exchange *x)
{
    serve_session_drop(x->registry->sessions, x->upload);
    x->upload = NULL;
}

static void answer_progress(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;

    if (serve_session_settle(x->registry->sessions, x->upload, &err) < 0) {
        serve_answer_failure(x, err);
    } else {
        describe(x, x->upload->id, x->upload->size);
        serve_answer_empty(x, 202);
    }
    release(x);
}

/* digest= of the query. false when it is there and wrong; then answered. */
static bool parse_digest_parameter(struct serve_exchange *x, const char *name, coras_digest *ret)
{
    const char *text = serve_query_get(&x->route.query, name);

    if (!text)
        return true;
    if (coras_digest_parse(text, ret, NULL) == 0)
        return true;
    serve_answer_error(x, SERVE_API_DIGEST_INVALID, "invalid or unsupported digest", text);
    return false;
}

/* Whether the disk keeps the free space that the operator asked for. */
static bool is_above_floor(const struct serve_exchange *x)
{
    int64_t floor = x->registry->options.min_free;
    int64_t space = floor > 0 ? coras_free_space(x->registry->store->uploads_fd) : -1;

    return space < 0 || space >= floor;
}

/* false: answered. */
static bool has_space(struct serve_exchange *x)
{
    if (is_above_floor(x))
        return true;
    serve_answer_error_status(x, 507, SERVE_API_DENIED, "no space left in the registry", NULL);
    return false;
}

/* ---- beginning ---- */

/* The repository to mount from by its name here; NULL for any that has the blob (*ret_any), and for
 * what is none. */
static char *mount_source(const struct serve_exchange *x, bool *ret_any)
{
    static const struct serve_query none = {0};
    const char *from = serve_query_get(&x->route.query, "from");
    serve_place place = {0};
    char *local = NULL;

    *ret_any = !from || !*from;
    if (!*ret_any &&
        serve_place_find(x->registry->upstreams, from, &none, &place) == SERVE_PLACE_OK)
        local = coras_steal(&place.local);
    serve_place_clear(&place);
    return local;
}

static int mount(struct serve_exchange *x, const coras_digest *digest, coras_error **err)
{
    bool any;
    coras_auto_free char *from = mount_source(x, &any);
    int rc;

    if (!from && !any)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "no such repository");
    if (!serve_access_may(x->registry->access, x->user, SERVE_RIGHT_READ, from))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "may not read the source");
    pthread_rwlock_rdlock(&x->registry->store->collecting);
    rc = serve_blob_check(x, from, digest, NULL, err);
    if (rc == 0)
        rc = x->content->ops->mount_blob(x->content, from, x->route.repository, digest, err);
    pthread_rwlock_unlock(&x->registry->store->collecting);
    return rc;
}

/* true when the mount was made, or failed for good: answered. */
static bool try_mount(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    coras_digest digest = {0};
    int rc;

    if (!serve_query_get(&x->route.query, "mount"))
        return false;
    if (!parse_digest_parameter(x, "mount", &digest))
        return true;
    rc = mount(x, &digest, &err);
    if (rc == CORAS_ERR_NOT_FOUND)
        return false; /* an ordinary upload begins */
    if (rc < 0)
        serve_answer_failure(x, err);
    else
        serve_blob_created(x, &digest);
    return true;
}

/* sha256 unless another is announced; 0 = answered. */
static int announced_algorithm(struct serve_exchange *x)
{
    const char *name = serve_query_get(&x->route.query, "digest-algorithm");

    if (x->expected.algorithm != CORAS_DIGEST_NONE)
        return x->expected.algorithm;
    if (!name)
        return CORAS_SHA256;
    for (int i = CORAS_SHA256; i <= CORAS_SHA512; i++) {
        if (coras_streq(name, coras_digest_algorithm_name(i)))
            return i;
    }
    serve_answer_error(x, SERVE_API_DIGEST_INVALID, "unsupported digest algorithm", name);
    return 0;
}

void serve_upload_start(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    struct serve_session_beginning beginning;
    int algorithm, rc;

    if (try_mount(x) || !has_space(x) || !parse_digest_parameter(x, "digest", &x->expected))
        return;
    algorithm = announced_algorithm(x);
    if (algorithm == 0)
        return;
    beginning =
        (struct serve_session_beginning){x->route.repository, x->user, x->network, algorithm};
    rc = serve_session_begin(x->registry->sessions, &beginning, &x->upload, &err);
    if (rc == CORAS_ERR_TOO_LARGE) {
        serve_answer_header(x, "Retry-After", "60");
        serve_answer_error(x, SERVE_API_TOOMANYREQUESTS, "too many uploads are open", NULL);
        return;
    }
    if (rc < 0) {
        serve_answer_failure(x, err);
        return;
    }
    x->finishing = x->upload_is_own = x->expected.algorithm != CORAS_DIGEST_NONE;
    if (!x->finishing && x->content_length <= 0) {
        answer_progress(x);
    }
}

/* ---- going on ---- */

/* A last request that came twice: its first answer was lost, or the first one had not ended when it
 * came. */
static bool was_finished(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;

    return serve_session_was_finished(x->registry->sessions, x->route.session, x->route.repository,
                                      &x->expected) &&
           serve_blob_check(x, x->route.repository, &x->expected, NULL, &err) == 0;
}

/* false: answered. */
static bool acquire(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    struct serve_session_request request = {
        .id = x->route.session,
        .repository = x->route.repository,
        .user = x->user,
        .holder = x->client,
        .look_only = x->method == SERVE_GET || x->method == SERVE_HEAD,
    };
    int64_t size = 0;
    int rc = serve_session_acquire(x->registry->sessions, &request, &x->upload, &size, &err);

    if (rc == 0)
        return true;
    if (rc == CORAS_ERR_NOT_FOUND && x->finishing && was_finished(x))
        serve_blob_created(x, &x->expected);
    else if (rc == CORAS_ERR_NOT_FOUND)
        answer_unknown(x);
    else if (rc == CORAS_ERR_EXISTS)
        answer_held(x, size);
    else
        serve_answer_failure(x, err);
    return false;
}

void serve_upload_status(struct serve_exchange *x)
{
    if (!acquire(x))
        return;
    describe(x, x->upload->id, x->upload->size);
    release(x);
    serve_answer_empty(x, 204);
}

void serve_upload_cancel(struct serve_exchange *x)
{
    if (!acquire(x))
        return;
    drop(x);
    serve_answer_empty(x, 204);
}

/* Spec: distribution-spec 1.1, "Pushing a blob in chunks". false: answered, session given back. */
static bool check_content_range(struct serve_exchange *x)
{
    const char *header = serve_exchange_header(x, "Content-Range");
    struct serve_range range;

    if (!header)
        return true; /* a stream: it goes on where the last one ended */
    if (!serve_content_range_parse(header, &range) ||
        (x->content_length >= 0 && range.last - range.first != x->content_length - 1)) {
        serve_answer_error(x, SERVE_API_SIZE_INVALID,
                           "Content-Range is malformed or does not fit the Content-Length", NULL);
        release(x);
        return false;
    }
    if (range.first != x->upload->size) {
        answer_out_of_order(x, x->upload);
        release(x);
        return false;
    }
    return true;
}

void serve_upload_chunk(struct serve_exchange *x)
{
    if (x->method == SERVE_PUT) {
        x->finishing = true;
        if (!serve_query_get(&x->route.query, "digest")) {
            serve_answer_error(x, SERVE_API_DIGEST_INVALID, "digest missing", NULL);
            return;
        }
        if (!parse_digest_parameter(x, "digest", &x->expected))
            return;
    }
    if (!acquire(x)) /* first: a last request that came twice needs no space */
        return;
    if (has_space(x))
        (void)check_content_range(x);
    else
        release(x);
}

/* ---- the body ---- */

/* A failure waits for the end of the body, where it is answered. */
void serve_upload_data(struct serve_exchange *x, const void *data, size_t len)
{
    if (x->body_error)
        return;
    if (x->received / SPACE_CHECK_BYTES > (x->received - (int64_t)len) / SPACE_CHECK_BYTES &&
        !is_above_floor(x)) {
        coras_fail(&x->body_error, CORAS_ERR_NO_SPACE, "free space fell below the floor");
        return;
    }
    (void)!serve_session_append(x->registry->sessions, x->upload, data, len, &x->body_error);
}

/* What did not fit must not keep the disk full for a week: few clients come back to cancel it. */
static void answer_body_error(struct serve_exchange *x)
{
    serve_answer_failure(x, x->body_error);
    if (x->upload_is_own || coras_error_code(x->body_error) == CORAS_ERR_NO_SPACE)
        drop(x);
    else
        release(x);
}

/* Verify at leisure; then store and link while the collector is kept out. */
static int finish_and_link(struct serve_exchange *x, coras_error **err)
{
    struct serve_registry *r = x->registry;
    int rc;

    CORAS_TRY(serve_session_verify(r->sessions, x->upload, &x->expected, err));
    pthread_rwlock_rdlock(&r->store->collecting);
    rc = x->content->ops->take_upload(x->content, r->sessions, &x->upload, &x->expected, err);
    pthread_rwlock_unlock(&r->store->collecting);
    if (rc < 0 && !x->upload)
        serve_collect_stray(r, &x->expected);
    return rc;
}

static void finish(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    int rc = finish_and_link(x, &err);

    if (rc == 0) {
        serve_blob_created(x, &x->expected);
    } else if (rc == CORAS_ERR_DIGEST_MISMATCH) {
        serve_answer_error(x, SERVE_API_DIGEST_INVALID, coras_error_message(err), NULL);
        /* with its last bytes the content is known to be wrong; a bare PUT may have a wrong digest
         */
        if (x->received > 0)
            drop(x);
    } else {
        serve_answer_failure(x, err);
    }
    if (x->upload && x->upload_is_own)
        drop(x);
    else if (x->upload)
        release(x);
}

void serve_upload_end(struct serve_exchange *x)
{
    if (x->body_error) {
        answer_body_error(x);
    } else if (x->finishing) {
        finish(x);
    } else {
        answer_progress(x);
    }
}
