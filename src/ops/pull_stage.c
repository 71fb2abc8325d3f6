/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage of a pull (pull_stage.h). As a rule it is ".coras-partial", shared by all pulls of one
 * user into the directory, so that a later one goes on where an earlier one was cut. In a directory
 * where others may write, somebody else may have made it first: what grows there could be swapped
 * between its verification and its publication. Then it is a fresh one, which nobody can guess.
 */
#include "ops/pull_stage.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/trace.h"
#include "base/vec.h"
#include "oci/digest.h"
#include "transfer/download.h"
#include "transfer/partial_file.h"

#define PARTIAL_SUFFIX ".partial"
enum {
    OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    OPEN_TRIES = 100, /* while other pulls come and go */
};

int coras_stage_need_output(coras_workdir *w, coras_error **err)
{
    if (w->dirfd >= 0)
        return 0;
    int rc = coras_mkdir_all(AT_FDCWD, w->absolute, w->dir_mode, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to ensure directories of the target path");
    w->dirfd = open(w->absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->dirfd < 0)
        return coras_fail_errno(err, errno, "open %s", w->absolute);
    return 0;
}

/* ---- whose it is ---- */

/* Who owns what we make in this directory: some file systems know no owners, others map root's. */
static uid_t owner_of_new_files(int dirfd)
{
    char name[CORAS_TEMP_NAME_BYTES];
    coras_auto_fd fd = coras_temp_create(dirfd, O_WRONLY, 0600, name);
    struct stat st;
    uid_t owner = fd >= 0 && fstat(fd, &st) == 0 ? st.st_uid : geteuid();

    if (fd >= 0)
        (void)unlinkat(dirfd, name, 0); /* best effort: it is named as what it is */
    return owner;
}

static bool is_made_by_us(const coras_workdir *w, const struct stat *st)
{
    return st->st_uid == geteuid() || st->st_uid == owner_of_new_files(w->dirfd);
}

/* Whether nobody but us can put anything into the open directory or take it out. */
static bool is_ours(const coras_workdir *w, int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && is_made_by_us(w, &st);
}

/* The shared stage when it exists and is ours, else -1. */
static int open_shared(const coras_workdir *w)
{
    coras_auto_fd fd = openat(w->dirfd, CORAS_STAGE_NAME, OPEN_FLAGS);

    if (fd < 0 || !is_ours(w, fd))
        return -1;
    int ours = fd;
    fd = -1;
    return ours;
}

static bool is_still_the_stage(const coras_workdir *w, int fd)
{
    struct stat named, open_dir;

    return fstatat(w->dirfd, CORAS_STAGE_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &open_dir) == 0 && named.st_ino == open_dir.st_ino &&
           named.st_dev == open_dir.st_dev;
}

/* ---- opening ---- */

static int open_fresh(coras_workdir *w, coras_error **err)
{
    if (coras_temp_mkdir(w->dirfd, w->fresh_stage) < 0) {
        w->fresh_stage[0] = '\0';
        return coras_fail_errno(err, errno, "make a directory in %s", w->absolute);
    }
    coras_auto_fd fd = openat(w->dirfd, w->fresh_stage, OPEN_FLAGS);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "open %s/%s", w->absolute, w->fresh_stage);
    if (!is_made_by_us(w, &st)) /* its mode is 0700, or none that this file system knows */
        return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "%s: others exchange what is made there",
                          w->absolute);
    w->stagefd = fd;
    fd = -1;
    return 0;
}

/* Shared by all pulls into this directory; the last one takes it away. */
static int need_stage(coras_workdir *w, coras_error **err)
{
    if (w->stagefd >= 0)
        return 0;
    CORAS_TRY(coras_stage_need_output(w, err));
    for (int left = OPEN_TRIES; left > 0; left--) {
        struct stat st;
        if (mkdirat(w->dirfd, CORAS_STAGE_NAME, 0700) < 0 && errno != EEXIST)
            return coras_fail_errno(err, errno, "mkdir %s/" CORAS_STAGE_NAME, w->absolute);
        coras_auto_fd fd = open_shared(w);
        if (fd < 0 && fstatat(w->dirfd, CORAS_STAGE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue; /* another pull has just ended */
        if (fd < 0)
            break;
        (void)fchmod(fd, 0700);   /* nobody else shall hold its lock */
        (void)flock(fd, LOCK_SH); /* without locks nobody but a second pull here can be harmed */
        if (!is_still_the_stage(w, fd))
            continue;
        w->stagefd = fd;
        fd = -1;
        return 0;
    }
    return open_fresh(w, err);
}

char *coras_workdir_staged_name(const coras_digest *digest)
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    return coras_asprintf("%s-%s" PARTIAL_SUFFIX, coras_digest_algorithm_name(digest->algorithm),
                          coras_digest_hex(digest, hex));
}

int coras_workdir_stage(coras_workdir *w, const coras_descriptor *desc, int *ret_dirfd,
                        char **ret_name, coras_error **err)
{
    pthread_mutex_lock(&w->lock);
    int rc = need_stage(w, err);
    pthread_mutex_unlock(&w->lock);
    if (rc < 0)
        return rc;
    *ret_name = coras_workdir_staged_name(&desc->digest);
    *ret_dirfd = w->stagefd;
    return *ret_name ? 0 : coras_fail_no_memory(err);
}

/* ---- cleaning ---- */

static void tell_kept(coras_workdir *w, const char *name, int64_t size)
{
    coras_auto_fd fd = openat(w->stagefd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    coras_gaps missing;

    if (fd >= 0 && coras_partial_missing(fd, name, size, &missing, NULL) == 0)
        coras_run_post_amount(w->run, CORAS_EVENT_KEPT, NULL, size - coras_gaps_sum(&missing),
                              size);
}

/* Of this pull; those that are worth resuming may be kept. */
static void remove_partials(coras_workdir *w, bool only_short)
{
    for (size_t i = 0; i < w->places.len; i++) {
        coras_auto_free char *name = coras_workdir_staged_name(&w->places.items[i]->desc.digest);
        struct stat st;
        if (name && fstatat(w->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (!only_short || st.st_size < CORAS_DOWNLOAD_RESUMED_BYTES))
            (void)unlinkat(w->stagefd, name, 0); /* best effort */
        else if (name && only_short && !w->places.items[i]->same_as)
            tell_kept(w, name, w->places.items[i]->desc.size);
    }
}

static bool is_working_name(const char *name)
{
    size_t len = strlen(name), suffix = strlen(PARTIAL_SUFFIX);

    return coras_str_starts(name, CORAS_TEMP_PREFIX) ||
           (len > suffix && coras_streq(name + len - suffix, PARTIAL_SUFFIX));
}

/* Of any pull. Only what pulls leave there: who may rename could have made another directory of
 * ours the stage. */
static int remove_leftovers(const coras_workdir *w, coras_error **err)
{
    coras_auto_value(coras_strlist) names = {0};

    CORAS_TRY(coras_list_directory(w->stagefd, w->absolute, &names, err));
    for (size_t i = 0; i < names.len; i++)
        if (is_working_name(names.items[i]))
            CORAS_TRY(coras_remove_all(w->stagefd, names.items[i], err));
    return 0;
}

static void empty_stage(coras_workdir *w, bool all)
{
    coras_auto(coras_error) failure = NULL;

    remove_partials(w, !all && w->keep_partials);
    if (all && remove_leftovers(w, &failure) < 0)
        coras_trace_warning(NULL, "failed to remove partial output: %s",
                            coras_error_message(failure));
}

void coras_stage_clean(coras_workdir *w)
{
    bool is_fresh = w->fresh_stage[0] != '\0';

    if (w->stagefd < 0 && w->dirfd >= 0)
        w->stagefd = open_shared(w);
    if (w->stagefd < 0)
        return;
    bool locked = is_fresh || flock(w->stagefd, LOCK_EX | LOCK_NB) == 0;
    if (!locked && (errno == EWOULDBLOCK || errno == EINTR))
        return; /* another pull uses it */
    /* A fresh one is found by nobody; on a file system without locks only what is ours goes. */
    empty_stage(w, is_fresh || (locked && !w->keep_partials));
    (void)unlinkat(w->dirfd, is_fresh ? w->fresh_stage : CORAS_STAGE_NAME,
                   AT_REMOVEDIR); /* fails when something is worth keeping */
}
