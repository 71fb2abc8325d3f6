/* SPDX-License-Identifier: Apache-2.0 */
/* Targets in an upstream, and the memory of how it does. */
#include "serve/proxy/upstream.h"

#include "base/clock.h"
#include "base/error.h"
#include "client/client.h"
#include "registry/manner.h"
#include "serve/http/log.h"
#include "serve/proxy/failure.h"

/* How long one that does not answer is not asked again. */
#define DOWN_MS 4000
/* What is obeyed of a wish to be left alone; without a number, this is one. */
#define BUSY_MOST_MS    60000
#define BUSY_DEFAULT_MS 2000
#define REREAD_MS       30000

/* ---- targets ---- */

static const char *ns_to_send(serve_upstream *u)
{
    bool refused;

    pthread_mutex_lock(&u->lock);
    refused = u->refuses_ns;
    pthread_mutex_unlock(&u->lock);
    return refused ? NULL : u->ns;
}

int serve_upstream_target(serve_upstream *u, const char *repository, const char *via,
                          coras_target **ret, coras_error **err)
{
    coras_auto(coras_target) t = NULL;
    coras_registry_manner manner = {.via = via, .query = ns_to_send(u), .once = true};

    CORAS_TRY(coras_repository_open(u->client, u->setting.host, repository, &t, err));
    CORAS_TRY(coras_registry_behave(t, &manner, err));
    *ret = coras_steal(&t);
    return 0;
}

static bool is_refusal(const coras_error *failure)
{
    int status = coras_error_http_status(failure);

    return status == 401 || status == 403;
}

bool serve_upstream_rereads(serve_upstream *u, const coras_error *failure)
{
    coras_auto(coras_error) err = NULL;
    int64_t now = coras_now_ms();
    bool due;
    int rc;

    if (!is_refusal(failure))
        return false;
    pthread_mutex_lock(&u->lock);
    due = u->reread_ms == 0 || now - u->reread_ms >= REREAD_MS;
    if (due)
        u->reread_ms = now;
    pthread_mutex_unlock(&u->lock);
    if (!due)
        return false;
    rc = coras_client_reread_credentials(u->client, &err);
    if (rc < 0)
        serve_log_note("proxy %s: %s", u->label, coras_error_message(err));
    return rc > 0;
}

bool serve_upstream_doubts_ns(serve_upstream *u, const coras_error *failure)
{
    bool doubts = false;

    if (!u->ns || serve_upstream_status(failure) != 400)
        return false;
    pthread_mutex_lock(&u->lock);
    doubts = !u->refuses_ns;
    u->refuses_ns = true;
    pthread_mutex_unlock(&u->lock);
    return doubts;
}

/* ---- how it does ---- */

enum serve_upstream_state serve_upstream_state(serve_upstream *u, int64_t *ret_wait_ms)
{
    enum serve_upstream_state state = SERVE_UPSTREAM_ASK;
    int64_t now = coras_now_ms();

    *ret_wait_ms = 0;
    pthread_mutex_lock(&u->lock);
    if (now < u->busy_until_ms) {
        *ret_wait_ms = u->busy_until_ms - now;
        state = SERVE_UPSTREAM_BUSY;
    } else if (now < u->down_until_ms) {
        *ret_wait_ms = u->down_until_ms - now;
        state = SERVE_UPSTREAM_DOWN;
    } else if (u->is_down) {
        u->down_until_ms = now + DOWN_MS; /* this caller is the one that finds out */
    }
    pthread_mutex_unlock(&u->lock);
    return state;
}

bool serve_upstream_is_down(serve_upstream *u)
{
    bool down;

    pthread_mutex_lock(&u->lock);
    down = u->is_down;
    pthread_mutex_unlock(&u->lock);
    return down;
}

static bool is_no_answer(int rc, int status)
{
    if (status > 0)
        return status >= 500;
    switch (rc) {
    case CORAS_ERR_TIMEOUT:
    case CORAS_ERR_CONNECT:
    case CORAS_ERR_TLS:
        return true;
    default:
        return false;
    }
}

static int64_t busy_ms(const coras_error *failure)
{
    int64_t asked_s = coras_error_retry_after_s(failure);

    if (asked_s <= 0)
        return BUSY_DEFAULT_MS;
    return asked_s > BUSY_MOST_MS / 1000 ? BUSY_MOST_MS : asked_s * 1000;
}

void serve_upstream_note(serve_upstream *u, int rc, const coras_error *failure)
{
    int status = failure ? serve_upstream_status(failure) : 0;
    bool is_down = rc < 0 && is_no_answer(rc, status);
    bool changed;

    if (rc == CORAS_ERR_CANCELLED)
        return;
    pthread_mutex_lock(&u->lock);
    changed = is_down != u->is_down;
    u->is_down = is_down;
    u->down_until_ms = is_down ? coras_now_ms() + DOWN_MS : 0;
    if (status == 429 || (status == 503 && coras_error_retry_after_s(failure) > 0))
        u->busy_until_ms = coras_now_ms() + busy_ms(failure);
    pthread_mutex_unlock(&u->lock);
    if (changed)
        serve_log_note("proxy %s: %s %s", u->label, u->setting.host,
                       is_down ? "is down" : "answers again");
}
