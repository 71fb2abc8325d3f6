/* sprig: strings and lists of strings. */
#include "gotemplate/funcs.h"
#include "gotemplate/print.h"
#include "gotemplate/unicode.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

static tpl_value text_of(struct tpl_arena *a, coras_str s)
{
    return tpl_string(tpl_dup(a, s.ptr, s.len));
}

static coras_str repeat(struct tpl_arena *a, int64_t count, coras_str s)
{
    struct tpl_text t = TPL_TEXT(a);

    if (count < 0)
        tpl_fail(a, "strings: negative Repeat count");
    if (s.len && (uint64_t)count > SIZE_MAX / 4 / s.len)
        tpl_raise(a, CORAS_ERR_TOO_LARGE, "the template needs too much memory");
    tpl_reserve(&t, (size_t)count * s.len);
    for (int64_t i = 0; s.len && i < count; i++)
        tpl_put_str(&t, s);
    return tpl_text_str(&t);
}

static coras_str replace_all(struct tpl_arena *a, coras_str s, coras_str old, coras_str fresh)
{
    struct tpl_text t = TPL_TEXT(a);
    size_t at;
    uint32_t c;

    if (old.len == 0) { /* before every character and at the end */
        for (size_t i = 0, n; i < s.len; i += n) {
            n = coras_utf8_decode(s.ptr + i, s.len - i, &c);
            tpl_put_str(&t, fresh);
            tpl_put(&t, s.ptr + i, n);
        }
        tpl_put_str(&t, fresh);
        return tpl_text_str(&t);
    }
    while ((at = tpl_find(s, old)) != TPL_NOT_FOUND) {
        tpl_put(&t, s.ptr, at);
        tpl_put_str(&t, fresh);
        s = tpl_sub(s, at + old.len, s.len);
    }
    tpl_put_str(&t, s);
    return tpl_text_str(&t);
}

FN(fn_repeat)
{
    (void)argc;
    return tpl_string(repeat(a, v[0].i, v[1].s));
}

FN(fn_replace)
{
    (void)argc;
    return tpl_string(replace_all(a, v[2].s, v[0].s, v[1].s));
}

static coras_str indent(struct tpl_arena *a, int64_t spaces, coras_str s)
{
    struct tpl_text t = TPL_TEXT(a);
    coras_str pad = repeat(a, spaces, CORAS_STR(" "));

    tpl_put_str(&t, pad);
    for (size_t i = 0; i < s.len; i++) {
        tpl_putc(&t, s.ptr[i]);
        if (s.ptr[i] == '\n')
            tpl_put_str(&t, pad);
    }
    return tpl_text_str(&t);
}

FN(fn_indent)
{
    (void)argc;
    return tpl_string(indent(a, v[0].i, v[1].s));
}

FN(fn_nindent)
{
    (void)argc;
    return tpl_string(tpl_format(a, "\n%s", indent(a, v[0].i, v[1].s).ptr));
}

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
    return tpl_sub(s, from, to);
}

static bool is_blank(uint32_t c, coras_str set)
{
    (void)set;
    return tpl_is_space(c);
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

FN(fn_trim)
{
    (void)argc;
    return text_of(a, trim_where(v[0].s, is_blank, CORAS_STR("")));
}

FN(fn_trim_all)
{
    (void)argc;
    return text_of(a, trim_where(v[1].s, is_in_set, v[0].s));
}

static bool ends_with(coras_str s, coras_str end)
{
    return s.len >= end.len && tpl_str_same(tpl_sub(s, s.len - end.len, s.len), end);
}

static bool starts_with(coras_str s, coras_str start)
{
    return s.len >= start.len && tpl_str_same(tpl_sub(s, 0, start.len), start);
}

FN(fn_trim_prefix)
{
    (void)argc;
    return text_of(a, tpl_sub(v[1].s, starts_with(v[1].s, v[0].s) ? v[0].s.len : 0, v[1].s.len));
}

FN(fn_trim_suffix)
{
    (void)argc;
    return text_of(a,
                   tpl_sub(v[1].s, 0, v[1].s.len - (ends_with(v[1].s, v[0].s) ? v[0].s.len : 0)));
}

FN(fn_contains)
{
    (void)a, (void)argc;
    return tpl_bool(tpl_find(v[1].s, v[0].s) != TPL_NOT_FOUND);
}

FN(fn_has_prefix)
{
    (void)a, (void)argc;
    return tpl_bool(starts_with(v[1].s, v[0].s));
}

FN(fn_has_suffix)
{
    (void)a, (void)argc;
    return tpl_bool(ends_with(v[1].s, v[0].s));
}

FN(fn_trunc)
{
    int64_t count = v[0].i, len = (int64_t)v[1].s.len;

    (void)argc;
    if (count < 0 && len + count > 0)
        return text_of(a, tpl_sub(v[1].s, (size_t)(len + count), (size_t)len));
    if (count >= 0 && len > count)
        return text_of(a, tpl_sub(v[1].s, 0, (size_t)count));
    return v[1];
}

FN(fn_substr)
{
    int64_t start = v[0].i, end = v[1].i, len = (int64_t)v[2].s.len;

    (void)argc;
    if (start < 0) {
        if (end < 0)
            tpl_fail(a, "runtime error: slice bounds out of range [:%lld]", (long long)end);
        if (end > len)
            tpl_fail(a, "runtime error: slice bounds out of range [:%lld] with length %lld",
                     (long long)end, (long long)len);
        start = 0;
    } else if (end < 0 || end > len) {
        end = len;
    }
    if (start > end)
        tpl_fail(a, "runtime error: slice bounds out of range [%lld:%lld]", (long long)start,
                 (long long)end);
    return text_of(a, tpl_sub(v[2].s, (size_t)start, (size_t)end));
}

/* At most `width` bytes with "..." at the cut ends. */
static coras_str abbreviate(struct tpl_arena *a, coras_str s, int64_t offset, int64_t width)
{
    int64_t len = (int64_t)s.len;
    struct tpl_text t = TPL_TEXT(a);

    if (width < 4)
        return CORAS_STR("");
    if (len <= width)
        return s;
    if (offset > len)
        offset = len;
    if (len - offset < width - 3)
        offset = len - (width - 3);
    if (offset <= 4) {
        tpl_put(&t, s.ptr, (size_t)(width - 3));
        tpl_puts(&t, "...");
        return tpl_text_str(&t);
    }
    if (width < 7)
        return CORAS_STR("");
    tpl_puts(&t, "...");
    if (offset + width - 3 < len)
        tpl_put_str(&t, abbreviate(a, tpl_sub(s, (size_t)offset, s.len), 0, width - 3));
    else
        tpl_put_str(&t, tpl_sub(s, (size_t)(len - (width - 3)), s.len));
    return tpl_text_str(&t);
}

FN(fn_abbrev)
{
    (void)argc;
    return v[0].i < 4 ? v[1] : tpl_string(abbreviate(a, v[1].s, 0, v[0].i));
}

FN(fn_abbrevboth)
{
    (void)argc;
    if (v[1].i < 4 || (v[0].i > 0 && v[1].i < 7))
        return v[2];
    return tpl_string(abbreviate(a, v[2].s, v[0].i, v[1].i));
}

/* sprig's nospace and initials look at bytes, each as a character of its own. */
FN(fn_nospace)
{
    struct tpl_text t = TPL_TEXT(a);
    size_t kept = 0;

    (void)argc;
    for (size_t i = 0; i < v[0].s.len; i++)
        if (!tpl_is_space((unsigned char)v[0].s.ptr[i])) {
            tpl_put_rune(&t, (unsigned char)v[0].s.ptr[i]);
            kept++;
        }
    return kept == v[0].s.len ? v[0] : tpl_string(tpl_text_str(&t));
}

FN(fn_initials)
{
    struct tpl_text t = TPL_TEXT(a);
    bool gap = true;

    (void)argc;
    for (size_t i = 0; i < v[0].s.len; i++) {
        bool space = tpl_is_space((unsigned char)v[0].s.ptr[i]);
        if (gap && !space)
            tpl_put_rune(&t, (unsigned char)v[0].s.ptr[i]);
        gap = space;
    }
    return tpl_string(tpl_text_str(&t));
}

static size_t find_last_space(coras_str s)
{
    for (size_t i = s.len; i-- > 0;)
        if (s.ptr[i] == ' ')
            return i;
    return TPL_NOT_FOUND;
}

static coras_str wrap(struct tpl_arena *a, coras_str s, int64_t asked, coras_str newline, bool cut)
{
    struct tpl_text t = TPL_TEXT(a);
    size_t width = asked < 1 ? 1 : (size_t)asked, offset = 0;

    if (newline.len == 0)
        newline = CORAS_STR("\n");
    while (s.len - offset > width) {
        size_t space, end = offset + width;
        if (s.ptr[offset] == ' ') {
            offset++;
            continue;
        }
        space = find_last_space(tpl_sub(s, offset, end + 1));
        if (space != TPL_NOT_FOUND) {
            end = offset + space;
        } else if (!cut) {
            space = tpl_find(tpl_sub(s, end, s.len), CORAS_STR(" "));
            if (space == TPL_NOT_FOUND)
                break;
            end += space;
        }
        tpl_put_str(&t, tpl_sub(s, offset, end));
        tpl_put_str(&t, newline);
        offset = end + (space != TPL_NOT_FOUND);
    }
    tpl_put_str(&t, tpl_sub(s, offset, s.len));
    return tpl_text_str(&t);
}

FN(fn_wrap)
{
    (void)argc;
    return tpl_string(wrap(a, v[1].s, v[0].i, CORAS_STR(""), false));
}

FN(fn_wrap_with)
{
    (void)argc;
    return tpl_string(wrap(a, v[2].s, v[0].i, v[1].s, true));
}

/* ---- joining ---- */

FN(fn_quote)
{
    struct tpl_text t = TPL_TEXT(a);

    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == TPL_NIL)
            continue;
        if (t.len)
            tpl_putc(&t, ' ');
        tpl_put_quoted(&t, tpl_to_text(a, v[i]), '"', false);
    }
    return tpl_string(tpl_text_str(&t));
}

FN(fn_squote)
{
    struct tpl_text t = TPL_TEXT(a);

    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == TPL_NIL)
            continue;
        if (t.len)
            tpl_putc(&t, ' ');
        tpl_putc(&t, '\'');
        tpl_put_str(&t, tpl_to_text(a, v[i]));
        tpl_putc(&t, '\'');
    }
    return tpl_string(tpl_text_str(&t));
}

FN(fn_cat)
{
    struct tpl_text t = TPL_TEXT(a);
    bool first = true;

    for (size_t i = 0; i < argc; i++) {
        if (v[i].kind == TPL_NIL)
            continue;
        if (!first)
            tpl_putc(&t, ' ');
        first = false;
        tpl_put_str(&t, tpl_to_text(a, v[i]));
    }
    return tpl_string(tpl_text_str(&t));
}

FN(fn_plural)
{
    (void)a, (void)argc;
    return v[2].i == 1 ? v[0] : v[1];
}

FN(fn_to_string)
{
    (void)argc;
    return tpl_string(tpl_to_text(a, v[0]));
}

FN(fn_to_strings)
{
    (void)argc;
    return tpl_of_list(tpl_strings_of(a, v[0]));
}

FN(fn_join)
{
    struct tpl_text t = TPL_TEXT(a);
    const struct tpl_list *l = tpl_strings_of(a, v[1]);

    (void)argc;
    for (size_t i = 0; i < l->len; i++) {
        if (i > 0)
            tpl_put_str(&t, v[0].s);
        tpl_put_str(&t, l->items[i].s);
    }
    return tpl_string(tpl_text_str(&t));
}

static int by_text(const void *x, const void *y)
{
    return tpl_str_compare(((const tpl_value *)x)->s, ((const tpl_value *)y)->s);
}

FN(fn_sort_alpha)
{
    struct tpl_list *l = tpl_strings_of(a, v[0]);

    (void)argc;
    if (v[0].kind == TPL_NIL)
        tpl_list_add(a, l, tpl_string(CORAS_STR("<nil>")));
    if (l->len)
        qsort(l->items, l->len, sizeof(*l->items), by_text);
    return tpl_of_list(l);
}

/* strings.SplitN; n < 0 is all, an empty separator splits into characters. */
static struct tpl_list *split(struct tpl_arena *a, coras_str s, coras_str sep, int64_t n)
{
    struct tpl_list *l = tpl_list_new(a, TPL_OF_STRING, 0);
    uint32_t c;

    if (n == 0 || (sep.len == 0 && s.len == 0))
        return l;
    while (n < 0 || (int64_t)l->len < n - 1) {
        size_t at = sep.len ? tpl_find(s, sep) : coras_utf8_decode(s.ptr, s.len, &c);
        if (at == TPL_NOT_FOUND || (sep.len == 0 && at == s.len))
            break;
        tpl_list_add(a, l, text_of(a, tpl_sub(s, 0, at)));
        s = tpl_sub(s, at + sep.len, s.len);
    }
    tpl_list_add(a, l, text_of(a, s));
    return l;
}

static tpl_value numbered(struct tpl_arena *a, const struct tpl_list *parts)
{
    struct tpl_map *m = tpl_map_new(a, TPL_OF_STRING);

    for (size_t i = 0; i < parts->len; i++)
        tpl_map_set(a, m, tpl_format(a, "_%zu", i), parts->items[i]);
    return tpl_of_map(m);
}

FN(fn_split)
{
    (void)argc;
    return numbered(a, split(a, v[1].s, v[0].s, -1));
}

FN(fn_splitn)
{
    (void)argc;
    return numbered(a, split(a, v[2].s, v[0].s, v[1].i));
}

FN(fn_split_list)
{
    (void)argc;
    return tpl_of_list(split(a, v[1].s, v[0].s, -1));
}

const struct tpl_function tpl_string_functions[] = {
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
