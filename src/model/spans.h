/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bytes of a file belong to whom: ranges in the order in which they have to be looked at to
 * find holes and overlaps.
 */
#ifndef CORAS_MODEL_SPANS_H
#define CORAS_MODEL_SPANS_H

#include "base/common.h"

struct coras_span {
    int64_t begin, end; /* end >= begin */
};

typedef struct coras_spans {
    struct coras_span *items;
    size_t len, cap;
    bool is_unsorted;
} coras_spans; /* all zero: none */

CORAS_MUST_CHECK int coras_spans_add(coras_spans *spans, int64_t begin, int64_t end,
                                     coras_error **err);
/* By begin, of equal ones by end, so that an empty one comes before its neighbour. */
void coras_spans_sort(coras_spans *spans);
void coras_spans_clear(coras_spans *spans);
CORAS_DEFINE_AUTO_VALUE(coras_spans, coras_spans_clear)

#endif
