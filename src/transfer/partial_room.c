/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for a partial file: looked for and reserved before bytes come (partial_file.h).
 */
#include <errno.h>

#include "base/error.h"
#include "base/fs.h"
#include "transfer/partial_file.h"

int coras_partial_tell_space(int fd, int64_t missing, int rc, coras_error **err)
{
    int64_t available = coras_free_space(fd);

    coras_advise(err, CORAS_HINT_FREE_SPACE);
    if (available < 0 || available >= missing) /* a quota, or somebody has just given some back */
        return coras_wrap(err, rc, "%lld bytes needed", (long long)missing);
    return coras_wrap(err, rc, "%lld bytes needed, %lld available", (long long)missing,
                      (long long)available);
}

static int fail_space(int fd, int64_t missing, coras_error **err)
{
    int rc = coras_fail(err, CORAS_ERR_NO_SPACE, "no space left on device");
    return coras_partial_tell_space(fd, missing, rc, err);
}

int coras_partial_check_room(int fd, int64_t wanted, coras_error **err)
{
    int64_t available = coras_free_space(fd);
    return available >= 0 && wanted > available ? fail_space(fd, wanted, err) : 0;
}

int coras_partial_reserve(int fd, const char *name, int64_t size, const coras_gaps *missing,
                          coras_error **err)
{
    int64_t wanted = coras_gaps_sum(missing);
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    int64_t reserved = coras_allocated_bytes(&st) - (size - wanted);
    if (reserved > 0)
        wanted -= reserved; /* by a former process */
    CORAS_TRY(coras_partial_check_room(fd, wanted, err));
    /* The length stays what it is: it tells how far we are. Not every file system can do it; what
     * others took since the look above is known now and not half way. Where room is memory, the
     * kernel would write zeroes into it first, all of it before a byte has come. */
    if (!coras_memory_holds(fd) && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) < 0 &&
        errno == ENOSPC)
        return fail_space(fd, wanted, err);
    return 0;
}
