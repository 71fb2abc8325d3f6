/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of a fill: the body of one answer, which follows the filler at the pace of its client.
 * While it waits for the filler it occupies no thread, and it leaves when the client does.
 */
#ifndef SERVE_PROXY_READER_H
#define SERVE_PROXY_READER_H

#include "serve/http/exchange.h"
#include "serve/http/ranges.h"
#include "serve/proxy/fill.h"

typedef struct serve_reader serve_reader;

/*
 * For the bytes [first, end) of the blob (end -1: to wherever it ends). Takes over the caller's use
 * of the fill. `is_part`: it was asked for a part, which may be brought out of turn. NULL when out
 * of memory.
 */
serve_reader *serve_reader_new(struct serve_exchange *x, serve_fill *f,
                               const struct serve_range *range, bool is_part);
void serve_reader_free(serve_reader *r);
CORAS_DEFINE_AUTO(serve_reader, serve_reader_free)

/* Whether there is something to begin with: 1. 0: the waiter is woken. TIMEOUT, CANCELLED, why the
 * fill has failed. */
CORAS_MUST_CHECK int serve_reader_look(serve_reader *r, const struct serve_fill_wait *wait,
                                       coras_error **err);
/* Make it the body of the answer, whose length is set. */
void serve_reader_answer(serve_reader *r);

#endif
