/* The functions of text/template itself. */
#include "gotemplate/funcs.h"
#include "gotemplate/print.h"
#include "base/unicode_print.h"

static tpl_value fn_not(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    (void)a, (void)argc;
    return tpl_bool(!tpl_truth(v[0]));
}

static tpl_value fn_len(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    (void)argc;
    switch ((enum tpl_kind)v->kind) {
    case TPL_STRING:
        return tpl_int((int64_t)v->s.len);
    case TPL_LIST:
        return tpl_int((int64_t)v->list->len);
    case TPL_MAP:
        return tpl_int((int64_t)v->map->len);
    case TPL_NIL:
        tpl_fail(a, "len of nil pointer");
    case TPL_INVALID:
        tpl_fail(a, "reflect: call of reflect.Value.Type on zero Value");
    case TPL_SEMVER:
        tpl_fail(a, "len of type %s", "semver.Version"); /* a pointer is looked through */
    default:
        tpl_fail(a, "len of type %s", tpl_type_name(*v));
    }
}

static size_t index_arg(struct tpl_arena *a, tpl_value index, size_t len)
{
    if (index.kind == TPL_INVALID)
        tpl_fail(a, "cannot index slice/array with nil");
    if (!tpl_is_int(index))
        tpl_fail(a, "cannot index slice/array with type %s", tpl_type_name(index));
    if (index.i < 0 || (uint64_t)index.i > len)
        tpl_fail(a, "index out of range: %lld", (long long)index.i);
    return (size_t)index.i;
}

static tpl_value index_map(struct tpl_arena *a, const struct tpl_map *m, tpl_value key)
{
    tpl_value v;

    if (key.kind == TPL_INVALID)
        tpl_fail(a, "value is nil; should be of type string");
    if (key.kind != TPL_STRING)
        tpl_fail(a, "value has type %s; should be string", tpl_type_name(key));
    if (tpl_map_get(m, key.s, &v))
        return v;
    return m->elem == TPL_OF_STRING ? tpl_string(CORAS_STR("")) : tpl_nil();
}

static tpl_value index_one(struct tpl_arena *a, tpl_value item, tpl_value index)
{
    size_t i;

    switch ((enum tpl_kind)item.kind) {
    case TPL_NIL:
        tpl_fail(a, "index of nil pointer");
    case TPL_MAP:
        return index_map(a, item.map, index);
    case TPL_LIST:
        i = index_arg(a, index, item.list->len);
        if (i == item.list->len)
            tpl_fail(a, "reflect: slice index out of range");
        return tpl_list_at(item.list, i);
    case TPL_STRING:
        i = index_arg(a, index, item.s.len);
        if (i == item.s.len)
            tpl_fail(a, "reflect: string index out of range");
        return (tpl_value){.kind = TPL_UINT8, .i = (unsigned char)item.s.ptr[i]};
    default:
        tpl_fail(a, "can't index item of type %s", tpl_type_name(item));
    }
}

static tpl_value fn_index(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    tpl_value item = tpl_unwrap(v[0]);

    if (item.kind == TPL_INVALID)
        tpl_fail(a, "index of untyped nil");
    for (size_t i = 1; i < argc; i++)
        item = index_one(a, item, tpl_unwrap(v[i]));
    return item;
}

static tpl_value fn_print(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    struct tpl_text t = TPL_TEXT(a);

    tpl_sprint(&t, argc, v);
    return tpl_string(tpl_text_str(&t));
}

static tpl_value fn_println(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    struct tpl_text t = TPL_TEXT(a);

    tpl_sprintln(&t, argc, v);
    return tpl_string(tpl_text_str(&t));
}

static tpl_value fn_printf(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    struct tpl_text t = TPL_TEXT(a);

    tpl_sprintf(&t, v[0].s, argc - 1, v + 1);
    return tpl_string(tpl_text_str(&t));
}

/* No value of a template is a function; the name of the callee follows the arguments. */
static tpl_value fn_call(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    if (v[0].kind == TPL_INVALID || v[0].kind == TPL_NIL)
        tpl_fail(a, "call of nil");
    tpl_fail(a, "non-function %s of type %s", v[argc].s.ptr, tpl_type_name(v[0]));
}

/* ---- escaping ---- */

static coras_str joined(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    struct tpl_text t = TPL_TEXT(a);
    tpl_value *shown = tpl_regrow(a, v, argc, argc, sizeof(*v));

    for (size_t i = 0; i < argc; i++)
        if (shown[i].kind == TPL_NIL)
            shown[i] = tpl_string(CORAS_STR("<no value>"));
    tpl_sprint(&t, argc, shown);
    return tpl_text_str(&t);
}

static tpl_value fn_html(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    coras_str s = joined(a, argc, v);
    struct tpl_text t = TPL_TEXT(a);

    for (size_t i = 0; i < s.len; i++)
        switch (s.ptr[i]) {
        case '\0':
            tpl_put_rune(&t, 0xfffd);
            break;
        case '"':
            tpl_puts(&t, "&#34;");
            break;
        case '\'':
            tpl_puts(&t, "&#39;");
            break;
        case '&':
            tpl_puts(&t, "&amp;");
            break;
        case '<':
            tpl_puts(&t, "&lt;");
            break;
        case '>':
            tpl_puts(&t, "&gt;");
            break;
        default:
            tpl_putc(&t, s.ptr[i]);
        }
    return tpl_string(tpl_text_str(&t));
}

static tpl_value fn_js(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    coras_str s = joined(a, argc, v);
    struct tpl_text t = TPL_TEXT(a);
    uint32_t c;

    for (size_t i = 0, n; i < s.len; i += n) {
        n = coras_utf8_decode(s.ptr + i, s.len - i, &c);
        if (c == '\\' || c == '\'' || c == '"') {
            tpl_putc(&t, '\\');
            tpl_putc(&t, (char)c);
        } else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '=') {
            tpl_printf(&t, "\\u%04X", (unsigned)c);
        } else if (c >= 0x80 && !coras_unicode_is_print(c)) {
            tpl_printf(&t, "\\u%04X", (unsigned)c);
        } else {
            tpl_put(&t, s.ptr + i, n);
        }
    }
    return tpl_string(tpl_text_str(&t));
}

static tpl_value fn_urlquery(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    coras_str s = joined(a, argc, v);
    struct tpl_text t = TPL_TEXT(a);

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (coras_is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
            tpl_putc(&t, c);
        else if (c == ' ')
            tpl_putc(&t, '+');
        else
            tpl_printf(&t, "%%%02X", (unsigned char)c);
    }
    return tpl_string(tpl_text_str(&t));
}

/* ---- comparison ---- */

enum basic {
    NOT_BASIC,
    BASIC_BOOL,
    BASIC_INT,
    BASIC_UINT,
    BASIC_FLOAT,
    BASIC_COMPLEX,
    BASIC_STRING
};

static enum basic basic_kind(tpl_value v)
{
    if (v.kind == TPL_BOOL)
        return BASIC_BOOL;
    if (v.kind == TPL_FLOAT)
        return BASIC_FLOAT;
    if (v.kind == TPL_COMPLEX)
        return BASIC_COMPLEX;
    if (v.kind == TPL_STRING)
        return BASIC_STRING;
    if (tpl_is_uint(v))
        return BASIC_UINT;
    return tpl_is_int(v) ? BASIC_INT : NOT_BASIC;
}

static const char *shown(struct tpl_arena *a, const char *format, tpl_value v)
{
    struct tpl_text t = TPL_TEXT(a);

    tpl_sprintf(&t, coras_str_of(format), 1, &v);
    return tpl_text_str(&t).ptr;
}

static bool is_nil(tpl_value v)
{
    return v.kind == TPL_INVALID || (v.kind == TPL_LIST && v.list->is_nil) ||
           (v.kind == TPL_MAP && v.map->is_nil);
}

static bool equal_others(struct tpl_arena *a, tpl_value x, tpl_value y)
{
    if (strcmp(tpl_kind_name(x), tpl_kind_name(y)) != 0 && x.kind != TPL_INVALID &&
        y.kind != TPL_INVALID)
        tpl_fail(a, "non-comparable types %s: %s, %s: %s", shown(a, "%s", x), tpl_type_name(x),
                 tpl_type_name(y), shown(a, "%v", y));
    if (is_nil(x) || is_nil(y))
        return is_nil(x) == is_nil(y);
    if (y.kind == TPL_LIST || y.kind == TPL_MAP)
        tpl_fail(a, "non-comparable type %s: %s", shown(a, "%s", y), tpl_type_name(y));
    return tpl_deep_equal(a, x, y, 0);
}

static bool equal(struct tpl_arena *a, tpl_value x, tpl_value y)
{
    enum basic bx = basic_kind(x), by = basic_kind(y);

    if ((bx == BASIC_INT && by == BASIC_UINT) || (bx == BASIC_UINT && by == BASIC_INT))
        return (bx == BASIC_INT ? x.i : y.i) >= 0 && x.i == y.i;
    if (bx != by) {
        if (x.kind != TPL_INVALID && y.kind != TPL_INVALID)
            tpl_fail(a, "incompatible types for comparison: %s and %s", tpl_type_name(x),
                     tpl_type_name(y));
        return false;
    }
    switch (bx) {
    case BASIC_BOOL:
        return x.b == y.b;
    case BASIC_FLOAT:
        return x.f == y.f;
    case BASIC_COMPLEX:
        return tpl_deep_equal(a, x, y, 0);
    case BASIC_STRING:
        return tpl_str_same(x.s, y.s);
    case BASIC_INT:
    case BASIC_UINT:
        return x.i == y.i;
    default:
        return equal_others(a, x, y);
    }
}

static bool less(struct tpl_arena *a, tpl_value x, tpl_value y)
{
    enum basic bx = basic_kind(x), by = basic_kind(y);

    if (bx == NOT_BASIC || by == NOT_BASIC)
        tpl_fail(a, "invalid type for comparison");
    if (bx == BASIC_INT && by == BASIC_UINT)
        return x.i < 0 || (uint64_t)x.i < (uint64_t)y.i;
    if (bx == BASIC_UINT && by == BASIC_INT)
        return y.i >= 0 && (uint64_t)x.i < (uint64_t)y.i;
    if (bx != by)
        tpl_fail(a, "incompatible types for comparison: %s and %s", tpl_type_name(x),
                 tpl_type_name(y));
    switch (bx) {
    case BASIC_FLOAT:
        return x.f < y.f;
    case BASIC_STRING:
        return tpl_str_compare(x.s, y.s) < 0;
    case BASIC_INT:
        return x.i < y.i;
    case BASIC_UINT:
        return (uint64_t)x.i < (uint64_t)y.i;
    default:
        tpl_fail(a, "invalid type for comparison");
    }
}

static bool less_or_equal(struct tpl_arena *a, tpl_value x, tpl_value y)
{
    return less(a, x, y) || equal(a, x, y);
}

static tpl_value fn_eq(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    if (argc < 2)
        tpl_fail(a, "missing argument for comparison");
    for (size_t i = 1; i < argc; i++)
        if (equal(a, tpl_unwrap(v[0]), tpl_unwrap(v[i])))
            return tpl_bool(true);
    return tpl_bool(false);
}

static tpl_value fn_ne(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    (void)argc;
    return tpl_bool(!equal(a, tpl_unwrap(v[0]), tpl_unwrap(v[1])));
}

static tpl_value fn_lt(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    (void)argc;
    return tpl_bool(less(a, tpl_unwrap(v[0]), tpl_unwrap(v[1])));
}

static tpl_value fn_le(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    (void)argc;
    return tpl_bool(less_or_equal(a, tpl_unwrap(v[0]), tpl_unwrap(v[1])));
}

static tpl_value fn_gt(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    (void)argc;
    return tpl_bool(!less_or_equal(a, tpl_unwrap(v[0]), tpl_unwrap(v[1])));
}

static tpl_value fn_ge(struct tpl_arena *a, size_t argc, const tpl_value *v)
{
    (void)argc;
    return tpl_bool(!less(a, tpl_unwrap(v[0]), tpl_unwrap(v[1])));
}

const struct tpl_function tpl_builtin_functions[] = {
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
