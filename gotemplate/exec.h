/*
 * Running a template: walking its tree (exec.c) and evaluating pipelines (eval.c).
 */
#ifndef CORAS_GOTEMPLATE_EXEC_H
#define CORAS_GOTEMPLATE_EXEC_H

#include "gotemplate/funcs.h"
#include "gotemplate/parse.h"

struct tpl_variable {
    coras_str name;
    tpl_value value;
};

struct tpl_run {
    struct tpl_arena arena;
    const struct coras_template *t;
    coras_str tree;              /* name of the template being run, for messages */
    const struct tpl_node *node; /* being evaluated, for messages */
    struct {
        struct tpl_variable *items;
        size_t len, cap;
        size_t base; /* of the template being run */
    } vars;
    int depth; /* of nested evaluation, bounded so that the stack holds */
    coras_buf *out;
};

/* Evaluation nests no deeper: a template that calls itself stops here. */
#define TPL_DEPTH 2500

void tpl_enter(struct tpl_run *r);
/* Where the first enclosing failure leaves: location, context and message. */
_Noreturn void tpl_run_fail(struct tpl_run *r, const char *fmt, ...) CORAS_PRINTF(2, 3);
_Noreturn void tpl_run_fail_text(struct tpl_run *r, const char *message);
void tpl_push_variable(struct tpl_run *r, coras_str name, tpl_value v);
void tpl_set_variable(struct tpl_run *r, coras_str name, tpl_value v);
tpl_value tpl_eval_pipeline(struct tpl_run *r, tpl_value dot, const struct tpl_node *pipe);

#endif
