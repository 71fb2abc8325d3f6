/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the directory of a registry, part by part. */
#include "serve/storage/root.h"

#include <errno.h>
#include <sys/file.h>
#include "base/alloc.h"
#include "base/error.h"
#include "serve/storage/file_sessions.h"

#define DATABASE       "registry.db"
#define LOCK           "registry.lock"
#define NAME           "registry.id"
#define NAME_BYTES_MAX 64

/* A directory where others may write could hold anything by the time we look. */
static int check_owner(int fd, const char *path, coras_error **err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: belongs to another user", path);
    if (st.st_mode & S_IWOTH)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: everybody may write to it", path);
    return 0;
}

/* One server that writes, or several that only read. */
static int take_lock(int rootfd, const char *path, bool read_only, int *ret_fd, coras_error **err)
{
    coras_auto_fd fd = openat(
        rootfd, LOCK, (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s/" LOCK, path);
    if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return coras_fail(err, CORAS_ERR_TIMEOUT, "%s: another process serves it", path);
        return coras_fail_errno(err, errno, "lock %s/" LOCK, path);
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static enum serve_db_mode database_mode(const struct serve_root *root, bool read_only)
{
    if (read_only)
        return SERVE_DB_READ_ONLY;
    return serve_blob_store_is_empty(root->store) ? SERVE_DB_CREATE : SERVE_DB_EXISTING;
}

static int open_file(int rootfd, const char *path, enum serve_db_mode mode, struct serve_root *root,
                     coras_error **err)
{
    coras_auto_free char *database = coras_path_join(path, DATABASE);
    struct stat st;
    bool exists;

    if (!database)
        return coras_fail_no_memory(err);
    exists = fstatat(rootfd, DATABASE, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: not a regular file", database);
    /* blobs whose database is gone must not look like an empty registry */
    if (!exists && mode == SERVE_DB_EXISTING) {
        coras_fail(err, CORAS_ERR_CONFIG, "%s: missing, but there are blobs in %s/blobs", database,
                   path);
        coras_hint(err, "restore " DATABASE " from a backup, or start with an empty directory");
        return CORAS_ERR_CONFIG;
    }
    if (!exists && mode == SERVE_DB_READ_ONLY)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: missing", database);
    return serve_metadata_open(database, mode, &root->metadata, err);
}

/* Rows elsewhere, and others in the directory: one of both would be overlooked. */
static int check_one_database(int rootfd, const char *path, coras_error **err)
{
    struct stat st;

    if (fstatat(rootfd, DATABASE, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    coras_fail(err, CORAS_ERR_CONFIG, "%s: the registry there has a database of its own, %s", path,
               DATABASE);
    coras_hint(err, "serve it without --metadata, or begin with an empty directory and push again");
    return CORAS_ERR_CONFIG;
}

/* What the directory calls itself, from the first time on. */
static int read_name(int rootfd, coras_buf *ret, coras_error **err)
{
    char name[SERVE_SESSION_ID_LEN + 1];
    coras_auto(coras_error) failure = NULL;
    int rc = coras_read_file(rootfd, NAME, NAME_BYTES_MAX, ret, &failure);

    if (rc != CORAS_ERR_NOT_FOUND) { /* what cannot be read now must not get another one */
        coras_error_propagate(err, &failure);
        return rc;
    }
    serve_session_make_id(name);
    CORAS_TRY(coras_write_file_not_through(rootfd, NAME, name, strlen(name), 0600, err));
    coras_buf_puts(ret, name);
    return coras_buf_done(ret, err);
}

/* Rows say that blobs are there: in a second directory they would not be. */
static int bind_directory(int rootfd, const struct serve_root_options *o, struct serve_root *root,
                          coras_error **err)
{
    coras_auto_buf name = CORAS_BUF_INIT(NAME_BYTES_MAX);
    coras_auto_free char *owner = NULL;

    CORAS_TRY(read_name(rootfd, &name, err));
    CORAS_TRY(serve_metadata_fact(root->metadata, SERVE_FACT_DIRECTORY, name.ptr, &owner, err));
    if (coras_streq(owner, name.ptr))
        return 0;
    coras_fail(err, CORAS_ERR_EXISTS, "%s: the blobs of this --metadata are in another directory",
               o->path);
    coras_hint(err, "several directories cannot have one database; each needs its own");
    return CORAS_ERR_EXISTS;
}

static int open_database(int rootfd, const struct serve_root_options *o, struct serve_root *root,
                         coras_error **err)
{
    enum serve_db_mode mode = database_mode(root, o->read_only);

    if (!o->metadata)
        return open_file(rootfd, o->path, mode, root, err);
    CORAS_TRY(check_one_database(rootfd, o->path, err));
    CORAS_TRY(serve_metadata_open(o->metadata, mode, &root->metadata, err));
    return o->is_workplace || o->read_only ? 0 : bind_directory(rootfd, o, root, err);
}

/* Several processes may have it open: the database keeps them apart. */
static int open_existing(const struct serve_root_options *o, struct serve_root *root,
                         coras_error **err)
{
    coras_auto_free char *database =
        o->metadata ? coras_strdup(o->metadata) : coras_path_join(o->path, DATABASE);

    if (!database)
        return coras_fail_no_memory(err);
    return serve_metadata_open(database, SERVE_DB_EXISTING, &root->metadata, err);
}

static int open_parts(const struct serve_root_options *o, struct serve_root *root,
                      coras_error **err)
{
    coras_auto_fd fd = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", o->path);
    CORAS_TRY(check_owner(fd, o->path, err));
    CORAS_TRY(take_lock(fd, o->path, o->read_only, &root->lock_fd, err));
    CORAS_TRY(serve_blob_store_open(fd, o->read_only, &root->store, err));
    CORAS_TRY(open_database(fd, o, root, err));
    return serve_file_sessions_open(root->store, &root->sessions, err);
}

int serve_root_open(const struct serve_root_options *options, struct serve_root *ret,
                    coras_error **err)
{
    struct serve_root root = SERVE_ROOT_INIT;
    int rc;

    if (!options->read_only)
        CORAS_TRY(coras_mkdir_all(AT_FDCWD, options->path, 0700, err));
    rc = open_parts(options, &root, err);
    if (rc < 0) {
        serve_root_close(&root);
        return rc;
    }
    *ret = root;
    return 0;
}

static int open_looked_at(const struct serve_root_options *o, struct serve_root *root,
                          coras_error **err)
{
    coras_auto_fd fd = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", o->path);
    CORAS_TRY(check_owner(fd, o->path, err));
    CORAS_TRY(serve_blob_store_open(fd, true, &root->store, err));
    return open_existing(o, root, err);
}

int serve_root_open_beside(const struct serve_root_options *options, struct serve_root *ret,
                           coras_error **err)
{
    struct serve_root root = SERVE_ROOT_INIT;
    int rc = open_looked_at(options, &root, err);

    if (rc < 0) {
        serve_root_close(&root);
        return rc;
    }
    *ret = root;
    return 0;
}

void serve_root_close(struct serve_root *root)
{
    serve_sessions_close(root->sessions);
    serve_metadata_close(root->metadata);
    serve_blob_store_close(root->store);
    coras_close_fd(&root->lock_fd);
    *root = (struct serve_root)SERVE_ROOT_INIT;
}
