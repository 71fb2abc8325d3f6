/* SPDX-License-Identifier: Apache-2.0 */
/* From a fill that runs to an answer with its bytes: what is waited for, and what if it fails. */
#include "serve/proxy/cached_blob_impl.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/api/operations.h"
#include "serve/proxy/failure.h"
#include "serve/proxy/fills.h"
#include "serve/proxy/reader.h"

static bool is_gone(void *user)
{
    return serve_exchange_is_gone(user);
}

/* What it waits for: first the size, which tells what part it is, then the first byte of that. */
struct waiting {
    struct serve_blob_asked asked;
    serve_fill *fill; /* NULL: the reader has it */
    serve_reader *reader;
    bool began;
    int64_t deadline_ms;
    int64_t size;
    struct serve_range range;
    enum serve_range_kind kind;
    serve_waiter *waiter; /* that may be on the fill's list */
    bool begins_anew;
};

static void close_waiting(void *user)
{
    struct waiting *w = user;

    if (w->fill && w->waiter) {
        pthread_mutex_lock(&w->fill->lock);
        serve_fill_forget(w->fill, w->waiter);
        pthread_mutex_unlock(&w->fill->lock);
    }
    if (w->fill)
        serve_fills_leave(w->fill->fills, w->fill);
    serve_reader_free(w->reader);
    free(w);
}

/* 1: it is known what is wanted. */
static int find_part(struct waiting *w, const struct serve_fill_wait *wait, coras_error **err)
{
    struct serve_exchange *x = w->asked.exchange;
    int rc = serve_fill_look_size(w->fill, wait, &w->size, err);

    if (rc <= 0)
        return rc;
    w->range = (struct serve_range){0, -1};
    w->kind = w->size >= 0 ? serve_blob_range(x, w->size, &w->range) : SERVE_RANGE_WHOLE;
    w->reader = serve_reader_new(x, w->fill, &w->range, w->kind == SERVE_RANGE_PART);
    w->fill = NULL; /* it is the reader's, or left */
    return w->reader ? 1 : coras_fail_no_memory(err);
}

/* 1: there is something to begin with. */
static int find_bytes(struct waiting *w, const struct serve_fill_wait *wait, coras_error **err)
{
    if (w->kind == SERVE_RANGE_UNSATISFIABLE || w->size == 0)
        return 1;
    return serve_reader_look(w->reader, wait, err);
}

static void answer_part(struct waiting *w)
{
    struct serve_exchange *x = w->asked.exchange;

    serve_blob_describe(x, w->asked.digest);
    if (!serve_blob_is_known(x, w->asked.digest) &&
        serve_blob_answer_range(x, w->size, w->kind, &w->range))
        serve_reader_answer(coras_steal(&w->reader));
    serve_blob_asked_count(&w->asked, w->began ? SERVE_RESULT_FILL : SERVE_RESULT_JOIN);
}

/* Another process has stored it meanwhile. */
static void answer_from_store(struct waiting *w)
{
    coras_auto(coras_error) failure = NULL;

    (void)coras_fail(&failure, CORAS_ERR_EXISTS, "another process has stored it");
    serve_blob_asked_fail(&w->asked, CORAS_ERR_EXISTS, failure);
}

/* The upstream has refused another repository the blob that it says ours has. */
static bool is_no_fill_of_ours(const struct waiting *w, const coras_error *failure)
{
    const serve_place *place = &w->asked.exchange->place;
    int status = serve_upstream_status(failure);
    bool is_refusal = serve_upstream_has_none(failure) || status == 401 || status == 403;

    return is_refusal && !w->asked.is_again && w->fill &&
           (w->fill->upstream != place->upstream ||
            !coras_streq(w->fill->repository, place->remote));
}

/* As long as it is found, no other one is begun. */
static bool is_found(const struct waiting *w)
{
    serve_fills *fills = w->fill->fills;
    serve_fill *found = serve_fills_find(fills, w->asked.digest);

    serve_fills_leave(fills, found);
    return found == w->fill;
}

/* It is asked for under our own name. */
static void begin_anew(struct waiting *w)
{
    struct serve_exchange *x = w->asked.exchange;
    struct serve_blob_asked a = {x, w->asked.digest, w->asked.label, .is_again = true};
    const struct serve_pending own = x->pending;

    x->pending = (struct serve_pending){.user = NULL};
    serve_blob_asked_get(&a);
    if (x->pending.user)
        close_waiting(w);
    else
        x->pending = own;
}

static void work(struct serve_exchange *x, void *user)
{
    struct waiting *w = user;

    (void)x;
    if (w->begins_anew)
        begin_anew(w);
    else
        answer_from_store(w);
}

static enum serve_progress go_on(struct serve_exchange *x, void *user, serve_waiter *waiter)
{
    coras_auto(coras_error) failure = NULL;
    struct waiting *w = user;
    const struct serve_fill_wait wait = {is_gone, x, w->deadline_ms, waiter};
    int rc = 1;

    if (x->answer.status != 0) /* a worker has */
        return SERVE_PROGRESS_DONE;
    w->waiter = waiter;
    if (!w->reader)
        rc = find_part(w, &wait, &failure);
    if (rc > 0)
        rc = find_bytes(w, &wait, &failure);
    if (rc == 0)
        return SERVE_PROGRESS_LATER;
    w->begins_anew = rc < 0 && is_no_fill_of_ours(w, failure);
    if (w->begins_anew && is_found(w))
        return SERVE_PROGRESS_LATER;              /* for a moment, which nobody tells */
    if (rc == CORAS_ERR_EXISTS || w->begins_anew) /* which the database is asked for */
        return SERVE_PROGRESS_WORK;
    if (rc > 0)
        answer_part(w);
    else
        serve_blob_asked_fail(&w->asked, rc, failure);
    return SERVE_PROGRESS_DONE;
}

int serve_fill_answer(const struct serve_blob_asked *a, serve_fill *f, bool began,
                      coras_error **err)
{
    struct serve_exchange *x = a->exchange;
    struct waiting *w = coras_new(struct waiting);

    if (!w) {
        serve_fills_leave(f->fills, f);
        return coras_fail_no_memory(err);
    }
    *w = (struct waiting){.asked = *a,
                          .fill = f,
                          .began = began,
                          .deadline_ms = coras_now_ms() + SERVE_FIRST_BYTE_MS};
    x->pending =
        (struct serve_pending){.go_on = go_on, .work = work, .close = close_waiting, .user = w};
    return 0;
}
