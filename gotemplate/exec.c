#include "gotemplate/exec.h"

#include "base/alloc.h"
#include "base/error.h"
#include "gotemplate/print.h"
#include "gotemplate/template.h"

enum { ARENA_BYTES = 256 * 1024 * 1024, PARSE_BYTES = 64 * 1024 * 1024 };

enum flow { GO_ON, BREAK, CONTINUE };

static enum flow walk(struct tpl_run *r, tpl_value dot, const struct tpl_node *node);

void tpl_enter(struct tpl_run *r)
{
    if (++r->depth > TPL_DEPTH)
        tpl_run_fail(r, "exceeded maximum template depth (%d)", TPL_DEPTH);
}

/* "NAME:LINE:COLUMN" of the current node; columns count bytes from 0, as Go's do. */
static coras_str location(struct tpl_run *r)
{
    const char *text = r->t->text.ptr;
    size_t line = 1, start = 0;

    for (size_t i = 0; i < r->node->pos; i++)
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    return tpl_format(&r->arena, "%s:%zu:%zu", r->t->name, line, r->node->pos - start);
}

_Noreturn void tpl_run_fail_text(struct tpl_run *r, const char *message)
{
    struct tpl_text t = TPL_TEXT(&r->arena);

    tpl_printf(&t, "template: %s: executing ", location(r).ptr);
    tpl_put_quoted(&t, r->tree, '"', false);
    tpl_puts(&t, " at <");
    tpl_node_text(&t, r->node);
    tpl_puts(&t, ">: ");
    tpl_puts(&t, message);
    tpl_raise(&r->arena, CORAS_ERR_INVALID_ARGUMENT, tpl_text_str(&t).ptr);
}

_Noreturn void tpl_run_fail(struct tpl_run *r, const char *fmt, ...)
{
    va_list ap, again;
    char *message;
    int len;

    va_start(ap, fmt);
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    len = len < 0 ? 0 : len;
    message = tpl_alloc(&r->arena, (size_t)len + 1);
    vsnprintf(message, (size_t)len + 1, fmt, again);
    va_end(again);
    va_end(ap);
    tpl_run_fail_text(r, message);
}

void tpl_push_variable(struct tpl_run *r, coras_str name, tpl_value v)
{
    if (r->vars.len == r->vars.cap) {
        r->vars.cap = r->vars.cap ? r->vars.cap * 2 : 16;
        r->vars.items =
            tpl_regrow(&r->arena, r->vars.items, r->vars.len, r->vars.cap, sizeof(*r->vars.items));
    }
    r->vars.items[r->vars.len++] = (struct tpl_variable){name, v};
}

void tpl_set_variable(struct tpl_run *r, coras_str name, tpl_value v)
{
    for (size_t i = r->vars.len; i-- > r->vars.base;)
        if (tpl_str_same(r->vars.items[i].name, name)) {
            r->vars.items[i].value = v;
            return;
        }
    tpl_run_fail(r, "undefined variable: %.*s", (int)name.len, name.ptr);
}

static void write_out(struct tpl_run *r, coras_str s)
{
    coras_buf_put(r->out, s.ptr, s.len);
    if (r->out->failed)
        tpl_raise(&r->arena, r->out->failed, "the template's output is too large");
}

static void print_result(struct tpl_run *r, const struct tpl_node *node, tpl_value v)
{
    struct tpl_text t = TPL_TEXT(&r->arena);

    r->node = node;
    if (v.kind == TPL_STRING) {
        write_out(r, v.s);
        return;
    }
    if (v.kind == TPL_INVALID)
        tpl_puts(&t, "<no value>");
    else
        tpl_sprint(&t, 1, &v);
    write_out(r, tpl_text_str(&t));
}

static enum flow walk_list(struct tpl_run *r, tpl_value dot, const struct tpl_nodes *list)
{
    enum flow flow = GO_ON;

    for (size_t i = 0; i < list->len && flow == GO_ON; i++)
        flow = walk(r, dot, list->items[i]);
    return flow;
}

static enum flow walk_branch(struct tpl_run *r, tpl_value dot, const struct tpl_node *node)
{
    size_t mark = r->vars.len;
    tpl_value v = tpl_eval_pipeline(r, dot, node->control.pipe);
    enum flow flow = GO_ON;

    if (tpl_truth(v))
        flow = walk_list(r, node->type == TPL_NODE_WITH ? v : dot, &node->control.body);
    else if (node->control.has_else)
        flow = walk_list(r, dot, &node->control.otherwise);
    r->vars.len = mark;
    return flow;
}

/* One round of a range; false when the loop is over. */
static bool iterate(struct tpl_run *r, const struct tpl_node *node, tpl_value index,
                    tpl_value element)
{
    const struct tpl_node *pipe = node->control.pipe;
    const struct tpl_nodes *decl = &pipe->pipe.decl;
    size_t mark = r->vars.len;
    enum flow flow;

    if (decl->len > 0 && pipe->pipe.is_assign) {
        tpl_set_variable(r, decl->items[0]->names.items[0], decl->len > 1 ? index : element);
        if (decl->len > 1)
            tpl_set_variable(r, decl->items[1]->names.items[0], element);
    } else if (decl->len > 0) {
        r->vars.items[mark - 1].value = element;
        if (decl->len > 1)
            r->vars.items[mark - 2].value = index;
    }
    flow = walk_list(r, element, &node->control.body);
    r->vars.len = mark;
    return flow != BREAK;
}

static void range_int(struct tpl_run *r, const struct tpl_node *node, tpl_value v)
{
    tpl_value i = v;

    if (node->control.pipe->pipe.decl.len > 1) {
        struct tpl_text t = TPL_TEXT(&r->arena);
        tpl_sprint(&t, 1, &v);
        tpl_run_fail(r, "can't use %s to iterate over more than one variable",
                     tpl_text_str(&t).ptr);
    }
    for (i.i = 0; i.i < v.i; i.i++)
        if (!iterate(r, node, tpl_invalid(), i))
            return;
}

static void range_list(struct tpl_run *r, const struct tpl_node *node, const struct tpl_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        if (!iterate(r, node, tpl_int((int64_t)i), tpl_list_at(l, i)))
            return;
}

/* Over a copy: the body may set and unset members. */
static void range_map(struct tpl_run *r, const struct tpl_node *node, const struct tpl_map *m)
{
    struct tpl_map copy = *m;

    copy.items = tpl_regrow(&r->arena, m->items, m->len, m->len, sizeof(*m->items));
    for (size_t i = 0; i < copy.len; i++)
        if (!iterate(r, node, tpl_string(copy.items[i].key), tpl_map_at(&copy, i)))
            return;
}

static enum flow walk_range(struct tpl_run *r, tpl_value dot, const struct tpl_node *node)
{
    size_t mark = r->vars.len;
    tpl_value v = tpl_unwrap(tpl_eval_pipeline(r, dot, node->control.pipe));
    enum flow flow = GO_ON;

    if (v.kind == TPL_LIST)
        range_list(r, node, v.list);
    else if (v.kind == TPL_MAP)
        range_map(r, node, v.map);
    else if (tpl_is_int(v))
        range_int(r, node, v);
    else if (v.kind != TPL_INVALID) {
        struct tpl_text t = TPL_TEXT(&r->arena);
        tpl_sprint(&t, 1, &v);
        tpl_run_fail(r, "range can't iterate over %s", tpl_text_str(&t).ptr);
    }
    r->vars.len = mark;
    if (node->control.has_else && (tpl_is_int(v) ? v.i <= 0 : !tpl_truth(v)))
        flow = walk_list(r, dot, &node->control.otherwise);
    r->vars.len = mark;
    return flow;
}

static void walk_template(struct tpl_run *r, tpl_value dot, const struct tpl_node *node)
{
    const struct tpl_tree *tree = tpl_tree_find(r->t, node->text);
    coras_str caller = r->tree;
    size_t base = r->vars.base, mark;

    if (!tree) {
        struct tpl_text t = TPL_TEXT(&r->arena);
        tpl_put_quoted(&t, node->text, '"', false);
        tpl_run_fail(r, "template %s not defined", tpl_text_str(&t).ptr);
    }
    if (node->control.pipe)
        dot = tpl_eval_pipeline(r, dot, node->control.pipe);
    else
        dot = tpl_invalid();
    mark = r->vars.len;
    r->vars.base = mark;
    r->tree = tree->name;
    tpl_push_variable(r, CORAS_STR("$"), dot);
    walk_list(r, dot, &tree->root);
    r->tree = caller;
    r->vars.base = base;
    r->vars.len = mark;
}

static enum flow walk(struct tpl_run *r, tpl_value dot, const struct tpl_node *node)
{
    enum flow flow = GO_ON;
    tpl_value v;

    r->node = node;
    tpl_enter(r);
    switch (node->type) {
    case TPL_NODE_TEXT:
        write_out(r, node->text);
        break;
    case TPL_NODE_ACTION:
        v = tpl_eval_pipeline(r, dot, node->control.pipe);
        if (node->control.pipe->pipe.decl.len == 0)
            print_result(r, node, v);
        break;
    case TPL_NODE_IF:
    case TPL_NODE_WITH:
        flow = walk_branch(r, dot, node);
        break;
    case TPL_NODE_RANGE:
        flow = walk_range(r, dot, node);
        break;
    case TPL_NODE_TEMPLATE:
        walk_template(r, dot, node);
        break;
    case TPL_NODE_BREAK:
        flow = BREAK;
        break;
    case TPL_NODE_CONTINUE:
        flow = CONTINUE;
        break;
    default:
        tpl_run_fail(r, "unknown node");
    }
    r->depth--;
    return flow;
}

static void run(struct tpl_run *r, const coras_json *data)
{
    const struct tpl_tree *tree = tpl_tree_find(r->t, coras_str_of(r->t->name));
    tpl_value dot = tpl_unwrap(tpl_from_json(&r->arena, data));

    r->tree = tree->name;
    tpl_push_variable(r, CORAS_STR("$"), dot);
    walk_list(r, dot, &tree->root);
}

/* The message for people: control characters of values escaped, line breaks kept. */
static int report(const struct tpl_arena *a, coras_error **err)
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

int coras_template_execute(const coras_template *t, const coras_json *data, coras_buf *out,
                           coras_error **err)
{
    jmp_buf failed;
    struct tpl_run r = {.arena = TPL_ARENA(ARENA_BYTES, &failed), .t = t, .out = out};
    int rc;

    if (setjmp(failed) == 0)
        run(&r, data);
    rc = r.arena.code ? report(&r.arena, err) : 0;
    tpl_arena_clear(&r.arena);
    return rc;
}

int coras_template_parse(const char *name, const char *text, coras_template **ret,
                         coras_error **err)
{
    coras_template *t = coras_new(coras_template);
    jmp_buf failed;
    int rc;

    if (!t)
        return coras_fail_no_memory(err);
    t->arena = (struct tpl_arena)TPL_ARENA(PARSE_BYTES, &failed);
    if (setjmp(failed) == 0) {
        t->name = tpl_dup(&t->arena, name, strlen(name)).ptr;
        t->text = tpl_dup(&t->arena, text, strlen(text));
        tpl_parse(t);
        t->arena.failure = NULL;
        *ret = t;
        return 0;
    }
    rc = report(&t->arena, err);
    coras_template_free(t);
    return rc;
}

void coras_template_free(coras_template *t)
{
    if (!t)
        return;
    tpl_arena_clear(&t->arena);
    free(t);
}
