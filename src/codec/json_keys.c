/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal keys in one object (declared in json_node.h). Small objects compare all pairs; large ones
 * sort, since whoever writes the document chooses how many there are.
 */
#include "codec/json_node.h"

#include "base/alloc.h"
#include "base/error.h"

enum { FEW = 16 };

/* By key; equal ones in document order, which is that of their addresses. */
static int compare(const void *a, const void *b)
{
    const coras_json *x = *(coras_json *const *)a, *y = *(coras_json *const *)b;
    int order = strcmp(x->key, y->key);

    return order ? order : (x > y) - (x < y);
}

/* The later value takes the place of the earlier one, which keeps its position. */
static int meet(coras_json *first, coras_json *later, bool last_counts, coras_error **err)
{
    const char *key = first->key;

    if (!last_counts)
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "an object has two members of one name");
    *first = *later;
    first->key = key;
    later->key = NULL; /* to be dropped */
    return 0;
}

static int settle_few(coras_json *object, bool last_counts, coras_error **err)
{
    for (size_t i = 0; i < object->len; i++)
        for (size_t j = i + 1; object->items[i].key && j < object->len; j++)
            if (object->items[j].key && coras_streq(object->items[i].key, object->items[j].key))
                CORAS_TRY(meet(&object->items[i], &object->items[j], last_counts, err));
    return 0;
}

static int settle_many(coras_json *object, bool last_counts, coras_error **err)
{
    coras_auto_free coras_json **sorted = coras_calloc(object->len, sizeof(coras_json *));
    size_t first = 0;

    if (!sorted)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < object->len; i++)
        sorted[i] = &object->items[i];
    qsort(sorted, object->len, sizeof(coras_json *), compare);
    for (size_t i = 1; i < object->len; i++) {
        if (coras_streq(sorted[first]->key, sorted[i]->key))
            CORAS_TRY(meet(sorted[first], sorted[i], last_counts, err));
        else
            first = i;
    }
    return 0;
}

int coras_json_settle_keys(coras_json *object, bool last_counts, coras_error **err)
{
    uint32_t kept = 0;

    CORAS_TRY(object->len <= FEW ? settle_few(object, last_counts, err)
                                 : settle_many(object, last_counts, err));
    for (size_t i = 0; i < object->len; i++)
        if (object->items[i].key)
            object->items[kept++] = object->items[i];
    object->len = kept;
    return 0;
}
