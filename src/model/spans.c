/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of bytes (spans.h). They mostly come in order, and are sorted only when they do not.
 */
#include "model/spans.h"

#include "base/error.h"
#include "base/vec.h"

int coras_spans_add(coras_spans *spans, int64_t begin, int64_t end, coras_error **err)
{
    if (coras_vec_grow(spans, 1) < 0)
        return coras_fail_no_memory(err);
    if (spans->len > 0 && spans->items[spans->len - 1].end > begin)
        spans->is_unsorted = true;
    spans->items[spans->len++] = (struct coras_span){begin, end};
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct coras_span *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

void coras_spans_sort(coras_spans *spans)
{
    if (spans->is_unsorted)
        qsort(spans->items, spans->len, sizeof(*spans->items), by_place);
    spans->is_unsorted = false;
}

void coras_spans_clear(coras_spans *spans)
{
    free(spans->items);
    *spans = (coras_spans){0};
}
