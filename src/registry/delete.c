/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting. Spec: distribution-spec 1.1, "Content Management".
 */
#include "base/alloc.h"
#include "base/error.h"
#include "oci/digest.h"
#include "registry/registry.h"
#include "registry/hints.h"

int coras_registry_delete_digest(coras_registry *r, const char *kind, const coras_digest *digest,
                                 coras_error **err)
{
    static const int allowed[] = {404, 0};
    coras_auto_free char *url = NULL;
    coras_auto(coras_response) resp = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(coras_registry_url(r, kind, coras_digest_format(digest, text), &url, err));
    coras_request req = coras_registry_request(r, "DELETE", url, &r->remove);
    CORAS_TRY(coras_client_send(r->client, &req, allowed, &resp, err));
    if (coras_response_status(resp) == 404)
        return coras_registry_content_not_found(digest, err);
    return 0;
}

int coras_registry_remove(coras_target *t, const coras_descriptor *desc, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto(coras_error) failure = NULL;
    bool manifest = coras_media_type_is_manifest(desc->media_type);

    if (manifest)
        CORAS_TRY(coras_registry_unindex_referrer(r, desc, err));
    int rc =
        coras_registry_delete_digest(r, manifest ? "manifests" : "blobs", &desc->digest, &failure);
    if (rc < 0)
        coras_hints_delete(r, &failure);
    coras_error_propagate(err, &failure);
    return rc;
}
