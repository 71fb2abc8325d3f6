/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of a template: text outside of {{ }}, and what is inside, with blanks as tokens, since
 * `.a.b` and `.a .b` differ. Trim markers and comments end here. A bad character ends the stream
 * with a GOTMPL_TOK_ERROR whose text is the message.
 */
#ifndef GOTMPL_LEX_H
#define GOTMPL_LEX_H

#include "gotemplate/arena.h"

enum gotmpl_token_type {
    GOTMPL_TOK_ERROR,
    GOTMPL_TOK_EOF,
    GOTMPL_TOK_TEXT,
    GOTMPL_TOK_LEFT_DELIM,
    GOTMPL_TOK_RIGHT_DELIM,
    GOTMPL_TOK_SPACE,
    GOTMPL_TOK_ASSIGN,  /* = */
    GOTMPL_TOK_DECLARE, /* := */
    GOTMPL_TOK_PIPE,
    GOTMPL_TOK_LEFT_PAREN,
    GOTMPL_TOK_RIGHT_PAREN,
    GOTMPL_TOK_CHAR, /* other punctuation */
    GOTMPL_TOK_STRING,
    GOTMPL_TOK_RAW_STRING,
    GOTMPL_TOK_CHAR_CONSTANT,
    GOTMPL_TOK_NUMBER,
    GOTMPL_TOK_BOOL,
    GOTMPL_TOK_FIELD,
    GOTMPL_TOK_VARIABLE,
    GOTMPL_TOK_IDENTIFIER,
    GOTMPL_TOK_KEYWORD, /* keywords come after it */
    GOTMPL_TOK_DOT,
    GOTMPL_TOK_NIL,
    GOTMPL_TOK_BLOCK,
    GOTMPL_TOK_BREAK,
    GOTMPL_TOK_CONTINUE,
    GOTMPL_TOK_DEFINE,
    GOTMPL_TOK_ELSE,
    GOTMPL_TOK_END,
    GOTMPL_TOK_IF,
    GOTMPL_TOK_RANGE,
    GOTMPL_TOK_TEMPLATE,
    GOTMPL_TOK_WITH,
};

struct gotmpl_token {
    enum gotmpl_token_type type;
    size_t pos;
    int line;
    coras_str text;
};

struct gotmpl_lexer {
    struct gotmpl_arena *arena;
    coras_str input;
    size_t pos, start;
    size_t counted; /* newlines before this offset are in `line` */
    int line;
    int parens;
    bool inside, stopped;
};

struct gotmpl_token gotmpl_lex(struct gotmpl_lexer *l);
/* The token as Go names it in "unexpected %s". */
coras_str gotmpl_token_text(struct gotmpl_arena *a, const struct gotmpl_token *t);

#endif
