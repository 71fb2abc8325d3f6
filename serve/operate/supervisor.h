/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager that started this process, where there is one: systemd, or whoever speaks as
 * it does. It may have opened the socket that we accept connections at, wants to hear when we are
 * ready, reload and stop, and that we are still well. Without one nothing here does anything.
 *
 * For the main thread.
 */
#ifndef SERVE_OPERATE_SUPERVISOR_H
#define SERVE_OPERATE_SUPERVISOR_H

#include "serve/http/listen.h"
#include "serve/operate/health.h"

struct serve_supervisor {
    const char *notify_socket; /* NULL: nobody wants to hear; borrowed from the environment */
    int64_t watchdog_ms;       /* 0: nobody waits for a sign of life */
    int64_t sign_ms;           /* when the next one is due */
    int sockets;               /* how many were opened for us */
};

/* Before there are threads: reads the environment. */
void serve_supervisor_find(struct serve_supervisor *ret);
/* The socket that was opened for us, or one at `where`. CONFIG: several, or one of another kind. */
CORAS_MUST_CHECK int serve_supervisor_listen(const struct serve_supervisor *s, const char *where,
                                             struct serve_listener *ret, coras_error **err);

/* `address` may be NULL: the same as before. */
void serve_supervisor_ready(const struct serve_supervisor *s, const char *address);
/* Files are read again; after that it is ready once more. */
void serve_supervisor_reloading(const struct serve_supervisor *s);
void serve_supervisor_stopping(const struct serve_supervisor *s);
/* Give a sign of life when one is due and the probes say that there is life. Call about once a
 * second. */
void serve_supervisor_tick(struct serve_supervisor *s, serve_health *health);

#endif
