/* SPDX-License-Identifier: Apache-2.0 */
/* GET and HEAD of manifests that an upstream may have. */
#include "serve/proxy/manifests.h"

#include <inttypes.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/api/errors.h"
#include "serve/api/operations.h"
#include "serve/http/log.h"
#include "serve/proxy/asking.h"
#include "serve/proxy/following.h"
#include "serve/proxy/freshness.h"
#include "serve/proxy/keeping.h"

typedef struct serve_stored_manifest stored_manifest;
CORAS_DEFINE_AUTO_VALUE(stored_manifest, serve_stored_manifest_clear)

/* For what a client waits before it hears something. */
#define JOIN_QUICK_MS 8000

static serve_freshness *freshness(const struct serve_exchange *x)
{
    return x->registry->upstreams->freshness;
}

/* ---- questions under way ---- */

/* Do not wait for somebody else's question to an upstream that is down: it is what finds out. */
static struct serve_said not_landed(const struct serve_exchange *x)
{
    bool down = serve_upstream_is_down(x->place.upstream);

    return (struct serve_said){down ? SERVE_SAID_DOWN : SERVE_SAID_LATE, 0};
}

/*
 * The answer to a question about a reference, asked by `lead` when nobody is asking it already.
 * `kind` tells questions apart that have different answers.
 */
static struct serve_said ask(struct serve_exchange *x, char kind, const char *reference,
                             void (*lead)(struct serve_exchange *x, const char *reference,
                                          serve_flight *flight),
                             serve_flight **ret)
{
    serve_flights *flights = x->registry->upstreams->flights;
    coras_auto_free char *key = coras_asprintf("%c%s %s", kind, x->route.repository, reference);
    int64_t limit_ms = serve_upstream_is_down(x->place.upstream) ? 0 : JOIN_QUICK_MS;

    *ret = NULL;
    if (!key)
        return (struct serve_said){SERVE_SAID_FAILED, 0};
    x->place.was_asked = true;
    switch (serve_follow(x, key, limit_ms, ret)) {
    case SERVE_FLIGHT_LEAD:
        lead(x, reference, *ret);
        serve_flight_land(flights, *ret);
        return (*ret)->said;
    case SERVE_FLIGHT_LANDED:
        return (*ret)->said;
    case SERVE_FLIGHT_LATER:
        return (struct serve_said){SERVE_SAID_WAIT, 0};
    default:
        return not_landed(x);
    }
}

static void leave(struct serve_exchange *x, serve_flight *flight)
{
    serve_flight_leave(x->registry->upstreams->flights, flight);
}

/* ---- by digest ---- */

/* HEAD of what is not here: nothing is fetched. */
static void lead_what(struct serve_exchange *x, const char *reference, serve_flight *flight)
{
    serve_ask_what(&x->place, reference, flight);
    if (flight->said.kind == SERVE_SAID_ABSENT)
        serve_freshness_absent(freshness(x), x->route.repository, reference, coras_now_ms());
}

static void lead_manifest(struct serve_exchange *x, const char *reference, serve_flight *flight)
{
    serve_ask_manifest(&x->place, reference, flight);
    if (flight->said.kind == SERVE_SAID_YES)
        serve_keep_manifest(x, NULL, &flight->desc, &flight->content);
    else if (flight->said.kind == SERVE_SAID_ABSENT)
        serve_freshness_absent(freshness(x), x->route.repository, reference, coras_now_ms());
}

static void answer_flight(struct serve_exchange *x, const serve_flight *flight)
{
    serve_manifest_answer(x, &flight->desc, flight->has_content ? flight->content.ptr : NULL);
}

static void answer_stored(struct serve_exchange *x, const stored_manifest *s)
{
    const coras_descriptor desc = {
        .media_type = s->media_type, .digest = s->digest, .size = s->size};

    serve_manifest_answer(x, &desc, s->content);
}

/* From here or from the upstream; answers when that is possible. */
static struct serve_said try_digest(struct serve_exchange *x, const coras_digest *digest)
{
    coras_auto_value(stored_manifest) stored = {0};
    const char *repository = x->route.repository;
    char text[CORAS_DIGEST_TEXT_MAX];
    bool whole = x->method == SERVE_GET;
    struct serve_said said;
    serve_flight *flight;

    coras_digest_format(digest, text);
    if (serve_metadata_get_manifest(x->registry->metadata, repository, NULL, digest, true, &stored,
                                    NULL) == 0) {
        answer_stored(x, &stored);
        return (struct serve_said){SERVE_SAID_YES, 0};
    }
    if (serve_freshness_get(freshness(x), repository, text, coras_now_ms()).kind ==
        SERVE_FRESH_ABSENT)
        return (struct serve_said){SERVE_SAID_ABSENT, 0};
    said = ask(x, whole ? '@' : '?', text, whole ? lead_manifest : lead_what, &flight);
    if (said.kind == SERVE_SAID_YES)
        answer_flight(x, flight);
    leave(x, flight);
    return said;
}

int serve_proxied_manifest_bring(struct serve_exchange *x, const coras_digest *digest,
                                 coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    serve_flight *flight;
    struct serve_said said;

    coras_digest_format(digest, text);
    said = ask(x, '@', text, lead_manifest, &flight);
    leave(x, flight);
    return said.kind == SERVE_SAID_YES ? 0
                                       : coras_fail(err, CORAS_ERR_NOT_FOUND, "%s not found", text);
}

/* ---- by tag ---- */

static int find_tag(struct serve_exchange *x, stored_manifest *ret, coras_error **err)
{
    return serve_metadata_get_manifest(x->registry->metadata, x->route.repository, x->route.tag,
                                       NULL, true, ret, err);
}

/* What the answer to the question about a tag means for what is kept. */
static void note_tag(struct serve_exchange *x, const serve_flight *flight)
{
    const char *repository = x->route.repository, *tag = x->route.tag;

    if (flight->said.kind == SERVE_SAID_ABSENT) {
        serve_freshness_absent(freshness(x), repository, tag, coras_now_ms());
        serve_drop_tag(x);
    }
    if (flight->said.kind != SERVE_SAID_YES)
        return;
    /* whoever sees that it is fresh finds it here */
    if (flight->has_content)
        serve_keep_manifest(x, tag, &flight->desc, &flight->content);
    serve_freshness_told(freshness(x), repository, tag, &flight->desc, coras_now_ms());
}

/* Somebody has had it before, or nobody wants the bytes: a HEAD will do, which counts for less. */
static void lead_known_tag(struct serve_exchange *x, const char *tag, serve_flight *flight)
{
    coras_auto_value(stored_manifest) stored = {0};
    bool known;

    serve_ask_what(&x->place, tag, flight);
    note_tag(x, flight);
    if (flight->said.kind != SERVE_SAID_YES || flight->has_content)
        return;
    known = find_tag(x, &stored, NULL) == 0;
    if (!known || !coras_digest_equal(&stored.digest, &flight->desc.digest))
        serve_keep_tag(x, &flight->desc.digest);
}

static void lead_new_tag(struct serve_exchange *x, const char *tag, serve_flight *flight)
{
    serve_ask_manifest(&x->place, tag, flight);
    note_tag(x, flight);
}

/* The upstream does not say what the tag names now: what it named the last time, with a warning. */
static bool answer_stale(struct serve_exchange *x, const stored_manifest *stored,
                         struct serve_said said)
{
    const char *repository = x->route.repository, *tag = x->route.tag;
    struct serve_fresh fresh;

    if (!stored->content || x->registry->options.no_stale || !serve_said_allows_stale(said))
        return false;
    fresh = serve_freshness_get(freshness(x), repository, tag, coras_now_ms());
    if (serve_freshness_says_stale(freshness(x), repository, tag, coras_now_ms()))
        serve_log_note("proxy %s: stale: %s:%s as it was %" PRId64 " s ago%s",
                       x->place.upstream->label, repository, tag, fresh.age_ms / 1000,
                       fresh.kind == SERVE_FRESH_OLD ? "" : " or longer");
    serve_answer_header(x, "Warning", "299 - \"%s\"",
                        "the registry behind this cache does not answer: the tag may be stale");
    answer_stored(x, stored);
    return true;
}

/* What the tag names is known: answer with it. */
static struct serve_said answer_named(struct serve_exchange *x, const coras_descriptor *desc,
                                      const stored_manifest *stored)
{
    if (stored->content && coras_digest_equal(&stored->digest, &desc->digest))
        answer_stored(x, stored);
    else if (x->method == SERVE_HEAD)
        serve_manifest_answer(x, desc, NULL);
    else
        return try_digest(x, &desc->digest);
    return (struct serve_said){SERVE_SAID_YES, 0};
}

static struct serve_said ask_tag(struct serve_exchange *x, const stored_manifest *stored)
{
    bool quick = stored->content || x->method == SERVE_HEAD;
    serve_flight *flight;
    struct serve_said said =
        ask(x, ':', x->route.tag, quick ? lead_known_tag : lead_new_tag, &flight);

    if (said.kind == SERVE_SAID_YES && flight->has_content)
        answer_flight(x, flight);
    else if (said.kind == SERVE_SAID_YES)
        said = answer_named(x, &flight->desc, stored);
    leave(x, flight);
    return said;
}

static struct serve_said try_tag(struct serve_exchange *x, const stored_manifest *stored)
{
    struct serve_fresh fresh =
        serve_freshness_get(freshness(x), x->route.repository, x->route.tag, coras_now_ms());
    const coras_descriptor desc = {
        .media_type = fresh.media_type, .digest = fresh.digest, .size = fresh.size};

    switch (fresh.kind) {
    case SERVE_FRESH_ABSENT:
        return (struct serve_said){SERVE_SAID_ABSENT, 0};
    case SERVE_FRESH_NOW:
        return answer_named(x, &desc, stored);
    default:
        return ask_tag(x, stored);
    }
}

/* ---- the operation ---- */

static void count(struct serve_exchange *x, enum serve_metric_result result)
{
    serve_metrics *m = x->registry->metrics;
    unsigned upstream = x->place.upstream->metrics_label;
    unsigned kind = x->route.tag ? SERVE_KIND_TAG : SERVE_KIND_MANIFEST;

    serve_metrics_add(m, SERVE_METRIC_CACHE_REQUESTS,
                      SERVE_LABELS(.upstream = upstream, .kind = kind, .result = result), 1);
    if (result == SERVE_RESULT_STALE)
        serve_metrics_add(m, SERVE_METRIC_CACHE_STALE, SERVE_LABELS(.upstream = upstream), 1);
    serve_metrics_set(m, SERVE_METRIC_CACHE_UPSTREAM_UP, SERVE_LABELS(.upstream = upstream),
                      !serve_upstream_is_down(x->place.upstream));
}

static void count_said(struct serve_exchange *x, struct serve_said said)
{
    if (said.kind == SERVE_SAID_YES)
        count(x, x->place.was_asked ? SERVE_RESULT_FILL : SERVE_RESULT_HIT);
    else
        count(x, said.kind == SERVE_SAID_ABSENT ? SERVE_RESULT_NEGATIVE : SERVE_RESULT_ERROR);
}

static void get_by_tag(struct serve_exchange *x)
{
    coras_auto_value(stored_manifest) stored = {0};
    coras_auto(coras_error) err = NULL;
    struct serve_said said;
    int rc = find_tag(x, &stored, &err);

    if (rc < 0 && rc != CORAS_ERR_NOT_FOUND) {
        serve_answer_failure(x, err);
        return;
    }
    if (rc == 0 && !stored.is_cached) {
        answer_stored(x, &stored); /* pushed here */
        return;
    }
    said = try_tag(x, &stored);
    if (said.kind == SERVE_SAID_WAIT)
        return;
    if (said.kind != SERVE_SAID_YES && answer_stale(x, &stored, said)) {
        count(x, SERVE_RESULT_STALE);
        return;
    }
    count_said(x, said);
    if (said.kind != SERVE_SAID_YES)
        serve_said_answer(x, said);
}

void serve_proxied_manifest_get(struct serve_exchange *x)
{
    struct serve_said said;

    if (x->route.tag) {
        get_by_tag(x);
        return;
    }
    said = try_digest(x, &x->route.digest);
    if (said.kind == SERVE_SAID_WAIT)
        return;
    count_said(x, said);
    if (said.kind != SERVE_SAID_YES)
        serve_said_answer(x, said);
}

/* Tags that were told to be the manifest go with it, as they do in the database. */
void serve_proxied_forget(struct serve_exchange *x)
{
    coras_auto_value(coras_strlist) tags = {0};

    if (!x->place.upstream)
        return;
    if (x->route.tag) {
        serve_freshness_forget(freshness(x), x->route.repository, x->route.tag);
        return;
    }
    (void)!serve_freshness_tags_of(freshness(x), x->route.repository, &x->route.digest, &tags,
                                   NULL);
    for (size_t i = 0; i < tags.len; i++)
        serve_freshness_forget(freshness(x), x->route.repository, tags.items[i]);
}
