/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at JSON values that json_parse.c has made.
 */
#include "codec/json_node.h"

#include "base/str.h"

static bool is_type(const coras_json *v, enum coras_json_type type)
{
    return v && v->type == type;
}

enum coras_json_type coras_json_type_of(const coras_json *v)
{
    return v ? (enum coras_json_type)v->type : CORAS_JSON_NULL;
}

const coras_json *coras_json_get(const coras_json *object, const char *key)
{
    if (!is_type(object, CORAS_JSON_OBJECT))
        return NULL;
    for (size_t i = 0; i < object->len; i++)
        if (coras_streq(object->items[i].key, key))
            return &object->items[i];
    return NULL;
}

bool coras_json_string(const coras_json *v, const char **ret)
{
    if (!is_type(v, CORAS_JSON_STRING))
        return false;
    *ret = v->string;
    return true;
}

bool coras_json_int(const coras_json *v, int64_t *ret)
{
    if (!is_type(v, CORAS_JSON_INT))
        return false;
    *ret = v->integer;
    return true;
}

bool coras_json_real(const coras_json *v, double *ret)
{
    if (!is_type(v, CORAS_JSON_REAL) && !is_type(v, CORAS_JSON_INT))
        return false;
    *ret = v->type == CORAS_JSON_REAL ? v->real : (double)v->integer;
    return true;
}

bool coras_json_bool(const coras_json *v, bool *ret)
{
    if (!is_type(v, CORAS_JSON_BOOL))
        return false;
    *ret = v->boolean;
    return true;
}

const char *coras_json_get_string(const coras_json *object, const char *key)
{
    const char *text = NULL;

    (void)coras_json_string(coras_json_get(object, key), &text); /* NULL is the answer then */
    return text;
}

size_t coras_json_len(const coras_json *v)
{
    return is_type(v, CORAS_JSON_OBJECT) || is_type(v, CORAS_JSON_ARRAY) ? v->len : 0;
}

const coras_json *coras_json_at(const coras_json *array, size_t i)
{
    return is_type(array, CORAS_JSON_ARRAY) && i < array->len ? &array->items[i] : NULL;
}

bool coras_json_next(const coras_json *object, void **iter, const char **key,
                     const coras_json **value)
{
    coras_json *at = *iter;

    if (!is_type(object, CORAS_JSON_OBJECT) || !object->len)
        return false;
    at = at ? at + 1 : object->items;
    if (at == object->items + object->len)
        return false;
    *iter = at;
    *key = at->key;
    *value = at;
    return true;
}
