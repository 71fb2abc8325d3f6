/*
 * Front: HTTP. The HTTP library (libmicrohttpd) is visible in front.c only.
 *
 * A thread serves one connection: an operation may wait for the disk, the database or a password
 * hash without holding up anybody else. The number of connections is bounded.
 */
#ifndef CORAS_SERVE_HTTP_FRONT_H
#define CORAS_SERVE_HTTP_FRONT_H

#include "serve/http/exchange.h"
#include "serve/http/listen.h"

typedef struct coras_front coras_front;

/* Accept connections. Takes the listener's descriptor. */
CORAS_MUST_CHECK int coras_front_start(struct coras_registry *registry,
                                       struct coras_listener *listener, coras_front **ret,
                                       coras_error **err);
/* Close connections whose request head does not come to its end. Call about once a second. */
void coras_front_tick(coras_front *f);
/* Accept no more; every answer from now on closes its connection. */
void coras_front_drain(coras_front *f);
/* Requests that are being served. */
unsigned coras_front_running(coras_front *f);
/* Cut what still runs, free everything. */
void coras_front_stop(coras_front *f);
CORAS_DEFINE_AUTO(coras_front, coras_front_stop)

#endif
