/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of a fill: the body of one answer, which follows the filler at the pace of its client.
 * It waits on the thread of its connection, and leaves when the client does.
 */
#ifndef SERVE_PROXY_READER_H
#define SERVE_PROXY_READER_H

#include "serve/http/exchange.h"
#include "serve/proxy/fill.h"

/*
 * Make the bytes of the fill from `first` on the body of the answer, whose length is set. Takes
 * over the caller's use of the fill.
 */
CORAS_MUST_CHECK int serve_reader_answer(struct serve_exchange *x, serve_fill *f, int64_t first,
                                         coras_error **err);

#endif
