/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of the filler: its state, and what becomes of bytes that have come.
 */
#ifndef SERVE_PROXY_FILLER_IMPL_H
#define SERVE_PROXY_FILLER_IMPL_H

#include "serve/http/exchange.h"
#include "serve/proxy/filler.h"
#include "serve/proxy/patience.h"

/* Given up for a fill that has no room, at least. */
#define SERVE_FILLER_ROOM ((int64_t)CORAS_MIB)

#define SERVE_FILL_LEASE_MAX (CORAS_DIGEST_TEXT_MAX + 8)

struct serve_filler {
    serve_fill *fill;
    struct serve_registry *registry;
    unsigned label; /* of the upstream, for metrics */
    coras_target *target;
    coras_hasher *hasher;
    int fd;       /* the fill's */
    int64_t got;  /* as the fill's, which only we change */
    int64_t size; /* likewise */
    int64_t flushed;
    int64_t skip;    /* of what comes: it is here already */
    int64_t stop_at; /* somebody has brought what follows; -1: nobody */
    int64_t found;   /* what an earlier life had left */
    int64_t began_ms;
    int64_t look_at;      /* where to look at the free space again */
    bool is_published;    /* it is a blob of the store */
    char *place;          /* then: where it is, when it is elsewhere */
    bool is_passed;       /* nothing is written any more */
    int64_t lease_ms;     /* when the lease of the fill is to be renewed; 0: there is none */
    bool no_parts;        /* the upstream does not send any */
    bool has_parts;       /* an earlier life has left some behind `found` */
    bool has_lane;        /* its own connection counts among those of large blobs (wide.h) */
    int64_t asked_ms;     /* when it asked by that */
    int64_t wide_look_at; /* where to judge again how many there should be */
    int resumes;
    struct serve_patience patience;
};

/* filler_write.c */
/* Bytes that follow: into the file and the hash, or past it where there is no room. */
CORAS_MUST_CHECK int serve_filler_append(struct serve_filler *w, const void *data, size_t len,
                                         coras_error **err);
/* The same with bytes that others have put there. */
CORAS_MUST_CHECK int serve_filler_adopt(struct serve_filler *w, const void *data, size_t len,
                                        coras_error **err);
/* Bytes that are in the file already: hash them, and let them be read. */
void serve_filler_take(struct serve_filler *w, const void *data, size_t len);
/* A line of the log about the whole of it. `failure` may be NULL. */
void serve_filler_tell(const struct serve_filler *w, const char *what, const coras_error *failure);

/* filler_end.c */
/* What came is not what was asked for: the upstream is to blame, or what was here before. */
bool serve_filler_is_mismatch(int rc, const coras_error *failure);
/* All is here and verified (0), or `failure` is why not: readers hear of it. */
void serve_filler_end(struct serve_filler *w, int rc, const coras_error *failure);

#endif
