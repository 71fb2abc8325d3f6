/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the files of an artifact fit on the disk, before they come.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "transfer/partial_file.h"
#include "ops/pull_files.h"

/* Whether something stands under the name that may turn out to be right: that is cheap to know,
 * what it takes to replace it is asked again when it comes. */
static bool may_be_right(const coras_place *p)
{
    struct stat st;

    if (lstat(p->absolute, &st) < 0)
        return false;
    return p->unpack ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode) && st.st_size == p->desc.size;
}

/* What an earlier pull has left of the content, or reserved for it. */
static int64_t staged_bytes(const coras_workdir *w, const coras_place *p)
{
    coras_auto_free char *name = coras_workdir_staged_name(&p->desc.digest);
    coras_auto_free char *path =
        name ? coras_asprintf("%s/" CORAS_STAGE_NAME "/%s", w->absolute, name) : NULL;
    struct stat st;

    if (!path || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    return coras_allocated_bytes(&st);
}

static int64_t declared_bytes(const coras_workdir *w CORAS_UNUSED, const coras_place *p)
{
    return p->desc.size;
}

static int64_t bytes_to_come(const coras_workdir *w, const coras_place *p)
{
    if (may_be_right(p))
        return 0;
    int64_t staged = staged_bytes(w, p);
    return staged < p->desc.size ? p->desc.size - staged : 0;
}

/* lock held */
static int64_t sum_of(const coras_workdir *w,
                      int64_t (*bytes)(const coras_workdir *w, const coras_place *p))
{
    int64_t sum = 0;

    for (size_t i = 0; i < w->places.len; i++) {
        const coras_place *p = w->places.items[i];
        if (!p->same_as && __builtin_add_overflow(sum, bytes(w, p), &sum))
            return INT64_MAX;
    }
    return sum;
}

/* The output directory, or what is there of the path to it; -1 when it cannot be looked at. */
static int open_nearest(const char *absolute)
{
    coras_auto_free char *path = coras_strdup(absolute);
    char *slash;

    while (path) {
        int fd = open(*path ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 || errno != ENOENT || !(slash = strrchr(path, '/')))
            return fd;
        *slash = '\0';
    }
    return -1;
}

int coras_workdir_check_room(coras_workdir *w, coras_error **err)
{
    coras_auto_fd fd = open_nearest(w->absolute);

    if (fd < 0)
        return 0; /* what is wrong is told later */
    int64_t available = coras_free_space(fd);
    if (available < 0)
        return 0; /* the file system does not count */
    pthread_mutex_lock(&w->lock);
    int64_t wanted = sum_of(w, declared_bytes);
    if (wanted > available) /* rare, and only then worth a look at every file */
        wanted = sum_of(w, bytes_to_come);
    pthread_mutex_unlock(&w->lock);
    return coras_partial_check_room(fd, wanted, err);
}
