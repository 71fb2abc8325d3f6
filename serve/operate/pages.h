/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators ask beside the API: /healthz, /readyz and /metrics.
 */
#ifndef SERVE_OPERATE_PAGES_H
#define SERVE_OPERATE_PAGES_H

#include "serve/http/exchange.h"

/* Whether nobody needs a right to ask for it: how well the server is, and from this machine what it
 * counts too. */
bool serve_page_is_open(const struct serve_exchange *x);

/* GET /healthz: 200 while it would answer requests, else 503. */
void serve_page_health(struct serve_exchange *x);
/* GET /readyz: the same; 503 also when it is about to stop. */
void serve_page_ready(struct serve_exchange *x);
/* GET /metrics, in Prometheus' text format. */
void serve_page_metrics(struct serve_exchange *x);

/* The probe of a place that content comes from; its being down is no failure of ours. `user` is the
 * upstream. */
serve_probe_fn serve_probe_upstream;
/* The probe of the table of what is being fetched. `user` is the registry. */
serve_probe_fn serve_probe_fills;
/* The probe of the database: looks up a tag, as a request does. `user` is the registry. */
serve_probe_fn serve_probe_database;

#endif
