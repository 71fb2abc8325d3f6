/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: lists. Functions make new lists; the `must` forms fail in the same words. */
#include "gotemplate/funcs.h"

#include <math.h>

/* The argument as a list, or Go's complaint. */
static const struct gotmpl_list *list_arg(struct gotmpl_arena *a, gotmpl_value v, const char *verb)
{
    if (v.kind == GOTMPL_NIL)
        gotmpl_fail_nil(a);
    if (v.kind != GOTMPL_LIST)
        gotmpl_fail(a, "Cannot %s type %s", verb, gotmpl_kind_name(v));
    return v.list;
}

static gotmpl_value nil_list(struct gotmpl_arena *a)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_ANY, 0);

    l->is_nil = true;
    return gotmpl_of_list(l);
}

/* Elements [from, to) as []interface{}. */
static struct gotmpl_list *part(struct gotmpl_arena *a, const struct gotmpl_list *l, size_t from,
                                size_t to)
{
    struct gotmpl_list *copy = gotmpl_list_new(a, GOTMPL_OF_ANY, to - from);

    for (size_t i = from; i < to; i++)
        copy->items[copy->len++] = gotmpl_plain(gotmpl_list_at(l, i));
    return copy;
}

GOTMPL_FN(fn_list)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_ANY, argc);

    for (size_t i = 0; i < argc; i++)
        l->items[l->len++] = v[i];
    return gotmpl_of_list(l);
}

GOTMPL_FN(fn_append)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "push on");
    struct gotmpl_list *longer = gotmpl_list_new(a, GOTMPL_OF_ANY, l->len + 1);

    for (size_t i = 0; i < l->len; i++)
        longer->items[longer->len++] = gotmpl_plain(gotmpl_list_at(l, i));
    longer->items[longer->len++] = v[1];
    return gotmpl_of_list(longer);
}

GOTMPL_FN(fn_prepend)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "prepend on");
    struct gotmpl_list *longer = gotmpl_list_new(a, GOTMPL_OF_ANY, l->len + 1);

    longer->items[longer->len++] = v[1];
    for (size_t i = 0; i < l->len; i++)
        longer->items[longer->len++] = gotmpl_plain(gotmpl_list_at(l, i));
    return gotmpl_of_list(longer);
}

GOTMPL_FN(fn_first)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "find first on");

    return l->len ? gotmpl_plain(gotmpl_list_at(l, 0)) : gotmpl_nil();
}

GOTMPL_FN(fn_last)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "find last on");

    return l->len ? gotmpl_plain(gotmpl_list_at(l, l->len - 1)) : gotmpl_nil();
}

GOTMPL_FN(fn_rest)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "find rest on");

    return l->len ? gotmpl_of_list(part(a, l, 1, l->len)) : nil_list(a);
}

GOTMPL_FN(fn_initial)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "find initial on");

    return l->len ? gotmpl_of_list(part(a, l, 0, l->len - 1)) : nil_list(a);
}

GOTMPL_FN(fn_reverse)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "find reverse on");
    struct gotmpl_list *turned = gotmpl_list_new(a, GOTMPL_OF_ANY, l->len);

    for (size_t i = l->len; i-- > 0;)
        turned->items[turned->len++] = gotmpl_plain(gotmpl_list_at(l, i));
    return gotmpl_of_list(turned);
}

GOTMPL_FN(fn_compact)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "compact on");
    struct gotmpl_list *kept = gotmpl_list_new(a, GOTMPL_OF_ANY, l->len);

    for (size_t i = 0; i < l->len; i++)
        if (!gotmpl_is_empty(gotmpl_list_at(l, i)))
            kept->items[kept->len++] = gotmpl_plain(gotmpl_list_at(l, i));
    return gotmpl_of_list(kept);
}

static bool is_among(struct gotmpl_arena *a, gotmpl_value v, const gotmpl_value *items, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (gotmpl_deep_equal(a, v, items[i], 0))
            return true;
    return false;
}

GOTMPL_FN(fn_uniq)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "find uniq on");
    struct gotmpl_list *kept = gotmpl_list_new(a, GOTMPL_OF_ANY, l->len);

    for (size_t i = 0; i < l->len; i++) {
        gotmpl_value item = gotmpl_plain(gotmpl_list_at(l, i));
        if (!is_among(a, item, kept->items, kept->len))
            kept->items[kept->len++] = item;
    }
    return gotmpl_of_list(kept);
}

GOTMPL_FN(fn_without)
{
    const struct gotmpl_list *l = list_arg(a, v[0], "find without on");
    struct gotmpl_list *kept = gotmpl_list_new(a, GOTMPL_OF_ANY, l->len);

    for (size_t i = 0; i < l->len; i++) {
        gotmpl_value item = gotmpl_plain(gotmpl_list_at(l, i));
        if (!is_among(a, item, v + 1, argc - 1))
            kept->items[kept->len++] = item;
    }
    return gotmpl_of_list(kept);
}

GOTMPL_FN(fn_has)
{
    const struct gotmpl_list *l;

    if (v[1].kind == GOTMPL_NIL)
        return gotmpl_bool(false);
    l = list_arg(a, v[1], "find has on");
    for (size_t i = 0; i < l->len; i++)
        if (gotmpl_deep_equal(a, v[0], gotmpl_list_at(l, i), 0))
            return gotmpl_bool(true);
    return gotmpl_bool(false);
}

GOTMPL_FN(fn_slice)
{
    const struct gotmpl_list *l;
    struct gotmpl_list *window;
    int64_t start, end;

    if (v[0].kind == GOTMPL_NIL)
        gotmpl_fail_nil(a);
    if (v[0].kind != GOTMPL_LIST)
        gotmpl_fail(a, "list should be type of slice or array but %s", gotmpl_kind_name(v[0]));
    l = v[0].list;
    if (l->len == 0)
        return gotmpl_nil();
    start = argc > 1 ? gotmpl_to_int64(v[1]) : 0;
    end = argc > 2 ? gotmpl_to_int64(v[2]) : (int64_t)l->len;
    if (start < 0 || end < start || end > (int64_t)l->len)
        gotmpl_fail(a, "reflect.Value.Slice: slice index out of bounds");
    window = gotmpl_list_new(a, l->elem, 0);
    window->items = l->items + start;
    window->len = (size_t)(end - start);
    return gotmpl_of_list(window);
}

GOTMPL_FN(fn_concat)
{
    struct gotmpl_list *all = gotmpl_list_new(a, GOTMPL_OF_ANY, 0);

    all->is_nil = true;
    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == GOTMPL_NIL)
            gotmpl_fail_nil(a);
        if (v[i].kind != GOTMPL_LIST)
            gotmpl_fail(a, "Cannot concat type %s as list", gotmpl_kind_name(v[i]));
        for (size_t k = 0; k < v[i].list->len; k++) {
            gotmpl_list_add(a, all, gotmpl_plain(gotmpl_list_at(v[i].list, k)));
            all->is_nil = false;
        }
    }
    return (gotmpl_value){.kind = GOTMPL_LIST, .in_interface = true, .list = all};
}

GOTMPL_FN(fn_chunk)
{
    const struct gotmpl_list *l = list_arg(a, v[1], "chunk");
    struct gotmpl_list *chunks = gotmpl_list_new(a, GOTMPL_OF_LIST, 0);
    int64_t size = v[0].i;

    /* sprig's arithmetic, where a negative size can come to one chunk or to none. */
    if (size < -1 && l->len == 1)
        size = 1;
    else if (size < 0 && l->len > 1 && size <= 1 - (int64_t)l->len)
        return gotmpl_of_list(chunks);
    else if (size <= 0)
        gotmpl_fail(a, "runtime error: makeslice: len out of range");
    for (size_t i = 0; i < l->len;) {
        size_t end = (uint64_t)size < l->len - i ? i + (size_t)size : l->len;
        gotmpl_list_add(a, chunks, gotmpl_of_list(part(a, l, i, end)));
        i = end;
    }
    return gotmpl_of_list(chunks);
}

const struct gotmpl_function gotmpl_list_functions[] = {
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
