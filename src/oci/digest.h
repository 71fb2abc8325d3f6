/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci: the data types of the OCI specifications: bytes in, values out, no I/O. May use base.
 *
 * digest.h: streaming hash beside the public value type. OpenSSL's EVP is visible in digest.c only.
 */
#ifndef CORAS_OCI_DIGEST_H
#define CORAS_OCI_DIGEST_H

#include "base/buf.h"
#include "coras/digest.h"

typedef struct coras_hasher coras_hasher;
CORAS_MUST_CHECK int coras_hasher_new(int algorithm, coras_hasher **ret, coras_error **err);
void coras_hasher_update(coras_hasher *h, const void *data, size_t len);
/* The digest of everything so far; the hasher is then at its start again. */
void coras_hasher_final(coras_hasher *h, coras_digest *ret);
/* The digest of everything so far; the hasher goes on. */
CORAS_MUST_CHECK int coras_hasher_peek(const coras_hasher *h, coras_digest *ret, coras_error **err);
void coras_hasher_free(coras_hasher *h);
CORAS_DEFINE_AUTO(coras_hasher, coras_hasher_free)

const char *coras_digest_algorithm_name(int algorithm); /* "sha256" */
/* Length of the raw bytes: 32, 48, 64. */
size_t coras_digest_bytes(int algorithm);
/* Lower-case hex only, into CORAS_DIGEST_TEXT_MAX bytes; returns text. */
char *coras_digest_hex(const coras_digest *d, char *text);
void coras_buf_put_digest(coras_buf *b, const coras_digest *d);
/* Referrers tag of the schema in distribution-spec 1.1: "sha256-<hex>", cut as the spec says. */
void coras_digest_referrers_tag(const coras_digest *d, char *text);

#endif
