/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an upstream said to a request, in the few kinds that make a difference to a client, and how
 * a client is told. Its words, its address and its own codes stay here: they are for the log.
 */
#ifndef SERVE_PROXY_SAID_H
#define SERVE_PROXY_SAID_H

#include "serve/http/exchange.h"

enum serve_said_kind {
    SERVE_SAID_YES,
    SERVE_SAID_ABSENT,   /* it has no such thing */
    SERVE_SAID_DENIED,   /* it does not give it to the account that we have there */
    SERVE_SAID_BUSY,     /* not now, for `wait_ms` */
    SERVE_SAID_NOTHING,  /* no connection, or a failure of its own */
    SERVE_SAID_LATE,     /* no answer in time */
    SERVE_SAID_DOWN,     /* it was not asked: it did not answer a moment ago; for `wait_ms` */
    SERVE_SAID_NONSENSE, /* an answer that cannot be right */
    SERVE_SAID_FAILED,   /* the failure is ours */
    SERVE_SAID_WAIT      /* nothing yet: the operation runs again (following.h) */
};

struct serve_said {
    enum serve_said_kind kind;
    int64_t wait_ms; /* 0: unknown */
};

/* Of what a verb of the library returned. Pure. */
struct serve_said serve_said_of(int rc, const coras_error *failure);
/* The same of an upstream that is not to be asked now. */
struct serve_said serve_said_unasked(enum serve_upstream_state state, int64_t wait_ms);
/* Whether what is known from before may stand in for an answer. */
bool serve_said_allows_stale(struct serve_said said);
/* Answer that there is nothing to serve. */
void serve_said_answer(struct serve_exchange *x, struct serve_said said);

#endif
