/* SPDX-License-Identifier: Apache-2.0 */
/* Which failures pass, and how long they are waited for. */
#include "serve/proxy/patience.h"

#include "base/retry.h"
#include "serve/proxy/failure.h"

#define FIRST_WAIT_MS   200
#define LONGEST_WAIT_MS 2000
/* Waits that were asked for, one after the other without a byte. */
#define ASKED_MOST 3

/* A place to which the registry has sent us refuses: the link may be too old, and the next one that
 * the registry gives is not. */
static bool is_old_link(const coras_error *failure)
{
    int status = coras_error_http_status(failure);

    return coras_error_party(failure) == CORAS_PARTY_ELSEWHERE && status >= 400 && status < 500;
}

static bool may_pass(const coras_error *failure)
{
    int status = serve_upstream_status(failure);

    if (coras_error_code(failure) == CORAS_ERR_CANCELLED)
        return false;
    if (status > 0)
        return coras_status_is_transient(status) || is_old_link(failure);
    return coras_error_is_retryable(failure);
}

static int64_t backoff_ms(int failures)
{
    int64_t wait_ms = FIRST_WAIT_MS;

    for (int i = 1; i < failures && wait_ms < LONGEST_WAIT_MS; i++)
        wait_ms *= 2;
    return wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS;
}

/* What the other side asks for does not count as waiting in vain, but it cannot ask for ever. */
static bool obeys(struct serve_patience *p, int64_t asked_s, int64_t *ret_wait_ms)
{
    if (!p->has_flowed || asked_s > SERVE_PATIENCE_ASKED_S || p->failures > ASKED_MOST)
        return false;
    p->since_ms += asked_s * 1000;
    *ret_wait_ms = asked_s * 1000;
    return true;
}

enum serve_patience_verdict serve_patience_decide(struct serve_patience *p, int64_t now_ms,
                                                  const coras_error *failure, bool was_part,
                                                  int64_t *ret_wait_ms)
{
    int64_t most_ms = p->has_flowed ? SERVE_PATIENCE_MS : SERVE_PATIENCE_FIRST_MS;
    int64_t asked_s = coras_error_retry_after_s(failure);

    p->failures++;
    *ret_wait_ms = 0;
    if (coras_error_code(failure) == CORAS_ERR_RANGE)
        return was_part ? SERVE_PATIENCE_WHOLE : SERVE_PATIENCE_OVER;
    if (!may_pass(failure))
        return SERVE_PATIENCE_OVER;
    if (asked_s > 0 && obeys(p, asked_s, ret_wait_ms))
        return SERVE_PATIENCE_AGAIN;
    *ret_wait_ms = asked_s > 0 ? asked_s * 1000 : backoff_ms(p->failures);
    return now_ms - p->since_ms + *ret_wait_ms > most_ms ? SERVE_PATIENCE_OVER
                                                         : SERVE_PATIENCE_AGAIN;
}

void serve_patience_moved(struct serve_patience *p, int64_t now_ms)
{
    *p = (struct serve_patience){.since_ms = now_ms, .has_flowed = true};
}
