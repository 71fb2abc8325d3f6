/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: defaults, types, JSON, and the functions that fit nowhere else. */
#include "gotemplate/funcs.h"

#include <math.h>
#include "base/error.h"
#include "gotemplate/times.h"
#include "gospell/float.h"

GOTMPL_FN_IS(fn_default, argc < 2 || gotmpl_is_empty(v[1]) ? v[0] : v[1]);
GOTMPL_FN_IS(fn_empty, gotmpl_bool(gotmpl_is_empty(v[0])));

GOTMPL_FN(fn_coalesce)
{
    for (size_t i = 0; i < argc; i++)
        if (!gotmpl_is_empty(v[i]))
            return v[i];
    return gotmpl_nil();
}

GOTMPL_FN(fn_all)
{
    for (size_t i = 0; i < argc; i++)
        if (gotmpl_is_empty(v[i]))
            return gotmpl_bool(false);
    return gotmpl_bool(true);
}

GOTMPL_FN(fn_any)
{
    for (size_t i = 0; i < argc; i++)
        if (!gotmpl_is_empty(v[i]))
            return gotmpl_bool(true);
    return gotmpl_bool(false);
}

GOTMPL_FN_IS(fn_ternary, v[2].b ? v[0] : v[1]);

GOTMPL_FN(fn_fail)
{
    gotmpl_fail(a, "%s", v[0].s.ptr);
}

GOTMPL_FN_IS(fn_hello, gotmpl_string(CORAS_STR("Hello!")));

/* ---- types ---- */

GOTMPL_FN_IS(fn_type_of, gotmpl_string(coras_str_of(gotmpl_type_name(v[0]))));
GOTMPL_FN_IS(fn_type_is, gotmpl_bool(coras_str_eq(v[0].s, gotmpl_type_name(v[1]))));

GOTMPL_FN(fn_type_is_like)
{
    const char *type = gotmpl_type_name(v[1]);

    return gotmpl_bool(coras_str_eq(v[0].s, type) ||
                       (*type == '*' && coras_str_eq(v[0].s, type + 1)));
}

GOTMPL_FN_IS(fn_kind_of, gotmpl_string(coras_str_of(gotmpl_kind_name(v[0]))));
GOTMPL_FN_IS(fn_kind_is, gotmpl_bool(coras_str_eq(v[0].s, gotmpl_kind_name(v[1]))));
GOTMPL_FN_IS(fn_deep_equal, gotmpl_bool(gotmpl_deep_equal(a, v[0], v[1], 0)));

/* ---- JSON ---- */

struct parsing {
    coras_json *json;
    gotmpl_value value;
};

static void convert(struct gotmpl_arena *a, void *user)
{
    struct parsing *p = user;

    p->value = gotmpl_from_json(a, p->json);
}

/* NULL and *ret, or the reason in Go's words. */
static const char *parse_json(struct gotmpl_arena *a, coras_str s, gotmpl_value *ret)
{
    struct parsing p = {0};
    coras_error *err = NULL;
    char reason[256];

    int rc = coras_json_compact(s.ptr, s.len, &a->scratch, &err); /* for Go's words */

    coras_buf_reset(&a->scratch);
    if (rc < 0 || coras_json_parse_any(s.ptr, s.len, &p.json, &err) < 0) {
        int code = coras_error_code(err);
        snprintf(reason, sizeof(reason), "%s", coras_error_message(err));
        coras_error_free(err);
        if (code == CORAS_ERR_NO_MEMORY)
            gotmpl_raise(a, code, "out of memory");
        return gotmpl_dup(a, reason, strlen(reason)).ptr;
    }
    if (!gotmpl_guard(a, convert, &p)) {
        coras_json_free(p.json);
        gotmpl_raise_again(a);
    }
    coras_json_free(p.json);
    *ret = gotmpl_as_any(p.value);
    return NULL;
}

GOTMPL_FN(fn_from_json)
{
    gotmpl_value parsed;

    return parse_json(a, v[0].s, &parsed) ? gotmpl_nil() : parsed;
}

GOTMPL_FN(fn_must_from_json)
{
    gotmpl_value parsed;
    const char *problem = parse_json(a, v[0].s, &parsed);

    if (problem)
        gotmpl_fail(a, "%s", problem);
    return parsed;
}

struct json_style {
    bool pretty, keep_html;
};

static void put_json(struct gotmpl_text *t, gotmpl_value v, struct json_style style, int depth);

static void put_line(struct gotmpl_text *t, struct json_style style, int depth)
{
    if (!style.pretty)
        return;
    gotmpl_putc(t, '\n');
    for (int i = 0; i < depth; i++)
        gotmpl_puts(t, "  ");
}

static void put_json_string(struct gotmpl_text *t, coras_str s, bool keep_html)
{
    coras_json_escape(&t->arena->scratch, s.ptr, s.len, keep_html);
    gotmpl_put_scratch(t);
}

static void put_json_float(struct gotmpl_text *t, double f)
{
    if (!isfinite(f))
        gotmpl_fail(t->arena, "json: unsupported value: %s",
                    isnan(f) ? "NaN"
                    : f > 0  ? "+Inf"
                             : "-Inf");
    coras_go_float_json(&t->arena->scratch, f);
    gotmpl_put_scratch(t);
}

static void put_json_list(struct gotmpl_text *t, const struct gotmpl_list *l,
                          struct json_style style, int depth)
{
    gotmpl_putc(t, '[');
    for (size_t i = 0; i < l->len; i++) {
        if (i > 0)
            gotmpl_putc(t, ',');
        put_line(t, style, depth + 1);
        put_json(t, gotmpl_list_at(l, i), style, depth + 1);
    }
    if (l->len)
        put_line(t, style, depth);
    gotmpl_putc(t, ']');
}

static void put_json_map(struct gotmpl_text *t, const struct gotmpl_map *m, struct json_style style,
                         int depth)
{
    gotmpl_putc(t, '{');
    for (size_t i = 0; i < m->len; i++) {
        if (i > 0)
            gotmpl_putc(t, ',');
        put_line(t, style, depth + 1);
        put_json_string(t, m->items[i].key, style.keep_html);
        gotmpl_puts(t, style.pretty ? ": " : ":");
        put_json(t, gotmpl_map_at(m, i), style, depth + 1);
    }
    if (m->len)
        put_line(t, style, depth);
    gotmpl_putc(t, '}');
}

static void put_json(struct gotmpl_text *t, gotmpl_value v, struct json_style style, int depth)
{
    gotmpl_check_nesting(t->arena, depth);
    switch ((enum gotmpl_kind)v.kind) {
    case GOTMPL_INVALID:
    case GOTMPL_NIL:
        gotmpl_puts(t, "null");
        break;
    case GOTMPL_BOOL:
        gotmpl_puts(t, v.b ? "true" : "false");
        break;
    case GOTMPL_FLOAT:
        put_json_float(t, v.f);
        break;
    case GOTMPL_STRING:
        put_json_string(t, v.s, style.keep_html);
        break;
    case GOTMPL_LIST:
        if (v.list->is_nil)
            gotmpl_puts(t, "null");
        else
            put_json_list(t, v.list, style, depth);
        break;
    case GOTMPL_MAP:
        if (v.map->is_nil)
            gotmpl_puts(t, "null");
        else
            put_json_map(t, v.map, style, depth);
        break;
    case GOTMPL_TIME:
        put_json_string(t, gotmpl_time_rfc3339(t->arena, v.time), style.keep_html);
        break;
    default:
        gotmpl_printf(t, gotmpl_is_uint(v) ? "%llu" : "%lld", (unsigned long long)v.i);
    }
}

static gotmpl_value to_json(struct gotmpl_arena *a, gotmpl_value v, bool pretty, bool keep_html)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    put_json(&t, v, (struct json_style){pretty, keep_html}, 0);
    return gotmpl_string(gotmpl_text_str(&t));
}

struct writing {
    gotmpl_value in, out;
    bool pretty;
};

static void write_json(struct gotmpl_arena *a, void *user)
{
    struct writing *w = user;

    w->out = to_json(a, w->in, w->pretty, false);
}

/* toJson swallows what mustToJson reports. */
static gotmpl_value to_json_quietly(struct gotmpl_arena *a, gotmpl_value v, bool pretty)
{
    struct writing w = {.in = v, .out = gotmpl_string(CORAS_STR("")), .pretty = pretty};

    if (!gotmpl_guard(a, write_json, &w)) {
        if (a->code != CORAS_ERR_INVALID_ARGUMENT)
            gotmpl_raise_again(a);
        a->code = 0;
    }
    return w.out;
}

GOTMPL_FN_IS(fn_to_json, to_json_quietly(a, v[0], false));
GOTMPL_FN_IS(fn_to_pretty_json, to_json_quietly(a, v[0], true));
GOTMPL_FN_IS(fn_must_to_json, to_json(a, v[0], false, false));
GOTMPL_FN_IS(fn_must_to_pretty_json, to_json(a, v[0], true, false));
GOTMPL_FN_IS(fn_to_raw_json, to_json(a, v[0], false, true));

const struct gotmpl_function gotmpl_default_functions[] = {
    {"all", "a*", fn_all},
    {"any", "a*", fn_any},
    {"coalesce", "a*", fn_coalesce},
    {"deepEqual", "aa", fn_deep_equal},
    {"default", "aa*", fn_default},
    {"empty", "a", fn_empty},
    {"fail", "s", fn_fail},
    {"fromJson", "s", fn_from_json},
    {"hello", "", fn_hello},
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
