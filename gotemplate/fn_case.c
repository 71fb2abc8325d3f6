/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: letter case, and names in snake, kebab and camel case. */
#include "gotemplate/funcs.h"
#include "gotemplate/unicode.h"

/* A copy with every character mapped; invalid UTF-8 becomes U+FFFD as in Go. */
static gotmpl_value mapped(struct gotmpl_arena *a, coras_str s, uint32_t (*map)(uint32_t c))
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    uint32_t c;

    for (size_t i = 0; i < s.len;) {
        i += coras_utf8_decode(s.ptr + i, s.len - i, &c);
        gotmpl_put_rune(&t, map(c));
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN_IS(fn_upper, mapped(a, v[0].s, gotmpl_to_upper));
GOTMPL_FN_IS(fn_lower, mapped(a, v[0].s, gotmpl_to_lower));

static bool separates_words(uint32_t c)
{
    if (c < 0x80)
        return !coras_is_alnum((char)c) && c != '_';
    return !gotmpl_is_letter(c) && !gotmpl_is_digit(c) && gotmpl_is_space(c);
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
    return gotmpl_to_upper(c);
}

/* The first rune of each word changed. */
static coras_str change_initials(struct gotmpl_arena *a, coras_str s,
                                 uint32_t (*change)(uint32_t c), bool (*ends_word)(uint32_t c))
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    bool first = true;
    uint32_t c;

    for (size_t i = 0; i < s.len;) {
        i += coras_utf8_decode(s.ptr + i, s.len - i, &c);
        gotmpl_put_rune(&t, first ? change(c) : c);
        first = ends_word(c);
    }
    return gotmpl_text_str(&t);
}

GOTMPL_FN_IS(fn_title, gotmpl_string(change_initials(a, v[0].s, to_title, separates_words)));

GOTMPL_FN(fn_untitle)
{
    return gotmpl_string(change_initials(a, v[0].s, gotmpl_to_lower, gotmpl_is_space));
}

GOTMPL_FN(fn_swapcase)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);
    uint32_t c;

    for (size_t i = 0; i < v[0].s.len;) {
        i += coras_utf8_decode(v[0].s.ptr + i, v[0].s.len - i, &c);
        gotmpl_put_rune(&t, gotmpl_is_upper(c)   ? gotmpl_to_lower(c)
                            : gotmpl_is_lower(c) ? to_title(c)
                                                 : c);
    }
    return gotmpl_string(gotmpl_text_str(&t));
}

static bool is_connector(uint32_t c)
{
    return c == '-' || c == '_' || gotmpl_is_space(c);
}

/* Decoded text, so that the word rules read in characters. */
struct runes {
    uint32_t *c;
    size_t len;
};

static struct runes decode(struct gotmpl_arena *a, coras_str s)
{
    struct runes r = {.c = gotmpl_alloc_array(a, s.len + 1, sizeof(uint32_t))};

    for (size_t i = 0; i < s.len; r.len++)
        i += coras_utf8_decode(s.ptr + i, s.len - i, &r.c[r.len]);
    return r;
}

GOTMPL_FN(fn_camelcase)
{
    struct runes r = decode(a, v[0].s);
    struct gotmpl_text t = GOTMPL_TEXT(a);
    bool was_upper;
    uint32_t held, c;
    size_t i = 0;

    while (i < r.len && is_connector(r.c[i]))
        gotmpl_put_rune(&t, r.c[i++]);
    if (i == r.len) {
        if (r.len) /* sprig doubles the last connector of a text without words */
            gotmpl_put_rune(&t, r.c[r.len - 1]);
        return gotmpl_string(gotmpl_text_str(&t));
    }
    was_upper = gotmpl_is_upper(r.c[i]);
    held = gotmpl_to_upper(r.c[i++]);
    if (i == r.len) {
        gotmpl_put_rune(&t, held);
        return gotmpl_string(gotmpl_text_str(&t));
    }
    for (; i < r.len; i++) {
        c = r.c[i];
        if (is_connector(c) && is_connector(held)) {
            gotmpl_put_rune(&t, held);
            held = c;
            continue;
        }
        if (is_connector(held)) {
            was_upper = gotmpl_is_upper(c);
            c = gotmpl_to_upper(c);
        } else {
            if (was_upper && gotmpl_is_upper(c))
                c = gotmpl_to_lower(c);
            else if (was_upper)
                was_upper = false;
            gotmpl_put_rune(&t, held);
        }
        held = c;
    }
    gotmpl_put_rune(&t, held);
    return gotmpl_string(gotmpl_text_str(&t));
}

/* ---- snake and kebab: a text is a row of words of these kinds ---- */

enum word_kind { NO_WORD, NUMBER, UPPER, ALPHABET, CONNECTOR, PUNCTUATION, OTHER };

struct word {
    enum word_kind kind;
    size_t from, to;
};

static bool is_number(uint32_t c)
{
    return gotmpl_is_digit(c);
}

static enum word_kind kind_of(uint32_t c)
{
    if (is_connector(c))
        return CONNECTOR;
    if (gotmpl_is_punct(c))
        return PUNCTUATION;
    if (gotmpl_is_upper(c))
        return UPPER;
    if (gotmpl_is_letter(c))
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

static void put_word(struct gotmpl_text *t, const struct runes *r, struct word w, char connector)
{
    for (size_t i = w.from; i < w.to; i++) {
        uint32_t c = r->c[i];
        if (w.kind == CONNECTOR)
            c = (uint32_t)connector;
        else if (w.kind == UPPER)
            c = gotmpl_to_lower(c);
        gotmpl_put_rune(t, c);
    }
}

/* Letters and digits that follow a number belong to it: "20x". Returns the word after them. */
static struct word put_number_tail(struct gotmpl_text *t, const struct runes *r, struct word w,
                                   char connector)
{
    while (w.kind == ALPHABET || w.kind == NUMBER) {
        put_word(t, r, w, connector);
        w = next_word(r, w.to);
    }
    if (w.kind != NO_WORD && w.kind != PUNCTUATION && w.kind != CONNECTOR)
        gotmpl_putc(t, connector);
    return w;
}

/* After a word of letters: where the connector goes depends on what the number is part of. */
static struct word put_after_letters(struct gotmpl_text *t, const struct runes *r, struct word w,
                                     char connector)
{
    struct word number = w;

    if (w.kind != NUMBER) {
        if (w.kind != CONNECTOR && w.kind != PUNCTUATION)
            gotmpl_putc(t, connector);
        return w;
    }
    if (w.to >= r->len)
        return w;
    w = next_word(r, w.to);
    if (w.kind != ALPHABET) { /* "Bld4Floor" is "bld4_floor" */
        put_word(t, r, number, connector);
        if (w.kind != CONNECTOR && w.kind != PUNCTUATION)
            gotmpl_putc(t, connector);
        return w;
    }
    gotmpl_putc(t, connector); /* "HTTP2xx" is "http_2xx" */
    put_word(t, r, number, connector);
    return put_number_tail(t, r, w, connector);
}

static gotmpl_value separated(struct gotmpl_arena *a, coras_str s, char connector)
{
    struct runes r = decode(a, s);
    struct gotmpl_text t = GOTMPL_TEXT(a);
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
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN_IS(fn_snakecase, separated(a, v[0].s, '_'));
GOTMPL_FN_IS(fn_kebabcase, separated(a, v[0].s, '-'));

const struct gotmpl_function gotmpl_case_functions[] = {
    {"camelcase", "s", fn_camelcase}, {"kebabcase", "s", fn_kebabcase}, {"lower", "s", fn_lower},
    {"snakecase", "s", fn_snakecase}, {"swapcase", "s", fn_swapcase},   {"title", "s", fn_title},
    {"untitle", "s", fn_untitle},     {"upper", "s", fn_upper},         {NULL, NULL, NULL},
};
