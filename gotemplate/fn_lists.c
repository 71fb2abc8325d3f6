/* sprig: lists. Functions make new lists; the `must` forms fail in the same words. */
#include "gotemplate/funcs.h"

#include <math.h>

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

/* The argument as a list, or Go's complaint. */
static const struct tpl_list *list_arg(struct tpl_arena *a, tpl_value v, const char *verb)
{
    if (v.kind == TPL_NIL)
        tpl_fail_nil(a);
    if (v.kind != TPL_LIST)
        tpl_fail(a, "Cannot %s type %s", verb, tpl_kind_name(v));
    return v.list;
}

static tpl_value plain(tpl_value v)
{
    if (v.kind != TPL_NIL)
        v.in_interface = false;
    return v;
}

static tpl_value nil_list(struct tpl_arena *a)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_ANY, 0);

    l->is_nil = true;
    return tpl_of_list(l);
}

/* Elements [from, to) as []interface{}. */
static struct tpl_list *part(struct tpl_arena *a, const struct tpl_list *l, size_t from, size_t to)
{
    struct tpl_list *copy = tpl_list_new(a, TPL_OF_ANY, to - from);

    for (size_t i = from; i < to; i++)
        copy->items[copy->len++] = plain(tpl_list_at(l, i));
    return copy;
}

FN(fn_list)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_ANY, argc);

    for (size_t i = 0; i < argc; i++)
        l->items[l->len++] = v[i];
    return tpl_of_list(l);
}

FN(fn_append)
{
    const struct tpl_list *l = list_arg(a, v[0], "push on");
    struct tpl_list *longer = tpl_list_new(a, TPL_OF_ANY, l->len + 1);

    (void)argc;
    for (size_t i = 0; i < l->len; i++)
        longer->items[longer->len++] = plain(tpl_list_at(l, i));
    longer->items[longer->len++] = v[1];
    return tpl_of_list(longer);
}

FN(fn_prepend)
{
    const struct tpl_list *l = list_arg(a, v[0], "prepend on");
    struct tpl_list *longer = tpl_list_new(a, TPL_OF_ANY, l->len + 1);

    (void)argc;
    longer->items[longer->len++] = v[1];
    for (size_t i = 0; i < l->len; i++)
        longer->items[longer->len++] = plain(tpl_list_at(l, i));
    return tpl_of_list(longer);
}

FN(fn_first)
{
    const struct tpl_list *l = list_arg(a, v[0], "find first on");

    (void)argc;
    return l->len ? plain(tpl_list_at(l, 0)) : tpl_nil();
}

FN(fn_last)
{
    const struct tpl_list *l = list_arg(a, v[0], "find last on");

    (void)argc;
    return l->len ? plain(tpl_list_at(l, l->len - 1)) : tpl_nil();
}

FN(fn_rest)
{
    const struct tpl_list *l = list_arg(a, v[0], "find rest on");

    (void)argc;
    return l->len ? tpl_of_list(part(a, l, 1, l->len)) : nil_list(a);
}

FN(fn_initial)
{
    const struct tpl_list *l = list_arg(a, v[0], "find initial on");

    (void)argc;
    return l->len ? tpl_of_list(part(a, l, 0, l->len - 1)) : nil_list(a);
}

FN(fn_reverse)
{
    const struct tpl_list *l = list_arg(a, v[0], "find reverse on");
    struct tpl_list *turned = tpl_list_new(a, TPL_OF_ANY, l->len);

    (void)argc;
    for (size_t i = l->len; i-- > 0;)
        turned->items[turned->len++] = plain(tpl_list_at(l, i));
    return tpl_of_list(turned);
}

FN(fn_compact)
{
    const struct tpl_list *l = list_arg(a, v[0], "compact on");
    struct tpl_list *kept = tpl_list_new(a, TPL_OF_ANY, l->len);

    (void)argc;
    for (size_t i = 0; i < l->len; i++)
        if (!tpl_is_empty(tpl_list_at(l, i)))
            kept->items[kept->len++] = plain(tpl_list_at(l, i));
    return tpl_of_list(kept);
}

static bool is_among(struct tpl_arena *a, tpl_value v, const tpl_value *items, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (tpl_deep_equal(a, v, items[i], 0))
            return true;
    return false;
}

FN(fn_uniq)
{
    const struct tpl_list *l = list_arg(a, v[0], "find uniq on");
    struct tpl_list *kept = tpl_list_new(a, TPL_OF_ANY, l->len);

    (void)argc;
    for (size_t i = 0; i < l->len; i++) {
        tpl_value item = plain(tpl_list_at(l, i));
        if (!is_among(a, item, kept->items, kept->len))
            kept->items[kept->len++] = item;
    }
    return tpl_of_list(kept);
}

FN(fn_without)
{
    const struct tpl_list *l = list_arg(a, v[0], "find without on");
    struct tpl_list *kept = tpl_list_new(a, TPL_OF_ANY, l->len);

    for (size_t i = 0; i < l->len; i++) {
        tpl_value item = plain(tpl_list_at(l, i));
        if (!is_among(a, item, v + 1, argc - 1))
            kept->items[kept->len++] = item;
    }
    return tpl_of_list(kept);
}

FN(fn_has)
{
    const struct tpl_list *l;

    (void)argc;
    if (v[1].kind == TPL_NIL)
        return tpl_bool(false);
    l = list_arg(a, v[1], "find has on");
    for (size_t i = 0; i < l->len; i++)
        if (tpl_deep_equal(a, v[0], tpl_list_at(l, i), 0))
            return tpl_bool(true);
    return tpl_bool(false);
}

FN(fn_slice)
{
    const struct tpl_list *l;
    struct tpl_list *window;
    int64_t start, end;

    if (v[0].kind == TPL_NIL)
        tpl_fail_nil(a);
    if (v[0].kind != TPL_LIST)
        tpl_fail(a, "list should be type of slice or array but %s", tpl_kind_name(v[0]));
    l = v[0].list;
    if (l->len == 0)
        return tpl_nil();
    start = argc > 1 ? tpl_to_int64(v[1]) : 0;
    end = argc > 2 ? tpl_to_int64(v[2]) : (int64_t)l->len;
    if (start < 0 || end < start || end > (int64_t)l->len)
        tpl_fail(a, "reflect.Value.Slice: slice index out of bounds");
    window = tpl_list_new(a, l->elem, 0);
    window->items = l->items + start;
    window->len = (size_t)(end - start);
    return tpl_of_list(window);
}

FN(fn_concat)
{
    struct tpl_list *all = tpl_list_new(a, TPL_OF_ANY, 0);

    all->is_nil = true;
    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == TPL_NIL)
            tpl_fail_nil(a);
        if (v[i].kind != TPL_LIST)
            tpl_fail(a, "Cannot concat type %s as list", tpl_kind_name(v[i]));
        for (size_t k = 0; k < v[i].list->len; k++) {
            tpl_list_add(a, all, plain(tpl_list_at(v[i].list, k)));
            all->is_nil = false;
        }
    }
    return (tpl_value){.kind = TPL_LIST, .in_interface = true, .list = all};
}

FN(fn_chunk)
{
    const struct tpl_list *l = list_arg(a, v[1], "chunk");
    struct tpl_list *chunks = tpl_list_new(a, TPL_OF_LIST, 0);
    int64_t size = v[0].i;

    (void)argc;
    /* sprig's arithmetic, where a negative size can come to one chunk or to none. */
    if (size < -1 && l->len == 1)
        size = 1;
    else if (size < 0 && l->len > 1 && size <= 1 - (int64_t)l->len)
        return tpl_of_list(chunks);
    else if (size <= 0)
        tpl_fail(a, "runtime error: makeslice: len out of range");
    for (size_t i = 0; i < l->len;) {
        size_t end = (uint64_t)size < l->len - i ? i + (size_t)size : l->len;
        tpl_list_add(a, chunks, tpl_of_list(part(a, l, i, end)));
        i = end;
    }
    return tpl_of_list(chunks);
}

const struct tpl_function tpl_list_functions[] = {
    {"append", "aa", fn_append},
    {"chunk", "ia", fn_chunk},
    {"compact", "a", fn_compact},
    {"concat", "a*", fn_concat},
    {"first", "a", fn_first},
    {"has", "aa", fn_has},
    {"initial", "a", fn_initial},
    {"last", "a", fn_last},
    {"list", "a*", fn_list},
    {"mustAppend", "aa", fn_append},
    {"mustChunk", "ia", fn_chunk},
    {"mustCompact", "a", fn_compact},
    {"mustFirst", "a", fn_first},
    {"mustHas", "aa", fn_has},
    {"mustInitial", "a", fn_initial},
    {"mustLast", "a", fn_last},
    {"mustPrepend", "aa", fn_prepend},
    {"mustPush", "aa", fn_append},
    {"mustRest", "a", fn_rest},
    {"mustReverse", "a", fn_reverse},
    {"mustSlice", "aa*", fn_slice},
    {"mustUniq", "a", fn_uniq},
    {"mustWithout", "aa*", fn_without},
    {"prepend", "aa", fn_prepend},
    {"push", "aa", fn_append},
    {"rest", "a", fn_rest},
    {"reverse", "a", fn_reverse},
    {"slice", "aa*", fn_slice},
    {"tuple", "a*", fn_list},
    {"uniq", "a", fn_uniq},
    {"without", "aa*", fn_without},
    {NULL, NULL, NULL},
};
