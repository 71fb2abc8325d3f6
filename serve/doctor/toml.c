/* SPDX-License-Identifier: Apache-2.0 */
/* Reading TOML, character by character. */
#include "serve/doctor/toml.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"

struct cursor {
    const char *at, *end;
    int line;
    size_t values;
    const char *name;
    coras_error **err;
};

/* Names between dots. */
struct key {
    coras_strlist parts;
};
static int fail(const struct cursor *c, const char *why)
{
    return coras_fail(c->err, CORAS_ERR_CONFIG, "%s:%d: %s", c->name, c->line, why);
}

/* ---- values ---- */

void serve_toml_free(serve_toml *value)
{
    if (!value)
        return;
    coras_vec_foreach (child, &value->children)
        serve_toml_free(*child);
    free(value->children.items);
    free(value->key);
    free(value->text);
    free(value);
}

static int new_value(struct cursor *c, enum serve_toml_kind kind, serve_toml **ret)
{
    serve_toml *value;

    if (c->values++ >= CORAS_LIMIT_TOML_VALUES)
        return fail(c, "too many values");
    value = coras_new(serve_toml);
    if (!value)
        return coras_fail_no_memory(c->err);
    value->kind = kind;
    value->line = c->line;
    *ret = value;
    return 0;
}

/* Takes the child, also when it fails. */
static int add_child(struct cursor *c, serve_toml *parent, const char *key, serve_toml *child)
{
    child->key = key ? coras_strdup(key) : NULL;
    if ((key && !child->key) || coras_vec_grow(&parent->children, 1) < 0) {
        serve_toml_free(child);
        return coras_fail_no_memory(c->err);
    }
    parent->children.items[parent->children.len++] = child;
    return 0;
}

static serve_toml *member(const serve_toml *table, const char *key)
{
    if (!table || table->kind != SERVE_TOML_TABLE)
        return NULL;
    coras_vec_foreach (child, &table->children) {
        if (coras_streq((*child)->key, key))
            return *child;
    }
    return NULL;
}

const serve_toml *serve_toml_get(const serve_toml *table, const char *key)
{
    return member(table, key);
}

const char *serve_toml_string(const serve_toml *value)
{
    return value && value->kind == SERVE_TOML_STRING ? value->text : NULL;
}

bool serve_toml_is_true(const serve_toml *value)
{
    return value && value->kind == SERVE_TOML_BOOLEAN && value->is_true;
}

/* ---- blanks ---- */

static bool is_at(const struct cursor *c, char character)
{
    return c->at < c->end && *c->at == character;
}

static bool take(struct cursor *c, char character)
{
    if (!is_at(c, character))
        return false;
    c->at++;
    return true;
}

static void skip_blanks(struct cursor *c)
{
    while (is_at(c, ' ') || is_at(c, '\t'))
        c->at++;
}

static void skip_comment(struct cursor *c)
{
    if (!is_at(c, '#'))
        return;
    while (c->at < c->end && *c->at != '\n')
        c->at++;
}

static bool take_newline(struct cursor *c)
{
    if (c->end - c->at >= 2 && c->at[0] == '\r' && c->at[1] == '\n')
        c->at++;
    if (!take(c, '\n'))
        return false;
    c->line++;
    return true;
}

/* Blanks, comments and line ends. */
static void skip_lines(struct cursor *c)
{
    do {
        skip_blanks(c);
        skip_comment(c);
    } while (take_newline(c));
}

static int end_line(struct cursor *c)
{
    skip_blanks(c);
    skip_comment(c);
    if (c->at == c->end || take_newline(c))
        return 0;
    return fail(c, "something stands behind the value");
}

/* ---- strings ---- */

static int hex_value(char digit)
{
    if (coras_is_digit(digit))
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static int take_hex(struct cursor *c, int digits, coras_buf *out)
{
    uint32_t code = 0;

    for (int i = 0; i < digits; i++, c->at++) {
        int digit = c->at < c->end ? hex_value(*c->at) : -1;
        if (digit < 0)
            return fail(c, "a broken \\u in a string");
        code = code << 4 | (uint32_t)digit;
    }
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return fail(c, "a \\u of no character");
    coras_utf8_put(out, code);
    return 0;
}

static int take_escape(struct cursor *c, coras_buf *out)
{
    static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
    char kind = c->at < c->end ? *c->at++ : '\0';
    const char *found = kind ? strchr(names, kind) : NULL;

    if (kind == 'u')
        return take_hex(c, 4, out);
    if (kind == 'U')
        return take_hex(c, 8, out);
    if (!found)
        return fail(c, "an unknown escape in a string");
    coras_buf_putc(out, values[found - names]);
    return 0;
}

static bool is_control(char character)
{
    unsigned char byte = (unsigned char)character;

    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* Behind the opening quote, which says whether there are escapes. */
static int take_string(struct cursor *c, char quote, coras_buf *out)
{
    if (c->end - c->at >= 2 && c->at[0] == quote && c->at[1] == quote)
        return fail(c, "strings of several lines are not understood");
    while (c->at < c->end && !is_control(*c->at)) {
        char character = *c->at++;
        if (character == quote)
            return out->failed ? fail(c, "a string is too long") : 0;
        if (character == '\\' && quote == '"')
            CORAS_TRY(take_escape(c, out));
        else
            coras_buf_putc(out, character);
    }
    return fail(c, "a string does not end on its line");
}

/* ---- keys ---- */

static bool is_bare(char character)
{
    return coras_is_alnum(character) || character == '_' || character == '-';
}

static int take_key_part(struct cursor *c, struct key *key)
{
    coras_auto_buf part = CORAS_BUF_INIT(CORAS_LIMIT_TOML_STRING);
    char quote;

    if (key->parts.len >= CORAS_LIMIT_TOML_DEPTH)
        return fail(c, "a key with too many dots");
    skip_blanks(c);
    quote = is_at(c, '"') ? '"' : '\'';
    if (take(c, quote)) {
        CORAS_TRY(take_string(c, quote, &part));
    } else {
        while (c->at < c->end && is_bare(*c->at))
            coras_buf_putc(&part, *c->at++);
        if (part.len == 0)
            return fail(c, "a key is missing");
    }
    skip_blanks(c);
    return coras_strlist_add(&key->parts, part.ptr, c->err);
}

static int take_key(struct cursor *c, struct key *key)
{
    do
        CORAS_TRY(take_key_part(c, key));
    while (take(c, '.'));
    return 0;
}

/* ---- where a key leads ---- */

/* Into the table of this name; made when there is none. */
static int enter(struct cursor *c, serve_toml **table, const char *name)
{
    serve_toml *found = member(*table, name);

    if (!found) {
        CORAS_TRY(new_value(c, SERVE_TOML_TABLE, &found));
        CORAS_TRY(add_child(c, *table, name, found));
    }
    if (found->kind == SERVE_TOML_ARRAY && !found->is_closed && found->children.len > 0)
        found = found->children.items[found->children.len - 1];
    if (found->kind != SERVE_TOML_TABLE || found->is_closed)
        return fail(c, "a key has a value already");
    *table = found;
    return 0;
}

/* All but the last part. */
static int enter_above(struct cursor *c, serve_toml **table, const struct key *key)
{
    for (size_t i = 0; i + 1 < key->parts.len; i++)
        CORAS_TRY(enter(c, table, key->parts.items[i]));
    return 0;
}

static int open_table(struct cursor *c, serve_toml *root, const struct key *key, serve_toml **ret)
{
    const char *last = key->parts.items[key->parts.len - 1];
    serve_toml *table = root;

    CORAS_TRY(enter_above(c, &table, key));
    CORAS_TRY(enter(c, &table, last));
    if (table->is_defined)
        return fail(c, "a table is there twice");
    table->is_defined = true;
    table->line = c->line;
    *ret = table;
    return 0;
}

static int open_element(struct cursor *c, serve_toml *root, const struct key *key, serve_toml **ret)
{
    const char *last = key->parts.items[key->parts.len - 1];
    serve_toml *table = root, *list, *element = NULL;

    CORAS_TRY(enter_above(c, &table, key));
    list = member(table, last);
    if (!list) {
        CORAS_TRY(new_value(c, SERVE_TOML_ARRAY, &list));
        CORAS_TRY(add_child(c, table, last, list));
    }
    if (list->kind != SERVE_TOML_ARRAY || list->is_closed)
        return fail(c, "a key has a value already");
    CORAS_TRY(new_value(c, SERVE_TOML_TABLE, &element));
    element->is_defined = true;
    *ret = element;
    return add_child(c, list, NULL, element);
}

static int take_header(struct cursor *c, serve_toml *root, serve_toml **ret)
{
    struct key key = {{0}};
    bool is_element = take(c, '[');
    int rc = take_key(c, &key);

    if (rc == 0 && (!take(c, ']') || (is_element && !take(c, ']'))))
        rc = fail(c, "the name of a table does not end");
    if (rc == 0)
        rc = is_element ? open_element(c, root, &key, ret) : open_table(c, root, &key, ret);
    coras_strlist_clear(&key.parts);
    return rc < 0 ? rc : end_line(c);
}

/* ---- values ---- */

static int take_value(struct cursor *c, int depth, serve_toml **ret);

static int take_pair(struct cursor *c, int depth, serve_toml *table)
{
    struct key key = {{0}};
    serve_toml *value = NULL;
    int rc = take_key(c, &key);
    const char *last = rc == 0 ? key.parts.items[key.parts.len - 1] : NULL;

    if (rc == 0 && !take(c, '='))
        rc = fail(c, "a key without =");
    if (rc == 0)
        rc = enter_above(c, &table, &key);
    if (rc == 0 && member(table, last))
        rc = fail(c, "a key is there twice");
    if (rc == 0)
        rc = take_value(c, depth, &value);
    if (rc == 0)
        rc = add_child(c, table, last, value);
    coras_strlist_clear(&key.parts);
    return rc;
}

static int take_elements(struct cursor *c, int depth, serve_toml *array)
{
    for (;;) {
        serve_toml *element = NULL;
        skip_lines(c);
        if (take(c, ']'))
            return 0;
        CORAS_TRY(take_value(c, depth + 1, &element));
        CORAS_TRY(add_child(c, array, NULL, element));
        skip_lines(c);
        if (!take(c, ',') && !is_at(c, ']'))
            return fail(c, "an array does not end");
    }
}

static int take_members(struct cursor *c, int depth, serve_toml *table)
{
    skip_blanks(c);
    if (take(c, '}'))
        return 0;
    do {
        CORAS_TRY(take_pair(c, depth + 1, table));
        skip_blanks(c);
    } while (take(c, ','));
    return take(c, '}') ? 0 : fail(c, "an inline table does not end");
}

static int take_text(struct cursor *c, char quote, serve_toml *value)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_TOML_STRING);

    CORAS_TRY(take_string(c, quote, &text));
    return coras_buf_take(&text, &value->text, c->err);
}

static bool is_word(char character)
{
    return is_bare(character) || character == '+' || character == '.' || character == ':';
}

/* "inf" and "nan" are numbers. */
static bool is_number(coras_str word)
{
    return word.len > 0 && (coras_is_digit(*word.ptr) || *word.ptr == '+' || *word.ptr == '-' ||
                            coras_str_eq(word, "inf") || coras_str_eq(word, "nan"));
}

/* true, false, numbers, times. */
static int take_word(struct cursor *c, serve_toml *value)
{
    const char *start = c->at;
    coras_str word;

    while (c->at < c->end && is_word(*c->at))
        c->at++;
    word = (coras_str){start, (size_t)(c->at - start)};
    value->text = coras_strndup(word.ptr, word.len);
    if (!value->text)
        return coras_fail_no_memory(c->err);
    value->is_true = coras_str_eq(word, "true");
    if (value->is_true || coras_str_eq(word, "false"))
        value->kind = SERVE_TOML_BOOLEAN;
    else if (!is_number(word))
        return fail(c, "a value that is not understood");
    return 0;
}

static int fill_value(struct cursor *c, int depth, serve_toml *value)
{
    switch (value->kind) {
    case SERVE_TOML_STRING:
        return take_text(c, *c->at++, value);
    case SERVE_TOML_ARRAY:
        c->at++;
        return take_elements(c, depth, value);
    case SERVE_TOML_TABLE:
        c->at++;
        return take_members(c, depth, value);
    default:
        return take_word(c, value);
    }
}

static enum serve_toml_kind kind_at(const struct cursor *c)
{
    switch (c->at < c->end ? *c->at : '\0') {
    case '"':
    case '\'':
        return SERVE_TOML_STRING;
    case '[':
        return SERVE_TOML_ARRAY;
    case '{':
        return SERVE_TOML_TABLE;
    default:
        return SERVE_TOML_OTHER;
    }
}

static int take_value(struct cursor *c, int depth, serve_toml **ret)
{
    serve_toml *value = NULL;
    int rc;

    if (depth > CORAS_LIMIT_TOML_DEPTH)
        return fail(c, "values in values are too deep");
    skip_blanks(c);
    CORAS_TRY(new_value(c, kind_at(c), &value));
    rc = fill_value(c, depth, value);
    value->is_closed = true;
    if (rc < 0)
        serve_toml_free(value);
    else
        *ret = value;
    return rc;
}

/* ---- the document ---- */

static int take_document(struct cursor *c, serve_toml *root)
{
    serve_toml *table = root;

    for (skip_lines(c); c->at < c->end; skip_lines(c)) {
        if (take(c, '[')) {
            CORAS_TRY(take_header(c, root, &table));
        } else {
            CORAS_TRY(take_pair(c, 0, table));
            CORAS_TRY(end_line(c));
        }
    }
    return 0;
}

int serve_toml_parse(const char *text, size_t len, const char *name, serve_toml **ret,
                     coras_error **err)
{
    struct cursor c = {.at = text, .end = text + len, .line = 1, .name = name, .err = err};
    coras_auto(serve_toml) root = NULL;

    CORAS_TRY(new_value(&c, SERVE_TOML_TABLE, &root));
    if (!coras_utf8_valid(text, len))
        return fail(&c, "the file is no text in UTF-8");
    CORAS_TRY(take_document(&c, root));
    *ret = coras_steal(&root);
    return 0;
}
