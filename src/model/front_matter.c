/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of YAML that model cards are written in (front_matter.h).
 */
#include "model/front_matter.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"

void coras_model_card_clear(coras_model_card *card)
{
    coras_vec_foreach (field, card) {
        free(field->key);
        coras_strlist_clear(&field->values);
    }
    free(card->items);
    *card = (coras_model_card){0};
}

/* ---- scalars ---- */

/* A comment begins with "#" at the start or after a blank. */
static coras_str without_comment(coras_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '#' && (i == 0 || coras_is_space(s.ptr[i - 1])))
            return coras_str_trim((coras_str){s.ptr, i});
    return coras_str_trim(s);
}

static bool is_plain_text(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return coras_utf8_valid(s, len);
}

/* What a quoted scalar at the start of `s` says; *ret_used is where it ends. False: it does not
 * end on this line. */
static bool unquote(coras_str s, coras_buf *ret, size_t *ret_used)
{
    char quote = s.ptr[0];

    for (size_t i = 1; i < s.len; i++) {
        bool doubled = quote == '\'' && i + 1 < s.len && s.ptr[i] == '\'' && s.ptr[i + 1] == '\'';
        bool escaped = quote == '"' && s.ptr[i] == '\\' && i + 1 < s.len;
        if (doubled || escaped) {
            coras_buf_putc(ret, s.ptr[++i]);
        } else if (s.ptr[i] == quote) {
            *ret_used = i + 1;
            return true;
        } else {
            coras_buf_putc(ret, s.ptr[i]);
        }
    }
    return false;
}

static bool is_quoted(coras_str s)
{
    return s.len > 0 && (s.ptr[0] == '"' || s.ptr[0] == '\'');
}

/* Anchors, tags, block scalars, nested collections: not for us. */
static bool is_other_yaml(coras_str s)
{
    static const char first[] = "&*!|>{[%@`";

    return s.len > 0 && memchr(first, s.ptr[0], sizeof(first) - 1) != NULL;
}

static int add_value(struct coras_card_field *field, coras_str text, coras_error **err)
{
    if (text.len == 0 || text.len > CORAS_LIMIT_CARD_VALUE ||
        field->values.len >= CORAS_LIMIT_CARD_VALUES || !is_plain_text(text.ptr, text.len))
        return 0;
    return coras_strlist_addn(&field->values, text.ptr, text.len, err);
}

static bool is_null(coras_str s)
{
    return coras_str_eq(s, "~") || coras_str_eq(s, "null");
}

static int add_scalar(struct coras_card_field *field, coras_str s, coras_error **err)
{
    s = coras_str_trim(s);
    if (is_quoted(s)) {
        coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_FRONT_MATTER);
        size_t used = 0;
        bool ended = unquote(s, &text, &used);
        CORAS_TRY(coras_buf_done(&text, err));
        return ended ? add_value(field, (coras_str){text.ptr, text.len}, err) : 0;
    }
    s = without_comment(s);
    return is_other_yaml(s) || is_null(s) ? 0 : add_value(field, s, err);
}

/* ---- lists in brackets ---- */

/* Where the next element of a list ends: at a comma or the bracket that is outside of quotes. */
static size_t element_end(coras_str s)
{
    char quote = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if ((c == '"' || c == '\'') && coras_str_trim((coras_str){s.ptr, i}).len == 0)
            quote = c;
        else if (c == ',' || c == ']')
            return i;
    }
    return s.len;
}

static int add_flow_list(struct coras_card_field *field, coras_str s, coras_error **err)
{
    s = (coras_str){s.ptr + 1, s.len - 1};
    for (;;) {
        size_t end = element_end(s);
        CORAS_TRY(add_scalar(field, (coras_str){s.ptr, end}, err));
        if (end == s.len || s.ptr[end] == ']')
            return 0;
        s = (coras_str){s.ptr + end + 1, s.len - end - 1};
    }
}

/* ---- lines ---- */

static bool next_line(coras_str *rest, coras_str *ret)
{
    if (!coras_str_next_line(rest, ret))
        return false;
    if (ret->len > 0 && ret->ptr[ret->len - 1] == '\r')
        ret->len--;
    return true;
}

/* The lines between the two "---"; false when there is no such block. */
static bool find_block(coras_str text, coras_str *ret)
{
    coras_str line;

    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
        text = (coras_str){text.ptr + 3, text.len - 3};
    if (!next_line(&text, &line) || !coras_str_eq(coras_str_trim(line), "---"))
        return false;
    const char *start = text.ptr;
    while (next_line(&text, &line)) {
        if (coras_str_eq(line, "---") || coras_str_eq(line, "...")) {
            *ret = (coras_str){start, (size_t)(line.ptr - start)};
            return true;
        }
    }
    return false;
}

/* "key:" or "key: value" at the left margin. */
static bool split_key(coras_str line, coras_str *key, coras_str *value)
{
    size_t i = 0;

    while (i < line.len && (coras_is_alnum(line.ptr[i]) || line.ptr[i] == '_' ||
                            line.ptr[i] == '-' || line.ptr[i] == '.'))
        i++;
    if (i == 0 || i >= line.len || line.ptr[i] != ':')
        return false;
    if (i + 1 < line.len && !coras_is_space(line.ptr[i + 1]))
        return false;
    *key = (coras_str){line.ptr, i};
    *value = coras_str_trim((coras_str){line.ptr + i + 1, line.len - i - 1});
    return true;
}

/* "- item", with or without blanks before it. An item that is itself a mapping ("- name: x") is
 * none of a list of scalars. */
static bool split_item(coras_str line, coras_str *item)
{
    coras_str s = coras_str_trim(line), key, value;

    if (s.len < 2 || s.ptr[0] != '-' || !coras_is_space(s.ptr[1]))
        return false;
    *item = coras_str_trim((coras_str){s.ptr + 1, s.len - 1});
    return !split_key(*item, &key, &value);
}

static struct coras_card_field *add_field(coras_model_card *card, coras_str key)
{
    if (coras_vec_grow(card, 1) < 0)
        return NULL;
    struct coras_card_field *field = &card->items[card->len];
    *field = (struct coras_card_field){.key = coras_strndup(key.ptr, key.len)};
    if (!field->key)
        return NULL;
    card->len++;
    return field;
}

static bool has_key(const coras_model_card *card, coras_str key)
{
    coras_vec_foreach (field, card)
        if (coras_str_eq(key, field->key))
            return true;
    return false;
}

static int read_lines(coras_model_card *card, coras_str rest, coras_error **err)
{
    struct coras_card_field *list = NULL; /* whose items may follow; points into card */
    coras_str line, key, value;

    while (next_line(&rest, &line)) {
        if (split_key(line, &key, &value)) {
            list = NULL;
            if (card->len >= CORAS_LIMIT_CARD_FIELDS || has_key(card, key))
                continue;
            struct coras_card_field *field = add_field(card, key);
            if (!field)
                return coras_fail_no_memory(err);
            if (without_comment(value).len == 0)
                list = field;
            else if (value.ptr[0] == '[')
                CORAS_TRY(add_flow_list(field, value, err));
            else
                CORAS_TRY(add_scalar(field, value, err));
        } else if (list && split_item(line, &value)) {
            CORAS_TRY(add_scalar(list, value, err));
        }
    }
    return 0;
}

int coras_model_card_parse(const char *text, size_t len, coras_model_card *ret, coras_error **err)
{
    coras_auto_value(coras_model_card) card = {0};
    coras_str block;

    if (len > CORAS_LIMIT_FRONT_MATTER)
        len = CORAS_LIMIT_FRONT_MATTER;
    if (find_block((coras_str){text, len}, &block))
        CORAS_TRY(read_lines(&card, block, err));
    *ret = card;
    card = (coras_model_card){0};
    return 0;
}

const coras_strlist *coras_model_card_get(const coras_model_card *card, const char *key)
{
    coras_vec_foreach (field, card)
        if (coras_streq(field->key, key))
            return field->values.len ? &field->values : NULL;
    return NULL;
}

const char *coras_model_card_first(const coras_model_card *card, const char *key)
{
    const coras_strlist *values = coras_model_card_get(card, key);

    return values ? values->items[0] : NULL;
}
