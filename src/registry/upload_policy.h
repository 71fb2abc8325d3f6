/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a blob goes up, decided from what the registry's host is like and what it answers. Pure:
 * values in, a verdict out; upload.c acts on it.
 *
 * Host names only give the first guess; every branch is reachable by what a server answers.
 */
#ifndef CORAS_REGISTRY_UPLOAD_POLICY_H
#define CORAS_REGISTRY_UPLOAD_POLICY_H

#include "base/common.h"
#include "client/host_facts.h"

typedef struct coras_upload_plan {
    bool chunked;     /* else: one PUT */
    int64_t chunk;    /* bytes of one PATCH */
    bool last_in_put; /* the last piece goes with the closing PUT, which would be empty otherwise */
    bool own_count;   /* believe our count, not the answers' Range */
} coras_upload_plan;

/* What GHCR takes in one PATCH, with a margin. */
#define CORAS_UPLOAD_BODY_SMALL 4000000

/* `min_chunk`: OCI-Chunk-Min-Length, 0 when not announced. */
coras_upload_plan coras_upload_plan_for(int64_t size, const coras_host_facts *facts,
                                        int64_t min_chunk);
/* The next size to try when a body of `length` bytes was too large; 0: there is none. */
int64_t coras_upload_smaller_body(int64_t length);

/* An answer to PATCH, PUT or GET of a session. */
typedef struct coras_upload_answer {
    int status;        /* 0: none came */
    const char *range; /* header, or NULL */
} coras_upload_answer;

enum coras_upload_verdict {
    CORAS_UPLOAD_GO_ON,    /* *ret_confirmed bytes are there */
    CORAS_UPLOAD_DOUBT,    /* taken, but the Range makes no sense: ask the session */
    CORAS_UPLOAD_LIES,     /* the Range is of no use: *ret_confirmed by our own count */
    CORAS_UPLOAD_ASK,      /* trouble on the way: wait, then ask the session */
    CORAS_UPLOAD_SMALLER,  /* the body was too large */
    CORAS_UPLOAD_NO_PATCH, /* no chunks here */
    CORAS_UPLOAD_LOST,     /* the session is gone */
    CORAS_UPLOAD_ONE_PUT,  /* the pieces did not make the blob: once more in one piece */
    CORAS_UPLOAD_WAIT,     /* the registry is still at it */
    CORAS_UPLOAD_DONE,
    CORAS_UPLOAD_REFUSED,
};

/* Where an upload stands. */
typedef struct coras_upload_state {
    int64_t size;
    int64_t confirmed; /* bytes that the registry has, as far as we know */
    int64_t sent_to;   /* end of what the last request carried */
    bool fresh;        /* no PATCH of this session was taken yet */
    bool doubt;        /* the last PATCH was taken with a Range that makes no sense */
    bool last_taken;   /* the last PATCH was answered with success */
    bool counted;      /* went on by our own count once already */
    bool bad_range;    /* the last PATCH was refused with 416 */
    bool refused_here; /* a piece at `confirmed`, which the session itself had named */
} coras_upload_state;

enum coras_upload_verdict coras_upload_after_patch(const coras_upload_plan *plan,
                                                   const coras_upload_state *state,
                                                   const coras_upload_answer *answer,
                                                   int64_t *ret_confirmed);
/* GET of the session. */
enum coras_upload_verdict coras_upload_after_status(const coras_upload_plan *plan,
                                                    const coras_upload_state *state,
                                                    const coras_upload_answer *answer,
                                                    int64_t *ret_confirmed);
/* The closing PUT. ASK: it may have taken effect. */
enum coras_upload_verdict coras_upload_after_put(const coras_upload_state *state,
                                                 const coras_upload_answer *answer);

#endif
