/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests and hashing. The only file that sees OpenSSL's EVP.
 */
#include "oci/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/str.h"

static const struct algorithm {
    const char *name;
    size_t bytes;
    const EVP_MD *(*md)(void);
} algorithms[] = {
    [CORAS_SHA256] = {"sha256", 32, EVP_sha256},
    [CORAS_SHA384] = {"sha384", 48, EVP_sha384},
    [CORAS_SHA512] = {"sha512", 64, EVP_sha512},
};

static const struct algorithm *known_algorithm(int algorithm)
{
    if (algorithm <= CORAS_DIGEST_NONE || (size_t)algorithm >= CORAS_ARRAY_LEN(algorithms))
        return NULL;
    return &algorithms[algorithm];
}

const char *coras_digest_algorithm_name(int algorithm)
{
    const struct algorithm *a = known_algorithm(algorithm);

    return a ? a->name : "";
}

size_t coras_digest_bytes(int algorithm)
{
    const struct algorithm *a = known_algorithm(algorithm);

    return a ? a->bytes : 0;
}

/* ---- text to value ---- */

static int algorithm_named(coras_str name)
{
    for (int i = CORAS_SHA256; i <= CORAS_SHA512; i++) {
        if (coras_str_eq(name, algorithms[i].name))
            return i;
    }
    return CORAS_DIGEST_NONE;
}

static bool is_lower_or_digit(char c)
{
    return coras_is_lower(c) || coras_is_digit(c);
}

/* [a-z0-9]+([+._-][a-z0-9]+)* */
static bool is_algorithm_grammar(coras_str s)
{
    bool need_alnum = true;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (is_lower_or_digit(c))
            need_alnum = false;
        else if (!need_alnum && (c == '+' || c == '.' || c == '_' || c == '-'))
            need_alnum = true;
        else
            return false;
    }
    return !need_alnum;
}

/* [a-zA-Z0-9=_-]+ */
static bool is_encoded_grammar(coras_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!coras_is_alnum(c) && c != '=' && c != '_' && c != '-')
            return false;
    }
    return s.len > 0;
}

static unsigned hex_value(char c)
{
    return (unsigned)(coras_is_digit(c) ? c - '0' : c - 'a' + 10);
}

static bool decode_hex(coras_str hex, unsigned char *bytes)
{
    for (size_t i = 0; i < hex.len; i++) {
        if (!coras_is_hex_lower(hex.ptr[i]))
            return false;
    }
    for (size_t i = 0; i < hex.len / 2; i++)
        bytes[i] = (unsigned char)(hex_value(hex.ptr[2 * i]) << 4 | hex_value(hex.ptr[2 * i + 1]));
    return true;
}

static int bad_digest(coras_error **err, const char *why)
{
    return coras_fail(err, CORAS_ERR_INVALID_DIGEST, "%s", why);
}

static int unknown_algorithm(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_UNSUPPORTED_DIGEST, "unsupported digest algorithm");
}

int coras_digest_parse(const char *text, coras_digest *ret, coras_error **err)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    coras_digest digest = {0};
    coras_str name, encoded;

    if (!text || !ret)
        return coras_missing_argument(err);
    if (!colon || colon == text || !colon[1])
        return bad_digest(err, "invalid checksum digest format");
    name = (coras_str){text, (size_t)(colon - text)};
    encoded = coras_str_of(colon + 1);
    digest.algorithm = (unsigned char)algorithm_named(name);
    if (digest.algorithm == CORAS_DIGEST_NONE && is_algorithm_grammar(name) &&
        is_encoded_grammar(encoded))
        return unknown_algorithm(err);
    if (digest.algorithm == CORAS_DIGEST_NONE)
        return bad_digest(err, "invalid checksum digest format");
    if (encoded.len != 2 * coras_digest_bytes(digest.algorithm))
        return bad_digest(err, "invalid checksum digest length");
    if (!decode_hex(encoded, digest.bytes))
        return bad_digest(err, "invalid checksum digest format");
    *ret = digest;
    return 0;
}

/* ---- value to text ---- */

char *coras_digest_hex(const coras_digest *d, char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t bytes = coras_digest_bytes(d->algorithm);

    for (size_t i = 0; i < bytes; i++) {
        text[2 * i] = digits[d->bytes[i] >> 4];
        text[2 * i + 1] = digits[d->bytes[i] & 15];
    }
    text[2 * bytes] = '\0';
    return text;
}

char *coras_digest_format(const coras_digest *digest, char *text)
{
    const char *name = coras_digest_algorithm_name(digest->algorithm);
    size_t len = strlen(name);

    memcpy(text, name, len);
    if (len)
        text[len++] = ':';
    coras_digest_hex(digest, text + len);
    return text;
}

void coras_buf_put_digest(coras_buf *b, const coras_digest *d)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_buf_puts(b, coras_digest_format(d, text));
}

void coras_digest_referrers_tag(const coras_digest *d, char *text)
{
    enum { MOST_ENCODED = 64 }; /* distribution-spec 1.1, "Referrers Tag Schema": truncated */
    size_t len = strlen(coras_digest_algorithm_name(d->algorithm));

    coras_digest_format(d, text);
    if (len == 0)
        return;
    text[len] = '-';
    if (strlen(text) > len + 1 + MOST_ENCODED)
        text[len + 1 + MOST_ENCODED] = '\0';
}

bool coras_digest_equal(const coras_digest *a, const coras_digest *b)
{
    return a->algorithm == b->algorithm &&
           memcmp(a->bytes, b->bytes, coras_digest_bytes(a->algorithm)) == 0;
}

/* ---- hashing ---- */

struct coras_hasher {
    int algorithm;
    EVP_MD_CTX *ctx;
};

static int hash_failed(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_INTERNAL, "the cryptographic library cannot compute digests");
}

int coras_hasher_new(int algorithm, coras_hasher **ret, coras_error **err)
{
    const struct algorithm *a = known_algorithm(algorithm);
    coras_auto(coras_hasher) h = NULL;

    if (!a)
        return unknown_algorithm(err);
    h = coras_new(coras_hasher);
    if (!h || !(h->ctx = EVP_MD_CTX_new()))
        return coras_fail_no_memory(err);
    h->algorithm = algorithm;
    if (!EVP_DigestInit_ex(h->ctx, a->md(), NULL))
        return hash_failed(err);
    *ret = coras_steal(&h);
    return 0;
}

void coras_hasher_update(coras_hasher *h, const void *data, size_t len)
{
    int ok = EVP_DigestUpdate(h->ctx, data, len);

    assert(ok); /* fails only for a context that was not initialised */
    (void)ok;
}

void coras_hasher_final(coras_hasher *h, coras_digest *ret)
{
    coras_digest digest = {.algorithm = (unsigned char)h->algorithm};
    int ok = EVP_DigestFinal_ex(h->ctx, digest.bytes, NULL) &&
             EVP_DigestInit_ex(h->ctx, algorithms[h->algorithm].md(), NULL);

    assert(ok); /* as above */
    (void)ok;
    *ret = digest;
}

int coras_hasher_peek(const coras_hasher *h, coras_digest *ret, coras_error **err)
{
    coras_digest digest = {.algorithm = (unsigned char)h->algorithm};
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok;

    if (!copy)
        return coras_fail_no_memory(err);
    ok = EVP_MD_CTX_copy_ex(copy, h->ctx) && EVP_DigestFinal_ex(copy, digest.bytes, NULL);
    EVP_MD_CTX_free(copy);
    if (!ok)
        return hash_failed(err);
    *ret = digest;
    return 0;
}

void coras_hasher_free(coras_hasher *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

int coras_digest_of(int algorithm, const void *data, size_t len, coras_digest *ret,
                    coras_error **err)
{
    const struct algorithm *a = known_algorithm(algorithm);
    coras_digest digest = {.algorithm = (unsigned char)algorithm};

    if ((len && !data) || !ret)
        return coras_missing_argument(err);
    if (!a)
        return unknown_algorithm(err);
    if (!EVP_Digest(data, len, digest.bytes, NULL, a->md(), NULL))
        return hash_failed(err);
    *ret = digest;
    return 0;
}
