/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fresh working directory per test, and small helpers over files in it.
 */
#ifndef CORAS_UNIT_SCRATCH_H
#define CORAS_UNIT_SCRATCH_H

#include "support.h"

#include <string.h>

#include "base/fs.h"

static inline CORAS_UNUSED int scratch_setup(void **state)
{
    char *dir = coras_strdup("/tmp/coras-test-store-XXXXXX");
    umask(022);
    *state = mkdtemp(dir);
    return *state ? chdir(dir) : -1;
}

static inline CORAS_UNUSED int scratch_teardown(void **state)
{
    char *dir = *state;
    int rc = chdir("/") < 0 ? -1 : coras_remove_all(AT_FDCWD, dir, NULL);
    free(dir);
    return rc;
}
#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

static inline CORAS_UNUSED void put_bytes(const char *path, const void *data, size_t len)
{
    coras_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_ok(coras_write_full(fd, data, len, NULL), NULL);
}

static inline CORAS_UNUSED void put_text(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}

static inline CORAS_UNUSED void assert_text(const char *path, const char *text)
{
    coras_auto_buf b = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    assert_ok(coras_read_file(AT_FDCWD, path, 1 << 20, &b, &err), err);
    assert_string_equal(b.ptr, text);
}

static inline CORAS_UNUSED bool path_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static inline CORAS_UNUSED unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

#endif
