/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upstreams: the registries that `--proxy` names, from which content comes that is not here. Each
 * has one client of the library, with its connections, credentials and tokens, and one memory of
 * how it does: down, or busy until some moment. Everybody who is about to ask it looks there first
 * and tells afterwards, so that a registry that is down is waited for once and not by each request.
 *
 * Those of a file can change while it serves. Whoever has found an upstream can go on with it: it
 * is not found any more, but stays.
 *
 * Threads: everything may be called by any thread, but for opening, reloading and closing.
 */
#ifndef SERVE_PROXY_UPSTREAM_H
#define SERVE_PROXY_UPSTREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include "serve/operate/metrics.h"
#include "serve/options.h"
#include "serve/proxy/setting.h"
#include "target/target.h"
#include "transfer/lanes.h"

typedef struct serve_upstream {
    atomic_bool is_gone;         /* not asked for any more, but perhaps by who began before */
    serve_proxy_setting setting; /* const, like everything down to the lock */
    serve_metrics *metrics;      /* may be NULL */
    unsigned metrics_label;
    const char *label; /* its name, or "default": for people and metrics */
    coras_client *client;
    char *ns;          /* "ns=NAME" for a cache that is asked in place of NAME, or NULL */
    int quick_s;       /* within which a client must know whether there is an answer */
    coras_lanes lanes; /* connections by which large blobs come, of all fills */
    pthread_mutex_t lock;
    int64_t down_until_ms; /* lock; monotonic, 0 = it answers */
    int64_t busy_until_ms; /* lock; it has asked not to be asked before */
    bool is_down;          /* lock; the last that was heard of it */
    int64_t reread_ms;     /* lock; when its credentials were read the last time */
    bool refuses_ns;       /* lock; it does not take the query that names a registry */
} serve_upstream;

/* How many there can be, those included that were taken out of the file since the start. */
#define SERVE_UPSTREAMS_MAX 1024

typedef struct serve_upstreams {
    serve_upstream **items;      /* that many places, never moved; what is there stays to the end */
    atomic_size_t len;           /* grows only */
    const coras_strlist *given;  /* values of --proxy; borrowed, like the next two */
    const char *file;            /* with more of them, one a line; or NULL */
    const char *registry_config; /* or NULL */
    serve_metrics *metrics;      /* or NULL */
    coras_environment *environment;
    coras_cancel *cancel;
    char *via; /* "1.1 coras-<random>": how we know ourselves in a ring of caches */
    struct serve_flights *flights;     /* questions under way */
    struct serve_freshness *freshness; /* what was told lately */
} serve_upstreams;

/* Of the options, which are borrowed; *ret is never NULL, and has no items without --proxy and
 * --proxy-file. Connects nothing. INVALID_ARGUMENT, and CONFIG for a file. */
CORAS_MUST_CHECK int serve_upstreams_open(const struct serve_options *options,
                                          serve_upstreams **ret, coras_error **err);
/* Have every request to them counted. */
void serve_upstreams_count(serve_upstreams *u, serve_metrics *metrics);
/* Read the file again. On failure everything is as before. */
CORAS_MUST_CHECK int serve_upstreams_reload(serve_upstreams *u, coras_error **err);
/* Everything that waits for an upstream returns CANCELLED soon. */
void serve_upstreams_cancel(serve_upstreams *u);
/* After the last target was closed. */
void serve_upstreams_close(serve_upstreams *u);
CORAS_DEFINE_AUTO(serve_upstreams, serve_upstreams_close)

/* The upstream of this name as serve_proxy_name() makes it ("": the one for everything), or NULL.
 */
serve_upstream *serve_upstreams_find(const serve_upstreams *u, const char *name);
/* One after the other; begin with *at = 0. NULL at the end. */
serve_upstream *serve_upstreams_next(const serve_upstreams *u, size_t *at);
bool serve_upstreams_any(const serve_upstreams *u);

/*
 * A repository of the upstream as a target of the library, to be closed by the caller. A value
 * without connections of its own: make one for each task. `repository` is the one at the upstream,
 * `via` the ways that the request has come (serve_place_target() knows both). Its verbs try once:
 * whoever asks decides what a failure means.
 */
CORAS_MUST_CHECK int serve_upstream_target(serve_upstream *u, const char *repository,
                                           const char *via, coras_target **ret, coras_error **err);

/* Whether a refusal may be for the name of the registry that was sent along: some take no unknown
 * query. True once for an upstream: it is not sent any more, and a new target may be asked. */
bool serve_upstream_doubts_ns(serve_upstream *u, const coras_error *failure);

/* After a refusal: read the credentials again, which others renew in their files, at most twice in
 * a minute. Whether that was done, and the same may be asked again. */
bool serve_upstream_rereads(serve_upstream *u, const coras_error *failure);

/* ---- how it does ---- */
enum serve_upstream_state {
    SERVE_UPSTREAM_ASK,  /* ask it, and tell how it went */
    SERVE_UPSTREAM_DOWN, /* it does not answer: no use before some seconds have passed */
    SERVE_UPSTREAM_BUSY  /* it has asked to be left alone for *ret_wait_ms */
};
/* After a time of being down one caller is told to ask, and the others wait for what it finds. */
enum serve_upstream_state serve_upstream_state(serve_upstream *u, int64_t *ret_wait_ms);
/* Whether it is down for all that is known, without being told to ask. */
bool serve_upstream_is_down(serve_upstream *u);
/* What became of a request to it: rc 0, or the failure. An answer that refuses is an answer. */
void serve_upstream_note(serve_upstream *u, int rc, const coras_error *failure);

#endif
