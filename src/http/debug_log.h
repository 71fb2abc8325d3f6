/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --debug: one entry per request and one per answer, with everything secret masked.
 */
#ifndef CORAS_HTTP_DEBUG_LOG_H
#define CORAS_HTTP_DEBUG_LOG_H

#include "http/http.h"

/* Number of the entry, for the answer; -1 when --debug is off (the calls below then do nothing). */
int64_t coras_debuglog_request(const struct coras_exchange *ex);
void coras_debuglog_response(int64_t number, const coras_response *r);
void coras_debuglog_failure(int64_t number, const coras_error *cause);

/* Keep the beginning of a body that passes by, as much as coras_debuglog_response will need. */
void coras_debuglog_keep_body(coras_response *r, const void *data, size_t len);

/* The entries' texts, for tests. */
void coras_debuglog_put_request(coras_buf *b, int64_t number, const struct coras_exchange *ex);
void coras_debuglog_put_response(coras_buf *b, int64_t number, const coras_response *r);

#endif
