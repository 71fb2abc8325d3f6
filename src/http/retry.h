/*
 * The policy of repeating: one pure function, so that it can be tested by table. What it allows is
 * safe to repeat: nothing that may have taken effect half-way (PATCH) is sent again.
 */
#ifndef CORAS_HTTP_RETRY_H
#define CORAS_HTTP_RETRY_H

#include "base/common.h"

enum { CORAS_RETRY_MAX = 5 }; /* tries after the first */

struct coras_retry_case {
    int attempt; /* tries so far, 1 after the first */
    const char *method;
    int status;              /* of the answer; 0 when there was none */
    int error_code;          /* CORAS_ERR_* when there was no answer */
    bool error_retryable;    /* what the transport thinks of that error */
    const char *retry_after; /* header, or NULL */
    const char *date;        /* the answer's Date, against which a Retry-After date counts */
    int64_t waited_ms;       /* waited for this request so far */
    int64_t wall_s;          /* our clock, used when the answer has no date */
    uint32_t random;         /* any number, for the jitter */
};

struct coras_retry_verdict {
    bool again;
    int64_t wait_ms;
    int64_t asked_s; /* > 0: the server asked for more than we are willing to wait */
};

struct coras_retry_verdict coras_retry_decide(const struct coras_retry_case *c);

/* Retry-After as seconds from the answer on; -1 when absent or unreadable, 0 for the past. */
int64_t coras_retry_after_s(const char *header, const char *date, int64_t wall_s);

#endif
