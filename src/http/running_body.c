/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes up: the request's body, read from its source piece by piece.
 */
#include "base/error.h"
#include "http/running.h"

size_t coras_running_on_read(char *buffer, size_t size, size_t count, void *user)
{
    struct coras_running *x = user;
    const coras_request *req = x->ex->request;
    size_t cap = size * count, got = 0;
    int64_t left = req->body_length - x->body_sent;

    if (left <= 0)
        return 0;
    if ((int64_t)cap > left)
        cap = (size_t)left;
    x->rc = coras_cancel_check(x->http->config.cancel, &x->error);
    if (x->rc == 0) {
        x->rc = req->source->read_at(req->source->user, buffer, cap,
                                     req->source_offset + x->body_sent, &got, &x->error);
        x->end.callers_own = x->rc < 0;
    }
    coras_running_forgive_pause(x);
    if (x->rc < 0)
        return CURL_READFUNC_ABORT;
    x->body_sent += (int64_t)got;
    if (req->sent)
        req->sent(req->sent_user, x->body_sent);
    return got;
}

/* libcurl goes back when a kept connection turns out to be dead. What a PATCH has sent may have
 * counted already, and a caller with a plan of its own wants to ask before gigabytes are sent
 * again, so neither is sent twice here. */
int coras_running_on_seek(void *user, curl_off_t offset, int origin)
{
    struct coras_running *x = user;
    bool once = coras_streq(x->ex->method, "PATCH") || x->ex->request->no_retry;

    if (origin != SEEK_SET || (once && x->body_sent > 0))
        return CURL_SEEKFUNC_FAIL;
    x->body_sent = offset;
    return CURL_SEEKFUNC_OK;
}
