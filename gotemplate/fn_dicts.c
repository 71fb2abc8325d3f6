/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: dictionaries. set, unset and merge change the one they are given. */
#include "gotemplate/funcs.h"

GOTMPL_FN(fn_dict)
{
    struct gotmpl_map *m = gotmpl_map_new(a, GOTMPL_OF_ANY);

    for (size_t i = 0; i < argc; i += 2)
        gotmpl_map_set(a, m, gotmpl_to_text(a, v[i]),
                       i + 1 < argc ? v[i + 1] : gotmpl_string(CORAS_STR("")));
    return gotmpl_of_map(m);
}

GOTMPL_FN(fn_get)
{
    gotmpl_value found;

    return gotmpl_map_get(v[0].map, v[1].s, &found) ? gotmpl_plain(found)
                                                    : gotmpl_string(CORAS_STR(""));
}

GOTMPL_FN(fn_set)
{
    gotmpl_map_set(a, v[0].map, v[1].s, v[2]);
    return v[0];
}

GOTMPL_FN(fn_unset)
{
    gotmpl_map_remove(v[0].map, v[1].s);
    return v[0];
}

GOTMPL_FN(fn_has_key)
{
    gotmpl_value found;

    return gotmpl_bool(gotmpl_map_get(v[0].map, v[1].s, &found));
}

GOTMPL_FN(fn_pluck)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_ANY, argc);
    gotmpl_value found;

    for (size_t i = 1; i < argc; i++)
        if (gotmpl_map_get(v[i].map, v[0].s, &found))
            l->items[l->len++] = gotmpl_plain(found);
    return gotmpl_of_list(l);
}

GOTMPL_FN(fn_keys)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_STRING, 0);

    for (size_t i = 0; i < argc; i++)
        for (size_t k = 0; k < v[i].map->len; k++)
            gotmpl_list_add(a, l, gotmpl_string(v[i].map->items[k].key));
    return gotmpl_of_list(l);
}

GOTMPL_FN(fn_values)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_ANY, v[0].map->len);

    for (size_t i = 0; i < v[0].map->len; i++)
        l->items[l->len++] = gotmpl_plain(gotmpl_map_at(v[0].map, i));
    return gotmpl_of_list(l);
}

GOTMPL_FN(fn_pick)
{
    struct gotmpl_map *m = gotmpl_map_new(a, GOTMPL_OF_ANY);
    gotmpl_value found;

    for (size_t i = 1; i < argc; i++)
        if (gotmpl_map_get(v[0].map, v[i].s, &found))
            gotmpl_map_set(a, m, v[i].s, gotmpl_plain(found));
    return gotmpl_of_map(m);
}

GOTMPL_FN(fn_omit)
{
    struct gotmpl_map *m = gotmpl_map_new(a, GOTMPL_OF_ANY);

    for (size_t i = 0; i < v[0].map->len; i++)
        gotmpl_map_set(a, m, v[0].map->items[i].key, gotmpl_plain(gotmpl_map_at(v[0].map, i)));
    for (size_t i = 1; i < argc; i++)
        gotmpl_map_remove(m, v[i].s);
    return gotmpl_of_map(m);
}

static bool is_dict(gotmpl_value v)
{
    return v.kind == GOTMPL_MAP && v.map->elem == GOTMPL_OF_ANY;
}

/* Without `overwrite` only what is absent or empty (0, false, "") is taken over. */
static void merge(struct gotmpl_arena *a, struct gotmpl_map *into, const struct gotmpl_map *from,
                  bool overwrite, int depth)
{
    struct gotmpl_map source = *from;

    gotmpl_check_nesting(a, depth);
    source.items = gotmpl_regrow(a, from->items, from->len, from->len, sizeof(*from->items));
    for (size_t i = 0; i < source.len; i++) {
        coras_str key = source.items[i].key;
        gotmpl_value mine, theirs = gotmpl_map_at(&source, i);
        bool there = gotmpl_map_get(into, key, &mine);
        if (there && is_dict(mine) && is_dict(theirs) && mine.map->len > 0)
            merge(a, mine.map, theirs.map, overwrite, depth + 1);
        else if (!there || overwrite || gotmpl_is_empty(mine))
            gotmpl_map_set(a, into, key, gotmpl_plain(theirs));
    }
}

static gotmpl_value merge_all(struct gotmpl_arena *a, size_t argc, const gotmpl_value *v,
                              bool overwrite)
{
    struct gotmpl_map *into = v[0].map;

    for (size_t i = 1; i < argc; i++) {
        if (into->is_nil && !v[i].map->is_nil)
            into = gotmpl_map_new(a, GOTMPL_OF_ANY);
        merge(a, into, v[i].map, overwrite, 0);
    }
    return gotmpl_of_map(into);
}

GOTMPL_FN_IS(fn_merge, merge_all(a, argc, v, false));
GOTMPL_FN_IS(fn_merge_overwrite, merge_all(a, argc, v, true));

static _Noreturn void fail_conversion(struct gotmpl_arena *a, gotmpl_value v, const char *wanted)
{
    gotmpl_fail(a, "interface conversion: interface {} is %s, not %s",
                v.kind == GOTMPL_NIL ? "nil" : gotmpl_type_name(v), wanted);
}

/* dig "a" "b" DEFAULT DICT */
GOTMPL_FN(fn_dig)
{
    gotmpl_value at;
    size_t keys = argc - 2;

    if (argc < 3)
        gotmpl_fail(a, "dig needs at least three arguments");
    if (!is_dict(v[argc - 1]))
        fail_conversion(a, v[argc - 1], "map[string]interface {}");
    for (size_t i = 0; i < keys; i++)
        if (v[i].kind != GOTMPL_STRING)
            fail_conversion(a, v[i], "string");
    at = v[argc - 1];
    for (size_t i = 0; i < keys; i++) {
        if (!is_dict(at))
            fail_conversion(a, at, "map[string]interface {}");
        if (!gotmpl_map_get(at.map, v[i].s, &at))
            return v[argc - 2];
    }
    return gotmpl_plain(at);
}

static gotmpl_value copy_deep(struct gotmpl_arena *a, gotmpl_value v, int depth)
{
    gotmpl_check_nesting(a, depth);
    if (v.kind == GOTMPL_LIST) {
        struct gotmpl_list *l = gotmpl_list_new(a, v.list->elem, v.list->len);
        l->is_nil = v.list->is_nil;
        for (size_t i = 0; i < v.list->len; i++)
            l->items[l->len++] = copy_deep(a, gotmpl_plain(gotmpl_list_at(v.list, i)), depth + 1);
        return gotmpl_of_list(l);
    }
    if (v.kind == GOTMPL_MAP) {
        struct gotmpl_map *m = gotmpl_map_new(a, v.map->elem);
        for (size_t i = 0; i < v.map->len; i++)
            gotmpl_map_set(a, m, v.map->items[i].key,
                           copy_deep(a, gotmpl_plain(gotmpl_map_at(v.map, i)), depth + 1));
        m->is_nil = v.map->is_nil;
        return gotmpl_of_map(m);
    }
    return v;
}

GOTMPL_FN(fn_deep_copy)
{
    if (v[0].kind == GOTMPL_NIL)
        gotmpl_fail(a, "reflect: call of reflect.Value.Type on zero Value");
    return copy_deep(a, v[0], 0);
}

const struct gotmpl_function gotmpl_dict_functions[] = {
    {"deepCopy", "a", fn_deep_copy},
    {"dict", "a*", fn_dict},
    {"dig", "a*", fn_dig},
    {"get", "ms", fn_get},
    {"hasKey", "ms", fn_has_key},
    {"keys", "m*", fn_keys},
    {"merge", "mm*", fn_merge},
    {"mergeOverwrite", "mm*", fn_merge_overwrite},
    {"mustDeepCopy", "a", fn_deep_copy},
    {"mustMerge", "mm*", fn_merge},
    {"mustMergeOverwrite", "mm*", fn_merge_overwrite},
    {"omit", "ms*", fn_omit},
    {"pick", "ms*", fn_pick},
    {"pluck", "sm*", fn_pluck},
    {"set", "msa", fn_set},
    {"unset", "ms", fn_unset},
    {"values", "m", fn_values},
    {NULL, NULL, NULL},
};
