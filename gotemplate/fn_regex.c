/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: regular expressions. The plain forms fail as Go's MustCompile does. */
#include "gotemplate/funcs.h"
#include "gotemplate/regex.h"

static struct gotmpl_regex *compile(struct gotmpl_arena *a, coras_str expr)
{
    const char *problem;
    struct gotmpl_regex *re = gotmpl_regex_compile(a, expr, &problem);

    if (!re)
        gotmpl_fail(a, "%s", problem);
    return re;
}

static struct gotmpl_regex *must_compile(struct gotmpl_arena *a, coras_str expr)
{
    const char *problem;
    struct gotmpl_regex *re = gotmpl_regex_compile(a, expr, &problem);
    struct gotmpl_text t = GOTMPL_TEXT(a);

    if (re)
        return re;
    if (expr.len && (memchr(expr.ptr, '`', expr.len) || memchr(expr.ptr, '\n', expr.len)))
        gotmpl_put_quoted(&t, expr, '"', false);
    else
        gotmpl_printf(&t, "`%.*s`", (int)expr.len, expr.ptr);
    gotmpl_fail(a, "regexp: Compile(%s): %s", gotmpl_text_str(&t).ptr, problem);
}

static size_t *new_slots(struct gotmpl_arena *a, const struct gotmpl_regex *re)
{
    return gotmpl_alloc_array(a, 2 * (size_t)gotmpl_regex_groups(re)->len, sizeof(size_t));
}

static size_t rune_length(coras_str s, size_t pos)
{
    uint32_t c;

    return coras_utf8_decode(s.ptr + pos, s.len - pos, &c);
}

static bool matches(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str s)
{
    return gotmpl_regex_match(a, re, s, 0, new_slots(a, re));
}

GOTMPL_FN(fn_match)
{
    const char *problem;
    struct gotmpl_regex *re = gotmpl_regex_compile(a, v[0].s, &problem);

    return gotmpl_bool(re && matches(a, re, v[1].s));
}

GOTMPL_FN_IS(fn_must_match, gotmpl_bool(matches(a, compile(a, v[0].s), v[1].s)));

static gotmpl_value find(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str s)
{
    size_t *slots = new_slots(a, re);

    if (!gotmpl_regex_match(a, re, s, 0, slots))
        return gotmpl_string(CORAS_STR(""));
    return gotmpl_string(gotmpl_dup(a, s.ptr + slots[0], slots[1] - slots[0]));
}

GOTMPL_FN_IS(fn_find, find(a, must_compile(a, v[0].s), v[1].s));
GOTMPL_FN_IS(fn_must_find, find(a, compile(a, v[0].s), v[1].s));

struct spans {
    struct span {
        size_t from, to;
    } * items;
    size_t len, cap;
};

static void add_span(struct gotmpl_arena *a, struct spans *l, size_t from, size_t to)
{
    gotmpl_grow(a, l);
    l->items[l->len++] = (struct span){from, to};
}

/* Successive matches, at most `n` unless it is negative; none empty right after another. */
static struct spans find_all(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str s,
                             int64_t n)
{
    struct spans found = {0};
    size_t *slots = new_slots(a, re), last = GOTMPL_NOT_FOUND;

    for (size_t pos = 0; pos <= s.len && (n < 0 || (int64_t)found.len < n);) {
        bool accept = true;
        if (!gotmpl_regex_match(a, re, s, pos, slots))
            break;
        if (slots[1] == pos) {
            accept = slots[0] != last;
            pos += pos < s.len ? rune_length(s, pos) : 1;
        } else {
            pos = slots[1];
        }
        last = slots[1];
        if (accept)
            add_span(a, &found, slots[0], slots[1]);
    }
    return found;
}

static gotmpl_value find_all_text(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str s,
                                  int64_t n)
{
    struct spans found = find_all(a, re, s, n);
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_STRING, found.len);

    for (size_t i = 0; i < found.len; i++)
        l->items[l->len++] = gotmpl_string(
            gotmpl_dup(a, s.ptr + found.items[i].from, found.items[i].to - found.items[i].from));
    l->is_nil = l->len == 0;
    return gotmpl_of_list(l);
}

GOTMPL_FN_IS(fn_find_all, find_all_text(a, must_compile(a, v[0].s), v[1].s, v[2].i));
GOTMPL_FN_IS(fn_must_find_all, find_all_text(a, compile(a, v[0].s), v[1].s, v[2].i));

/* The reference after a dollar sign: $1, $name, ${name}; bytes used, 0 when it is none. */
static size_t reference(coras_str s, coras_str *name)
{
    bool braces = s.len && s.ptr[0] == '{';
    size_t start = braces, end = start;

    while (end < s.len && (coras_is_alnum(s.ptr[end]) || s.ptr[end] == '_'))
        end++;
    if (end == start || (braces && (end == s.len || s.ptr[end] != '}')))
        return 0;
    *name = gotmpl_sub(s, start, end);
    return end + braces;
}

static void put_group(struct gotmpl_text *t, const struct gotmpl_regex *re, coras_str s,
                      const size_t *slots, coras_str name)
{
    size_t number = 0;
    bool digits = true;

    for (size_t i = 0; i < name.len && number < 1000000; i++) {
        digits &= coras_is_digit(name.ptr[i]);
        number = number * 10 + (size_t)(name.ptr[i] - '0');
    }
    if (name.len > 1 && name.ptr[0] == '0')
        digits = false;
    for (size_t g = 0; g < gotmpl_regex_groups(re)->len; g++) {
        bool named = digits ? g == number
                            : g > 0 && gotmpl_str_same(gotmpl_regex_groups(re)->items[g], name);
        if (named && slots[2 * g] != GOTMPL_NOT_FOUND && slots[2 * g + 1] != GOTMPL_NOT_FOUND) {
            gotmpl_put_str(t, gotmpl_sub(s, slots[2 * g], slots[2 * g + 1]));
            return;
        }
    }
}

static void expand(struct gotmpl_text *t, const struct gotmpl_regex *re, coras_str s,
                   const size_t *slots, coras_str replacement)
{
    coras_str name;

    for (size_t i = 0; i < replacement.len; i++) {
        size_t used;
        if (replacement.ptr[i] != '$') {
            gotmpl_putc(t, replacement.ptr[i]);
            continue;
        }
        if (i + 1 < replacement.len && replacement.ptr[i + 1] == '$') {
            gotmpl_putc(t, '$');
            i++;
            continue;
        }
        used = reference(gotmpl_sub(replacement, i + 1, replacement.len), &name);
        if (used == 0)
            gotmpl_putc(t, '$');
        else
            put_group(t, re, s, slots, name);
        i += used;
    }
}

static gotmpl_value replace_all(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str s,
                                coras_str replacement, bool literal)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    size_t *slots = new_slots(a, re), done = 0;

    for (size_t pos = 0; pos <= s.len;) {
        size_t width;
        if (!gotmpl_regex_match(a, re, s, pos, slots))
            break;
        gotmpl_put_str(&t, gotmpl_sub(s, done, slots[0]));
        if (slots[1] > done || slots[0] == 0) {
            if (literal)
                gotmpl_put_str(&t, replacement);
            else
                expand(&t, re, s, slots, replacement);
        }
        done = slots[1];
        width = pos < s.len ? rune_length(s, pos) : 1;
        pos = pos + width > slots[1] ? pos + width : slots[1];
    }
    gotmpl_put_str(&t, gotmpl_sub(s, done, s.len));
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN_IS(fn_replace_all, replace_all(a, must_compile(a, v[0].s), v[1].s, v[2].s, false));
GOTMPL_FN_IS(fn_must_replace_all, replace_all(a, compile(a, v[0].s), v[1].s, v[2].s, false));
GOTMPL_FN_IS(fn_replace_literal, replace_all(a, must_compile(a, v[0].s), v[1].s, v[2].s, true));
GOTMPL_FN_IS(fn_must_replace_literal, replace_all(a, compile(a, v[0].s), v[1].s, v[2].s, true));

static gotmpl_value split(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str expr,
                          coras_str s, int64_t n)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_STRING, 0);
    struct spans found;
    size_t start = 0, end = 0;

    if (n == 0) {
        l->is_nil = true;
        return gotmpl_of_list(l);
    }
    if (expr.len && s.len == 0) {
        gotmpl_list_add(a, l, gotmpl_string(CORAS_STR("")));
        return gotmpl_of_list(l);
    }
    found = find_all(a, re, s, n);
    for (size_t i = 0; i < found.len; i++) {
        if (n > 0 && (int64_t)l->len == n - 1)
            break;
        end = found.items[i].from;
        if (found.items[i].to != 0)
            gotmpl_list_add(a, l, gotmpl_string(gotmpl_dup(a, s.ptr + start, end - start)));
        start = found.items[i].to;
    }
    if (end != s.len)
        gotmpl_list_add(a, l, gotmpl_string(gotmpl_dup(a, s.ptr + start, s.len - start)));
    return gotmpl_of_list(l);
}

GOTMPL_FN_IS(fn_split, split(a, must_compile(a, v[0].s), v[0].s, v[1].s, v[2].i));
GOTMPL_FN_IS(fn_must_split, split(a, compile(a, v[0].s), v[0].s, v[1].s, v[2].i));

GOTMPL_FN(fn_quote_meta)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    for (size_t i = 0; i < v[0].s.len; i++) {
        char c = v[0].s.ptr[i];
        if (c && strchr("\\.+*?()|[]{}^$", c))
            gotmpl_putc(&t, '\\');
        gotmpl_putc(&t, c);
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

const struct gotmpl_function gotmpl_regex_functions[] = {
    {"mustRegexFind", "ss", fn_must_find},
    {"mustRegexFindAll", "ssi", fn_must_find_all},
    {"mustRegexMatch", "ss", fn_must_match},
    {"mustRegexReplaceAll", "sss", fn_must_replace_all},
    {"mustRegexReplaceAllLiteral", "sss", fn_must_replace_literal},
    {"mustRegexSplit", "ssi", fn_must_split},
    {"regexFind", "ss", fn_find},
    {"regexFindAll", "ssi", fn_find_all},
    {"regexMatch", "ss", fn_match},
    {"regexQuoteMeta", "s", fn_quote_meta},
    {"regexReplaceAll", "sss", fn_replace_all},
    {"regexReplaceAllLiteral", "sss", fn_replace_literal},
    {"regexSplit", "ssi", fn_split},
    {NULL, NULL, NULL},
};
