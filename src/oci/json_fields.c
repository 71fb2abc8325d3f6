/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of OCI documents, read as the programs that wrote them read them (json_fields.h).
 */
#include "oci/json_fields.h"

#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"

int coras_field_fail(coras_error **err, const char *what, const char *key, const char *problem)
{
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s%s%s: %s", what, *what ? "." : "", key,
                      problem);
}

const coras_json *coras_field_get(const coras_json *object, const char *key)
{
    const coras_json *value, *found = NULL;
    const char *name;
    void *iter = NULL;

    while (coras_json_next(object, &iter, &name, &value))
        if (strcasecmp(name, key) == 0)
            found = value;
    return found;
}

int coras_field_object(const coras_json *v, const char *what, coras_error **err)
{
    if (coras_json_type_of(v) == CORAS_JSON_OBJECT)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s%snot a JSON object", what,
                      *what ? ": " : "");
}

bool coras_text_copy(char **to, const char *from)
{
    *to = from ? coras_strdup(from) : NULL;
    return *to || !from;
}

int coras_field_text(const coras_json *object, const char *what, const char *key, char **ret,
                     coras_error **err)
{
    const coras_json *v = coras_field_get(object, key);
    const char *text;
    char *copy;

    if (coras_json_type_of(v) == CORAS_JSON_NULL)
        return 0;
    if (!coras_json_string(v, &text))
        return coras_field_fail(err, what, key, "not a string");
    copy = coras_strdup(text);
    if (!copy)
        return coras_fail_no_memory(err);
    *ret = copy;
    return 0;
}

/* ---- lists ---- */

void coras_text_list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static size_t list_len(char *const *list)
{
    size_t len = 0;

    while (list && list[len])
        len++;
    return len;
}

bool coras_text_list_copy(char ***to, char *const *from)
{
    size_t len = list_len(from);
    char **list;

    *to = NULL;
    if (len == 0)
        return true;
    list = coras_calloc(len + 1, sizeof(*list));
    if (!list)
        return false;
    for (size_t i = 0; i < len; i++) {
        list[i] = coras_strdup(from[i]);
        if (!list[i]) {
            coras_text_list_free(list);
            return false;
        }
    }
    *to = list;
    return true;
}

static int fill_list(const coras_json *array, const char *what, const char *key, char **list,
                     coras_error **err)
{
    for (size_t i = 0; i < coras_json_len(array); i++) {
        const char *text;
        if (!coras_json_string(coras_json_at(array, i), &text))
            return coras_field_fail(err, what, key, "not a list of strings");
        list[i] = coras_strdup(text);
        if (!list[i])
            return coras_fail_no_memory(err);
    }
    return 0;
}

int coras_field_text_list(const coras_json *object, const char *what, const char *key, char ***ret,
                          coras_error **err)
{
    const coras_json *v = coras_field_get(object, key);
    enum coras_json_type type = coras_json_type_of(v);
    size_t len = coras_json_len(v);
    char **list;
    int rc;

    if (type != CORAS_JSON_NULL && type != CORAS_JSON_ARRAY)
        return coras_field_fail(err, what, key, "not a list of strings");
    if (len == 0)
        return 0;
    list = coras_calloc(len + 1, sizeof(*list));
    if (!list)
        return coras_fail_no_memory(err);
    rc = fill_list(v, what, key, list, err);
    if (rc < 0)
        coras_text_list_free(list);
    else
        *ret = list;
    return rc;
}

void coras_text_list_write(coras_json_writer *w, const char *key, char *const *list)
{
    if (list_len(list) == 0)
        return;
    coras_jw_key(w, key);
    coras_jw_array(w);
    for (size_t i = 0; list[i]; i++)
        coras_jw_string(w, list[i]);
    coras_jw_end_array(w);
}
