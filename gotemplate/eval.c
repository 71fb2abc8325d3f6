/* Evaluating pipelines: commands, arguments, field chains and calls. */
#include "gotemplate/exec.h"

#include "gotemplate/print.h"
#include "gotemplate/semver.h"

static tpl_value eval_arg(struct tpl_run *r, tpl_value dot, char type, const struct tpl_node *n);

/* What a previous stage of the pipeline hands on; absent at its first. */
struct final {
    bool present;
    tpl_value value;
};

static const char *type_of_param(char type)
{
    switch (type) {
    case 's':
        return "string";
    case 'i':
        return "int";
    case 'u':
        return "uint32";
    case 'f':
        return "float64";
    case 'b':
        return "bool";
    case 'm':
        return "map[string]interface {}";
    case 'l':
        return "[]interface {}";
    case 't':
        return "time.Time";
    case 'd':
        return "time.Duration";
    case 'S':
        return "*semver.Version";
    case 'c':
        return "sprig.certificate";
    default:
        return "interface {}";
    }
}

static bool is_assignable(tpl_value v, char type)
{
    switch (type) {
    case 's':
        return v.kind == TPL_STRING;
    case 'i':
        return v.kind == TPL_INT;
    case 'u':
        return v.kind == TPL_UINT32;
    case 'f':
        return v.kind == TPL_FLOAT;
    case 'b':
        return v.kind == TPL_BOOL;
    case 'm':
        return v.kind == TPL_MAP && v.map->elem == TPL_OF_ANY;
    case 'l':
        return v.kind == TPL_LIST && v.list->elem == TPL_OF_ANY;
    case 't':
        return v.kind == TPL_TIME;
    case 'd':
        return v.kind == TPL_DURATION;
    case 'S':
        return v.kind == TPL_SEMVER && !(v.semver && v.semver->is_value);
    default:
        return false;
    }
}

static bool can_be_nil(char type)
{
    return strchr("avmlS", type) != NULL;
}

/* The nil of a parameter's type. */
static tpl_value nil_of(struct tpl_run *r, char type)
{
    struct tpl_list *l;
    struct tpl_map *m;

    switch (type) {
    case 'm':
        m = tpl_map_new(&r->arena, TPL_OF_ANY);
        m->is_nil = true;
        return tpl_of_map(m);
    case 'l':
        l = tpl_list_new(&r->arena, TPL_OF_ANY, 0);
        l->is_nil = true;
        return tpl_of_list(l);
    case 'S':
        return (tpl_value){.kind = TPL_SEMVER};
    case 'v':
        return tpl_invalid();
    default:
        return tpl_nil();
    }
}

static tpl_value check_type(struct tpl_run *r, tpl_value v, char type)
{
    const char *have;

    if (v.kind == TPL_INVALID) {
        if (can_be_nil(type))
            return nil_of(r, type);
        tpl_run_fail(r, "invalid value; expected %s", type_of_param(type));
    }
    if (type == 'v')
        return v;
    if (type == 'a')
        return tpl_as_any(v);
    if (is_assignable(v, type)) {
        v.in_interface = false;
        return v;
    }
    have = v.kind == TPL_NIL ? "interface {}" : tpl_type_name(v);
    tpl_run_fail(r, "wrong type for value; expected %s; got %s", type_of_param(type), have);
}

static tpl_value ideal_constant(struct tpl_run *r, const struct tpl_node *n)
{
    bool plain = n->text.ptr[0] != '\'';
    bool hex = n->text.len > 2 && n->text.ptr[0] == '0' && (n->text.ptr[1] | 0x20) == 'x' &&
               !memchr(n->text.ptr, 'p', n->text.len) && !memchr(n->text.ptr, 'P', n->text.len);
    bool marked = false;

    r->node = n;
    if (n->number.is_complex)
        return tpl_of_complex(n->number.c);
    for (size_t i = 0; i < n->text.len; i++)
        marked |= strchr(".eEpP", n->text.ptr[i]) != NULL;
    if (n->number.is_float && plain && !hex && marked)
        return tpl_float(n->number.f);
    if (!n->number.is_int)
        tpl_run_fail(r, "%.*s overflows int", (int)n->text.len, n->text.ptr);
    return tpl_int(n->number.i);
}

static _Noreturn void fail_at(struct tpl_run *r, const char *before, const struct tpl_node *n,
                              const char *after)
{
    struct tpl_text t = TPL_TEXT(&r->arena);

    tpl_puts(&t, before);
    tpl_node_text(&t, n);
    tpl_puts(&t, after);
    tpl_run_fail_text(r, tpl_text_str(&t).ptr);
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

static void check_count(struct tpl_run *r, const struct tpl_function *f, size_t args, bool final)
{
    size_t fixed = strlen(f->params);
    bool variadic = fixed && f->params[fixed - 1] == '*';
    size_t given = args + final;

    if (variadic) {
        fixed -= 2;
        if (given < fixed)
            tpl_run_fail(r, "wrong number of args for %s: want at least %zu got %zu", f->name,
                         fixed, args);
    } else if (given != fixed) {
        tpl_run_fail(r, "wrong number of args for %s: want %zu got %zu", f->name, fixed, given);
    }
}

/* and, or: arguments after the deciding one are not evaluated. */
static tpl_value eval_logic(struct tpl_run *r, tpl_value dot, bool is_or,
                            const struct tpl_nodes *args, struct final final)
{
    tpl_value v = tpl_invalid();

    for (size_t i = 1; i < args->len; i++) {
        v = eval_arg(r, dot, 'v', args->items[i]);
        if (tpl_truth(v) == is_or)
            return v;
    }
    return final.present ? final.value : v;
}

/* Run a function; its failure gets the name and the place of the call. */
static tpl_value call(struct tpl_run *r, const struct tpl_function *f, size_t argc,
                      const tpl_value *argv, const struct tpl_node *place)
{
    struct tpl_arena *a = &r->arena;
    jmp_buf here, *outer = a->failure;

    a->failure = &here;
    if (setjmp(here) == 0) {
        tpl_value result = f->fn(a, argc, argv);
        a->failure = outer;
        return result;
    }
    a->failure = outer;
    if (a->code != CORAS_ERR_INVALID_ARGUMENT)
        tpl_raise(a, a->code, a->message);
    r->node = place;
    tpl_run_fail(r, "error calling %s: %s", f->name, a->message);
}

/* How the `call` function names what it cannot call. */
static tpl_value callee_name(struct tpl_run *r, const struct tpl_node *n, tpl_value v)
{
    struct tpl_text t = TPL_TEXT(&r->arena);

    if (n)
        tpl_node_text(&t, n);
    else if (v.kind == TPL_STRING)
        tpl_put_str(&t, v.s);
    else
        tpl_printf(&t, "<%s Value>", tpl_type_name(v));
    return tpl_string(tpl_text_str(&t));
}

/* `args` has the function itself first and may be NULL; `receiver` is that of a method. */
static tpl_value eval_call(struct tpl_run *r, tpl_value dot, const struct tpl_function *f,
                           const struct tpl_node *place, const struct tpl_nodes *args,
                           struct final final, const tpl_value *receiver)
{
    size_t given = args && args->len ? args->len - 1 : 0, argc = 0;
    tpl_value *argv;

    check_count(r, f, given, final.present);
    if (!f->fn)
        return eval_logic(r, dot, f->name[0] == 'o', args, final);
    argv = tpl_alloc_array(&r->arena, given + 3, sizeof(*argv));
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

static tpl_value eval_field(struct tpl_run *r, tpl_value dot, coras_str name,
                            const struct tpl_node *node, const struct tpl_nodes *args,
                            struct final final, tpl_value receiver)
{
    const struct tpl_function *method;
    tpl_value v;

    if (receiver.kind == TPL_INVALID)
        return receiver;
    if (receiver.kind == TPL_NIL)
        tpl_run_fail(r, "nil pointer evaluating interface {}.%.*s", (int)name.len, name.ptr);
    method = tpl_method_find(receiver, name);
    if (method) {
        v = tpl_unwrap(receiver);
        return eval_call(r, dot, method, node, args, final, &v);
    }
    if (receiver.kind != TPL_MAP)
        tpl_run_fail(r, "can't evaluate field %.*s in type %s", (int)name.len, name.ptr,
                     tpl_static_type(receiver));
    if ((args && args->len > 1) || final.present)
        tpl_run_fail(r, "%.*s is not a method but has arguments", (int)name.len, name.ptr);
    if (!tpl_map_get(receiver.map, name, &v))
        return tpl_invalid();
    return v;
}

static tpl_value eval_chain(struct tpl_run *r, tpl_value dot, tpl_value receiver,
                            const struct tpl_node *node, const struct tpl_names *names, size_t from,
                            const struct tpl_nodes *args, struct final final)
{
    struct final none = {0};
    size_t last = names->len - 1;

    for (size_t i = from; i < last; i++)
        receiver = eval_field(r, dot, names->items[i], node, NULL, none, receiver);
    return eval_field(r, dot, names->items[last], node, args, final, receiver);
}

static void refuse_args(struct tpl_run *r, const struct tpl_nodes *args, struct final final)
{
    if ((args && args->len > 1) || final.present)
        fail_at(r, "can't give argument to non-function ", args->items[0], "");
}

static tpl_value eval_variable(struct tpl_run *r, tpl_value dot, const struct tpl_node *n,
                               const struct tpl_nodes *args, struct final final)
{
    coras_str name = n->names.items[0];

    r->node = n;
    for (size_t i = r->vars.len; i-- > r->vars.base;) {
        tpl_value v = r->vars.items[i].value;
        if (!tpl_str_same(r->vars.items[i].name, name))
            continue;
        if (n->names.len > 1)
            return eval_chain(r, dot, v, n, &n->names, 1, args, final);
        refuse_args(r, args, final);
        return v;
    }
    tpl_run_fail(r, "undefined variable: %.*s", (int)name.len, name.ptr);
}

static tpl_value eval_chain_node(struct tpl_run *r, tpl_value dot, const struct tpl_node *n,
                                 const struct tpl_nodes *args, struct final final)
{
    tpl_value base;

    r->node = n;
    if (n->chain.base->type == TPL_NODE_NIL)
        fail_at(r, "indirection through explicit nil in ", n, "");
    base = eval_arg(r, dot, 'v', n->chain.base);
    return eval_chain(r, dot, base, n, &n->chain.fields, 0, args, final);
}

static tpl_value eval_identifier(struct tpl_run *r, tpl_value dot, const struct tpl_node *n,
                                 const struct tpl_node *place, const struct tpl_nodes *args,
                                 struct final final)
{
    r->node = n;
    return eval_call(r, dot, tpl_function_find(n->text), place, args, final, NULL);
}

/* ---- arguments and commands ---- */

static tpl_value eval_literal(struct tpl_run *r, char type, const struct tpl_node *n)
{
    bool any = type == 'a' || type == 'v';

    r->node = n;
    if (any && n->type == TPL_NODE_NUMBER)
        return ideal_constant(r, n);
    if ((any || type == 'b') && n->type == TPL_NODE_BOOL)
        return tpl_bool(n->truth);
    if ((any || type == 's') && n->type == TPL_NODE_STRING)
        return tpl_string(n->value);
    if (type == 'i' && n->type == TPL_NODE_NUMBER && n->number.is_int)
        return tpl_int(n->number.i);
    if (type == 'd' && n->type == TPL_NODE_NUMBER && n->number.is_int)
        return (tpl_value){.kind = TPL_DURATION, .i = n->number.i};
    if (type == 'u' && n->type == TPL_NODE_NUMBER && n->number.is_uint)
        return (tpl_value){.kind = TPL_UINT32, .i = (int64_t)n->number.u};
    if (type == 'f' && n->type == TPL_NODE_NUMBER && n->number.is_float)
        return tpl_float(n->number.f);
    switch (type) {
    case 's':
        fail_at(r, "expected string; found ", n, "");
    case 'i':
    case 'd':
        fail_at(r, "expected integer; found ", n, "");
    case 'u':
        fail_at(r, "expected unsigned integer; found ", n, "");
    case 'f':
        fail_at(r, "expected float; found ", n, "");
    case 'b':
        fail_at(r, "expected bool; found ", n, "");
    default:
        fail_at(r, "can't handle ", n,
                tpl_format(&r->arena, " for arg of type %s", type_of_param(type)).ptr);
    }
}

static tpl_value eval_arg(struct tpl_run *r, tpl_value dot, char type, const struct tpl_node *n)
{
    struct final none = {0};

    r->node = n;
    switch (n->type) {
    case TPL_NODE_DOT:
        return check_type(r, dot, type);
    case TPL_NODE_NIL:
        if (!can_be_nil(type))
            tpl_run_fail(r, "cannot assign nil to %s", type_of_param(type));
        return nil_of(r, type);
    case TPL_NODE_FIELD:
        return check_type(r, eval_chain(r, dot, dot, n, &n->names, 0, NULL, none), type);
    case TPL_NODE_VARIABLE:
        return check_type(r, eval_variable(r, dot, n, NULL, none), type);
    case TPL_NODE_PIPE:
        return check_type(r, tpl_eval_pipeline(r, dot, n), type);
    case TPL_NODE_IDENTIFIER:
        return check_type(r, eval_identifier(r, dot, n, n, NULL, none), type);
    case TPL_NODE_CHAIN:
        return check_type(r, eval_chain_node(r, dot, n, NULL, none), type);
    default:
        return eval_literal(r, type, n);
    }
}

static tpl_value eval_command(struct tpl_run *r, tpl_value dot, const struct tpl_node *command,
                              struct final final)
{
    const struct tpl_nodes *args = &command->list;
    const struct tpl_node *first = args->items[0];

    switch (first->type) {
    case TPL_NODE_FIELD:
        r->node = first;
        return eval_chain(r, dot, dot, first, &first->names, 0, args, final);
    case TPL_NODE_CHAIN:
        return eval_chain_node(r, dot, first, args, final);
    case TPL_NODE_IDENTIFIER:
        return eval_identifier(r, dot, first, command, args, final);
    case TPL_NODE_PIPE:
        refuse_args(r, args, final);
        return tpl_eval_pipeline(r, dot, first);
    case TPL_NODE_VARIABLE:
        return eval_variable(r, dot, first, args, final);
    default:
        break;
    }
    r->node = first;
    refuse_args(r, args, final);
    if (first->type == TPL_NODE_DOT)
        return dot;
    if (first->type == TPL_NODE_NIL)
        tpl_run_fail(r, "nil is not a command");
    return eval_literal(r, 'a', first);
}

tpl_value tpl_eval_pipeline(struct tpl_run *r, tpl_value dot, const struct tpl_node *pipe)
{
    struct final final = {0};
    const struct tpl_nodes *commands = &pipe->pipe.commands, *decl = &pipe->pipe.decl;

    r->node = pipe;
    tpl_enter(r);
    for (size_t i = 0; i < commands->len; i++) {
        tpl_value v = eval_command(r, dot, commands->items[i], final);
        final = (struct final){.present = true, .value = v.in_interface ? tpl_unwrap(v) : v};
    }
    for (size_t i = 0; i < decl->len; i++) {
        coras_str name = decl->items[i]->names.items[0];
        if (pipe->pipe.is_assign)
            tpl_set_variable(r, name, final.value);
        else
            tpl_push_variable(r, name, final.value);
    }
    r->depth--;
    return final.value;
}
