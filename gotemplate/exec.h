/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a template: walking its tree (exec.c) and evaluating pipelines (eval.c).
 */
#ifndef GOTMPL_EXEC_H
#define GOTMPL_EXEC_H

#include "gotemplate/funcs.h"
#include "gotemplate/parse.h"

struct gotmpl_variable {
    coras_str name;
    gotmpl_value value;
};

struct gotmpl_run {
    struct gotmpl_arena arena;
    const struct gotmpl_template *t;
    coras_str tree;                 /* name of the template being run, for messages */
    const struct gotmpl_node *node; /* being evaluated, for messages */
    struct {
        struct gotmpl_variable *items;
        size_t len, cap;
        size_t base; /* of the template being run */
    } vars;
    int depth; /* of nested evaluation, bounded so that the stack holds */
    coras_buf *out;
};

void gotmpl_enter(struct gotmpl_run *r);
/* Where the first enclosing failure leaves: location, context and message. */
_Noreturn void gotmpl_run_fail(struct gotmpl_run *r, const char *fmt, ...) CORAS_PRINTF(2, 3);
_Noreturn void gotmpl_run_fail_text(struct gotmpl_run *r, const char *message);
void gotmpl_push_variable(struct gotmpl_run *r, coras_str name, gotmpl_value v);
void gotmpl_set_variable(struct gotmpl_run *r, coras_str name, gotmpl_value v);
gotmpl_value gotmpl_eval_pipeline(struct gotmpl_run *r, gotmpl_value dot,
                                  const struct gotmpl_node *pipe);

#endif
