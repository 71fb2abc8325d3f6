/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets of the server: what is accepted has valid parts and no path of its own. */
#include "fuzz.h"

#include "coras/reference.h"
#include "serve/api/routes.h"

static bool has_name(enum serve_route_kind kind)
{
    switch (kind) {
    case SERVE_ROUTE_BASE:
    case SERVE_ROUTE_CATALOG:
    case SERVE_ROUTE_HEALTH:
    case SERVE_ROUTE_READY:
    case SERVE_ROUTE_METRICS:
    case SERVE_ROUTE_SITE_HOME:
    case SERVE_ROUTE_SITE_STYLE:
        return false;
    default:
        return true;
    }
}

/* The first component may be the host:port of a registry behind this one. */
static const char *behind_host(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash && memchr(name, ':', (size_t)(slash - name)) ? slash + 1 : name;
}

static void check_parts(const struct serve_route *r)
{
    bool named = has_name(r->kind);

    FUZZ_CHECK(r->kind != SERVE_ROUTE_NONE);
    FUZZ_CHECK(named == (r->repository != NULL));
    FUZZ_CHECK(!named || coras_repository_validate(behind_host(r->repository), NULL) == 0);
    FUZZ_CHECK(!named || strlen(r->repository) <= SERVE_REPOSITORY_NAME_MAX);
    FUZZ_CHECK(!r->tag || coras_tag_validate(r->tag, NULL) == 0);
    FUZZ_CHECK(r->kind != SERVE_ROUTE_BLOB || r->digest.algorithm != CORAS_DIGEST_NONE);
    FUZZ_CHECK(r->kind != SERVE_ROUTE_REFERRERS || r->digest.algorithm != CORAS_DIGEST_NONE);
    FUZZ_CHECK((r->kind != SERVE_ROUTE_MANIFEST && r->kind != SERVE_ROUTE_SITE_MANIFEST) ||
               !r->tag == (r->digest.algorithm != CORAS_DIGEST_NONE));
    FUZZ_CHECK((r->kind == SERVE_ROUTE_SESSION) == (r->session != NULL));
    FUZZ_CHECK(!r->session || (strlen(r->session) == SERVE_SESSION_ID_LEN &&
                               strspn(r->session, "0123456789abcdef-") == SERVE_SESSION_ID_LEN));
}

bool fuzz_one(const char *data, size_t len)
{
    struct serve_route r;
    bool ok;

    if (!fuzz_is_text(data, len))
        return false;
    ok = serve_route_parse(data, &r) == SERVE_ROUTE_OK;
    if (ok)
        check_parts(&r);
    serve_route_clear(&r);
    return ok;
}
