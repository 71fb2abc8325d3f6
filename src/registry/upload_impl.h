/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One upload while it runs, for the files that make it: upload.c (the steps), upload_close.c (the
 * last of them), upload_trouble.c (the ways back).
 */
#ifndef CORAS_REGISTRY_UPLOAD_IMPL_H
#define CORAS_REGISTRY_UPLOAD_IMPL_H

#include "base/retry.h"
#include "registry/upload_journal.h"
#include "registry/upload_session.h"

enum coras_upload_step {
    CORAS_STEP_BEGIN,
    CORAS_STEP_SEND,
    CORAS_STEP_ASK,
    CORAS_STEP_CLOSE,
    CORAS_STEP_PUSHED,
    CORAS_STEP_EXISTED
};

typedef struct coras_upload {
    coras_registry *r;
    const coras_blob_push *push;
    coras_digest digest; /* CORAS_DIGEST_NONE: not known yet */
    coras_upload_plan plan;
    coras_upload_state state;
    char *session;
    int64_t min_chunk;
    coras_upload_journal journal;
    bool looked;       /* for an upload that a former process has begun */
    bool asked;        /* whether the blob is there */
    bool is_former;    /* the session is of a former process, and nothing has come of it yet */
    bool small_bodies; /* of this blob: a large one has not got through */
    bool one_put;      /* the way back: no chunks for this blob any more */
    int lost;
    coras_retry tries; /* since the last progress */
    int64_t most;      /* bytes that the registry has had, for progress */
    coras_error *trouble;
} coras_upload;

/* ---- what the host is like ---- */

coras_host_facts coras_upload_facts_of(const coras_upload *u);
void coras_upload_learn(coras_upload *u, coras_host_facts learnt);
void coras_upload_make_plan(coras_upload *u);
/* Whether to ask before a body of `length` bytes is sent. */
bool coras_upload_may_expect(const coras_upload *u, int64_t length);

/* ---- digest, existence ---- */

/* 1: known now and not before; 0: as before. */
CORAS_MUST_CHECK int coras_upload_poll_digest(coras_upload *u, bool wait, coras_error **err);
CORAS_MUST_CHECK int coras_upload_blob_is_there(coras_upload *u, bool once, coras_error **err);
/* The same before the upload begins. */
CORAS_MUST_CHECK int coras_upload_claim(coras_upload *u, coras_error **err);
/* After something went wrong: perhaps it went well and only the answer is lost. */
bool coras_upload_arrived(coras_upload *u);

/* ---- trouble: each returns the next step or an error ---- */

void coras_upload_drop_session(coras_upload *u);
void coras_upload_keep_trouble(coras_upload *u, coras_upload_reply *reply);
void coras_upload_tell_retrying(coras_upload *u);
int coras_upload_give_up(coras_upload *u, coras_error **err);
/* Wait before `next`, unless this has gone on for too long. */
int coras_upload_try_again(coras_upload *u, enum coras_upload_step next, int64_t retry_after_s,
                           coras_error **err);
/* The session is gone. */
int coras_upload_start_over(coras_upload *u, coras_error **err);
/* Pieces do not work. */
int coras_upload_without_pieces(coras_upload *u, coras_error **err);
/* The last body, of `length` bytes, was too large. */
int coras_upload_with_smaller_bodies(coras_upload *u, int64_t length, int status,
                                     coras_error **err);

/* The last step. */
int coras_upload_step_close(coras_upload *u, coras_error **err);

#endif
