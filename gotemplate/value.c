/* SPDX-License-Identifier: Apache-2.0 */
/* Lists, maps, and what Go's reflection would tell of a value. */
#include "gotemplate/value.h"

#include "gotemplate/times.h"

struct gotmpl_list *gotmpl_list_new(struct gotmpl_arena *a, enum gotmpl_elem elem, size_t room)
{
    struct gotmpl_list *l = gotmpl_alloc(a, sizeof(*l));

    l->elem = elem;
    l->items = gotmpl_alloc_array(a, room, sizeof(*l->items));
    return l;
}

gotmpl_value gotmpl_list_at(const struct gotmpl_list *l, size_t i)
{
    gotmpl_value v = l->items[i];

    if (v.kind == GOTMPL_INVALID)
        v = gotmpl_nil();
    v.in_interface = l->elem == GOTMPL_OF_ANY;
    return v;
}

struct gotmpl_map *gotmpl_map_new(struct gotmpl_arena *a, enum gotmpl_elem elem)
{
    struct gotmpl_map *m = gotmpl_alloc(a, sizeof(*m));

    m->elem = elem;
    return m;
}

/* Index of the first member that is not below `key`. */
static size_t lower_bound(const struct gotmpl_map *m, coras_str key, bool *found)
{
    size_t low = 0, high = m->len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (gotmpl_str_compare(m->items[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *found = low < m->len && gotmpl_str_same(m->items[low].key, key);
    return low;
}

bool gotmpl_map_get(const struct gotmpl_map *m, coras_str key, gotmpl_value *ret)
{
    bool found;
    size_t i = lower_bound(m, key, &found);

    if (found)
        *ret = gotmpl_map_at(m, i);
    return found;
}

void gotmpl_map_set(struct gotmpl_arena *a, struct gotmpl_map *m, coras_str key, gotmpl_value v)
{
    bool found;
    size_t i;

    if (m->is_nil)
        gotmpl_fail(a, "assignment to entry in nil map");
    i = lower_bound(m, key, &found);
    if (!found) {
        gotmpl_grow(a, m);
        memmove(m->items + i + 1, m->items + i, (m->len - i) * sizeof(*m->items));
        m->len++;
        m->items[i].key = key;
    }
    m->items[i].value = v;
}

void gotmpl_map_remove(struct gotmpl_map *m, coras_str key)
{
    bool found;
    size_t i = lower_bound(m, key, &found);

    if (!found)
        return;
    memmove(m->items + i, m->items + i + 1, (m->len - i - 1) * sizeof(*m->items));
    m->len--;
}

gotmpl_value gotmpl_map_at(const struct gotmpl_map *m, size_t i)
{
    gotmpl_value v = m->items[i].value;

    if (v.kind == GOTMPL_INVALID)
        v = gotmpl_nil();
    v.in_interface = m->elem == GOTMPL_OF_ANY;
    return v;
}

static int by_key(const void *a, const void *b)
{
    const struct gotmpl_member *x = a, *y = b;

    return gotmpl_str_compare(x->key, y->key);
}

/* Sorted at the end: inserting one by one would be quadratic in what a registry sent. */
static gotmpl_value map_from_json(struct gotmpl_arena *a, const coras_json *json)
{
    struct gotmpl_map *m = gotmpl_map_new(a, GOTMPL_OF_ANY);
    const coras_json *member;
    const char *key;
    void *iter = NULL;

    m->cap = coras_json_len(json);
    m->items = gotmpl_alloc_array(a, m->cap, sizeof(*m->items));
    while (m->len < m->cap && coras_json_next(json, &iter, &key, &member))
        m->items[m->len++] = (struct gotmpl_member){.key = gotmpl_dup(a, key, strlen(key)),
                                                    .value = gotmpl_from_json(a, member)};
    if (m->len)
        qsort(m->items, m->len, sizeof(*m->items), by_key);
    return gotmpl_of_map(m);
}

static gotmpl_value list_from_json(struct gotmpl_arena *a, const coras_json *json)
{
    size_t len = coras_json_len(json);
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_ANY, len);

    for (size_t i = 0; i < len; i++)
        l->items[l->len++] = gotmpl_from_json(a, coras_json_at(json, i));
    return gotmpl_of_list(l);
}

/* Depth is bounded by the JSON parser. */
gotmpl_value gotmpl_from_json(struct gotmpl_arena *a, const coras_json *json)
{
    const char *text;
    double number;
    bool flag;

    switch (coras_json_type_of(json)) {
    case CORAS_JSON_OBJECT:
        return map_from_json(a, json);
    case CORAS_JSON_ARRAY:
        return list_from_json(a, json);
    case CORAS_JSON_STRING:
        if (coras_json_string(json, &text))
            return gotmpl_string(gotmpl_dup(a, text, strlen(text)));
        break;
    case CORAS_JSON_INT:
    case CORAS_JSON_REAL:
        if (coras_json_real(json, &number))
            return gotmpl_float(number);
        break;
    case CORAS_JSON_BOOL:
        if (coras_json_bool(json, &flag))
            return gotmpl_bool(flag);
        break;
    case CORAS_JSON_NULL:
        break;
    }
    return gotmpl_nil();
}

bool gotmpl_truth(gotmpl_value v)
{
    switch ((enum gotmpl_kind)v.kind) {
    case GOTMPL_INVALID:
    case GOTMPL_NIL:
        return false;
    case GOTMPL_BOOL:
        return v.b;
    case GOTMPL_FLOAT:
        return v.f != 0;
    case GOTMPL_STRING:
        return v.s.len > 0;
    case GOTMPL_LIST:
        return v.list->len > 0;
    case GOTMPL_MAP:
        return v.map->len > 0;
    case GOTMPL_TIME:
        return true;
    default:
        return v.i != 0;
    }
}

const char *gotmpl_type_name(gotmpl_value v)
{
    static const char *const lists[] = {"[]interface {}", "[]string", "[]int", "[][]interface {}"};
    static const char *const maps[] = {"map[string]interface {}", "map[string]string"};
    static const char *const names[] = {
        [GOTMPL_INVALID] = "<nil>",  [GOTMPL_NIL] = "<nil>",     [GOTMPL_BOOL] = "bool",
        [GOTMPL_INT] = "int",        [GOTMPL_INT64] = "int64",   [GOTMPL_UINT8] = "uint8",
        [GOTMPL_UINT64] = "uint64",  [GOTMPL_FLOAT] = "float64", [GOTMPL_STRING] = "string",
        [GOTMPL_TIME] = "time.Time",
    };

    if (v.kind == GOTMPL_LIST)
        return lists[v.list->elem];
    if (v.kind == GOTMPL_MAP)
        return maps[v.map->elem];
    return names[v.kind];
}

const char *gotmpl_static_type(gotmpl_value v)
{
    return v.in_interface ? "interface {}" : gotmpl_type_name(v);
}

const char *gotmpl_kind_name(gotmpl_value v)
{
    switch ((enum gotmpl_kind)v.kind) {
    case GOTMPL_INVALID:
    case GOTMPL_NIL:
        return "invalid";
    case GOTMPL_LIST:
        return "slice";
    case GOTMPL_MAP:
        return "map";
    case GOTMPL_TIME:
        return "struct";
    default:
        return gotmpl_type_name(v);
    }
}

bool gotmpl_same_type(gotmpl_value a, gotmpl_value b)
{
    return strcmp(gotmpl_type_name(a), gotmpl_type_name(b)) == 0;
}

void gotmpl_check_nesting(struct gotmpl_arena *a, int depth)
{
    if (depth > GOTMPL_LIMIT_VALUE_DEPTH)
        gotmpl_fail(a, "values are nested more than %d levels deep", GOTMPL_LIMIT_VALUE_DEPTH);
}

static bool lists_equal(struct gotmpl_arena *a, const struct gotmpl_list *x,
                        const struct gotmpl_list *y, int depth)
{
    if (x->len != y->len || x->is_nil != y->is_nil)
        return false;
    for (size_t i = 0; i < x->len; i++)
        if (!gotmpl_deep_equal(a, gotmpl_list_at(x, i), gotmpl_list_at(y, i), depth + 1))
            return false;
    return true;
}

static bool maps_equal(struct gotmpl_arena *a, const struct gotmpl_map *x,
                       const struct gotmpl_map *y, int depth)
{
    if (x->len != y->len || x->is_nil != y->is_nil)
        return false;
    for (size_t i = 0; i < x->len; i++)
        if (!gotmpl_str_same(x->items[i].key, y->items[i].key) ||
            !gotmpl_deep_equal(a, gotmpl_map_at(x, i), gotmpl_map_at(y, i), depth + 1))
            return false;
    return true;
}

bool gotmpl_deep_equal(struct gotmpl_arena *a, gotmpl_value x, gotmpl_value y, int depth)
{
    gotmpl_step(a, 1);
    gotmpl_check_nesting(a, depth);
    if (!gotmpl_same_type(x, y))
        return false;
    switch ((enum gotmpl_kind)x.kind) {
    case GOTMPL_INVALID:
    case GOTMPL_NIL:
        return true;
    case GOTMPL_BOOL:
        return x.b == y.b;
    case GOTMPL_FLOAT:
        return x.f == y.f;
    case GOTMPL_STRING:
        return gotmpl_str_same(x.s, y.s);
    case GOTMPL_LIST:
        return lists_equal(a, x.list, y.list, depth);
    case GOTMPL_MAP:
        return maps_equal(a, x.map, y.map, depth);
    case GOTMPL_TIME:
        return gotmpl_time_same(x.time, y.time);
    default:
        return x.i == y.i;
    }
}
