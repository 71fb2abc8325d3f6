/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levenshtein's distance, row by row.
 */
#include "base/likeness.h"

#include "base/str.h"

static char lower(char c)
{
    return coras_is_upper(c) ? (char)(c + 'a' - 'A') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t coras_count_edits(const char *a, const char *b)
{
    size_t row[CORAS_LIKENESS_MAX_BYTES + 1];
    size_t len = strnlen(b, CORAS_LIKENESS_MAX_BYTES);

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; i <= CORAS_LIKENESS_MAX_BYTES && a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[len];
}
