/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking: the questions about manifests that are put to an upstream. Each heeds what is known of
 * how the upstream does, takes a bounded time, and tells afterwards how it went.
 */
#ifndef SERVE_PROXY_ASKING_H
#define SERVE_PROXY_ASKING_H

#include "serve/proxy/flights.h"

/* What the reference names, by HEAD; where that does not tell, by GET, and with its bytes. */
void serve_ask_what(const serve_place *place, const char *reference, serve_flight *ret);
/* The manifest itself, whose digest is checked. */
void serve_ask_manifest(const serve_place *place, const char *reference, serve_flight *ret);

/*
 * What surrounds every question: whether to ask, `ask` with a target, once more when the upstream
 * may not have liked to be told a registry's name, and what is to be remembered of the outcome.
 */
struct serve_said serve_ask(const serve_place *place,
                            int (*ask)(void *user, coras_target *target, coras_error **err),
                            void *user);

#endif
