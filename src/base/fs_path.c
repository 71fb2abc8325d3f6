/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths as text, with Go's rules (declared in fs.h). No look at the file system.
 */
#include "base/fs.h"

#include <string.h>
#include "base/alloc.h"

/* Remove the last component of what was written, but nothing before `floor`. */
static void drop_component(coras_buf *out, size_t floor)
{
    size_t len = out->len;

    while (len > floor && out->ptr[len - 1] != '/')
        len--;
    if (len > floor)
        len--; /* the slash */
    coras_buf_truncate(out, len);
}

static char *take_path(coras_buf *out)
{
    char *text;

    if (coras_buf_take(out, &text, NULL) < 0) {
        coras_buf_clear(out);
        return NULL;
    }
    return text;
}

char *coras_path_clean(const char *path)
{
    coras_buf out = CORAS_BUF_UNLIMITED;
    bool rooted = path[0] == '/';
    size_t floor = 0; /* what ".." must not remove: the root, or leading ".."s */

    if (rooted) {
        coras_buf_putc(&out, '/');
        floor = 1;
    }
    while (*path) {
        size_t len = strcspn(path, "/");
        bool dots = len == 2 && path[0] == '.' && path[1] == '.';
        if (dots && out.len > floor) {
            drop_component(&out, floor);
        } else if (len && !(len == 1 && path[0] == '.') && !(dots && rooted)) {
            if (out.len > (rooted ? 1u : 0u))
                coras_buf_putc(&out, '/');
            coras_buf_put(&out, path, len);
            if (dots)
                floor = out.len;
        }
        path += len;
        path += *path == '/';
    }
    if (out.len == 0)
        coras_buf_putc(&out, '.');
    return take_path(&out);
}

char *coras_path_join(const char *a, const char *b)
{
    coras_auto_free char *both = NULL;

    if (!*a && !*b)
        return coras_strdup("");
    if (!*a || !*b)
        return coras_path_clean(*a ? a : b);
    both = coras_asprintf("%s/%s", a, b);
    return both ? coras_path_clean(both) : NULL;
}

char *coras_path_abs(const char *path)
{
    coras_auto_free char *cwd = NULL;

    if (path[0] == '/')
        return coras_path_clean(path);
    cwd = getcwd(NULL, 0);
    return cwd ? coras_path_join(cwd, path) : NULL;
}

const char *coras_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!*path)
        return ".";
    return slash && slash[1] ? slash + 1
                             : path; /* a clean path ends in a slash only if it is "/" */
}

size_t coras_path_depth(const char *path)
{
    size_t depth = 0;

    for (; *path; path++)
        depth += *path == '/';
    return depth;
}
