/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders the names that exist by their likeness to the one that was asked for.
 */
#include "registry/tag_suggest.h"

#include "base/alloc.h"
#include "base/likeness.h"

struct likeness {
    char *name;
    size_t edits;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int compare(const void *a, const void *b)
{
    const struct likeness *x = a, *y = b;

    if (x->edits != y->edits)
        return x->edits < y->edits ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* "v1" is meant by "v1.0" more likely than by "v9". */
static size_t edits_between(const char *name, const char *wanted)
{
    size_t len = least(strlen(name), strlen(wanted));

    if (len > 0 && strncasecmp(name, wanted, len) == 0)
        return 1;
    return coras_count_edits(name, wanted);
}

void coras_names_sort_by_likeness(coras_strlist *names, const char *wanted)
{
    coras_auto_free struct likeness *rows = coras_calloc(names->len + 1, sizeof(*rows));

    if (!rows)
        return;
    for (size_t i = 0; i < names->len; i++)
        rows[i] = (struct likeness){names->items[i], edits_between(names->items[i], wanted)};
    qsort(rows, names->len, sizeof(*rows), compare);
    for (size_t i = 0; i < names->len; i++)
        names->items[i] = rows[i].name;
}
