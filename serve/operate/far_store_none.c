/* SPDX-License-Identifier: Apache-2.0 */
/* Of a build that knows no stores elsewhere (-Ds3=disabled): blobs are in the directory. */
#include "base/error.h"
#include "serve/operate/far_store.h"
#include "serve/operate/verify_far.h"

static int built_without(coras_error **err)
{
    coras_fail(err, CORAS_ERR_UNSUPPORTED, "this coras knows no stores that speak S3");
    coras_hint(err, "it was built with -Ds3=disabled");
    return CORAS_ERR_UNSUPPORTED;
}

int serve_far_store_open(const struct serve_far_store_options *options, struct serve_far_store *ret,
                         coras_error **err)
{
    bool any = options->registry->blobs != NULL;

    *ret = (struct serve_far_store){0};
    if (!any)
        CORAS_TRY(serve_metadata_has_places(options->root->metadata, &any, err));
    return any ? built_without(err) : 0;
}

void serve_far_store_close(struct serve_far_store *f)
{
    (void)f;
}

serve_blobs *serve_far_store_blobs(struct serve_far_store *f, const struct serve_root *root)
{
    (void)f;
    return &root->store->blobs;
}

serve_sessions *serve_far_store_sessions(const struct serve_far_store *f,
                                         const struct serve_root *root)
{
    (void)f;
    return root->sessions;
}

void serve_far_store_stop(struct serve_far_store *f)
{
    (void)f;
}

int serve_far_store_reload(struct serve_far_store *f, coras_error **err)
{
    (void)f;
    (void)err;
    return 0;
}

void serve_far_store_probe(struct serve_far_store *f, serve_health *health)
{
    (void)f;
    (void)health;
}

void serve_far_store_tick(struct serve_far_store *f)
{
    (void)f;
}

int serve_far_store_clear(struct serve_far_store *f, int64_t grace_s, coras_error **err)
{
    (void)f;
    (void)grace_s;
    (void)err;
    return 0;
}

int serve_verify_far(struct serve_far_store *f, const struct serve_blob_row *blob,
                     const char *place, enum serve_far_state *ret, coras_error **err)
{
    (void)f;
    (void)blob;
    (void)place;
    (void)ret;
    return built_without(err);
}
