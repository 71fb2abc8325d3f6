/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of its own for each test that touches files.
 */
#ifndef TEST_NET_FILES_H
#define TEST_NET_FILES_H

#include <fcntl.h>
#include "base/fs.h"

static char *test_dir;

static inline char *in_dir(const char *name)
{
    char *path = coras_path_join(test_dir, name);

    assert_non_null(path);
    return path;
}

static inline void write_file(const char *name, const char *text, mode_t mode)
{
    coras_auto_free char *path = in_dir(name);
    coras_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(coras_write_full(fd, text, strlen(text), NULL), 0);
}

static inline void assert_file(const char *name, const char *text)
{
    coras_auto_free char *path = in_dir(name);
    coras_auto_buf found = CORAS_BUF_INIT(1 << 20);

    assert_int_equal(coras_read_file(AT_FDCWD, path, 1 << 20, &found, NULL), 0);
    assert_string_equal(found.ptr, text);
}

static inline mode_t mode_of(const char *name)
{
    coras_auto_free char *path = in_dir(name);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static inline int make_dir(void **state)
{
    char path[] = "/tmp/coras-net-XXXXXX";

    (void)state;
    test_dir = coras_strdup(mkdtemp(path));
    return test_dir ? 0 : -1;
}

static inline int remove_dir(void **state)
{
    (void)state;
    int rc = coras_remove_all(AT_FDCWD, test_dir, NULL);
    free(test_dir);
    return rc;
}

#endif
