/* SPDX-License-Identifier: Apache-2.0 */
/* A directory to work in, for who serves layouts alone. */
#include "serve/layouts/workplace.h"

#include <errno.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"

#define HIDDEN    ".coras-serve"
#define TEMPORARY "/tmp"

static int make_temporary(serve_workplace *w, coras_error **err)
{
    char name[CORAS_TEMP_NAME_BYTES];
    coras_auto_fd dir = open(TEMPORARY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || coras_temp_mkdir(dir, name) < 0)
        return coras_fail_errno(err, errno, "make a directory in " TEMPORARY);
    w->path = coras_path_join(TEMPORARY, name);
    w->is_temporary = w->path != NULL;
    if (w->path)
        return 0;
    (void)unlinkat(dir, name, AT_REMOVEDIR); /* empty, and nobody else's */
    return coras_fail_no_memory(err);
}

int serve_workplace_make(const struct serve_options *options, serve_workplace *ret,
                         coras_error **err)
{
    if (options->root || !options->layouts)
        return 0;
    if (!options->layouts_write)
        return make_temporary(ret, err);
    ret->path = coras_path_join(options->layouts, HIDDEN);
    return ret->path ? 0 : coras_fail_no_memory(err);
}

void serve_workplace_clear(serve_workplace *w)
{
    if (w->is_temporary)
        (void)!coras_remove_all(AT_FDCWD, w->path, NULL); /* what stays is small, and temporary */
    free(w->path);
    *w = (serve_workplace){0};
}
