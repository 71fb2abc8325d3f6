/* sprig: defaults, types and JSON. */
#include "gotemplate/funcs.h"

#include <math.h>
#include "base/error.h"
#include "gotemplate/semver.h"
#include "gotemplate/times.h"
#include "gospell/float.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

FN(fn_default)
{
    (void)a;
    return argc < 2 || tpl_is_empty(v[1]) ? v[0] : v[1];
}

FN(fn_empty)
{
    (void)a, (void)argc;
    return tpl_bool(tpl_is_empty(v[0]));
}

FN(fn_coalesce)
{
    (void)a;
    for (size_t i = 0; i < argc; i++)
        if (!tpl_is_empty(v[i]))
            return v[i];
    return tpl_nil();
}

FN(fn_all)
{
    (void)a;
    for (size_t i = 0; i < argc; i++)
        if (tpl_is_empty(v[i]))
            return tpl_bool(false);
    return tpl_bool(true);
}

FN(fn_any)
{
    (void)a;
    for (size_t i = 0; i < argc; i++)
        if (!tpl_is_empty(v[i]))
            return tpl_bool(true);
    return tpl_bool(false);
}

FN(fn_ternary)
{
    (void)a, (void)argc;
    return v[2].b ? v[0] : v[1];
}

/* ---- types ---- */

FN(fn_type_of)
{
    (void)a, (void)argc;
    return tpl_string(coras_str_of(tpl_type_name(v[0])));
}

FN(fn_type_is)
{
    (void)a, (void)argc;
    return tpl_bool(coras_str_eq(v[0].s, tpl_type_name(v[1])));
}

FN(fn_type_is_like)
{
    const char *type = tpl_type_name(v[1]);

    (void)a, (void)argc;
    return tpl_bool(coras_str_eq(v[0].s, type) || (*type == '*' && coras_str_eq(v[0].s, type + 1)));
}

FN(fn_kind_of)
{
    (void)a, (void)argc;
    return tpl_string(coras_str_of(tpl_kind_name(v[0])));
}

FN(fn_kind_is)
{
    (void)a, (void)argc;
    return tpl_bool(coras_str_eq(v[0].s, tpl_kind_name(v[1])));
}

FN(fn_deep_equal)
{
    (void)argc;
    return tpl_bool(tpl_deep_equal(a, v[0], v[1], 0));
}

/* ---- JSON ---- */

struct parsing {
    coras_json *json;
    tpl_value value;
};

static void convert(struct tpl_arena *a, void *user)
{
    struct parsing *p = user;

    p->value = tpl_from_json(a, p->json);
}

/* NULL and *ret, or the reason in Go's words. */
static const char *parse_json(struct tpl_arena *a, coras_str s, tpl_value *ret)
{
    struct parsing p = {0};
    coras_error *err = NULL;
    char reason[256];

    coras_buf_reset(&a->scratch);
    if (coras_json_indent(s.ptr, s.len, &a->scratch, &err) < 0 ||
        coras_json_parse_any(s.ptr, s.len, &p.json, &err) < 0) {
        int code = coras_error_code(err);
        snprintf(reason, sizeof(reason), "%s", coras_error_message(err));
        coras_error_free(err);
        if (code == CORAS_ERR_NO_MEMORY)
            tpl_raise(a, code, "out of memory");
        return tpl_dup(a, reason, strlen(reason)).ptr;
    }
    if (!tpl_guard(a, convert, &p)) {
        coras_json_free(p.json);
        tpl_raise_again(a);
    }
    coras_json_free(p.json);
    *ret = tpl_as_any(p.value);
    return NULL;
}

FN(fn_from_json)
{
    tpl_value parsed;

    (void)argc;
    return parse_json(a, v[0].s, &parsed) ? tpl_nil() : parsed;
}

FN(fn_must_from_json)
{
    tpl_value parsed;
    const char *problem = parse_json(a, v[0].s, &parsed);

    (void)argc;
    if (problem)
        tpl_fail(a, "%s", problem);
    return parsed;
}

struct json_style {
    bool pretty, keep_html;
};

static void put_json(struct tpl_text *t, tpl_value v, struct json_style style, int depth);

static void put_line(struct tpl_text *t, struct json_style style, int depth)
{
    if (!style.pretty)
        return;
    tpl_putc(t, '\n');
    for (int i = 0; i < depth; i++)
        tpl_puts(t, "  ");
}

/* What a function of base wrote to the scratch buffer. */
static void put_scratch(struct tpl_text *t)
{
    const coras_buf *b = &t->arena->scratch;

    if (b->failed)
        tpl_raise(t->arena, b->failed, "out of memory");
    tpl_put(t, b->ptr, b->len);
}

static void put_json_string(struct tpl_text *t, coras_str s, bool keep_html)
{
    coras_buf *b = &t->arena->scratch;

    coras_buf_reset(b);
    coras_json_escape(b, s.ptr, s.len, keep_html);
    put_scratch(t);
}

static void put_json_float(struct tpl_text *t, double f)
{
    coras_buf *b = &t->arena->scratch;

    if (!isfinite(f))
        tpl_fail(t->arena, "json: unsupported value: %s",
                 isnan(f) ? "NaN"
                 : f > 0  ? "+Inf"
                          : "-Inf");
    coras_buf_reset(b);
    coras_go_float_json(b, f);
    put_scratch(t);
}

static void put_json_list(struct tpl_text *t, const struct tpl_list *l, struct json_style style,
                          int depth)
{
    tpl_putc(t, '[');
    for (size_t i = 0; i < l->len; i++) {
        if (i > 0)
            tpl_putc(t, ',');
        put_line(t, style, depth + 1);
        put_json(t, tpl_list_at(l, i), style, depth + 1);
    }
    if (l->len)
        put_line(t, style, depth);
    tpl_putc(t, ']');
}

static void put_json_map(struct tpl_text *t, const struct tpl_map *m, struct json_style style,
                         int depth)
{
    tpl_putc(t, '{');
    for (size_t i = 0; i < m->len; i++) {
        if (i > 0)
            tpl_putc(t, ',');
        put_line(t, style, depth + 1);
        put_json_string(t, m->items[i].key, style.keep_html);
        tpl_puts(t, style.pretty ? ": " : ":");
        put_json(t, tpl_map_at(m, i), style, depth + 1);
    }
    if (m->len)
        put_line(t, style, depth);
    tpl_putc(t, '}');
}

static void put_json(struct tpl_text *t, tpl_value v, struct json_style style, int depth)
{
    tpl_check_nesting(t->arena, depth);
    switch ((enum tpl_kind)v.kind) {
    case TPL_INVALID:
    case TPL_NIL:
        tpl_puts(t, "null");
        break;
    case TPL_BOOL:
        tpl_puts(t, v.b ? "true" : "false");
        break;
    case TPL_FLOAT:
        put_json_float(t, v.f);
        break;
    case TPL_COMPLEX:
        tpl_fail(t->arena, "json: unsupported type: %s", tpl_type_name(v));
    case TPL_STRING:
        put_json_string(t, v.s, style.keep_html);
        break;
    case TPL_LIST:
        if (v.list->is_nil)
            tpl_puts(t, "null");
        else
            put_json_list(t, v.list, style, depth);
        break;
    case TPL_MAP:
        if (v.map->is_nil)
            tpl_puts(t, "null");
        else
            put_json_map(t, v.map, style, depth);
        break;
    case TPL_TIME:
        put_json_string(t, tpl_time_rfc3339(t->arena, v.time), style.keep_html);
        break;
    case TPL_SEMVER:
        put_json_string(t, tpl_semver_string(t->arena, v.semver), style.keep_html);
        break;
    default:
        tpl_printf(t, tpl_is_uint(v) ? "%llu" : "%lld", (unsigned long long)v.i);
    }
}

static tpl_value to_json(struct tpl_arena *a, tpl_value v, bool pretty, bool keep_html)
{
    struct tpl_text t = TPL_TEXT(a);

    put_json(&t, v, (struct json_style){pretty, keep_html}, 0);
    return tpl_string(tpl_text_str(&t));
}

struct writing {
    tpl_value in, out;
    bool pretty;
};

static void write_json(struct tpl_arena *a, void *user)
{
    struct writing *w = user;

    w->out = to_json(a, w->in, w->pretty, false);
}

/* toJson swallows what mustToJson reports. */
static tpl_value to_json_quietly(struct tpl_arena *a, tpl_value v, bool pretty)
{
    struct writing w = {.in = v, .out = tpl_string(CORAS_STR("")), .pretty = pretty};

    if (!tpl_guard(a, write_json, &w)) {
        if (a->code != CORAS_ERR_INVALID_ARGUMENT)
            tpl_raise_again(a);
        a->code = 0;
    }
    return w.out;
}

FN(fn_to_json)
{
    (void)argc;
    return to_json_quietly(a, v[0], false);
}

FN(fn_to_pretty_json)
{
    (void)argc;
    return to_json_quietly(a, v[0], true);
}

FN(fn_must_to_json)
{
    (void)argc;
    return to_json(a, v[0], false, false);
}

FN(fn_must_to_pretty_json)
{
    (void)argc;
    return to_json(a, v[0], true, false);
}

FN(fn_to_raw_json)
{
    (void)argc;
    return to_json(a, v[0], false, true);
}

const struct tpl_function tpl_default_functions[] = {
    {"all", "a*", fn_all},
    {"any", "a*", fn_any},
    {"coalesce", "a*", fn_coalesce},
    {"deepEqual", "aa", fn_deep_equal},
    {"default", "aa*", fn_default},
    {"empty", "a", fn_empty},
    {"fromJson", "s", fn_from_json},
    {"kindIs", "sa", fn_kind_is},
    {"kindOf", "a", fn_kind_of},
    {"mustFromJson", "s", fn_must_from_json},
    {"mustToJson", "a", fn_must_to_json},
    {"mustToPrettyJson", "a", fn_must_to_pretty_json},
    {"mustToRawJson", "a", fn_to_raw_json},
    {"ternary", "aab", fn_ternary},
    {"toJson", "a", fn_to_json},
    {"toPrettyJson", "a", fn_to_pretty_json},
    {"toRawJson", "a", fn_to_raw_json},
    {"typeIs", "sa", fn_type_is},
    {"typeIsLike", "sa", fn_type_is_like},
    {"typeOf", "a", fn_type_of},
    {NULL, NULL, NULL},
};
