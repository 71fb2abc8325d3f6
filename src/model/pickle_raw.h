/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports in data that is no pickle from its first byte: joblib writes arrays into the middle of
 * its pickles, so that what comes behind them cannot be followed opcode by opcode. Looked for are
 * the two ways in which every writer spells an import, and only names that are known to be
 * dangerous are believed, because random weights spell others by chance.
 */
#ifndef CORAS_MODEL_PICKLE_RAW_H
#define CORAS_MODEL_PICKLE_RAW_H

#include "base/common.h"

#define CORAS_PICKLE_RAW_WINDOW 512 /* a power of two, beyond two names with their counts */

typedef struct coras_pickle_raw {
    unsigned char window[CORAS_PICKLE_RAW_WINDOW]; /* the last bytes, as a ring */
    uint64_t at;                                   /* bytes seen */
    unsigned tries; /* how often the lists were asked, which a stranger can make happen */
} coras_pickle_raw;

struct coras_pickle_raw_found {
    char module[256], name[256];
};

/*
 * Look at bytes until an import is complete: true with *ret set and *used = bytes up to its end;
 * false when all of them were looked at.
 */
bool coras_pickle_raw_find(coras_pickle_raw *r, const unsigned char *data, size_t len, size_t *used,
                           struct coras_pickle_raw_found *ret);

#endif
