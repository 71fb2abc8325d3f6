/* sprig: letter case, and names in snake, kebab and camel case. */
#include "gotemplate/funcs.h"
#include "gotemplate/unicode.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

/* A copy with every character mapped; invalid UTF-8 becomes U+FFFD as in Go. */
static tpl_value mapped(struct tpl_arena *a, coras_str s, uint32_t (*map)(uint32_t c))
{
    struct tpl_text t = TPL_TEXT(a);
    uint32_t c;

    for (size_t i = 0; i < s.len;) {
        i += coras_utf8_decode(s.ptr + i, s.len - i, &c);
        tpl_put_rune(&t, map(c));
    }
    return tpl_string(tpl_text_str(&t));
}

FN(fn_upper)
{
    (void)argc;
    return mapped(a, v[0].s, tpl_to_upper);
}

FN(fn_lower)
{
    (void)argc;
    return mapped(a, v[0].s, tpl_to_lower);
}

static bool separates_words(uint32_t c)
{
    if (c < 0x80)
        return !coras_is_alnum((char)c) && c != '_';
    return !tpl_is_letter(c) && !tpl_is_digit(c) && tpl_is_space(c);
}

/* Digraphs have a title case of their own; Georgian has none. */
static uint32_t to_title(uint32_t c)
{
    if (c >= 0x1c4 && c <= 0x1cc)
        return c - (c - 0x1c4) % 3 + 1;
    if (c >= 0x1f1 && c <= 0x1f3)
        return 0x1f2;
    if (c >= 0x10d0 && c <= 0x10ff)
        return c;
    return tpl_to_upper(c);
}

/* The first rune of each word changed. */
static coras_str change_initials(struct tpl_arena *a, coras_str s, uint32_t (*change)(uint32_t c),
                                 bool (*ends_word)(uint32_t c))
{
    struct tpl_text t = TPL_TEXT(a);
    bool first = true;
    uint32_t c;

    for (size_t i = 0; i < s.len;) {
        i += coras_utf8_decode(s.ptr + i, s.len - i, &c);
        tpl_put_rune(&t, first ? change(c) : c);
        first = ends_word(c);
    }
    return tpl_text_str(&t);
}

FN(fn_title)
{
    (void)argc;
    return tpl_string(change_initials(a, v[0].s, to_title, separates_words));
}

FN(fn_untitle)
{
    (void)argc;
    return tpl_string(change_initials(a, v[0].s, tpl_to_lower, tpl_is_space));
}

FN(fn_swapcase)
{
    (void)argc;
    struct tpl_text t = TPL_TEXT(a);
    uint32_t c;

    for (size_t i = 0; i < v[0].s.len;) {
        i += coras_utf8_decode(v[0].s.ptr + i, v[0].s.len - i, &c);
        tpl_put_rune(&t, tpl_is_upper(c) ? tpl_to_lower(c) : tpl_is_lower(c) ? to_title(c) : c);
    }
    return tpl_string(tpl_text_str(&t));
}

static bool is_connector(uint32_t c)
{
    return c == '-' || c == '_' || tpl_is_space(c);
}

/* Decoded text, so that the word rules read in characters. */
struct runes {
    uint32_t *c;
    size_t len;
};

static struct runes decode(struct tpl_arena *a, coras_str s)
{
    struct runes r = {.c = tpl_alloc_array(a, s.len + 1, sizeof(uint32_t))};

    for (size_t i = 0; i < s.len; r.len++)
        i += coras_utf8_decode(s.ptr + i, s.len - i, &r.c[r.len]);
    return r;
}

FN(fn_camelcase)
{
    struct runes r = decode(a, v[0].s);
    struct tpl_text t = TPL_TEXT(a);
    bool was_upper;
    uint32_t held, c;
    size_t i = 0;

    (void)argc;
    while (i < r.len && is_connector(r.c[i]))
        tpl_put_rune(&t, r.c[i++]);
    if (i == r.len) {
        if (r.len) /* sprig doubles the last connector of a text without words */
            tpl_put_rune(&t, r.c[r.len - 1]);
        return tpl_string(tpl_text_str(&t));
    }
    was_upper = tpl_is_upper(r.c[i]);
    held = tpl_to_upper(r.c[i++]);
    if (i == r.len) {
        tpl_put_rune(&t, held);
        return tpl_string(tpl_text_str(&t));
    }
    for (; i < r.len; i++) {
        c = r.c[i];
        if (is_connector(c) && is_connector(held)) {
            tpl_put_rune(&t, held);
            held = c;
            continue;
        }
        if (is_connector(held)) {
            was_upper = tpl_is_upper(c);
            c = tpl_to_upper(c);
        } else {
            if (was_upper && tpl_is_upper(c))
                c = tpl_to_lower(c);
            else if (was_upper)
                was_upper = false;
            tpl_put_rune(&t, held);
        }
        held = c;
    }
    tpl_put_rune(&t, held);
    return tpl_string(tpl_text_str(&t));
}

/* ---- snake and kebab: a text is a row of words of these kinds ---- */

enum word_kind { NO_WORD, NUMBER, UPPER, ALPHABET, CONNECTOR, PUNCTUATION, OTHER };

struct word {
    enum word_kind kind;
    size_t from, to;
};

static bool is_number(uint32_t c)
{
    return tpl_is_digit(c);
}

static enum word_kind kind_of(uint32_t c)
{
    if (is_connector(c))
        return CONNECTOR;
    if (tpl_is_punct(c))
        return PUNCTUATION;
    if (tpl_is_upper(c))
        return UPPER;
    if (tpl_is_letter(c))
        return ALPHABET;
    return is_number(c) ? NUMBER : OTHER;
}

/* The word at `from`. "HTTPStatus" is "HTTP" and "Status", the latter one word. */
static struct word next_word(const struct runes *r, size_t from)
{
    struct word w = {.kind = NO_WORD, .from = from, .to = from};
    enum word_kind rest;

    if (from >= r->len)
        return w;
    w.kind = rest = kind_of(r->c[from]);
    w.to++;
    if (w.kind == UPPER && w.to < r->len) {
        rest = kind_of(r->c[w.to]);
        if (rest != UPPER && rest != ALPHABET)
            return w;
    }
    while (w.to < r->len && kind_of(r->c[w.to]) == rest)
        w.to++;
    if (w.kind == UPPER && rest == UPPER && w.to < r->len && kind_of(r->c[w.to]) == ALPHABET)
        w.to--;
    return w;
}

static void put_word(struct tpl_text *t, const struct runes *r, struct word w, char connector)
{
    for (size_t i = w.from; i < w.to; i++) {
        uint32_t c = r->c[i];
        if (w.kind == CONNECTOR)
            c = (uint32_t)connector;
        else if (w.kind == UPPER)
            c = tpl_to_lower(c);
        tpl_put_rune(t, c);
    }
}

/* Letters and digits that follow a number belong to it: "20x". Returns the word after them. */
static struct word put_number_tail(struct tpl_text *t, const struct runes *r, struct word w,
                                   char connector)
{
    while (w.kind == ALPHABET || w.kind == NUMBER) {
        put_word(t, r, w, connector);
        w = next_word(r, w.to);
    }
    if (w.kind != NO_WORD && w.kind != PUNCTUATION && w.kind != CONNECTOR)
        tpl_putc(t, connector);
    return w;
}

/* After a word of letters: where the connector goes depends on what the number is part of. */
static struct word put_after_letters(struct tpl_text *t, const struct runes *r, struct word w,
                                     char connector)
{
    struct word number = w;

    if (w.kind != NUMBER) {
        if (w.kind != CONNECTOR && w.kind != PUNCTUATION)
            tpl_putc(t, connector);
        return w;
    }
    if (w.to >= r->len)
        return w;
    w = next_word(r, w.to);
    if (w.kind != ALPHABET) { /* "Bld4Floor" is "bld4_floor" */
        put_word(t, r, number, connector);
        if (w.kind != CONNECTOR && w.kind != PUNCTUATION)
            tpl_putc(t, connector);
        return w;
    }
    tpl_putc(t, connector); /* "HTTP2xx" is "http_2xx" */
    put_word(t, r, number, connector);
    return put_number_tail(t, r, w, connector);
}

static tpl_value separated(struct tpl_arena *a, coras_str s, char connector)
{
    struct runes r = decode(a, s);
    struct tpl_text t = TPL_TEXT(a);
    struct word w = next_word(&r, 0), previous;

    while (w.to < r.len) {
        if (w.kind != CONNECTOR)
            put_word(&t, &r, w, connector);
        previous = w;
        w = next_word(&r, w.to);
        if (previous.kind == NUMBER)
            w = put_number_tail(&t, &r, w, connector);
        else if (previous.kind == CONNECTOR)
            put_word(&t, &r, previous, connector);
        else if (previous.kind != PUNCTUATION)
            w = put_after_letters(&t, &r, w, connector);
    }
    put_word(&t, &r, w, connector);
    return tpl_string(tpl_text_str(&t));
}

FN(fn_snakecase)
{
    (void)argc;
    return separated(a, v[0].s, '_');
}

FN(fn_kebabcase)
{
    (void)argc;
    return separated(a, v[0].s, '-');
}

const struct tpl_function tpl_case_functions[] = {
    {"camelcase", "s", fn_camelcase}, {"kebabcase", "s", fn_kebabcase}, {"lower", "s", fn_lower},
    {"snakecase", "s", fn_snakecase}, {"swapcase", "s", fn_swapcase},   {"title", "s", fn_title},
    {"untitle", "s", fn_untitle},     {"upper", "s", fn_upper},         {NULL, NULL, NULL},
};
