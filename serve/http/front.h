/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Front: HTTP. The HTTP library (libmicrohttpd) is visible to the files of the front only.
 *
 * A few threads serve all connections and never wait; workers do what takes its time, so that an
 * operation may wait for the disk, the database or a password hash without holding up anybody else.
 * The number of connections is bounded, and so is that of threads.
 */
#ifndef SERVE_HTTP_FRONT_H
#define SERVE_HTTP_FRONT_H

#include "serve/http/exchange.h"
#include "serve/http/listen.h"

typedef struct serve_front serve_front;

/* Accept connections. Takes the listener's descriptor. */
CORAS_MUST_CHECK int serve_front_start(struct serve_registry *registry,
                                       struct serve_listener *listener, serve_front **ret,
                                       coras_error **err);
/* Close connections whose request head does not come to its end. Call about once a second. */
void serve_front_tick(serve_front *f);
/* Accept no more; every answer from now on closes its connection. */
void serve_front_drain(serve_front *f);
/* Requests that are being served. */
unsigned serve_front_running(serve_front *f);
/* Cut what still runs, free everything. */
void serve_front_stop(serve_front *f);
CORAS_DEFINE_AUTO(serve_front, serve_front_stop)

#endif
