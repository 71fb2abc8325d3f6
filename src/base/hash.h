/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyed hash for tables: whoever does not know the seed cannot prepare texts that collide. Not
 * for digests.
 */
#ifndef CORAS_BASE_HASH_H
#define CORAS_BASE_HASH_H

#include "base/common.h"

/* SipHash-1-3 of the bytes. */
uint64_t coras_keyed_hash(const uint64_t seed[static 2], const char *bytes, size_t len);

#endif
