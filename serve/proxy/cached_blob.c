/* SPDX-License-Identifier: Apache-2.0 */
/* From a miss to a fill, or to an answer without one: who is asked what. */
#include "serve/proxy/cached_blob_impl.h"

#include "base/alloc.h"
#include "base/error.h"
#include "serve/api/errors.h"
#include "serve/api/operations.h"
#include "serve/proxy/blob_look.h"
#include "serve/proxy/failure.h"
#include "serve/proxy/fills.h"
#include "serve/proxy/following.h"

void serve_blob_asked_count(const struct serve_blob_asked *a, enum serve_metric_result result)
{
    serve_metrics_add(a->exchange->registry->metrics, SERVE_METRIC_CACHE_REQUESTS,
                      SERVE_LABELS(.upstream = a->label, .kind = SERVE_KIND_BLOB, .result = result),
                      1);
}

/* ---- asking the upstream ---- */

/* One that does not answer, or did not have it a moment ago, is not asked again by everybody. */
static int may_ask(struct serve_blob_asked *a, coras_error **err)
{
    int64_t wait_ms = 0;
    enum serve_upstream_state state;

    if (serve_blob_is_absent(a->exchange, a->digest))
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "it was not there a moment ago");
    state = serve_upstream_state(a->exchange->place.upstream, &wait_ms);
    if (state == SERVE_UPSTREAM_ASK)
        return 0;
    a->said = serve_said_unasked(state, wait_ms);
    a->has_said = true;
    return coras_fail(err, CORAS_ERR_CONNECT, "the upstream is not asked now");
}

/* Whether this repository's upstream has it, and how large it is. */
static int look(struct serve_blob_asked *a, int64_t *ret_size, coras_error **err)
{
    a->said = serve_blob_look(a->exchange, a->digest, ret_size);
    if (a->said.kind == SERVE_SAID_YES)
        return 0;
    a->has_said = true;
    return coras_fail(err, a->said.kind == SERVE_SAID_ABSENT ? CORAS_ERR_NOT_FOUND : CORAS_ERR_HTTP,
                      "the upstream has not said that it has the blob");
}

/* ---- what is here for another repository ---- */

static bool is_stored(const struct serve_blob_asked *a, int64_t *ret_size)
{
    const struct serve_registry *r = a->exchange->registry;

    return serve_own_content_has(&r->own, a->digest, ret_size);
}

/* The upstream has said so. */
static int link_stored(const struct serve_blob_asked *a, int64_t size, coras_error **err)
{
    const struct serve_exchange *x = a->exchange;
    struct serve_registry *r = x->registry;
    int rc;

    pthread_rwlock_rdlock(&r->store->collecting);
    rc = serve_metadata_link_cached_blob(r->metadata, x->place.local, a->digest, size, NULL, err);
    pthread_rwlock_unlock(&r->store->collecting);
    return rc;
}

/* The same of what the database has of it. */
static int link_found(const struct serve_blob_asked *a, coras_error **err)
{
    int64_t size = 0;

    CORAS_TRY(
        serve_metadata_find_blob(a->exchange->registry->metadata, NULL, a->digest, &size, err));
    return link_stored(a, size, err);
}

/* EXISTS: it is the repository's now. 0: there is nothing of the kind. */
static int try_stored(struct serve_blob_asked *a, coras_error **err)
{
    int64_t size = 0, told = 0;

    if (!is_stored(a, &size))
        return 0;
    CORAS_TRY(look(a, &told, err));
    CORAS_TRY(link_stored(a, size, err));
    return coras_fail(err, CORAS_ERR_EXISTS, "it is here by now");
}

/* ---- fills ---- */

/* A fill has ended since we looked: for another repository, perhaps. `is_told`: the upstream has
 * said that ours holds it. 0: what is stored is ours, too. */
static int take_over(struct serve_blob_asked *a, bool is_told, coras_error **err)
{
    coras_auto(coras_error) stored = NULL;
    int rc;

    if (is_told)
        return link_found(a, err);
    rc = try_stored(a, &stored);
    if (rc < 0 && rc != CORAS_ERR_EXISTS)
        coras_error_propagate(err, &stored);
    return rc == CORAS_ERR_EXISTS ? 0 : rc;
}

/* The fill is this repository's, too. `is_told`: the upstream has said that it holds the blob. */
static int confirm(struct serve_blob_asked *a, serve_fill *f, bool is_told, coras_error **err)
{
    const char *repository = a->exchange->place.local;
    int64_t size = 0;

    if (serve_fill_is_confirmed(f, repository))
        return 0;
    if (!is_told)
        CORAS_TRY(look(a, &size, err));
    /* too late means that it is stored, and links are made */
    return serve_fill_confirm(f, repository) ? 0 : link_found(a, err);
}

/* Take part in the fill, which may mean to begin it. EXISTS: it was stored meanwhile. */
static int join(struct serve_blob_asked *a, serve_fill **ret, bool *ret_began, coras_error **err)
{
    const serve_place *place = &a->exchange->place;
    serve_fills *fills = a->exchange->registry->fills;
    serve_fill *running = serve_fills_find(fills, a->digest);
    bool is_ours = running && serve_fill_is_confirmed(running, place->local);
    const struct serve_fill_request request = {place->upstream, place->remote, place->via,
                                               place->local, a->digest};
    coras_auto(coras_error) late = NULL;
    int64_t size = 0;
    int rc;

    serve_fills_leave(fills, running);
    if (running && !is_ours)
        CORAS_TRY(look(a, &size, err));
    else if (!running)
        CORAS_TRY(may_ask(a, err));
    rc = serve_fills_join(fills, &request, ret, ret_began, &late);
    if (rc == CORAS_ERR_EXISTS && !is_ours)
        CORAS_TRY(take_over(a, running != NULL, err));
    coras_error_propagate(err, &late);
    if (rc < 0)
        return rc;
    /* another one may have begun it since we looked, for a repository that is not ours */
    rc = confirm(a, *ret, running != NULL, err);
    if (rc < 0)
        serve_fills_leave(fills, coras_steal(ret));
    return rc;
}

/* ---- GET ---- */

static int get(struct serve_blob_asked *a, coras_error **err)
{
    struct serve_exchange *x = a->exchange;
    serve_fill *f = NULL;
    bool began = false;

    serve_blob_hold(x);
    CORAS_TRY(try_stored(a, err));
    CORAS_TRY(join(a, &f, &began, err));
    return serve_fill_answer(a, f, began, err);
}

void serve_blob_asked_get(struct serve_blob_asked *a)
{
    coras_auto(coras_error) failure = NULL;
    int rc = get(a, &failure);

    if (rc < 0)
        serve_blob_asked_fail(a, rc, failure);
}

/* A fill that runs, and is ours to read. */
static bool can_follow(serve_fill *f, const char *repository)
{
    bool runs;

    pthread_mutex_lock(&f->lock);
    runs = f->state == SERVE_FILL_RUNNING;
    pthread_mutex_unlock(&f->lock);
    return runs && serve_fill_is_confirmed(f, repository) && serve_fill_can_join(f);
}

bool serve_cached_blob_follow(struct serve_exchange *x)
{
    const struct serve_blob_asked a = {x, &x->route.digest, x->place.upstream->metrics_label};
    serve_fills *fills = x->registry->fills;
    serve_fill *f = x->method == SERVE_GET ? serve_fills_find(fills, a.digest) : NULL;

    if (!f || !can_follow(f, x->place.local)) {
        serve_fills_leave(fills, f);
        return false;
    }
    serve_blob_hold(x);
    return serve_fill_answer(&a, f, false, NULL) == 0;
}

/* ---- HEAD ---- */

static void close_nothing(void *user)
{
    (void)user;
}

/* The length of the running fill, when it is known and ours to tell; else -1. */
static int64_t running_size(const struct serve_blob_asked *a)
{
    serve_fills *fills = a->exchange->registry->fills;
    serve_fill *f = serve_fills_find(fills, a->digest);
    int64_t size = -1;

    if (f && serve_fill_is_confirmed(f, a->exchange->place.local)) {
        pthread_mutex_lock(&f->lock);
        size = f->size;
        pthread_mutex_unlock(&f->lock);
    }
    serve_fills_leave(fills, f);
    return size;
}

static int head(struct serve_blob_asked *a, coras_error **err)
{
    struct serve_exchange *x = a->exchange;
    const struct serve_range whole = {0, -1};
    int64_t size = running_size(a);

    if (size < 0) {
        CORAS_TRY(try_stored(a, err));
        CORAS_TRY(look(a, &size, err));
    }
    serve_blob_describe(x, a->digest);
    if (serve_blob_is_known(x, a->digest))
        return 0;
    (void)serve_blob_answer_range(x, size, SERVE_RANGE_WHOLE, &whole);
    x->answer.stream =
        (struct serve_stream){.close = close_nothing, .user = x}; /* its length alone */
    serve_blob_asked_count(a, SERVE_RESULT_PASS);
    return 0;
}

/* ---- the whole ---- */

void serve_blob_asked_fail(struct serve_blob_asked *a, int rc, const coras_error *failure)
{
    struct serve_exchange *x = a->exchange;

    if (rc == CORAS_ERR_EXISTS && serve_blob_answer_stored(x)) {
        serve_blob_asked_count(a, SERVE_RESULT_HIT);
    } else if (serve_upstream_has_none(failure)) {
        serve_blob_asked_count(a, SERVE_RESULT_NEGATIVE);
        serve_blob_note_absent(x, a->digest);
        serve_blob_answer_unknown(x);
    } else if (a->has_said && a->said.kind == SERVE_SAID_WAIT) {
        return;
    } else if (a->has_said) {
        serve_blob_asked_count(a, SERVE_RESULT_ERROR);
        serve_said_answer(x, a->said);
    } else {
        serve_blob_asked_count(a, SERVE_RESULT_ERROR);
        serve_answer_upstream_failure(x, failure);
    }
}

void serve_cached_blob_get(struct serve_exchange *x)
{
    coras_auto(coras_error) failure = NULL;
    struct serve_blob_asked a = {x, &x->route.digest, x->place.upstream->metrics_label};
    int rc;

    if (x->method == SERVE_GET) {
        serve_blob_asked_get(&a);
        return;
    }
    rc = head(&a, &failure);
    if (rc < 0)
        serve_blob_asked_fail(&a, rc, failure);
}

/* EXISTS: it is here. 0: it comes, and the operation runs again when that is over. */
static int begin_to_bring(struct serve_blob_asked *a, coras_error **err)
{
    serve_fill *f = NULL;
    bool began = false;
    int rc = try_stored(a, err);

    if (rc == 0)
        rc = join(a, &f, &began, err);
    return rc == 0 ? serve_follow_fill(a->exchange, f, SERVE_FIRST_BYTE_MS, err) : rc;
}

int serve_cached_blob_bring(struct serve_exchange *x, const coras_digest *digest, coras_error **err)
{
    struct serve_blob_asked a = {x, digest,
                                 x->place.upstream ? x->place.upstream->metrics_label : 0};
    coras_auto(coras_error) failure = NULL;
    int rc;

    if (!x->place.upstream || !x->registry->fills)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob not found");
    if (coras_digest_equal(&x->brought.digest, digest))
        return coras_fail(err, x->brought.rc < 0 ? x->brought.rc : CORAS_ERR_NOT_FOUND,
                          "it could not be brought");
    rc = begin_to_bring(&a, &failure);
    if (rc == CORAS_ERR_EXISTS)
        return 0;
    if (rc == 0)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "it is on its way");
    if (rc < 0 && serve_upstream_has_none(failure))
        rc = coras_error_recode(&failure, CORAS_ERR_NOT_FOUND);
    coras_error_propagate(err, &failure);
    return rc;
}

/* What is stored already waits for its turn: there is nothing of it to come. */
void serve_cached_blob_expect(struct serve_exchange *x, const coras_digest *digest)
{
    struct serve_blob_asked a = {x, digest, x->place.upstream->metrics_label};
    serve_fills *fills = x->registry->fills;
    serve_fill *f = serve_fills_find(fills, digest);
    bool began = false;
    int64_t size;

    if (!f && x->registry->options.keep_filling > 0 && !is_stored(&a, &size) &&
        join(&a, &f, &began, NULL) < 0)
        f = NULL;
    serve_fills_leave(fills, f);
}
