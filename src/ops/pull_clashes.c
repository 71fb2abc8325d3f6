/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a pull that would have the same place.
 */
#include "ops/pull_clashes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "oci/digest.h"

/* ---- names inside of names ---- */

/* With '/' before every other character, what lies in a directory follows it at once. */
static int by_path(const void *a, const void *b)
{
    const char *x = (*(coras_place *const *)a)->absolute;
    const char *y = (*(coras_place *const *)b)->absolute;

    while (*x && *x == *y) {
        x++;
        y++;
    }
    int left = *x == '/' ? 1 : (unsigned char)*x;
    int right = *y == '/' ? 1 : (unsigned char)*y;
    return left - right;
}

static int check_pair(const coras_place *outer, const coras_place *inner, coras_error **err)
{
    size_t len = strlen(outer->absolute);

    if (outer->unpack || outer->in_tree || strncmp(inner->absolute, outer->absolute, len) != 0 ||
        inner->absolute[len] != '/')
        return 0;
    coras_auto_free char *inner_title = coras_escape_dup(inner->title);
    coras_auto_free char *outer_title = coras_escape_dup(outer->title);
    return coras_fail(err, CORAS_ERR_UNSAFE_PATH,
                      "failed to resolve path for writing: %s: %s is a file of the same artifact",
                      inner_title ? inner_title : "", outer_title ? outer_title : "");
}

int coras_check_nesting(const coras_workdir *w, coras_error **err)
{
    size_t count = w->places.len;
    coras_auto_free coras_place **sorted = coras_calloc(count + 1, sizeof(coras_place *));

    if (!sorted)
        return coras_fail_no_memory(err);
    if (count)
        memcpy(sorted, w->places.items, count * sizeof(coras_place *));
    qsort(sorted, count, sizeof(coras_place *), by_path);
    for (size_t i = 1; i < count; i++)
        CORAS_TRY(check_pair(sorted[i - 1], sorted[i], err));
    return 0;
}

/* ---- names for one file ---- */

#define IDENTITY_BYTES 48

static const char *identity(const struct stat *st, char text[IDENTITY_BYTES])
{
    (void)snprintf(text, IDENTITY_BYTES, "%llx:%llx", (unsigned long long)st->st_dev,
                   (unsigned long long)st->st_ino); /* it fits */
    return text;
}

int coras_taken_add(coras_taken *taken, coras_place *p, int dirfd, const char *name,
                    coras_error **err)
{
    char key[IDENTITY_BYTES];
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0; /* taken away meanwhile */
    return coras_map_set(taken, identity(&st, key), p, err);
}

int coras_taken_new(const coras_workdir *w, coras_taken **ret, coras_error **err)
{
    coras_auto(coras_map) taken = coras_map_new(NULL);

    if (!taken)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < w->places.len; i++) {
        coras_place *p = w->places.items[i];
        if (p->right)
            CORAS_TRY(coras_taken_add(taken, p, AT_FDCWD, p->absolute, err));
    }
    *ret = coras_steal(&taken);
    return 0;
}

int coras_taken_check(const coras_taken *taken, const coras_place *p, const struct stat *there,
                      coras_error **err)
{
    char key[IDENTITY_BYTES];
    struct stat again;

    const coras_place *other = coras_map_get(taken, identity(there, key));
    /* Another pull may have replaced the first file, and its number may be in use again. */
    if (!other || lstat(other->absolute, &again) < 0 || again.st_ino != there->st_ino ||
        again.st_dev != there->st_dev)
        return 0;
    if (coras_digest_equal(&other->desc.digest, &p->desc.digest))
        return 1;
    coras_auto_free char *shown = coras_escape_dup(p->title);
    coras_auto_free char *first = coras_escape_dup(other->title);
    return coras_fail(err, CORAS_ERR_EXISTS, "%s: duplicate name (the same file as %s)",
                      shown ? shown : "", first ? first : "");
}
