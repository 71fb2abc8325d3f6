/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How alike two words are, for "did you mean".
 */
#ifndef CORAS_BASE_LIKENESS_H
#define CORAS_BASE_LIKENESS_H

#include <stddef.h>

/* Of longer words the beginning decides. */
#define CORAS_LIKENESS_MAX_BYTES 128

/* Levenshtein distance: letters to change, add or remove, without regard to ASCII case. */
size_t coras_count_edits(const char *a, const char *b);

#endif
