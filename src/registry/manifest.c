/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests: what a reference names, the bytes of it, storing and naming them.
 * Spec: distribution-spec 1.1, "Pulling manifests", "Pushing Manifests".
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/retry.h"
#include "coras/reference.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "registry/registry.h"
#include "registry/hints.h"

/* ---- what an answer says of itself ---- */

/* "a/b; charset=utf-8" is a/b. New string; NULL when absent or no media type. */
static char *media_type_of(const coras_response *resp)
{
    const char *value = coras_response_header(resp, "Content-Type");
    coras_str type = coras_str_of(value ? value : "");

    for (size_t i = 0; i < type.len; i++)
        if (type.ptr[i] == ';')
            type.len = i;
    type = coras_str_trim(type);
    char *copy = coras_strndup(type.ptr, type.len);
    if (copy && !coras_media_type_is_valid(copy)) {
        free(copy);
        return NULL;
    }
    return copy;
}

static int bad_content_type(const coras_request *req, coras_error **err)
{
    coras_fail(err, CORAS_ERR_PROTOCOL, "%s \"%s\": invalid response `Content-Type` header",
               req->method, req->url);
    coras_error_set_url(err, req->url);
    return CORAS_ERR_PROTOCOL;
}

/* A web page where a manifest should be: somebody else answered. */
static int refuse_web_page(const coras_request *req, const char *media_type, coras_error **err)
{
    if (!coras_str_ieq(media_type, "text/html"))
        return 0;
    coras_fail(err, CORAS_ERR_PROTOCOL,
               "%s \"%s\": answered with Content-Type text/html, which is no manifest", req->method,
               req->url);
    coras_error_set_url(err, req->url);
    coras_advise(err, CORAS_HINT_WEB_PAGE);
    return CORAS_ERR_PROTOCOL;
}

/* A part that nobody asked for, or no content at all, has a digest too. */
static int refuse_other_success(const coras_request *req, const coras_response *resp,
                                coras_error **err)
{
    int status = coras_response_status(resp);

    if (status == 200 && coras_response_body(resp).len > 0)
        return 0;
    if (status == 200)
        coras_fail(err, CORAS_ERR_PROTOCOL, "%s \"%s\": answered without content", req->method,
                   req->url);
    else
        coras_fail(err, CORAS_ERR_PROTOCOL, "%s \"%s\": unexpected status code %d", req->method,
                   req->url, status);
    coras_error_set_url(err, req->url);
    return CORAS_ERR_PROTOCOL;
}

static int digest_mismatch(const coras_digest *received, const coras_digest *expected,
                           const char *where, coras_error **err)
{
    char have[CORAS_DIGEST_TEXT_MAX], want[CORAS_DIGEST_TEXT_MAX];

    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                      "digest mismatch in %s: received %s when expecting %s", where,
                      coras_digest_format(received, have), coras_digest_format(expected, want));
}

/* The header must agree with what we know; one of another algorithm proves nothing. */
static int check_header_digest(const coras_response *resp, const coras_digest *expected,
                               coras_error **err)
{
    coras_digest said;
    int has = coras_registry_content_digest(resp, &said, err);

    if (has <= 0)
        return has;
    if (said.algorithm != expected->algorithm || coras_digest_equal(&said, expected))
        return 0;
    return digest_mismatch(&said, expected, "Docker-Content-Digest", err);
}

/* ---- requests ---- */

struct manifest_get {
    char *url;
    coras_header accept;
    coras_request request;
};

static void manifest_get_clear(struct manifest_get *g)
{
    free(g->url);
}
typedef struct manifest_get manifest_get;
CORAS_DEFINE_AUTO_VALUE(manifest_get, manifest_get_clear)

static int prepare_get(const coras_registry *r, const char *method, const char *reference,
                       const char *accept, manifest_get *g, coras_error **err)
{
    CORAS_TRY(coras_registry_url(r, "manifests", reference, &g->url, err));
    g->accept = (coras_header){"Accept", accept ? accept : CORAS_ACCEPT_MANIFESTS};
    g->request = coras_registry_request(r, method, g->url, coras_registry_read_scope(r));
    g->request.headers = &g->accept;
    g->request.header_count = 1;
    g->request.body_limit = CORAS_LIMIT_MANIFEST;
    return 0;
}

/* ---- fetching ---- */

static int fill_descriptor(const coras_request *req, const coras_response *resp,
                           const coras_digest *digest, coras_descriptor *ret, coras_error **err)
{
    coras_auto_free char *media_type = media_type_of(resp);
    coras_str body = coras_response_body(resp);

    if (!media_type)
        return bad_content_type(req, err);
    CORAS_TRY(refuse_web_page(req, media_type, err));
    return coras_descriptor_set(ret, media_type, digest, (int64_t)body.len, err);
}

/* The digest of the body, by the algorithm that was asked for, that the registry uses, or the usual
 * one; it must be what was asked for and what the registry says. */
static int verify_body(const coras_response *resp, const coras_digest *asked, coras_digest *ret,
                       coras_error **err)
{
    coras_str body = coras_response_body(resp);
    coras_digest said, have;
    int has = coras_registry_content_digest(resp, &said, err);
    int algorithm = asked->algorithm ? asked->algorithm : has > 0 ? said.algorithm : CORAS_SHA256;

    CORAS_TRY(has);
    CORAS_TRY(coras_digest_of(algorithm, body.ptr, body.len, &have, err));
    if (asked->algorithm && !coras_digest_equal(&have, asked))
        return digest_mismatch(&have, asked, "the manifest", err);
    CORAS_TRY(check_header_digest(resp, &have, err));
    *ret = have;
    return 0;
}

static int fetch_once(coras_registry *r, const char *reference, const char *accept,
                      coras_descriptor *ret, coras_buf *bytes, coras_error **err)
{
    static const int allowed[] = {404, 0};
    coras_auto_value(manifest_get) get = {0};
    coras_auto(coras_response) resp = NULL;
    coras_digest asked, digest;

    CORAS_TRY(coras_registry_parse_reference(reference, &asked, err));
    CORAS_TRY(prepare_get(r, "GET", reference, accept, &get, err));
    CORAS_TRY(coras_client_send(r->client, &get.request, allowed, &resp, err));
    if (coras_response_status(resp) == 404)
        return coras_registry_not_found(r, reference, err);
    CORAS_TRY(refuse_other_success(&get.request, resp, err));
    CORAS_TRY(verify_body(resp, &asked, &digest, err));
    CORAS_TRY(fill_descriptor(&get.request, resp, &digest, ret, err));
    coras_str body = coras_response_body(resp);
    if (bytes)
        coras_buf_put(bytes, body.ptr, body.len);
    return bytes ? coras_buf_done(bytes, err) : 0;
}

int coras_registry_fetch_manifest(coras_target *t, const char *reference, const char *accept,
                                  coras_descriptor *ret, coras_buf *bytes, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_registry *r = coras_registry_of(t);
    int rc = fetch_once(r, reference, accept, ret, bytes, &failure);

    if (rc == CORAS_ERR_DIGEST_MISMATCH &&
        !r->manner.once) /* a bad cache on the way may have a good neighbour */
        return fetch_once(r, reference, accept, ret, bytes, err);
    coras_error_propagate(err, &failure);
    return rc;
}

/* ---- resolving ---- */

/* 1: *ret is set; 0: the answer does not tell enough, a GET will. */
static int describe_head(const coras_request *req, const coras_response *resp,
                         const coras_digest *asked, coras_descriptor *ret, coras_error **err)
{
    coras_auto_free char *media_type = media_type_of(resp);
    int64_t size = coras_response_length(resp);
    coras_digest digest = *asked;

    if (coras_response_status(resp) != 200 || !media_type || size <= 0)
        return 0;
    CORAS_TRY(refuse_web_page(req, media_type, err));
    if (asked->algorithm) {
        CORAS_TRY(check_header_digest(resp, asked, err));
    } else {
        int has = coras_registry_content_digest(resp, &digest, err);
        if (has <= 0)
            return has;
    }
    CORAS_TRY(coras_descriptor_set(ret, media_type, &digest, size, err));
    return 1;
}

int coras_registry_look(coras_target *t, const char *reference, coras_descriptor *ret,
                        coras_error **err)
{
    /* Some proxies know no HEAD; the GET that follows has the registry's words if it fails too. */
    static const int allowed[] = {404, 400, 405, 501, 0};
    coras_registry *r = coras_registry_of(t);
    coras_auto_value(manifest_get) head = {0};
    coras_auto(coras_response) resp = NULL;
    coras_digest asked;

    CORAS_TRY(coras_registry_parse_reference(reference, &asked, err));
    CORAS_TRY(prepare_get(r, "HEAD", reference, NULL, &head, err));
    CORAS_TRY(coras_client_send(r->client, &head.request, allowed, &resp, err));
    if (coras_response_status(resp) == 404)
        return coras_registry_not_found(r, reference, err);
    return describe_head(&head.request, resp, &asked, ret, err);
}

int coras_registry_resolve(coras_target *t, const char *reference, coras_descriptor *ret,
                           coras_error **err)
{
    int known = coras_registry_look(t, reference, ret, err);

    if (known != 0)
        return known < 0 ? known : 0;
    return coras_registry_fetch_manifest(t, reference, NULL, ret, NULL, err);
}

/* ---- storing ---- */

/* Whether the same PUT may succeed in a moment: a blob that we have just stored is not visible yet
 * everywhere, or another client holds the tag. */
static bool settles(coras_registry *r, const coras_error *failure)
{
    int status = coras_error_http_status(failure);

    /* Among others: docker-registry says DIGEST_INVALID first while the blob is being linked. */
    if (coras_error_has_registry_code(failure, "MANIFEST_BLOB_UNKNOWN"))
        return atomic_load(&r->has_seen);
    return status == 409 || status == 423;
}

static int put_once(coras_registry *r, const coras_descriptor *desc, const void *data,
                    const char *url, bool *ret_subject, coras_error **err)
{
    coras_memory memory = {data, (size_t)desc->size};
    coras_source source = coras_source_memory(&memory);
    coras_header type = {"Content-Type", desc->media_type};
    coras_request req = coras_registry_request(r, "PUT", url, &r->push);
    coras_auto(coras_response) resp = NULL;

    req.headers = &type;
    req.header_count = 1;
    req.source = &source;
    req.body_length = desc->size;
    CORAS_TRY(coras_client_send(r->client, &req, NULL, &resp, err));
    CORAS_TRY(check_header_digest(resp, &desc->digest, err));
    if (ret_subject)
        *ret_subject = coras_response_header(resp, "OCI-Subject") != NULL;
    return 0;
}

/* A registry that does not let tags move refuses to set one again to what it already is. */
static bool tag_is_right(coras_registry *r, const coras_descriptor *desc, const char *reference,
                         const coras_error *failure)
{
    coras_auto_value(coras_descriptor) now = CORAS_DESCRIPTOR_INIT;

    switch (coras_error_http_status(failure)) {
    case 400:
    case 403:
    case 409:
    case 412:
        return !strchr(reference, ':') &&
               coras_registry_resolve(&r->base, reference, &now, NULL) == 0 &&
               coras_digest_equal(&now.digest, &desc->digest);
    default:
        return false;
    }
}

int coras_registry_put_manifest(coras_registry *r, const coras_descriptor *desc, const void *data,
                                const char *reference, bool *ret_subject, coras_error **err)
{
    coras_auto_free char *url = NULL;
    coras_retry tries = {.what = CORAS_RETRY_SETTLING};

    CORAS_TRY(coras_registry_url(r, "manifests", reference, &url, err));
    for (bool first = true;; first = false) {
        coras_auto(coras_error) failure = NULL;
        int rc = put_once(r, desc, data, url, ret_subject, &failure);
        if (rc == 0)
            return 0;
        if (first && tag_is_right(r, desc, reference, failure)) {
            if (ret_subject)
                *ret_subject = true; /* whoever has put it there has seen to its referrers */
            return 0;
        }
        struct coras_retry_verdict verdict = {0};
        if (settles(r, failure))
            verdict = coras_retry_decide(
                &tries, &(struct coras_retry_case){.error_retryable = true,
                                                   .random = coras_random_below(UINT32_MAX)});
        if (!verdict.again) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        CORAS_TRY(coras_cancel_sleep_ms(r->base.cancel, verdict.wait_ms, err));
    }
}

static int put_named(coras_registry *r, const coras_descriptor *desc, const void *data,
                     const char *reference, bool *ret_subject, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = coras_registry_put_manifest(r, desc, data, reference, ret_subject, &failure);

    if (rc == 0)
        return 0;
    coras_hints_push_manifest(r, desc, &failure);
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_registry_push_manifest(coras_target *t, const coras_descriptor *desc, const void *data,
                                 const char *reference, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_digest named;
    bool subject_noted = false;

    if (!reference)
        reference = coras_digest_format(&desc->digest, text);
    CORAS_TRY(coras_registry_parse_reference(reference, &named, err));
    CORAS_TRY(put_named(r, desc, data, reference, &subject_noted, err));
    return coras_registry_index_referrer(r, desc, data, subject_noted, err);
}

int coras_registry_tag(coras_target *t, const coras_descriptor *desc, const void *data,
                       const char *reference, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_digest named;

    CORAS_TRY(coras_registry_parse_reference(reference, &named, err));
    if (!data)
        CORAS_TRY(coras_target_fetch_verified(t, desc, CORAS_LIMIT_MANIFEST, &bytes, err));
    return put_named(r, desc, data ? data : bytes.ptr, reference, NULL, err);
}
