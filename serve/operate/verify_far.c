/* SPDX-License-Identifier: Apache-2.0 */
/* One blob of a store, read and hashed. */
#include "serve/operate/verify_far.h"

#include "base/error.h"

static int hash_piece(void *user, const void *data, size_t len, coras_error **err)
{
    (void)err;
    coras_hasher_update(user, data, len);
    return 0;
}

static int hash_object(struct serve_far_store *f, const struct serve_blob_row *blob,
                       const char *place, coras_digest *ret, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_sink sink = {hash_piece, NULL};

    CORAS_TRY(coras_hasher_new(blob->digest.algorithm, &hasher, err));
    sink.user = hasher;
    CORAS_TRY(serve_s3_get(f->store, place, 0, blob->size, &sink, err));
    coras_hasher_final(hasher, ret);
    return 0;
}

int serve_verify_far(struct serve_far_store *f, const struct serve_blob_row *blob,
                     const char *place, enum serve_far_state *ret, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_digest found = {0};
    int64_t size = -1;
    int rc = serve_s3_size(f->store, place, &size, &failure);

    if (rc == 0 && size == blob->size)
        rc = hash_object(f, blob, place, &found, &failure);
    if (rc == CORAS_ERR_NOT_FOUND) {
        *ret = SERVE_FAR_MISSING;
        return 0;
    }
    coras_error_propagate(err, &failure);
    *ret = coras_digest_equal(&found, &blob->digest) ? SERVE_FAR_RIGHT : SERVE_FAR_DAMAGED;
    return rc;
}
