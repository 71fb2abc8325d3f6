/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs as files below descriptors that are held from the start. */
#include "serve/storage/blob_store.h"

#include <errno.h>
#include "base/alloc.h"
#include "base/error.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* With `create` it is made when it is missing, for us alone. */
static int open_directory(int parent, const char *name, bool create, int *ret_fd, coras_error **err)
{
    int fd;

    if (create && mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return coras_fail_errno(err, errno, "mkdir %s", name);
    fd = openat(parent, name, DIRECTORY_FLAGS);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    *ret_fd = fd;
    return create ? coras_fsync(parent, name, err) : 0;
}

static int blob_directory(const serve_blob_store *s, const coras_digest *digest)
{
    return s->algorithm_fd[digest->algorithm];
}

/* ---- the verbs of blobs ---- */

/* It replaces what is there: that may have been damaged since. */
static int publish(serve_blobs *b, const char *name, int fd, const coras_digest *digest,
                   char **ret_place, coras_error **err)
{
    const serve_blob_store *s = (const serve_blob_store *)b;
    char hex[CORAS_DIGEST_TEXT_MAX];
    int directory = blob_directory(s, digest);

    (void)fd;
    coras_digest_hex(digest, hex);
    if (renameat(s->uploads_fd, name, directory, hex) < 0)
        return coras_fail_errno(err, errno, "rename %s to %s", name, hex);
    *ret_place = NULL;
    return coras_fsync(directory, "blobs", err);
}

static int check_file(int fd, const char *hex, int64_t size, coras_error **err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "blob %s", hex);
    if (!S_ISREG(st.st_mode))
        return coras_fail(err, CORAS_ERR_IO, "blob %s: not a regular file", hex);
    if (st.st_size != size)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob %s: damaged: %lld bytes, expected %lld",
                          hex, (long long)st.st_size, (long long)size);
    return 0;
}

int serve_blob_store_check_own(int fd, const char *name, coras_error **err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    if (!S_ISREG(st.st_mode))
        return coras_fail(err, CORAS_ERR_IO, "%s: not a regular file", name);
    if (st.st_nlink > 1)
        return coras_fail(err, CORAS_ERR_IO, "%s: has another name too", name);
    return 0;
}

static int open_blob(serve_blobs *b, const coras_digest *digest, int64_t size, const char *place,
                     serve_open_blob *ret, coras_error **err)
{
    char hex[CORAS_DIGEST_TEXT_MAX];
    coras_auto_fd fd = -1;

    coras_digest_hex(digest, hex);
    if (place)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "blob %s: in a store elsewhere: %s", hex,
                          place);
    fd = serve_blob_store_look((const serve_blob_store *)b, digest);
    if (fd < 0)
        return coras_fail_errno(err, errno, "blob %s", hex);
    CORAS_TRY(check_file(fd, hex, size, err));
    ret->fd = fd;
    fd = -1;
    return 0;
}

static int remove_blob(serve_blobs *b, const coras_digest *digest, const char *place,
                       coras_error **err)
{
    (void)place;
    return serve_blob_store_remove((const serve_blob_store *)b, digest, err);
}

static const struct serve_blobs_ops directory_ops = {
    .publish = publish,
    .open = open_blob,
    .remove = remove_blob,
};

/* ---- the directory ---- */

/*
 * Publishers come all the time: the collector, once it waits, goes next. musl's locks have no such
 * order; there it waits until nobody publishes.
 */
static void init_collecting(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
#ifdef __GLIBC__
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

int serve_blob_store_open(int rootfd, bool read_only, serve_blob_store **ret, coras_error **err)
{
    coras_auto(serve_blob_store) s = coras_new(serve_blob_store);
    coras_auto_fd blobs = -1;

    if (!s)
        return coras_fail_no_memory(err);
    s->blobs.ops = &directory_ops;
    init_collecting(&s->collecting);
    s->uploads_fd = -1;
    for (int i = 0; i <= CORAS_SHA512; i++)
        s->algorithm_fd[i] = -1;
    if (!read_only)
        CORAS_TRY(open_directory(rootfd, "uploads", true, &s->uploads_fd, err));
    CORAS_TRY(open_directory(rootfd, "blobs", !read_only, &blobs, err));
    for (int i = CORAS_SHA256; i <= CORAS_SHA512; i++)
        CORAS_TRY(open_directory(blobs, coras_digest_algorithm_name(i), !read_only,
                                 &s->algorithm_fd[i], err));
    *ret = coras_steal(&s);
    return 0;
}

void serve_blob_store_close(serve_blob_store *s)
{
    if (!s)
        return;
    coras_close_fd(&s->uploads_fd);
    for (int i = 0; i <= CORAS_SHA512; i++)
        coras_close_fd(&s->algorithm_fd[i]);
    pthread_rwlock_destroy(&s->collecting);
    free(s);
}

int serve_blob_store_look(const serve_blob_store *s, const coras_digest *digest)
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    coras_digest_hex(digest, hex);
    /* O_NONBLOCK: a FIFO under this name must not hold us */
    return openat(blob_directory(s, digest), hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

bool serve_blob_store_remove_file(const serve_blob_store *s, const coras_digest *digest, int fd)
{
    char hex[CORAS_DIGEST_TEXT_MAX];
    struct stat open_one, named;

    coras_digest_hex(digest, hex);
    return fstat(fd, &open_one) == 0 &&
           fstatat(blob_directory(s, digest), hex, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino &&
           unlinkat(blob_directory(s, digest), hex, 0) == 0;
}

int serve_blob_store_remove(const serve_blob_store *s, const coras_digest *digest,
                            coras_error **err)
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    coras_digest_hex(digest, hex);
    if (unlinkat(blob_directory(s, digest), hex, 0) < 0 && errno != ENOENT)
        return coras_fail_errno(err, errno, "remove blob %s", hex);
    return 0;
}

/* A listing of its own position. */
static DIR *list_directory(int fd)
{
    int copy = openat(fd, ".", DIRECTORY_FLAGS);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (!dir && copy >= 0)
        close(copy);
    return dir;
}

static bool next_file(DIR *dir, int algorithm, coras_digest *ret, int64_t *ret_written_s)
{
    struct dirent *entry;
    struct stat st;

    while ((entry = readdir(dir))) {
        char text[CORAS_DIGEST_TEXT_MAX];
        int len = snprintf(text, sizeof(text), "%s:%s", coras_digest_algorithm_name(algorithm),
                           entry->d_name);
        if (len >= (int)sizeof(text) || coras_digest_parse(text, ret, NULL) < 0 ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        *ret_written_s = st.st_mtime;
        return true;
    }
    return false;
}

bool serve_blob_store_next(const serve_blob_store *s, struct serve_blob_walk *walk,
                           coras_digest *ret, int64_t *ret_written_s)
{
    while (!walk->dir || !next_file(walk->dir, walk->algorithm, ret, ret_written_s)) {
        int next = walk->algorithm ? walk->algorithm + 1 : CORAS_SHA256;
        serve_blob_walk_end(walk);
        if (next > CORAS_SHA512)
            return false;
        walk->dir = list_directory(s->algorithm_fd[next]);
        walk->algorithm = next;
    }
    return true;
}

void serve_blob_walk_end(struct serve_blob_walk *walk)
{
    if (walk->dir)
        closedir(walk->dir);
    *walk = (struct serve_blob_walk){0};
}

static bool directory_is_empty(int fd)
{
    DIR *dir = list_directory(fd);
    struct dirent *entry;
    int entries = 0;

    if (!dir)
        return false;
    while (entries <= 2 && (entry = readdir(dir)))
        entries++;
    closedir(dir);
    return entries <= 2; /* "." and ".." */
}

bool serve_blob_store_is_empty(serve_blob_store *s)
{
    for (int i = CORAS_SHA256; i <= CORAS_SHA512; i++) {
        if (!directory_is_empty(s->algorithm_fd[i]))
            return false;
    }
    return true;
}
