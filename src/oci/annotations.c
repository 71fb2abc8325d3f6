/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations: a small map in insertion order, written sorted by key (declared in descriptor.h).
 */
#include "oci/descriptor.h"

#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/vec.h"
#include "oci/json_fields.h"

static coras_annotation *find(const coras_annotations *a, const char *key)
{
    for (size_t i = 0; i < a->len; i++) {
        if (coras_streq(a->items[i].key, key))
            return &a->items[i];
    }
    return NULL;
}

const char *coras_annotations_get(const coras_annotations *a, const char *key)
{
    const coras_annotation *found = find(a, key);

    return found ? found->value : NULL;
}

/* Add a key that is known to be new. */
static int append(coras_annotations *a, const char *key, const char *value, coras_error **err)
{
    coras_annotation added = {coras_strdup(key), coras_strdup(value)};

    if (!added.key || !added.value || coras_vec_grow(a, 1) < 0) {
        free(added.key);
        free(added.value);
        return coras_fail_no_memory(err);
    }
    a->items[a->len++] = added;
    return 0;
}

int coras_annotations_set(coras_annotations *a, const char *key, const char *value,
                          coras_error **err)
{
    coras_annotation *found = a && key ? find(a, key) : NULL;
    char *copy;

    if (!a || !key || !value)
        return coras_missing_argument(err);
    if (!found)
        return append(a, key, value, err);
    copy = coras_strdup(value);
    if (!copy)
        return coras_fail_no_memory(err);
    free(found->value);
    found->value = copy;
    return 0;
}

void coras_annotations_remove(coras_annotations *a, const char *key)
{
    coras_annotation *found = find(a, key);

    if (!found)
        return;
    free(found->key);
    free(found->value);
    a->len--;
    memmove(found, found + 1, (size_t)(a->items + a->len - found) * sizeof(*found));
}

int coras_annotations_merge(coras_annotations *to, const coras_annotations *from, coras_error **err)
{
    if (!to || !from)
        return coras_missing_argument(err);
    for (size_t i = 0; i < from->len; i++)
        CORAS_TRY(coras_annotations_set(to, from->items[i].key, from->items[i].value, err));
    return 0;
}

void coras_annotations_clear(coras_annotations *a)
{
    for (size_t i = 0; i < a->len; i++) {
        free(a->items[i].key);
        free(a->items[i].value);
    }
    free(a->items);
    *a = (coras_annotations){0};
}

int coras_annotations_copy(coras_annotations *to, const coras_annotations *from, coras_error **err)
{
    coras_auto_value(coras_annotations) copy = {0};

    for (size_t i = 0; i < from->len; i++)
        CORAS_TRY(append(&copy, from->items[i].key, from->items[i].value, err));
    coras_annotations_clear(to);
    *to = copy;
    copy = (coras_annotations){0};
    return 0;
}

int coras_annotations_from_json(const coras_json *v, const char *what, coras_annotations *ret,
                                coras_error **err)
{
    coras_auto_value(coras_annotations) list = {0};
    const coras_json *value;
    const char *key, *text;
    void *iter = NULL;

    if (coras_json_type_of(v) != CORAS_JSON_NULL)
        CORAS_TRY(coras_field_object(v, what, err));
    while (v && coras_json_type_of(v) == CORAS_JSON_OBJECT &&
           coras_json_next(v, &iter, &key, &value)) {
        text = ""; /* null is what Go takes for an empty string */
        if (!coras_json_string(value, &text) && coras_json_type_of(value) != CORAS_JSON_NULL) {
            coras_auto_free char *shown = coras_escape_dup(key);
            return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s: value of \"%s\" is no string",
                              what, shown ? shown : "");
        }
        CORAS_TRY(append(&list, key, text, err)); /* the parser refused duplicate keys */
    }
    coras_annotations_clear(ret);
    *ret = list;
    list = (coras_annotations){0};
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const coras_annotation *const *)a)->key,
                  (*(const coras_annotation *const *)b)->key);
}

void coras_annotations_write(coras_json_writer *w, const coras_annotations *a)
{
    coras_auto_free const coras_annotation **sorted =
        coras_calloc(a->len, sizeof(coras_annotation *));

    if (!sorted) {
        w->out->failed = CORAS_ERR_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < a->len; i++)
        sorted[i] = &a->items[i];
    qsort(sorted, a->len, sizeof(coras_annotation *), compare_keys);
    coras_jw_object(w);
    for (size_t i = 0; i < a->len; i++)
        coras_jw_member(w, sorted[i]->key, sorted[i]->value);
    coras_jw_end_object(w);
}
