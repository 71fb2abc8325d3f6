#include "gotemplate/value.h"

#include "gotemplate/semver.h"
#include "gotemplate/times.h"

struct tpl_list *tpl_list_new(struct tpl_arena *a, enum tpl_elem elem, size_t room)
{
    struct tpl_list *l = tpl_alloc(a, sizeof(*l));

    l->elem = elem;
    l->items = tpl_alloc_array(a, room, sizeof(*l->items));
    return l;
}

tpl_value tpl_list_at(const struct tpl_list *l, size_t i)
{
    tpl_value v = l->items[i];

    if (v.kind == TPL_INVALID)
        v = tpl_nil();
    v.in_interface = l->elem == TPL_OF_ANY;
    return v;
}

struct tpl_map *tpl_map_new(struct tpl_arena *a, enum tpl_elem elem)
{
    struct tpl_map *m = tpl_alloc(a, sizeof(*m));

    m->elem = elem;
    return m;
}

/* Index of the first member that is not below `key`. */
static size_t lower_bound(const struct tpl_map *m, coras_str key, bool *found)
{
    size_t low = 0, high = m->len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (tpl_str_compare(m->items[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *found = low < m->len && tpl_str_same(m->items[low].key, key);
    return low;
}

bool tpl_map_get(const struct tpl_map *m, coras_str key, tpl_value *ret)
{
    bool found;
    size_t i = lower_bound(m, key, &found);

    if (found)
        *ret = tpl_map_at(m, i);
    return found;
}

void tpl_map_set(struct tpl_arena *a, struct tpl_map *m, coras_str key, tpl_value v)
{
    bool found;
    size_t i;

    if (m->is_nil)
        tpl_fail(a, "assignment to entry in nil map");
    i = lower_bound(m, key, &found);
    if (!found) {
        if (m->len == m->cap) {
            m->cap = m->cap ? m->cap * 2 : 8;
            m->items = tpl_regrow(a, m->items, m->len, m->cap, sizeof(*m->items));
        }
        memmove(m->items + i + 1, m->items + i, (m->len - i) * sizeof(*m->items));
        m->len++;
        m->items[i].key = key;
    }
    m->items[i].value = v;
}

void tpl_map_remove(struct tpl_map *m, coras_str key)
{
    bool found;
    size_t i = lower_bound(m, key, &found);

    if (!found)
        return;
    memmove(m->items + i, m->items + i + 1, (m->len - i - 1) * sizeof(*m->items));
    m->len--;
}

tpl_value tpl_map_at(const struct tpl_map *m, size_t i)
{
    tpl_value v = m->items[i].value;

    if (v.kind == TPL_INVALID)
        v = tpl_nil();
    v.in_interface = m->elem == TPL_OF_ANY;
    return v;
}

static int by_key(const void *a, const void *b)
{
    const struct tpl_member *x = a, *y = b;

    return tpl_str_compare(x->key, y->key);
}

/* Sorted at the end: inserting one by one would be quadratic in what a registry sent. */
static tpl_value map_from_json(struct tpl_arena *a, const coras_json *json)
{
    struct tpl_map *m = tpl_map_new(a, TPL_OF_ANY);
    const coras_json *member;
    const char *key;
    void *iter = NULL;

    m->cap = coras_json_len(json);
    m->items = tpl_alloc_array(a, m->cap, sizeof(*m->items));
    while (m->len < m->cap && coras_json_next(json, &iter, &key, &member))
        m->items[m->len++] = (struct tpl_member){.key = tpl_dup(a, key, strlen(key)),
                                                 .value = tpl_from_json(a, member)};
    if (m->len)
        qsort(m->items, m->len, sizeof(*m->items), by_key);
    return tpl_of_map(m);
}

static tpl_value list_from_json(struct tpl_arena *a, const coras_json *json)
{
    size_t len = coras_json_len(json);
    struct tpl_list *l = tpl_list_new(a, TPL_OF_ANY, len);

    for (size_t i = 0; i < len; i++)
        l->items[l->len++] = tpl_from_json(a, coras_json_at(json, i));
    return tpl_of_list(l);
}

/* Depth is bounded by the JSON parser. */
tpl_value tpl_from_json(struct tpl_arena *a, const coras_json *json)
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
            return tpl_string(tpl_dup(a, text, strlen(text)));
        break;
    case CORAS_JSON_INT:
    case CORAS_JSON_REAL:
        if (coras_json_real(json, &number))
            return tpl_float(number);
        break;
    case CORAS_JSON_BOOL:
        if (coras_json_bool(json, &flag))
            return tpl_bool(flag);
        break;
    case CORAS_JSON_NULL:
        break;
    }
    return tpl_nil();
}

bool tpl_truth(tpl_value v)
{
    switch ((enum tpl_kind)v.kind) {
    case TPL_INVALID:
    case TPL_NIL:
        return false;
    case TPL_BOOL:
        return v.b;
    case TPL_FLOAT:
        return v.f != 0;
    case TPL_COMPLEX:
        return v.c.real != 0 || v.c.imaginary != 0;
    case TPL_STRING:
        return v.s.len > 0;
    case TPL_LIST:
        return v.list->len > 0;
    case TPL_MAP:
        return v.map->len > 0;
    case TPL_TIME:
    case TPL_SEMVER:
        return true;
    default:
        return v.i != 0;
    }
}

const char *tpl_type_name(tpl_value v)
{
    static const char *const lists[] = {"[]interface {}", "[]string", "[]int", "[][]interface {}"};
    static const char *const maps[] = {"map[string]interface {}", "map[string]string"};
    static const char *const names[] = {
        [TPL_INVALID] = "<nil>",
        [TPL_NIL] = "<nil>",
        [TPL_BOOL] = "bool",
        [TPL_INT] = "int",
        [TPL_INT64] = "int64",
        [TPL_UINT8] = "uint8",
        [TPL_UINT32] = "uint32",
        [TPL_UINT64] = "uint64",
        [TPL_FLOAT] = "float64",
        [TPL_COMPLEX] = "complex128",
        [TPL_STRING] = "string",
        [TPL_TIME] = "time.Time",
        [TPL_DURATION] = "time.Duration",
        [TPL_MONTH] = "time.Month",
        [TPL_WEEKDAY] = "time.Weekday",
        [TPL_SEMVER] = "*semver.Version",
    };

    if (v.kind == TPL_LIST)
        return lists[v.list->elem];
    if (v.kind == TPL_MAP)
        return maps[v.map->elem];
    if (v.kind == TPL_SEMVER && v.semver && v.semver->is_value)
        return "semver.Version";
    return names[v.kind];
}

const char *tpl_static_type(tpl_value v)
{
    return v.in_interface ? "interface {}" : tpl_type_name(v);
}

const char *tpl_kind_name(tpl_value v)
{
    switch ((enum tpl_kind)v.kind) {
    case TPL_INVALID:
    case TPL_NIL:
        return "invalid";
    case TPL_LIST:
        return "slice";
    case TPL_MAP:
        return "map";
    case TPL_TIME:
        return "struct";
    case TPL_SEMVER:
        return v.semver && v.semver->is_value ? "struct" : "ptr";
    case TPL_DURATION:
        return "int64";
    case TPL_MONTH:
    case TPL_WEEKDAY:
        return "int";
    default:
        return tpl_type_name(v);
    }
}

bool tpl_same_type(tpl_value a, tpl_value b)
{
    return strcmp(tpl_type_name(a), tpl_type_name(b)) == 0;
}

void tpl_check_nesting(struct tpl_arena *a, int depth)
{
    if (depth > TPL_NESTING)
        tpl_fail(a, "values are nested more than %d levels deep", TPL_NESTING);
}

static bool lists_equal(struct tpl_arena *a, const struct tpl_list *x, const struct tpl_list *y,
                        int depth)
{
    if (x->len != y->len || x->is_nil != y->is_nil)
        return false;
    for (size_t i = 0; i < x->len; i++)
        if (!tpl_deep_equal(a, tpl_list_at(x, i), tpl_list_at(y, i), depth + 1))
            return false;
    return true;
}

static bool maps_equal(struct tpl_arena *a, const struct tpl_map *x, const struct tpl_map *y,
                       int depth)
{
    if (x->len != y->len || x->is_nil != y->is_nil)
        return false;
    for (size_t i = 0; i < x->len; i++)
        if (!tpl_str_same(x->items[i].key, y->items[i].key) ||
            !tpl_deep_equal(a, tpl_map_at(x, i), tpl_map_at(y, i), depth + 1))
            return false;
    return true;
}

bool tpl_deep_equal(struct tpl_arena *a, tpl_value x, tpl_value y, int depth)
{
    tpl_check_nesting(a, depth);
    if (!tpl_same_type(x, y))
        return false;
    switch ((enum tpl_kind)x.kind) {
    case TPL_INVALID:
    case TPL_NIL:
        return true;
    case TPL_BOOL:
        return x.b == y.b;
    case TPL_FLOAT:
        return x.f == y.f;
    case TPL_COMPLEX:
        return x.c.real == y.c.real && x.c.imaginary == y.c.imaginary;
    case TPL_STRING:
        return tpl_str_same(x.s, y.s);
    case TPL_LIST:
        return lists_equal(a, x.list, y.list, depth);
    case TPL_MAP:
        return maps_equal(a, x.map, y.map, depth);
    case TPL_TIME:
        return tpl_time_same(x.time, y.time);
    case TPL_SEMVER:
        return tpl_semver_same(x.semver, y.semver);
    default:
        return x.i == y.i;
    }
}
