/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following: a request that needs the answer to a question which somebody else is asking. It waits
 * without a thread (serve_pending), and when the answer is there, or took too long, its operation
 * runs again from its start and finds it. So an operation that is told to come back later returns
 * at once, having answered nothing, and must not mind to begin again.
 *
 * Threads: by the one that has the exchange.
 */
#ifndef SERVE_PROXY_FOLLOWING_H
#define SERVE_PROXY_FOLLOWING_H

#include "serve/proxy/flights.h"

/*
 * The flight of the key: to lead, or as it has landed (both to be left with serve_flight_leave());
 * NONE when it did not land within `limit_ms`; LATER as said above, also where this thread must not
 * ask: then the question is this exchange's from now on, and it leads when it comes again.
 */
enum serve_flight_role serve_follow(struct serve_exchange *x, const char *key, int64_t limit_ms,
                                    serve_flight **ret);
/* Wait in the same way for a fill, of which the caller's hold is taken, to be kept; LATER. What
 * became of it is in x->brought when the operation runs again. NO_MEMORY. */
struct serve_fill;
CORAS_MUST_CHECK int serve_follow_fill(struct serve_exchange *x, struct serve_fill *f,
                                       int64_t limit_ms, coras_error **err);
/* What it was going to ask it will not: those who wait ask themselves. */
void serve_following_abandon(struct serve_exchange *x);
/* At its end. */
void serve_following_clear(struct serve_exchange *x);

#endif
