#include "gotemplate/lex.h"

#include "base/unicode_print.h"
#include "gotemplate/unicode.h"

#define END_OF_INPUT UINT32_MAX

static bool is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(uint32_t c)
{
    return c == '_' || tpl_is_letter(c) || tpl_is_digit(c);
}

static uint32_t peek(const struct tpl_lexer *l, size_t *ret_len)
{
    uint32_t c;

    *ret_len = coras_utf8_decode(l->input.ptr + l->pos, l->input.len - l->pos, &c);
    return *ret_len ? c : END_OF_INPUT;
}

static uint32_t next(struct tpl_lexer *l)
{
    size_t len;
    uint32_t c = peek(l, &len);

    l->pos += len;
    return c;
}

static coras_str rest(const struct tpl_lexer *l)
{
    return tpl_sub(l->input, l->pos, l->input.len);
}

static int line_at(struct tpl_lexer *l, size_t pos)
{
    for (; l->counted < pos; l->counted++)
        l->line += l->input.ptr[l->counted] == '\n';
    return l->line;
}

static struct tpl_token emit(struct tpl_lexer *l, enum tpl_token_type type)
{
    struct tpl_token t = {.type = type,
                          .pos = l->start,
                          .line = line_at(l, l->start),
                          .text = tpl_sub(l->input, l->start, l->pos)};

    l->start = l->pos;
    return t;
}

static struct tpl_token refuse_text(struct tpl_lexer *l, coras_str message)
{
    struct tpl_token t = {
        .type = TPL_TOK_ERROR, .pos = l->start, .line = line_at(l, l->start), .text = message};

    l->stopped = true;
    return t;
}

static struct tpl_token refuse(struct tpl_lexer *l, const char *message)
{
    return refuse_text(l, coras_str_of(message));
}

/* %#U: U+0040 '@'. */
static coras_str code_point_name(struct tpl_arena *a, uint32_t c)
{
    struct tpl_text t = TPL_TEXT(a);

    if (c == END_OF_INPUT) {
        tpl_puts(&t, "U+FFFFFFFFFFFFFFFF");
    } else {
        tpl_printf(&t, "U+%04X", (unsigned)c);
        if (coras_unicode_is_print(c)) {
            tpl_puts(&t, " '");
            tpl_put_rune(&t, c);
            tpl_putc(&t, '\'');
        }
    }
    return tpl_text_str(&t);
}

static struct tpl_token refuse_rune(struct tpl_lexer *l, const char *what, uint32_t c)
{
    return refuse_text(l, tpl_format(l->arena, "%s %s", what, code_point_name(l->arena, c).ptr));
}

static bool starts_trimmed(coras_str s)
{
    return s.len >= 2 && s.ptr[0] == '-' && is_space((unsigned char)s.ptr[1]);
}

/* Whether }} or " -}}" is next. */
static bool at_right_delim(const struct tpl_lexer *l, bool *ret_trim)
{
    coras_str s = rest(l);

    *ret_trim = s.len >= 4 && is_space((unsigned char)s.ptr[0]) && s.ptr[1] == '-' &&
                s.ptr[2] == '}' && s.ptr[3] == '}';
    return *ret_trim || tpl_has_prefix(s, "}}");
}

static void skip_space(struct tpl_lexer *l)
{
    while (l->pos < l->input.len && is_space((unsigned char)l->input.ptr[l->pos]))
        l->pos++;
}

/* After the opening delimiter of a comment: skip it; false with a message when it is broken. */
static const char *skip_comment(struct tpl_lexer *l)
{
    size_t end;
    bool trim;

    l->pos += 2;
    end = tpl_find(rest(l), CORAS_STR("*/"));
    if (end == TPL_NOT_FOUND)
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
static bool lex_left_delim(struct tpl_lexer *l, struct tpl_token *ret)
{
    size_t marker;
    const char *problem;

    l->pos += 2;
    marker = starts_trimmed(rest(l)) ? 2 : 0;
    if (tpl_has_prefix(tpl_sub(l->input, l->pos + marker, l->input.len), "/*")) {
        l->pos += marker;
        l->start = l->pos;
        problem = skip_comment(l);
        if (problem)
            *ret = refuse(l, problem);
        return problem != NULL;
    }
    *ret = emit(l, TPL_TOK_LEFT_DELIM);
    l->inside = true;
    l->pos += marker;
    l->start = l->pos;
    l->parens = 0;
    return true;
}

static struct tpl_token lex_text(struct tpl_lexer *l)
{
    struct tpl_token t;

    for (;;) {
        size_t open = tpl_find(rest(l), CORAS_STR("{{"));
        size_t end;
        if (open == TPL_NOT_FOUND) {
            l->pos = l->input.len;
            return emit(l, l->pos > l->start ? TPL_TOK_TEXT : TPL_TOK_EOF);
        }
        open += l->pos;
        end = open;
        if (starts_trimmed(tpl_sub(l->input, open + 2, l->input.len)))
            while (end > l->start && is_space((unsigned char)l->input.ptr[end - 1]))
                end--;
        l->pos = end;
        if (end > l->start) {
            t = emit(l, TPL_TOK_TEXT);
            l->pos = l->start = open;
            return t;
        }
        l->pos = l->start = open;
        if (lex_left_delim(l, &t))
            return t;
    }
}

static struct tpl_token lex_right_delim(struct tpl_lexer *l)
{
    struct tpl_token t;
    bool trim;

    at_right_delim(l, &trim);
    if (trim) {
        l->pos += 2;
        l->start = l->pos;
    }
    l->pos += 2;
    t = emit(l, TPL_TOK_RIGHT_DELIM);
    if (trim) {
        skip_space(l);
        l->start = l->pos;
    }
    l->inside = false;
    return t;
}

/* Blanks; the last one may belong to " -}}". */
static struct tpl_token lex_space(struct tpl_lexer *l)
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
    return emit(l, TPL_TOK_SPACE);
}

/* What may follow a name: keeps `$x+2` an error. */
static bool at_terminator(const struct tpl_lexer *l)
{
    size_t len;
    uint32_t c = peek(l, &len);

    if (c == END_OF_INPUT || is_space(c))
        return true;
    return (c < 0x80 && strchr(".,|:)(", (int)c)) || tpl_has_prefix(rest(l), "}}");
}

static void skip_word(struct tpl_lexer *l)
{
    size_t len;

    while (is_word(peek(l, &len)) && len)
        l->pos += len;
}

static enum tpl_token_type word_type(coras_str word)
{
    static const struct {
        const char *word;
        enum tpl_token_type type;
    } keywords[] = {
        {"true", TPL_TOK_BOOL},     {"false", TPL_TOK_BOOL},  {"nil", TPL_TOK_NIL},
        {"block", TPL_TOK_BLOCK},   {"break", TPL_TOK_BREAK}, {"continue", TPL_TOK_CONTINUE},
        {"define", TPL_TOK_DEFINE}, {"else", TPL_TOK_ELSE},   {"end", TPL_TOK_END},
        {"if", TPL_TOK_IF},         {"range", TPL_TOK_RANGE}, {"template", TPL_TOK_TEMPLATE},
        {"with", TPL_TOK_WITH},
    };

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (coras_str_eq(word, keywords[i].word))
            return keywords[i].type;
    return TPL_TOK_IDENTIFIER;
}

static struct tpl_token lex_word(struct tpl_lexer *l)
{
    size_t len;

    skip_word(l);
    if (!at_terminator(l))
        return refuse_rune(l, "bad character", peek(l, &len));
    return emit(l, word_type(tpl_sub(l->input, l->start, l->pos)));
}

/* `.name` or `$name`, whose first character is consumed. */
static struct tpl_token lex_name(struct tpl_lexer *l, enum tpl_token_type type,
                                 enum tpl_token_type alone)
{
    size_t len;

    if (at_terminator(l))
        return emit(l, alone);
    skip_word(l);
    if (!at_terminator(l))
        return refuse_rune(l, "bad character", peek(l, &len));
    return emit(l, type);
}

static struct tpl_token lex_quoted(struct tpl_lexer *l, char quote, enum tpl_token_type type,
                                   const char *problem)
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

static bool accept(struct tpl_lexer *l, const char *set)
{
    if (l->pos >= l->input.len || !l->input.ptr[l->pos] || !strchr(set, l->input.ptr[l->pos]))
        return false;
    l->pos++;
    return true;
}

static bool scan_number(struct tpl_lexer *l)
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
    accept(l, "i");
    if (peek(l, &len) != END_OF_INPUT && is_word(peek(l, &len))) {
        l->pos += len;
        return false;
    }
    return true;
}

static struct tpl_token lex_number(struct tpl_lexer *l)
{
    struct tpl_text message = TPL_TEXT(l->arena);
    bool good = scan_number(l);
    enum tpl_token_type type = TPL_TOK_NUMBER;

    if (good && l->pos < l->input.len && strchr("+-", l->input.ptr[l->pos])) {
        type = TPL_TOK_COMPLEX;
        good = scan_number(l) && l->input.ptr[l->pos - 1] == 'i';
    }
    if (good)
        return emit(l, type);
    tpl_puts(&message, "bad number syntax: ");
    tpl_put_quoted(&message, tpl_sub(l->input, l->start, l->pos), '"', false);
    return refuse_text(l, tpl_text_str(&message));
}

static struct tpl_token lex_punctuation(struct tpl_lexer *l, uint32_t c)
{
    switch (c) {
    case '=':
        return emit(l, TPL_TOK_ASSIGN);
    case ':':
        return next(l) == '=' ? emit(l, TPL_TOK_DECLARE) : refuse(l, "expected :=");
    case '|':
        return emit(l, TPL_TOK_PIPE);
    case '(':
        l->parens++;
        return emit(l, TPL_TOK_LEFT_PAREN);
    case ')':
        if (--l->parens < 0)
            return refuse(l, "unexpected right paren");
        return emit(l, TPL_TOK_RIGHT_PAREN);
    default:
        if (c < 0x7f && c >= ' ')
            return emit(l, TPL_TOK_CHAR);
        return refuse_rune(l, "unrecognized character in action:", c);
    }
}

static struct tpl_token lex_inside(struct tpl_lexer *l)
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
        return lex_quoted(l, '"', TPL_TOK_STRING, "unterminated quoted string");
    if (c == '`')
        return lex_quoted(l, '`', TPL_TOK_RAW_STRING, "unterminated raw quoted string");
    if (c == '\'')
        return lex_quoted(l, '\'', TPL_TOK_CHAR_CONSTANT, "unterminated character constant");
    if (c == '$')
        return lex_name(l, TPL_TOK_VARIABLE, TPL_TOK_VARIABLE);
    if (c == '.' && l->pos < l->input.len && !coras_is_digit(l->input.ptr[l->pos]))
        return lex_name(l, TPL_TOK_FIELD, TPL_TOK_DOT);
    if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9')) {
        l->pos--;
        return lex_number(l);
    }
    if (is_word(c))
        return lex_word(l);
    return lex_punctuation(l, c);
}

struct tpl_token tpl_lex(struct tpl_lexer *l)
{
    if (l->stopped)
        return (struct tpl_token){
            .type = TPL_TOK_EOF, .line = line_at(l, l->start), .text = CORAS_STR("EOF")};
    return l->inside ? lex_inside(l) : lex_text(l);
}

coras_str tpl_token_text(struct tpl_arena *a, const struct tpl_token *token)
{
    enum { SHOWN = 10 };
    struct tpl_text t = TPL_TEXT(a);
    coras_str s = token->text;
    size_t runes = 0, end = 0;

    if (token->type == TPL_TOK_EOF)
        return CORAS_STR("EOF");
    if (token->type == TPL_TOK_ERROR)
        return s;
    if (token->type > TPL_TOK_KEYWORD)
        return tpl_format(a, "<%.*s>", (int)s.len, s.ptr);
    for (uint32_t c; end < s.len && runes < SHOWN; runes++)
        end += coras_utf8_decode(s.ptr + end, s.len - end, &c);
    tpl_put_quoted(&t, tpl_sub(s, 0, s.len > SHOWN ? end : s.len), '"', false);
    if (s.len > SHOWN)
        tpl_puts(&t, "...");
    return tpl_text_str(&t);
}
