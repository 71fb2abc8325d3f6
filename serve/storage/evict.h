/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eviction: giving up cached blobs, those first that nobody has read for longest. Never one that is
 * being read, never one that was pushed here. What named it stays: whoever asks for it again has it
 * fetched again.
 */
#ifndef SERVE_STORAGE_EVICT_H
#define SERVE_STORAGE_EVICT_H

#include "serve/http/exchange.h"

/* Free at least so many bytes if possible; how many it were. */
int64_t serve_evict(struct serve_registry *registry, int64_t bytes);
/* Keep what is cached, with `unfinished` bytes beside it, within --cache-size. */
void serve_evict_to_limit(struct serve_registry *registry, int64_t unfinished);

/* The same because the directory has no room: what is in a store elsewhere makes none. */
int64_t serve_evict_from_disk(struct serve_registry *registry, int64_t bytes);

#endif
