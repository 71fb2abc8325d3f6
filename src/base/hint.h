/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a hint. A sentence is a pattern with places for the hint's arguments; the library
 * has a plain sentence for each kind (coras/hint.h), and a program may have better ones that are
 * written in the same way:
 *
 *     %1 ... %4          an argument
 *     {words}            left out when an argument in it is absent
 *     {words|others}     the others then
 */
#ifndef CORAS_BASE_HINT_H
#define CORAS_BASE_HINT_H

#include "base/buf.h"

/* Append the sentence. An absent argument outside of braces is nothing. */
void coras_hint_put(coras_buf *b, const char *pattern, const char *const args[CORAS_HINT_ARGS]);

/* The library's own pattern; NULL when the kind is none. */
const char *coras_hint_pattern(enum coras_hint_kind kind);

#endif
