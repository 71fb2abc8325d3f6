#include "http/retry.h"

#include "codec/date.h"
#include "base/limits.h"
#include "base/str.h"

enum {
    FIRST_WAIT_MS = 250,
    FIRST_WAIT_BUSY_MS = 1000, /* 429 without a word about when */
    LONGEST_WAIT_MS = 5000,
    SHORTEST_WAIT_MS = 200,
    CONNECT_TRIES = 4, /* some 3 s: a person should not wait long to hear that nobody listens */
    TIMEOUT_TRIES = 2, /* each has taken its whole time already */
};

/* 501, 505 and 507 would come again; 520-527 are a CDN's troubles with its origin. */
static bool status_is_transient(int status)
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

int64_t coras_retry_after_s(const char *header, const char *date, int64_t wall_s)
{
    int64_t seconds, until, from;

    if (!header)
        return -1;
    if (coras_parse_int64(coras_str_trim(coras_str_of(header)), &seconds))
        return seconds;
    if (!coras_parse_http_date(header, &until))
        return -1;
    if (!date || !coras_parse_http_date(date, &from))
        from = wall_s;
    return until > from ? until - from : 0;
}

/* Doubling, half of it random, so that many clients do not come back at the same moment. */
static int64_t backoff_ms(const struct coras_retry_case *c)
{
    int64_t wait = c->status == 429 ? FIRST_WAIT_BUSY_MS : FIRST_WAIT_MS;

    for (int i = 1; i < c->attempt && wait < LONGEST_WAIT_MS; i++)
        wait *= 2;
    if (wait > LONGEST_WAIT_MS)
        wait = LONGEST_WAIT_MS;
    wait = wait / 2 + (int64_t)(c->random % (uint32_t)(wait / 2 + 1));
    return wait < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS : wait;
}

static bool may_repeat(const struct coras_retry_case *c)
{
    if (coras_streq(c->method, "PATCH"))
        return false;
    if (c->status)
        return status_is_transient(c->status) && c->attempt <= CORAS_RETRY_MAX;
    if (!c->error_retryable)
        return false;
    return c->attempt <= (c->error_code == CORAS_ERR_TIMEOUT ? TIMEOUT_TRIES : CONNECT_TRIES);
}

struct coras_retry_verdict coras_retry_decide(const struct coras_retry_case *c)
{
    struct coras_retry_verdict v = {0};

    if (!may_repeat(c))
        return v;
    int64_t asked = c->status == 429 || c->status == 503
                        ? coras_retry_after_s(c->retry_after, c->date, c->wall_s)
                        : -1;
    if (asked > CORAS_LIMIT_RETRY_AFTER_S - c->waited_ms / 1000) {
        v.asked_s = asked;
        return v;
    }
    v.again = true;
    v.wait_ms = asked > 0 ? asked * 1000 : backoff_ms(c);
    return v;
}
