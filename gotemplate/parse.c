/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From tokens to trees, by recursive descent: the actions, and what they enclose. What is wrong is
 * refused in Go's words.
 */
#include "gotemplate/parser.h"

#include "gotemplate/literal.h"

static struct gotmpl_node *parse_item(struct gotmpl_parser *p);

static struct gotmpl_token expect(struct gotmpl_parser *p, enum gotmpl_token_type type,
                                  const char *context)
{
    struct gotmpl_token t = gotmpl_next_solid(p);

    if (t.type != type)
        gotmpl_unexpected(p, t, context);
    return t;
}

static const char *node_text(struct gotmpl_parser *p, const struct gotmpl_node *n)
{
    struct gotmpl_text t = GOTMPL_TEXT(p->a);

    gotmpl_node_text(&t, n);
    return gotmpl_text_str(&t).ptr;
}

/* Nodes up to {{end}} or {{else}}, which is returned. */
static struct gotmpl_node *parse_list(struct gotmpl_parser *p, struct gotmpl_nodes *list)
{
    while (gotmpl_peek_solid(p).type != GOTMPL_TOK_EOF) {
        struct gotmpl_node *n = parse_item(p);
        if (n->type == GOTMPL_NODE_END || n->type == GOTMPL_NODE_ELSE)
            return n;
        gotmpl_nodes_add(p->a, list, n);
    }
    gotmpl_refuse(p, "unexpected EOF");
}

static struct gotmpl_node *parse_control(struct gotmpl_parser *p, enum gotmpl_node_type type,
                                         const char *word)
{
    struct gotmpl_node *n = gotmpl_node_new(p->a, type, 0), *stop;
    enum gotmpl_token_type chained = type == GOTMPL_NODE_IF     ? GOTMPL_TOK_IF
                                     : type == GOTMPL_NODE_WITH ? GOTMPL_TOK_WITH
                                                                : GOTMPL_TOK_EOF;
    size_t vars = p->vars.len;

    gotmpl_parser_enter(p);
    n->control.pipe = gotmpl_parse_pipeline(p, word, GOTMPL_TOK_RIGHT_DELIM);
    n->pos = n->control.pipe->pos;
    p->ranges += type == GOTMPL_NODE_RANGE;
    stop = parse_list(p, &n->control.body);
    p->ranges -= type == GOTMPL_NODE_RANGE;
    if (stop->type == GOTMPL_NODE_ELSE) {
        n->control.has_else = true;
        if (chained != GOTMPL_TOK_EOF && gotmpl_peek(p).type == chained) {
            /* {{else if b}} is {{else}}{{if b}} whose {{end}} closes both. */
            gotmpl_next(p);
            gotmpl_nodes_add(p->a, &n->control.otherwise, parse_control(p, type, word));
        } else {
            stop = parse_list(p, &n->control.otherwise);
            if (stop->type != GOTMPL_NODE_END)
                gotmpl_refuse(p, "expected end; found %s", node_text(p, stop));
        }
    }
    p->vars.len = vars;
    p->depth--;
    return n;
}

static struct gotmpl_node *parse_jump(struct gotmpl_parser *p, enum gotmpl_node_type type,
                                      const char *word)
{
    size_t pos = p->ahead[0].pos;
    struct gotmpl_token t = gotmpl_next_solid(p);

    if (t.type != GOTMPL_TOK_RIGHT_DELIM)
        gotmpl_unexpected(p, t, word);
    if (p->ranges == 0)
        gotmpl_refuse(p, "%s outside {{range}}", word);
    return gotmpl_node_new(p->a, type, pos);
}

static struct gotmpl_node *parse_else(struct gotmpl_parser *p)
{
    struct gotmpl_token t = gotmpl_peek_solid(p);

    if (t.type != GOTMPL_TOK_IF && t.type != GOTMPL_TOK_WITH)
        t = expect(p, GOTMPL_TOK_RIGHT_DELIM, "else");
    return gotmpl_node_new(p->a, GOTMPL_NODE_ELSE, t.pos);
}

static coras_str parse_name(struct gotmpl_parser *p, struct gotmpl_token t, const char *context)
{
    coras_str name;

    if (t.type != GOTMPL_TOK_STRING && t.type != GOTMPL_TOK_RAW_STRING)
        gotmpl_unexpected(p, t, context);
    if (!gotmpl_unquote(p->a, t.text, &name))
        gotmpl_refuse(p, "invalid syntax");
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
static void add_tree(struct gotmpl_parser *p, coras_str name, struct gotmpl_nodes root)
{
    struct gotmpl_tree *same = NULL;

    for (size_t i = 0; i < p->t->trees.len && !same; i++)
        if (gotmpl_str_same(p->t->trees.items[i].name, name))
            same = &p->t->trees.items[i];
    if (same && is_blank(&same->root)) {
        same->root = root;
    } else if (same) {
        if (!is_blank(&root))
            gotmpl_refuse(p, "template: multiple definition of template %s",
                          gotmpl_quoted(p, name));
    } else {
        gotmpl_grow(p->a, &p->t->trees);
        p->t->trees.items[p->t->trees.len++] = (struct gotmpl_tree){.name = name, .root = root};
    }
}

/* The body of a define or block: a template of its own, which sees none of our variables. */
static void parse_body(struct gotmpl_parser *p, coras_str name, const char *context)
{
    struct gotmpl_nodes root = {0};
    struct gotmpl_names vars = p->vars;
    struct gotmpl_node *stop;
    int ranges = p->ranges;

    gotmpl_parser_enter(p);
    p->vars = (struct gotmpl_names){0};
    gotmpl_names_add(p->a, &p->vars, CORAS_STR("$"));
    p->ranges = 0;
    stop = parse_list(p, &root);
    if (stop->type != GOTMPL_NODE_END)
        gotmpl_refuse(p, "unexpected %s in %s", node_text(p, stop), context);
    add_tree(p, name, root);
    p->vars = vars;
    p->ranges = ranges;
    p->depth--;
}

static struct gotmpl_node *parse_call(struct gotmpl_parser *p, bool block)
{
    const char *context = block ? "block clause" : "template clause";
    struct gotmpl_token t = gotmpl_next_solid(p);
    struct gotmpl_node *n = gotmpl_node_new(p->a, GOTMPL_NODE_TEMPLATE, t.pos);

    n->text = parse_name(p, t, context);
    if (block || gotmpl_next_solid(p).type != GOTMPL_TOK_RIGHT_DELIM) {
        if (!block)
            gotmpl_back(p);
        n->control.pipe = gotmpl_parse_pipeline(p, context, GOTMPL_TOK_RIGHT_DELIM);
    }
    if (block)
        parse_body(p, n->text, context);
    return n;
}

static struct gotmpl_node *parse_action(struct gotmpl_parser *p)
{
    struct gotmpl_token t = gotmpl_next_solid(p);
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
        gotmpl_back(p);
        n = gotmpl_node_new(p->a, GOTMPL_NODE_ACTION, gotmpl_peek(p).pos);
        n->control.pipe = gotmpl_parse_pipeline(p, "command", GOTMPL_TOK_RIGHT_DELIM);
        return n;
    }
}

static struct gotmpl_node *parse_item(struct gotmpl_parser *p)
{
    struct gotmpl_token t = gotmpl_next_solid(p);
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
        gotmpl_unexpected(p, t, "input");
    }
}

static void parse_define(struct gotmpl_parser *p)
{
    const char *context = "define clause";
    coras_str name = parse_name(p, gotmpl_next_solid(p), context);

    expect(p, GOTMPL_TOK_RIGHT_DELIM, context);
    parse_body(p, name, context);
}

void gotmpl_parse(struct gotmpl_template *t)
{
    struct gotmpl_parser p = {
        .t = t, .a = &t->arena, .lexer = {.arena = &t->arena, .input = t->text, .line = 1}};
    struct gotmpl_nodes root = {0};

    gotmpl_names_add(p.a, &p.vars, CORAS_STR("$"));
    while (gotmpl_peek(&p).type != GOTMPL_TOK_EOF) {
        struct gotmpl_node *n;
        if (gotmpl_peek(&p).type == GOTMPL_TOK_LEFT_DELIM) {
            struct gotmpl_token delim = gotmpl_next(&p);
            if (gotmpl_next_solid(&p).type == GOTMPL_TOK_DEFINE) {
                parse_define(&p);
                continue;
            }
            p.ahead[1] = delim;
            p.peeked = 2;
        }
        n = parse_item(&p);
        if (n->type == GOTMPL_NODE_END || n->type == GOTMPL_NODE_ELSE)
            gotmpl_refuse(&p, "unexpected %s", node_text(&p, n));
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
