/* SPDX-License-Identifier: Apache-2.0 */
/* Reading pipelines: commands, operands, literals, and the variables that they declare. */
#include "gotemplate/parser.h"

#include "gotemplate/funcs.h"
#include "gotemplate/literal.h"

_Noreturn void gotmpl_refuse(struct gotmpl_parser *p, const char *fmt, ...)
{
    va_list ap;
    coras_str message;

    va_start(ap, fmt);
    message = gotmpl_vformat(p->a, fmt, ap);
    va_end(ap);
    gotmpl_raise(
        p->a, CORAS_ERR_INVALID_ARGUMENT,
        gotmpl_format(p->a, "template: %s:%d: %s", p->t->name, p->ahead[0].line, message.ptr).ptr);
}

const char *gotmpl_quoted(struct gotmpl_parser *p, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(p->a);

    gotmpl_put_quoted(&t, s, '"', false);
    return gotmpl_text_str(&t).ptr;
}

/* Known, and not a mistake: the code says so, for callers that can offer another way. */
_Noreturn static void refuse_left_out(struct gotmpl_parser *p, coras_str name)
{
    gotmpl_raise(p->a, CORAS_ERR_UNSUPPORTED,
                 gotmpl_format(p->a, "template: %s:%d: function %s is left out of these templates",
                               p->t->name, p->ahead[0].line, gotmpl_quoted(p, name))
                     .ptr);
}

/* ---- tokens ---- */

struct gotmpl_token gotmpl_next(struct gotmpl_parser *p)
{
    if (p->peeked > 0)
        p->peeked--;
    else
        p->ahead[0] = gotmpl_lex(&p->lexer);
    return p->ahead[p->peeked];
}

void gotmpl_back(struct gotmpl_parser *p)
{
    p->peeked++;
}

struct gotmpl_token gotmpl_peek(struct gotmpl_parser *p)
{
    if (p->peeked > 0)
        return p->ahead[p->peeked - 1];
    p->peeked = 1;
    p->ahead[0] = gotmpl_lex(&p->lexer);
    return p->ahead[0];
}

struct gotmpl_token gotmpl_next_solid(struct gotmpl_parser *p)
{
    struct gotmpl_token t;

    do
        t = gotmpl_next(p);
    while (t.type == GOTMPL_TOK_SPACE);
    return t;
}

struct gotmpl_token gotmpl_peek_solid(struct gotmpl_parser *p)
{
    struct gotmpl_token t = gotmpl_next_solid(p);

    gotmpl_back(p);
    return t;
}

_Noreturn void gotmpl_unexpected(struct gotmpl_parser *p, struct gotmpl_token t,
                                 const char *context)
{
    if (t.type == GOTMPL_TOK_ERROR) {
        const char *extra = "";
        if (p->action_line != 0 && p->action_line != t.line) {
            bool action = t.text.len > 7 && memcmp(t.text.ptr + t.text.len - 7, " action", 7) == 0;
            extra = gotmpl_format(p->a, "%s started at %s:%d", action ? "" : " in action",
                                  p->t->name, p->action_line)
                        .ptr;
        }
        gotmpl_refuse(p, "%s%s", t.text.ptr, extra);
    }
    gotmpl_refuse(p, "unexpected %s in %s", gotmpl_token_text(p->a, &t).ptr, context);
}

void gotmpl_parser_enter(struct gotmpl_parser *p)
{
    if (++p->depth > GOTMPL_LIMIT_NESTING)
        gotmpl_refuse(p, "max expression depth exceeded");
}

/* ---- expressions ---- */

static struct gotmpl_names split_names(struct gotmpl_parser *p, coras_str s)
{
    struct gotmpl_names names = {0};

    for (;;) {
        size_t dot = gotmpl_find(s, CORAS_STR("."));
        if (dot == GOTMPL_NOT_FOUND)
            break;
        gotmpl_names_add(p->a, &names, gotmpl_sub(s, 0, dot));
        s = gotmpl_sub(s, dot + 1, s.len);
    }
    gotmpl_names_add(p->a, &names, s);
    return names;
}

static struct gotmpl_node *new_variable(struct gotmpl_parser *p, struct gotmpl_token t)
{
    struct gotmpl_node *n = gotmpl_node_new(p->a, GOTMPL_NODE_VARIABLE, t.pos);

    n->names = split_names(p, t.text);
    return n;
}

static struct gotmpl_node *use_variable(struct gotmpl_parser *p, struct gotmpl_token t)
{
    struct gotmpl_node *n = new_variable(p, t);

    for (size_t i = 0; i < p->vars.len; i++)
        if (gotmpl_str_same(p->vars.items[i], n->names.items[0]))
            return n;
    gotmpl_refuse(p, "undefined variable %s", gotmpl_quoted(p, n->names.items[0]));
}

static struct gotmpl_node *new_literal(struct gotmpl_parser *p, enum gotmpl_node_type type,
                                       struct gotmpl_token t)
{
    struct gotmpl_node *n = gotmpl_node_new(p->a, type, t.pos);
    coras_str message;

    n->text = t.text;
    if (type == GOTMPL_NODE_BOOL)
        n->truth = t.text.ptr[0] == 't';
    else if (type == GOTMPL_NODE_STRING && !gotmpl_unquote(p->a, t.text, &n->value))
        gotmpl_refuse(p, "invalid syntax");
    else if (type == GOTMPL_NODE_NUMBER && !gotmpl_parse_number(p->a, t.text, &n->number, &message))
        gotmpl_refuse(p, "%s", message.ptr);
    return n;
}

static struct gotmpl_node *parse_term(struct gotmpl_parser *p)
{
    struct gotmpl_token t = gotmpl_next_solid(p);
    struct gotmpl_node *n;

    switch (t.type) {
    case GOTMPL_TOK_IDENTIFIER:
        if (gotmpl_function_is_left_out(t.text))
            refuse_left_out(p, t.text);
        if (!gotmpl_function_find(t.text))
            gotmpl_refuse(p, "function %s not defined", gotmpl_quoted(p, t.text));
        n = gotmpl_node_new(p->a, GOTMPL_NODE_IDENTIFIER, t.pos);
        n->text = gotmpl_dup(p->a, t.text.ptr, t.text.len);
        return n;
    case GOTMPL_TOK_DOT:
        return gotmpl_node_new(p->a, GOTMPL_NODE_DOT, t.pos);
    case GOTMPL_TOK_NIL:
        return gotmpl_node_new(p->a, GOTMPL_NODE_NIL, t.pos);
    case GOTMPL_TOK_VARIABLE:
        return use_variable(p, t);
    case GOTMPL_TOK_FIELD:
        n = gotmpl_node_new(p->a, GOTMPL_NODE_FIELD, t.pos);
        gotmpl_names_add(p->a, &n->names, gotmpl_sub(t.text, 1, t.text.len));
        return n;
    case GOTMPL_TOK_BOOL:
        return new_literal(p, GOTMPL_NODE_BOOL, t);
    case GOTMPL_TOK_CHAR_CONSTANT:
    case GOTMPL_TOK_NUMBER:
        return new_literal(p, GOTMPL_NODE_NUMBER, t);
    case GOTMPL_TOK_LEFT_PAREN:
        gotmpl_parser_enter(p);
        n = gotmpl_parse_pipeline(p, "parenthesized pipeline", GOTMPL_TOK_RIGHT_PAREN);
        p->depth--;
        return n;
    case GOTMPL_TOK_STRING:
    case GOTMPL_TOK_RAW_STRING:
        return new_literal(p, GOTMPL_NODE_STRING, t);
    default:
        gotmpl_back(p);
        return NULL;
    }
}

/* term .Field*; NULL when the next token starts no operand. */
static struct gotmpl_node *parse_operand(struct gotmpl_parser *p)
{
    struct gotmpl_node *n = parse_term(p), *chain;
    struct gotmpl_names *names;
    struct gotmpl_text text = GOTMPL_TEXT(p->a);
    size_t pos;

    if (!n || gotmpl_peek(p).type != GOTMPL_TOK_FIELD)
        return n;
    pos = gotmpl_peek(p).pos;
    switch (n->type) {
    case GOTMPL_NODE_FIELD:
    case GOTMPL_NODE_VARIABLE:
        n->pos = pos;
        names = &n->names;
        break;
    case GOTMPL_NODE_BOOL:
    case GOTMPL_NODE_STRING:
    case GOTMPL_NODE_NUMBER:
    case GOTMPL_NODE_NIL:
    case GOTMPL_NODE_DOT:
        while (gotmpl_peek(p).type == GOTMPL_TOK_FIELD)
            gotmpl_next(p);
        gotmpl_node_text(&text, n);
        gotmpl_refuse(p, "unexpected . after term %s", gotmpl_quoted(p, gotmpl_text_str(&text)));
    default:
        chain = gotmpl_node_new(p->a, GOTMPL_NODE_CHAIN, pos);
        chain->chain.base = n;
        n = chain;
        names = &n->chain.fields;
        break;
    }
    while (gotmpl_peek(p).type == GOTMPL_TOK_FIELD) {
        struct gotmpl_token t = gotmpl_next(p);
        gotmpl_names_add(p->a, names, gotmpl_sub(t.text, 1, t.text.len));
    }
    return n;
}

/* Operands up to a pipe, which is consumed, or a delimiter, which is left. */
static struct gotmpl_node *parse_command(struct gotmpl_parser *p)
{
    struct gotmpl_node *command =
        gotmpl_node_new(p->a, GOTMPL_NODE_COMMAND, gotmpl_peek_solid(p).pos);

    for (;;) {
        struct gotmpl_node *operand;
        struct gotmpl_token t;
        gotmpl_peek_solid(p);
        operand = parse_operand(p);
        if (operand)
            gotmpl_nodes_add(p->a, &command->list, operand);
        t = gotmpl_next(p);
        if (t.type == GOTMPL_TOK_SPACE)
            continue;
        if (t.type == GOTMPL_TOK_RIGHT_DELIM || t.type == GOTMPL_TOK_RIGHT_PAREN)
            gotmpl_back(p);
        else if (t.type != GOTMPL_TOK_PIPE)
            gotmpl_unexpected(p, t, "operand");
        break;
    }
    if (command->list.len == 0)
        gotmpl_refuse(p, "empty command");
    return command;
}

static void declare(struct gotmpl_parser *p, struct gotmpl_node *pipe, struct gotmpl_token variable)
{
    gotmpl_next_solid(p);
    gotmpl_nodes_add(p->a, &pipe->pipe.decl, new_variable(p, variable));
    gotmpl_names_add(p->a, &p->vars, variable.text);
}

/* `$x :=`, `$x =`, `$i, $e :=`. Space is a token, so three tokens of look-ahead are needed. */
static void parse_declarations(struct gotmpl_parser *p, struct gotmpl_node *pipe,
                               const char *context)
{
    for (;;) {
        struct gotmpl_token variable = gotmpl_peek_solid(p), after, solid;
        if (variable.type != GOTMPL_TOK_VARIABLE)
            return;
        gotmpl_next(p);
        after = gotmpl_peek(p);
        solid = gotmpl_peek_solid(p);
        if (solid.type == GOTMPL_TOK_ASSIGN || solid.type == GOTMPL_TOK_DECLARE) {
            pipe->pipe.is_assign = solid.type == GOTMPL_TOK_ASSIGN;
            declare(p, pipe, variable);
            return;
        }
        if (solid.type == GOTMPL_TOK_CHAR && coras_str_eq(solid.text, ",")) {
            enum gotmpl_token_type follows;
            declare(p, pipe, variable);
            if (!coras_streq(context, "range") || pipe->pipe.decl.len >= 2)
                gotmpl_refuse(p, "too many declarations in %s", context);
            follows = gotmpl_peek_solid(p).type;
            if (follows != GOTMPL_TOK_VARIABLE && follows != GOTMPL_TOK_RIGHT_DELIM &&
                follows != GOTMPL_TOK_RIGHT_PAREN)
                gotmpl_refuse(p, "range can only initialize variables");
            continue;
        }
        if (after.type == GOTMPL_TOK_SPACE) {
            p->ahead[1] = after;
            p->ahead[2] = variable;
            p->peeked = 3;
        } else {
            p->ahead[1] = variable;
            p->peeked = 2;
        }
        return;
    }
}

static void check_pipeline(struct gotmpl_parser *p, const struct gotmpl_node *pipe,
                           const char *context)
{
    const struct gotmpl_nodes *commands = &pipe->pipe.commands;

    if (commands->len == 0)
        gotmpl_refuse(p, "missing value for %s", context);
    for (size_t i = 1; i < commands->len; i++)
        switch (commands->items[i]->list.items[0]->type) {
        case GOTMPL_NODE_BOOL:
        case GOTMPL_NODE_DOT:
        case GOTMPL_NODE_NIL:
        case GOTMPL_NODE_NUMBER:
        case GOTMPL_NODE_STRING:
            gotmpl_refuse(p, "non executable command in pipeline stage %zu", i + 1);
        default:
            break;
        }
}

struct gotmpl_node *gotmpl_parse_pipeline(struct gotmpl_parser *p, const char *context,
                                          enum gotmpl_token_type end)
{
    struct gotmpl_node *pipe = gotmpl_node_new(p->a, GOTMPL_NODE_PIPE, gotmpl_peek_solid(p).pos);

    parse_declarations(p, pipe, context);
    for (;;) {
        struct gotmpl_token t = gotmpl_next_solid(p);
        if (t.type == end) {
            check_pipeline(p, pipe, context);
            return pipe;
        }
        switch (t.type) {
        case GOTMPL_TOK_BOOL:
        case GOTMPL_TOK_CHAR_CONSTANT:
        case GOTMPL_TOK_DOT:
        case GOTMPL_TOK_FIELD:
        case GOTMPL_TOK_IDENTIFIER:
        case GOTMPL_TOK_NUMBER:
        case GOTMPL_TOK_NIL:
        case GOTMPL_TOK_RAW_STRING:
        case GOTMPL_TOK_STRING:
        case GOTMPL_TOK_VARIABLE:
        case GOTMPL_TOK_LEFT_PAREN:
            gotmpl_back(p);
            gotmpl_nodes_add(p->a, &pipe->pipe.commands, parse_command(p));
            break;
        default:
            gotmpl_unexpected(p, t, context);
        }
    }
}
