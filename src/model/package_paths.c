/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths of a package: each a plain way down from the directory, and all of them possible beside
 * each other on any file system.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/map.h"
#include "model/package_impl.h"
#include "oci/digest.h"

/* ---- one path ---- */

static int refuse(const char *path, const char *why, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape(&shown, path, strlen(path), CORAS_LIMIT_COMPONENT);
    return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "\"%s\": %s", shown.ptr, why);
}

/* Why a component cannot be part of a path; NULL: it can. */
static const char *judge_component(const char *part, size_t len)
{
    if (len > CORAS_LIMIT_COMPONENT)
        return "a name in the path is too long";
    if (len == 2 && memcmp(part, "..", 2) == 0)
        return "the path leads out of the directory";
    return NULL;
}

const char *coras_package_judge_path(const char *path)
{
    size_t len = strlen(path);
    bool names_nothing = true;

    if (len == 0 || path[0] == '/')
        return len ? "the path is absolute" : "the path is empty";
    if (len >= CORAS_LIMIT_PATH)
        return "the path is too long";
    for (const char *part = path; *part;) {
        size_t n = strcspn(part, "/");
        const char *why = judge_component(part, n);
        if (why)
            return why;
        names_nothing = n == 0 || (n == 1 && *part == '.');
        part += n + (part[n] == '/');
    }
    if (path[len - 1] == '/')
        return "the path of a file ends in a slash";
    return names_nothing ? "the path names no file" : NULL;
}

int coras_package_clean_path(const char *path, char **ret, coras_error **err)
{
    const char *why = coras_package_judge_path(path);
    coras_auto_free char *clean = why ? NULL : coras_path_clean(path);

    if (why)
        return refuse(path, why, err);
    if (!clean)
        return coras_fail_no_memory(err);
    if (coras_str_starts(clean, CORAS_TEMP_PREFIX)) /* behind "./" */
        return refuse(path, "the name is reserved for what is not finished", err);
    *ret = coras_steal(&clean);
    return 0;
}

/* ---- all of them ---- */

static int fail_two_layers(const coras_package_entry *e, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(e->path);

    return coras_fail(err, CORAS_ERR_EXISTS, "%s: duplicate name: two layers of it differ",
                      shown ? shown : "");
}

static void entry_clear(coras_package_entry *e)
{
    free(e->path);
    free(e->file_path);
    e->path = e->file_path = NULL;
}

/* The same bytes under the same name once more are nothing new; other bytes are a contradiction. */
static int is_double(const coras_package_entry *e, coras_map *seen, bool *ret, coras_error **err)
{
    const coras_descriptor *first = *e->path ? coras_map_get(seen, e->path) : NULL;

    *ret = first && coras_digest_equal(&first->digest, &e->desc->digest);
    if (*ret || !*e->path)
        return 0;
    return first ? fail_two_layers(e, err)
                 : coras_map_set(seen, e->path, (void *)(uintptr_t)e->desc, err);
}

static void swap(coras_package_entry *a, coras_package_entry *b)
{
    const coras_package_entry other = *a;

    *a = *b;
    *b = other;
}

static int drop_doubles(coras_package *p, coras_error **err)
{
    coras_auto(coras_map) seen = coras_map_new(NULL);
    size_t kept = 0;

    if (!seen)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < p->entries.len; i++) {
        bool again = false;
        CORAS_TRY(is_double(&p->entries.items[i], seen, &again, err));
        if (!again)
            swap(&p->entries.items[kept++], &p->entries.items[i]);
    }
    for (size_t i = kept; i < p->entries.len; i++)
        entry_clear(&p->entries.items[i]);
    p->entries.len = kept;
    return 0;
}

static char fold(char c)
{
    return coras_is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* Without regard to case, and what lies in a directory follows it at once. */
static int by_folded_path(const void *a, const void *b)
{
    const char *x = (*(const coras_package_entry *const *)a)->path;
    const char *y = (*(const coras_package_entry *const *)b)->path;

    while (*x && fold(*x) == fold(*y)) {
        x++;
        y++;
    }
    int left = *x == '/' ? 1 : (unsigned char)fold(*x);
    int right = *y == '/' ? 1 : (unsigned char)fold(*y);
    return left - right;
}

static int fail_pair(const coras_package_entry *a, const coras_package_entry *b, const char *why,
                     coras_error **err)
{
    coras_auto_free char *first = coras_escape_dup(a->path);
    coras_auto_free char *second = coras_escape_dup(b->path);

    return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "%s and %s: %s", first ? first : "",
                      second ? second : "", why);
}

/* Neighbours in the folded order: all paths that begin alike are neighbours of each other. */
static int check_pair(const coras_package_entry *a, const coras_package_entry *b, coras_error **err)
{
    const char *x = a->path, *y = b->path;
    bool same_case = true, component_differs = false;

    for (; *x && fold(*x) == fold(*y); x++, y++) {
        same_case &= *x == *y;
        component_differs |= *x == '/' && !same_case;
    }
    bool at_end = (*x == '\0' || *x == '/') && (*y == '\0' || *y == '/');
    if (component_differs || (at_end && !same_case))
        return fail_pair(a, b, "they differ in the case of letters only", err);
    if (*x == '\0' && *y == '/' && a->form == CORAS_LAYER_RAW)
        return fail_pair(a, b, "the first is a file, and the second lies in it", err);
    return 0;
}

static int check_beside(const coras_package *p, coras_error **err)
{
    coras_auto_free const coras_package_entry **sorted =
        coras_calloc(p->entries.len + 1, sizeof(coras_package_entry *));
    size_t count = 0;

    if (!sorted)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < p->entries.len; i++)
        if (*p->entries.items[i].path)
            sorted[count++] = &p->entries.items[i];
    qsort(sorted, count, sizeof(*sorted), by_folded_path);
    for (size_t i = 1; i < count; i++)
        CORAS_TRY(check_pair(sorted[i - 1], sorted[i], err));
    return 0;
}

int coras_package_check_paths(coras_package *p, coras_error **err)
{
    CORAS_TRY(drop_doubles(p, err));
    return check_beside(p, err);
}
