/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack and the memo of a pickle, as far as a scanner needs them: of every value it knows only
 * whether it is a text that was written down, and which. Nothing is ever built or called.
 *
 * Whatever cannot be followed (a stack or a memo beyond its bound, an index that no writer would
 * use) makes values unknown, never known wrongly: an import whose names are unknown is reported as
 * such.
 */
#ifndef CORAS_MODEL_PICKLE_MACHINE_H
#define CORAS_MODEL_PICKLE_MACHINE_H

#include "model/name_pool.h"

/* A value on the stack. */
typedef uint32_t coras_pickle_value;
#define CORAS_PICKLE_UNKNOWN    0u
#define CORAS_PICKLE_MARK       1u
#define CORAS_PICKLE_FIRST_TEXT 2u /* number in the pool + this */

struct coras_pickle_run {
    coras_pickle_value value;
    uint32_t count;
};

typedef struct coras_pickle_machine {
    coras_name_pool pool;
    /* The stack; equal neighbours lie together, so that a tuple of a million numbers is one run. */
    struct {
        struct coras_pickle_run *items;
        size_t len, cap;
    } stack;
    /* By index: 0 for an unused one, else the value + 1. */
    struct {
        uint32_t *items;
        size_t len, cap;
    } memo;
    size_t memo_used; /* what MEMOIZE counts */
    bool memo_lost;
} coras_pickle_machine;

CORAS_MUST_CHECK int coras_pickle_machine_init(coras_pickle_machine *m, coras_error **err);
void coras_pickle_machine_clear(coras_pickle_machine *m);
/* Empty stack and memo, for the next pickle. */
void coras_pickle_machine_reset(coras_pickle_machine *m);

CORAS_MUST_CHECK int coras_pickle_push(coras_pickle_machine *m, coras_pickle_value v,
                                       coras_error **err);
CORAS_MUST_CHECK int coras_pickle_push_text(coras_pickle_machine *m, const char *text,
                                            coras_error **err);
coras_pickle_value coras_pickle_pop(coras_pickle_machine *m);
coras_pickle_value coras_pickle_top(const coras_pickle_machine *m);
/* Drop everything down to the last mark, and the mark. */
void coras_pickle_pop_to_mark(coras_pickle_machine *m);
/* Remember the top under an index, of which `bytes_read` bytes of pickle can have used so many. */
CORAS_MUST_CHECK int coras_pickle_put(coras_pickle_machine *m, uint64_t index, int64_t bytes_read,
                                      coras_error **err);
CORAS_MUST_CHECK int coras_pickle_memoize(coras_pickle_machine *m, int64_t bytes_read,
                                          coras_error **err);
coras_pickle_value coras_pickle_recall(const coras_pickle_machine *m, uint64_t index);
/* The text of a value, borrowed until the next push; NULL when it is no text or unknown. */
const char *coras_pickle_text(const coras_pickle_machine *m, coras_pickle_value v);

#endif
