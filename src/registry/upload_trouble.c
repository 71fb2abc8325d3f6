/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways back of an upload that meets trouble: waiting, a new session, one request instead of
 * pieces, smaller bodies. Each is bounded, and what it says of the host is learnt.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/random.h"
#include "registry/hints.h"
#include "registry/upload_impl.h"

enum {
    LOST_MAX = 3,           /* sessions that are gone in the middle */
    EXPECT_MIN = CORAS_MIB, /* smaller bodies are sent before an answer could come */
};

/* ---- what is learnt about the host ---- */

coras_host_facts coras_upload_facts_of(const coras_upload *u)
{
    coras_host_facts facts = coras_client_host_facts(u->r->client, u->r->host);

    if (u->small_bodies)
        coras_host_facts_join(&facts, &(coras_host_facts){.max_body = CORAS_UPLOAD_BODY_SMALL});
    return facts;
}

void coras_upload_learn(coras_upload *u, coras_host_facts learnt)
{
    coras_client_learn_host(u->r->client, u->r->host, &learnt);
}

void coras_upload_make_plan(coras_upload *u)
{
    coras_host_facts facts = coras_upload_facts_of(u);

    u->plan = coras_upload_plan_for(u->state.size, &facts, u->min_chunk);
    if (u->one_put)
        u->plan.chunked = false;
}

bool coras_upload_may_expect(const coras_upload *u, int64_t length)
{
    return length > EXPECT_MIN && !coras_upload_facts_of(u).no_expect;
}

/* ---- digest, existence ---- */

/* 1: known now and not before; 0: as before. */
int coras_upload_poll_digest(coras_upload *u, bool wait, coras_error **err)
{
    const coras_digest_promise *promise = u->push->promise;

    if (u->digest.algorithm)
        return 0;
    int rc = promise->get(promise->user, wait, &u->digest, err);
    return rc < 0 ? rc : rc == 0;
}

int coras_upload_blob_is_there(coras_upload *u, bool once, coras_error **err)
{
    u->asked = true;
    return coras_registry_has_blob(u->r, &u->digest, once, err);
}

int coras_upload_claim(coras_upload *u, coras_error **err)
{
    u->asked = true;
    return coras_registry_claim_blob(u->r, &u->digest, u->state.size, err);
}

/* After something went wrong: perhaps it went well and only the answer is lost. */
bool coras_upload_arrived(coras_upload *u)
{
    return u->digest.algorithm && coras_upload_blob_is_there(u, true, NULL) > 0;
}

/* ---- trouble ---- */

void coras_upload_drop_session(coras_upload *u)
{
    if (u->session)
        coras_upload_abandon(u->r, u->session);
    free(u->session);
    u->session = NULL;
    coras_upload_journal_forget(&u->journal);
}

void coras_upload_keep_trouble(coras_upload *u, coras_upload_reply *reply)
{
    coras_error_free(u->trouble);
    u->trouble = coras_steal(&reply->trouble);
}

int coras_upload_give_up(coras_upload *u, coras_error **err)
{
    int rc = coras_error_code(u->trouble);

    if (!u->trouble)
        return coras_fail(err, CORAS_ERR_PROTOCOL, "the registry keeps losing the upload");
    coras_hints_push_blob(u->r, &u->trouble);
    coras_error_propagate(err, &u->trouble);
    return rc;
}

void coras_upload_tell_retrying(coras_upload *u)
{
    const coras_transfer *t = u->push->transfer;

    if (t && t->retrying)
        t->retrying(t->user, u->state.confirmed,
                    u->trouble ? coras_error_message(u->trouble) : "upload session lost");
}

/* Wait before `next`, unless this has gone on for too long. */
int coras_upload_try_again(coras_upload *u, enum coras_upload_step next, int64_t retry_after_s,
                           coras_error **err)
{
    const struct coras_retry_case c = {
        .error_retryable = true,
        .asked_s = retry_after_s,
        .random = coras_random_below(UINT32_MAX),
    };
    struct coras_retry_verdict verdict = coras_retry_decide(&u->tries, &c);

    if (!verdict.again)
        return coras_upload_give_up(u, err);
    coras_upload_tell_retrying(u);
    CORAS_TRY(coras_cancel_sleep_ms(u->push->transfer ? u->push->transfer->cancel : NULL,
                                    verdict.wait_ms, err));
    return next;
}

/* The session is gone: from the start, and in the end without pieces that could get lost. */
int coras_upload_start_over(coras_upload *u, coras_error **err)
{
    if (coras_upload_arrived(u))
        return CORAS_STEP_PUSHED;
    if (++u->lost > LOST_MAX) {
        if (u->one_put)
            return coras_upload_give_up(u, err);
        u->one_put = true;
    }
    coras_upload_drop_session(u);
    coras_upload_tell_retrying(u);
    return CORAS_STEP_BEGIN;
}

int coras_upload_without_pieces(coras_upload *u, coras_error **err)
{
    if (u->one_put)
        return coras_upload_give_up(u, err);
    u->one_put = true;
    coras_upload_drop_session(u);
    return CORAS_STEP_BEGIN;
}

/* The last body, of `length` bytes, was too large. */
int coras_upload_with_smaller_bodies(coras_upload *u, int64_t length, int status, coras_error **err)
{
    int64_t smaller = status == 416 && length > CORAS_UPLOAD_BODY_SMALL
                          ? CORAS_UPLOAD_BODY_SMALL
                          : coras_upload_smaller_body(length);

    if (!smaller)
        return status == 416 ? coras_upload_without_pieces(u, err) : coras_upload_give_up(u, err);
    if (u->one_put || coras_upload_facts_of(u).no_patch)
        return coras_upload_give_up(u, err);
    coras_upload_learn(u, (coras_host_facts){.max_body = smaller});
    coras_upload_make_plan(u);
    if (!u->plan.chunked)
        return coras_upload_give_up(u, err);
    coras_upload_drop_session(u);
    return CORAS_STEP_BEGIN;
}
