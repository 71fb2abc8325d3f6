/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health: whether the server would answer if somebody asked it for something. Each part that a
 * request passes through has a probe that takes the same way, with the same locks: a server that
 * hangs must not look well.
 *
 * Threads: one thread at a time adds probes; they run from any thread.
 */
#ifndef SERVE_OPERATE_HEALTH_H
#define SERVE_OPERATE_HEALTH_H

#include "base/buf.h"

typedef struct serve_health serve_health;

#define SERVE_PROBES_MAX 64

/*
 * How the part is, in a static word or two ("ok", "down since it was asked last"). *ret_failed
 * (false before) when nothing works without it; an origin that is down is no such failure. NULL:
 * the part is not there any more. It must not wait for the network.
 */
typedef const char *serve_probe_fn(void *user, bool *ret_failed);

/* NULL when out of memory. */
serve_health *serve_health_new(void);
void serve_health_free(serve_health *h);
/* `name` and `user` are borrowed. Beyond SERVE_PROBES_MAX they are not asked. */
void serve_health_add(serve_health *h, const char *name, serve_probe_fn *probe, void *user);
/* From now on it is not ready: it is about to stop. */
void serve_health_drain(serve_health *h);

/* The same for a part that is elsewhere: while it fails we are not ready, but nothing is gained by
 * starting us again. */
void serve_health_add_outside(serve_health *h, const char *name, serve_probe_fn *probe, void *user);

struct serve_health_state {
    bool alive; /* no probe of what is ours failed */
    bool ready; /* none failed, and it takes requests */
};
/* Ask all probes. What they say is appended as a JSON document; `out` may be NULL. */
struct serve_health_state serve_health_check(serve_health *h, coras_buf *out);

#endif
