/* SPDX-License-Identifier: Apache-2.0 */
/* From text to tokens; the state is whether we are inside of an action. */
#include "gotemplate/lex.h"

#include "gospell/unicode_print.h"
#include "gotemplate/unicode.h"

#define END_OF_INPUT UINT32_MAX

static bool is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(uint32_t c)
{
    return c == '_' || gotmpl_is_letter(c) || gotmpl_is_digit(c);
}

static uint32_t peek(const struct gotmpl_lexer *l, size_t *ret_len)
{
    uint32_t c;

    *ret_len = coras_utf8_decode(l->input.ptr + l->pos, l->input.len - l->pos, &c);
    return *ret_len ? c : END_OF_INPUT;
}

static uint32_t next(struct gotmpl_lexer *l)
{
    size_t len;
    uint32_t c = peek(l, &len);

    l->pos += len;
    return c;
}

static coras_str rest(const struct gotmpl_lexer *l)
{
    return gotmpl_sub(l->input, l->pos, l->input.len);
}

static int line_at(struct gotmpl_lexer *l, size_t pos)
{
    for (; l->counted < pos; l->counted++)
        l->line += l->input.ptr[l->counted] == '\n';
    return l->line;
}

static struct gotmpl_token emit(struct gotmpl_lexer *l, enum gotmpl_token_type type)
{
    struct gotmpl_token t = {.type = type,
                             .pos = l->start,
                             .line = line_at(l, l->start),
                             .text = gotmpl_sub(l->input, l->start, l->pos)};

    l->start = l->pos;
    return t;
}

static struct gotmpl_token refuse_text(struct gotmpl_lexer *l, coras_str message)
{
    struct gotmpl_token t = {
        .type = GOTMPL_TOK_ERROR, .pos = l->start, .line = line_at(l, l->start), .text = message};

    l->stopped = true;
    return t;
}

static struct gotmpl_token refuse(struct gotmpl_lexer *l, const char *message)
{
    return refuse_text(l, coras_str_of(message));
}

/* %#U: U+0040 '@'. */
static coras_str code_point_name(struct gotmpl_arena *a, uint32_t c)
{
    struct gotmpl_text t = GOTMPL_TEXT(a);

    if (c == END_OF_INPUT) {
        gotmpl_puts(&t, "U+FFFFFFFFFFFFFFFF");
    } else {
        gotmpl_printf(&t, "U+%04X", (unsigned)c);
        if (coras_unicode_is_print(c)) {
            gotmpl_puts(&t, " '");
            gotmpl_put_rune(&t, c);
            gotmpl_putc(&t, '\'');
        }
    }
    return gotmpl_text_str(&t);
}

static struct gotmpl_token refuse_rune(struct gotmpl_lexer *l, const char *what, uint32_t c)
{
    return refuse_text(l, gotmpl_format(l->arena, "%s %s", what, code_point_name(l->arena, c).ptr));
}

static bool starts_trimmed(coras_str s)
{
    return s.len >= 2 && s.ptr[0] == '-' && is_space((unsigned char)s.ptr[1]);
}

/* Whether }} or " -}}" is next. */
static bool at_right_delim(const struct gotmpl_lexer *l, bool *ret_trim)
{
    coras_str s = rest(l);

    *ret_trim = s.len >= 4 && is_space((unsigned char)s.ptr[0]) && s.ptr[1] == '-' &&
                s.ptr[2] == '}' && s.ptr[3] == '}';
    return *ret_trim || gotmpl_has_prefix(s, "}}");
}

static void skip_space(struct gotmpl_lexer *l)
{
    while (l->pos < l->input.len && is_space((unsigned char)l->input.ptr[l->pos]))
        l->pos++;
}

/* After the opening delimiter of a comment: skip it; false with a message when it is broken. */
static const char *skip_comment(struct gotmpl_lexer *l)
{
    size_t end;
    bool trim;

    l->pos += 2;
    end = gotmpl_find(rest(l), CORAS_STR("*/"));
    if (end == GOTMPL_NOT_FOUND)
        return "unclosed comment";
    l->pos += end + 2;
    if (!at_right_delim(l, &trim))
        return "comment ends before closing delimiter";
    l->pos += trim ? 4 : 2;
    if (trim)
        skip_space(l);
    l->start = l->pos;
    return NULL;
}

/* At {{: the delimiter as a token, or nothing when it was a comment. */
static bool lex_left_delim(struct gotmpl_lexer *l, struct gotmpl_token *ret)
{
    size_t marker;
    const char *problem;

    l->pos += 2;
    marker = starts_trimmed(rest(l)) ? 2 : 0;
    if (gotmpl_has_prefix(gotmpl_sub(l->input, l->pos + marker, l->input.len), "/*")) {
        l->pos += marker;
        l->start = l->pos;
        problem = skip_comment(l);
        if (problem)
            *ret = refuse(l, problem);
        return problem != NULL;
    }
    *ret = emit(l, GOTMPL_TOK_LEFT_DELIM);
    l->inside = true;
    l->pos += marker;
    l->start = l->pos;
    l->parens = 0;
    return true;
}

static struct gotmpl_token lex_text(struct gotmpl_lexer *l)
{
    struct gotmpl_token t;

    for (;;) {
        size_t open = gotmpl_find(rest(l), CORAS_STR("{{"));
        size_t end;
        if (open == GOTMPL_NOT_FOUND) {
            l->pos = l->input.len;
            return emit(l, l->pos > l->start ? GOTMPL_TOK_TEXT : GOTMPL_TOK_EOF);
        }
        open += l->pos;
        end = open;
        if (starts_trimmed(gotmpl_sub(l->input, open + 2, l->input.len)))
            while (end > l->start && is_space((unsigned char)l->input.ptr[end - 1]))
                end--;
        l->pos = end;
        if (end > l->start) {
            t = emit(l, GOTMPL_TOK_TEXT);
            l->pos = l->start = open;
            return t;
        }
        l->pos = l->start = open;
        if (lex_left_delim(l, &t))
            return t;
    }
}

static struct gotmpl_token lex_right_delim(struct gotmpl_lexer *l)
{
    struct gotmpl_token t;
    bool trim;

    at_right_delim(l, &trim);
    if (trim) {
        l->pos += 2;
        l->start = l->pos;
    }
    l->pos += 2;
    t = emit(l, GOTMPL_TOK_RIGHT_DELIM);
    if (trim) {
        skip_space(l);
        l->start = l->pos;
    }
    l->inside = false;
    return t;
}

/* Blanks; the last one may belong to " -}}". */
static struct gotmpl_token lex_space(struct gotmpl_lexer *l)
{
    bool trim;

    skip_space(l);
    l->pos--;
    if (at_right_delim(l, &trim) && trim) {
        if (l->pos == l->start)
            return lex_right_delim(l);
    } else {
        l->pos++;
    }
    return emit(l, GOTMPL_TOK_SPACE);
}

/* What may follow a name: keeps `$x+2` an error. */
static bool at_terminator(const struct gotmpl_lexer *l)
{
    size_t len;
    uint32_t c = peek(l, &len);

    if (c == END_OF_INPUT || is_space(c))
        return true;
    return (c < 0x80 && strchr(".,|:)(", (int)c)) || gotmpl_has_prefix(rest(l), "}}");
}

static void skip_word(struct gotmpl_lexer *l)
{
    size_t len;

    while (is_word(peek(l, &len)) && len)
        l->pos += len;
}

static enum gotmpl_token_type word_type(coras_str word)
{
    static const struct {
        const char *word;
        enum gotmpl_token_type type;
    } keywords[] = {
        {"true", GOTMPL_TOK_BOOL},     {"false", GOTMPL_TOK_BOOL},
        {"nil", GOTMPL_TOK_NIL},       {"block", GOTMPL_TOK_BLOCK},
        {"break", GOTMPL_TOK_BREAK},   {"continue", GOTMPL_TOK_CONTINUE},
        {"define", GOTMPL_TOK_DEFINE}, {"else", GOTMPL_TOK_ELSE},
        {"end", GOTMPL_TOK_END},       {"if", GOTMPL_TOK_IF},
        {"range", GOTMPL_TOK_RANGE},   {"template", GOTMPL_TOK_TEMPLATE},
        {"with", GOTMPL_TOK_WITH},
    };

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (coras_str_eq(word, keywords[i].word))
            return keywords[i].type;
    return GOTMPL_TOK_IDENTIFIER;
}

static struct gotmpl_token lex_word(struct gotmpl_lexer *l)
{
    size_t len;

    skip_word(l);
    if (!at_terminator(l))
        return refuse_rune(l, "bad character", peek(l, &len));
    return emit(l, word_type(gotmpl_sub(l->input, l->start, l->pos)));
}

/* `.name` or `$name`, whose first character is consumed. */
static struct gotmpl_token lex_name(struct gotmpl_lexer *l, enum gotmpl_token_type type,
                                    enum gotmpl_token_type alone)
{
    size_t len;

    if (at_terminator(l))
        return emit(l, alone);
    skip_word(l);
    if (!at_terminator(l))
        return refuse_rune(l, "bad character", peek(l, &len));
    return emit(l, type);
}

static struct gotmpl_token lex_quoted(struct gotmpl_lexer *l, char quote,
                                      enum gotmpl_token_type type, const char *problem)
{
    for (;;) {
        uint32_t c = next(l);
        if (c == '\\' && quote != '`')
            c = next(l) == '\n' ? '\n' : l->pos < l->input.len ? ' ' : END_OF_INPUT;
        else if (c == (uint32_t)quote)
            return emit(l, type);
        if (c == END_OF_INPUT || (c == '\n' && quote != '`'))
            return refuse(l, problem);
    }
}

static bool accept(struct gotmpl_lexer *l, const char *set)
{
    if (l->pos >= l->input.len || !l->input.ptr[l->pos] || !strchr(set, l->input.ptr[l->pos]))
        return false;
    l->pos++;
    return true;
}

static bool scan_number(struct gotmpl_lexer *l)
{
    const char *digits = "0123456789_";
    char exponent[] = "eE";
    size_t len;

    accept(l, "+-");
    if (accept(l, "0")) {
        if (accept(l, "xX")) {
            digits = "0123456789abcdefABCDEF_";
            memcpy(exponent, "pP", 2);
        } else if (accept(l, "oO")) {
            digits = "01234567_";
            exponent[0] = '\0';
        } else if (accept(l, "bB")) {
            digits = "01_";
            exponent[0] = '\0';
        }
    }
    while (accept(l, digits))
        ;
    if (accept(l, "."))
        while (accept(l, digits))
            ;
    if (exponent[0] && accept(l, exponent)) {
        accept(l, "+-");
        while (accept(l, "0123456789_"))
            ;
    }
    if (peek(l, &len) != END_OF_INPUT && is_word(peek(l, &len))) {
        l->pos += len;
        return false;
    }
    return true;
}

static struct gotmpl_token lex_number(struct gotmpl_lexer *l)
{
    struct gotmpl_text message = GOTMPL_TEXT(l->arena);
    bool good = scan_number(l);

    if (good && l->pos < l->input.len && strchr("+-", l->input.ptr[l->pos]))
        good = scan_number(l) && false; /* would be a complex number, which we leave out */
    if (good)
        return emit(l, GOTMPL_TOK_NUMBER);
    gotmpl_puts(&message, "bad number syntax: ");
    gotmpl_put_quoted(&message, gotmpl_sub(l->input, l->start, l->pos), '"', false);
    return refuse_text(l, gotmpl_text_str(&message));
}

static struct gotmpl_token lex_punctuation(struct gotmpl_lexer *l, uint32_t c)
{
    switch (c) {
    case '=':
        return emit(l, GOTMPL_TOK_ASSIGN);
    case ':':
        return next(l) == '=' ? emit(l, GOTMPL_TOK_DECLARE) : refuse(l, "expected :=");
    case '|':
        return emit(l, GOTMPL_TOK_PIPE);
    case '(':
        l->parens++;
        return emit(l, GOTMPL_TOK_LEFT_PAREN);
    case ')':
        if (--l->parens < 0)
            return refuse(l, "unexpected right paren");
        return emit(l, GOTMPL_TOK_RIGHT_PAREN);
    default:
        if (c < 0x7f && c >= ' ')
            return emit(l, GOTMPL_TOK_CHAR);
        return refuse_rune(l, "unrecognized character in action:", c);
    }
}

static struct gotmpl_token lex_inside(struct gotmpl_lexer *l)
{
    bool trim;
    uint32_t c;

    if (at_right_delim(l, &trim))
        return l->parens == 0 ? lex_right_delim(l) : refuse(l, "unclosed left paren");
    c = next(l);
    if (c == END_OF_INPUT)
        return refuse(l, "unclosed action");
    if (is_space(c))
        return lex_space(l);
    if (c == '"')
        return lex_quoted(l, '"', GOTMPL_TOK_STRING, "unterminated quoted string");
    if (c == '`')
        return lex_quoted(l, '`', GOTMPL_TOK_RAW_STRING, "unterminated raw quoted string");
    if (c == '\'')
        return lex_quoted(l, '\'', GOTMPL_TOK_CHAR_CONSTANT, "unterminated character constant");
    if (c == '$')
        return lex_name(l, GOTMPL_TOK_VARIABLE, GOTMPL_TOK_VARIABLE);
    if (c == '.' && l->pos < l->input.len && !coras_is_digit(l->input.ptr[l->pos]))
        return lex_name(l, GOTMPL_TOK_FIELD, GOTMPL_TOK_DOT);
    if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9')) {
        l->pos--;
        return lex_number(l);
    }
    if (is_word(c))
        return lex_word(l);
    return lex_punctuation(l, c);
}

struct gotmpl_token gotmpl_lex(struct gotmpl_lexer *l)
{
    if (l->stopped)
        return (struct gotmpl_token){
            .type = GOTMPL_TOK_EOF, .line = line_at(l, l->start), .text = CORAS_STR("EOF")};
    return l->inside ? lex_inside(l) : lex_text(l);
}

coras_str gotmpl_token_text(struct gotmpl_arena *a, const struct gotmpl_token *token)
{
    enum { SHOWN = 10 };
    struct gotmpl_text t = GOTMPL_TEXT(a);
    coras_str s = token->text;
    size_t runes = 0, end = 0;

    if (token->type == GOTMPL_TOK_EOF)
        return CORAS_STR("EOF");
    if (token->type == GOTMPL_TOK_ERROR)
        return s;
    if (token->type > GOTMPL_TOK_KEYWORD)
        return gotmpl_format(a, "<%.*s>", (int)s.len, s.ptr);
    for (uint32_t c; end < s.len && runes < SHOWN; runes++)
        end += coras_utf8_decode(s.ptr + end, s.len - end, &c);
    gotmpl_put_quoted(&t, gotmpl_sub(s, 0, s.len > SHOWN ? end : s.len), '"', false);
    if (s.len > SHOWN)
        gotmpl_puts(&t, "...");
    return gotmpl_text_str(&t);
}
