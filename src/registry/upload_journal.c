/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that remembers where an upload stands: opened and locked, read, rewritten, emptied.
 */
#include "registry/upload_journal.h"

#include <dirent.h>
#include <sys/file.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "client/remembered.h"
#include "oci/digest.h"

enum {
    AGE_MAX_S = 24 * 60 * 60, /* registries clear sessions away after days at the latest */
    STALE_S = 7 * 24 * 60 * 60,
};

static bool is_stale(int dirfd, const char *name)
{
    struct stat st;

    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           coras_wall_s() - st.st_mtim.tv_sec > STALE_S;
}

/* What was never gone on with. */
static void remove_stale(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (is_stale(dirfd(dir), entry->d_name))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

/* "<cache>/uploads/<hash of what is uploaded where>" */
static char *journal_path(const char *cache_dir, const char *head)
{
    coras_auto_free char *dir = coras_remembered_dir(cache_dir, "uploads");

    if (!dir)
        return NULL;
    remove_stale(dir);
    return coras_remembered_path(dir, head);
}

/* The line at *text without its end; *text moves behind it. */
static bool take_line(const char **text, coras_str *ret)
{
    const char *end = strchr(*text, '\n');

    if (!end)
        return false;
    *ret = (coras_str){*text, (size_t)(end - *text)};
    *text = end + 1;
    return true;
}

/* head, when the upload began, how far it came, its URL; anything else is not to go on with. */
static void read_session(coras_upload_journal *j)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_URL + CORAS_LIMIT_PATH);
    const char *rest;
    coras_str began, reached, url;
    int64_t started, confirmed;

    if (coras_read_file(AT_FDCWD, j->path, text.limit, &text, NULL) < 0 ||
        !coras_str_starts(text.ptr, j->head))
        return;
    rest = text.ptr + strlen(j->head);
    if (!take_line(&rest, &began) || !coras_parse_int64(began, &started) ||
        !take_line(&rest, &reached) || !coras_parse_int64(reached, &confirmed) ||
        !take_line(&rest, &url) || *rest || coras_wall_s() - started > AGE_MAX_S)
        return;
    j->session = coras_strndup(url.ptr, url.len);
    j->started = started;
    j->confirmed = confirmed;
}

void coras_upload_journal_open(coras_upload_journal *j, const char *cache_dir,
                               const char *repository, const coras_digest *digest, int64_t size)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_upload_journal_close(j);
    if (!cache_dir)
        return;
    j->head = coras_asprintf("%s\n%s %lld\n", repository, coras_digest_format(digest, text),
                             (long long)size);
    j->path = j->head ? journal_path(cache_dir, j->head) : NULL;
    if (!j->path)
        return;
    coras_auto_fd fd = open(j->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    j->fd = fd;
    fd = -1;
    j->started = coras_wall_s();
    read_session(j);
}

/* No fsync: what a power cut damages does not parse, which means that nothing is kept. */
void coras_upload_journal_save(coras_upload_journal *j, const char *session, int64_t confirmed)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_free char *copy = coras_strdup(session);

    if (j->fd < 0 || !copy)
        return;
    coras_buf_printf(&text, "%s%lld\n%lld\n%s\n", j->head, (long long)j->started,
                     (long long)confirmed, session);
    if (coras_buf_done(&text, NULL) < 0 || ftruncate(j->fd, 0) < 0 ||
        coras_pwrite_full(j->fd, text.ptr, text.len, 0, NULL) < 0)
        return;
    free(j->session);
    j->session = coras_steal(&copy);
    j->confirmed = confirmed;
}

void coras_upload_journal_forget(coras_upload_journal *j)
{
    free(j->session);
    j->session = NULL;
    j->started = coras_wall_s();
    if (j->fd >= 0 && ftruncate(j->fd, 0) < 0)
        (void)unlink(j->path);
}

void coras_upload_journal_close(coras_upload_journal *j)
{
    if (j->fd >= 0 && !j->session)
        (void)unlink(j->path); /* while locked: nobody else's */
    coras_close_fd(&j->fd);
    free(j->path);
    free(j->head);
    free(j->session);
    *j = (coras_upload_journal)CORAS_UPLOAD_JOURNAL_INIT;
}
