/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retry-After (RFC 9110 10.2.3): how long the other side asks us to wait. What becomes of the wish
 * is decided in base/retry.h.
 */
#ifndef CORAS_HTTP_RETRY_AFTER_H
#define CORAS_HTTP_RETRY_AFTER_H

#include "http/message.h"

/*
 * The header as seconds from the answer on; -1 when absent or unreadable, 0 for the past. A date
 * counts from the answer's own Date (NULL: from `wall_s`, our clock), so that our clock may be
 * wrong.
 */
int64_t coras_retry_after_s(const char *header, const char *date, int64_t wall_s);

/* The same of an answer that has just come. */
int64_t coras_response_retry_after_s(const coras_response *r);

/* The same of a refusal of a kind that may ask for it to be obeyed (429, 503); -1 for others. */
int64_t coras_response_asked_s(const coras_response *r);

#endif
