/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluating pipelines: commands, arguments, field chains and calls. */
#include "gotemplate/exec.h"

#include "gotemplate/print.h"

static gotmpl_value eval_arg(struct gotmpl_run *r, gotmpl_value dot, char type,
                             const struct gotmpl_node *n);

/* What a previous stage of the pipeline hands on; absent at its first. */
struct final {
    bool present;
    gotmpl_value value;
};

/* A letter of a parameter list, the Go type it stands for, and the kind that fits it. */
static const struct param {
    char letter;
    const char *type;
    enum gotmpl_kind kind;
} param_types[] = {
    {'s', "string", GOTMPL_STRING},
    {'i', "int", GOTMPL_INT},
    {'f', "float64", GOTMPL_FLOAT},
    {'b', "bool", GOTMPL_BOOL},
    {'m', "map[string]interface {}", GOTMPL_MAP},
    {'l', "[]interface {}", GOTMPL_LIST},
    {'t', "time.Time", GOTMPL_TIME},
};

static const struct param *find_param(char letter)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(param_types); i++)
        if (param_types[i].letter == letter)
            return &param_types[i];
    return NULL;
}

static const char *type_of_param(char letter)
{
    const struct param *p = find_param(letter);

    return p ? p->type : "interface {}";
}

static bool is_assignable(gotmpl_value v, char letter)
{
    const struct param *p = find_param(letter);

    if (!p || v.kind != p->kind)
        return false;
    return (v.kind != GOTMPL_MAP || v.map->elem == GOTMPL_OF_ANY) &&
           (v.kind != GOTMPL_LIST || v.list->elem == GOTMPL_OF_ANY);
}

static bool can_be_nil(char type)
{
    return strchr("avml", type) != NULL;
}

/* The nil of a parameter's type. */
static gotmpl_value nil_of(struct gotmpl_run *r, char type)
{
    struct gotmpl_list *l;
    struct gotmpl_map *m;

    switch (type) {
    case 'm':
        m = gotmpl_map_new(&r->arena, GOTMPL_OF_ANY);
        m->is_nil = true;
        return gotmpl_of_map(m);
    case 'l':
        l = gotmpl_list_new(&r->arena, GOTMPL_OF_ANY, 0);
        l->is_nil = true;
        return gotmpl_of_list(l);
    case 'v':
        return gotmpl_invalid();
    default:
        return gotmpl_nil();
    }
}

static gotmpl_value check_type(struct gotmpl_run *r, gotmpl_value v, char type)
{
    const char *have;

    if (v.kind == GOTMPL_INVALID) {
        if (can_be_nil(type))
            return nil_of(r, type);
        gotmpl_run_fail(r, "invalid value; expected %s", type_of_param(type));
    }
    if (type == 'v')
        return v;
    if (type == 'a')
        return gotmpl_as_any(v);
    if (is_assignable(v, type)) {
        v.in_interface = false;
        return v;
    }
    have = v.kind == GOTMPL_NIL ? "interface {}" : gotmpl_type_name(v);
    gotmpl_run_fail(r, "wrong type for value; expected %s; got %s", type_of_param(type), have);
}

static gotmpl_value ideal_constant(struct gotmpl_run *r, const struct gotmpl_node *n)
{
    bool plain = n->text.ptr[0] != '\'';
    bool hex = n->text.len > 2 && n->text.ptr[0] == '0' && (n->text.ptr[1] | 0x20) == 'x' &&
               !memchr(n->text.ptr, 'p', n->text.len) && !memchr(n->text.ptr, 'P', n->text.len);
    bool marked = false;

    r->node = n;
    for (size_t i = 0; i < n->text.len; i++)
        marked |= strchr(".eEpP", n->text.ptr[i]) != NULL;
    if (n->number.is_float && plain && !hex && marked)
        return gotmpl_float(n->number.f);
    if (!n->number.is_int)
        gotmpl_run_fail(r, "%.*s overflows int", (int)n->text.len, n->text.ptr);
    return gotmpl_int(n->number.i);
}

static _Noreturn void fail_at(struct gotmpl_run *r, const char *before, const struct gotmpl_node *n,
                              const char *after)
{
    struct gotmpl_text t = GOTMPL_TEXT(&r->arena);

    gotmpl_puts(&t, before);
    gotmpl_node_text(&t, n);
    gotmpl_puts(&t, after);
    gotmpl_run_fail_text(r, gotmpl_text_str(&t).ptr);
}

/* ---- calls ---- */

/* The last parameter stands for all that follow. */
static char param_type(const char *params, size_t i)
{
    size_t at = 0;

    while (at < i && params[at + 1] && params[at + 1] != '*')
        at++;
    return params[at];
}

static void check_count(struct gotmpl_run *r, const struct gotmpl_function *f, size_t args,
                        bool final)
{
    size_t fixed = strlen(f->params);
    bool variadic = fixed && f->params[fixed - 1] == '*';
    size_t given = args + final;

    if (variadic) {
        fixed -= 2;
        if (given < fixed)
            gotmpl_run_fail(r, "wrong number of args for %s: want at least %zu got %zu", f->name,
                            fixed, args);
    } else if (given != fixed) {
        gotmpl_run_fail(r, "wrong number of args for %s: want %zu got %zu", f->name, fixed, given);
    }
}

/* and, or: arguments after the deciding one are not evaluated. */
static gotmpl_value eval_logic(struct gotmpl_run *r, gotmpl_value dot, bool is_or,
                               const struct gotmpl_nodes *args, struct final final)
{
    gotmpl_value v = gotmpl_invalid();

    for (size_t i = 1; i < args->len; i++) {
        v = eval_arg(r, dot, 'v', args->items[i]);
        if (gotmpl_truth(v) == is_or)
            return v;
    }
    return final.present ? final.value : v;
}

/* Run a function; its failure gets the name and the place of the call. */
static gotmpl_value call(struct gotmpl_run *r, const struct gotmpl_function *f, size_t argc,
                         const gotmpl_value *argv, const struct gotmpl_node *place)
{
    struct gotmpl_arena *a = &r->arena;
    jmp_buf here, *outer = a->failure;

    a->failure = &here;
    if (setjmp(here) == 0) {
        gotmpl_value result = f->fn(a, argc, argv);
        a->failure = outer;
        return result;
    }
    a->failure = outer;
    if (a->code != CORAS_ERR_INVALID_ARGUMENT)
        gotmpl_raise(a, a->code, a->message);
    r->node = place;
    gotmpl_run_fail(r, "error calling %s: %s", f->name, a->message);
}

/* How the `call` function names what it cannot call. */
static gotmpl_value callee_name(struct gotmpl_run *r, const struct gotmpl_node *n, gotmpl_value v)
{
    struct gotmpl_text t = GOTMPL_TEXT(&r->arena);

    if (n)
        gotmpl_node_text(&t, n);
    else if (v.kind == GOTMPL_STRING)
        gotmpl_put_str(&t, v.s);
    else
        gotmpl_printf(&t, "<%s Value>", gotmpl_type_name(v));
    return gotmpl_string(gotmpl_text_str(&t));
}

/* `args` has the function itself first and may be NULL; `receiver` is that of a method. */
static gotmpl_value eval_call(struct gotmpl_run *r, gotmpl_value dot,
                              const struct gotmpl_function *f, const struct gotmpl_node *place,
                              const struct gotmpl_nodes *args, struct final final,
                              const gotmpl_value *receiver)
{
    size_t given = args && args->len ? args->len - 1 : 0, argc = 0;
    gotmpl_value *argv;

    check_count(r, f, given, final.present);
    if (!f->fn)
        return eval_logic(r, dot, f->name[0] == 'o', args, final);
    argv = gotmpl_alloc_array(&r->arena, given + 3, sizeof(*argv));
    if (receiver)
        argv[argc++] = *receiver;
    for (size_t i = 0; i < given; i++)
        argv[argc++] = eval_arg(r, dot, param_type(f->params, i), args->items[i + 1]);
    if (final.present)
        argv[argc++] = check_type(r, final.value, param_type(f->params, given));
    if (coras_streq(f->name, "call"))
        argv[argc] = callee_name(r, given ? args->items[1] : NULL, argv[0]);
    return call(r, f, argc, argv, place);
}

/* ---- fields ---- */

static gotmpl_value eval_field(struct gotmpl_run *r, gotmpl_value dot, coras_str name,
                               const struct gotmpl_node *node, const struct gotmpl_nodes *args,
                               struct final final, gotmpl_value receiver)
{
    const struct gotmpl_function *method;
    gotmpl_value v;

    if (receiver.kind == GOTMPL_INVALID)
        return receiver;
    if (receiver.kind == GOTMPL_NIL)
        gotmpl_run_fail(r, "nil pointer evaluating interface {}.%.*s", (int)name.len, name.ptr);
    method = gotmpl_method_find(receiver, name);
    if (method) {
        v = gotmpl_unwrap(receiver);
        return eval_call(r, dot, method, node, args, final, &v);
    }
    if (receiver.kind != GOTMPL_MAP)
        gotmpl_run_fail(r, "can't evaluate field %.*s in type %s", (int)name.len, name.ptr,
                        gotmpl_static_type(receiver));
    if ((args && args->len > 1) || final.present)
        gotmpl_run_fail(r, "%.*s is not a method but has arguments", (int)name.len, name.ptr);
    if (!gotmpl_map_get(receiver.map, name, &v))
        return gotmpl_invalid();
    return v;
}

static gotmpl_value eval_chain(struct gotmpl_run *r, gotmpl_value dot, gotmpl_value receiver,
                               const struct gotmpl_node *node, const struct gotmpl_names *names,
                               size_t from, const struct gotmpl_nodes *args, struct final final)
{
    struct final none = {0};
    size_t last = names->len - 1;

    for (size_t i = from; i < last; i++)
        receiver = eval_field(r, dot, names->items[i], node, NULL, none, receiver);
    return eval_field(r, dot, names->items[last], node, args, final, receiver);
}

static void refuse_args(struct gotmpl_run *r, const struct gotmpl_nodes *args, struct final final)
{
    if ((args && args->len > 1) || final.present)
        fail_at(r, "can't give argument to non-function ", args->items[0], "");
}

static gotmpl_value eval_variable(struct gotmpl_run *r, gotmpl_value dot,
                                  const struct gotmpl_node *n, const struct gotmpl_nodes *args,
                                  struct final final)
{
    coras_str name = n->names.items[0];

    r->node = n;
    for (size_t i = r->vars.len; i-- > r->vars.base;) {
        gotmpl_value v = r->vars.items[i].value;
        if (!gotmpl_str_same(r->vars.items[i].name, name))
            continue;
        if (n->names.len > 1)
            return eval_chain(r, dot, v, n, &n->names, 1, args, final);
        refuse_args(r, args, final);
        return v;
    }
    gotmpl_run_fail(r, "undefined variable: %.*s", (int)name.len, name.ptr);
}

static gotmpl_value eval_chain_node(struct gotmpl_run *r, gotmpl_value dot,
                                    const struct gotmpl_node *n, const struct gotmpl_nodes *args,
                                    struct final final)
{
    gotmpl_value base;

    r->node = n;
    if (n->chain.base->type == GOTMPL_NODE_NIL)
        fail_at(r, "indirection through explicit nil in ", n, "");
    base = eval_arg(r, dot, 'v', n->chain.base);
    return eval_chain(r, dot, base, n, &n->chain.fields, 0, args, final);
}

static gotmpl_value eval_identifier(struct gotmpl_run *r, gotmpl_value dot,
                                    const struct gotmpl_node *n, const struct gotmpl_node *place,
                                    const struct gotmpl_nodes *args, struct final final)
{
    r->node = n;
    return eval_call(r, dot, gotmpl_function_find(n->text), place, args, final, NULL);
}

/* ---- arguments and commands ---- */

static gotmpl_value eval_literal(struct gotmpl_run *r, char type, const struct gotmpl_node *n)
{
    bool any = type == 'a' || type == 'v';

    r->node = n;
    if (any && n->type == GOTMPL_NODE_NUMBER)
        return ideal_constant(r, n);
    if ((any || type == 'b') && n->type == GOTMPL_NODE_BOOL)
        return gotmpl_bool(n->truth);
    if ((any || type == 's') && n->type == GOTMPL_NODE_STRING)
        return gotmpl_string(n->value);
    if (type == 'i' && n->type == GOTMPL_NODE_NUMBER && n->number.is_int)
        return gotmpl_int(n->number.i);
    if (type == 'f' && n->type == GOTMPL_NODE_NUMBER && n->number.is_float)
        return gotmpl_float(n->number.f);
    switch (type) {
    case 's':
        fail_at(r, "expected string; found ", n, "");
    case 'i':
        fail_at(r, "expected integer; found ", n, "");
    case 'f':
        fail_at(r, "expected float; found ", n, "");
    case 'b':
        fail_at(r, "expected bool; found ", n, "");
    default:
        fail_at(r, "can't handle ", n,
                gotmpl_format(&r->arena, " for arg of type %s", type_of_param(type)).ptr);
    }
}

static gotmpl_value eval_arg(struct gotmpl_run *r, gotmpl_value dot, char type,
                             const struct gotmpl_node *n)
{
    struct final none = {0};

    r->node = n;
    switch (n->type) {
    case GOTMPL_NODE_DOT:
        return check_type(r, dot, type);
    case GOTMPL_NODE_NIL:
        if (!can_be_nil(type))
            gotmpl_run_fail(r, "cannot assign nil to %s", type_of_param(type));
        return nil_of(r, type);
    case GOTMPL_NODE_FIELD:
        return check_type(r, eval_chain(r, dot, dot, n, &n->names, 0, NULL, none), type);
    case GOTMPL_NODE_VARIABLE:
        return check_type(r, eval_variable(r, dot, n, NULL, none), type);
    case GOTMPL_NODE_PIPE:
        return check_type(r, gotmpl_eval_pipeline(r, dot, n), type);
    case GOTMPL_NODE_IDENTIFIER:
        return check_type(r, eval_identifier(r, dot, n, n, NULL, none), type);
    case GOTMPL_NODE_CHAIN:
        return check_type(r, eval_chain_node(r, dot, n, NULL, none), type);
    default:
        return eval_literal(r, type, n);
    }
}

static gotmpl_value eval_command(struct gotmpl_run *r, gotmpl_value dot,
                                 const struct gotmpl_node *command, struct final final)
{
    const struct gotmpl_nodes *args = &command->list;
    const struct gotmpl_node *first = args->items[0];

    switch (first->type) {
    case GOTMPL_NODE_FIELD:
        r->node = first;
        return eval_chain(r, dot, dot, first, &first->names, 0, args, final);
    case GOTMPL_NODE_CHAIN:
        return eval_chain_node(r, dot, first, args, final);
    case GOTMPL_NODE_IDENTIFIER:
        return eval_identifier(r, dot, first, command, args, final);
    case GOTMPL_NODE_PIPE:
        refuse_args(r, args, final);
        return gotmpl_eval_pipeline(r, dot, first);
    case GOTMPL_NODE_VARIABLE:
        return eval_variable(r, dot, first, args, final);
    default:
        break;
    }
    r->node = first;
    refuse_args(r, args, final);
    if (first->type == GOTMPL_NODE_DOT)
        return dot;
    if (first->type == GOTMPL_NODE_NIL)
        gotmpl_run_fail(r, "nil is not a command");
    return eval_literal(r, 'a', first);
}

gotmpl_value gotmpl_eval_pipeline(struct gotmpl_run *r, gotmpl_value dot,
                                  const struct gotmpl_node *pipe)
{
    struct final final = {0};
    const struct gotmpl_nodes *commands = &pipe->pipe.commands, *decl = &pipe->pipe.decl;

    r->node = pipe;
    gotmpl_enter(r);
    for (size_t i = 0; i < commands->len; i++) {
        gotmpl_value v = eval_command(r, dot, commands->items[i], final);
        final = (struct final){.present = true, .value = v.in_interface ? gotmpl_unwrap(v) : v};
    }
    for (size_t i = 0; i < decl->len; i++) {
        coras_str name = decl->items[i]->names.items[0];
        if (pipe->pipe.is_assign)
            gotmpl_set_variable(r, name, final.value);
        else
            gotmpl_push_variable(r, name, final.value);
    }
    r->depth--;
    return final.value;
}
