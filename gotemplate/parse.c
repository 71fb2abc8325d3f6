/* From tokens to trees, by recursive descent; what is wrong is refused in Go's words. */
#include "gotemplate/parse.h"

#include "gotemplate/funcs.h"
#include "gotemplate/lex.h"
#include "gotemplate/literal.h"

struct parser {
    struct gotmpl_template *t;
    struct gotmpl_arena *a;
    struct gotmpl_lexer lexer;
    struct gotmpl_token ahead[3]; /* [0] is the last token read */
    int peeked;
    int action_line;
    int depth;
    /* Per define or block. */
    coras_str name;
    struct gotmpl_names vars;
    int ranges;
};

static struct gotmpl_node *parse_pipeline(struct parser *p, const char *context,
                                          enum gotmpl_token_type end);
static struct gotmpl_node *parse_item(struct parser *p);

_Noreturn static void CORAS_PRINTF(2, 3) refuse(struct parser *p, const char *fmt, ...)
{
    struct gotmpl_text t = GOTMPL_TEXT(p->a);
    va_list ap, again;
    int len;

    gotmpl_printf(&t, "template: %s:%d: ", p->t->name, p->ahead[0].line);
    va_start(ap, fmt);
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    if (len > 0) {
        vsnprintf(gotmpl_reserve(&t, (size_t)len + 1), (size_t)len + 1, fmt, again);
        t.len += (size_t)len;
    }
    va_end(again);
    va_end(ap);
    gotmpl_raise(p->a, CORAS_ERR_INVALID_ARGUMENT, gotmpl_text_str(&t).ptr);
}

static const char *quoted(struct parser *p, coras_str s)
{
    struct gotmpl_text t = GOTMPL_TEXT(p->a);

    gotmpl_put_quoted(&t, s, '"', false);
    return gotmpl_text_str(&t).ptr;
}

/* Known, and not a mistake: the code says so, for callers that can offer another way. */
_Noreturn static void refuse_left_out(struct parser *p, coras_str name)
{
    gotmpl_raise(p->a, CORAS_ERR_UNSUPPORTED,
                 gotmpl_format(p->a, "template: %s:%d: function %s is left out of these templates",
                               p->t->name, p->ahead[0].line, quoted(p, name))
                     .ptr);
}

/* ---- tokens ---- */

static struct gotmpl_token next(struct parser *p)
{
    if (p->peeked > 0)
        p->peeked--;
    else
        p->ahead[0] = gotmpl_lex(&p->lexer);
    return p->ahead[p->peeked];
}

static void back(struct parser *p)
{
    p->peeked++;
}

static struct gotmpl_token peek(struct parser *p)
{
    if (p->peeked > 0)
        return p->ahead[p->peeked - 1];
    p->peeked = 1;
    p->ahead[0] = gotmpl_lex(&p->lexer);
    return p->ahead[0];
}

static struct gotmpl_token next_solid(struct parser *p)
{
    struct gotmpl_token t;

    do
        t = next(p);
    while (t.type == GOTMPL_TOK_SPACE);
    return t;
}

static struct gotmpl_token peek_solid(struct parser *p)
{
    struct gotmpl_token t = next_solid(p);

    back(p);
    return t;
}

_Noreturn static void unexpected(struct parser *p, struct gotmpl_token t, const char *context)
{
    if (t.type == GOTMPL_TOK_ERROR) {
        const char *extra = "";
        if (p->action_line != 0 && p->action_line != t.line) {
            bool action = t.text.len > 7 && memcmp(t.text.ptr + t.text.len - 7, " action", 7) == 0;
            extra = gotmpl_format(p->a, "%s started at %s:%d", action ? "" : " in action",
                                  p->t->name, p->action_line)
                        .ptr;
        }
        refuse(p, "%s%s", t.text.ptr, extra);
    }
    refuse(p, "unexpected %s in %s", gotmpl_token_text(p->a, &t).ptr, context);
}

static struct gotmpl_token expect(struct parser *p, enum gotmpl_token_type type,
                                  const char *context)
{
    struct gotmpl_token t = next_solid(p);

    if (t.type != type)
        unexpected(p, t, context);
    return t;
}

static void enter(struct parser *p)
{
    if (++p->depth > GOTMPL_LIMIT_NESTING)
        refuse(p, "max expression depth exceeded");
}

/* ---- expressions ---- */

static struct gotmpl_names split_names(struct parser *p, coras_str s)
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

static struct gotmpl_node *new_variable(struct parser *p, struct gotmpl_token t)
{
    struct gotmpl_node *n = gotmpl_node_new(p->a, GOTMPL_NODE_VARIABLE, t.pos);

    n->names = split_names(p, t.text);
    return n;
}

static struct gotmpl_node *use_variable(struct parser *p, struct gotmpl_token t)
{
    struct gotmpl_node *n = new_variable(p, t);

    for (size_t i = 0; i < p->vars.len; i++)
        if (gotmpl_str_same(p->vars.items[i], n->names.items[0]))
            return n;
    refuse(p, "undefined variable %s", quoted(p, n->names.items[0]));
}

static struct gotmpl_node *new_literal(struct parser *p, enum gotmpl_node_type type,
                                       struct gotmpl_token t)
{
    struct gotmpl_node *n = gotmpl_node_new(p->a, type, t.pos);
    coras_str message;

    n->text = t.text;
    if (type == GOTMPL_NODE_BOOL)
        n->truth = t.text.ptr[0] == 't';
    else if (type == GOTMPL_NODE_STRING && !gotmpl_unquote(p->a, t.text, &n->value))
        refuse(p, "invalid syntax");
    else if (type == GOTMPL_NODE_NUMBER && !gotmpl_parse_number(p->a, t.text, &n->number, &message))
        refuse(p, "%s", message.ptr);
    return n;
}

static struct gotmpl_node *parse_term(struct parser *p)
{
    struct gotmpl_token t = next_solid(p);
    struct gotmpl_node *n;

    switch (t.type) {
    case GOTMPL_TOK_IDENTIFIER:
        if (gotmpl_function_is_left_out(t.text))
            refuse_left_out(p, t.text);
        if (!gotmpl_function_find(t.text))
            refuse(p, "function %s not defined", quoted(p, t.text));
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
        enter(p);
        n = parse_pipeline(p, "parenthesized pipeline", GOTMPL_TOK_RIGHT_PAREN);
        p->depth--;
        return n;
    case GOTMPL_TOK_STRING:
    case GOTMPL_TOK_RAW_STRING:
        return new_literal(p, GOTMPL_NODE_STRING, t);
    default:
        back(p);
        return NULL;
    }
}

/* term .Field*; NULL when the next token starts no operand. */
static struct gotmpl_node *parse_operand(struct parser *p)
{
    struct gotmpl_node *n = parse_term(p), *chain;
    struct gotmpl_names *names;
    struct gotmpl_text text = GOTMPL_TEXT(p->a);
    size_t pos;

    if (!n || peek(p).type != GOTMPL_TOK_FIELD)
        return n;
    pos = peek(p).pos;
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
        while (peek(p).type == GOTMPL_TOK_FIELD)
            next(p);
        gotmpl_node_text(&text, n);
        refuse(p, "unexpected . after term %s", quoted(p, gotmpl_text_str(&text)));
    default:
        chain = gotmpl_node_new(p->a, GOTMPL_NODE_CHAIN, pos);
        chain->chain.base = n;
        n = chain;
        names = &n->chain.fields;
        break;
    }
    while (peek(p).type == GOTMPL_TOK_FIELD) {
        struct gotmpl_token t = next(p);
        gotmpl_names_add(p->a, names, gotmpl_sub(t.text, 1, t.text.len));
    }
    return n;
}

/* Operands up to a pipe, which is consumed, or a delimiter, which is left. */
static struct gotmpl_node *parse_command(struct parser *p)
{
    struct gotmpl_node *command = gotmpl_node_new(p->a, GOTMPL_NODE_COMMAND, peek_solid(p).pos);

    for (;;) {
        struct gotmpl_node *operand;
        struct gotmpl_token t;
        peek_solid(p);
        operand = parse_operand(p);
        if (operand)
            gotmpl_nodes_add(p->a, &command->list, operand);
        t = next(p);
        if (t.type == GOTMPL_TOK_SPACE)
            continue;
        if (t.type == GOTMPL_TOK_RIGHT_DELIM || t.type == GOTMPL_TOK_RIGHT_PAREN)
            back(p);
        else if (t.type != GOTMPL_TOK_PIPE)
            unexpected(p, t, "operand");
        break;
    }
    if (command->list.len == 0)
        refuse(p, "empty command");
    return command;
}

static void declare(struct parser *p, struct gotmpl_node *pipe, struct gotmpl_token variable)
{
    next_solid(p);
    gotmpl_nodes_add(p->a, &pipe->pipe.decl, new_variable(p, variable));
    gotmpl_names_add(p->a, &p->vars, variable.text);
}

/* `$x :=`, `$x =`, `$i, $e :=`. Space is a token, so three tokens of look-ahead are needed. */
static void parse_declarations(struct parser *p, struct gotmpl_node *pipe, const char *context)
{
    for (;;) {
        struct gotmpl_token variable = peek_solid(p), after, solid;
        if (variable.type != GOTMPL_TOK_VARIABLE)
            return;
        next(p);
        after = peek(p);
        solid = peek_solid(p);
        if (solid.type == GOTMPL_TOK_ASSIGN || solid.type == GOTMPL_TOK_DECLARE) {
            pipe->pipe.is_assign = solid.type == GOTMPL_TOK_ASSIGN;
            declare(p, pipe, variable);
            return;
        }
        if (solid.type == GOTMPL_TOK_CHAR && coras_str_eq(solid.text, ",")) {
            enum gotmpl_token_type follows;
            declare(p, pipe, variable);
            if (!coras_streq(context, "range") || pipe->pipe.decl.len >= 2)
                refuse(p, "too many declarations in %s", context);
            follows = peek_solid(p).type;
            if (follows != GOTMPL_TOK_VARIABLE && follows != GOTMPL_TOK_RIGHT_DELIM &&
                follows != GOTMPL_TOK_RIGHT_PAREN)
                refuse(p, "range can only initialize variables");
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

static void check_pipeline(struct parser *p, const struct gotmpl_node *pipe, const char *context)
{
    const struct gotmpl_nodes *commands = &pipe->pipe.commands;

    if (commands->len == 0)
        refuse(p, "missing value for %s", context);
    for (size_t i = 1; i < commands->len; i++)
        switch (commands->items[i]->list.items[0]->type) {
        case GOTMPL_NODE_BOOL:
        case GOTMPL_NODE_DOT:
        case GOTMPL_NODE_NIL:
        case GOTMPL_NODE_NUMBER:
        case GOTMPL_NODE_STRING:
            refuse(p, "non executable command in pipeline stage %zu", i + 1);
        default:
            break;
        }
}

static struct gotmpl_node *parse_pipeline(struct parser *p, const char *context,
                                          enum gotmpl_token_type end)
{
    struct gotmpl_node *pipe = gotmpl_node_new(p->a, GOTMPL_NODE_PIPE, peek_solid(p).pos);

    parse_declarations(p, pipe, context);
    for (;;) {
        struct gotmpl_token t = next_solid(p);
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
            back(p);
            gotmpl_nodes_add(p->a, &pipe->pipe.commands, parse_command(p));
            break;
        default:
            unexpected(p, t, context);
        }
    }
}

/* ---- actions ---- */

static const char *node_text(struct parser *p, const struct gotmpl_node *n)
{
    struct gotmpl_text t = GOTMPL_TEXT(p->a);

    gotmpl_node_text(&t, n);
    return gotmpl_text_str(&t).ptr;
}

/* Nodes up to {{end}} or {{else}}, which is returned. */
static struct gotmpl_node *parse_list(struct parser *p, struct gotmpl_nodes *list)
{
    while (peek_solid(p).type != GOTMPL_TOK_EOF) {
        struct gotmpl_node *n = parse_item(p);
        if (n->type == GOTMPL_NODE_END || n->type == GOTMPL_NODE_ELSE)
            return n;
        gotmpl_nodes_add(p->a, list, n);
    }
    refuse(p, "unexpected EOF");
}

static struct gotmpl_node *parse_control(struct parser *p, enum gotmpl_node_type type,
                                         const char *word)
{
    struct gotmpl_node *n = gotmpl_node_new(p->a, type, 0), *stop;
    enum gotmpl_token_type chained = type == GOTMPL_NODE_IF     ? GOTMPL_TOK_IF
                                     : type == GOTMPL_NODE_WITH ? GOTMPL_TOK_WITH
                                                                : GOTMPL_TOK_EOF;
    size_t vars = p->vars.len;

    enter(p);
    n->control.pipe = parse_pipeline(p, word, GOTMPL_TOK_RIGHT_DELIM);
    n->pos = n->control.pipe->pos;
    p->ranges += type == GOTMPL_NODE_RANGE;
    stop = parse_list(p, &n->control.body);
    p->ranges -= type == GOTMPL_NODE_RANGE;
    if (stop->type == GOTMPL_NODE_ELSE) {
        n->control.has_else = true;
        if (chained != GOTMPL_TOK_EOF && peek(p).type == chained) {
            /* {{else if b}} is {{else}}{{if b}} whose {{end}} closes both. */
            next(p);
            gotmpl_nodes_add(p->a, &n->control.otherwise, parse_control(p, type, word));
        } else {
            stop = parse_list(p, &n->control.otherwise);
            if (stop->type != GOTMPL_NODE_END)
                refuse(p, "expected end; found %s", node_text(p, stop));
        }
    }
    p->vars.len = vars;
    p->depth--;
    return n;
}

static struct gotmpl_node *parse_jump(struct parser *p, enum gotmpl_node_type type,
                                      const char *word)
{
    size_t pos = p->ahead[0].pos;
    struct gotmpl_token t = next_solid(p);

    if (t.type != GOTMPL_TOK_RIGHT_DELIM)
        unexpected(p, t, word);
    if (p->ranges == 0)
        refuse(p, "%s outside {{range}}", word);
    return gotmpl_node_new(p->a, type, pos);
}

static struct gotmpl_node *parse_else(struct parser *p)
{
    struct gotmpl_token t = peek_solid(p);

    if (t.type != GOTMPL_TOK_IF && t.type != GOTMPL_TOK_WITH)
        t = expect(p, GOTMPL_TOK_RIGHT_DELIM, "else");
    return gotmpl_node_new(p->a, GOTMPL_NODE_ELSE, t.pos);
}

static coras_str parse_name(struct parser *p, struct gotmpl_token t, const char *context)
{
    coras_str name;

    if (t.type != GOTMPL_TOK_STRING && t.type != GOTMPL_TOK_RAW_STRING)
        unexpected(p, t, context);
    if (!gotmpl_unquote(p->a, t.text, &name))
        refuse(p, "invalid syntax");
    return name;
}

static bool is_blank(const struct gotmpl_nodes *list)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->items[i]->type != GOTMPL_NODE_TEXT || coras_str_trim(list->items[i]->text).len)
            return false;
    return true;
}

/* A blank definition never replaces another; two others with one name are an error. */
static void add_tree(struct parser *p, coras_str name, struct gotmpl_nodes root)
{
    struct gotmpl_tree *same = NULL;

    for (size_t i = 0; i < p->t->trees.len && !same; i++)
        if (gotmpl_str_same(p->t->trees.items[i].name, name))
            same = &p->t->trees.items[i];
    if (same && is_blank(&same->root)) {
        same->root = root;
    } else if (same) {
        if (!is_blank(&root))
            refuse(p, "template: multiple definition of template %s", quoted(p, name));
    } else {
        if (p->t->trees.len == p->t->trees.cap) {
            p->t->trees.cap = p->t->trees.cap ? p->t->trees.cap * 2 : 4;
            p->t->trees.items = gotmpl_regrow(p->a, p->t->trees.items, p->t->trees.len,
                                              p->t->trees.cap, sizeof(*p->t->trees.items));
        }
        p->t->trees.items[p->t->trees.len++] = (struct gotmpl_tree){.name = name, .root = root};
    }
}

/* The body of a define or block: a template of its own, which sees none of our variables. */
static void parse_body(struct parser *p, coras_str name, const char *context)
{
    struct gotmpl_nodes root = {0};
    struct gotmpl_names vars = p->vars;
    struct gotmpl_node *stop;
    int ranges = p->ranges;

    enter(p);
    p->vars = (struct gotmpl_names){0};
    gotmpl_names_add(p->a, &p->vars, CORAS_STR("$"));
    p->ranges = 0;
    stop = parse_list(p, &root);
    if (stop->type != GOTMPL_NODE_END)
        refuse(p, "unexpected %s in %s", node_text(p, stop), context);
    add_tree(p, name, root);
    p->vars = vars;
    p->ranges = ranges;
    p->depth--;
}

static struct gotmpl_node *parse_call(struct parser *p, bool block)
{
    const char *context = block ? "block clause" : "template clause";
    struct gotmpl_token t = next_solid(p);
    struct gotmpl_node *n = gotmpl_node_new(p->a, GOTMPL_NODE_TEMPLATE, t.pos);

    n->text = parse_name(p, t, context);
    if (block || next_solid(p).type != GOTMPL_TOK_RIGHT_DELIM) {
        if (!block)
            back(p);
        n->control.pipe = parse_pipeline(p, context, GOTMPL_TOK_RIGHT_DELIM);
    }
    if (block)
        parse_body(p, n->text, context);
    return n;
}

static struct gotmpl_node *parse_action(struct parser *p)
{
    struct gotmpl_token t = next_solid(p);
    struct gotmpl_node *n;

    switch (t.type) {
    case GOTMPL_TOK_BLOCK:
        return parse_call(p, true);
    case GOTMPL_TOK_TEMPLATE:
        return parse_call(p, false);
    case GOTMPL_TOK_BREAK:
        return parse_jump(p, GOTMPL_NODE_BREAK, "{{break}}");
    case GOTMPL_TOK_CONTINUE:
        return parse_jump(p, GOTMPL_NODE_CONTINUE, "{{continue}}");
    case GOTMPL_TOK_ELSE:
        return parse_else(p);
    case GOTMPL_TOK_END:
        return gotmpl_node_new(p->a, GOTMPL_NODE_END, expect(p, GOTMPL_TOK_RIGHT_DELIM, "end").pos);
    case GOTMPL_TOK_IF:
        return parse_control(p, GOTMPL_NODE_IF, "if");
    case GOTMPL_TOK_RANGE:
        return parse_control(p, GOTMPL_NODE_RANGE, "range");
    case GOTMPL_TOK_WITH:
        return parse_control(p, GOTMPL_NODE_WITH, "with");
    default:
        back(p);
        n = gotmpl_node_new(p->a, GOTMPL_NODE_ACTION, peek(p).pos);
        n->control.pipe = parse_pipeline(p, "command", GOTMPL_TOK_RIGHT_DELIM);
        return n;
    }
}

static struct gotmpl_node *parse_item(struct parser *p)
{
    struct gotmpl_token t = next_solid(p);
    struct gotmpl_node *n;

    switch (t.type) {
    case GOTMPL_TOK_TEXT:
        n = gotmpl_node_new(p->a, GOTMPL_NODE_TEXT, t.pos);
        n->text = t.text;
        return n;
    case GOTMPL_TOK_LEFT_DELIM:
        p->action_line = t.line;
        n = parse_action(p);
        p->action_line = 0;
        return n;
    default:
        unexpected(p, t, "input");
    }
}

static void parse_define(struct parser *p)
{
    const char *context = "define clause";
    coras_str name = parse_name(p, next_solid(p), context);

    expect(p, GOTMPL_TOK_RIGHT_DELIM, context);
    parse_body(p, name, context);
}

void gotmpl_parse(struct gotmpl_template *t)
{
    struct parser p = {
        .t = t, .a = &t->arena, .lexer = {.arena = &t->arena, .input = t->text, .line = 1}};
    struct gotmpl_nodes root = {0};

    gotmpl_names_add(p.a, &p.vars, CORAS_STR("$"));
    while (peek(&p).type != GOTMPL_TOK_EOF) {
        struct gotmpl_node *n;
        if (peek(&p).type == GOTMPL_TOK_LEFT_DELIM) {
            struct gotmpl_token delim = next(&p);
            if (next_solid(&p).type == GOTMPL_TOK_DEFINE) {
                parse_define(&p);
                continue;
            }
            p.ahead[1] = delim;
            p.peeked = 2;
        }
        n = parse_item(&p);
        if (n->type == GOTMPL_NODE_END || n->type == GOTMPL_NODE_ELSE)
            refuse(&p, "unexpected %s", node_text(&p, n));
        gotmpl_nodes_add(p.a, &root, n);
    }
    add_tree(&p, coras_str_of(t->name), root);
}

const struct gotmpl_tree *gotmpl_tree_find(const struct gotmpl_template *t, coras_str name)
{
    for (size_t i = 0; i < t->trees.len; i++)
        if (gotmpl_str_same(t->trees.items[i].name, name))
            return &t->trees.items[i];
    return NULL;
}
