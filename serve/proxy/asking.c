/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to upstreams. */
#include "serve/proxy/asking.h"

#include "base/clock.h"
#include "base/error.h"
#include "registry/registry.h"
#include "serve/http/log.h"
#include "serve/proxy/freshness.h"

/* A manifest has at most some MiB. */
#define MANIFEST_MS 30000

/* ---- what surrounds a question ---- */

static int ask_once(const serve_place *place,
                    int (*ask)(void *user, coras_target *target, coras_error **err), void *user,
                    coras_error **err)
{
    coras_auto(coras_target) target = NULL;

    CORAS_TRY(serve_place_target(place, &target, err));
    return ask(user, target, err);
}

/* What is not there is everyday; that an upstream is down or up again is said once, elsewhere. */
static void log_failure(const serve_place *place, struct serve_said said,
                        const coras_error *failure)
{
    bool is_news = said.kind == SERVE_SAID_DENIED || said.kind == SERVE_SAID_NONSENSE ||
                   said.kind == SERVE_SAID_FAILED;

    if (is_news)
        serve_log_note("proxy %s: %s: %s", place->upstream->label, place->local,
                       coras_error_message(failure));
}

struct serve_said serve_ask(const serve_place *place,
                            int (*ask)(void *user, coras_target *target, coras_error **err),
                            void *user)
{
    serve_upstream *u = place->upstream;
    coras_auto(coras_error) failure = NULL;
    struct serve_said said;
    int64_t wait_ms;
    enum serve_upstream_state state = serve_upstream_state(u, &wait_ms);
    int rc;

    if (state != SERVE_UPSTREAM_ASK)
        return serve_said_unasked(state, wait_ms);
    rc = ask_once(place, ask, user, &failure);
    if (rc < 0 && (serve_upstream_doubts_ns(u, failure) || serve_upstream_rereads(u, failure))) {
        coras_error_clear(&failure);
        rc = ask_once(place, ask, user, &failure);
    }
    serve_upstream_note(u, rc, failure);
    said = serve_said_of(rc, failure);
    log_failure(place, said, failure);
    return said;
}

/* ---- manifests ---- */

struct question {
    const serve_place *place;
    const char *reference;
    serve_flight *flight;
};

/* A page that asks for a log-in, in the network of a hotel, has a type too. */
static int check_type(const coras_descriptor *desc, coras_error **err)
{
    const struct serve_fresh *fresh = NULL;

    if (coras_str_starts(desc->media_type, "application/") &&
        strlen(desc->media_type) < sizeof(fresh->media_type))
        return 0;
    return coras_fail(err, CORAS_ERR_PROTOCOL, "the answer is no manifest by its Content-Type");
}

/* Whatever came with a status of success has some digest; no bytes at all have one, too. */
static int check_document(const coras_buf *content, coras_error **err)
{
    const char *text = content->len > 0 ? content->ptr : "";

    if (text[strspn(text, " \t\r\n")] == '{')
        return 0;
    return coras_fail(err, CORAS_ERR_PROTOCOL, "the answer is no manifest by its content");
}

static int fetch(const struct question *q, coras_target *target, coras_error **err)
{
    serve_flight *flight = q->flight;

    coras_buf_reset(&flight->content);
    CORAS_TRY(coras_registry_fetch_manifest(target, q->reference, NULL, &flight->desc,
                                            &flight->content, err));
    CORAS_TRY(check_type(&flight->desc, err));
    CORAS_TRY(check_document(&flight->content, err));
    flight->has_content = true;
    return 0;
}

static int ask_manifest(void *user, coras_target *target, coras_error **err)
{
    const struct question *q = user;

    coras_registry_set_limits(target, q->place->upstream->quick_s, coras_now_ms() + MANIFEST_MS);
    return fetch(q, target, err);
}

static int ask_what(void *user, coras_target *target, coras_error **err)
{
    const struct question *q = user;
    int quick_s = q->place->upstream->quick_s;
    int known;

    coras_registry_set_limits(target, quick_s, coras_now_ms() + quick_s * INT64_C(1000));
    known = coras_registry_look(target, q->reference, &q->flight->desc, err);
    if (known > 0)
        return check_type(&q->flight->desc, err);
    return known < 0 ? known : fetch(q, target, err);
}

void serve_ask_what(const serve_place *place, const char *reference, serve_flight *ret)
{
    struct question q = {place, reference, ret};

    ret->said = serve_ask(place, ask_what, &q);
}

void serve_ask_manifest(const serve_place *place, const char *reference, serve_flight *ret)
{
    struct question q = {place, reference, ret};

    ret->said = serve_ask(place, ask_manifest, &q);
}
