/* SPDX-License-Identifier: Apache-2.0 */
/* Finding functions by name, and what several of them need: values as text, integers and lists. */
#include "gotemplate/funcs.h"

#include "gotemplate/literal.h"
#include "gotemplate/print.h"

static const struct gotmpl_function *find_in(const struct gotmpl_function *table, coras_str name)
{
    for (; table->name; table++)
        if (coras_str_eq(name, table->name))
            return table;
    return NULL;
}

const struct gotmpl_function *gotmpl_function_find(coras_str name)
{
    static const struct gotmpl_function *const tables[] = {
        gotmpl_builtin_functions, gotmpl_string_functions, gotmpl_case_functions,
        gotmpl_math_functions,    gotmpl_list_functions,   gotmpl_dict_functions,
        gotmpl_default_functions, gotmpl_date_functions,   gotmpl_encoding_functions,
        gotmpl_regex_functions,   gotmpl_semver_functions, gotmpl_path_functions,
        gotmpl_hash_functions,
    };
    const struct gotmpl_function *f = NULL;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(tables) && !f; i++)
        f = find_in(tables[i], name);
    return f;
}

bool gotmpl_function_is_left_out(coras_str name)
{
    static const char *const names[] = {
        "bcrypt",
        "buildCustomCert",
        "decryptAES",
        "derivePassword",
        "encryptAES",
        "env",
        "expandenv",
        "genCA",
        "genCAWithKey",
        "genPrivateKey",
        "genSelfSignedCert",
        "genSelfSignedCertWithKey",
        "genSignedCert",
        "genSignedCertWithKey",
        "getHostByName",
        "htpasswd",
        "randAlpha",
        "randAlphaNum",
        "randAscii",
        "randBytes",
        "randInt",
        "randNumeric",
        "semver",
        "shuffle",
        "urlJoin",
        "urlParse",
        "uuidv4",
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_str_eq(name, names[i]))
            return true;
    return false;
}

const struct gotmpl_function *gotmpl_method_find(gotmpl_value receiver, coras_str name)
{
    if (receiver.kind == GOTMPL_TIME)
        return find_in(gotmpl_time_methods, name);
    return NULL;
}

coras_str gotmpl_to_text(struct gotmpl_arena *a, gotmpl_value v)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    if (v.kind == GOTMPL_STRING)
        return v.s;
    gotmpl_sprint(&t, 1, &v);
    return gotmpl_text_str(&t);
}

/* "12.9" is 12 where an integer is wanted. */
static coras_str without_decimals(coras_str s)
{
    size_t point = gotmpl_find(s, CORAS_STR(".")), i = 0;

    if (point == GOTMPL_NOT_FOUND)
        return s;
    if (s.ptr[0] == '-' || s.ptr[0] == '+')
        i++;
    for (; i < s.len; i++)
        if (i != point && !coras_is_digit(s.ptr[i]))
            return s;
    s = gotmpl_sub(s, 0, point);
    if (s.len == 0 || coras_str_eq(s, "-") || coras_str_eq(s, "+"))
        return CORAS_STR("0");
    return s;
}

/* Go on amd64 gives the smallest int64 for what does not fit. */
static int64_t float_to_int64(double f)
{
    return f >= -0x1p63 && f < 0x1p63 ? (int64_t)f : INT64_MIN;
}

int64_t gotmpl_to_int64(gotmpl_value v)
{
    int64_t n;

    switch ((enum gotmpl_kind)v.kind) {
    case GOTMPL_BOOL:
        return v.b;
    case GOTMPL_FLOAT:
        return float_to_int64(v.f);
    case GOTMPL_STRING:
        return gotmpl_parse_int(without_decimals(v.s), 0, &n) == GOTMPL_PARSED ? n : 0;
    default:
        return gotmpl_is_int(v) ? v.i : 0;
    }
}

double gotmpl_to_float(gotmpl_value v)
{
    double f;

    switch ((enum gotmpl_kind)v.kind) {
    case GOTMPL_BOOL:
        return v.b;
    case GOTMPL_FLOAT:
        return v.f;
    case GOTMPL_STRING:
        return gotmpl_parse_float(v.s, &f) == GOTMPL_PARSED ? f : 0;
    default:
        return !gotmpl_is_int(v) ? 0 : gotmpl_is_uint(v) ? (double)(uint64_t)v.i : (double)v.i;
    }
}

bool gotmpl_is_empty(gotmpl_value v)
{
    return v.kind != GOTMPL_TIME && !gotmpl_truth(v);
}

_Noreturn void gotmpl_fail_nil(struct gotmpl_arena *a)
{
    gotmpl_fail(a, "runtime error: invalid memory address or nil pointer dereference");
}

void gotmpl_list_add(struct gotmpl_arena *a, struct gotmpl_list *l, gotmpl_value v)
{
    /* Lists grow at powers of two, and only while they are made. */
    if ((l->len & (l->len - 1)) == 0)
        l->items = gotmpl_regrow(a, l->items, l->len, l->len ? l->len * 2 : 1, sizeof(*l->items));
    l->items[l->len++] = v;
}

struct gotmpl_list *gotmpl_strings_of(struct gotmpl_arena *a, gotmpl_value v)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_STRING, 0);

    if (v.kind == GOTMPL_LIST) {
        for (size_t i = 0; i < v.list->len; i++) {
            gotmpl_value item = gotmpl_list_at(v.list, i);
            if (item.kind != GOTMPL_NIL)
                gotmpl_list_add(a, l, gotmpl_string(gotmpl_to_text(a, item)));
        }
    } else if (v.kind != GOTMPL_NIL && v.kind != GOTMPL_INVALID) {
        gotmpl_list_add(a, l, gotmpl_string(gotmpl_to_text(a, v)));
    }
    return l;
}
