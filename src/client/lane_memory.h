/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections at a time were worth it with a host, kept for the next process: a small file
 * for each host in the cache directory, believed for a day. Losing it costs a second.
 */
#ifndef CORAS_CLIENT_LANE_MEMORY_H
#define CORAS_CLIENT_LANE_MEMORY_H

#include "coras/client.h"
#include "base/common.h"

/* 0: not known. `cache_dir` may be NULL. */
unsigned coras_lane_memory_read(const char *cache_dir, const char *host, int64_t now_s);
void coras_lane_memory_write(const char *cache_dir, const char *host, unsigned connections,
                             int64_t now_s);

/* The same with what this client has learnt, by any thread. */
unsigned coras_client_known_lanes(coras_client *client, const char *host);
void coras_client_learn_lanes(coras_client *client, const char *host, unsigned connections);

#endif
