/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs into a repository: the resumable upload.
 * Spec: distribution-spec 1.1, "Pushing blobs".
 *
 * A state machine of four steps that lead to each other: BEGIN a session, SEND a piece, ASK where
 * the session stands, CLOSE it. upload_policy.c says what an answer means, upload_session.c makes
 * the requests; here the steps act. The content may still be without digest when sending begins;
 * then the digest is asked for between the pieces, and the upload is dropped when the registry
 * turns out to have the blob. The closing is in upload_close.c, the ways back in upload_trouble.c.
 *
 * All loops are bounded: failures without progress, lost sessions, and bodies made smaller.
 */
#include "base/alloc.h"
#include "base/random.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/retry.h"
#include "oci/digest.h"
#include "registry/url_policy.h"
#include "registry/hints.h"
#include "registry/upload_journal.h"
#include "registry/upload_impl.h"

static void upload_clear(coras_upload *u)
{
    free(u->session);
    coras_error_free(u->trouble);
    coras_upload_journal_close(&u->journal);
}
CORAS_DEFINE_AUTO_VALUE(coras_upload, upload_clear)

/* The registry has `bytes` of the blob. */
static void confirm(coras_upload *u, int64_t bytes)
{
    u->state.refused_here = u->state.bad_range && bytes == u->state.confirmed;
    u->state.bad_range = false;
    u->state.confirmed = bytes;
    u->state.doubt = false;
    if (bytes > u->most) {
        u->most = bytes;
        u->tries = (coras_retry){.what = CORAS_RETRY_UPLOAD};
    }
    /* Where Range lies, a later process could not find out where to go on. */
    if (bytes > 0 && !u->plan.own_count)
        coras_upload_journal_save(&u->journal, u->session, bytes);
}

static int next_piece(const coras_upload *u)
{
    return u->state.confirmed >= u->state.size ? CORAS_STEP_CLOSE : CORAS_STEP_SEND;
}

static void move_session(coras_upload *u, coras_upload_reply *reply)
{
    if (!reply->location)
        return;
    free(u->session);
    u->session = coras_steal(&reply->location);
}

/* ---- where a former process was stopped ---- */

/* Whether an upload of this blob got further than the one at hand. Locks the journal. */
static bool find_former(coras_upload *u)
{
    coras_auto_free char *name = NULL;

    if (u->looked || !u->plan.chunked || u->plan.own_count || !u->digest.algorithm)
        return false;
    u->looked = true;
    name = coras_asprintf("%s/%s", u->r->host, u->r->repository);
    if (name)
        coras_upload_journal_open(&u->journal, coras_client_cache_dir(u->r->client), name,
                                  &u->digest, u->state.size);
    return u->journal.session && u->journal.confirmed > u->state.confirmed;
}

static int go_on_with_former(coras_upload *u)
{
    char *session = NULL;

    /* As carefully as if the registry had just said so. */
    if (coras_upload_location(u->r->base_url, u->r->base_url, u->journal.session, &session, NULL) <
        0) {
        coras_upload_journal_forget(&u->journal);
        return u->session ? CORAS_STEP_SEND : CORAS_STEP_BEGIN;
    }
    if (u->session)
        coras_upload_abandon(u->r, u->session);
    free(u->session);
    u->session = session;
    u->is_former = true;
    u->state = (coras_upload_state){.size = u->state.size, .sent_to = u->state.size};
    return CORAS_STEP_ASK;
}

/* ---- the steps ---- */

static int step_begin(coras_upload *u, coras_error **err)
{
    coras_upload_make_plan(u);
    CORAS_TRY(coras_upload_poll_digest(u, !u->plan.chunked, err));
    if (u->digest.algorithm && !u->asked) {
        int there = coras_upload_claim(u, err);
        CORAS_TRY(there);
        if (there)
            return CORAS_STEP_EXISTED;
    }
    if (find_former(u))
        return go_on_with_former(u);
    u->session = u->digest.algorithm ? coras_registry_take_session(u->r, &u->digest) : NULL;
    if (!u->session)
        CORAS_TRY(coras_upload_begin(u->r, &u->digest, &u->session, &u->min_chunk, err));
    coras_upload_make_plan(u);
    u->state = (coras_upload_state){.size = u->state.size, .fresh = true};
    return u->plan.chunked ? next_piece(u) : CORAS_STEP_CLOSE;
}

static int after_patch(coras_upload *u, const coras_upload_reply *reply, coras_error **err)
{
    int64_t confirmed = u->state.confirmed, most = u->most;
    int64_t length = u->state.sent_to - u->state.confirmed;
    enum coras_upload_verdict verdict =
        coras_upload_after_patch(&u->plan, &u->state, &reply->answer, &confirmed);

    u->state.bad_range = reply->answer.status == 416;
    u->state.last_taken = reply->answer.status >= 200 && reply->answer.status < 300;
    if (u->state.last_taken)
        u->state.fresh = false;
    switch (verdict) {
    case CORAS_UPLOAD_GO_ON:
        confirm(u, confirmed);
        /* Refused, and sent to where we have been: that may go round for ever. */
        if (!u->state.last_taken && u->most == most)
            return coras_upload_try_again(u, next_piece(u), reply->retry_after_s, err);
        return next_piece(u);
    case CORAS_UPLOAD_DOUBT:
        u->state.doubt = true;
        return CORAS_STEP_ASK;
    case CORAS_UPLOAD_ASK:
        return coras_upload_try_again(u, CORAS_STEP_ASK, reply->retry_after_s, err);
    case CORAS_UPLOAD_SMALLER:
        return coras_upload_with_smaller_bodies(u, length, reply->answer.status, err);
    case CORAS_UPLOAD_NO_PATCH:
        coras_upload_learn(u, (coras_host_facts){.no_patch = true});
        return coras_upload_without_pieces(u, err);
    case CORAS_UPLOAD_LOST:
        return coras_upload_start_over(u, err);
    default:
        return coras_upload_give_up(u, err);
    }
}

static int step_send(coras_upload *u, coras_error **err)
{
    coras_auto_value(coras_upload_reply) reply = {0};
    coras_upload_state *s = &u->state;
    int64_t left = s->size - s->confirmed;
    coras_upload_body body = {
        .source = u->push->source,
        .offset = s->confirmed,
        .length = left < u->plan.chunk ? left : u->plan.chunk,
        .transfer = u->push->transfer,
    };

    int news = coras_upload_poll_digest(u, false, err);
    CORAS_TRY(news);
    if (news && coras_upload_arrived(u))
        return CORAS_STEP_EXISTED;
    if (news && find_former(u))
        return go_on_with_former(u);
    if (u->plan.last_in_put && body.length == left)
        return CORAS_STEP_CLOSE;
    body.expect = s->fresh && coras_upload_may_expect(u, body.length);
    s->sent_to = s->confirmed + body.length;
    CORAS_TRY(coras_upload_exchange(u->r, "PATCH", u->session, &body, &reply, err));
    coras_upload_keep_trouble(u, &reply);
    move_session(u, &reply);
    if (reply.answer.status == 417 && body.expect) {
        coras_upload_learn(u, (coras_host_facts){.no_expect = true});
        return CORAS_STEP_SEND;
    }
    return after_patch(u, &reply, err);
}

/* A session that was kept may have become another's: that says nothing of a new one. */
static bool is_worth_a_new_session(const coras_upload *u, int rc)
{
    return u->is_former && (rc == CORAS_ERR_DENIED || rc == CORAS_ERR_UNAUTHORIZED ||
                            rc == CORAS_ERR_NO_CREDENTIAL);
}

static int step_ask(coras_upload *u, coras_error **err)
{
    static const coras_upload_body nothing = {0};
    coras_auto_value(coras_upload_reply) reply = {0};
    coras_auto(coras_error) failure = NULL;
    int64_t confirmed = u->state.confirmed;

    int rc = coras_upload_exchange(u->r, "GET", u->session, &nothing, &reply, &failure);
    if (rc < 0 && is_worth_a_new_session(u, rc)) {
        u->is_former = false;
        coras_upload_drop_session(u);
        return CORAS_STEP_BEGIN;
    }
    if (rc < 0) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    enum coras_upload_verdict verdict =
        coras_upload_after_status(&u->plan, &u->state, &reply.answer, &confirmed);
    switch (verdict) {
    case CORAS_UPLOAD_LIES:
        coras_upload_learn(u, (coras_host_facts){.range_lies = true});
        coras_upload_make_plan(u);
        __attribute__((fallthrough));
    case CORAS_UPLOAD_GO_ON:
        u->state.counted |= reply.trouble != NULL;
        move_session(u, &reply);
        u->is_former = false;
        confirm(u, confirmed);
        return next_piece(u);
    case CORAS_UPLOAD_ASK:
        coras_upload_keep_trouble(u, &reply);
        return coras_upload_try_again(u, CORAS_STEP_ASK, reply.retry_after_s, err);
    case CORAS_UPLOAD_LOST:
        return coras_upload_start_over(u, err);
    default:
        coras_upload_keep_trouble(u, &reply);
        return coras_upload_give_up(u, err);
    }
}

static int run(coras_upload *u, coras_error **err)
{
    const coras_transfer *t = u->push->transfer;
    int step = CORAS_STEP_BEGIN;

    while (step >= 0 && step < CORAS_STEP_PUSHED) {
        CORAS_TRY(coras_cancel_check(t ? t->cancel : NULL, err));
        switch ((enum coras_upload_step)step) {
        case CORAS_STEP_SEND:
            step = step_send(u, err);
            break;
        case CORAS_STEP_ASK:
            step = step_ask(u, err);
            break;
        case CORAS_STEP_CLOSE:
            step = coras_upload_step_close(u, err);
            break;
        case CORAS_STEP_BEGIN:
        default:
            step = step_begin(u, err);
            break;
        }
    }
    return step;
}

/* Whether a later process may go on with the session. */
static bool is_interruption(int rc, const coras_error *failure)
{
    int status = coras_error_http_status(failure);

    switch (rc) {
    case CORAS_ERR_CANCELLED:
    case CORAS_ERR_CONNECT:
    case CORAS_ERR_TIMEOUT:
    case CORAS_ERR_UNAUTHORIZED:
    case CORAS_ERR_NO_CREDENTIAL:
        return true;
    default:
        return status == 429 || status >= 500;
    }
}

int coras_registry_push_blob(coras_target *t, const coras_blob_push *push, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto(coras_error) failure = NULL;
    coras_auto_value(coras_upload) u = {
        .r = r,
        .push = push,
        .digest = push->promise ? (coras_digest){0} : push->desc->digest,
        .state.size = push->desc->size,
        .journal = CORAS_UPLOAD_JOURNAL_INIT,
        .tries.what = CORAS_RETRY_UPLOAD,
        .asked = push->known_missing && !push->promise,
    };

    int rc = run(&u, &failure);
    if (rc == CORAS_STEP_PUSHED) {
        coras_registry_note_seen(r, &u.digest);
        coras_upload_journal_forget(&u.journal);
        return CORAS_PUSHED;
    }
    if (!u.journal.session || !is_interruption(rc, failure))
        coras_upload_drop_session(&u);
    else if (push->transfer && push->transfer->kept)
        push->transfer->kept(push->transfer->user, u.state.confirmed);
    if (rc == CORAS_STEP_EXISTED)
        return CORAS_PUSH_EXISTED;
    coras_hints_push_blob(r, &failure);
    coras_error_propagate(err, &failure);
    return rc;
}
