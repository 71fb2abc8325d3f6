/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names were seen, in 8 to 16 bytes for each: a set of keyed hashes. A name that is not in it
 * may be said to be with a probability of 2^-44 at a million names, which nobody outside can raise.
 */
#ifndef CORAS_MODEL_NAME_SET_H
#define CORAS_MODEL_NAME_SET_H

#include "base/str.h"

typedef struct coras_name_set {
    uint64_t *slots; /* 0: empty */
    size_t slot_count, len;
    uint64_t seed[2];
} coras_name_set; /* all zero: an empty one */

/* Add a name: 1 when it was there already, 0 when it is new. */
CORAS_MUST_CHECK int coras_name_set_add(coras_name_set *set, coras_str name, coras_error **err);
void coras_name_set_clear(coras_name_set *set); /* an empty one again */
CORAS_DEFINE_AUTO_VALUE(coras_name_set, coras_name_set_clear)

#endif
