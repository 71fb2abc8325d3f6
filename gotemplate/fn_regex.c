/* sprig: regular expressions. The plain forms fail as Go's MustCompile does. */
#include "gotemplate/funcs.h"
#include "gotemplate/regex.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

static struct tpl_regex *compile(struct tpl_arena *a, coras_str expr)
{
    const char *problem;
    struct tpl_regex *re = tpl_regex_compile(a, expr, &problem);

    if (!re)
        tpl_fail(a, "%s", problem);
    return re;
}

static struct tpl_regex *must_compile(struct tpl_arena *a, coras_str expr)
{
    const char *problem;
    struct tpl_regex *re = tpl_regex_compile(a, expr, &problem);
    struct tpl_text t = TPL_TEXT(a);

    if (re)
        return re;
    if (expr.len && (memchr(expr.ptr, '`', expr.len) || memchr(expr.ptr, '\n', expr.len)))
        tpl_put_quoted(&t, expr, '"', false);
    else
        tpl_printf(&t, "`%.*s`", (int)expr.len, expr.ptr);
    tpl_fail(a, "regexp: Compile(%s): %s", tpl_text_str(&t).ptr, problem);
}

static size_t *new_slots(struct tpl_arena *a, const struct tpl_regex *re)
{
    return tpl_alloc_array(a, 2 * (size_t)re->groups, sizeof(size_t));
}

static size_t rune_length(coras_str s, size_t pos)
{
    uint32_t c;

    return coras_utf8_decode(s.ptr + pos, s.len - pos, &c);
}

static bool matches(struct tpl_arena *a, struct tpl_regex *re, coras_str s)
{
    return tpl_regex_match(a, re, s, 0, new_slots(a, re));
}

FN(fn_match)
{
    const char *problem;
    struct tpl_regex *re = tpl_regex_compile(a, v[0].s, &problem);

    (void)argc;
    return tpl_bool(re && matches(a, re, v[1].s));
}

FN(fn_must_match)
{
    (void)argc;
    return tpl_bool(matches(a, compile(a, v[0].s), v[1].s));
}

static tpl_value find(struct tpl_arena *a, struct tpl_regex *re, coras_str s)
{
    size_t *slots = new_slots(a, re);

    if (!tpl_regex_match(a, re, s, 0, slots))
        return tpl_string(CORAS_STR(""));
    return tpl_string(tpl_dup(a, s.ptr + slots[0], slots[1] - slots[0]));
}

FN(fn_find)
{
    (void)argc;
    return find(a, must_compile(a, v[0].s), v[1].s);
}

FN(fn_must_find)
{
    (void)argc;
    return find(a, compile(a, v[0].s), v[1].s);
}

struct spans {
    struct span {
        size_t from, to;
    } * items;
    size_t len, cap;
};

static void add_span(struct tpl_arena *a, struct spans *l, size_t from, size_t to)
{
    if (l->len == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->items = tpl_regrow(a, l->items, l->len, l->cap, sizeof(*l->items));
    }
    l->items[l->len++] = (struct span){from, to};
}

/* Successive matches, at most `n` unless it is negative; none empty right after another. */
static struct spans find_all(struct tpl_arena *a, struct tpl_regex *re, coras_str s, int64_t n)
{
    struct spans found = {0};
    size_t *slots = new_slots(a, re), last = TPL_NOT_FOUND;

    for (size_t pos = 0; pos <= s.len && (n < 0 || (int64_t)found.len < n);) {
        bool accept = true;
        if (!tpl_regex_match(a, re, s, pos, slots))
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

static tpl_value find_all_text(struct tpl_arena *a, struct tpl_regex *re, coras_str s, int64_t n)
{
    struct spans found = find_all(a, re, s, n);
    struct tpl_list *l = tpl_list_new(a, TPL_OF_STRING, found.len);

    for (size_t i = 0; i < found.len; i++)
        l->items[l->len++] = tpl_string(
            tpl_dup(a, s.ptr + found.items[i].from, found.items[i].to - found.items[i].from));
    l->is_nil = l->len == 0;
    return tpl_of_list(l);
}

FN(fn_find_all)
{
    (void)argc;
    return find_all_text(a, must_compile(a, v[0].s), v[1].s, v[2].i);
}

FN(fn_must_find_all)
{
    (void)argc;
    return find_all_text(a, compile(a, v[0].s), v[1].s, v[2].i);
}

/* The reference after a dollar sign: $1, $name, ${name}; bytes used, 0 when it is none. */
static size_t reference(coras_str s, coras_str *name)
{
    bool braces = s.len && s.ptr[0] == '{';
    size_t start = braces, end = start;

    while (end < s.len && (coras_is_alnum(s.ptr[end]) || s.ptr[end] == '_'))
        end++;
    if (end == start || (braces && (end == s.len || s.ptr[end] != '}')))
        return 0;
    *name = tpl_sub(s, start, end);
    return end + braces;
}

static void put_group(struct tpl_text *t, const struct tpl_regex *re, coras_str s,
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
    for (size_t g = 0; g < re->groups; g++) {
        bool named = digits ? g == number : g > 0 && tpl_str_same(re->names[g], name);
        if (named && slots[2 * g] != TPL_NOT_FOUND && slots[2 * g + 1] != TPL_NOT_FOUND) {
            tpl_put_str(t, tpl_sub(s, slots[2 * g], slots[2 * g + 1]));
            return;
        }
    }
}

static void expand(struct tpl_text *t, const struct tpl_regex *re, coras_str s, const size_t *slots,
                   coras_str replacement)
{
    coras_str name;

    for (size_t i = 0; i < replacement.len; i++) {
        size_t used;
        if (replacement.ptr[i] != '$') {
            tpl_putc(t, replacement.ptr[i]);
            continue;
        }
        if (i + 1 < replacement.len && replacement.ptr[i + 1] == '$') {
            tpl_putc(t, '$');
            i++;
            continue;
        }
        used = reference(tpl_sub(replacement, i + 1, replacement.len), &name);
        if (used == 0)
            tpl_putc(t, '$');
        else
            put_group(t, re, s, slots, name);
        i += used;
    }
}

static tpl_value replace_all(struct tpl_arena *a, struct tpl_regex *re, coras_str s,
                             coras_str replacement, bool literal)
{
    struct tpl_text t = TPL_TEXT(a);
    size_t *slots = new_slots(a, re), done = 0;

    for (size_t pos = 0; pos <= s.len;) {
        size_t width;
        if (!tpl_regex_match(a, re, s, pos, slots))
            break;
        tpl_put_str(&t, tpl_sub(s, done, slots[0]));
        if (slots[1] > done || slots[0] == 0) {
            if (literal)
                tpl_put_str(&t, replacement);
            else
                expand(&t, re, s, slots, replacement);
        }
        done = slots[1];
        width = pos < s.len ? rune_length(s, pos) : 1;
        pos = pos + width > slots[1] ? pos + width : slots[1];
    }
    tpl_put_str(&t, tpl_sub(s, done, s.len));
    return tpl_string(tpl_text_str(&t));
}

FN(fn_replace_all)
{
    (void)argc;
    return replace_all(a, must_compile(a, v[0].s), v[1].s, v[2].s, false);
}

FN(fn_must_replace_all)
{
    (void)argc;
    return replace_all(a, compile(a, v[0].s), v[1].s, v[2].s, false);
}

FN(fn_replace_literal)
{
    (void)argc;
    return replace_all(a, must_compile(a, v[0].s), v[1].s, v[2].s, true);
}

FN(fn_must_replace_literal)
{
    (void)argc;
    return replace_all(a, compile(a, v[0].s), v[1].s, v[2].s, true);
}

static tpl_value split(struct tpl_arena *a, struct tpl_regex *re, coras_str expr, coras_str s,
                       int64_t n)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_STRING, 0);
    struct spans found;
    size_t start = 0, end = 0;

    if (n == 0) {
        l->is_nil = true;
        return tpl_of_list(l);
    }
    if (expr.len && s.len == 0) {
        tpl_list_add(a, l, tpl_string(CORAS_STR("")));
        return tpl_of_list(l);
    }
    found = find_all(a, re, s, n);
    for (size_t i = 0; i < found.len; i++) {
        if (n > 0 && (int64_t)l->len == n - 1)
            break;
        end = found.items[i].from;
        if (found.items[i].to != 0)
            tpl_list_add(a, l, tpl_string(tpl_dup(a, s.ptr + start, end - start)));
        start = found.items[i].to;
    }
    if (end != s.len)
        tpl_list_add(a, l, tpl_string(tpl_dup(a, s.ptr + start, s.len - start)));
    return tpl_of_list(l);
}

FN(fn_split)
{
    (void)argc;
    return split(a, must_compile(a, v[0].s), v[0].s, v[1].s, v[2].i);
}

FN(fn_must_split)
{
    (void)argc;
    return split(a, compile(a, v[0].s), v[0].s, v[1].s, v[2].i);
}

FN(fn_quote_meta)
{
    struct tpl_text t = TPL_TEXT(a);

    (void)argc;
    for (size_t i = 0; i < v[0].s.len; i++) {
        char c = v[0].s.ptr[i];
        if (c && strchr("\\.+*?()|[]{}^$", c))
            tpl_putc(&t, '\\');
        tpl_putc(&t, c);
    }
    return tpl_string(tpl_text_str(&t));
}

const struct tpl_function tpl_regex_functions[] = {
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
