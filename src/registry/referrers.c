/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who refers to a manifest: the referrers API where the registry has it, the referrers tag where
 * not. Spec: distribution-spec 1.1, "Listing Referrers", "Pushing Manifests with Subject".
 *
 * Whether a repository has the API is learnt once per process: from the answer to the first
 * question, and from OCI-Subject after a push, which is the better witness.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "http/url.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "registry/paging.h"
#include "registry/referrers_index.h"
#include "registry/registry.h"

enum {
    TYPE_LOOKUPS_MAX = 100, /* entries without artifact type that are looked into */
};

/* ---- what is known of the repository ---- */

static enum coras_referrers_support known_support(const coras_registry *r)
{
    switch (coras_client_referrers_mode(r->client)) {
    case CORAS_REFERRERS_API:
        return CORAS_REFERRERS_SUPPORTED;
    case CORAS_REFERRERS_TAG:
        return CORAS_REFERRERS_UNSUPPORTED;
    case CORAS_REFERRERS_AUTO:
    default:
        break;
    }
    return coras_client_referrers_support(r->client, r->host, r->repository);
}

void coras_registry_note_referrers(const coras_registry *r, bool supported)
{
    coras_client_learn_referrers(r->client, r->host, r->repository, supported);
}

/* ---- visiting ---- */

struct visiting {
    coras_registry *r;
    const char *artifact_type; /* or NULL: all */
    bool (*visit)(const coras_descriptor *d, void *user);
    void *user;
    coras_map *seen; /* digests; pages may repeat entries */
    int lookups;
    bool first_page;
    bool unsupported; /* the answer did not come from a referrers API */
};

/* Some clients wrote entries without a type into the referrers tag: the manifest knows it. */
static int look_up_type(struct visiting *v, const coras_descriptor *d, bool *ret_matches,
                        coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) m = {0};
    const char *type;

    *ret_matches = false;
    if (v->lookups++ >= TYPE_LOOKUPS_MAX)
        return 0;
    CORAS_TRY(coras_target_fetch_verified(&v->r->base, d, CORAS_LIMIT_MANIFEST, &bytes, err));
    if (coras_manifest_parse(bytes.ptr, bytes.len, d->media_type, &m, NULL) < 0)
        return 0;
    type = coras_manifest_effective_artifact_type(&m);
    *ret_matches = type && coras_streq(type, v->artifact_type);
    return 0;
}

static int matches(struct visiting *v, const coras_descriptor *d, bool *ret, coras_error **err)
{
    if (d->artifact_type && *d->artifact_type) {
        *ret = coras_streq(d->artifact_type, v->artifact_type);
        return 0;
    }
    coras_auto(coras_error) failure = NULL;
    int rc = look_up_type(v, d, ret, &failure);
    if (rc == 0 || rc == CORAS_ERR_NOT_FOUND)
        return 0; /* an entry whose manifest is gone is of no type */
    coras_error_propagate(err, &failure);
    return rc;
}

/* 1: the visitor has enough. */
static int visit_index(struct visiting *v, const coras_referrers_index *l, bool filtered,
                       coras_error **err)
{
    static char present;
    char text[CORAS_DIGEST_TEXT_MAX];

    for (size_t i = 0; i < l->entries.len; i++) {
        const coras_descriptor *d = &l->entries.items[i];
        bool wanted = true;
        coras_digest_format(&d->digest, text);
        if (coras_map_has(v->seen, text))
            continue;
        CORAS_TRY(coras_map_set(v->seen, text, &present, err));
        if (v->artifact_type && !filtered)
            CORAS_TRY(matches(v, d, &wanted, err));
        if (wanted && !v->visit(d, v->user))
            return 1;
    }
    return 0;
}

/* ---- the API ---- */

static bool is_index(const coras_response *resp)
{
    const char *type = coras_response_header(resp, "Content-Type");
    size_t len = type ? strcspn(type, ";") : 0;

    return coras_str_eq(coras_str_trim((coras_str){type ? type : "", len}), CORAS_MT_OCI_INDEX);
}

static bool says_name_unknown(const coras_response *resp)
{
    coras_str body = coras_response_body(resp);
    coras_auto(coras_json) doc = NULL;

    if (coras_json_parse(body.ptr, body.len, &doc, NULL) < 0)
        return false;
    const coras_json *error = coras_json_at(coras_json_get(doc, "errors"), 0);
    const char *code = coras_json_get_string(error, "code");
    return code && coras_streq(code, "NAME_UNKNOWN");
}

static int visit_page(void *user, const coras_response *resp, coras_error **err)
{
    struct visiting *v = user;
    coras_auto_value(coras_referrers_index) l = {0};
    coras_str body = coras_response_body(resp);
    bool first = v->first_page;

    v->first_page = false;
    if (coras_response_status(resp) == 404 && says_name_unknown(resp)) {
        coras_request req = {.method = "GET", .url = coras_response_url(resp)};
        return coras_response_to_error(&req, resp, err);
    }
    if (first && (coras_response_status(resp) != 200 || !is_index(resp))) {
        v->unsupported = true;
        return 1;
    }
    CORAS_TRY(coras_referrers_index_parse(body.ptr, body.len, &l, err));
    const char *applied = coras_response_header(resp, "OCI-Filters-Applied");
    return visit_index(v, &l, l.filtered || coras_referrers_filter_applied(applied), err);
}

static int ask_api(coras_registry *r, const coras_digest *subject, struct visiting *v,
                   coras_error **err)
{
    static const int allowed[] = {404, 405, 501, 0};
    static const coras_header accept = {"Accept", CORAS_MT_OCI_INDEX};
    coras_auto_buf url = CORAS_BUF_UNLIMITED;
    coras_pages pages = {
        .client = r->client,
        .registry = r->host,
        .base_url = r->base_url,
        .scopes = coras_registry_read_scope(r)->list,
        .manner = &r->manner,
        .headers = &accept,
        .header_count = 1,
        .no_foreign_redirect = true, /* a web site that knows no referrers API either */
        .allowed = allowed,
        .page = visit_page,
        .user = v,
    };

    coras_registry_put_url(r, &url, "referrers/");
    coras_buf_put_digest(&url, subject);
    if (v->artifact_type) {
        coras_buf_puts(&url, "?artifactType=");
        coras_url_put_query(&url, v->artifact_type);
    }
    coras_registry_put_query(r, &url);
    CORAS_TRY(coras_buf_done(&url, err));
    v->first_page = true;
    CORAS_TRY(coras_pages_walk(&pages, url.ptr, err));
    coras_registry_note_referrers(r, !v->unsupported);
    return 0;
}

static bool visit_nothing(const coras_descriptor *d, void *user)
{
    (void)d;
    (void)user;
    return false;
}

int coras_registry_has_referrers_api(coras_registry *r, bool *ret, coras_error **err)
{
    static const coras_digest zero = {.algorithm = CORAS_SHA256};
    enum coras_referrers_support known = known_support(r);

    if (known == CORAS_REFERRERS_UNKNOWN) {
        coras_auto(coras_map) seen = coras_map_new(NULL);
        struct visiting v = {.r = r, .visit = visit_nothing, .seen = seen};
        if (!seen)
            return coras_fail_no_memory(err);
        CORAS_TRY(ask_api(r, &zero, &v, err));
        known = v.unsupported ? CORAS_REFERRERS_UNSUPPORTED : CORAS_REFERRERS_SUPPORTED;
    }
    *ret = known == CORAS_REFERRERS_SUPPORTED;
    return 0;
}

/* ---- the verb ---- */

static int ask_tag(coras_registry *r, const coras_digest *subject, struct visiting *v,
                   coras_error **err)
{
    coras_auto_value(coras_referrers_index) l = {0};
    coras_auto_value(coras_descriptor) index = CORAS_DESCRIPTOR_INIT;

    int found = coras_registry_read_referrers_tag(r, subject, &index, &l, err);
    if (found <= 0)
        return found;
    return visit_index(v, &l, false, err);
}

int coras_registry_referrers(coras_target *t, const coras_descriptor *desc,
                             const char *artifact_type,
                             bool (*visit)(const coras_descriptor *d, void *user), void *user,
                             coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto(coras_map) seen = coras_map_new(NULL);
    struct visiting v = {
        .r = r,
        .artifact_type = artifact_type && *artifact_type ? artifact_type : NULL,
        .visit = visit,
        .user = user,
        .seen = seen,
    };

    if (!seen)
        return coras_fail_no_memory(err);
    if (known_support(r) != CORAS_REFERRERS_UNSUPPORTED) {
        CORAS_TRY(ask_api(r, &desc->digest, &v, err));
        if (!v.unsupported)
            return 0;
        if (coras_client_referrers_mode(r->client) == CORAS_REFERRERS_API)
            return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                              "failed to query referrers API: unsupported");
    }
    int rc = ask_tag(r, &desc->digest, &v, err);
    return rc < 0 ? rc : 0;
}
