/*
 * Whether the files of an artifact fit on the disk, before they come.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/partial_file.h"
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
    enum { BLOCK = 512 }; /* the unit of st_blocks, whatever the file system's own */
    coras_auto_free char *name = coras_workdir_staged_name(&p->desc.digest);
    coras_auto_free char *dir = coras_path_join(w->absolute, CORAS_STAGE_NAME);
    coras_auto_free char *path = dir && name ? coras_path_join(dir, name) : NULL;
    struct stat st;

    if (!path || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    return (int64_t)st.st_blocks * BLOCK;
}

/* lock held */
static int64_t bytes_to_come(const coras_workdir *w)
{
    int64_t sum = 0;

    for (size_t i = 0; i < w->places.len; i++) {
        const coras_place *p = w->places.items[i];
        if (p->same_as || may_be_right(p))
            continue;
        int64_t staged = staged_bytes(w, p);
        if (staged < p->desc.size && __builtin_add_overflow(sum, p->desc.size - staged, &sum))
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
    pthread_mutex_lock(&w->lock);
    int64_t wanted = bytes_to_come(w);
    pthread_mutex_unlock(&w->lock);
    if (wanted == 0)
        return 0;
    coras_auto_fd fd = open_nearest(w->absolute);
    return fd < 0 ? 0 : coras_partial_check_room(fd, wanted, err); /* what is wrong is told later */
}
