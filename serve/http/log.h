/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's log on standard error: one line per request when asked for, and what went wrong
 * inside. Text of clients is escaped and cut, so a line stays one line.
 */
#ifndef SERVE_HTTP_LOG_H
#define SERVE_HTTP_LOG_H

#include "base/common.h"

struct serve_log_request {
    const char *peer, *user, *method, *target, *user_agent; /* NULL allowed */
    int status;
    int64_t received, sent; /* bytes of the bodies */
    int64_t ms;
    bool as_json; /* one object, for programs */
};
void serve_log_request(const struct serve_log_request *r);
/* A failure that the operator should hear of, with the request it met. */
void serve_log_failure(const char *target, const char *message);
void serve_log_note(const char *fmt, ...) CORAS_PRINTF(1, 2);

#endif
