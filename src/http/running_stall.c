/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an exchange still moves. Slow is not stalled: what counts is that bytes leave for the
 * network or come from it.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "http/running.h"

enum {
    PAUSE_MS = 2000,         /* a longer gap means that we were stopped or blocked, not the net */
    STALL_BYTES = CORAS_KIB, /* less than this in a window is no progress */
};

/* Bytes that have left for the network or come from it. */
static int64_t moved_bytes(struct coras_running *x)
{
    curl_off_t uploaded = 0;
    curl_socket_t fd = x->opened;
    int queued = 0;

    x->curl->easy_getinfo(x->handle->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (fd == CURL_SOCKET_BAD) /* libcurl knows the socket of a connection that was kept */
        x->curl->easy_getinfo(x->handle->easy, CURLINFO_ACTIVESOCKET, &fd);
    /* On a slow link the kernel's queue drains long after libcurl has handed the last byte over. */
    if (uploaded && fd != CURL_SOCKET_BAD && ioctl(fd, SIOCOUTQ, &queued) != 0)
        queued = 0;
    return x->response->body_received + uploaded - queued;
}

/* Everything has been said, and nothing has come back. */
static bool awaits_answer(const struct coras_running *x)
{
    return !x->headers_done && (!x->ex->send_body || x->body_sent >= x->ex->request->body_length);
}

/*
 * Two limits. Within a body something must move all the time. Before an answer the other side may
 * have much to do: a registry hashes and moves a large blob before it answers the upload, a cache
 * may fetch all of a blob before it gives the first byte. What is small is answered at once.
 */
static int limit_s(const struct coras_running *x)
{
    const struct coras_http_config *c = &x->http->config;
    bool takes_time = x->ex->send_body || !x->ex->request->small;

    if (x->ex->request->silence_s > 0)
        return x->ex->request->silence_s;
    return x->awaits_answer && takes_time ? c->answer_timeout_s : c->stall_timeout_s;
}

void coras_running_watch(struct coras_running *x)
{
    x->window_start_ms = x->last_look_ms = coras_now_ms();
}

void coras_running_forgive_pause(struct coras_running *x)
{
    int64_t now = coras_now_ms();

    if (now - x->last_look_ms > PAUSE_MS)
        x->window_start_ms += now - x->last_look_ms;
    x->last_look_ms = now;
}

static int fail_stalled(struct coras_running *x)
{
    int rc =
        coras_fail(&x->error, CORAS_ERR_TIMEOUT,
                   x->awaits_answer ? "no answer for %d s" : "no progress for %d s", limit_s(x));

    coras_error_set_retryable(&x->error, true);
    coras_advise(&x->error, CORAS_HINT_STALLED);
    return rc;
}

static int fail_late(struct coras_running *x)
{
    int rc = coras_fail(&x->error, CORAS_ERR_TIMEOUT, "it took too long");

    coras_error_set_retryable(&x->error, true);
    return rc;
}

static void begin_window(struct coras_running *x, int64_t moved)
{
    x->window_start_ms = x->last_look_ms;
    x->window_bytes = moved;
}

int coras_running_check_stall(struct coras_running *x)
{
    coras_running_forgive_pause(x);
    if (x->ex->request->deadline_ms && x->last_look_ms >= x->ex->request->deadline_ms)
        return fail_late(x);
    if (awaits_answer(x) != x->awaits_answer) {
        x->awaits_answer = !x->awaits_answer;
        begin_window(x, moved_bytes(x));
    }
    if (x->last_look_ms - x->window_start_ms < (int64_t)limit_s(x) * 1000)
        return 0;
    int64_t moved = moved_bytes(x);
    if (moved - x->window_bytes < STALL_BYTES)
        return fail_stalled(x);
    begin_window(x, moved);
    return 0;
}
