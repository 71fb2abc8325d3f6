#include "cli/outfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"

bool outfile_is_stdout(const char *path)
{
    return coras_streq(path, "-");
}

int outfile_open(const char *path, int *ret_fd, coras_error **err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", path);
    *ret_fd = fd;
    return 0;
}

bool outfile_is_replaceable(const char *path)
{
    const char *slash = strrchr(path, '/');
    coras_auto_free char *dir =
        slash ? coras_strndup(path, (size_t)(slash - path) + 1) : coras_strdup(".");
    struct stat st;

    if (!dir || (slash && !slash[1]) || access(dir, W_OK | X_OK) < 0)
        return false;
    return lstat(path, &st) < 0 ? errno == ENOENT : S_ISREG(st.st_mode);
}

static int replace(const char *path, const void *data, size_t len, coras_error **err)
{
    struct stat st;
    mode_t mode = lstat(path, &st) == 0 ? st.st_mode & 0777 : 0666;
    return coras_write_file_atomic(AT_FDCWD, path, data, len, mode, err);
}

int outfile_write(const char *path, const void *data, size_t len, coras_error **err)
{
    if (outfile_is_replaceable(path))
        return replace(path, data, len, err);
    coras_auto_fd fd = -1;
    CORAS_TRY(outfile_open(path, &fd, err));
    CORAS_TRY(coras_write_named(fd, path, data, len, err));
    int raw = fd;
    fd = -1;
    if (close(raw) < 0)
        return coras_fail_errno(err, errno, "close %s", path);
    return 0;
}

int outfile_save(const char *path, const void *data, size_t len, coras_error **err)
{
    int rc = outfile_write(path, data, len, err);
    if (rc == 0)
        return 0;
    coras_auto_free char *quoted = coras_go_quote_dup(path);
    return quoted ? coras_wrap(err, rc, "failed to open %s", quoted) : rc;
}
