/* SPDX-License-Identifier: Apache-2.0 */
/* The names of members, as they are taken and as they are told. */
#include "archive/unpack_names.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "gospell/quote.h"

enum { SHOWN_BYTES = 512 }; /* of a name, in a message */

/* ---- messages ---- */

void coras_tree_put_quoted(coras_buf *out, const char *s)
{
    coras_auto_free char *shown = coras_strndup(s, strnlen(s, SHOWN_BYTES));
    if (shown)
        coras_go_quote(out, shown);
}

int coras_tree_fail_outside(const struct coras_tree *tree, const char *what, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_tree_put_quoted(&text, what);
    coras_buf_puts(&text, " is outside of ");
    coras_tree_put_quoted(&text, tree->title);
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "%s", text.ptr);
}

int coras_tree_fail_through_link(const struct coras_tree *tree, const char *name, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_buf_puts(&text, "no symbolic link allowed between ");
    coras_tree_put_quoted(&text, tree->title);
    coras_buf_puts(&text, " and ");
    coras_tree_put_quoted(&text, name);
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "%s", text.ptr);
}

int coras_tree_fail_system(const struct coras_tree *tree, int errnum, const char *operation,
                           const char *rel, coras_error **err)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED;
    coras_escape(&path, tree->target_path, strlen(tree->target_path), CORAS_LIMIT_PATH);
    if (*rel) {
        coras_buf_putc(&path, '/');
        coras_escape(&path, rel, strlen(rel), SHOWN_BYTES);
    }
    return coras_fail_errno(err, errnum, "%s %s", operation, path.ptr);
}

/* ---- names ---- */

static size_t count_leading_dotdots(const char *path)
{
    size_t n = 0;
    while (strncmp(path, "..", 2) == 0 && (path[2] == '/' || path[2] == 0)) {
        n++;
        path += path[2] ? 3 : 2;
    }
    return n;
}

/*
 * Append the components of `name` joined by single slashes; false when one of them is ".." beyond
 * the first `up`, which a title outside of the output directory begins with.
 */
static bool put_components(coras_buf *out, const char *name, size_t up)
{
    bool first = true;
    if (*name == '/')
        coras_buf_putc(out, '/');
    for (size_t len; *name; name += len, name += *name == '/') {
        len = strcspn(name, "/");
        if (len == 0 || (len == 1 && *name == '.'))
            continue;
        bool dotdot = len == 2 && memcmp(name, "..", 2) == 0;
        if (dotdot && up == 0)
            return false;
        up = dotdot ? up - 1 : 0;
        if (!first)
            coras_buf_putc(out, '/');
        coras_buf_put(out, name, len);
        first = false;
    }
    return true;
}

static int check_depth(const char *name, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    if (coras_path_depth(name) <= CORAS_LIMIT_UNPACK_DEPTH)
        return 0;
    coras_tree_put_quoted(&shown, name);
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE,
                      "%s has more than %d directories in each other", shown.ptr,
                      CORAS_LIMIT_UNPACK_DEPTH);
}

int coras_tree_beneath_title(const struct coras_tree *tree, const char *name, coras_buf *ret,
                             coras_error **err)
{
    coras_auto_buf clean = CORAS_BUF_UNLIMITED;
    if (!put_components(&clean, name, count_leading_dotdots(tree->title)))
        return coras_tree_fail_outside(tree, name, err);
    CORAS_TRY(coras_buf_done(&clean, err));
    size_t title_len = coras_streq(tree->title, ".") ? 0 : strlen(tree->title);
    bool outside = title_len == 0 ? clean.ptr[0] == '/'
                                  : !coras_str_starts(clean.ptr, tree->title) ||
                                        (clean.ptr[title_len] != 0 && clean.ptr[title_len] != '/');
    if (outside)
        return coras_tree_fail_outside(tree, name, err);
    if (clean.len > CORAS_LIMIT_PATH)
        return coras_tree_fail_system(tree, ENAMETOOLONG, "open", name, err);
    CORAS_TRY(check_depth(clean.ptr, err));
    coras_buf_reset(ret);
    coras_buf_puts(ret, clean.ptr + title_len + (clean.ptr[title_len] == '/'));
    return coras_buf_done(ret, err);
}
