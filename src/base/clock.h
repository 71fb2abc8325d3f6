/*
 * Time. Durations come from the monotonic clock; the wall clock is for what people and protocols
 * read.
 */
#ifndef CORAS_BASE_CLOCK_H
#define CORAS_BASE_CLOCK_H

#include <pthread.h>
#include <time.h>
#include "base/buf.h"

int64_t coras_now_ms(void); /* monotonic */
int64_t coras_wall_s(void); /* seconds since 1970 */

/* A condition to wait on with a deadline that a changed wall clock does not move. */
void coras_cond_init(pthread_cond_t *cond);
/* For pthread_cond_timedwait() on such a condition. */
struct timespec coras_deadline_ms(int64_t from_now_ms);
/* UTC "2006-01-02T15:04:05Z". */
void coras_format_rfc3339(coras_buf *out, int64_t wall_s);
/* Local zone with nanoseconds, trailing zeros dropped (log entries). */
void coras_format_rfc3339_nano(coras_buf *out, const struct timespec *ts);
/* RFC 3339 as Go's time.Parse accepts it; error with Go's words:
 * parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006". */
CORAS_MUST_CHECK int coras_parse_rfc3339(const char *s, int64_t *ret_wall_s, coras_error **err);
/* HTTP-date (RFC 9110 5.6.7, the three forms), locale-independent. */
bool coras_parse_http_date(const char *s, int64_t *ret_wall_s);

/* Random bytes from the system; aborts never: falls back to getrandom's blocking form. */
void coras_random(void *p, size_t len);
uint32_t coras_random_below(uint32_t bound);

#endif
