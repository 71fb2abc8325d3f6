/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a directory into a tar stream that is hashed, compressed and written while it grows.
 * Reading and hashing are on the caller's thread, deflate on the compressor's.
 */
#include "archive/pack_dir.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "codec/gzip.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/tar.h"
#include "oci/digest.h"
#include "archive/link_target.h"

enum { READ_BYTES = 256 * CORAS_KIB };

/* A directory on the way to the current entry. */
struct packed_level {
    const struct packed_level *above;
    dev_t dev;
    ino_t ino;
};

struct packer {
    coras_cancel *cancel;
    enum coras_outside_links outside;
    const char *follow_into;
    const struct packed_level
        *level; /* the directory of the current entry; NULL: it is the root itself */
    long depth; /* of that directory, below the root or what was followed last */
    coras_hasher *tar_hash, *gzip_hash;
    coras_gzip *gzip; /* NULL: only the tar's digest is wanted */
    int out_fd;
    int64_t out_size;
    coras_buf name; /* of the current entry: prefix and relative path */
    coras_buf path; /* of the current entry: absolute, for messages */
    coras_buf header;
    char *buffer; /* READ_BYTES */
};

static void packer_clear(struct packer *p)
{
    coras_gzip_free(p->gzip);
    coras_hasher_free(p->tar_hash);
    coras_hasher_free(p->gzip_hash);
    coras_buf_clear(&p->name);
    coras_buf_clear(&p->path);
    coras_buf_clear(&p->header);
    free(p->buffer);
    coras_close_fd(&p->out_fd);
}

static int write_archive(void *user, const void *data, size_t len, coras_error **err)
{
    struct packer *p = user;
    coras_hasher_update(p->gzip_hash, data, len);
    CORAS_TRY(coras_write_full(p->out_fd, data, len, err));
    p->out_size += (int64_t)len;
    return 0;
}

static int put(struct packer *p, const void *data, size_t len, coras_error **err)
{
    coras_hasher_update(p->tar_hash, data, len);
    return p->gzip ? coras_gzip_write(p->gzip, data, len, err) : 0;
}

static int put_zeroes(struct packer *p, size_t len, coras_error **err)
{
    static const char zeroes[CORAS_TAR_END_BYTES];
    return put(p, zeroes, len, err);
}

/* ---- one entry ---- */

static int64_t rounded_mtime(const struct stat *st)
{
    return st->st_mtim.tv_sec + (st->st_mtim.tv_nsec >= 500000000 ? 1 : 0);
}

static int tar_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return CORAS_TAR_FILE;
    case S_IFDIR:
        return CORAS_TAR_DIRECTORY;
    case S_IFLNK:
        return CORAS_TAR_SYMLINK;
    case S_IFIFO:
        return CORAS_TAR_FIFO;
    case S_IFCHR:
        return CORAS_TAR_CHAR_DEVICE;
    case S_IFBLK:
        return CORAS_TAR_BLOCK_DEVICE;
    default:
        return 0;
    }
}

static int put_header(struct packer *p, const struct stat *st, const char *link, coras_error **err)
{
    int type = tar_type(st->st_mode);
    if (type == 0)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED, "%s: archive/tar: sockets not supported",
                          p->path.ptr);
    bool device = type == CORAS_TAR_CHAR_DEVICE || type == CORAS_TAR_BLOCK_DEVICE;
    const coras_tar_entry entry = {
        .type = (char)type,
        .name = p->name.ptr,
        .link = link,
        .mode = st->st_mode & 07777,
        .size = type == CORAS_TAR_FILE ? st->st_size : 0,
        .mtime_s = rounded_mtime(st),
        .dev_major = device ? major(st->st_rdev) : 0,
        .dev_minor = device ? minor(st->st_rdev) : 0,
    };
    coras_buf_reset(&p->header);
    CORAS_TRY(coras_tar_put_header(&p->header, &entry, err));
    return put(p, p->header.ptr, p->header.len, err);
}

static int fail_changed(const struct packer *p, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_CHANGED, "%s: file changed while it was read", p->path.ptr);
}

static int put_content(struct packer *p, int fd, int64_t size, coras_error **err)
{
    int64_t offset = 0;
    while (offset < size) {
        CORAS_TRY(coras_cancel_check(p->cancel, err));
        size_t want = size - offset < READ_BYTES ? (size_t)(size - offset) : READ_BYTES;
        size_t got = 0;
        int rc = coras_pread_full(fd, p->buffer, want, offset, &got, err);
        if (rc < 0)
            return coras_wrap(err, rc, "%s", p->path.ptr);
        if (got < want)
            return fail_changed(p, err);
        CORAS_TRY(put(p, p->buffer, got, err));
        offset += (int64_t)got;
    }
    return put_zeroes(p, coras_tar_padding(size), err);
}

static int put_open_file(struct packer *p, int fd, coras_error **err)
{
    struct stat before, after;

    if (fstat(fd, &before) < 0)
        return coras_fail_errno(err, errno, "stat %s", p->path.ptr);
    if (!S_ISREG(before.st_mode))
        return fail_changed(p, err);
    CORAS_TRY(put_header(p, &before, "", err));
    CORAS_TRY(put_content(p, fd, before.st_size, err));
    if (fstat(fd, &after) < 0)
        return coras_fail_errno(err, errno, "stat %s", p->path.ptr);
    if (after.st_size != before.st_size || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
        after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
        return fail_changed(p, err);
    return 0;
}

static int put_file(struct packer *p, int dirfd, const char *leaf, coras_error **err)
{
    coras_auto_fd fd = openat(dirfd, leaf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", p->path.ptr);
    return put_open_file(p, fd, err);
}

/* ---- symbolic links ---- */

static int read_link(const struct packer *p, int dirfd, const char *leaf,
                     char target[static CORAS_LIMIT_PATH + 1], coras_error **err)
{
    ssize_t n = readlinkat(dirfd, leaf, target, CORAS_LIMIT_PATH + 1);

    if (n < 0)
        return coras_fail_errno(err, errno, "readlink %s", p->path.ptr);
    if (n > CORAS_LIMIT_PATH)
        return coras_fail_errno(err, ENAMETOOLONG, "readlink %s", p->path.ptr);
    target[n] = 0;
    return 0;
}

static bool leads_out(const struct packer *p, const char *target)
{
    return !p->level || coras_judge_link(target, p->depth) == CORAS_LINK_OUTSIDE;
}

/* Whether the text of a link, read where the link is, names something below `follow_into`. */
static bool leads_into(const struct packer *p, const char *target)
{
    const char *slash = strrchr(p->path.ptr, '/');
    coras_auto_free char *dir = coras_strndup(p->path.ptr, (size_t)(slash - p->path.ptr));
    coras_auto_free char *path = *target == '/' ? coras_path_clean(target)
                                 : dir          ? coras_path_join(dir, target)
                                                : NULL;
    size_t len = p->follow_into ? strlen(p->follow_into) : 0;

    return len > 0 && path && strncmp(path, p->follow_into, len) == 0 && path[len] == '/';
}

static int fail_leads_out(const struct packer *p, const char *target, coras_error **err)
{
    coras_auto_free char *name = coras_escape_dup(p->path.ptr);
    coras_auto_free char *shown = coras_escape_dup(target);
    int rc = coras_fail(err, CORAS_ERR_UNSAFE_PATH,
                        "%s: symbolic link leads out of the directory, to %s", name ? name : "",
                        shown ? shown : "");

    coras_advise(err, CORAS_HINT_FOLLOW_LINKS);
    return rc;
}

static int put_followed(struct packer *p, int dirfd, const char *leaf, coras_error **err);

static int put_symlink(struct packer *p, int dirfd, const char *leaf, const struct stat *st,
                       coras_error **err)
{
    char target[CORAS_LIMIT_PATH + 1];

    CORAS_TRY(read_link(p, dirfd, leaf, target, err));
    if (p->outside == CORAS_OUTSIDE_KEPT || !leads_out(p, target))
        return put_header(p, st, target, err);
    if (p->outside == CORAS_OUTSIDE_FOLLOWED || leads_into(p, target))
        return put_followed(p, dirfd, leaf, err);
    return fail_leads_out(p, target, err);
}

/* ---- the walk ---- */

/* Go's path.Join with the first `len` bytes of `path`: nothing before it gives the child alone. */
static int put_child(coras_buf *path, size_t len, const char *child, coras_error **err)
{
    coras_buf_truncate(path, len);
    if (len > 0 && path->ptr[len - 1] != '/')
        coras_buf_putc(path, '/');
    coras_buf_puts(path, child);
    return coras_buf_done(path, err);
}

static int put_entry(struct packer *p, int dirfd, const char *leaf, coras_error **err);

/* Everything in the open directory that p->path and p->name stand for; both grow beyond it. */
static int put_names(struct packer *p, int fd, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};
    size_t path_len = p->path.len;
    size_t name_len = coras_streq(p->name.ptr, ".") ? 0 : p->name.len; /* no "./" in front */

    CORAS_TRY(coras_list_directory(fd, p->path.ptr, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        CORAS_TRY(put_child(&p->name, name_len, names.items[i], err));
        CORAS_TRY(put_child(&p->path, path_len, names.items[i], err));
        CORAS_TRY(put_entry(p, fd, names.items[i], err));
    }
    return 0;
}

static int put_children(struct packer *p, int fd, long depth, coras_error **err)
{
    const struct packer outer = *p;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", p->path.ptr);
    const struct packed_level level = {.above = p->level, .dev = st.st_dev, .ino = st.st_ino};
    p->level = &level;
    p->depth = depth;
    int rc = put_names(p, fd, err);
    p->level = outer.level;
    p->depth = outer.depth;
    return rc;
}

static int put_subdirectory(struct packer *p, int dirfd, const char *leaf, coras_error **err)
{
    coras_auto_fd fd = openat(dirfd, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", p->path.ptr);
    return put_children(p, fd, p->level ? p->depth + 1 : 0, err);
}

static bool is_above(const struct packer *p, const struct stat *st)
{
    for (const struct packed_level *l = p->level; l; l = l->above)
        if (l->dev == st->st_dev && l->ino == st->st_ino)
            return true;
    return false;
}

/* What a link leads to, under the name of the link. In a directory that was followed, links are
 * judged by whether they leave that one: their text was written there. */
static int put_followed(struct packer *p, int dirfd, const char *leaf, coras_error **err)
{
    coras_auto_fd fd = openat(dirfd, leaf, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "open %s", p->path.ptr);
    if (S_ISREG(st.st_mode))
        return put_open_file(p, fd, err);
    if (!S_ISDIR(st.st_mode))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "%s leads to neither a file nor a directory", p->path.ptr);
    if (is_above(p, &st))
        return coras_fail_errno(err, ELOOP, "open %s", p->path.ptr);
    CORAS_TRY(put_header(p, &st, "", err));
    return put_children(p, fd, 0, err);
}

/* The depth is bounded by the file descriptors: one is open per level. */
static int put_entry(struct packer *p, int dirfd, const char *leaf, coras_error **err)
{
    CORAS_TRY(coras_cancel_check(p->cancel, err));
    struct stat st;
    if (fstatat(dirfd, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return coras_fail_errno(err, errno, "lstat %s", p->path.ptr);
    if (S_ISREG(st.st_mode))
        return put_file(p, dirfd, leaf, err);
    if (S_ISLNK(st.st_mode))
        return put_symlink(p, dirfd, leaf, &st, err);
    CORAS_TRY(put_header(p, &st, "", err));
    return S_ISDIR(st.st_mode) ? put_subdirectory(p, dirfd, leaf, err) : 0;
}

/* An absolute path. */
static int pack(struct packer *p, const char *path, coras_error **err)
{
    int rc = put_entry(p, AT_FDCWD, path, err);
    if (rc == 0)
        rc = put_zeroes(p, CORAS_TAR_END_BYTES, err);
    if (rc == 0 && p->gzip)
        rc = coras_gzip_finish(p->gzip, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to tar %s", path) : 0;
}

static int packer_init(struct packer *p, const char *root, const char *name_prefix,
                       coras_error **err)
{
    coras_auto_free char *prefix = coras_path_clean(name_prefix);
    p->buffer = coras_malloc(READ_BYTES);
    if (!root || !prefix || !p->buffer)
        return coras_fail_no_memory(err);
    coras_buf_puts(&p->name, prefix);
    coras_buf_puts(&p->path, root);
    CORAS_TRY(coras_buf_done(&p->name, err));
    CORAS_TRY(coras_buf_done(&p->path, err));
    return coras_hasher_new(CORAS_SHA256, &p->tar_hash, err);
}

#define PACKER_INIT                                                                                \
    {                                                                                              \
        .out_fd = -1, .name = CORAS_BUF_UNLIMITED, .path = CORAS_BUF_UNLIMITED,                    \
        .header = CORAS_BUF_UNLIMITED                                                              \
    }

int coras_pack_directory(const char *path, const char *name_prefix,
                         const struct coras_pack_dir_options *opts, struct coras_packed_dir *ret,
                         coras_error **err)
{
    static const struct coras_pack_dir_options defaults = {0};
    coras_auto_free char *root = coras_path_abs(path);
    __attribute__((cleanup(packer_clear))) struct packer p = PACKER_INIT;
    const coras_sink archive = {.write = write_archive, .user = &p};

    opts = opts ? opts : &defaults;
    p.cancel = opts->cancel;
    p.outside = opts->outside;
    p.follow_into = opts->follow_into;
    CORAS_TRY(packer_init(&p, root, name_prefix, err));
    CORAS_TRY(coras_hasher_new(CORAS_SHA256, &p.gzip_hash, err));
    CORAS_TRY(coras_tmpfile(opts->temporary_dir, &p.out_fd, err));
    CORAS_TRY(coras_gzip_new(opts->threads, &archive, &p.gzip, err));
    CORAS_TRY(pack(&p, root, err));
    coras_hasher_final(p.gzip_hash, &ret->digest);
    coras_hasher_final(p.tar_hash, &ret->tar_digest);
    ret->size = p.out_size;
    ret->fd = p.out_fd;
    p.out_fd = -1;
    return 0;
}

int coras_hash_directory(const char *path, const char *name_prefix, coras_cancel *cancel,
                         coras_digest *ret, coras_error **err)
{
    coras_auto_free char *root = coras_path_abs(path);
    __attribute__((cleanup(packer_clear))) struct packer p = PACKER_INIT;

    p.cancel = cancel;
    p.outside = CORAS_OUTSIDE_KEPT;
    CORAS_TRY(packer_init(&p, root, name_prefix, err));
    CORAS_TRY(pack(&p, root, err));
    coras_hasher_final(p.tar_hash, ret);
    return 0;
}
