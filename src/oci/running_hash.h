/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash that can be put down and taken up again, by another process too: its state is bytes. It is
 * as fast as coras_hasher, which cannot be saved.
 *
 * The bytes are for machines of the same kind: those of another are refused, and whoever has the
 * content hashes it again.
 */
#ifndef CORAS_OCI_RUNNING_HASH_H
#define CORAS_OCI_RUNNING_HASH_H

#include "oci/digest.h"

typedef struct coras_running_hash coras_running_hash;
CORAS_MUST_CHECK int coras_running_hash_new(int algorithm, coras_running_hash **ret,
                                            coras_error **err);
void coras_running_hash_free(coras_running_hash *h);
CORAS_DEFINE_AUTO(coras_running_hash, coras_running_hash_free)

void coras_running_hash_update(coras_running_hash *h, const void *data, size_t len);
/* The digest of everything so far; the hash goes on. */
void coras_running_hash_value(const coras_running_hash *h, coras_digest *ret);

/* Append its state. */
void coras_running_hash_save(const coras_running_hash *h, coras_buf *ret);
/* From such bytes; UNSUPPORTED when they are none, or of another kind of machine. */
CORAS_MUST_CHECK int coras_running_hash_load(const void *state, size_t len,
                                             coras_running_hash **ret, coras_error **err);

#endif
