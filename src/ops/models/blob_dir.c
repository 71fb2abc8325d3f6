/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs as files of another program's store (blob_dir.h).
 */
#include "ops/models/blob_dir.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "oci/digest.h"
#include "transfer/download.h"
#include "transfer/local_file.h"

enum { BLOB_MODE = 0644 };

static bool is_there(int dirfd, const char *name, int64_t size)
{
    struct stat st;

    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           st.st_size == size;
}

/* ---- linking what is on this machine already ---- */

/* A file of the target's that is the blob, whole and by its digest. */
static bool is_the_blob(coras_run *run, int *fd, int64_t offset, const coras_descriptor *desc)
{
    coras_auto_value(coras_local_file) file = {.fd = -1};
    struct stat st;

    if (offset != 0 || fstat(*fd, &st) < 0 || st.st_size != desc->size)
        return false;
    coras_auto_fd copy = dup(*fd);
    if (copy < 0 || coras_local_file_take(&copy, "a blob", 0, desc->size, &file, NULL) < 0)
        return false;
    file.cache_dir = coras_run_environment(run)->cache_dir;
    return coras_local_file_hash(&file, &run->stop, NULL) == 0 &&
           coras_digest_equal(&file.digest, &desc->digest);
}

/* Best effort: where it cannot be linked it is copied. */
static bool link_local(coras_run *run, coras_target *from, int dirfd, const char *name,
                       const coras_descriptor *desc)
{
    coras_auto_fd fd = -1;
    int64_t offset = 0;

    if (!from->ops->open_local || from->ops->open_local(from, desc, &fd, &offset, NULL) < 0)
        return false;
    if (desc->digest.algorithm != CORAS_SHA256 || !is_the_blob(run, &fd, offset, desc))
        return false;
    coras_auto_free char *path = coras_asprintf("/proc/self/fd/%d", fd);
    return path && (linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW) == 0 ||
                    (errno == EEXIST && is_there(dirfd, name, desc->size)));
}

/* ---- bringing it ---- */

static char *partial_name(const coras_digest *digest)
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    return coras_asprintf(CORAS_TEMP_PREFIX "%s-%s.partial",
                          coras_digest_algorithm_name(digest->algorithm),
                          coras_digest_hex(digest, hex));
}

/* Name a file that is complete. Another process may have been quicker. */
static int give_name(int dirfd, const char *partial, const char *name, const coras_descriptor *desc,
                     coras_error **err)
{
    if (renameat(dirfd, partial, dirfd, name) == 0)
        return 0;
    if (errno == ENOENT && is_there(dirfd, name, desc->size))
        return 0;
    return coras_fail_errno(err, errno, "rename %s", name);
}

static int download(coras_run *run, coras_target *from, int dirfd, const char *name,
                    const coras_descriptor *desc, coras_error **err)
{
    coras_auto_free char *partial = partial_name(&desc->digest);
    struct coras_run_transfer report;

    if (!partial)
        return coras_fail_no_memory(err);
    coras_run_post(run, CORAS_EVENT_START, desc, 0, NULL);
    coras_run_transfer_init(&report, run, desc);
    const struct coras_download d = {.run = run,
                                     .from = from,
                                     .desc = desc,
                                     .transfer = &report.transfer,
                                     .dirfd = dirfd,
                                     .partial = partial,
                                     .mode = BLOB_MODE,
                                     .sync = !run->options->no_sync};
    CORAS_TRY(coras_download(&d, err));
    CORAS_TRY(give_name(dirfd, partial, name, desc, err));
    coras_run_post(run, CORAS_EVENT_DONE, desc, desc->size, NULL);
    return 0;
}

int coras_blob_dir_bring(coras_run *run, coras_target *from, int dirfd, const char *name,
                         const coras_descriptor *desc, coras_error **err)
{
    struct coras_run_transfer report;

    if (is_there(dirfd, name, desc->size)) {
        coras_run_post(run, CORAS_EVENT_SKIPPED, desc, 0, NULL);
        return 0;
    }
    coras_run_transfer_init(&report, run, desc);
    CORAS_TRY(coras_target_bring(from, desc, run, &report.transfer, err));
    if (link_local(run, from, dirfd, name, desc)) {
        coras_run_post(run, CORAS_EVENT_DONE, desc, desc->size, NULL);
        return 0;
    }
    return download(run, from, dirfd, name, desc, err);
}

int coras_blob_dir_put(int dirfd, const char *name, const void *data, size_t len, coras_error **err)
{
    return is_there(dirfd, name, (int64_t)len)
               ? 0
               : coras_write_file_not_through(dirfd, name, data, len, BLOB_MODE, err);
}
