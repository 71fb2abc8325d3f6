/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of an upload: the closing PUT, and what may come of it.
 *
 * A registry may take minutes to store a large blob, longer than anybody waits for an answer. What
 * may still be working is never sent again: the blob is looked for until it is there.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"
#include "registry/url_policy.h"
#include "registry/upload_impl.h"

enum {
    COMMIT_POLLS = 60, /* a registry that is still at it is asked once a second */
    COMMIT_POLL_MS = 1000,
    COMMIT_POLL_MAX_MS = 30000,
    COMMIT_SMALL = 5 * CORAS_MIB, /* below, storing takes no minutes */
    COMMIT_SMALL_MS = 10000,
    HASH_PIECE = 256 * CORAS_KIB,
};

/* A commit that goes on behind the answer. */
static int wait_for_commit(coras_upload *u, coras_error **err)
{
    for (int i = 0; i < COMMIT_POLLS; i++) {
        int there = coras_registry_has_blob(u->r, &u->digest, false, err);
        if (there != 0)
            return there < 0 ? there : CORAS_STEP_PUSHED;
        CORAS_TRY(coras_cancel_sleep_ms(u->push->transfer ? u->push->transfer->cancel : NULL,
                                        COMMIT_POLL_MS, err));
    }
    return coras_fail(err, CORAS_ERR_TIMEOUT,
                      "the registry has taken the blob but does not show it");
}

static void tell_storing(const coras_upload *u, int64_t seconds)
{
    const coras_transfer *t = u->push->transfer;
    coras_auto_free char *text =
        coras_asprintf("the registry has been storing it for %lld s", (long long)seconds);

    if (t && t->retrying && text)
        t->retrying(t->user, u->state.size, text);
}

/*
 * All was sent at `sent_ms`, and no answer came: the registry may still be storing it. Looks for
 * the blob. 0 (CORAS_STEP_BEGIN): it cannot take this long, the request was lost.
 */
static int wait_without_answer(coras_upload *u, int64_t sent_ms, coras_error **err)
{
    const coras_transfer *t = u->push->transfer;
    int64_t asked_ms = coras_now_ms(), wait_ms = COMMIT_POLL_MS;

    for (;;) {
        int there = coras_registry_has_blob(u->r, &u->digest, false, err);
        if (there != 0)
            return there < 0 ? there : CORAS_STEP_PUSHED;
        int64_t now_ms = coras_now_ms(), seconds = (now_ms - sent_ms) / 1000;
        if (u->state.size < COMMIT_SMALL && now_ms - asked_ms > COMMIT_SMALL_MS)
            return CORAS_STEP_BEGIN;
        if (seconds > CORAS_LIMIT_COMMIT_S)
            return coras_fail(
                err, CORAS_ERR_TIMEOUT,
                "the registry has all of the blob and has not said for %lld s that it "
                "is stored; it may still be at it",
                (long long)seconds);
        tell_storing(u, seconds);
        CORAS_TRY(coras_cancel_sleep_ms(t ? t->cancel : NULL, wait_ms, err));
        wait_ms = wait_ms * 2 < COMMIT_POLL_MAX_MS ? wait_ms * 2 : COMMIT_POLL_MAX_MS;
    }
}

/* A gateway in front has not waited for the registry either. */
static bool may_still_store(const coras_upload *u, const coras_upload_reply *reply)
{
    return reply->unanswered || (u->state.size >= COMMIT_SMALL &&
                                 (reply->answer.status == 504 || reply->answer.status == 524));
}

static int check_stored(coras_upload *u, const coras_response *resp, coras_error **err)
{
    char have[CORAS_DIGEST_TEXT_MAX], want[CORAS_DIGEST_TEXT_MAX];
    coras_digest stored;
    int has = coras_registry_content_digest(resp, &stored, err);

    CORAS_TRY(has);
    if (!has || stored.algorithm != u->digest.algorithm || coras_digest_equal(&stored, &u->digest))
        return CORAS_STEP_PUSHED;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                      "the registry stored other content: digest %s instead of %s",
                      coras_digest_format(&stored, have), coras_digest_format(&u->digest, want));
}

/* The registry got other bytes than the digest is of: whose fault is it? */
static int explain_digest(coras_upload *u, coras_error **err)
{
    const coras_source *source = u->push->source;
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *piece = coras_malloc(HASH_PIECE);
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_digest digest;
    size_t n;

    if (!piece)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(u->digest.algorithm, &hasher, err));
    for (int64_t at = 0; at < u->state.size; at += (int64_t)n) {
        CORAS_TRY(source->read_at(source->user, piece, HASH_PIECE, at, &n, err));
        coras_hasher_update(hasher, piece, n);
    }
    coras_hasher_final(hasher, &digest);
    if (coras_digest_equal(&digest, &u->digest))
        coras_advise_with(&u->trouble, CORAS_HINT_CHANGED_ON_THE_WAY, u->r->host);
    else
        coras_advise_with(&u->trouble, CORAS_HINT_CONTENT_DIGEST,
                          coras_digest_format(&digest, text));
    return coras_upload_give_up(u, err);
}

static int refused_put(coras_upload *u, coras_error **err)
{
    return coras_error_has_registry_code(u->trouble, "DIGEST_INVALID")
               ? explain_digest(u, err)
               : coras_upload_give_up(u, err);
}

/* The answer to the closing PUT of `length` bytes. */
static int after_put(coras_upload *u, coras_upload_reply *reply, int64_t length, coras_error **err)
{
    int status = reply->answer.status;

    switch (coras_upload_after_put(&u->state, &reply->answer)) {
    case CORAS_UPLOAD_DONE:
        return check_stored(u, reply->response, err);
    case CORAS_UPLOAD_WAIT:
        return wait_for_commit(u, err);
    case CORAS_UPLOAD_ASK:
        if (coras_upload_arrived(u))
            return CORAS_STEP_PUSHED;
        if (u->plan.chunked)
            return coras_upload_try_again(u, CORAS_STEP_ASK, reply->retry_after_s, err);
        coras_upload_drop_session(u);
        if (u->tries.failures >
            0) /* once more as it was; then in pieces, of which one may get through */
            u->small_bodies = true;
        return coras_upload_try_again(u, CORAS_STEP_BEGIN, reply->retry_after_s, err);
    case CORAS_UPLOAD_LOST:
        return coras_upload_start_over(u, err);
    case CORAS_UPLOAD_SMALLER:
        return coras_upload_with_smaller_bodies(u, length, status, err);
    case CORAS_UPLOAD_ONE_PUT: /* or the answer to a second try of one that went well */
        if (coras_upload_arrived(u))
            return CORAS_STEP_PUSHED;
        return u->one_put ? refused_put(u, err) : coras_upload_without_pieces(u, err);
    default:
        return refused_put(u, err);
    }
}

int coras_upload_step_close(coras_upload *u, coras_error **err)
{
    coras_auto_value(coras_upload_reply) reply = {0};
    coras_auto_free char *url = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_upload_state *s = &u->state;
    coras_upload_body body = {
        .source = u->push->source,
        .offset = s->confirmed,
        .length = s->size - s->confirmed,
        .transfer = u->push->transfer,
        .expect = s->confirmed == 0 && coras_upload_may_expect(u, s->size),
    };

    CORAS_TRY(coras_upload_poll_digest(u, true, err));
    if (u->push->unchanged)
        CORAS_TRY(u->push->unchanged(u->push->unchanged_user, err));
    CORAS_TRY(coras_upload_close_url(u->session, coras_digest_format(&u->digest, text), &url, err));
    s->sent_to = s->size;
    CORAS_TRY(coras_upload_exchange(u->r, "PUT", url, &body, &reply, err));
    coras_upload_keep_trouble(u, &reply);
    if (reply.answer.status == 417 && body.expect) {
        coras_upload_learn(u, (coras_host_facts){.no_expect = true});
        return CORAS_STEP_CLOSE;
    }
    if (may_still_store(u, &reply)) {
        int step = wait_without_answer(u, reply.sent_ms, err);
        if (step != CORAS_STEP_BEGIN)
            return step;
    }
    return after_put(u, &reply, body.length, err);
}
