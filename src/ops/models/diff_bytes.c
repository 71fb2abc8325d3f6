/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing content of two models, some mebibytes at a time.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"
#include "ops/models/diff_impl.h"

enum {
    PIECE_BYTES = 2 * CORAS_MIB,
    BEGINNING_BYTES = CORAS_MIB,
    SMALL_BYTES = 64 * CORAS_MIB, /* is compared without being asked for */
};

int coras_diff_bytes(coras_model *a, size_t file_a, int64_t offset_a, coras_model *b, size_t file_b,
                     int64_t offset_b, int64_t length, bool *ret, coras_error **err)
{
    size_t room = length < PIECE_BYTES ? (size_t)length : PIECE_BYTES;
    coras_auto_free char *piece_a = coras_malloc(room + 1);
    coras_auto_free char *piece_b = coras_malloc(room + 1);

    *ret = false;
    if (!piece_a || !piece_b)
        return coras_fail_no_memory(err);
    for (int64_t at = 0; at < length && !*ret; at += PIECE_BYTES) {
        size_t n = length - at < PIECE_BYTES ? (size_t)(length - at) : PIECE_BYTES;
        CORAS_TRY(coras_model_read(a, file_a, offset_a + at, n, piece_a, err));
        CORAS_TRY(coras_model_read(b, file_b, offset_b + at, n, piece_b, err));
        *ret = memcmp(piece_a, piece_b, n) != 0;
    }
    return 0;
}

static int hash_piece(void *user, const void *data, size_t len, coras_error **err)
{
    (void)err;
    coras_hasher_update(user, data, len);
    return 0;
}

/* A local file against the digest of a blob. */
static int has_digest(coras_model *m, size_t file, const coras_digest *digest, bool *ret,
                      coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_digest got;

    CORAS_TRY(coras_hasher_new(digest->algorithm, &hasher, err));
    const coras_sink sink = {hash_piece, hasher};
    CORAS_TRY(coras_model_stream(m, file, 0, -1, &sink, err));
    coras_hasher_final(hasher, &got);
    *ret = coras_digest_equal(&got, digest);
    return 0;
}

int coras_diff_same_content(const struct coras_diffing *d, const struct coras_file_pair *pair,
                            bool *ret, coras_error **err)
{
    coras_model *a = d->sides[0].model, *b = d->sides[1].model;
    const coras_model_file *fa = &a->files.items[pair->file[0]];
    const coras_model_file *fb = &b->files.items[pair->file[1]];
    int64_t length = fa->size;
    bool differ = false;

    *ret = false;
    if (fa->is_blob && fb->is_blob && fa->blob->digest.algorithm == fb->blob->digest.algorithm) {
        *ret = coras_digest_equal(&fa->blob->digest, &fb->blob->digest);
        return 0;
    }
    if (fa->size != fb->size)
        return 0;
    if (fa->is_blob && !fb->blob)
        return has_digest(b, pair->file[1], &fa->blob->digest, ret, err);
    if (fb->is_blob && !fa->blob)
        return has_digest(a, pair->file[0], &fb->blob->digest, ret, err);
    if (!d->deep && (fa->blob || fb->blob) && length > SMALL_BYTES)
        length = BEGINNING_BYTES;
    CORAS_TRY(coras_diff_bytes(a, pair->file[0], 0, b, pair->file[1], 0, length, &differ, err));
    *ret = !differ;
    return 0;
}
