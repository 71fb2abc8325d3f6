/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filler: the thread of one fill. It asks the upstream, writes what comes, hashes it on the
 * way, goes on where it was cut, and in the end makes the file a blob of the registry, or removes
 * it. It never waits for a reader.
 */
#ifndef SERVE_PROXY_FILLER_H
#define SERVE_PROXY_FILLER_H

#include "serve/proxy/fills.h"

/* All of it; ends with serve_fills_end(). */
void serve_filler_run(serve_fill *f);

#endif
