/* sprig: dictionaries. set, unset and merge change the one they are given. */
#include "gotemplate/funcs.h"

#include "gotemplate/semver.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

static tpl_value plain(tpl_value v)
{
    if (v.kind != TPL_NIL)
        v.in_interface = false;
    return v;
}

FN(fn_dict)
{
    struct tpl_map *m = tpl_map_new(a, TPL_OF_ANY);

    for (size_t i = 0; i < argc; i += 2)
        tpl_map_set(a, m, tpl_to_text(a, v[i]),
                    i + 1 < argc ? v[i + 1] : tpl_string(CORAS_STR("")));
    return tpl_of_map(m);
}

FN(fn_get)
{
    tpl_value found;

    (void)a, (void)argc;
    return tpl_map_get(v[0].map, v[1].s, &found) ? plain(found) : tpl_string(CORAS_STR(""));
}

FN(fn_set)
{
    (void)argc;
    tpl_map_set(a, v[0].map, v[1].s, v[2]);
    return v[0];
}

FN(fn_unset)
{
    (void)a, (void)argc;
    tpl_map_remove(v[0].map, v[1].s);
    return v[0];
}

FN(fn_has_key)
{
    tpl_value found;

    (void)a, (void)argc;
    return tpl_bool(tpl_map_get(v[0].map, v[1].s, &found));
}

FN(fn_pluck)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_ANY, argc);
    tpl_value found;

    for (size_t i = 1; i < argc; i++)
        if (tpl_map_get(v[i].map, v[0].s, &found))
            l->items[l->len++] = plain(found);
    return tpl_of_list(l);
}

FN(fn_keys)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_STRING, 0);

    for (size_t i = 0; i < argc; i++)
        for (size_t k = 0; k < v[i].map->len; k++)
            tpl_list_add(a, l, tpl_string(v[i].map->items[k].key));
    return tpl_of_list(l);
}

FN(fn_values)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_ANY, v[0].map->len);

    (void)argc;
    for (size_t i = 0; i < v[0].map->len; i++)
        l->items[l->len++] = plain(tpl_map_at(v[0].map, i));
    return tpl_of_list(l);
}

FN(fn_pick)
{
    struct tpl_map *m = tpl_map_new(a, TPL_OF_ANY);
    tpl_value found;

    for (size_t i = 1; i < argc; i++)
        if (tpl_map_get(v[0].map, v[i].s, &found))
            tpl_map_set(a, m, v[i].s, plain(found));
    return tpl_of_map(m);
}

FN(fn_omit)
{
    struct tpl_map *m = tpl_map_new(a, TPL_OF_ANY);

    for (size_t i = 0; i < v[0].map->len; i++)
        tpl_map_set(a, m, v[0].map->items[i].key, plain(tpl_map_at(v[0].map, i)));
    for (size_t i = 1; i < argc; i++)
        tpl_map_remove(m, v[i].s);
    return tpl_of_map(m);
}

static bool is_dict(tpl_value v)
{
    return v.kind == TPL_MAP && v.map->elem == TPL_OF_ANY;
}

/* Without `overwrite` only what is absent or empty (0, false, "") is taken over. */
static void merge(struct tpl_arena *a, struct tpl_map *into, const struct tpl_map *from,
                  bool overwrite, int depth)
{
    struct tpl_map source = *from;

    tpl_check_nesting(a, depth);
    source.items = tpl_regrow(a, from->items, from->len, from->len, sizeof(*from->items));
    for (size_t i = 0; i < source.len; i++) {
        coras_str key = source.items[i].key;
        tpl_value mine, theirs = tpl_map_at(&source, i);
        bool there = tpl_map_get(into, key, &mine);
        if (there && is_dict(mine) && is_dict(theirs) && mine.map->len > 0)
            merge(a, mine.map, theirs.map, overwrite, depth + 1);
        else if (!there || overwrite || tpl_is_empty(mine))
            tpl_map_set(a, into, key, plain(theirs));
    }
}

static tpl_value merge_all(struct tpl_arena *a, size_t argc, const tpl_value *v, bool overwrite)
{
    struct tpl_map *into = v[0].map;

    for (size_t i = 1; i < argc; i++) {
        if (into->is_nil && !v[i].map->is_nil)
            into = tpl_map_new(a, TPL_OF_ANY);
        merge(a, into, v[i].map, overwrite, 0);
    }
    return tpl_of_map(into);
}

FN(fn_merge)
{
    return merge_all(a, argc, v, false);
}

FN(fn_merge_overwrite)
{
    return merge_all(a, argc, v, true);
}

static _Noreturn void fail_conversion(struct tpl_arena *a, tpl_value v, const char *wanted)
{
    tpl_fail(a, "interface conversion: interface {} is %s, not %s",
             v.kind == TPL_NIL ? "nil" : tpl_type_name(v), wanted);
}

/* dig "a" "b" DEFAULT DICT */
FN(fn_dig)
{
    tpl_value at;
    size_t keys = argc - 2;

    if (argc < 3)
        tpl_fail(a, "dig needs at least three arguments");
    if (!is_dict(v[argc - 1]))
        fail_conversion(a, v[argc - 1], "map[string]interface {}");
    for (size_t i = 0; i < keys; i++)
        if (v[i].kind != TPL_STRING)
            fail_conversion(a, v[i], "string");
    at = v[argc - 1];
    for (size_t i = 0; i < keys; i++) {
        if (!is_dict(at))
            fail_conversion(a, at, "map[string]interface {}");
        if (!tpl_map_get(at.map, v[i].s, &at))
            return v[argc - 2];
    }
    return plain(at);
}

static tpl_value copy_deep(struct tpl_arena *a, tpl_value v, int depth)
{
    tpl_check_nesting(a, depth);
    if (v.kind == TPL_LIST) {
        struct tpl_list *l = tpl_list_new(a, v.list->elem, v.list->len);
        l->is_nil = v.list->is_nil;
        for (size_t i = 0; i < v.list->len; i++)
            l->items[l->len++] = copy_deep(a, plain(tpl_list_at(v.list, i)), depth + 1);
        return tpl_of_list(l);
    }
    if (v.kind == TPL_MAP) {
        struct tpl_map *m = tpl_map_new(a, v.map->elem);
        for (size_t i = 0; i < v.map->len; i++)
            tpl_map_set(a, m, v.map->items[i].key,
                        copy_deep(a, plain(tpl_map_at(v.map, i)), depth + 1));
        m->is_nil = v.map->is_nil;
        return tpl_of_map(m);
    }
    if (v.kind == TPL_SEMVER && v.semver) /* what it holds is private, the copy is blank */
        v.semver = tpl_alloc(a, sizeof(*v.semver));
    return v;
}

FN(fn_deep_copy)
{
    (void)argc;
    if (v[0].kind == TPL_NIL)
        tpl_fail(a, "reflect: call of reflect.Value.Type on zero Value");
    return copy_deep(a, v[0], 0);
}

const struct tpl_function tpl_dict_functions[] = {
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
