#include "gotemplate/ast.h"

struct tpl_node *tpl_node_new(struct tpl_arena *a, enum tpl_node_type type, size_t pos)
{
    struct tpl_node *n = tpl_alloc(a, sizeof(*n));

    n->type = type;
    n->pos = pos;
    return n;
}

void tpl_nodes_add(struct tpl_arena *a, struct tpl_nodes *list, struct tpl_node *node)
{
    if (list->len == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 4;
        list->items = tpl_regrow(a, list->items, list->len, list->cap, sizeof(*list->items));
    }
    list->items[list->len++] = node;
}

void tpl_names_add(struct tpl_arena *a, struct tpl_names *list, coras_str name)
{
    if (list->len == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 4;
        list->items = tpl_regrow(a, list->items, list->len, list->cap, sizeof(*list->items));
    }
    list->items[list->len++] = name;
}

static void put_names(struct tpl_text *t, const struct tpl_names *names, bool dot_first)
{
    for (size_t i = 0; i < names->len; i++) {
        if (i > 0 || dot_first)
            tpl_putc(t, '.');
        tpl_put_str(t, names->items[i]);
    }
}

static void put_operand(struct tpl_text *t, const struct tpl_node *node)
{
    if (node->type == TPL_NODE_PIPE)
        tpl_putc(t, '(');
    tpl_node_text(t, node);
    if (node->type == TPL_NODE_PIPE)
        tpl_putc(t, ')');
}

static void put_pipe(struct tpl_text *t, const struct tpl_node *node)
{
    const struct tpl_nodes *decl = &node->pipe.decl, *commands = &node->pipe.commands;

    for (size_t i = 0; i < decl->len; i++) {
        if (i > 0)
            tpl_puts(t, ", ");
        tpl_node_text(t, decl->items[i]);
    }
    if (decl->len)
        tpl_puts(t, node->pipe.is_assign ? " = " : " := ");
    for (size_t i = 0; i < commands->len; i++) {
        if (i > 0)
            tpl_puts(t, " | ");
        tpl_node_text(t, commands->items[i]);
    }
}

static void put_template(struct tpl_text *t, const struct tpl_node *node)
{
    tpl_puts(t, "{{template ");
    tpl_put_quoted(t, node->text, '"', false);
    if (node->control.pipe) {
        tpl_putc(t, ' ');
        put_pipe(t, node->control.pipe);
    }
    tpl_puts(t, "}}");
}

static void put_list(struct tpl_text *t, const struct tpl_nodes *list)
{
    for (size_t i = 0; i < list->len; i++)
        tpl_node_text(t, list->items[i]);
}

static void put_control(struct tpl_text *t, const struct tpl_node *node)
{
    static const char *const words[] = {
        [TPL_NODE_IF] = "if", [TPL_NODE_WITH] = "with", [TPL_NODE_RANGE] = "range"};

    tpl_printf(t, "{{%s ", words[node->type]);
    put_pipe(t, node->control.pipe);
    tpl_puts(t, "}}");
    put_list(t, &node->control.body);
    if (node->control.has_else) {
        tpl_puts(t, "{{else}}");
        put_list(t, &node->control.otherwise);
    }
    tpl_puts(t, "{{end}}");
}

void tpl_node_text(struct tpl_text *t, const struct tpl_node *node)
{
    switch (node->type) {
    case TPL_NODE_TEXT:
    case TPL_NODE_IDENTIFIER:
    case TPL_NODE_NUMBER:
    case TPL_NODE_STRING:
    case TPL_NODE_BOOL:
        tpl_put_str(t, node->text);
        break;
    case TPL_NODE_ACTION:
        tpl_puts(t, "{{");
        put_pipe(t, node->control.pipe);
        tpl_puts(t, "}}");
        break;
    case TPL_NODE_IF:
    case TPL_NODE_WITH:
    case TPL_NODE_RANGE:
        put_control(t, node);
        break;
    case TPL_NODE_TEMPLATE:
        put_template(t, node);
        break;
    case TPL_NODE_BREAK:
        tpl_puts(t, "{{break}}");
        break;
    case TPL_NODE_CONTINUE:
        tpl_puts(t, "{{continue}}");
        break;
    case TPL_NODE_END:
        tpl_puts(t, "{{end}}");
        break;
    case TPL_NODE_ELSE:
        tpl_puts(t, "{{else}}");
        break;
    case TPL_NODE_PIPE:
        put_pipe(t, node);
        break;
    case TPL_NODE_COMMAND:
        for (size_t i = 0; i < node->list.len; i++) {
            if (i > 0)
                tpl_putc(t, ' ');
            put_operand(t, node->list.items[i]);
        }
        break;
    case TPL_NODE_FIELD:
        put_names(t, &node->names, true);
        break;
    case TPL_NODE_VARIABLE:
        put_names(t, &node->names, false);
        break;
    case TPL_NODE_CHAIN:
        put_operand(t, node->chain.base);
        put_names(t, &node->chain.fields, true);
        break;
    case TPL_NODE_DOT:
        tpl_putc(t, '.');
        break;
    case TPL_NODE_NIL:
        tpl_puts(t, "nil");
        break;
    }
}
