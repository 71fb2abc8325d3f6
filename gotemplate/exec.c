/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking the tree of a template, and the public functions: each sets up an arena, runs below one
 * setjmp, and turns what was raised into an error.
 */
#include "gotemplate/exec.h"

#include "base/alloc.h"
#include "base/error.h"
#include "gotemplate/print.h"
#include "gotemplate/gotemplate.h"

enum flow { GO_ON, BREAK, CONTINUE };

static enum flow walk(struct gotmpl_run *r, gotmpl_value dot, const struct gotmpl_node *node);

void gotmpl_enter(struct gotmpl_run *r)
{
    gotmpl_step(&r->arena, 1);
    if (++r->depth > GOTMPL_LIMIT_DEPTH)
        gotmpl_run_fail(r, "exceeded maximum template depth (%d)", GOTMPL_LIMIT_DEPTH);
}

/* "NAME:LINE:COLUMN" of the current node; columns count bytes from 0, as Go's do. */
static coras_str location(struct gotmpl_run *r)
{
    const char *text = r->t->text.ptr;
    size_t line = 1, start = 0;

    for (size_t i = 0; i < r->node->pos; i++)
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    return gotmpl_format(&r->arena, "%s:%zu:%zu", r->t->name, line, r->node->pos - start);
}

_Noreturn void gotmpl_run_fail_text(struct gotmpl_run *r, const char *message)
{
    struct gotmpl_text t = GOTMPL_TEXT(&r->arena);

    gotmpl_printf(&t, "template: %s: executing ", location(r).ptr);
    gotmpl_put_quoted(&t, r->tree, '"', false);
    gotmpl_puts(&t, " at <");
    gotmpl_node_text(&t, r->node);
    gotmpl_puts(&t, ">: ");
    gotmpl_puts(&t, message);
    gotmpl_raise(&r->arena, CORAS_ERR_INVALID_ARGUMENT, gotmpl_text_str(&t).ptr);
}

_Noreturn void gotmpl_run_fail(struct gotmpl_run *r, const char *fmt, ...)
{
    va_list ap;
    coras_str message;

    va_start(ap, fmt);
    message = gotmpl_vformat(&r->arena, fmt, ap);
    va_end(ap);
    gotmpl_run_fail_text(r, message.ptr);
}

void gotmpl_push_variable(struct gotmpl_run *r, coras_str name, gotmpl_value v)
{
    gotmpl_grow(&r->arena, &r->vars);
    r->vars.items[r->vars.len++] = (struct gotmpl_variable){name, v};
}

void gotmpl_set_variable(struct gotmpl_run *r, coras_str name, gotmpl_value v)
{
    for (size_t i = r->vars.len; i-- > r->vars.base;)
        if (gotmpl_str_same(r->vars.items[i].name, name)) {
            r->vars.items[i].value = v;
            return;
        }
    gotmpl_run_fail(r, "undefined variable: %.*s", (int)name.len, name.ptr);
}

static void write_out(struct gotmpl_run *r, coras_str s)
{
    coras_buf_put(r->out, s.ptr, s.len);
    if (r->out->failed)
        gotmpl_raise(&r->arena, r->out->failed, "the template's output is too large");
}

static void print_result(struct gotmpl_run *r, const struct gotmpl_node *node, gotmpl_value v)
{
    struct gotmpl_text t = GOTMPL_TEXT(&r->arena);

    r->node = node;
    if (v.kind == GOTMPL_STRING) {
        write_out(r, v.s);
        return;
    }
    if (v.kind == GOTMPL_INVALID)
        gotmpl_puts(&t, "<no value>");
    else
        gotmpl_sprint(&t, 1, &v);
    write_out(r, gotmpl_text_str(&t));
}

static enum flow walk_list(struct gotmpl_run *r, gotmpl_value dot, const struct gotmpl_nodes *list)
{
    enum flow flow = GO_ON;

    for (size_t i = 0; i < list->len && flow == GO_ON; i++)
        flow = walk(r, dot, list->items[i]);
    return flow;
}

static enum flow walk_branch(struct gotmpl_run *r, gotmpl_value dot, const struct gotmpl_node *node)
{
    size_t mark = r->vars.len;
    gotmpl_value v = gotmpl_eval_pipeline(r, dot, node->control.pipe);
    enum flow flow = GO_ON;

    if (gotmpl_truth(v))
        flow = walk_list(r, node->type == GOTMPL_NODE_WITH ? v : dot, &node->control.body);
    else if (node->control.has_else)
        flow = walk_list(r, dot, &node->control.otherwise);
    r->vars.len = mark;
    return flow;
}

/* One round of a range; false when the loop is over. */
static bool iterate(struct gotmpl_run *r, const struct gotmpl_node *node, gotmpl_value index,
                    gotmpl_value element)
{
    const struct gotmpl_node *pipe = node->control.pipe;
    const struct gotmpl_nodes *decl = &pipe->pipe.decl;
    size_t mark = r->vars.len;
    enum flow flow;

    gotmpl_step(&r->arena, 1);
    if (decl->len > 0 && pipe->pipe.is_assign) {
        gotmpl_set_variable(r, decl->items[0]->names.items[0], decl->len > 1 ? index : element);
        if (decl->len > 1)
            gotmpl_set_variable(r, decl->items[1]->names.items[0], element);
    } else if (decl->len > 0) {
        r->vars.items[mark - 1].value = element;
        if (decl->len > 1)
            r->vars.items[mark - 2].value = index;
    }
    flow = walk_list(r, element, &node->control.body);
    r->vars.len = mark;
    return flow != BREAK;
}

static void range_int(struct gotmpl_run *r, const struct gotmpl_node *node, gotmpl_value v)
{
    gotmpl_value i = v;

    if (node->control.pipe->pipe.decl.len > 1) {
        struct gotmpl_text t = GOTMPL_TEXT(&r->arena);
        gotmpl_sprint(&t, 1, &v);
        gotmpl_run_fail(r, "can't use %s to iterate over more than one variable",
                        gotmpl_text_str(&t).ptr);
    }
    for (i.i = 0; i.i < v.i; i.i++)
        if (!iterate(r, node, gotmpl_invalid(), i))
            return;
}

static void range_list(struct gotmpl_run *r, const struct gotmpl_node *node,
                       const struct gotmpl_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        if (!iterate(r, node, gotmpl_int((int64_t)i), gotmpl_list_at(l, i)))
            return;
}

/* Over a copy: the body may set and unset members. */
static void range_map(struct gotmpl_run *r, const struct gotmpl_node *node,
                      const struct gotmpl_map *m)
{
    struct gotmpl_map copy = *m;

    copy.items = gotmpl_regrow(&r->arena, m->items, m->len, m->len, sizeof(*m->items));
    for (size_t i = 0; i < copy.len; i++)
        if (!iterate(r, node, gotmpl_string(copy.items[i].key), gotmpl_map_at(&copy, i)))
            return;
}

static enum flow walk_range(struct gotmpl_run *r, gotmpl_value dot, const struct gotmpl_node *node)
{
    size_t mark = r->vars.len;
    gotmpl_value v = gotmpl_unwrap(gotmpl_eval_pipeline(r, dot, node->control.pipe));
    enum flow flow = GO_ON;

    if (v.kind == GOTMPL_LIST)
        range_list(r, node, v.list);
    else if (v.kind == GOTMPL_MAP)
        range_map(r, node, v.map);
    else if (gotmpl_is_int(v))
        range_int(r, node, v);
    else if (v.kind != GOTMPL_INVALID) {
        struct gotmpl_text t = GOTMPL_TEXT(&r->arena);
        gotmpl_sprint(&t, 1, &v);
        gotmpl_run_fail(r, "range can't iterate over %s", gotmpl_text_str(&t).ptr);
    }
    r->vars.len = mark;
    if (node->control.has_else && (gotmpl_is_int(v) ? v.i <= 0 : !gotmpl_truth(v)))
        flow = walk_list(r, dot, &node->control.otherwise);
    r->vars.len = mark;
    return flow;
}

static void walk_template(struct gotmpl_run *r, gotmpl_value dot, const struct gotmpl_node *node)
{
    const struct gotmpl_tree *tree = gotmpl_tree_find(r->t, node->text);
    coras_str caller = r->tree;
    size_t base = r->vars.base, mark;

    if (!tree) {
        struct gotmpl_text t = GOTMPL_TEXT(&r->arena);
        gotmpl_put_quoted(&t, node->text, '"', false);
        gotmpl_run_fail(r, "template %s not defined", gotmpl_text_str(&t).ptr);
    }
    if (node->control.pipe)
        dot = gotmpl_eval_pipeline(r, dot, node->control.pipe);
    else
        dot = gotmpl_invalid();
    mark = r->vars.len;
    r->vars.base = mark;
    r->tree = tree->name;
    gotmpl_push_variable(r, CORAS_STR("$"), dot);
    walk_list(r, dot, &tree->root);
    r->tree = caller;
    r->vars.base = base;
    r->vars.len = mark;
}

static enum flow walk(struct gotmpl_run *r, gotmpl_value dot, const struct gotmpl_node *node)
{
    enum flow flow = GO_ON;
    gotmpl_value v;

    r->node = node;
    gotmpl_enter(r);
    switch (node->type) {
    case GOTMPL_NODE_TEXT:
        write_out(r, node->text);
        break;
    case GOTMPL_NODE_ACTION:
        v = gotmpl_eval_pipeline(r, dot, node->control.pipe);
        if (node->control.pipe->pipe.decl.len == 0)
            print_result(r, node, v);
        break;
    case GOTMPL_NODE_IF:
    case GOTMPL_NODE_WITH:
        flow = walk_branch(r, dot, node);
        break;
    case GOTMPL_NODE_RANGE:
        flow = walk_range(r, dot, node);
        break;
    case GOTMPL_NODE_TEMPLATE:
        walk_template(r, dot, node);
        break;
    case GOTMPL_NODE_BREAK:
        flow = BREAK;
        break;
    case GOTMPL_NODE_CONTINUE:
        flow = CONTINUE;
        break;
    default:
        gotmpl_run_fail(r, "unknown node");
    }
    r->depth--;
    return flow;
}

static void run(struct gotmpl_run *r, const coras_json *data)
{
    const struct gotmpl_tree *tree = gotmpl_tree_find(r->t, coras_str_of(r->t->name));
    gotmpl_value dot = gotmpl_unwrap(gotmpl_from_json(&r->arena, data));

    r->tree = tree->name;
    gotmpl_push_variable(r, CORAS_STR("$"), dot);
    walk_list(r, dot, &tree->root);
}

/* The message for people: control characters of values escaped, line breaks kept. */
static int report(const struct gotmpl_arena *a, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    if (a->code == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    for (const char *s = a->message; *s;) {
        size_t len = strcspn(s, "\n\t");
        coras_escape(&shown, s, len, len);
        s += len;
        if (*s)
            coras_buf_putc(&shown, *s++);
    }
    return coras_fail(err, a->code, "%s", shown.ptr);
}

int gotmpl_template_execute(const gotmpl_template *t, const coras_json *data, coras_buf *out,
                            coras_error **err)
{
    jmp_buf failed;
    struct gotmpl_run r = {.arena = GOTMPL_ARENA(t->bytes, &failed), .t = t, .out = out};
    int rc;

    r.arena.steps_left = t->steps;
    if (setjmp(failed) == 0)
        run(&r, data);
    rc = r.arena.code ? report(&r.arena, err) : 0;
    gotmpl_arena_clear(&r.arena);
    return rc;
}

int gotmpl_template_parse(const char *name, const char *text, gotmpl_template **ret,
                          coras_error **err)
{
    gotmpl_template *t = coras_new(gotmpl_template);
    jmp_buf failed;
    int rc;

    if (!t)
        return coras_fail_no_memory(err);
    t->bytes = GOTMPL_LIMIT_RUN_BYTES;
    t->steps = GOTMPL_LIMIT_STEPS;
    t->arena = (struct gotmpl_arena)GOTMPL_ARENA(GOTMPL_LIMIT_PARSE_BYTES, &failed);
    if (setjmp(failed) == 0) {
        t->name = gotmpl_dup(&t->arena, name, strlen(name)).ptr;
        t->text = gotmpl_dup(&t->arena, text, strlen(text));
        gotmpl_parse(t);
        t->arena.failure = NULL;
        *ret = t;
        return 0;
    }
    rc = report(&t->arena, err);
    gotmpl_template_free(t);
    return rc;
}

void gotmpl_template_limit(gotmpl_template *t, size_t bytes, uint64_t steps)
{
    t->bytes = bytes;
    t->steps = steps;
}

void gotmpl_template_free(gotmpl_template *t)
{
    if (!t)
        return;
    gotmpl_arena_clear(&t->arena);
    free(t);
}
