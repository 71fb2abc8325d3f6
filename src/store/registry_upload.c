/*
 * Blobs into a repository.
 * Spec: distribution-spec 1.1, "Pushing blobs".
 */
#include "base/alloc.h"
#include "base/error.h"
#include "oci/digest.h"
#include "store/registry.h"
#include "store/location.h"

static int start(coras_registry *r, char **ret_session, coras_error **err)
{
    coras_auto_free char *url = NULL;
    coras_auto(coras_response) resp = NULL;

    CORAS_TRY(coras_registry_url(r, "blobs", "uploads/", &url, err));
    coras_request req = coras_registry_request(r, "POST", url, &r->push);
    CORAS_TRY(coras_client_send(r->client, &req, NULL, &resp, err));
    const char *location = coras_response_header(resp, "Location");
    if (!location)
        return coras_fail(err, CORAS_ERR_PROTOCOL, "POST \"%s\": answer without Location", url);
    return coras_upload_location(r->base_url, coras_response_url(resp), location, ret_session, err);
}

static int wait_digest(const coras_blob_push *push, coras_digest *ret, coras_error **err)
{
    if (!push->promise) {
        *ret = push->desc->digest;
        return 0;
    }
    return push->promise->get(push->promise->user, true, ret, err);
}

int coras_registry_push_blob(coras_target *t, const coras_blob_push *push, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto_free char *session = NULL, *url = NULL;
    coras_auto(coras_response) resp = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_header type = {"Content-Type", CORAS_MT_OCTET_STREAM};
    coras_digest digest;

    CORAS_TRY(wait_digest(push, &digest, err));
    if (!push->known_missing) {
        int there = coras_registry_has_blob(r, &digest, false, err);
        CORAS_TRY(there);
        if (there)
            return CORAS_PUSH_EXISTED;
    }
    CORAS_TRY(start(r, &session, err));
    CORAS_TRY(coras_upload_close_url(session, coras_digest_format(&digest, text), &url, err));
    coras_request req = coras_registry_request(r, "PUT", url, &r->push);
    req.headers = &type;
    req.header_count = 1;
    req.source = push->source;
    req.body_length = push->desc->size;
    req.small = false;
    CORAS_TRY(coras_client_send(r->client, &req, NULL, &resp, err));
    return CORAS_PUSHED;
}
