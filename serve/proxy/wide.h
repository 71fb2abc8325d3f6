/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wide fills: a large blob from an upstream that gives each connection little comes by several. How
 * many are worth it is judged as for the client's own downloads (transfer/growth.h), by what all
 * large fills from one upstream get together; and remembered for the upstream.
 *
 * Each further connection brings pieces into their place in the file, always the first that nobody
 * brings, so that the filler, which hashes in order, and its readers never wait long. Where such a
 * piece fails the filler asks for the rest itself, with its own patience.
 *
 * Threads: by the filler's.
 */
#ifndef SERVE_PROXY_WIDE_H
#define SERVE_PROXY_WIDE_H

#include "serve/proxy/filler_impl.h"

/* What comes soon anyway costs one request. */
#define SERVE_WIDE_LEAST    ((int64_t)64 * CORAS_MIB)
#define SERVE_WIDE_LEAST_MS 2000

/* The filler is about to ask for something on its own connection; and has done so. */
void serve_wide_ask(struct serve_filler *w);
void serve_wide_asked(struct serve_filler *w);
/* Its connection has brought so much. */
void serve_wide_arrived(struct serve_filler *w, size_t len);
/* It takes what others bring. */
void serve_wide_follow(struct serve_filler *w);
/* It has all: what was learnt is remembered. */
void serve_wide_learn(struct serve_filler *w);

#endif
