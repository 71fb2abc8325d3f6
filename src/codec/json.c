/*
 * Reading JSON. The only file that sees jansson; a coras_json is a json_t under another name.
 */
#include "codec/json.h"

#include <jansson.h>
#include <pthread.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"

/*
 * jansson drops some failed allocations on the floor (a character that did not fit into the lexer's
 * buffer), so every one is noted and voids the parse during which it happened.
 */
static _Thread_local bool out_of_memory;

static void *jansson_malloc(size_t size)
{
    void *p = coras_malloc(size);

    if (!p)
        out_of_memory = true;
    return p;
}

static void use_our_memory(void)
{
    json_set_alloc_funcs(jansson_malloc, free);
}

static const json_t *raw(const coras_json *v)
{
    return (const json_t *)v;
}

/* jansson's iterators take no const pointer although they change nothing. */
static json_t *raw_mutable(const coras_json *v)
{
    return (json_t *)(uintptr_t)v;
}

static const coras_json *wrapped(const json_t *v)
{
    return (const coras_json *)v;
}

static int invalid(const json_error_t *error, coras_error **err)
{
    coras_auto_buf reason = CORAS_BUF_UNLIMITED;

    coras_escape(&reason, error->text, strlen(error->text), CORAS_LIMIT_ERROR_TEXT);
    CORAS_TRY(coras_buf_done(&reason, err));
    return coras_fail(err, CORAS_ERR_INVALID_JSON, "line %d: %s", error->line > 0 ? error->line : 1,
                      reason.ptr);
}

static int parse(const char *text, size_t len, size_t flags, coras_json **ret, coras_error **err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_error_t error;
    json_t *root;

    (void)pthread_once(&once, use_our_memory);
    out_of_memory = false;
    root = json_loadb(len ? text : "", len, flags | JSON_DECODE_ANY, &error);
    if (out_of_memory) {
        json_decref(root);
        return coras_fail_no_memory(err);
    }
    if (!root)
        return invalid(&error, err);
    *ret = (coras_json *)root;
    return 0;
}

static int parse_document(const char *text, size_t len, size_t flags, coras_json **ret,
                          coras_error **err)
{
    /* jansson overlooks a NUL behind a number. */
    if (len && memchr(text, '\0', len))
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "NUL byte in the document");
    return parse(text, len, flags, ret, err);
}

int coras_json_parse(const char *text, size_t len, coras_json **ret, coras_error **err)
{
    return parse_document(text, len, JSON_REJECT_DUPLICATES, ret, err);
}

int coras_json_parse_any(const char *text, size_t len, coras_json **ret, coras_error **err)
{
    return parse_document(text, len, JSON_DECODE_INT_AS_REAL, ret, err);
}

int coras_json_parse_prefix(const char *text, size_t len, coras_json **ret, coras_error **err)
{
    return parse(text, strnlen(text, len), JSON_DISABLE_EOF_CHECK, ret, err);
}

void coras_json_free(coras_json *root)
{
    json_decref((json_t *)root);
}

enum coras_json_type coras_json_type_of(const coras_json *v)
{
    if (!v)
        return CORAS_JSON_NULL;
    switch (json_typeof(raw(v))) {
    case JSON_OBJECT:
        return CORAS_JSON_OBJECT;
    case JSON_ARRAY:
        return CORAS_JSON_ARRAY;
    case JSON_STRING:
        return CORAS_JSON_STRING;
    case JSON_INTEGER:
        return CORAS_JSON_INT;
    case JSON_REAL:
        return CORAS_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return CORAS_JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return CORAS_JSON_NULL;
}

const coras_json *coras_json_get(const coras_json *object, const char *key)
{
    return wrapped(json_object_get(raw(object), key)); /* NULL for NULL and for other types */
}

bool coras_json_string(const coras_json *v, const char **ret)
{
    if (coras_json_type_of(v) != CORAS_JSON_STRING)
        return false;
    *ret = json_string_value(raw(v));
    return true;
}

bool coras_json_int(const coras_json *v, int64_t *ret)
{
    if (coras_json_type_of(v) != CORAS_JSON_INT)
        return false;
    *ret = json_integer_value(raw(v));
    return true;
}

bool coras_json_real(const coras_json *v, double *ret)
{
    enum coras_json_type type = coras_json_type_of(v);

    if (type != CORAS_JSON_REAL && type != CORAS_JSON_INT)
        return false;
    *ret = json_number_value(raw(v));
    return true;
}

bool coras_json_bool(const coras_json *v, bool *ret)
{
    if (coras_json_type_of(v) != CORAS_JSON_BOOL)
        return false;
    *ret = json_is_true(raw(v));
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
    return coras_json_type_of(v) == CORAS_JSON_OBJECT ? json_object_size(raw(v))
                                                      : json_array_size(raw(v));
}

const coras_json *coras_json_at(const coras_json *array, size_t i)
{
    return wrapped(json_array_get(raw(array), i));
}

bool coras_json_next(const coras_json *object, void **iter, const char **key,
                     const coras_json **value)
{
    json_t *o = raw_mutable(object);
    void *at = *iter ? json_object_iter_next(o, *iter) : json_object_iter(o);

    if (!at)
        return false;
    *iter = at;
    *key = json_object_iter_key(at);
    *value = wrapped(json_object_iter_value(at));
    return true;
}
