/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freshness: what upstreams have told of references lately, and when. A tag that was asked for
 * within its time is not asked for again; nor is, for some seconds, what was not there. In memory
 * only and by the monotonic clock: what survives a restart is what a tag names (in the database),
 * not that it is fresh.
 *
 * Threads: everything may be called by any thread. Bounded: when too much is remembered, what is
 * old goes first.
 */
#ifndef SERVE_PROXY_FRESHNESS_H
#define SERVE_PROXY_FRESHNESS_H

#include "oci/descriptor.h"

typedef struct serve_freshness serve_freshness;

/* How long what is not there is not asked for again: it may be pushed at any moment. */
#define SERVE_ABSENT_MS 5000

enum serve_fresh_kind {
    SERVE_FRESH_UNKNOWN,
    SERVE_FRESH_NOW,   /* told within the time */
    SERVE_FRESH_OLD,   /* told before */
    SERVE_FRESH_ABSENT /* not there, a moment ago */
};

struct serve_fresh {
    enum serve_fresh_kind kind;
    int64_t age_ms; /* NOW, OLD */
    coras_digest digest;
    int64_t size;
    char media_type[256];
};

/* `ttl_ms`: how long a tag stays fresh; 0: not at all. NULL: out of memory. */
serve_freshness *serve_freshness_new(int64_t ttl_ms);
void serve_freshness_free(serve_freshness *f);
CORAS_DEFINE_AUTO(serve_freshness, serve_freshness_free)

/* A reference is a tag or the text of a digest. */
struct serve_fresh serve_freshness_get(serve_freshness *f, const char *repository,
                                       const char *reference, int64_t now_ms);
/* It was told at this moment. Without memory nothing is remembered; likewise below. */
void serve_freshness_told(serve_freshness *f, const char *repository, const char *tag,
                          const coras_descriptor *desc, int64_t now_ms);
/* It is not there. */
void serve_freshness_absent(serve_freshness *f, const char *repository, const char *reference,
                            int64_t now_ms);
void serve_freshness_forget(serve_freshness *f, const char *repository, const char *reference);
/* The tags of the repository that were told to be this manifest. */
CORAS_MUST_CHECK int serve_freshness_tags_of(serve_freshness *f, const char *repository,
                                             const coras_digest *digest, coras_strlist *ret,
                                             coras_error **err);
/* Whether it is to be logged that a tag is stale: once in a minute. */
bool serve_freshness_says_stale(serve_freshness *f, const char *repository, const char *tag,
                                int64_t now_ms);

#endif
