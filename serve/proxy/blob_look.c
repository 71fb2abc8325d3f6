/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for a blob without fetching it. */
#include "serve/proxy/blob_look.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "registry/manner.h"
#include "serve/proxy/asking.h"
#include "serve/proxy/following.h"
#include "serve/proxy/freshness.h"

/* As a reference beside those of manifests, none of which begins so. */
#define REFERENCE_MAX (CORAS_DIGEST_TEXT_MAX + sizeof("blob "))

static const char *reference_of(const coras_digest *digest, char text[static REFERENCE_MAX])
{
    char name[CORAS_DIGEST_TEXT_MAX];

    snprintf(text, REFERENCE_MAX, "blob %s", coras_digest_format(digest, name));
    return text;
}

void serve_blob_note_absent(struct serve_exchange *x, const coras_digest *digest)
{
    char text[REFERENCE_MAX];

    serve_freshness_absent(x->registry->upstreams->freshness, x->place.local,
                           reference_of(digest, text), coras_now_ms());
}

bool serve_blob_is_absent(struct serve_exchange *x, const coras_digest *digest)
{
    char text[REFERENCE_MAX];

    return serve_freshness_get(x->registry->upstreams->freshness, x->place.local,
                               reference_of(digest, text), coras_now_ms())
               .kind == SERVE_FRESH_ABSENT;
}

struct look {
    const serve_place *place;
    const coras_digest *digest;
    serve_flight *flight;
};

static bool is_of_nothing(const coras_digest *digest)
{
    coras_digest nothing;

    return coras_digest_of(digest->algorithm, "", 0, &nothing, NULL) == 0 &&
           coras_digest_equal(digest, &nothing);
}

static int ask_head(void *user, coras_target *target, coras_error **err)
{
    const struct look *look = user;
    int quick_s = look->place->upstream->quick_s;

    coras_registry_set_limits(target, quick_s, coras_now_ms() + quick_s * INT64_C(1000));
    CORAS_TRY(target->ops->resolve_blob(target, look->digest, &look->flight->desc, err));
    if (look->flight->desc.size == 0 && !is_of_nothing(look->digest))
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "it is said to be empty, and is not");
    return 0;
}

static struct serve_said fly(struct serve_exchange *x, const coras_digest *digest, const char *key,
                             int64_t *ret_size)
{
    serve_flights *flights = x->registry->upstreams->flights;
    struct look look = {&x->place, digest, NULL};
    int64_t limit_ms = (x->place.upstream->quick_s + 1) * INT64_C(1000);
    struct serve_said said = {SERVE_SAID_LATE, 0};

    switch (serve_follow(x, key, limit_ms, &look.flight)) {
    case SERVE_FLIGHT_LEAD:
        look.flight->said = serve_ask(&x->place, ask_head, &look);
        if (look.flight->said.kind == SERVE_SAID_ABSENT)
            serve_blob_note_absent(x, digest);
        serve_flight_land(flights, look.flight);
        break;
    case SERVE_FLIGHT_LANDED:
        break;
    case SERVE_FLIGHT_LATER:
        return (struct serve_said){SERVE_SAID_WAIT, 0};
    default:
        return said;
    }
    said = look.flight->said;
    *ret_size = look.flight->desc.size;
    serve_flight_leave(flights, look.flight);
    return said;
}

struct serve_said serve_blob_look(struct serve_exchange *x, const coras_digest *digest,
                                  int64_t *ret_size)
{
    char text[REFERENCE_MAX];
    coras_auto_free char *key = coras_asprintf("%s %s", reference_of(digest, text), x->place.local);

    if (!key)
        return (struct serve_said){SERVE_SAID_FAILED, 0};
    if (serve_blob_is_absent(x, digest))
        return (struct serve_said){SERVE_SAID_ABSENT, 0};
    return fly(x, digest, key, ret_size);
}
