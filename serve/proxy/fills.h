/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of fills: one for a digest, so many at a time for an upstream, the others in the order
 * in which they were asked for. A fill that waits has no thread.
 *
 * Threads: everything may be called by any thread.
 */
#ifndef SERVE_PROXY_FILLS_H
#define SERVE_PROXY_FILLS_H

#include "serve/proxy/fill.h"

typedef struct serve_fills serve_fills;
struct serve_registry;

/* `registry` is borrowed; its upstreams are open. */
CORAS_MUST_CHECK int serve_fills_open(struct serve_registry *registry, serve_fills **ret,
                                      coras_error **err);
/* Fills end where they are, and their readers get what is there and no more. New ones are refused.
 * The upstreams were cancelled before. NULL allowed. */
void serve_fills_stop(serve_fills *t);
/* Waits for the threads. All readers have left. */
void serve_fills_close(serve_fills *t);
CORAS_DEFINE_AUTO(serve_fills, serve_fills_close)

/* The fill of this digest if there is one, to be left by serve_fills_leave(); else NULL. */
serve_fill *serve_fills_find(serve_fills *t, const coras_digest *digest);

struct serve_fill_request {
    serve_upstream *upstream;
    const char *repository; /* there */
    const char *via;        /* the ways of the request; may be NULL */
    const char *local;      /* the same here */
    const coras_digest *digest;
};
/*
 * Join the fill of this digest, or begin one (*ret_began). EXISTS: it has just been stored.
 * CANCELLED: we are going down. DIGEST_MISMATCH: the upstream has sent something else for it
 * lately.
 */
CORAS_MUST_CHECK int serve_fills_join(serve_fills *t, const struct serve_fill_request *request,
                                      serve_fill **ret, bool *ret_began, coras_error **err);
void serve_fills_leave(serve_fills *t, serve_fill *f);

/* What is on its way, for people to look at; borrowed for the call. */
struct serve_fill_look {
    coras_digest digest;
    const char *repository; /* at the upstream */
    int64_t got, size;      /* size -1: nobody knows yet */
};
void serve_fills_look(serve_fills *t, void (*visit)(const struct serve_fill_look *look, void *user),
                      void *user);

/* ---- for the filler ---- */
struct serve_registry *serve_fills_registry(const serve_fills *t);
/* A thread beside the filler that runs `help`, which ends soon. false: there are enough. */
bool serve_fills_help(serve_fills *t, serve_fill *f, void (*help)(serve_fill *f, void *user),
                      void *user);
bool serve_fills_are_stopping(serve_fills *t);
/* The repository at the upstream, where silence is a cut: what is missing is asked for again. */
CORAS_MUST_CHECK int serve_fills_target(const serve_fills *t, const serve_fill *f,
                                        coras_target **ret, coras_error **err);
/* Its file is nobody's any more: who asks now begins anew. */
void serve_fills_unlist(serve_fills *t, const serve_fill *f);
/* It is over: nobody joins it any more, the next one's turn has come. */
void serve_fills_end(serve_fills *t, serve_fill *f);
/* The upstream has sent something else for this digest. */
void serve_fills_refuse(serve_fills *t, const serve_fill *f);

/* Remove unfinished files that nobody has asked for in a week. */
void serve_fills_expire(serve_fills *t, int64_t now_s);

#endif
