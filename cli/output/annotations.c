/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting annotations, for the tree and for JSON.
 */
#include "cli/output/annotations.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const coras_annotation *const *)a)->key,
                  (*(const coras_annotation *const *)b)->key);
}

const coras_annotation **sorted_annotations(const coras_annotations *a)
{
    const coras_annotation **sorted = coras_calloc(a->len ? a->len : 1, sizeof(*sorted));

    if (!sorted)
        return NULL;
    for (size_t i = 0; i < a->len; i++)
        sorted[i] = &a->items[i];
    qsort(sorted, a->len, sizeof(*sorted), compare_keys);
    return sorted;
}

void put_annotations(coras_json_writer *w, const coras_annotations *a)
{
    coras_auto_free const coras_annotation **sorted = sorted_annotations(a);

    if (!sorted) {
        w->out->failed = CORAS_ERR_NO_MEMORY;
        return;
    }
    coras_jw_object(w);
    for (size_t i = 0; i < a->len; i++)
        coras_jw_member(w, sorted[i]->key, sorted[i]->value);
    coras_jw_end_object(w);
}
