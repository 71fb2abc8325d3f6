/*
 * Tokens of a template: text outside of {{ }}, and what is inside, with blanks as tokens, since
 * `.a.b` and `.a .b` differ. Trim markers and comments end here. A bad character ends the stream
 * with a TPL_TOK_ERROR whose text is the message.
 */
#ifndef CORAS_GOTEMPLATE_LEX_H
#define CORAS_GOTEMPLATE_LEX_H

#include "gotemplate/arena.h"

enum tpl_token_type {
    TPL_TOK_ERROR,
    TPL_TOK_EOF,
    TPL_TOK_TEXT,
    TPL_TOK_LEFT_DELIM,
    TPL_TOK_RIGHT_DELIM,
    TPL_TOK_SPACE,
    TPL_TOK_ASSIGN,  /* = */
    TPL_TOK_DECLARE, /* := */
    TPL_TOK_PIPE,
    TPL_TOK_LEFT_PAREN,
    TPL_TOK_RIGHT_PAREN,
    TPL_TOK_CHAR, /* other punctuation */
    TPL_TOK_STRING,
    TPL_TOK_RAW_STRING,
    TPL_TOK_CHAR_CONSTANT,
    TPL_TOK_NUMBER,
    TPL_TOK_COMPLEX,
    TPL_TOK_BOOL,
    TPL_TOK_FIELD,
    TPL_TOK_VARIABLE,
    TPL_TOK_IDENTIFIER,
    TPL_TOK_KEYWORD, /* keywords come after it */
    TPL_TOK_DOT,
    TPL_TOK_NIL,
    TPL_TOK_BLOCK,
    TPL_TOK_BREAK,
    TPL_TOK_CONTINUE,
    TPL_TOK_DEFINE,
    TPL_TOK_ELSE,
    TPL_TOK_END,
    TPL_TOK_IF,
    TPL_TOK_RANGE,
    TPL_TOK_TEMPLATE,
    TPL_TOK_WITH,
};

struct tpl_token {
    enum tpl_token_type type;
    size_t pos;
    int line;
    coras_str text;
};

struct tpl_lexer {
    struct tpl_arena *arena;
    coras_str input;
    size_t pos, start;
    size_t counted; /* newlines before this offset are in `line` */
    int line;
    int parens;
    bool inside, stopped;
};

struct tpl_token tpl_lex(struct tpl_lexer *l);
/* The token as Go names it in "unexpected %s". */
coras_str tpl_token_text(struct tpl_arena *a, const struct tpl_token *t);

#endif
