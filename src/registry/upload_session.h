/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of one upload session, each a single try: what came back is a value, so that
 * upload.c can decide what it means.
 */
#ifndef CORAS_REGISTRY_UPLOAD_SESSION_H
#define CORAS_REGISTRY_UPLOAD_SESSION_H

#include "registry/registry.h"
#include "registry/upload_policy.h"

typedef struct coras_upload_body {
    const coras_source *source; /* NULL: no body */
    int64_t offset, length;
    const coras_transfer *transfer; /* or NULL */
    bool expect;                    /* may be refused before it is sent */
} coras_upload_body;

typedef struct coras_upload_reply {
    coras_upload_answer answer; /* views into `response` */
    coras_response *response;   /* NULL when no answer came */
    coras_error *trouble;       /* why this is no success; NULL otherwise */
    char *location;             /* where the session goes on; NULL: as before */
    int64_t retry_after_s;      /* -1: not said */
    int64_t sent_ms;            /* when the last byte of the body went out, monotonic */
    bool unanswered;            /* all of the body went out, and nobody answered in time */
} coras_upload_reply;
void coras_upload_reply_clear(coras_upload_reply *reply);
CORAS_DEFINE_AUTO_VALUE(coras_upload_reply, coras_upload_reply_clear)

/*
 * One request. Succeeds with whatever an upload can go on from, no answer at all included; fails
 * when there is nothing more to do: refused access, broken source, cancelled, out of memory.
 */
CORAS_MUST_CHECK int coras_upload_exchange(coras_registry *r, const char *method, const char *url,
                                           const coras_upload_body *body, coras_upload_reply *ret,
                                           coras_error **err);
/* Begin: POST with the client's retries. *ret_min_chunk: OCI-Chunk-Min-Length or 0. */
CORAS_MUST_CHECK int coras_upload_begin(coras_registry *r, const coras_digest *digest,
                                        char **ret_session, int64_t *ret_min_chunk,
                                        coras_error **err);
/* Tell the registry that nothing more comes. Best effort. */
void coras_upload_abandon(coras_registry *r, const char *session);

#endif
