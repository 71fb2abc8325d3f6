/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each error code means to a person: how it comes about, and what helps. `explain` prints it,
 * and docs/errors.md is made from it.
 */
#ifndef CORAS_CLI_APP_EXPLANATIONS_H
#define CORAS_CLI_APP_EXPLANATIONS_H

#include "base/common.h"

struct explanation {
    int code;
    const char *cause;  /* sentences */
    const char *remedy; /* sentences; `<program>` stands for the program */
};

/* "NOT_FOUND" */
const char *explanation_name(const struct explanation *e);
/* "not found" */
const char *explanation_meaning(const struct explanation *e);
/* The explanation of a code by its name, in any case; NULL for an unknown one. */
const struct explanation *explanation_find(const char *name);
/* The i-th; NULL behind the last. */
const struct explanation *explanation_at(size_t i);

#endif
