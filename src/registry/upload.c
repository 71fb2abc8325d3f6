/*
 * Blobs into a repository: the resumable upload.
 * Spec: distribution-spec 1.1, "Pushing blobs".
 *
 * A state machine of four steps that lead to each other: BEGIN a session, SEND a piece, ASK where
 * the session stands, CLOSE it. upload_policy.c says what an answer means, upload_session.c makes
 * the requests; here the steps act. The content may still be without digest when sending begins;
 * then the digest is asked for between the pieces, and the upload is dropped when the registry
 * turns out to have the blob.
 *
 * All loops are bounded: failures without progress, lost sessions, and bodies made smaller.
 */
#include "base/alloc.h"
#include "base/random.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/retry.h"
#include "oci/digest.h"
#include "registry/location.h"
#include "registry/hints.h"
#include "registry/upload_journal.h"
#include "registry/upload_session.h"

enum {
    LOST_MAX = 3,      /* sessions that are gone in the middle */
    COMMIT_POLLS = 60, /* a registry that is still at it is asked once a second */
    COMMIT_POLL_MS = 1000,
    HASH_PIECE = 256 * CORAS_KIB,
    EXPECT_MIN = CORAS_MIB, /* smaller bodies are sent before an answer could come */
};

enum step { STEP_BEGIN, STEP_SEND, STEP_ASK, STEP_CLOSE, STEP_PUSHED, STEP_EXISTED };

typedef struct upload {
    coras_registry *r;
    const coras_blob_push *push;
    coras_digest digest; /* CORAS_DIGEST_NONE: not known yet */
    coras_upload_facts facts;
    coras_upload_plan plan;
    coras_upload_state state;
    char *session;
    int64_t min_chunk;
    coras_upload_journal journal;
    bool looked;    /* for an upload that a former process has begun */
    bool asked;     /* whether the blob is there */
    bool is_former; /* the session is of a former process, and nothing has come of it yet */
    bool one_put;   /* the way back: no chunks for this blob any more */
    int lost;
    coras_retry tries; /* since the last progress */
    int64_t most;      /* bytes that the registry has had, for progress */
    coras_error *trouble;
} upload;

static void upload_clear(upload *u)
{
    free(u->session);
    coras_error_free(u->trouble);
    coras_upload_journal_close(&u->journal);
}
CORAS_DEFINE_AUTO_VALUE(upload, upload_clear)

/* ---- what is learnt about the host ---- */

static bool fact_is_set(const coras_registry *r, const char *name)
{
    coras_auto_free char *value = coras_client_fact_get(r->client, r->host, name);

    return value != NULL;
}

static void read_facts(upload *u)
{
    coras_auto_free char *max = coras_client_fact_get(u->r->client, u->r->host, "upload:max-body");

    u->facts.no_patch = fact_is_set(u->r, "upload:no-patch");
    u->facts.range_lies = fact_is_set(u->r, "upload:range-lies");
    if (max)
        (void)coras_parse_int64(coras_str_of(max), &u->facts.max_body);
}

static void learn(upload *u, const char *name, const char *value)
{
    coras_client_fact_set(u->r->client, u->r->host, name, value);
    read_facts(u);
}

static void learn_max_body(upload *u, int64_t bytes)
{
    coras_auto_free char *text = coras_asprintf("%lld", (long long)bytes);

    if (text)
        learn(u, "upload:max-body", text);
    u->facts.max_body = bytes;
}

static void make_plan(upload *u)
{
    u->plan = coras_upload_plan_for(u->r->host, u->state.size, &u->facts, u->min_chunk);
    if (u->one_put)
        u->plan.chunked = false;
}

/* ---- digest, existence ---- */

/* 1: known now and not before; 0: as before. */
static int poll_digest(upload *u, bool wait, coras_error **err)
{
    const coras_digest_promise *promise = u->push->promise;

    if (u->digest.algorithm)
        return 0;
    int rc = promise->get(promise->user, wait, &u->digest, err);
    return rc < 0 ? rc : rc == 0;
}

static int blob_is_there(upload *u, bool once, coras_error **err)
{
    u->asked = true;
    return coras_registry_has_blob(u->r, &u->digest, once, err);
}

/* After something went wrong: perhaps it went well and only the answer is lost. */
static bool arrived(upload *u)
{
    return u->digest.algorithm && blob_is_there(u, true, NULL) > 0;
}

/* ---- trouble ---- */

static void drop_session(upload *u)
{
    if (u->session)
        coras_upload_abandon(u->r, u->session);
    free(u->session);
    u->session = NULL;
    coras_upload_journal_forget(&u->journal);
}

static void keep_trouble(upload *u, coras_upload_reply *reply)
{
    coras_error_free(u->trouble);
    u->trouble = coras_steal(&reply->trouble);
}

static int give_up(upload *u, coras_error **err)
{
    int rc = coras_error_code(u->trouble);

    if (!u->trouble)
        return coras_fail(err, CORAS_ERR_PROTOCOL, "the registry keeps losing the upload");
    coras_hints_push_blob(u->r, &u->trouble);
    coras_error_propagate(err, &u->trouble);
    return rc;
}

static void tell_retrying(upload *u)
{
    const coras_transfer *t = u->push->transfer;

    if (t && t->retrying)
        t->retrying(t->user, u->state.confirmed,
                    u->trouble ? coras_error_message(u->trouble) : "upload session lost");
}

/* Wait before `next`, unless this has gone on for too long. */
static int try_again(upload *u, enum step next, int64_t retry_after_s, coras_error **err)
{
    const struct coras_retry_case c = {
        .error_retryable = true,
        .asked_s = retry_after_s,
        .random = coras_random_below(UINT32_MAX),
    };
    struct coras_retry_verdict verdict = coras_retry_decide(&u->tries, &c);

    if (!verdict.again)
        return give_up(u, err);
    tell_retrying(u);
    CORAS_TRY(coras_cancel_sleep_ms(u->push->transfer ? u->push->transfer->cancel : NULL,
                                    verdict.wait_ms, err));
    return next;
}

/* The session is gone: from the start, and in the end without pieces that could get lost. */
static int start_over(upload *u, coras_error **err)
{
    if (arrived(u))
        return STEP_PUSHED;
    if (++u->lost > LOST_MAX) {
        if (u->one_put)
            return give_up(u, err);
        u->one_put = true;
    }
    drop_session(u);
    tell_retrying(u);
    return STEP_BEGIN;
}

static int without_pieces(upload *u, coras_error **err)
{
    if (u->one_put)
        return give_up(u, err);
    u->one_put = true;
    drop_session(u);
    return STEP_BEGIN;
}

/* The last body, of `length` bytes, was too large. */
static int with_smaller_bodies(upload *u, int64_t length, int status, coras_error **err)
{
    int64_t half = length / 2;

    if (status == 416 && length > CORAS_UPLOAD_BODY_SMALL)
        half = CORAS_UPLOAD_BODY_SMALL;
    if (half < CORAS_UPLOAD_BODY_MIN)
        return status == 416 ? without_pieces(u, err) : give_up(u, err);
    if (u->one_put || u->facts.no_patch)
        return give_up(u, err);
    learn_max_body(u, half);
    make_plan(u);
    if (!u->plan.chunked)
        return give_up(u, err);
    drop_session(u);
    return STEP_BEGIN;
}

/* The registry has `bytes` of the blob. */
static void confirm(upload *u, int64_t bytes)
{
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

static int next_piece(const upload *u)
{
    return u->state.confirmed >= u->state.size ? STEP_CLOSE : STEP_SEND;
}

static void move_session(upload *u, coras_upload_reply *reply)
{
    if (!reply->location)
        return;
    free(u->session);
    u->session = coras_steal(&reply->location);
}

/* ---- where a former process was stopped ---- */

/* Whether an upload of this blob got further than the one at hand. Locks the journal. */
static bool find_former(upload *u)
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

static int go_on_with_former(upload *u)
{
    char *session = NULL;

    /* As carefully as if the registry had just said so. */
    if (coras_upload_location(u->r->base_url, u->r->base_url, u->journal.session, &session, NULL) <
        0) {
        coras_upload_journal_forget(&u->journal);
        return u->session ? STEP_SEND : STEP_BEGIN;
    }
    if (u->session)
        coras_upload_abandon(u->r, u->session);
    free(u->session);
    u->session = session;
    u->is_former = true;
    u->state = (coras_upload_state){.size = u->state.size, .sent_to = u->state.size};
    return STEP_ASK;
}

/* ---- the steps ---- */

static int step_begin(upload *u, coras_error **err)
{
    make_plan(u);
    CORAS_TRY(poll_digest(u, !u->plan.chunked, err));
    if (u->digest.algorithm && !u->asked) {
        int there = blob_is_there(u, false, err);
        CORAS_TRY(there);
        if (there)
            return STEP_EXISTED;
    }
    if (find_former(u))
        return go_on_with_former(u);
    u->session = u->digest.algorithm ? coras_registry_take_session(u->r, &u->digest) : NULL;
    if (!u->session)
        CORAS_TRY(coras_upload_begin(u->r, &u->digest, &u->session, &u->min_chunk, err));
    make_plan(u);
    u->state = (coras_upload_state){.size = u->state.size, .fresh = true};
    return u->plan.chunked ? next_piece(u) : STEP_CLOSE;
}

static int after_patch(upload *u, const coras_upload_reply *reply, coras_error **err)
{
    int64_t confirmed = u->state.confirmed, most = u->most;
    int64_t length = u->state.sent_to - u->state.confirmed;
    enum coras_upload_verdict verdict =
        coras_upload_after_patch(&u->plan, &u->state, &reply->answer, &confirmed);

    u->state.last_taken = reply->answer.status >= 200 && reply->answer.status < 300;
    if (u->state.last_taken)
        u->state.fresh = false;
    switch (verdict) {
    case CORAS_UPLOAD_GO_ON:
        confirm(u, confirmed);
        /* Refused, and sent to where we have been: that may go round for ever. */
        if (!u->state.last_taken && u->most == most)
            return try_again(u, next_piece(u), reply->retry_after_s, err);
        return next_piece(u);
    case CORAS_UPLOAD_DOUBT:
        u->state.doubt = true;
        return STEP_ASK;
    case CORAS_UPLOAD_ASK:
        return try_again(u, STEP_ASK, reply->retry_after_s, err);
    case CORAS_UPLOAD_SMALLER:
        return with_smaller_bodies(u, length, reply->answer.status, err);
    case CORAS_UPLOAD_NO_PATCH:
        learn(u, "upload:no-patch", "1");
        return without_pieces(u, err);
    case CORAS_UPLOAD_LOST:
        return start_over(u, err);
    default:
        return give_up(u, err);
    }
}

static int step_send(upload *u, coras_error **err)
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

    int news = poll_digest(u, false, err);
    CORAS_TRY(news);
    if (news && arrived(u))
        return STEP_EXISTED;
    if (news && find_former(u))
        return go_on_with_former(u);
    if (u->plan.last_in_put && body.length == left)
        return STEP_CLOSE;
    body.expect = s->fresh && body.length > EXPECT_MIN;
    s->sent_to = s->confirmed + body.length;
    CORAS_TRY(coras_upload_exchange(u->r, "PATCH", u->session, &body, &reply, err));
    keep_trouble(u, &reply);
    move_session(u, &reply);
    return after_patch(u, &reply, err);
}

/* A session that was kept may have become another's: that says nothing of a new one. */
static bool is_worth_a_new_session(const upload *u, int rc)
{
    return u->is_former && (rc == CORAS_ERR_DENIED || rc == CORAS_ERR_UNAUTHORIZED ||
                            rc == CORAS_ERR_NO_CREDENTIAL);
}

static int step_ask(upload *u, coras_error **err)
{
    static const coras_upload_body nothing = {0};
    coras_auto_value(coras_upload_reply) reply = {0};
    coras_auto(coras_error) failure = NULL;
    int64_t confirmed = u->state.confirmed;

    int rc = coras_upload_exchange(u->r, "GET", u->session, &nothing, &reply, &failure);
    if (rc < 0 && is_worth_a_new_session(u, rc)) {
        u->is_former = false;
        drop_session(u);
        return STEP_BEGIN;
    }
    if (rc < 0) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    enum coras_upload_verdict verdict =
        coras_upload_after_status(&u->plan, &u->state, &reply.answer, &confirmed);
    switch (verdict) {
    case CORAS_UPLOAD_LIES:
        learn(u, "upload:range-lies", "1");
        make_plan(u);
        __attribute__((fallthrough));
    case CORAS_UPLOAD_GO_ON:
        u->state.counted |= reply.trouble != NULL;
        move_session(u, &reply);
        u->is_former = false;
        confirm(u, confirmed);
        return next_piece(u);
    case CORAS_UPLOAD_ASK:
        keep_trouble(u, &reply);
        return try_again(u, STEP_ASK, reply.retry_after_s, err);
    case CORAS_UPLOAD_LOST:
        return start_over(u, err);
    default:
        keep_trouble(u, &reply);
        return give_up(u, err);
    }
}

/* A commit that goes on behind the answer. */
static int wait_for_commit(upload *u, coras_error **err)
{
    for (int i = 0; i < COMMIT_POLLS; i++) {
        int there = coras_registry_has_blob(u->r, &u->digest, false, err);
        if (there != 0)
            return there < 0 ? there : STEP_PUSHED;
        CORAS_TRY(coras_cancel_sleep_ms(u->push->transfer ? u->push->transfer->cancel : NULL,
                                        COMMIT_POLL_MS, err));
    }
    return coras_fail(err, CORAS_ERR_TIMEOUT,
                      "the registry has taken the blob but does not show it");
}

static int check_stored(upload *u, const coras_response *resp, coras_error **err)
{
    char have[CORAS_DIGEST_TEXT_MAX], want[CORAS_DIGEST_TEXT_MAX];
    coras_digest stored;
    int has = coras_registry_content_digest(resp, &stored, err);

    CORAS_TRY(has);
    if (!has || stored.algorithm != u->digest.algorithm || coras_digest_equal(&stored, &u->digest))
        return STEP_PUSHED;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                      "the registry stored other content: digest %s instead of %s",
                      coras_digest_format(&stored, have), coras_digest_format(&u->digest, want));
}

/* The registry got other bytes than the digest is of: whose fault is it? */
static int explain_digest(upload *u, coras_error **err)
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
        coras_hint(&u->trouble, "what was sent is right: something on the way to %s changes it",
                   u->r->host);
    else
        coras_hint(&u->trouble, "the content has the digest %s",
                   coras_digest_format(&digest, text));
    return give_up(u, err);
}

static int refused_put(upload *u, coras_error **err)
{
    return coras_error_has_registry_code(u->trouble, "DIGEST_INVALID") ? explain_digest(u, err)
                                                                       : give_up(u, err);
}

/* The answer to the closing PUT of `length` bytes. */
static int after_put(upload *u, coras_upload_reply *reply, int64_t length, coras_error **err)
{
    int status = reply->answer.status;

    switch (coras_upload_after_put(&u->state, &reply->answer)) {
    case CORAS_UPLOAD_DONE:
        return check_stored(u, reply->response, err);
    case CORAS_UPLOAD_WAIT:
        return wait_for_commit(u, err);
    case CORAS_UPLOAD_ASK:
        if (arrived(u))
            return STEP_PUSHED;
        if (u->plan.chunked)
            return try_again(u, STEP_ASK, reply->retry_after_s, err);
        drop_session(u);
        if (u->tries.failures >
            0) /* once more as it was; then in pieces, of which one may get through */
            u->facts.max_body = CORAS_UPLOAD_BODY_SMALL;
        return try_again(u, STEP_BEGIN, reply->retry_after_s, err);
    case CORAS_UPLOAD_LOST:
        return start_over(u, err);
    case CORAS_UPLOAD_SMALLER:
        return with_smaller_bodies(u, length, status, err);
    case CORAS_UPLOAD_ONE_PUT: /* or the answer to a second try of one that went well */
        if (arrived(u))
            return STEP_PUSHED;
        return u->one_put ? refused_put(u, err) : without_pieces(u, err);
    default:
        return refused_put(u, err);
    }
}

static int step_close(upload *u, coras_error **err)
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
        .expect = s->confirmed == 0 && s->size > EXPECT_MIN,
    };

    CORAS_TRY(poll_digest(u, true, err));
    if (u->push->unchanged)
        CORAS_TRY(u->push->unchanged(u->push->unchanged_user, err));
    CORAS_TRY(coras_upload_close_url(u->session, coras_digest_format(&u->digest, text), &url, err));
    s->sent_to = s->size;
    CORAS_TRY(coras_upload_exchange(u->r, "PUT", url, &body, &reply, err));
    keep_trouble(u, &reply);
    return after_put(u, &reply, body.length, err);
}

static int run(upload *u, coras_error **err)
{
    const coras_transfer *t = u->push->transfer;
    int step = STEP_BEGIN;

    while (step >= 0 && step < STEP_PUSHED) {
        CORAS_TRY(coras_cancel_check(t ? t->cancel : NULL, err));
        switch ((enum step)step) {
        case STEP_SEND:
            step = step_send(u, err);
            break;
        case STEP_ASK:
            step = step_ask(u, err);
            break;
        case STEP_CLOSE:
            step = step_close(u, err);
            break;
        case STEP_BEGIN:
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
    coras_auto_value(upload) u = {
        .r = r,
        .push = push,
        .digest = push->promise ? (coras_digest){0} : push->desc->digest,
        .state.size = push->desc->size,
        .journal = CORAS_UPLOAD_JOURNAL_INIT,
        .tries.what = CORAS_RETRY_UPLOAD,
        .asked = push->known_missing && !push->promise,
    };

    read_facts(&u);
    int rc = run(&u, &failure);
    if (rc == STEP_PUSHED) {
        atomic_store(&r->has_seen, true);
        coras_upload_journal_forget(&u.journal);
        return CORAS_PUSHED;
    }
    if (!u.journal.session || !is_interruption(rc, failure))
        drop_session(&u);
    else if (push->transfer && push->transfer->kept)
        push->transfer->kept(push->transfer->user, u.state.confirmed);
    if (rc == STEP_EXISTED)
        return CORAS_PUSH_EXISTED;
    coras_hints_push_blob(r, &failure);
    coras_error_propagate(err, &failure);
    return rc;
}
