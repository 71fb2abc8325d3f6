/* SPDX-License-Identifier: Apache-2.0 */
/* The signature: a chain of HMACs over what is known of the request. */
#include "serve/storage/s3/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include "base/alloc.h"
#include "base/str.h"
#include "serve/http/uri.h"

#define ALGORITHM  "AWS4-HMAC-SHA256"
#define UNSIGNED   "UNSIGNED-PAYLOAD"
#define HASH_BYTES 32
#define BLOCK      64 /* of SHA-256 */
#define DAY_CHARS  8

void serve_s3_credentials_clear(struct serve_s3_credentials *c)
{
    coras_free_secret(c->id);
    coras_free_secret(c->secret);
    coras_free_secret(c->token);
    *c = (struct serve_s3_credentials){0};
}

void serve_s3_date(int64_t at_s, char date[static SERVE_S3_DATE_MAX])
{
    time_t t = (time_t)at_s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(date, SERVE_S3_DATE_MAX, "%Y%m%dT%H%M%SZ", &tm);
}

void serve_s3_put_path(coras_buf *out, const char *path)
{
    for (; *path; path++) {
        if (*path == '/')
            coras_buf_putc(out, '/');
        else
            serve_uri_encode(out, (const char[]){*path, '\0'});
    }
}

/* ---- HMAC (RFC 2104) ---- */

struct hash {
    unsigned char bytes[HASH_BYTES];
};

static int hash_two(const unsigned char *first, size_t first_len, const void *second,
                    size_t second_len, struct hash *ret, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_digest digest;

    CORAS_TRY(coras_hasher_new(CORAS_SHA256, &hasher, err));
    coras_hasher_update(hasher, first, first_len);
    coras_hasher_update(hasher, second, second_len);
    coras_hasher_final(hasher, &digest);
    memcpy(ret->bytes, digest.bytes, HASH_BYTES);
    return 0;
}

static int hmac(const void *key, size_t key_len, const char *text, struct hash *ret,
                coras_error **err)
{
    unsigned char inner[BLOCK] = {0}, outer[BLOCK];
    struct hash short_key, hash;

    if (key_len > BLOCK) {
        CORAS_TRY(hash_two(key, key_len, "", 0, &short_key, err));
        key = short_key.bytes;
        key_len = HASH_BYTES;
    }
    memcpy(inner, key, key_len);
    for (size_t i = 0; i < BLOCK; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    CORAS_TRY(hash_two(inner, BLOCK, text, strlen(text), &hash, err));
    return hash_two(outer, BLOCK, hash.bytes, HASH_BYTES, ret, err);
}

static void put_hex(coras_buf *out, const struct hash *hash)
{
    for (size_t i = 0; i < HASH_BYTES; i++)
        coras_buf_printf(out, "%02x", hash->bytes[i]);
}

/* ---- the steps ---- */

static void put_day(coras_buf *out, const char *date)
{
    coras_buf_put(out, date, DAY_CHARS);
}

static void put_scope(coras_buf *out, const struct serve_s3_signer *signer, const char *date)
{
    put_day(out, date);
    coras_buf_printf(out, "/%s/s3/aws4_request", signer->region);
}

/* The key of one day, one region and one service. */
static int signing_key(const struct serve_s3_signer *signer, const char *date, struct hash *ret,
                       coras_error **err)
{
    coras_auto_buf secret = CORAS_BUF_UNLIMITED, day = CORAS_BUF_UNLIMITED;
    int rc;

    coras_buf_printf(&secret, "AWS4%s", signer->credentials->secret);
    put_day(&day, date);
    rc = coras_buf_done(&secret, err);
    if (rc == 0)
        rc = coras_buf_done(&day, err);
    if (rc == 0)
        rc = hmac(secret.ptr, secret.len, day.ptr, ret, err);
    if (rc == 0)
        rc = hmac(ret->bytes, HASH_BYTES, signer->region, ret, err);
    if (rc == 0)
        rc = hmac(ret->bytes, HASH_BYTES, "s3", ret, err);
    if (rc == 0)
        rc = hmac(ret->bytes, HASH_BYTES, "aws4_request", ret, err);
    coras_wipe(secret.ptr, secret.len);
    return rc;
}

/* The signature of a request whose canonical form is `canonical`. */
static int put_signature(const struct serve_s3_signer *signer, const char *date,
                         const coras_buf *canonical, coras_buf *ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    struct hash hash, key;

    CORAS_TRY(coras_buf_done(canonical, err));
    CORAS_TRY(hash_two((const unsigned char *)canonical->ptr, canonical->len, "", 0, &hash, err));
    coras_buf_printf(&text, ALGORITHM "\n%s\n", date);
    put_scope(&text, signer, date);
    coras_buf_putc(&text, '\n');
    put_hex(&text, &hash);
    CORAS_TRY(coras_buf_done(&text, err));
    CORAS_TRY(signing_key(signer, date, &key, err));
    CORAS_TRY(hmac(key.bytes, HASH_BYTES, text.ptr, &hash, err));
    put_hex(ret, &hash);
    return coras_buf_done(ret, err);
}

/* Names in the order of the alphabet. */
static void put_signed_names(coras_buf *out, const struct serve_s3_signer *signer,
                             const struct serve_s3_signed *request)
{
    coras_buf_puts(out, request->range ? "host;range;" : "host;");
    coras_buf_puts(out, "x-amz-content-sha256;x-amz-date");
    if (signer->credentials->token)
        coras_buf_puts(out, ";x-amz-security-token");
}

static void put_canonical(coras_buf *out, const struct serve_s3_signer *signer,
                          const struct serve_s3_signed *request, const char *date)
{
    coras_buf_printf(out, "%s\n%s\n%s\nhost:%s\n", request->method, request->path, request->query,
                     request->host);
    if (request->range)
        coras_buf_printf(out, "range:%s\n", request->range);
    coras_buf_printf(out, "x-amz-content-sha256:%s\nx-amz-date:%s\n", request->payload, date);
    if (signer->credentials->token)
        coras_buf_printf(out, "x-amz-security-token:%s\n", signer->credentials->token);
    coras_buf_putc(out, '\n');
    put_signed_names(out, signer, request);
    coras_buf_printf(out, "\n%s", request->payload);
}

int serve_s3_authorization(const struct serve_s3_signer *signer,
                           const struct serve_s3_signed *request, int64_t at_s, coras_buf *ret,
                           coras_error **err)
{
    coras_auto_buf canonical = CORAS_BUF_UNLIMITED;
    char date[SERVE_S3_DATE_MAX];

    serve_s3_date(at_s, date);
    put_canonical(&canonical, signer, request, date);
    coras_buf_printf(ret, ALGORITHM " Credential=%s/", signer->credentials->id);
    put_scope(ret, signer, date);
    coras_buf_puts(ret, ",SignedHeaders=");
    put_signed_names(ret, signer, request);
    coras_buf_puts(ret, ",Signature=");
    return put_signature(signer, date, &canonical, ret, err);
}

/* Sorted by name. */
static void put_link_query(coras_buf *out, const struct serve_s3_signer *signer, const char *date,
                           int64_t valid_s)
{
    coras_auto_buf scope = CORAS_BUF_UNLIMITED;

    put_scope(&scope, signer, date);
    coras_buf_puts(out, "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
    serve_uri_encode(out, signer->credentials->id);
    coras_buf_puts(out, "%2F");
    serve_uri_encode(out, scope.ptr);
    if (scope.failed)
        out->failed = scope.failed;
    coras_buf_printf(out, "&X-Amz-Date=%s&X-Amz-Expires=%" PRId64, date, valid_s);
    if (signer->credentials->token) {
        coras_buf_puts(out, "&X-Amz-Security-Token=");
        serve_uri_encode(out, signer->credentials->token);
    }
    coras_buf_puts(out, "&X-Amz-SignedHeaders=host");
}

int serve_s3_presign(const struct serve_s3_signer *signer, const struct serve_s3_signed *request,
                     int64_t at_s, int64_t valid_s, coras_buf *ret, coras_error **err)
{
    coras_auto_buf canonical = CORAS_BUF_UNLIMITED, query = CORAS_BUF_UNLIMITED;
    char date[SERVE_S3_DATE_MAX];

    serve_s3_date(at_s, date);
    put_link_query(&query, signer, date, valid_s);
    CORAS_TRY(coras_buf_done(&query, err));
    coras_buf_printf(&canonical, "%s\n%s\n%s\nhost:%s\n\nhost\n" UNSIGNED, request->method,
                     request->path, query.ptr, request->host);
    coras_buf_printf(ret, "%s&X-Amz-Signature=", query.ptr);
    return put_signature(signer, date, &canonical, ret, err);
}
