/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a request: its steps, by whom each is done, and its end. */
#include <stddef.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "serve/api/errors.h"
#include "serve/http/front_impl.h"
#include "serve/http/log.h"

/* What is read and thrown away so that a refused client finds its answer. */
#define DRAIN_FAILED_BYTES  (64 * CORAS_MIB) /* an upload that went wrong on the way */
#define DRAIN_REFUSED_BYTES (8 * CORAS_MIB)  /* more than any manifest */
#define DRAIN_NOBODY_BYTES  (64 * CORAS_KIB)
/* How long one that waits sleeps before it looks by itself: what was not told is noticed soon, and
 * a client that has left in half a second. */
#define FIRST_WAIT_MS 4
#define LAST_WAIT_MS  512

/* ---- beginning ---- */

/* Its request must be alive. */
static void cut_client(void *user)
{
    const serve_request *r = user;

    serve_client_cut(r->front->clients, r->client);
}

static void wake(void *user)
{
    serve_request *r = user;

    serve_parked_wake(&r->parked);
}

static serve_client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void *serve_request_new(serve_front *f, const char *target, struct MHD_Connection *connection)
{
    serve_request *r = coras_new(serve_request);

    if (!r)
        return NULL;
    r->front = f;
    r->connection = connection;
    r->client = serve_client_hold(f->clients, client_of(connection));
    r->began_ms = coras_now_ms();
    r->parked = (serve_parked){.parking = f->parking, .connection = connection};
    r->waiter = (serve_waiter){.wake = wake, .user = r};
    r->wait_ms = FIRST_WAIT_MS;
    atomic_init(&r->users, 1);
    serve_exchange_init(&r->exchange, f->registry);
    r->received_target = target;
    r->exchange.target = coras_strdup(target);
    if (r->client)
        r->exchange.client = (struct serve_session_holder){cut_client, r};
    r->exchange.peer = r->client ? r->client->peer : "unknown";
    r->exchange.network = r->client ? r->client->network : "unknown";
    return r;
}

/* Nobody speaks while waiting for an answer but the next request, which is none of ours yet; an end
 * is one. */
static bool is_gone(void *connection)
{
    return serve_client_has_hung_up(client_of(connection));
}

void serve_request_enter(const serve_request *r, enum serve_phase phase)
{
    serve_client_enter(r->front->clients, r->client, phase);
}

static enum MHD_Result refuse_head(serve_request *r)
{
    r->exchange.answer.close = true;
    serve_answer_error_status(&r->exchange, 400, SERVE_API_UNSUPPORTED, "malformed request", NULL);
    return serve_reply(r);
}

static void begin(serve_request *r, const char *method)
{
    struct serve_exchange *x = &r->exchange;

    r->begun = true;
    atomic_fetch_add(&r->front->running, 1);
    serve_metrics_add(x->registry->metrics, SERVE_METRIC_RUNNING, NULL, 1);
    serve_request_enter(r, SERVE_PHASE_WORKING);
    if (x->registry->options.access_log) {
        const char *agent = serve_head_value(r->connection, "User-Agent");
        r->user_agent = agent ? coras_strdup(agent) : NULL;
        r->method = coras_strdup(method);
    }
    x->method = serve_method_of(method);
    x->connection = r->connection;
    x->header = serve_head_value;
    x->is_gone = is_gone;
}

/* ---- by whom ---- */

static void run_job(serve_job *job)
{
    serve_request *r = (serve_request *)((char *)job - offsetof(serve_request, job));

    if (!atomic_load(&r->front->stopping))
        r->work(r);
    atomic_store(&r->is_working, false);
    serve_parked_wake(&r->parked);
    serve_request_let_go(r);
}

bool serve_request_settle(serve_request *r, const atomic_bool *busy)
{
    while (atomic_load(busy)) {
        serve_parked_arm(&r->parked);
        if (!atomic_load(busy))
            serve_parked_disarm(&r->parked);
        else if (serve_parked_sleep(&r->parked, 0))
            return false;
    }
    return true;
}

bool serve_request_do(serve_request *r, enum serve_work kind, void (*work)(serve_request *r))
{
    if (kind == SERVE_WORK_NONE) {
        work(r);
        return true;
    }
    r->work = work;
    r->job.run = run_job;
    r->job.kind = kind;
    atomic_store(&r->is_working, true);
    atomic_fetch_add(&r->users, 1);
    if (!serve_workers_add(r->front->workers, &r->job)) {
        atomic_store(&r->is_working, false);
        atomic_fetch_sub(&r->users, 1);
        r->exchange.answer.incomplete = true; /* there is no answer */
        return true;
    }
    return serve_request_settle(r, &r->is_working);
}

/* The same with what the exchange asks for, in turn with others. */
static bool do_work(serve_request *r, enum serve_work kind, void (*work)(serve_request *r))
{
    struct serve_exchange *x = &r->exchange;

    r->job.not_before_ms = 0;
    r->job.is_late = false;
    r->job.party = kind == SERVE_WORK_ORIGIN ? x->place.upstream->label : x->network;
    x->may_ask = x->may_ask || kind == SERVE_WORK_ORIGIN;
    return serve_request_do(r, kind, work);
}

bool serve_request_wait(serve_request *r)
{
    int64_t wait_ms = r->wait_ms;

    r->wait_ms = wait_ms < LAST_WAIT_MS ? wait_ms * 2 : wait_ms;
    return !serve_parked_sleep(&r->parked, wait_ms);
}

/* ---- the head ---- */

static void do_admit(serve_request *r)
{
    serve_exchange_admit(&r->exchange);
}

static void do_begin(serve_request *r)
{
    serve_exchange_begin(&r->exchange);
}

/* One step; false: the connection sleeps. */
static bool step_head(serve_request *r)
{
    struct serve_exchange *x = &r->exchange;
    enum serve_work kind;

    switch (r->step) {
    case SERVE_STEP_OPEN:
        kind = serve_exchange_open(x, &r->job);
        r->step = SERVE_STEP_BEGIN;
        return serve_request_do(r, kind, do_admit);
    case SERVE_STEP_BEGIN:
        r->step = SERVE_STEP_ASK;
        return do_work(r, serve_exchange_work(x), do_begin);
    default:
        r->step = SERVE_STEP_HEAD_END;
        return !x->has_to_ask || do_work(r, SERVE_WORK_ORIGIN, do_begin);
    }
}

int64_t serve_request_drain_limit(const struct serve_exchange *x)
{
    if (x->answer.status == 401)
        return DRAIN_NOBODY_BYTES;
    return x->answer.status != 0 ? DRAIN_REFUSED_BYTES : DRAIN_FAILED_BYTES;
}

/*
 * An answer that is known before the body: a short body is read first, since closing a connection
 * on bytes that are still coming may destroy the answer on its way. A client that waits for "100
 * continue" is answered at once.
 */
static bool drains_body(const serve_request *r, bool is_chunked)
{
    const struct serve_exchange *x = &r->exchange;

    if (serve_head_value(r->connection, "Expect"))
        return false;
    return is_chunked ||
           (x->content_length > 0 && x->content_length <= serve_request_drain_limit(x));
}

static enum MHD_Result end_head(serve_request *r)
{
    struct serve_exchange *x = &r->exchange;
    bool is_chunked = serve_head_value(r->connection, "Transfer-Encoding") != NULL;

    r->step = SERVE_STEP_BODY;
    if (x->content_length <= 0 && !is_chunked)
        return MHD_YES; /* the library calls for its end */
    serve_request_enter(r, x->answer.status != 0 ? SERVE_PHASE_DRAINING
                           : x->body_wanted      ? SERVE_PHASE_COLLECTING
                                                 : SERVE_PHASE_RECEIVING);
    if (x->answer.status == 0 || drains_body(r, is_chunked))
        return MHD_YES; /* the answer comes after the body */
    x->answer.close = true;
    return serve_reply(r);
}

static enum MHD_Result run_head(serve_request *r)
{
    struct serve_exchange *x = &r->exchange;

    while (r->step < SERVE_STEP_HEAD_END && x->answer.status == 0) {
        if (!step_head(r))
            return MHD_YES;
        if (x->answer.incomplete)
            return MHD_NO;
    }
    return end_head(r);
}

/* ---- the body ---- */

static bool is_in_vain(const struct serve_exchange *x)
{
    return x->answer.status != 0 || x->body_error || x->body_too_large || x->no_room;
}

static enum MHD_Result drain(serve_request *r, size_t *len)
{
    serve_request_enter(r, SERVE_PHASE_DRAINING);
    r->drained += (int64_t)*len;
    *len = 0;
    return r->drained > serve_request_drain_limit(&r->exchange) ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_body(serve_request *r, const char *data, size_t *len)
{
    struct serve_exchange *x = &r->exchange;

    serve_client_show_end(r->client);
    /* while a worker has a block of it, the exchange is the worker's */
    if (!atomic_load(&r->intake.busy) && is_in_vain(x)) {
        x->received += (int64_t)*len;
        return drain(r, len);
    }
    if (r->intake.cap > 0 || x->upload)
        return !serve_intake_take(r, data, len) || *len == 0 ? MHD_YES : drain(r, len);
    serve_exchange_data(x, data, *len);
    if (is_in_vain(x))
        return drain(r, len);
    *len = 0;
    return MHD_YES;
}

/* ---- the end ---- */

static void do_end(serve_request *r)
{
    serve_intake_flush(r);
    serve_exchange_end(&r->exchange);
}

static void do_pending_work(serve_request *r)
{
    struct serve_exchange *x = &r->exchange;

    x->pending.work(x, x->pending.user);
}

/* false: the connection sleeps. */
static bool wait_for_pending(serve_request *r)
{
    struct serve_exchange *x = &r->exchange;

    while (!atomic_load(&r->front->stopping)) {
        serve_parked_arm(&r->parked);
        switch (serve_exchange_go_on(x, &r->waiter)) {
        case SERVE_PROGRESS_DONE:
            serve_parked_disarm(&r->parked);
            return true;
        case SERVE_PROGRESS_LATER:
            if (!serve_request_wait(r))
                return false;
            break;
        default:
            serve_parked_disarm(&r->parked);
            if (!do_work(r, SERVE_WORK_ORIGIN, do_pending_work))
                return false;
        }
    }
    return true;
}

static enum MHD_Result run_end(serve_request *r)
{
    struct serve_exchange *x = &r->exchange;

    if (r->step == SERVE_STEP_BODY) {
        if (!serve_request_settle(r, &r->intake.busy))
            return MHD_YES;
        r->step = SERVE_STEP_END;
        serve_request_enter(r, SERVE_PHASE_WORKING);
    }
    if (r->step == SERVE_STEP_END && x->answer.status == 0 && !x->pending.user) {
        r->step = SERVE_STEP_ANSWER;
        x->may_ask = true;
        if (!do_work(r, serve_exchange_end_work(x), do_end))
            return MHD_YES;
    }
    if (x->answer.status == 0 && x->pending.user && !wait_for_pending(r))
        return MHD_YES;
    return x->answer.status == 0 ? MHD_NO : serve_reply(r);
}

static bool check_head(serve_request *r, const char *method, const char *version)
{
    const struct serve_head_text text = {.method = method,
                                         .target = r->received_target,
                                         .target_len = strlen(r->exchange.target),
                                         .version = version};

    return serve_head_check(r->connection, &text, &r->exchange);
}

enum MHD_Result serve_request_step(serve_request *r, const char *method, const char *version,
                                   const char *data, size_t *len)
{
    struct serve_exchange *x = &r->exchange;

    if (!serve_request_settle(r, &r->is_working))
        return MHD_YES;
    if (!r->begun) {
        begin(r, method);
        if (!x->target)
            return MHD_NO;
        if (!check_head(r, method, version))
            return refuse_head(r);
    }
    if (atomic_load(&r->front->stopping) || x->answer.incomplete)
        return MHD_NO;
    if (r->step < SERVE_STEP_BODY)
        return run_head(r);
    return *len > 0 ? take_body(r, data, len) : run_end(r);
}

/* ---- afterwards ---- */

static void count(const serve_request *r, int64_t ms)
{
    const struct serve_exchange *x = &r->exchange;
    serve_metrics *m = x->registry->metrics;
    const struct serve_labels labels = {
        .method = x->method, .route = x->route.kind, .code = x->answer.status};

    serve_metrics_add(m, SERVE_METRIC_REQUESTS, &labels, 1);
    serve_metrics_took(m, SERVE_METRIC_REQUEST_SECONDS, &labels, ms);
    serve_metrics_add(m, SERVE_METRIC_RECEIVED_BYTES, NULL, x->received);
    serve_metrics_add(m, SERVE_METRIC_SENT_BYTES, NULL, serve_reply_bytes(r));
    serve_metrics_add(m, SERVE_METRIC_RUNNING, NULL, -1);
}

static void tell(const serve_request *r, int64_t ms)
{
    const struct serve_exchange *x = &r->exchange;

    serve_log_request(&(struct serve_log_request){
        .peer = x->peer,
        .user = x->user,
        .method = r->method ? r->method : "-",
        .target = x->target,
        .user_agent = r->user_agent,
        .status = x->answer.status,
        .received = x->received,
        .sent = serve_reply_bytes(r),
        .ms = ms,
        .as_json = x->registry->options.access_log_json,
    });
}

static void clear(serve_request *r)
{
    serve_front *f = r->front;

    serve_intake_flush(r); /* what came before the connection ended counts */
    serve_exchange_clear(&r->exchange);
    serve_intake_clear(r);
    serve_client_let_go(f->clients, r->client);
    free(r->user_agent);
    free(r->method);
    free(r->block);
    if (r->begun)
        atomic_fetch_sub(&f->running, 1);
    free(r);
}

static void run_clear(serve_job *job)
{
    clear((serve_request *)((char *)job - offsetof(serve_request, job)));
}

/* Giving up a large upload takes its time, and so may a stream that waits for another machine. */
static void put_away(serve_request *r)
{
    bool takes_time = r->exchange.upload || r->exchange.answer.stream.read;

    r->job = (serve_job){.run = run_clear, .kind = SERVE_WORK_WRITE, .party = r->exchange.network};
    if (!takes_time || !serve_workers_add(r->front->workers, &r->job))
        clear(r);
}

void serve_request_let_go(serve_request *r)
{
    int64_t ms;

    if (atomic_fetch_sub(&r->users, 1) > 1)
        return;
    ms = coras_now_ms() - r->began_ms;
    if (r->begun && r->exchange.registry->options.access_log)
        tell(r, ms);
    if (r->begun)
        count(r, ms);
    put_away(r);
}

void serve_request_completed(serve_request *r)
{
    serve_client_show_end(r->client);
    serve_request_enter(r, SERVE_PHASE_WAITING);
    serve_request_let_go(r);
}
