/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A local file as something to send: what is known of it, and its bytes (local_file.h).
 */
#include "transfer/local_file.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "transfer/digest_cache.h"

void coras_local_file_clear(coras_local_file *f)
{
    coras_hash_behind_free(f->hashing); /* reads the file: first */
    if (f->name)
        coras_close_fd(&f->fd);
    free(f->name);
    free(f->path);
    *f = (coras_local_file){.fd = -1};
}

int coras_local_file_take(int *fd, const char *name, int64_t offset, int64_t size,
                          coras_local_file *ret, coras_error **err)
{
    coras_auto_fd taken = *fd;
    coras_local_file f = {.offset = offset, .size = size};

    *fd = -1;
    if (fstat(taken, &f.st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    f.name = coras_strdup(name);
    if (!f.name)
        return coras_fail_no_memory(err);
    f.fd = taken;
    taken = -1;
    (void)posix_fadvise(f.fd, offset, size, POSIX_FADV_SEQUENTIAL); /* advice */
    *ret = f;
    return 0;
}

static int fail_changed(const coras_local_file *f, coras_error **err)
{
    coras_fail(err, CORAS_ERR_CHANGED, "%s: changed while it was read", f->name);
    coras_advise(err, CORAS_HINT_STILL_WRITTEN);
    return CORAS_ERR_CHANGED;
}

/* Only the content counts: a link count or mode that changed touches ctime alone. */
static bool has_same_content(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void coras_local_file_rest(coras_local_file *f, const char *path)
{
    if (f->known) { /* its buffers are large */
        coras_hash_behind_free(f->hashing);
        f->hashing = NULL;
    }
    if (!f->path && path)
        f->path = coras_strdup(path);
    if (f->path) /* else it stays open */
        coras_close_fd(&f->fd);
}

int coras_local_file_wake(coras_local_file *f, coras_error **err)
{
    struct stat now;

    if (f->fd >= 0 || !f->path)
        return 0;
    coras_auto_fd fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &now) < 0)
        return coras_fail_errno(err, errno, "open %s", f->path);
    if (now.st_dev != f->st.st_dev || now.st_ino != f->st.st_ino || !has_same_content(&now, &f->st))
        return fail_changed(f, err);
    f->fd = fd;
    fd = -1;
    return 0;
}

static bool is_whole_file(const coras_local_file *f)
{
    return f->offset == 0 && f->size == f->st.st_size;
}

void coras_local_file_recall(coras_local_file *f)
{
    if (!f->known && is_whole_file(f))
        f->known = coras_digest_cache_get(f->cache_dir, &f->st, CORAS_SHA256, &f->digest);
}

/* Before the first byte is read. */
static void look_whether_settled(coras_local_file *f)
{
    f->settled = is_whole_file(f) && coras_digest_cache_is_settled(f->fd, &f->st, coras_wall_s());
}

static void remember(coras_local_file *f, const coras_digest *digest)
{
    f->digest = *digest;
    f->known = true;
    if (f->settled)
        coras_digest_cache_put(f->cache_dir, f->fd, &f->st, digest);
}

static struct coras_hash_behind_options hashing_options(const coras_local_file *f,
                                                        const coras_cancel *cancel)
{
    return (struct coras_hash_behind_options){.fd = f->fd,
                                              .offset = f->offset,
                                              .size = f->size,
                                              .algorithm = CORAS_SHA256,
                                              .cancel = cancel,
                                              .progress = f->hashed,
                                              .user = f->hashed_user};
}

static int hash_here(const coras_local_file *f, const coras_cancel *cancel, coras_digest *ret,
                     coras_error **err)
{
    const struct coras_hash_behind_options options = hashing_options(f, cancel);
    coras_auto(coras_error) failure = NULL;
    int rc = coras_hash_now(&options, ret, &failure);

    if (rc == CORAS_ERR_CHANGED)
        return fail_changed(f, err);
    coras_error_propagate(err, &failure);
    return rc < 0 && rc != CORAS_ERR_CANCELLED ? coras_wrap(err, rc, "read %s", f->name) : rc;
}

int coras_local_file_hash(coras_local_file *f, const coras_cancel *cancel, coras_error **err)
{
    coras_digest digest;

    coras_local_file_recall(f);
    if (f->known)
        return 0;
    look_whether_settled(f);
    CORAS_TRY(hash_here(f, cancel, &digest, err));
    CORAS_TRY(coras_local_file_unchanged(f, err));
    remember(f, &digest);
    return 0;
}

int coras_local_file_start_hashing(coras_local_file *f, const coras_cancel *cancel,
                                   coras_error **err)
{
    struct coras_hash_behind_options options = hashing_options(f, cancel);

    options.shared = true;
    coras_hash_behind_free(f->hashing); /* of a try that failed */
    f->hashing = NULL;
    look_whether_settled(f);
    CORAS_TRY(coras_hash_behind_start(&options, &f->hashing, err));
    coras_hash_behind_advance(f->hashing, f->size);
    return 0;
}

static int promised_digest(void *user, bool wait, coras_digest *ret, coras_error **err)
{
    coras_local_file *f = user;
    if (!f->known)
        return coras_hash_behind_get(f->hashing, wait, ret, err);
    *ret = f->digest;
    return 0;
}

coras_digest_promise coras_local_file_promise(coras_local_file *f)
{
    return (coras_digest_promise){promised_digest, f};
}

int coras_local_file_settle(coras_local_file *f, coras_error **err)
{
    coras_digest digest;

    if (f->known)
        return 0;
    CORAS_TRY(coras_hash_behind_get(f->hashing, true, &digest, err));
    remember(f, &digest);
    return 0;
}

static int compare(const coras_local_file *f, const coras_digest *found, coras_error **err)
{
    char found_text[CORAS_DIGEST_TEXT_MAX], expected_text[CORAS_DIGEST_TEXT_MAX];

    if (coras_digest_equal(&f->digest, found))
        return 0;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "%s: its content has digest %s, expected %s",
                      f->name, coras_digest_format(found, found_text),
                      coras_digest_format(&f->digest, expected_text));
}

int coras_local_file_as_expected(void *user, coras_error **err)
{
    coras_local_file *f = user;
    coras_digest found;

    CORAS_TRY(coras_local_file_unchanged(f, err));
    if (f->known)
        return 0;
    CORAS_TRY(coras_hash_behind_get(f->hashing, true, &found, err));
    CORAS_TRY(coras_local_file_unchanged(f, err));
    CORAS_TRY(compare(f, &found, err));
    remember(f, &found);
    return 0;
}

static int file_read_at(void *user, void *buf, size_t cap, int64_t offset, size_t *ret,
                        coras_error **err)
{
    coras_local_file *f = user;
    size_t want = f->size - offset < (int64_t)cap ? (size_t)(f->size - offset) : cap;

    size_t shared = f->hashing ? coras_hash_behind_take(f->hashing, buf, want, offset) : 0;
    if (shared) {
        *ret = shared;
        return 0;
    }
    int rc = coras_pread_full(f->fd, buf, want, f->offset + offset, ret, err);
    if (rc < 0)
        return coras_wrap(err, rc, "read %s", f->name);
    if (*ret == 0)
        return fail_changed(f, err);
    return 0;
}

coras_source coras_local_file_source(coras_local_file *f)
{
    return (coras_source){.size = f->size, .read_at = file_read_at, .user = f};
}

int coras_local_file_unchanged(void *user, coras_error **err)
{
    coras_local_file *f = user;
    struct stat now;

    if (fstat(f->fd, &now) < 0)
        return coras_fail_errno(err, errno, "stat %s", f->name);
    return has_same_content(&now, &f->st) ? 0 : fail_changed(f, err);
}
