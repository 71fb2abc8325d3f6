/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers behind retry.h: which statuses pass by themselves, how often each kind of thing is
 * tried, how the waits grow.
 */
#include "base/retry.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/str.h"

enum {
    FIRST_WAIT_MS = 250,
    FIRST_WAIT_BUSY_MS = 1000, /* 429 without a word about when, or a registry that settles */
    LONGEST_WAIT_MS = 5000,
    SHORTEST_WAIT_MS = 200,
    CONNECT_TRIES = 4, /* some 3 s: a person should not wait long to hear that nobody listens */
    TIMEOUT_TRIES = 2, /* each has taken its whole time already */
};

/* How many failures in a row are forgiven. */
static const int most_failures[] = {
    [CORAS_RETRY_REQUEST] = 5, [CORAS_RETRY_DOWNLOAD] = 5, [CORAS_RETRY_HELPER] = 3,
    [CORAS_RETRY_UPLOAD] = 10, [CORAS_RETRY_SETTLING] = 3,
};

/* 501, 505 and 507 would come again; 520-527 are a CDN's troubles with its origin. */
bool coras_status_is_transient(int status)
{
    switch (status) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return status >= 520 && status <= 527;
    }
}

/* Doubling, half of it random, so that many clients do not come back at the same moment. */
static int64_t backoff_ms(const coras_retry *r, const struct coras_retry_case *c)
{
    bool is_busy = c->status == 429 || r->what == CORAS_RETRY_SETTLING;
    int64_t wait = is_busy ? FIRST_WAIT_BUSY_MS : FIRST_WAIT_MS;

    for (int i = 1; i < r->failures && wait < LONGEST_WAIT_MS; i++)
        wait *= 2;
    if (wait > LONGEST_WAIT_MS)
        wait = LONGEST_WAIT_MS;
    wait = wait / 2 + (int64_t)(c->random % (uint32_t)(wait / 2 + 1));
    return wait < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS : wait;
}

static bool may_repeat(const coras_retry *r, const struct coras_retry_case *c)
{
    bool is_request = r->what == CORAS_RETRY_REQUEST;
    bool is_transient =
        is_request && c->status ? coras_status_is_transient(c->status) : c->error_retryable;

    if (!is_transient || c->error_code == CORAS_ERR_CANCELLED ||
        (c->method && coras_streq(c->method, "PATCH")))
        return false;
    if (c->error_code == CORAS_ERR_TIMEOUT && r->what != CORAS_RETRY_UPLOAD)
        return r->failures <= TIMEOUT_TRIES;
    return r->failures <= (is_request && !c->status ? CONNECT_TRIES : most_failures[r->what]);
}

struct coras_retry_verdict coras_retry_decide(coras_retry *r, const struct coras_retry_case *c)
{
    struct coras_retry_verdict v = {0};

    if (c->progress)
        *r = (coras_retry){.what = r->what};
    r->failures++;
    if (!may_repeat(r, c) || c->asked_s > CORAS_LIMIT_RETRY_AFTER_S - r->waited_ms / 1000)
        return v;
    if (c->asked_s > 0 && r->what == CORAS_RETRY_HELPER)
        return v; /* asked to wait, it leaves the server to the others */
    v.again = true;
    v.wait_ms = c->asked_s > 0 ? c->asked_s * 1000 : backoff_ms(r, c);
    r->waited_ms += v.wait_ms;
    return v;
}

struct coras_retry_verdict coras_retry_after(coras_retry *r, const coras_error *failure,
                                             bool progress)
{
    const struct coras_retry_case c = {
        .status = coras_error_http_status(failure),
        .error_code = coras_error_code(failure),
        .error_retryable = coras_error_is_retryable(failure),
        .progress = progress,
        .asked_s = coras_error_retry_after_s(failure),
        .random = coras_random_below(UINT32_MAX),
    };

    return coras_retry_decide(r, &c);
}
