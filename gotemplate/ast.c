/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of the tree, and their text for messages. */
#include "gotemplate/ast.h"

struct gotmpl_node *gotmpl_node_new(struct gotmpl_arena *a, enum gotmpl_node_type type, size_t pos)
{
    struct gotmpl_node *n = gotmpl_alloc(a, sizeof(*n));

    n->type = type;
    n->pos = pos;
    return n;
}

void gotmpl_nodes_add(struct gotmpl_arena *a, struct gotmpl_nodes *list, struct gotmpl_node *node)
{
    gotmpl_grow(a, list);
    list->items[list->len++] = node;
}

void gotmpl_names_add(struct gotmpl_arena *a, struct gotmpl_names *list, coras_str name)
{
    gotmpl_grow(a, list);
    list->items[list->len++] = name;
}

static void put_names(struct gotmpl_text *t, const struct gotmpl_names *names, bool dot_first)
{
    for (size_t i = 0; i < names->len; i++) {
        if (i > 0 || dot_first)
            gotmpl_putc(t, '.');
        gotmpl_put_str(t, names->items[i]);
    }
}

static void put_operand(struct gotmpl_text *t, const struct gotmpl_node *node)
{
    if (node->type == GOTMPL_NODE_PIPE)
        gotmpl_putc(t, '(');
    gotmpl_node_text(t, node);
    if (node->type == GOTMPL_NODE_PIPE)
        gotmpl_putc(t, ')');
}

static void put_pipe(struct gotmpl_text *t, const struct gotmpl_node *node)
{
    const struct gotmpl_nodes *decl = &node->pipe.decl, *commands = &node->pipe.commands;

    for (size_t i = 0; i < decl->len; i++) {
        if (i > 0)
            gotmpl_puts(t, ", ");
        gotmpl_node_text(t, decl->items[i]);
    }
    if (decl->len)
        gotmpl_puts(t, node->pipe.is_assign ? " = " : " := ");
    for (size_t i = 0; i < commands->len; i++) {
        if (i > 0)
            gotmpl_puts(t, " | ");
        gotmpl_node_text(t, commands->items[i]);
    }
}

static void put_template(struct gotmpl_text *t, const struct gotmpl_node *node)
{
    gotmpl_puts(t, "{{template ");
    gotmpl_put_quoted(t, node->text, '"', false);
    if (node->control.pipe) {
        gotmpl_putc(t, ' ');
        put_pipe(t, node->control.pipe);
    }
    gotmpl_puts(t, "}}");
}

static void put_list(struct gotmpl_text *t, const struct gotmpl_nodes *list)
{
    for (size_t i = 0; i < list->len; i++)
        gotmpl_node_text(t, list->items[i]);
}

static void put_control(struct gotmpl_text *t, const struct gotmpl_node *node)
{
    static const char *const words[] = {
        [GOTMPL_NODE_IF] = "if", [GOTMPL_NODE_WITH] = "with", [GOTMPL_NODE_RANGE] = "range"};

    gotmpl_printf(t, "{{%s ", words[node->type]);
    put_pipe(t, node->control.pipe);
    gotmpl_puts(t, "}}");
    put_list(t, &node->control.body);
    if (node->control.has_else) {
        gotmpl_puts(t, "{{else}}");
        put_list(t, &node->control.otherwise);
    }
    gotmpl_puts(t, "{{end}}");
}

void gotmpl_node_text(struct gotmpl_text *t, const struct gotmpl_node *node)
{
    switch (node->type) {
    case GOTMPL_NODE_TEXT:
    case GOTMPL_NODE_IDENTIFIER:
    case GOTMPL_NODE_NUMBER:
    case GOTMPL_NODE_STRING:
    case GOTMPL_NODE_BOOL:
        gotmpl_put_str(t, node->text);
        break;
    case GOTMPL_NODE_ACTION:
        gotmpl_puts(t, "{{");
        put_pipe(t, node->control.pipe);
        gotmpl_puts(t, "}}");
        break;
    case GOTMPL_NODE_IF:
    case GOTMPL_NODE_WITH:
    case GOTMPL_NODE_RANGE:
        put_control(t, node);
        break;
    case GOTMPL_NODE_TEMPLATE:
        put_template(t, node);
        break;
    case GOTMPL_NODE_BREAK:
        gotmpl_puts(t, "{{break}}");
        break;
    case GOTMPL_NODE_CONTINUE:
        gotmpl_puts(t, "{{continue}}");
        break;
    case GOTMPL_NODE_END:
        gotmpl_puts(t, "{{end}}");
        break;
    case GOTMPL_NODE_ELSE:
        gotmpl_puts(t, "{{else}}");
        break;
    case GOTMPL_NODE_PIPE:
        put_pipe(t, node);
        break;
    case GOTMPL_NODE_COMMAND:
        for (size_t i = 0; i < node->list.len; i++) {
            if (i > 0)
                gotmpl_putc(t, ' ');
            put_operand(t, node->list.items[i]);
        }
        break;
    case GOTMPL_NODE_FIELD:
        put_names(t, &node->names, true);
        break;
    case GOTMPL_NODE_VARIABLE:
        put_names(t, &node->names, false);
        break;
    case GOTMPL_NODE_CHAIN:
        put_operand(t, node->chain.base);
        put_names(t, &node->chain.fields, true);
        break;
    case GOTMPL_NODE_DOT:
        gotmpl_putc(t, '.');
        break;
    case GOTMPL_NODE_NIL:
        gotmpl_puts(t, "nil");
        break;
    }
}
