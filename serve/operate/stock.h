/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many rows there are, for /metrics. A database counts them one by one, so that it takes the
 * longer the more there are: what was counted is then told for as long that counting costs a small
 * part of the time, however often somebody asks.
 */
#ifndef SERVE_OPERATE_STOCK_H
#define SERVE_OPERATE_STOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct serve_registry;

struct serve_stock {
    pthread_mutex_t lock;
    int64_t due_ms; /* lock; counted again from then on */
    atomic_bool was_taken;
};
void serve_stock_init(struct serve_stock *s);
void serve_stock_clear(struct serve_stock *s);

/* Set the gauges of what is stored. What cannot be counted now is not told. */
void serve_stock_take(struct serve_registry *r);

#endif
