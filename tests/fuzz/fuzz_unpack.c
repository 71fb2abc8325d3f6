/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking a tar: whatever it says, nothing appears but the target, nothing in it leads out, and
 * after a refusal there is nothing at all. A leading '!' stands for "make all checksums right". */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "archive/unpack.h"
#include "tar_checksums.h"

static char work_dir[] = "/tmp/coras-fuzz-unpack-XXXXXX";
static int work_fd = -1;

static void remove_work_dir(void)
{
    (void)rmdir(work_dir); /* everything in it was removed after each input */
}

static void make_work_dir(void)
{
    if (work_fd >= 0)
        return;
    FUZZ_CHECK(mkdtemp(work_dir));
    work_fd = open(work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(work_fd >= 0);
    (void)atexit(remove_work_dir);
}

/* Stored, not compressed: the compressor has its own tests. */
static int make_archive(const char *data, size_t len, int64_t *ret_size)
{
    size_t cap = len + len / 1000 + 100;
    coras_auto_free unsigned char *gz = malloc(cap);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data,
                  .avail_in = (uInt)len,
                  .next_out = gz,
                  .avail_out = (uInt)cap};
    int fd = -1;
    FUZZ_CHECK(gz && deflateInit2(&z, 0, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    *ret_size = (int64_t)z.total_out;
    (void)deflateEnd(&z);
    FUZZ_CHECK(coras_tmpfile(NULL, &fd, NULL) == 0);
    FUZZ_CHECK(coras_write_full(fd, gz, (size_t)*ret_size, NULL) == 0);
    return fd;
}

/* A link that the kernel can follow must stay beneath the target. */
static void check_link(int target_fd, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
    long fd = syscall(SYS_openat2, target_fd, path, &how, sizeof(how));
    FUZZ_CHECK(fd >= 0 || errno != EXDEV);
    if (fd >= 0)
        close((int)fd);
}

static void check_tree(int target_fd, int dirfd, const char *prefix)
{
    DIR *dir = fdopendir(dirfd);
    FUZZ_CHECK(dir);
    for (const struct dirent *d; (d = readdir(dir)) != NULL;) {
        struct stat st;
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        coras_auto_free char *path = coras_asprintf("%s%s", prefix, d->d_name);
        FUZZ_CHECK(path && fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
        FUZZ_CHECK(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode));
        FUZZ_CHECK((st.st_mode & 07000) == 0);
        if (S_ISLNK(st.st_mode))
            check_link(target_fd, path);
        if (S_ISDIR(st.st_mode)) {
            coras_auto_free char *below = coras_asprintf("%s/", path);
            int sub = openat(dirfd, d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            FUZZ_CHECK(below);
            if (sub >= 0)
                check_tree(target_fd, sub, below);
        }
    }
    closedir(dir);
}

bool fuzz_one(const char *data, size_t len)
{
    make_work_dir();
    int64_t size = 0;
    coras_auto_free char *fixed = NULL;
    if (len > 0 && data[0] == '!') {
        fixed = copy_with_tar_checksums(data + 1, --len);
        FUZZ_CHECK(fixed);
        data = fixed;
    }
    coras_auto_fd blob = make_archive(data, len, &size);
    const struct coras_unpack_request request = {.blob_fd = blob,
                                                 .size = size,
                                                 .parent_dirfd = work_fd,
                                                 .stage_dirfd = work_fd,
                                                 .dirname = "d",
                                                 .title = "d",
                                                 .no_sync = true};
    int rc = coras_unpack(&request, NULL);
    if (rc == 0) {
        coras_auto_fd target = openat(work_fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        FUZZ_CHECK(target >= 0);
        check_tree(target, openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "");
        FUZZ_CHECK(coras_remove_all(work_fd, "d", NULL) == 0);
    }
    /* An empty directory is all that may be left. */
    FUZZ_CHECK(rmdir(work_dir) == 0 && mkdir(work_dir, 0700) == 0);
    close(work_fd);
    work_fd = open(work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(work_fd >= 0);
    return rc == 0;
}
