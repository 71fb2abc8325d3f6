#include "gotemplate/funcs.h"

#include <math.h>
#include "gotemplate/literal.h"
#include "gotemplate/print.h"
#include "gotemplate/semver.h"

static const struct tpl_function *find_in(const struct tpl_function *table, coras_str name)
{
    for (; table->name; table++)
        if (coras_str_eq(name, table->name))
            return table;
    return NULL;
}

const struct tpl_function *tpl_function_find(coras_str name)
{
    static const struct tpl_function *const tables[] = {
        tpl_builtin_functions,  tpl_string_functions, tpl_case_functions,    tpl_math_functions,
        tpl_list_functions,     tpl_dict_functions,   tpl_default_functions, tpl_date_functions,
        tpl_encoding_functions, tpl_regex_functions,  tpl_semver_functions,  tpl_url_functions,
        tpl_path_functions,     tpl_system_functions, tpl_crypto_functions,
    };
    const struct tpl_function *f = NULL;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !f; i++)
        f = find_in(tables[i], name);
    return f;
}

const struct tpl_function *tpl_method_find(tpl_value receiver, coras_str name)
{
    switch ((enum tpl_kind)receiver.kind) {
    case TPL_TIME:
        return find_in(tpl_time_methods, name);
    case TPL_DURATION:
        return find_in(tpl_duration_methods, name);
    case TPL_MONTH:
    case TPL_WEEKDAY:
        return find_in(tpl_calendar_methods, name);
    case TPL_SEMVER: {
        const struct tpl_function *f = find_in(tpl_semver_methods, name);
        bool is_value = receiver.semver && receiver.semver->is_value;
        return f || is_value ? f : find_in(tpl_semver_pointer_methods, name);
    }
    default:
        return NULL;
    }
}

coras_str tpl_to_text(struct tpl_arena *a, tpl_value v)
{
    struct tpl_text t = TPL_TEXT(a);

    if (v.kind == TPL_STRING)
        return v.s;
    tpl_sprint(&t, 1, &v);
    return tpl_text_str(&t);
}

/* "12.9" is 12 where an integer is wanted. */
static coras_str without_decimals(coras_str s)
{
    size_t point = tpl_find(s, CORAS_STR(".")), i = 0;

    if (point == TPL_NOT_FOUND)
        return s;
    if (s.ptr[0] == '-' || s.ptr[0] == '+')
        i++;
    for (; i < s.len; i++)
        if (i != point && !coras_is_digit(s.ptr[i]))
            return s;
    s = tpl_sub(s, 0, point);
    if (s.len == 0 || coras_str_eq(s, "-") || coras_str_eq(s, "+"))
        return CORAS_STR("0");
    return s;
}

/* Go on amd64 gives the smallest int64 for what does not fit. */
static int64_t float_to_int64(double f)
{
    return f >= -0x1p63 && f < 0x1p63 ? (int64_t)f : INT64_MIN;
}

int64_t tpl_to_int64(tpl_value v)
{
    int64_t n;

    switch ((enum tpl_kind)v.kind) {
    case TPL_BOOL:
        return v.b;
    case TPL_FLOAT:
        return float_to_int64(v.f);
    case TPL_STRING:
        return tpl_parse_int(without_decimals(v.s), 0, &n) == TPL_PARSED ? n : 0;
    default:
        return tpl_is_int(v) ? v.i : 0;
    }
}

double tpl_to_float(tpl_value v)
{
    double f;

    switch ((enum tpl_kind)v.kind) {
    case TPL_BOOL:
        return v.b;
    case TPL_FLOAT:
        return v.f;
    case TPL_STRING:
        return tpl_parse_float(v.s, &f) == TPL_PARSED ? f : 0;
    default:
        return !tpl_is_int(v) ? 0 : tpl_is_uint(v) ? (double)(uint64_t)v.i : (double)v.i;
    }
}

bool tpl_is_empty(tpl_value v)
{
    return v.kind != TPL_TIME && !(v.kind == TPL_SEMVER && v.semver) && !tpl_truth(v);
}

_Noreturn void tpl_fail_nil(struct tpl_arena *a)
{
    tpl_fail(a, "runtime error: invalid memory address or nil pointer dereference");
}

void tpl_list_add(struct tpl_arena *a, struct tpl_list *l, tpl_value v)
{
    /* Lists grow at powers of two, and only while they are made. */
    if ((l->len & (l->len - 1)) == 0)
        l->items = tpl_regrow(a, l->items, l->len, l->len ? l->len * 2 : 1, sizeof(*l->items));
    l->items[l->len++] = v;
}

struct tpl_list *tpl_strings_of(struct tpl_arena *a, tpl_value v)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_STRING, 0);

    if (v.kind == TPL_LIST) {
        for (size_t i = 0; i < v.list->len; i++) {
            tpl_value item = tpl_list_at(v.list, i);
            if (item.kind != TPL_NIL)
                tpl_list_add(a, l, tpl_string(tpl_to_text(a, item)));
        }
    } else if (v.kind != TPL_NIL && v.kind != TPL_INVALID) {
        tpl_list_add(a, l, tpl_string(tpl_to_text(a, v)));
    }
    return l;
}
