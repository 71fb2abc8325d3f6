/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: strings and lists of strings. */
#include "gotemplate/funcs.h"
#include "gotemplate/print.h"
#include "gotemplate/unicode.h"

static gotmpl_value text_of(struct gotmpl_arena *a, coras_str s)
{
    return gotmpl_string(gotmpl_dup(a, s.ptr, s.len));
}

static coras_str repeat(struct gotmpl_arena *a, int64_t count, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    if (count < 0)
        gotmpl_fail(a, "strings: negative Repeat count");
    if (s.len && (uint64_t)count > SIZE_MAX / 4 / s.len)
        gotmpl_raise(a, CORAS_ERR_TOO_LARGE, "the template needs too much memory");
    gotmpl_reserve(&t, (size_t)count * s.len);
    for (int64_t i = 0; s.len && i < count; i++)
        gotmpl_put_str(&t, s);
    return gotmpl_text_str(&t);
}

static coras_str replace_all(struct gotmpl_arena *a, coras_str s, coras_str old, coras_str fresh)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    size_t at;
    uint32_t c;

    if (old.len == 0) { /* before every character and at the end */
        for (size_t i = 0, n; i < s.len; i += n) {
            n = coras_utf8_decode(s.ptr + i, s.len - i, &c);
            gotmpl_put_str(&t, fresh);
            gotmpl_put(&t, s.ptr + i, n);
        }
        gotmpl_put_str(&t, fresh);
        return gotmpl_text_str(&t);
    }
    while ((at = gotmpl_find(s, old)) != GOTMPL_NOT_FOUND) {
        gotmpl_put(&t, s.ptr, at);
        gotmpl_put_str(&t, fresh);
        s = gotmpl_sub(s, at + old.len, s.len);
    }
    gotmpl_put_str(&t, s);
    return gotmpl_text_str(&t);
}

GOTMPL_FN_IS(fn_repeat, gotmpl_string(repeat(a, v[0].i, v[1].s)));
GOTMPL_FN_IS(fn_replace, gotmpl_string(replace_all(a, v[2].s, v[0].s, v[1].s)));

static coras_str indent(struct gotmpl_arena *a, int64_t spaces, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    coras_str pad = repeat(a, spaces, CORAS_STR(" "));

    gotmpl_put_str(&t, pad);
    for (size_t i = 0; i < s.len; i++) {
        gotmpl_putc(&t, s.ptr[i]);
        if (s.ptr[i] == '\n')
            gotmpl_put_str(&t, pad);
    }
    return gotmpl_text_str(&t);
}

GOTMPL_FN_IS(fn_indent, gotmpl_string(indent(a, v[0].i, v[1].s)));
GOTMPL_FN_IS(fn_nindent, gotmpl_string(gotmpl_format(a, "\n%s", indent(a, v[0].i, v[1].s).ptr)));

/* ---- cutting ---- */

static coras_str trim_where(coras_str s, bool (*cut)(uint32_t c, coras_str set), coras_str set)
{
    size_t from = 0, to = s.len;
    uint32_t c;

    while (from < to) {
        size_t n = coras_utf8_decode(s.ptr + from, to - from, &c);
        if (!cut(c, set))
            break;
        from += n;
    }
    while (to > from) {
        size_t start = to - 1;
        while (start > from && to - start < 4 && ((unsigned char)s.ptr[start] & 0xc0) == 0x80)
            start--;
        if (start + coras_utf8_decode(s.ptr + start, to - start, &c) != to) {
            start = to - 1;
            c = 0xfffd;
        }
        if (!cut(c, set))
            break;
        to = start;
    }
    return gotmpl_sub(s, from, to);
}

static bool is_blank(uint32_t c, coras_str set)
{
    (void)set;
    return gotmpl_is_space(c);
}

static bool is_in_set(uint32_t c, coras_str set)
{
    uint32_t other;

    for (size_t i = 0; i < set.len; i += coras_utf8_decode(set.ptr + i, set.len - i, &other)) {
        coras_utf8_decode(set.ptr + i, set.len - i, &other);
        if (other == c)
            return true;
    }
    return false;
}

GOTMPL_FN_IS(fn_trim, text_of(a, trim_where(v[0].s, is_blank, CORAS_STR(""))));
GOTMPL_FN_IS(fn_trim_all, text_of(a, trim_where(v[1].s, is_in_set, v[0].s)));

static bool ends_with(coras_str s, coras_str end)
{
    return s.len >= end.len && gotmpl_str_same(gotmpl_sub(s, s.len - end.len, s.len), end);
}

static bool starts_with(coras_str s, coras_str start)
{
    return s.len >= start.len && gotmpl_str_same(gotmpl_sub(s, 0, start.len), start);
}

GOTMPL_FN(fn_trim_prefix)
{
    return text_of(a, gotmpl_sub(v[1].s, starts_with(v[1].s, v[0].s) ? v[0].s.len : 0, v[1].s.len));
}

GOTMPL_FN(fn_trim_suffix)
{
    return text_of(
        a, gotmpl_sub(v[1].s, 0, v[1].s.len - (ends_with(v[1].s, v[0].s) ? v[0].s.len : 0)));
}

GOTMPL_FN_IS(fn_contains, gotmpl_bool(gotmpl_find(v[1].s, v[0].s) != GOTMPL_NOT_FOUND));
GOTMPL_FN_IS(fn_has_prefix, gotmpl_bool(starts_with(v[1].s, v[0].s)));
GOTMPL_FN_IS(fn_has_suffix, gotmpl_bool(ends_with(v[1].s, v[0].s)));

GOTMPL_FN(fn_trunc)
{
    int64_t count = v[0].i, len = (int64_t)v[1].s.len;

    if (count < 0 && len + count > 0)
        return text_of(a, gotmpl_sub(v[1].s, (size_t)(len + count), (size_t)len));
    if (count >= 0 && len > count)
        return text_of(a, gotmpl_sub(v[1].s, 0, (size_t)count));
    return v[1];
}

GOTMPL_FN(fn_substr)
{
    int64_t start = v[0].i, end = v[1].i, len = (int64_t)v[2].s.len;

    if (start < 0) {
        if (end < 0)
            gotmpl_fail(a, "runtime error: slice bounds out of range [:%lld]", (long long)end);
        if (end > len)
            gotmpl_fail(a, "runtime error: slice bounds out of range [:%lld] with length %lld",
                        (long long)end, (long long)len);
        start = 0;
    } else if (end < 0 || end > len) {
        end = len;
    }
    if (start > end)
        gotmpl_fail(a, "runtime error: slice bounds out of range [%lld:%lld]", (long long)start,
                    (long long)end);
    return text_of(a, gotmpl_sub(v[2].s, (size_t)start, (size_t)end));
}

/* At most `width` bytes with "..." at the cut ends. */
static coras_str abbreviate(struct gotmpl_arena *a, coras_str s, int64_t offset, int64_t width)
{
    int64_t len = (int64_t)s.len;
    struct gotmpl_text t = GOTMPL_TEXT(a);

    if (width < 4)
        return CORAS_STR("");
    if (len <= width)
        return s;
    if (offset > len)
        offset = len;
    if (len - offset < width - 3)
        offset = len - (width - 3);
    if (offset <= 4) {
        gotmpl_put(&t, s.ptr, (size_t)(width - 3));
        gotmpl_puts(&t, "...");
        return gotmpl_text_str(&t);
    }
    if (width < 7)
        return CORAS_STR("");
    gotmpl_puts(&t, "...");
    if (offset + width - 3 < len)
        gotmpl_put_str(&t, abbreviate(a, gotmpl_sub(s, (size_t)offset, s.len), 0, width - 3));
    else
        gotmpl_put_str(&t, gotmpl_sub(s, (size_t)(len - (width - 3)), s.len));
    return gotmpl_text_str(&t);
}

GOTMPL_FN_IS(fn_abbrev, v[0].i < 4 ? v[1] : gotmpl_string(abbreviate(a, v[1].s, 0, v[0].i)));

GOTMPL_FN(fn_abbrevboth)
{
    if (v[1].i < 4 || (v[0].i > 0 && v[1].i < 7))
        return v[2];
    return gotmpl_string(abbreviate(a, v[2].s, v[0].i, v[1].i));
}

/* sprig's nospace and initials look at bytes, each as a character of its own. */
GOTMPL_FN(fn_nospace)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    size_t kept = 0;

    for (size_t i = 0; i < v[0].s.len; i++)
        if (!gotmpl_is_space((unsigned char)v[0].s.ptr[i])) {
            gotmpl_put_rune(&t, (unsigned char)v[0].s.ptr[i]);
            kept++;
        }
    return kept == v[0].s.len ? v[0] : gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN(fn_initials)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    bool gap = true;

    for (size_t i = 0; i < v[0].s.len; i++) {
        bool space = gotmpl_is_space((unsigned char)v[0].s.ptr[i]);
        if (gap && !space)
            gotmpl_put_rune(&t, (unsigned char)v[0].s.ptr[i]);
        gap = space;
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

static size_t find_last_space(coras_str s)
{
    for (size_t i = s.len; i-- > 0;)
        if (s.ptr[i] == ' ')
            return i;
    return GOTMPL_NOT_FOUND;
}

static coras_str wrap(struct gotmpl_arena *a, coras_str s, int64_t asked, coras_str newline,
                      bool cut)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    size_t width = asked < 1 ? 1 : (size_t)asked, offset = 0;

    if (newline.len == 0)
        newline = CORAS_STR("\n");
    while (s.len - offset > width) {
        size_t space, end = offset + width;
        if (s.ptr[offset] == ' ') {
            offset++;
            continue;
        }
        space = find_last_space(gotmpl_sub(s, offset, end + 1));
        if (space != GOTMPL_NOT_FOUND) {
            end = offset + space;
        } else if (!cut) {
            space = gotmpl_find(gotmpl_sub(s, end, s.len), CORAS_STR(" "));
            if (space == GOTMPL_NOT_FOUND)
                break;
            end += space;
        }
        gotmpl_put_str(&t, gotmpl_sub(s, offset, end));
        gotmpl_put_str(&t, newline);
        offset = end + (space != GOTMPL_NOT_FOUND);
    }
    gotmpl_put_str(&t, gotmpl_sub(s, offset, s.len));
    return gotmpl_text_str(&t);
}

GOTMPL_FN_IS(fn_wrap, gotmpl_string(wrap(a, v[1].s, v[0].i, CORAS_STR(""), false)));
GOTMPL_FN_IS(fn_wrap_with, gotmpl_string(wrap(a, v[2].s, v[0].i, v[1].s, true)));

/* ---- joining ---- */

GOTMPL_FN(fn_quote)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == GOTMPL_NIL)
            continue;
        if (t.len)
            gotmpl_putc(&t, ' ');
        gotmpl_put_quoted(&t, gotmpl_to_text(a, v[i]), '"', false);
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN(fn_squote)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == GOTMPL_NIL)
            continue;
        if (t.len)
            gotmpl_putc(&t, ' ');
        gotmpl_putc(&t, '\'');
        gotmpl_put_str(&t, gotmpl_to_text(a, v[i]));
        gotmpl_putc(&t, '\'');
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN(fn_cat)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    bool first = true;

    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == GOTMPL_NIL)
            continue;
        if (!first)
            gotmpl_putc(&t, ' ');
        first = false;
        gotmpl_put_str(&t, gotmpl_to_text(a, v[i]));
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN_IS(fn_plural, v[2].i == 1 ? v[0] : v[1]);
GOTMPL_FN_IS(fn_to_string, gotmpl_string(gotmpl_to_text(a, v[0])));
GOTMPL_FN_IS(fn_to_strings, gotmpl_of_list(gotmpl_strings_of(a, v[0])));

GOTMPL_FN(fn_join)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    const struct gotmpl_list *l = gotmpl_strings_of(a, v[1]);

    for (size_t i = 0; i < l->len; i++) {
        if (i > 0)
            gotmpl_put_str(&t, v[0].s);
        gotmpl_put_str(&t, l->items[i].s);
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

static int by_text(const void *x, const void *y)
{
    return gotmpl_str_compare(((const gotmpl_value *)x)->s, ((const gotmpl_value *)y)->s);
}

GOTMPL_FN(fn_sort_alpha)
{
    struct gotmpl_list *l = gotmpl_strings_of(a, v[0]);

    if (v[0].kind == GOTMPL_NIL)
        gotmpl_list_add(a, l, gotmpl_string(CORAS_STR("<nil>")));
    if (l->len)
        qsort(l->items, l->len, sizeof(*l->items), by_text);
    return gotmpl_of_list(l);
}

/* strings.SplitN; n < 0 is all, an empty separator splits into characters. */
static struct gotmpl_list *split(struct gotmpl_arena *a, coras_str s, coras_str sep, int64_t n)
{
    struct gotmpl_list *l = gotmpl_list_new(a, GOTMPL_OF_STRING, 0);
    uint32_t c;

    if (n == 0 || (sep.len == 0 && s.len == 0))
        return l;
    while (n < 0 || (int64_t)l->len < n - 1) {
        size_t at = sep.len ? gotmpl_find(s, sep) : coras_utf8_decode(s.ptr, s.len, &c);
        if (at == GOTMPL_NOT_FOUND || (sep.len == 0 && at == s.len))
            break;
        gotmpl_list_add(a, l, text_of(a, gotmpl_sub(s, 0, at)));
        s = gotmpl_sub(s, at + sep.len, s.len);
    }
    gotmpl_list_add(a, l, text_of(a, s));
    return l;
}

static gotmpl_value numbered(struct gotmpl_arena *a, const struct gotmpl_list *parts)
{
    struct gotmpl_map *m = gotmpl_map_new(a, GOTMPL_OF_STRING);

    for (size_t i = 0; i < parts->len; i++)
        gotmpl_map_set(a, m, gotmpl_format(a, "_%zu", i), parts->items[i]);
    return gotmpl_of_map(m);
}

GOTMPL_FN_IS(fn_split, numbered(a, split(a, v[1].s, v[0].s, -1)));
GOTMPL_FN_IS(fn_splitn, numbered(a, split(a, v[2].s, v[0].s, v[1].i)));
GOTMPL_FN_IS(fn_split_list, gotmpl_of_list(split(a, v[1].s, v[0].s, -1)));

const struct gotmpl_function gotmpl_string_functions[] = {
    {"abbrev", "is", fn_abbrev},
    {"abbrevboth", "iis", fn_abbrevboth},
    {"cat", "a*", fn_cat},
    {"contains", "ss", fn_contains},
    {"hasPrefix", "ss", fn_has_prefix},
    {"hasSuffix", "ss", fn_has_suffix},
    {"indent", "is", fn_indent},
    {"initials", "s", fn_initials},
    {"join", "sa", fn_join},
    {"nindent", "is", fn_nindent},
    {"nospace", "s", fn_nospace},
    {"plural", "ssi", fn_plural},
    {"quote", "a*", fn_quote},
    {"repeat", "is", fn_repeat},
    {"replace", "sss", fn_replace},
    {"sortAlpha", "a", fn_sort_alpha},
    {"split", "ss", fn_split},
    {"splitList", "ss", fn_split_list},
    {"splitn", "sis", fn_splitn},
    {"squote", "a*", fn_squote},
    {"substr", "iis", fn_substr},
    {"toString", "a", fn_to_string},
    {"toStrings", "a", fn_to_strings},
    {"trim", "s", fn_trim},
    {"trimAll", "ss", fn_trim_all},
    {"trimPrefix", "ss", fn_trim_prefix},
    {"trimSuffix", "ss", fn_trim_suffix},
    {"trimall", "ss", fn_trim_all},
    {"trunc", "is", fn_trunc},
    {"wrap", "is", fn_wrap},
    {"wrapWith", "iss", fn_wrap_with},
    {NULL, NULL, NULL},
};
