/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a file is still missing: parts in ascending order that neither overlap nor touch. A value
 * of bounded size without a lock of its own.
 */
#ifndef CORAS_TRANSFER_GAPS_H
#define CORAS_TRANSFER_GAPS_H

#include "base/common.h"

#define CORAS_GAPS_MAX 16

typedef struct coras_gap {
    int64_t start, end; /* [start, end) */
} coras_gap;

typedef struct coras_gaps {
    coras_gap items[CORAS_GAPS_MAX];
    size_t len;
} coras_gaps;

/*
 * Add a part, joined with those that it touches; an empty one is nothing. When there are too many,
 * two neighbours are joined across what lies between them, which is then fetched twice.
 */
void coras_gaps_add(coras_gaps *g, int64_t start, int64_t end);
/* Take the first `longest` bytes (0: all) of the first part; false when nothing is missing. */
bool coras_gaps_take(coras_gaps *g, int64_t longest, coras_gap *ret);
/* Bytes that are missing. */
int64_t coras_gaps_sum(const coras_gaps *g);
/* Whether it could stand for a file of `size` bytes: in order, apart, inside. */
bool coras_gaps_are_valid(const coras_gaps *g, int64_t size);

#endif
