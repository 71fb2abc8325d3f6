/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names are like the one that was not found. Pure.
 */
#ifndef CORAS_REGISTRY_TAG_SUGGEST_H
#define CORAS_REGISTRY_TAG_SUGGEST_H

#include "base/str.h"

/* Sort by likeness to `wanted`: a common beginning counts for it, then the number of edits
 * (Levenshtein), without regard to case. */
void coras_names_sort_by_likeness(coras_strlist *names, const char *wanted);

#endif
