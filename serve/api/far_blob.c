/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes through comes over a pair of sockets from a thread that fetches it: the store's
 * answer is pushed at us, and the client's is pulled from us, each at its own pace.
 */
#include "serve/api/far_blob.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/limits.h"
#include "serve/api/errors.h"
#include "serve/http/log.h"

#define THREAD_STACK ((size_t)512 * CORAS_KIB)
/* Of bytes between the two. */
#define QUEUE_BYTES (256 * CORAS_KIB)

void serve_far_blob_redirect(struct serve_exchange *x, serve_far_blob *far)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_buf link = CORAS_BUF_UNLIMITED;

    if (far->ops->link(far, &link, &err) < 0) {
        serve_answer_failure(x, err);
        return;
    }
    serve_answer_header(x, "Location", "%s", link.ptr);
    serve_answer_empty(x, 307);
}

struct far_stream {
    serve_far_blob *far;
    const char *target; /* for the log; the exchange's */
    int64_t offset, length;
    int in, out; /* the thread's end, and ours */
    pthread_t thread;
    bool is_running;
};

static int push(void *user, const void *data, size_t len, coras_error **err)
{
    const struct far_stream *s = user;
    const char *at = data;

    while (len > 0) {
        ssize_t sent = send(s->in, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return coras_fail(err, CORAS_ERR_CANCELLED, "nobody reads any more");
        at += sent;
        len -= (size_t)sent;
    }
    return 0;
}

static void *bring(void *user)
{
    struct far_stream *s = user;
    const coras_sink sink = {push, s};
    coras_auto(coras_error) err = NULL;
    int rc = s->far->ops->fetch(s->far, s->offset, s->length, &sink, &err);

    if (rc < 0 && rc != CORAS_ERR_CANCELLED)
        serve_log_failure(s->target, coras_error_message(err));
    (void)shutdown(s->in, SHUT_WR); /* the reader finds the end, which is early when it failed */
    return NULL;
}

/* The end of the bytes is one that comes too early: the body's length is known. */
static ssize_t read_piece(void *user, int64_t at, char *buffer, size_t cap)
{
    const struct far_stream *s = user;
    ssize_t got;

    (void)at; /* they come in order */
    do
        got = recv(s->out, buffer, cap, 0);
    while (got < 0 && errno == EINTR);
    return got > 0 ? got : -1;
}

static void close_stream(void *user)
{
    struct far_stream *s = user;

    if (s->is_running) {
        (void)shutdown(s->out, SHUT_RDWR); /* which ends the thread at its next piece */
        pthread_join(s->thread, NULL);
    }
    coras_close_fd(&s->in);
    coras_close_fd(&s->out);
    s->far->ops->close(s->far);
    free(s);
}

static int start(struct far_stream *s, coras_error **err)
{
    int pair[2], size = QUEUE_BYTES, failed;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return coras_fail_errno(err, errno, "make a pair of sockets");
    s->in = pair[0];
    s->out = pair[1];
    (void)setsockopt(s->in, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    failed = coras_thread_start(THREAD_STACK, bring, s, &s->thread);
    if (failed)
        return coras_fail_errno(err, failed, "start a thread");
    s->is_running = true;
    return 0;
}

int serve_far_blob_stream(struct serve_exchange *x, serve_far_blob *far, coras_error **err)
{
    struct far_stream *s = coras_new(struct far_stream);
    int rc;

    if (!s) {
        far->ops->close(far);
        return coras_fail_no_memory(err);
    }
    *s = (struct far_stream){.far = far,
                             .target = x->target,
                             .offset = x->answer.offset,
                             .length = x->answer.length,
                             .in = -1,
                             .out = -1};
    rc = x->method == SERVE_HEAD || s->length == 0 ? 0 : start(s, err);
    if (rc < 0) {
        close_stream(s);
        return rc;
    }
    x->answer.stream = (struct serve_stream){
        .read = s->is_running ? read_piece : NULL, .close = close_stream, .user = s};
    return 0;
}
