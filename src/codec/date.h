/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates as protocols and manifests write them.
 */
#ifndef CORAS_CODEC_DATE_H
#define CORAS_CODEC_DATE_H

#include <time.h>
#include "base/buf.h"

/* UTC "2006-01-02T15:04:05Z". */
void coras_format_rfc3339(coras_buf *out, int64_t wall_s);
/* Local zone with nanoseconds, trailing zeros dropped (log entries). */
void coras_format_rfc3339_nano(coras_buf *out, const struct timespec *ts);
/* RFC 3339 as Go's time.Parse accepts it; error with Go's words:
 * parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006". */
CORAS_MUST_CHECK int coras_parse_rfc3339(const char *s, int64_t *ret_wall_s, coras_error **err);
/* The same with nanoseconds. */
CORAS_MUST_CHECK int coras_parse_rfc3339_exact(const char *s, struct timespec *ret,
                                               coras_error **err);
/* HTTP-date (RFC 9110 5.6.7, the three forms), locale-independent. */
bool coras_parse_http_date(const char *s, int64_t *ret_wall_s);

#endif
