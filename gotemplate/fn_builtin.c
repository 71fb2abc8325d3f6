/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of text/template itself. */
#include "gotemplate/funcs.h"
#include "gotemplate/print.h"
#include "gospell/unicode_print.h"

GOTMPL_FN_IS(fn_not, gotmpl_bool(!gotmpl_truth(v[0])));

GOTMPL_FN(fn_len)
{
    switch ((enum gotmpl_kind)v->kind) {
    case GOTMPL_STRING:
        return gotmpl_int((int64_t)v->s.len);
    case GOTMPL_LIST:
        return gotmpl_int((int64_t)v->list->len);
    case GOTMPL_MAP:
        return gotmpl_int((int64_t)v->map->len);
    case GOTMPL_NIL:
        gotmpl_fail(a, "len of nil pointer");
    case GOTMPL_INVALID:
        gotmpl_fail(a, "reflect: call of reflect.Value.Type on zero Value");
    default:
        gotmpl_fail(a, "len of type %s", gotmpl_type_name(*v));
    }
}

static size_t index_arg(struct gotmpl_arena *a, gotmpl_value index, size_t len)
{
    if (index.kind == GOTMPL_INVALID)
        gotmpl_fail(a, "cannot index slice/array with nil");
    if (!gotmpl_is_int(index))
        gotmpl_fail(a, "cannot index slice/array with type %s", gotmpl_type_name(index));
    if (index.i < 0 || (uint64_t)index.i > len)
        gotmpl_fail(a, "index out of range: %lld", (long long)index.i);
    return (size_t)index.i;
}

static gotmpl_value index_map(struct gotmpl_arena *a, const struct gotmpl_map *m, gotmpl_value key)
{
    gotmpl_value v;

    if (key.kind == GOTMPL_INVALID)
        gotmpl_fail(a, "value is nil; should be of type string");
    if (key.kind != GOTMPL_STRING)
        gotmpl_fail(a, "value has type %s; should be string", gotmpl_type_name(key));
    if (gotmpl_map_get(m, key.s, &v))
        return v;
    return m->elem == GOTMPL_OF_STRING ? gotmpl_string(CORAS_STR("")) : gotmpl_nil();
}

static gotmpl_value index_one(struct gotmpl_arena *a, gotmpl_value item, gotmpl_value index)
{
    size_t i;

    switch ((enum gotmpl_kind)item.kind) {
    case GOTMPL_NIL:
        gotmpl_fail(a, "index of nil pointer");
    case GOTMPL_MAP:
        return index_map(a, item.map, index);
    case GOTMPL_LIST:
        i = index_arg(a, index, item.list->len);
        if (i == item.list->len)
            gotmpl_fail(a, "reflect: slice index out of range");
        return gotmpl_list_at(item.list, i);
    case GOTMPL_STRING:
        i = index_arg(a, index, item.s.len);
        if (i == item.s.len)
            gotmpl_fail(a, "reflect: string index out of range");
        return (gotmpl_value){.kind = GOTMPL_UINT8, .i = (unsigned char)item.s.ptr[i]};
    default:
        gotmpl_fail(a, "can't index item of type %s", gotmpl_type_name(item));
    }
}

GOTMPL_FN(fn_index)
{
    gotmpl_value item = gotmpl_unwrap(v[0]);

    if (item.kind == GOTMPL_INVALID)
        gotmpl_fail(a, "index of untyped nil");
    for (size_t i = 1; i < argc; i++)
        item = index_one(a, item, gotmpl_unwrap(v[i]));
    return item;
}

GOTMPL_FN(fn_print)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_sprint(&t, argc, v);
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN(fn_println)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_sprintln(&t, argc, v);
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN(fn_printf)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_sprintf(&t, v[0].s, argc - 1, v + 1);
    return gotmpl_string(gotmpl_text_str(&t));
}

/* No value of a template is a function; the name of the callee follows the arguments. */
GOTMPL_FN(fn_call)
{
    if (v[0].kind == GOTMPL_INVALID || v[0].kind == GOTMPL_NIL)
        gotmpl_fail(a, "call of nil");
    gotmpl_fail(a, "non-function %s of type %s", v[argc].s.ptr, gotmpl_type_name(v[0]));
}

/* ---- escaping ---- */

static coras_str joined(struct gotmpl_arena *a, size_t argc, const gotmpl_value *v)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    gotmpl_value *shown = gotmpl_regrow(a, v, argc, argc, sizeof(*v));

    for (size_t i = 0; i < argc; i++)
        if (shown[i].kind == GOTMPL_NIL)
            shown[i] = gotmpl_string(CORAS_STR("<no value>"));
    gotmpl_sprint(&t, argc, shown);
    return gotmpl_text_str(&t);
}

GOTMPL_FN(fn_html)
{
    coras_str s = joined(a, argc, v);
    struct gotmpl_text t = GOTMPL_TEXT(a);

    for (size_t i = 0; i < s.len; i++)
        switch (s.ptr[i]) {
        case '\0':
            gotmpl_put_rune(&t, 0xfffd);
            break;
        case '"':
            gotmpl_puts(&t, "&#34;");
            break;
        case '\'':
            gotmpl_puts(&t, "&#39;");
            break;
        case '&':
            gotmpl_puts(&t, "&amp;");
            break;
        case '<':
            gotmpl_puts(&t, "&lt;");
            break;
        case '>':
            gotmpl_puts(&t, "&gt;");
            break;
        default:
            gotmpl_putc(&t, s.ptr[i]);
        }
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN(fn_js)
{
    coras_str s = joined(a, argc, v);
    struct gotmpl_text t = GOTMPL_TEXT(a);
    uint32_t c;

    for (size_t i = 0, n; i < s.len; i += n) {
        n = coras_utf8_decode(s.ptr + i, s.len - i, &c);
        if (c == '\\' || c == '\'' || c == '"') {
            gotmpl_putc(&t, '\\');
            gotmpl_putc(&t, (char)c);
        } else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '=') {
            gotmpl_printf(&t, "\\u%04X", (unsigned)c);
        } else if (c >= 0x80 && !coras_unicode_is_print(c)) {
            gotmpl_printf(&t, "\\u%04X", (unsigned)c);
        } else {
            gotmpl_put(&t, s.ptr + i, n);
        }
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN(fn_urlquery)
{
    coras_str s = joined(a, argc, v);
    struct gotmpl_text t = GOTMPL_TEXT(a);

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (coras_is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
            gotmpl_putc(&t, c);
        else if (c == ' ')
            gotmpl_putc(&t, '+');
        else
            gotmpl_printf(&t, "%%%02X", (unsigned char)c);
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

/* ---- comparison ---- */

enum basic { NOT_BASIC, BASIC_BOOL, BASIC_INT, BASIC_UINT, BASIC_FLOAT, BASIC_STRING };

static enum basic basic_kind(gotmpl_value v)
{
    if (v.kind == GOTMPL_BOOL)
        return BASIC_BOOL;
    if (v.kind == GOTMPL_FLOAT)
        return BASIC_FLOAT;
    if (v.kind == GOTMPL_STRING)
        return BASIC_STRING;
    if (gotmpl_is_uint(v))
        return BASIC_UINT;
    return gotmpl_is_int(v) ? BASIC_INT : NOT_BASIC;
}

static const char *shown(struct gotmpl_arena *a, const char *format, gotmpl_value v)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    gotmpl_sprintf(&t, coras_str_of(format), 1, &v);
    return gotmpl_text_str(&t).ptr;
}

static bool is_nil(gotmpl_value v)
{
    return v.kind == GOTMPL_INVALID || (v.kind == GOTMPL_LIST && v.list->is_nil) ||
           (v.kind == GOTMPL_MAP && v.map->is_nil);
}

static bool equal_others(struct gotmpl_arena *a, gotmpl_value x, gotmpl_value y)
{
    if (strcmp(gotmpl_kind_name(x), gotmpl_kind_name(y)) != 0 && x.kind != GOTMPL_INVALID &&
        y.kind != GOTMPL_INVALID)
        gotmpl_fail(a, "non-comparable types %s: %s, %s: %s", shown(a, "%s", x),
                    gotmpl_type_name(x), gotmpl_type_name(y), shown(a, "%v", y));
    if (is_nil(x) || is_nil(y))
        return is_nil(x) == is_nil(y);
    if (y.kind == GOTMPL_LIST || y.kind == GOTMPL_MAP)
        gotmpl_fail(a, "non-comparable type %s: %s", shown(a, "%s", y), gotmpl_type_name(y));
    return gotmpl_deep_equal(a, x, y, 0);
}

static bool equal(struct gotmpl_arena *a, gotmpl_value x, gotmpl_value y)
{
    enum basic bx = basic_kind(x), by = basic_kind(y);

    if ((bx == BASIC_INT && by == BASIC_UINT) || (bx == BASIC_UINT && by == BASIC_INT))
        return (bx == BASIC_INT ? x.i : y.i) >= 0 && x.i == y.i;
    if (bx != by) {
        if (x.kind != GOTMPL_INVALID && y.kind != GOTMPL_INVALID)
            gotmpl_fail(a, "incompatible types for comparison: %s and %s", gotmpl_type_name(x),
                        gotmpl_type_name(y));
        return false;
    }
    switch (bx) {
    case BASIC_BOOL:
        return x.b == y.b;
    case BASIC_FLOAT:
        return x.f == y.f;
    case BASIC_STRING:
        return gotmpl_str_same(x.s, y.s);
    case BASIC_INT:
    case BASIC_UINT:
        return x.i == y.i;
    default:
        return equal_others(a, x, y);
    }
}

static bool less(struct gotmpl_arena *a, gotmpl_value x, gotmpl_value y)
{
    enum basic bx = basic_kind(x), by = basic_kind(y);

    if (bx == NOT_BASIC || by == NOT_BASIC)
        gotmpl_fail(a, "invalid type for comparison");
    if (bx == BASIC_INT && by == BASIC_UINT)
        return x.i < 0 || (uint64_t)x.i < (uint64_t)y.i;
    if (bx == BASIC_UINT && by == BASIC_INT)
        return y.i >= 0 && (uint64_t)x.i < (uint64_t)y.i;
    if (bx != by)
        gotmpl_fail(a, "incompatible types for comparison: %s and %s", gotmpl_type_name(x),
                    gotmpl_type_name(y));
    switch (bx) {
    case BASIC_FLOAT:
        return x.f < y.f;
    case BASIC_STRING:
        return gotmpl_str_compare(x.s, y.s) < 0;
    case BASIC_INT:
        return x.i < y.i;
    case BASIC_UINT:
        return (uint64_t)x.i < (uint64_t)y.i;
    default:
        gotmpl_fail(a, "invalid type for comparison");
    }
}

static bool less_or_equal(struct gotmpl_arena *a, gotmpl_value x, gotmpl_value y)
{
    return less(a, x, y) || equal(a, x, y);
}

GOTMPL_FN(fn_eq)
{
    if (argc < 2)
        gotmpl_fail(a, "missing argument for comparison");
    for (size_t i = 1; i < argc; i++)
        if (equal(a, gotmpl_unwrap(v[0]), gotmpl_unwrap(v[i])))
            return gotmpl_bool(true);
    return gotmpl_bool(false);
}

GOTMPL_FN_IS(fn_ne, gotmpl_bool(!equal(a, gotmpl_unwrap(v[0]), gotmpl_unwrap(v[1]))));
GOTMPL_FN_IS(fn_lt, gotmpl_bool(less(a, gotmpl_unwrap(v[0]), gotmpl_unwrap(v[1]))));
GOTMPL_FN_IS(fn_le, gotmpl_bool(less_or_equal(a, gotmpl_unwrap(v[0]), gotmpl_unwrap(v[1]))));
GOTMPL_FN_IS(fn_gt, gotmpl_bool(!less_or_equal(a, gotmpl_unwrap(v[0]), gotmpl_unwrap(v[1]))));
GOTMPL_FN_IS(fn_ge, gotmpl_bool(!less(a, gotmpl_unwrap(v[0]), gotmpl_unwrap(v[1]))));

const struct gotmpl_function gotmpl_builtin_functions[] = {
    {"and", "vv*", NULL}, /* evaluate their arguments one by one */
    {"or", "vv*", NULL},
    {"call", "vv*", fn_call},
    {"eq", "vv*", fn_eq},
    {"ge", "vv", fn_ge},
    {"gt", "vv", fn_gt},
    {"html", "a*", fn_html},
    {"index", "vv*", fn_index},
    {"js", "a*", fn_js},
    {"le", "vv", fn_le},
    {"len", "v", fn_len},
    {"lt", "vv", fn_lt},
    {"ne", "vv", fn_ne},
    {"not", "v", fn_not},
    {"print", "a*", fn_print},
    {"printf", "sa*", fn_printf},
    {"println", "a*", fn_println},
    {"urlquery", "a*", fn_urlquery},
    {NULL, NULL, NULL},
};
