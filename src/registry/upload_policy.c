/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge of an upload: from what a host is like to a plan, from an answer to a verdict. No I/O.
 */
#include "registry/upload_policy.h"

#include "base/limits.h"
#include "base/retry.h"
#include "base/str.h"
#include "registry/content_range.h"

enum {
    SINGLE_MAX = 5 * CORAS_MIB,       /* below, chunks only cost requests */
    CHUNK_MIN_MAX = 1024 * CORAS_MIB, /* a registry that announces more is not believed */
    CHUNKS_MAX = 10000,               /* registries store one S3 part for each */
    PATCH_DOUBTFUL = 4 * CORAS_MIB,   /* GHCR refuses more, with a status that means an offset */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

coras_upload_plan coras_upload_plan_for(int64_t size, const coras_host_facts *facts,
                                        int64_t min_chunk)
{
    bool over_limit = facts->max_body && size > facts->max_body;
    coras_upload_plan plan = {
        .last_in_put = facts->last_in_put || facts->range_lies,
        .own_count = facts->range_lies,
    };

    if (facts->no_patch)
        return plan;
    plan.chunked = over_limit || (!facts->one_put && size > SINGLE_MAX);
    plan.chunk = larger(facts->chunk, size / CHUNKS_MAX + 1);
    if (min_chunk <= CHUNK_MIN_MAX)
        plan.chunk = larger(plan.chunk, min_chunk);
    if (facts->max_body && plan.chunk > facts->max_body)
        plan.chunk = facts->max_body;
    return plan;
}

/* Halves, but no step over a limit that is much used: nginx takes 1 MiB when nobody says more. */
int64_t coras_upload_smaller_body(int64_t length)
{
    int64_t half = length / 2;

    if (length > CORAS_MIB && half < CORAS_MIB)
        return CORAS_MIB;
    return half < CORAS_BODY_LEAST ? 0 : half;
}

/* ---- answers ---- */

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

/* Nothing was decided: no answer came, or one of those that pass. */
static bool is_undecided(int status)
{
    return status == 0 || coras_status_is_transient(status);
}

/* Bytes that a Range header speaks of; -1 when there is none. "0-0" is no or one byte. */
static int64_t bytes_of(const char *range, int64_t expected)
{
    int64_t last;

    if (!range || !coras_upload_range_parse(range, &last) || last == INT64_MAX)
        return -1;
    return last == 0 && expected != 1 ? 0 : last + 1;
}

static enum coras_upload_verdict after_taken_patch(const coras_upload_plan *plan,
                                                   const coras_upload_state *s, const char *range,
                                                   int64_t *ret)
{
    int64_t got = bytes_of(range, s->sent_to), length = s->sent_to - s->confirmed;

    *ret = s->sent_to;
    if (plan->own_count || got < 0 || got == s->sent_to)
        return CORAS_UPLOAD_GO_ON;
    /* Old zot names the last chunk only, which looks like a short write. */
    if (got > s->confirmed && got < s->sent_to && !(s->confirmed > 0 && got == length)) {
        *ret = got;
        return CORAS_UPLOAD_GO_ON;
    }
    return CORAS_UPLOAD_DOUBT;
}

static enum coras_upload_verdict after_bad_range(const coras_upload_state *s,
                                                 const coras_upload_answer *answer, int64_t *ret)
{
    int64_t got = bytes_of(answer->range, s->confirmed);

    if (s->fresh && s->confirmed == 0 && s->sent_to > PATCH_DOUBTFUL)
        return CORAS_UPLOAD_SMALLER; /* the offset of a new session cannot be wrong */
    if (got < 0 || got == s->confirmed || got > s->size)
        return s->refused_here ? CORAS_UPLOAD_NO_PATCH : CORAS_UPLOAD_ASK;
    *ret = got;
    return CORAS_UPLOAD_GO_ON;
}

enum coras_upload_verdict coras_upload_after_patch(const coras_upload_plan *plan,
                                                   const coras_upload_state *state,
                                                   const coras_upload_answer *answer,
                                                   int64_t *ret_confirmed)
{
    if (is_success(answer->status))
        return after_taken_patch(plan, state, answer->range, ret_confirmed);
    if (is_undecided(answer->status))
        return CORAS_UPLOAD_ASK;
    switch (answer->status) {
    case 413:
        return CORAS_UPLOAD_SMALLER;
    case 416:
        return after_bad_range(state, answer, ret_confirmed);
    case 404:
    case 410:
        return state->fresh ? CORAS_UPLOAD_NO_PATCH : CORAS_UPLOAD_LOST;
    case 400:
        return state->fresh ? CORAS_UPLOAD_NO_PATCH : CORAS_UPLOAD_ASK;
    case 405:
    case 415:
    case 501:
        return CORAS_UPLOAD_NO_PATCH;
    default:
        return CORAS_UPLOAD_REFUSED;
    }
}

/* Without a word of the session: what was answered with success counts, once. */
static enum coras_upload_verdict count_ourselves(const coras_upload_state *s, int64_t *ret)
{
    if (!s->last_taken || s->counted)
        return CORAS_UPLOAD_LOST;
    *ret = s->doubt ? s->sent_to : s->confirmed;
    return CORAS_UPLOAD_GO_ON;
}

static enum coras_upload_verdict after_told(const coras_upload_plan *plan,
                                            const coras_upload_state *s, int64_t got, int64_t *ret)
{
    if (got > s->size || got > larger(s->sent_to, s->confirmed))
        return CORAS_UPLOAD_LOST;
    *ret = got;
    if (s->doubt && got <= s->confirmed) {
        *ret = s->sent_to;
        return CORAS_UPLOAD_LIES;
    }
    if (got < s->confirmed && plan->own_count)
        return count_ourselves(s, ret);
    return CORAS_UPLOAD_GO_ON;
}

enum coras_upload_verdict coras_upload_after_status(const coras_upload_plan *plan,
                                                    const coras_upload_state *state,
                                                    const coras_upload_answer *answer,
                                                    int64_t *ret_confirmed)
{
    if (is_undecided(answer->status))
        return CORAS_UPLOAD_ASK;
    if (is_success(answer->status)) {
        int64_t got = bytes_of(answer->range, larger(state->sent_to, state->confirmed));
        return got < 0 ? count_ourselves(state, ret_confirmed)
                       : after_told(plan, state, got, ret_confirmed);
    }
    switch (answer->status) {
    case 400:
    case 404:
    case 405:
    case 410:
    case 501:
        return count_ourselves(state, ret_confirmed);
    default:
        return CORAS_UPLOAD_REFUSED;
    }
}

enum coras_upload_verdict coras_upload_after_put(const coras_upload_state *state,
                                                 const coras_upload_answer *answer)
{
    bool in_pieces = state->confirmed > 0;

    if (answer->status == 202)
        return CORAS_UPLOAD_WAIT;
    if (is_success(answer->status))
        return CORAS_UPLOAD_DONE;
    if (is_undecided(answer->status))
        return CORAS_UPLOAD_ASK;
    switch (answer->status) {
    case 400:
    case 405:
        return in_pieces ? CORAS_UPLOAD_ONE_PUT : CORAS_UPLOAD_REFUSED;
    case 404:
    case 410:
        return CORAS_UPLOAD_LOST;
    case 413:
        return CORAS_UPLOAD_SMALLER;
    case 416:
        return in_pieces                         ? CORAS_UPLOAD_ASK
               : state->sent_to > PATCH_DOUBTFUL ? CORAS_UPLOAD_SMALLER
                                                 : CORAS_UPLOAD_REFUSED;
    default:
        return CORAS_UPLOAD_REFUSED;
    }
}
