/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Budget: an amount of bytes that requests share. Those that need some wait for it in the order in
 * which they came, so that a large need is not overtaken by small ones for ever.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef SERVE_API_BUDGET_H
#define SERVE_API_BUDGET_H

#include "base/common.h"

typedef struct serve_budget serve_budget;

/* NULL when out of memory. */
serve_budget *serve_budget_new(size_t bytes);
void serve_budget_free(serve_budget *b);
CORAS_DEFINE_AUTO(serve_budget, serve_budget_free)

/* Wait for so many bytes; the result, all of the budget at most, is what to give back. */
CORAS_MUST_CHECK size_t serve_budget_take(serve_budget *b, size_t bytes);
/* The same without waiting; false when they are not there. */
CORAS_MUST_CHECK bool serve_budget_try(serve_budget *b, size_t bytes);
void serve_budget_give(serve_budget *b, size_t bytes);

#endif
