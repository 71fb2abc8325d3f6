/*
 * JSON as text: checking, re-indenting and slicing it without changing a number, an escape or the
 * order of keys. A state machine without recursion, with the words of Go's encoding/json for what
 * is wrong. It accepts what Go accepts: strings are not checked to be UTF-8.
 */
#include "base/json.h"

#include <assert.h>
#include "base/error.h"
#include "base/limits.h"

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

enum event {
    EV_BYTE,  /* inside a token, or its first byte */
    EV_START, /* first byte of a string, number or literal */
    EV_OPEN,  /* { or [ */
    EV_CLOSE, /* } or ] */
    EV_COLON,
    EV_COMMA,
    EV_SPACE,     /* white space between tokens */
    EV_END_SPACE, /* white space after the document */
    EV_ERROR,
};

struct scanner {
    enum state state;
    const char *literal; /* what is left of true, false, null; whole word before it */
    const char *word;
    int hex_left;
    unsigned depth;
    unsigned char within[CORAS_LIMIT_JSON_DEPTH]; /* enum within of each level */
    coras_error **err;
};

static void scanner_init(struct scanner *s, coras_error **err)
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

static enum event invalid(struct scanner *s, char c, const char *context)
{
    coras_auto_buf name = CORAS_BUF_UNLIMITED;

    put_char_name(&name, (unsigned char)c);
    (void)coras_fail(s->err, CORAS_ERR_INVALID_JSON, "invalid character %s %s", name.ptr, context);
    return EV_ERROR;
}

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum event open_level(struct scanner *s, enum within within, enum state next)
{
    if (s->depth == CORAS_LIMIT_JSON_DEPTH) {
        (void)coras_fail(s->err, CORAS_ERR_INVALID_JSON, "exceeded max depth");
        return EV_ERROR;
    }
    s->within[s->depth++] = (unsigned char)within;
    s->state = next;
    return EV_OPEN;
}

static enum event close_level(struct scanner *s)
{
    s->depth--;
    s->state = s->depth ? AFTER_VALUE : AFTER_TOP;
    return EV_CLOSE;
}

static enum event begin_literal(struct scanner *s, const char *word)
{
    s->word = word;
    s->literal = word + 1;
    s->state = IN_LITERAL;
    return EV_START;
}

static enum event begin_value(struct scanner *s, char c)
{
    switch (c) {
    case '{':
        return open_level(s, IN_KEY, BEGIN_KEY_OR_END);
    case '[':
        return open_level(s, IN_ARRAY, BEGIN_VALUE_OR_END);
    case '"':
        s->state = IN_STRING;
        return EV_START;
    case '-':
        s->state = AFTER_MINUS;
        return EV_START;
    case '0':
        s->state = AFTER_ZERO;
        return EV_START;
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
        return EV_START;
    }
}

static enum event begin_key(struct scanner *s, char c)
{
    if (c != '"')
        return invalid(s, c, "looking for beginning of object key string");
    s->state = IN_STRING;
    return EV_START;
}

static enum event after_value(struct scanner *s, char c)
{
    unsigned char *within;

    if (s->depth == 0) {
        s->state = AFTER_TOP;
        return is_json_space(c) ? EV_END_SPACE : invalid(s, c, "after top-level value");
    }
    s->state = AFTER_VALUE;
    if (is_json_space(c))
        return EV_SPACE;
    within = &s->within[s->depth - 1];
    if (*within == IN_KEY) {
        if (c != ':')
            return invalid(s, c, "after object key");
        *within = IN_VALUE;
        s->state = BEGIN_VALUE;
        return EV_COLON;
    }
    if (c == ',') {
        s->state = *within == IN_ARRAY ? BEGIN_VALUE : BEGIN_KEY;
        if (*within == IN_VALUE)
            *within = IN_KEY;
        return EV_COMMA;
    }
    if (c == (*within == IN_ARRAY ? ']' : '}'))
        return close_level(s);
    return invalid(s, c,
                   *within == IN_ARRAY ? "after array element" : "after object key:value pair");
}

static enum event in_string(struct scanner *s, char c)
{
    if (c == '"')
        s->state = s->depth ? AFTER_VALUE : AFTER_TOP;
    else if (c == '\\')
        s->state = IN_ESCAPE;
    else if ((unsigned char)c < 0x20)
        return invalid(s, c, "in string literal");
    return EV_BYTE;
}

static enum event in_escape(struct scanner *s, char c)
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
        return EV_BYTE;
    case 'u':
        s->state = IN_HEX;
        s->hex_left = 4;
        return EV_BYTE;
    default:
        return invalid(s, c, "in string escape code");
    }
}

static enum event in_hex(struct scanner *s, char c)
{
    if (!coras_is_hex_lower(c) && !(c >= 'A' && c <= 'F'))
        return invalid(s, c, "in \\u hexadecimal character escape");
    if (--s->hex_left == 0)
        s->state = IN_STRING;
    return EV_BYTE;
}

static enum event in_literal(struct scanner *s, char c)
{
    coras_auto_buf context = CORAS_BUF_UNLIMITED;

    if (c == *s->literal) {
        if (*++s->literal == '\0')
            s->state = s->depth ? AFTER_VALUE : AFTER_TOP;
        return EV_BYTE;
    }
    coras_buf_printf(&context, "in literal %s (expecting '%c')", s->word, *s->literal);
    return invalid(s, c, context.ptr);
}

/* A state in which a digit must come. */
static enum event need_digit(struct scanner *s, char c, enum state next, const char *context)
{
    if (!coras_is_digit(c))
        return invalid(s, c, context);
    s->state = next;
    return EV_BYTE;
}

/* States in which a number may end. */
static enum event in_number(struct scanner *s, char c)
{
    bool may_have_point = s->state == AFTER_ZERO || s->state == IN_INTEGER;

    if (coras_is_digit(c) && s->state != AFTER_ZERO)
        return EV_BYTE;
    if (c == '.' && may_have_point) {
        s->state = AFTER_POINT;
        return EV_BYTE;
    }
    if ((c == 'e' || c == 'E') && s->state != IN_EXPONENT) {
        s->state = AFTER_E;
        return EV_BYTE;
    }
    return after_value(s, c);
}

static enum event step_number(struct scanner *s, char c)
{
    switch (s->state) {
    case AFTER_MINUS:
        return need_digit(s, c, c == '0' ? AFTER_ZERO : IN_INTEGER, "in numeric literal");
    case AFTER_POINT:
        return need_digit(s, c, IN_FRACTION, "after decimal point in numeric literal");
    case AFTER_E:
        if (c == '+' || c == '-') {
            s->state = AFTER_E_SIGN;
            return EV_BYTE;
        }
        return need_digit(s, c, IN_EXPONENT, "in exponent of numeric literal");
    case AFTER_E_SIGN:
        return need_digit(s, c, IN_EXPONENT, "in exponent of numeric literal");
    default:
        return in_number(s, c);
    }
}

static enum event step(struct scanner *s, char c)
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
            return EV_SPACE;
        if (s->state == BEGIN_VALUE_OR_END && c == ']')
            return close_level(s);
        return begin_value(s, c);
    case BEGIN_KEY:
    case BEGIN_KEY_OR_END:
        if (is_json_space(c))
            return EV_SPACE;
        if (s->state == BEGIN_KEY_OR_END && c == '}')
            return close_level(s);
        return begin_key(s, c);
    default:
        return step_number(s, c);
    }
}

static int scan_failed(const struct scanner *s)
{
    return s->err ? coras_error_code(*s->err) : CORAS_ERR_INVALID_JSON;
}

/* The document must be complete at its end. Go feeds one blank to see whether it is. */
static int finish(struct scanner *s)
{
    if (step(s, ' ') == EV_ERROR)
        return scan_failed(s);
    if (s->state == AFTER_TOP)
        return 0;
    return coras_fail(s->err, CORAS_ERR_INVALID_JSON, "unexpected end of JSON input");
}

/* ---- indenting ---- */

static void put_line_start(coras_buf *out, unsigned depth)
{
    coras_buf_putc(out, '\n');
    for (unsigned i = 0; i < depth; i++)
        coras_buf_puts(out, "  ");
}

static void put_indented(coras_buf *out, char c, enum event ev, const struct scanner *s,
                         bool *just_opened)
{
    if (ev == EV_SPACE)
        return;
    if (*just_opened && ev != EV_CLOSE)
        put_line_start(out, s->depth - (ev == EV_OPEN));
    if (ev == EV_CLOSE && !*just_opened)
        put_line_start(out, s->depth);
    *just_opened = ev == EV_OPEN;
    coras_buf_putc(out, c);
    if (ev == EV_COMMA)
        put_line_start(out, s->depth);
    if (ev == EV_COLON)
        coras_buf_putc(out, ' ');
}

int coras_json_indent(const char *text, size_t len, coras_buf *out, coras_error **err)
{
    struct scanner s;
    size_t start = out->len;
    bool just_opened = false;

    scanner_init(&s, err);
    for (size_t i = 0; i < len; i++) {
        enum event ev = step(&s, text[i]);
        if (ev == EV_ERROR) {
            coras_buf_truncate(out, start);
            return scan_failed(&s);
        }
        put_indented(out, text[i], ev, &s, &just_opened);
    }
    int rc = finish(&s);
    if (rc < 0) {
        coras_buf_truncate(out, start);
        return rc;
    }
    return coras_buf_done(out, err);
}

int coras_json_compact(const char *text, size_t len, coras_buf *out, coras_error **err)
{
    struct scanner s;
    size_t start = out->len;

    scanner_init(&s, err);
    for (size_t i = 0; i < len; i++) {
        enum event ev = step(&s, text[i]);
        if (ev == EV_ERROR) {
            coras_buf_truncate(out, start);
            return scan_failed(&s);
        }
        if (ev != EV_SPACE && ev != EV_END_SPACE)
            coras_buf_putc(out, text[i]);
    }
    int rc = finish(&s);
    if (rc < 0) {
        coras_buf_truncate(out, start);
        return rc;
    }
    return coras_buf_done(out, err);
}

/* ---- slicing ---- */

static int check(const char *text, size_t len, coras_error **err)
{
    struct scanner s;

    scanner_init(&s, err);
    for (size_t i = 0; i < len; i++) {
        if (step(&s, text[i]) == EV_ERROR)
            return scan_failed(&s);
    }
    return finish(&s);
}

static uint32_t hex4(const char *s)
{
    uint32_t n = 0;

    for (int i = 0; i < 4; i++) {
        char c = s[i];
        uint32_t digit =
            coras_is_digit(c) ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
        n = n << 4 | digit;
    }
    return n;
}

/* Decode \uXXXX at s (past the "\u") and the second half of a pair; returns bytes consumed. */
static size_t put_hex_escape(coras_buf *out, const char *s, size_t len)
{
    uint32_t high = hex4(s);

    if (high >= 0xd800 && high <= 0xdbff && len >= 10 && s[4] == '\\' && s[5] == 'u') {
        uint32_t low = hex4(s + 6);
        if (low >= 0xdc00 && low <= 0xdfff) {
            coras_utf8_put(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            return 10;
        }
    }
    coras_utf8_put(out, high); /* half a pair becomes U+FFFD */
    return 4;
}

/* The content of a string literal that was checked before; NUL cannot be represented. */
static int decode_key(coras_str literal, coras_buf *out, coras_error **err)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *s = literal.ptr + 1;
    size_t len = literal.len - 2;

    coras_buf_reset(out);
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        if (s[i] != '\\') {
            i += coras_utf8_decode(s + i, len - i, &cp);
            coras_utf8_put(out, cp);
        } else if (s[i + 1] == 'u') {
            i += 2 + put_hex_escape(out, s + i + 2, len - i - 2);
        } else {
            const char *named = strchr(names, s[i + 1]); /* the byte is no NUL: it was checked */
            coras_buf_putc(out, named ? values[named - names] : s[i + 1]);
            i += 2;
        }
    }
    CORAS_TRY(coras_buf_done(out, err));
    if (strlen(out->ptr) != out->len)
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "NUL character in an object key");
    return 0;
}

static bool is_container(const char *text, size_t len, char open)
{
    return coras_str_trim((coras_str){text, len}).ptr[0] == open;
}

struct slicer {
    const char *text;
    size_t key_at, value_at;
    coras_str key; /* literal with quotes */
    size_t count;
    coras_buf decoded;
    coras_error **err;
    bool (*visit_member)(const char *key, coras_str value, void *user);
    bool (*visit_element)(size_t i, coras_str value, void *user);
    void *user;
};

/* 1 when the visitor has seen enough. */
static int give(struct slicer *sl, size_t end)
{
    coras_str value = coras_str_trim((coras_str){sl->text + sl->value_at, end - sl->value_at});

    if (sl->visit_element)
        return sl->visit_element(sl->count++, value, sl->user) ? 0 : 1;
    CORAS_TRY(decode_key(sl->key, &sl->decoded, sl->err));
    return sl->visit_member(sl->decoded.ptr, value, sl->user) ? 0 : 1;
}

static int slice(struct slicer *sl, size_t len)
{
    struct scanner s;
    bool has_item = false;

    scanner_init(&s, NULL);
    for (size_t i = 0; i < len; i++) {
        enum event ev = step(&s, sl->text[i]);
        assert(ev != EV_ERROR); /* the text was checked */
        bool here = s.depth == 1 && ev != EV_SPACE;
        if (here && ev == EV_OPEN) { /* the container itself */
            sl->key_at = sl->value_at = i + 1;
        } else if (here && ev == EV_COLON) {
            sl->key = coras_str_trim((coras_str){sl->text + sl->key_at, i - sl->key_at});
            sl->value_at = i + 1;
        } else if ((here && ev == EV_COMMA) || (ev == EV_CLOSE && s.depth == 0 && has_item)) {
            int rc = give(sl, i);
            if (rc)
                return rc < 0 ? rc : 0;
            sl->key_at = sl->value_at = i + 1;
        } else if (ev == EV_START || ev == EV_OPEN) {
            has_item = true;
        }
    }
    return 0;
}

static int slice_checked(struct slicer *sl, size_t len, char open, coras_error **err)
{
    int rc;

    CORAS_TRY(check(sl->text, len, err));
    if (!is_container(sl->text, len, open))
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "not a JSON %s",
                          open == '{' ? "object" : "array");
    sl->decoded = (coras_buf)CORAS_BUF_UNLIMITED;
    sl->err = err;
    rc = slice(sl, len);
    coras_buf_clear(&sl->decoded);
    return rc;
}

int coras_json_raw_members(const char *text, size_t len,
                           bool (*visit)(const char *key, coras_str value, void *user), void *user,
                           coras_error **err)
{
    struct slicer sl = {.text = text, .visit_member = visit, .user = user};

    return slice_checked(&sl, len, '{', err);
}

int coras_json_raw_elements(const char *text, size_t len,
                            bool (*visit)(size_t i, coras_str value, void *user), void *user,
                            coras_error **err)
{
    struct slicer sl = {.text = text, .visit_element = visit, .user = user};

    return slice_checked(&sl, len, '[', err);
}
