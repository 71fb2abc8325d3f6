/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying again: the one policy of it. Everything that may be repeated (a request, a download that
 * was cut, an upload, a manifest that the registry does not take yet) asks here whether to try
 * again and how long to wait before; nobody else has numbers of its own.
 *
 * The decision is a function of its arguments alone, so that it can be tested by table. What it
 * allows is safe to repeat: nothing that may have taken effect half-way (PATCH) is sent again as it
 * was.
 */
#ifndef CORAS_BASE_RETRY_H
#define CORAS_BASE_RETRY_H

#include "base/common.h"
#include "coras/error.h"

/* What is repeated: decides how often. */
enum coras_retried {
    CORAS_RETRY_REQUEST = 0, /* one request, sent again as it was */
    CORAS_RETRY_DOWNLOAD,    /* content, which goes on where it was cut */
    CORAS_RETRY_HELPER,      /* one of several connections of a download: others go on without it */
    CORAS_RETRY_UPLOAD,      /* a blob on its way up: the registry says where it stands */
    CORAS_RETRY_SETTLING,    /* what a registry refuses until its parts agree on what they have */
};

/* Where the repeating of one thing stands. With zeros (and what it is) nothing has failed yet. */
typedef struct coras_retry {
    enum coras_retried what;
    int failures;      /* in a row, without progress in between */
    int64_t waited_ms; /* likewise */
} coras_retry;

/* One failure. */
struct coras_retry_case {
    const char *method;   /* of a request that is sent again as it was; NULL: there is more to it */
    int status;           /* of the answer; 0 when there was none */
    int error_code;       /* CORAS_ERR_* when there was no answer */
    bool error_retryable; /* what the one who failed thinks of it */
    bool progress;        /* this try has moved something, so counting begins again */
    int64_t asked_s;      /* what the other side wants us to wait (Retry-After); <= 0: nothing */
    uint32_t random;      /* any number, for the jitter */
};

struct coras_retry_verdict {
    bool again;
    int64_t wait_ms;
};

/* Counts the failure and judges it. What the other side asks us to wait is obeyed, up to
 * CORAS_LIMIT_RETRY_AFTER_S in sum between two steps forward; beyond, there is no other try. */
struct coras_retry_verdict coras_retry_decide(coras_retry *r, const struct coras_retry_case *c);

/* The same for a failure that is an error already. */
struct coras_retry_verdict coras_retry_after(coras_retry *r, const coras_error *failure,
                                             bool progress);

/* Whether the same request may succeed later, for all that the status of its answer tells. */
bool coras_status_is_transient(int status);

#endif
