/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard: what is refused whoever asks. Each function answers the exchange when it returns false.
 */
#ifndef SERVE_HTTP_GUARD_H
#define SERVE_HTTP_GUARD_H

#include "serve/http/exchange.h"

/* Not made by a web page of somebody else. */
bool serve_guard_origin(struct serve_exchange *x);
/* No headers that would change what the body means. */
bool serve_guard_body(struct serve_exchange *x);

#endif
