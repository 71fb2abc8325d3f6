/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one parse, and what its two halves share: actions (parse.c) and the pipelines within
 * them (parse_pipeline.c).
 */
#ifndef GOTMPL_PARSER_H
#define GOTMPL_PARSER_H

#include "gotemplate/lex.h"
#include "gotemplate/parse.h"

struct gotmpl_parser {
    struct gotmpl_template *t;
    struct gotmpl_arena *a;
    struct gotmpl_lexer lexer;
    struct gotmpl_token ahead[3]; /* [0] is the last token read */
    int peeked;
    int action_line;
    int depth;
    /* Per define or block. */
    struct gotmpl_names vars;
    int ranges;
};

/* Raise with the line of the last token in front. */
_Noreturn void gotmpl_refuse(struct gotmpl_parser *p, const char *fmt, ...) CORAS_PRINTF(2, 3);
_Noreturn void gotmpl_unexpected(struct gotmpl_parser *p, struct gotmpl_token t,
                                 const char *context);
const char *gotmpl_quoted(struct gotmpl_parser *p, coras_str s);
/* One level deeper; the caller takes it back from p->depth. */
void gotmpl_parser_enter(struct gotmpl_parser *p);

struct gotmpl_token gotmpl_next(struct gotmpl_parser *p);
void gotmpl_back(struct gotmpl_parser *p);
struct gotmpl_token gotmpl_peek(struct gotmpl_parser *p);
/* The same over blanks. */
struct gotmpl_token gotmpl_next_solid(struct gotmpl_parser *p);
struct gotmpl_token gotmpl_peek_solid(struct gotmpl_parser *p);

/* Up to `end`, which is consumed. `context` is for messages. */
struct gotmpl_node *gotmpl_parse_pipeline(struct gotmpl_parser *p, const char *context,
                                          enum gotmpl_token_type end);

#endif
