/* SPDX-License-Identifier: Apache-2.0 */
/* Asking each repository's registry in turn. */
#include "serve/operate/repair.h"

#include "base/alloc.h"
#include "base/error.h"
#include "coras/blob.h"
#include "oci/descriptor.h"
#include "oci/mediatype.h"
#include "serve/proxy/names.h"

/* Repositories of one blob that are asked for it; the first one mostly has it. */
#define HOLDERS_MOST 16

struct serve_repair {
    const char *root;
    serve_metadata *metadata;
    serve_upstreams *upstreams;
};

int serve_repair_open(const struct serve_options *options, const char *root,
                      serve_metadata *metadata, serve_repair **ret, coras_error **err)
{
    coras_auto(serve_repair) r = coras_new(serve_repair);

    if (!r)
        return coras_fail_no_memory(err);
    r->root = root;
    r->metadata = metadata;
    CORAS_TRY(serve_upstreams_open(options, &r->upstreams, err));
    *ret = coras_steal(&r);
    return 0;
}

void serve_repair_close(serve_repair *r)
{
    if (!r)
        return;
    serve_upstreams_close(r->upstreams);
    free(r);
}

/* Where it lies in every directory of a registry; see storage/blob_store.h. */
static char *path_of(const serve_repair *r, const coras_digest *digest)
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    return coras_asprintf("%s/blobs/%s/%s", r->root, coras_digest_algorithm_name(digest->algorithm),
                          coras_digest_hex(digest, hex));
}

static int fetch_from(serve_repair *r, const char *repository, const coras_descriptor *desc,
                      const char *path, coras_error **err)
{
    static const struct serve_query no_query;
    coras_auto_value(serve_place) place = {0};
    coras_auto(coras_target) target = NULL;

    if (serve_place_find(r->upstreams, repository, &no_query, &place) != SERVE_PLACE_OK ||
        !place.upstream)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s comes from nowhere else", repository);
    CORAS_TRY(serve_place_target(&place, &target, err));
    return coras_save_blob(target, desc, path, NULL, err);
}

int serve_repair_blob(serve_repair *r, const struct serve_blob_row *blob, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_strlist) holders = {0};
    coras_auto(coras_error) why = NULL;
    coras_auto_free char *path = path_of(r, &blob->digest);
    int rc = coras_fail(&why, CORAS_ERR_NOT_FOUND, "no repository holds it");

    if (!path)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_descriptor_set(&desc, CORAS_MT_OCTET_STREAM, &blob->digest, blob->size, err));
    CORAS_TRY(serve_metadata_holders(r->metadata, &blob->digest, HOLDERS_MOST, &holders, err));
    for (size_t i = 0; i < holders.len && rc < 0; i++) {
        coras_error_clear(&why);
        rc = fetch_from(r, holders.items[i], &desc, path, &why);
    }
    if (rc < 0)
        coras_error_propagate(err, &why);
    return rc;
}
