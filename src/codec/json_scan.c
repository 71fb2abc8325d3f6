/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of JSON as a state machine (json_scan.h says why it is ours).
 */
#include "codec/json_scan.h"

#include "base/error.h"
#include "base/str.h"
#include "gospell/quote.h"

enum state {
    BEGIN_VALUE,
    BEGIN_VALUE_OR_END, /* after '[' */
    BEGIN_KEY,
    BEGIN_KEY_OR_END, /* after '{' */
    AFTER_VALUE,
    AFTER_TOP,
    IN_STRING,
    IN_ESCAPE,
    IN_HEX,
    IN_LITERAL,
    AFTER_MINUS,
    AFTER_ZERO,
    IN_INTEGER,
    AFTER_POINT,
    IN_FRACTION,
    AFTER_E,
    AFTER_E_SIGN,
    IN_EXPONENT,
};

enum within { IN_KEY, IN_VALUE, IN_ARRAY };

void coras_json_scan_init(struct coras_json_scanner *s, coras_error **err)
{
    s->state = BEGIN_VALUE;
    s->depth = 0;
    s->err = err;
}

/* Go names a byte by the character of the same number. */
static void put_char_name(coras_buf *b, unsigned char c)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_buf quoted = CORAS_BUF_UNLIMITED;

    if (c == '\'') {
        coras_buf_puts(b, "'\\''");
        return;
    }
    if (c == '"') {
        coras_buf_puts(b, "'\"'");
        return;
    }
    if (c == 0) {
        coras_buf_puts(b, "'\\x00'");
        return;
    }
    coras_utf8_put(&text, c);
    coras_go_quote(&quoted, text.ptr);
    coras_buf_putc(b, '\'');
    if (quoted.len >= 2)
        coras_buf_put(b, quoted.ptr + 1, quoted.len - 2);
    coras_buf_putc(b, '\'');
}

static enum coras_json_event invalid(struct coras_json_scanner *s, char c, const char *context)
{
    coras_auto_buf name = CORAS_BUF_UNLIMITED;

    put_char_name(&name, (unsigned char)c);
    (void)coras_fail(s->err, CORAS_ERR_INVALID_JSON, "invalid character %s %s", name.ptr, context);
    return CORAS_JSON_EV_ERROR;
}

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum coras_json_event open_level(struct coras_json_scanner *s, enum within within,
                                        enum state next)
{
    if (s->depth == CORAS_LIMIT_JSON_DEPTH) {
        (void)coras_fail(s->err, CORAS_ERR_INVALID_JSON, "exceeded max depth");
        return CORAS_JSON_EV_ERROR;
    }
    s->within[s->depth++] = (unsigned char)within;
    s->state = next;
    return CORAS_JSON_EV_OPEN;
}

static enum coras_json_event close_level(struct coras_json_scanner *s)
{
    s->depth--;
    s->state = s->depth ? AFTER_VALUE : AFTER_TOP;
    return CORAS_JSON_EV_CLOSE;
}

static enum coras_json_event begin_literal(struct coras_json_scanner *s, const char *word)
{
    s->word = word;
    s->literal = word + 1;
    s->state = IN_LITERAL;
    return CORAS_JSON_EV_START;
}

static enum coras_json_event begin_value(struct coras_json_scanner *s, char c)
{
    switch (c) {
    case '{':
        return open_level(s, IN_KEY, BEGIN_KEY_OR_END);
    case '[':
        return open_level(s, IN_ARRAY, BEGIN_VALUE_OR_END);
    case '"':
        s->state = IN_STRING;
        return CORAS_JSON_EV_START;
    case '-':
        s->state = AFTER_MINUS;
        return CORAS_JSON_EV_START;
    case '0':
        s->state = AFTER_ZERO;
        return CORAS_JSON_EV_START;
    case 't':
        return begin_literal(s, "true");
    case 'f':
        return begin_literal(s, "false");
    case 'n':
        return begin_literal(s, "null");
    default:
        if (!coras_is_digit(c))
            return invalid(s, c, "looking for beginning of value");
        s->state = IN_INTEGER;
        return CORAS_JSON_EV_START;
    }
}

static enum coras_json_event begin_key(struct coras_json_scanner *s, char c)
{
    if (c != '"')
        return invalid(s, c, "looking for beginning of object key string");
    s->state = IN_STRING;
    return CORAS_JSON_EV_START;
}

static enum coras_json_event after_value(struct coras_json_scanner *s, char c)
{
    unsigned char *within;

    if (s->depth == 0) {
        s->state = AFTER_TOP;
        return is_json_space(c) ? CORAS_JSON_EV_END_SPACE : invalid(s, c, "after top-level value");
    }
    s->state = AFTER_VALUE;
    if (is_json_space(c))
        return CORAS_JSON_EV_SPACE;
    within = &s->within[s->depth - 1];
    if (*within == IN_KEY) {
        if (c != ':')
            return invalid(s, c, "after object key");
        *within = IN_VALUE;
        s->state = BEGIN_VALUE;
        return CORAS_JSON_EV_COLON;
    }
    if (c == ',') {
        s->state = *within == IN_ARRAY ? BEGIN_VALUE : BEGIN_KEY;
        if (*within == IN_VALUE)
            *within = IN_KEY;
        return CORAS_JSON_EV_COMMA;
    }
    if (c == (*within == IN_ARRAY ? ']' : '}'))
        return close_level(s);
    return invalid(s, c,
                   *within == IN_ARRAY ? "after array element" : "after object key:value pair");
}

static enum coras_json_event in_string(struct coras_json_scanner *s, char c)
{
    if (c == '"')
        s->state = s->depth ? AFTER_VALUE : AFTER_TOP;
    else if (c == '\\')
        s->state = IN_ESCAPE;
    else if ((unsigned char)c < 0x20)
        return invalid(s, c, "in string literal");
    return CORAS_JSON_EV_BYTE;
}

static enum coras_json_event in_escape(struct coras_json_scanner *s, char c)
{
    switch (c) {
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
    case '\\':
    case '/':
    case '"':
        s->state = IN_STRING;
        return CORAS_JSON_EV_BYTE;
    case 'u':
        s->state = IN_HEX;
        s->hex_left = 4;
        return CORAS_JSON_EV_BYTE;
    default:
        return invalid(s, c, "in string escape code");
    }
}

static enum coras_json_event in_hex(struct coras_json_scanner *s, char c)
{
    if (!coras_is_hex(c))
        return invalid(s, c, "in \\u hexadecimal character escape");
    if (--s->hex_left == 0)
        s->state = IN_STRING;
    return CORAS_JSON_EV_BYTE;
}

static enum coras_json_event in_literal(struct coras_json_scanner *s, char c)
{
    coras_auto_buf context = CORAS_BUF_UNLIMITED;

    if (c == *s->literal) {
        if (*++s->literal == '\0')
            s->state = s->depth ? AFTER_VALUE : AFTER_TOP;
        return CORAS_JSON_EV_BYTE;
    }
    coras_buf_printf(&context, "in literal %s (expecting '%c')", s->word, *s->literal);
    return invalid(s, c, context.ptr);
}

/* A state in which a digit must come. */
static enum coras_json_event need_digit(struct coras_json_scanner *s, char c, enum state next,
                                        const char *context)
{
    if (!coras_is_digit(c))
        return invalid(s, c, context);
    s->state = next;
    return CORAS_JSON_EV_BYTE;
}

/* States in which a number may end. */
static enum coras_json_event in_number(struct coras_json_scanner *s, char c)
{
    bool may_have_point = s->state == AFTER_ZERO || s->state == IN_INTEGER;

    if (coras_is_digit(c) && s->state != AFTER_ZERO)
        return CORAS_JSON_EV_BYTE;
    if (c == '.' && may_have_point) {
        s->state = AFTER_POINT;
        return CORAS_JSON_EV_BYTE;
    }
    if ((c == 'e' || c == 'E') && s->state != IN_EXPONENT) {
        s->state = AFTER_E;
        return CORAS_JSON_EV_BYTE;
    }
    return after_value(s, c);
}

static enum coras_json_event step_number(struct coras_json_scanner *s, char c)
{
    switch (s->state) {
    case AFTER_MINUS:
        return need_digit(s, c, c == '0' ? AFTER_ZERO : IN_INTEGER, "in numeric literal");
    case AFTER_POINT:
        return need_digit(s, c, IN_FRACTION, "after decimal point in numeric literal");
    case AFTER_E:
        if (c == '+' || c == '-') {
            s->state = AFTER_E_SIGN;
            return CORAS_JSON_EV_BYTE;
        }
        return need_digit(s, c, IN_EXPONENT, "in exponent of numeric literal");
    case AFTER_E_SIGN:
        return need_digit(s, c, IN_EXPONENT, "in exponent of numeric literal");
    default:
        return in_number(s, c);
    }
}

enum coras_json_event coras_json_scan_step(struct coras_json_scanner *s, char c)
{
    switch (s->state) {
    case IN_STRING:
        return in_string(s, c);
    case IN_ESCAPE:
        return in_escape(s, c);
    case IN_HEX:
        return in_hex(s, c);
    case IN_LITERAL:
        return in_literal(s, c);
    case AFTER_VALUE:
    case AFTER_TOP:
        return after_value(s, c);
    case BEGIN_VALUE:
    case BEGIN_VALUE_OR_END:
        if (is_json_space(c))
            return CORAS_JSON_EV_SPACE;
        if (s->state == BEGIN_VALUE_OR_END && c == ']')
            return close_level(s);
        return begin_value(s, c);
    case BEGIN_KEY:
    case BEGIN_KEY_OR_END:
        if (is_json_space(c))
            return CORAS_JSON_EV_SPACE;
        if (s->state == BEGIN_KEY_OR_END && c == '}')
            return close_level(s);
        return begin_key(s, c);
    default:
        return step_number(s, c);
    }
}

int coras_json_scan_failed(const struct coras_json_scanner *s)
{
    return s->err ? coras_error_code(*s->err) : CORAS_ERR_INVALID_JSON;
}

bool coras_json_scan_in_key(const struct coras_json_scanner *s)
{
    return s->depth && s->within[s->depth - 1] == IN_KEY;
}

bool coras_json_scan_is_complete(const struct coras_json_scanner *s)
{
    return s->state == AFTER_TOP;
}

/* The document must be complete at its end. Go feeds one blank to see whether it is. */
int coras_json_scan_finish(struct coras_json_scanner *s)
{
    if (coras_json_scan_step(s, ' ') == CORAS_JSON_EV_ERROR)
        return coras_json_scan_failed(s);
    if (s->state == AFTER_TOP)
        return 0;
    return coras_fail(s->err, CORAS_ERR_INVALID_JSON, "unexpected end of JSON input");
}

int coras_json_scan_check(const char *text, size_t len, coras_error **err)
{
    struct coras_json_scanner s;

    coras_json_scan_init(&s, err);
    for (size_t i = 0; i < len; i++) {
        if (coras_json_scan_step(&s, text[i]) == CORAS_JSON_EV_ERROR)
            return coras_json_scan_failed(&s);
    }
    return coras_json_scan_finish(&s);
}
