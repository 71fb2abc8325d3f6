/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's newer interface keeps the state of a hash to itself, so this is the older one, which it
 * still has for good: the same code, with the state in a struct.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "oci/running_hash.h"

#include <openssl/sha.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"

struct coras_running_hash {
    int algorithm;
    union {
        SHA256_CTX small;
        SHA512_CTX large; /* SHA-384 is one that begins elsewhere and ends earlier */
    } u;
};

/* In front of the saved state: tells what it is, and of which byte order. */
struct saved_head {
    uint32_t magic;
    uint32_t algorithm;
};
#define MAGIC 0x68617368

int coras_running_hash_new(int algorithm, coras_running_hash **ret, coras_error **err)
{
    coras_running_hash *h;

    if (coras_digest_bytes(algorithm) == 0)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED_DIGEST, "unsupported digest algorithm");
    h = coras_new(coras_running_hash);
    if (!h)
        return coras_fail_no_memory(err);
    h->algorithm = algorithm;
    if (algorithm == CORAS_SHA256)
        SHA256_Init(&h->u.small);
    else if (algorithm == CORAS_SHA384)
        SHA384_Init(&h->u.large);
    else
        SHA512_Init(&h->u.large);
    *ret = h;
    return 0;
}

void coras_running_hash_free(coras_running_hash *h)
{
    free(h);
}

void coras_running_hash_update(coras_running_hash *h, const void *data, size_t len)
{
    if (h->algorithm == CORAS_SHA256)
        SHA256_Update(&h->u.small, data, len);
    else
        SHA512_Update(&h->u.large, data, len);
}

void coras_running_hash_value(const coras_running_hash *h, coras_digest *ret)
{
    coras_digest digest = {.algorithm = (unsigned char)h->algorithm};
    coras_running_hash copy = *h;

    if (h->algorithm == CORAS_SHA256)
        SHA256_Final(digest.bytes, &copy.u.small);
    else
        SHA512_Final(digest.bytes, &copy.u.large);
    *ret = digest;
}

static size_t state_bytes(int algorithm)
{
    return algorithm == CORAS_SHA256 ? sizeof(SHA256_CTX) : sizeof(SHA512_CTX);
}

void coras_running_hash_save(const coras_running_hash *h, coras_buf *ret)
{
    const struct saved_head head = {MAGIC, (uint32_t)h->algorithm};

    coras_buf_put(ret, &head, sizeof(head));
    coras_buf_put(ret, &h->u, state_bytes(h->algorithm));
}

/* What the functions rely on. */
static bool is_sound(const coras_running_hash *h)
{
    if (h->algorithm == CORAS_SHA256)
        return h->u.small.num < SHA256_CBLOCK && h->u.small.md_len == SHA256_DIGEST_LENGTH;
    return h->u.large.num < SHA512_CBLOCK && h->u.large.md_len == coras_digest_bytes(h->algorithm);
}

int coras_running_hash_load(const void *state, size_t len, coras_running_hash **ret,
                            coras_error **err)
{
    coras_auto(coras_running_hash) h = coras_new(coras_running_hash);
    struct saved_head head = {0};

    if (!h)
        return coras_fail_no_memory(err);
    if (len >= sizeof(head))
        memcpy(&head, state, sizeof(head));
    if (head.magic == MAGIC && head.algorithm <= CORAS_SHA512)
        h->algorithm = (int)head.algorithm;
    if (coras_digest_bytes(h->algorithm) > 0 && len == sizeof(head) + state_bytes(h->algorithm)) {
        memcpy(&h->u, (const char *)state + sizeof(head), state_bytes(h->algorithm));
        if (is_sound(h)) {
            *ret = coras_steal(&h);
            return 0;
        }
    }
    return coras_fail(err, CORAS_ERR_UNSUPPORTED, "not the saved state of a hash of this machine");
}
