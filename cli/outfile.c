#include "cli/outfile.h"

#include <errno.h>

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

int outfile_write(const char *path, const void *data, size_t len, coras_error **err)
{
    coras_auto_fd fd = -1;
    CORAS_TRY(outfile_open(path, &fd, err));
    CORAS_TRY(coras_write_named(fd, path, data, len, err));
    int raw = fd;
    fd = -1;
    if (close(raw) < 0)
        return coras_fail_errno(err, errno, "close %s", path);
    return 0;
}
