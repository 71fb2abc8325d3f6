/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCI layout as a tar archive, in the order that upstream writes.
 */
#include <dirent.h>
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/tar.h"
#include "coras/backup.h"

#define COPY_BYTES   (256 * CORAS_KIB)
#define LAYOUT_DEPTH 8 /* blobs/<algorithm>/<hex> is 3 */

struct exporting {
    int fd;
    int64_t written;
    char *block; /* COPY_BYTES */
};

static int write_bytes(struct exporting *e, const void *data, size_t len, coras_error **err)
{
    CORAS_TRY(coras_write_full(e->fd, data, len, err));
    e->written += (int64_t)len;
    return 0;
}

static int write_header(struct exporting *e, char type, const char *name, const struct stat *st,
                        coras_error **err)
{
    const coras_tar_entry entry = {.type = type,
                                   .name = name,
                                   .link = "",
                                   .mode = st->st_mode & 07777,
                                   .size = type == CORAS_TAR_FILE ? st->st_size : 0,
                                   .mtime_s = st->st_mtim.tv_sec};
    coras_auto_buf header = CORAS_BUF_UNLIMITED;
    CORAS_TRY(coras_tar_put_header(&header, &entry, err));
    CORAS_TRY(coras_buf_done(&header, err));
    return write_bytes(e, header.ptr, header.len, err);
}

static int write_padding(struct exporting *e, size_t len, coras_error **err)
{
    static const char zeroes[CORAS_TAR_END_BYTES];
    return write_bytes(e, zeroes, len, err);
}

static int export_file(struct exporting *e, int dirfd, const char *base, const char *name,
                       coras_error **err)
{
    struct stat st;
    coras_auto_fd fd = openat(dirfd, base, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    CORAS_TRY(write_header(e, CORAS_TAR_FILE, name, &st, err));
    for (int64_t offset = 0; offset < st.st_size;) {
        size_t n = 0;
        int64_t left = st.st_size - offset;
        CORAS_TRY(coras_pread_full(fd, e->block, left < COPY_BYTES ? (size_t)left : COPY_BYTES,
                                   offset, &n, err));
        if (n == 0)
            return coras_fail(err, CORAS_ERR_CHANGED, "%s became shorter while it was read", name);
        CORAS_TRY(write_bytes(e, e->block, n, err));
        offset += (int64_t)n;
    }
    return write_padding(e, coras_tar_padding(st.st_size), err);
}

static int list_names(int dirfd, const char *name, coras_strlist *ret, coras_error **err)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        return coras_fail_errno(err, saved, "open %s", name);
    }
    int rc = 0;
    for (struct dirent *entry; errno = 0, rc == 0 && (entry = readdir(dir));)
        if (!coras_streq(entry->d_name, ".") && !coras_streq(entry->d_name, ".."))
            rc = coras_strlist_add(ret, entry->d_name, err);
    if (rc == 0 && errno)
        rc = coras_fail_errno(err, errno, "read %s", name);
    closedir(dir);
    coras_strlist_sort(ret);
    return rc;
}

static int export_directory(struct exporting *e, int parentfd, const char *base, const char *name,
                            int depth, coras_error **err);

static int export_entry(struct exporting *e, int dirfd, const char *base, const char *parent,
                        int depth, coras_error **err)
{
    struct stat st;
    coras_auto_free char *name = coras_asprintf("%s/%s", parent, base);
    if (!name)
        return coras_fail_no_memory(err);
    if (fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    if (S_ISDIR(st.st_mode))
        return export_directory(e, dirfd, base, name, depth + 1, err);
    return S_ISREG(st.st_mode) ? export_file(e, dirfd, base, name, err) : 0;
}

/* `name` is the path in the archive, without the slash that its header gets. */
static int export_directory(struct exporting *e, int parentfd, const char *base, const char *name,
                            int depth, coras_error **err)
{
    struct stat st;
    coras_auto_value(coras_strlist) names = {0};
    if (depth > LAYOUT_DEPTH)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s is nested too deep for a layout", name);
    coras_auto_fd fd = openat(parentfd, base, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    coras_auto_free char *shown = coras_asprintf("%s/", name);
    if (!shown)
        return coras_fail_no_memory(err);
    CORAS_TRY(write_header(e, CORAS_TAR_DIRECTORY, shown, &st, err));
    CORAS_TRY(list_names(fd, name, &names, err));
    for (size_t i = 0; i < names.len; i++)
        CORAS_TRY(export_entry(e, fd, names.items[i], name, depth, err));
    return 0;
}

int coras_layout_export(const char *directory, int fd, int64_t *ret_size, coras_error **err)
{
    if (!directory || fd < 0 || !ret_size)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a directory and a file");
    coras_auto_free char *block = coras_malloc(COPY_BYTES);
    if (!block)
        return coras_fail_no_memory(err);
    coras_auto_fd root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return coras_fail_errno(err, errno, "open %s", directory);
    struct exporting exporting = {.fd = fd, .block = block};
    CORAS_TRY(export_directory(&exporting, root, "blobs", "blobs", 1, err));
    CORAS_TRY(export_file(&exporting, root, "index.json", "index.json", err));
    CORAS_TRY(export_file(&exporting, root, "oci-layout", "oci-layout", err));
    CORAS_TRY(write_padding(&exporting, CORAS_TAR_END_BYTES, err));
    *ret_size = exporting.written;
    return 0;
}
