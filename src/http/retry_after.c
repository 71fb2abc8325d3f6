/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading Retry-After in both its forms: seconds, and a date.
 */
#include "http/retry_after.h"

#include "base/clock.h"
#include "base/str.h"
#include "codec/date.h"

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

int64_t coras_response_retry_after_s(const coras_response *r)
{
    return coras_retry_after_s(coras_response_header(r, "Retry-After"),
                               coras_response_header(r, "Date"), coras_wall_s());
}

int64_t coras_response_asked_s(const coras_response *r)
{
    int status = coras_response_status(r);

    return status == 429 || status == 503 ? coras_response_retry_after_s(r) : -1;
}
