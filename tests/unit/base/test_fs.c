/* SPDX-License-Identifier: Apache-2.0 */
/* Files, in a fresh directory per test. */
#include "base/fs.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "base/str.h"
#include "support.h"

static int setup(void **state)
{
    char *dir = coras_strdup("/tmp/coras-test-fs-XXXXXX");

    umask(022);
    *state = mkdtemp(dir);
    return *state ? chdir(dir) : -1;
}

static int teardown(void **state)
{
    char *dir = *state;
    int rc = chdir("/") < 0 ? -1 : coras_remove_all(AT_FDCWD, dir, NULL);

    free(dir);
    return rc;
}

static void put(const char *path, const char *text)
{
    coras_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_ok(coras_write_full(fd, text, strlen(text), NULL), NULL);
}

static void assert_content(const char *path, const char *text)
{
    coras_auto_buf b = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    assert_ok(coras_read_file(AT_FDCWD, path, 1000, &b, &err), err);
    assert_string_equal(b.ptr, text);
}

static void reads_up_to_the_limit(void **state)
{
    static const struct {
        size_t limit;
        int rc;
        const char *message;
    } cases[] = {
        {6, 0, NULL},
        {5, 0, NULL},
        {4, CORAS_ERR_TOO_LARGE, "read f: size exceeds limit of 4 bytes"},
        {0, CORAS_ERR_TOO_LARGE, "read f: size exceeds limit of 0 bytes"},
    };

    (void)state;
    put("f", "12345");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf b = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        int rc = coras_read_file(AT_FDCWD, "f", cases[i].limit, &b, &err);
        if (cases[i].rc)
            assert_failed(rc, err, cases[i].rc, cases[i].message);
        else
            assert_ok(rc, err);
        assert_string_equal(b.ptr, cases[i].rc ? "" : "12345");
    }
}

static void reads_regular_files_only(void **state)
{
    static const struct {
        const char *path;
        int rc;
        const char *message;
    } cases[] = {
        {"none", CORAS_ERR_NOT_FOUND, "open none: no such file or directory"},
        {"d", CORAS_ERR_IO, "read d: is a directory"},
        {"fifo", CORAS_ERR_IO, "read fifo: not a regular file"},
        {"empty", 0, NULL},
    };

    (void)state;
    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(mkfifo("fifo", 0644), 0);
    put("empty", "");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf b = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        int rc = coras_read_file(AT_FDCWD, cases[i].path, 10, &b, &err);
        if (cases[i].rc)
            assert_failed(rc, err, cases[i].rc, cases[i].message);
        else
            assert_ok(rc, err);
    }
}

static void replaces_a_file_and_keeps_links_to_it(void **state)
{
    struct stat st;

    (void)state;
    assert_ok(coras_write_file_atomic(AT_FDCWD, "new", "1", 1, 0600, NULL), NULL);
    assert_content("new", "1");
    assert_int_equal(stat("new", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(mkdir("d", 0755), 0);
    put("d/target", "old");
    assert_int_equal(symlink("target", "d/middle"), 0);
    assert_int_equal(symlink("d/middle", "link"), 0);
    assert_ok(coras_write_file_atomic(AT_FDCWD, "link", "new", 3, 0644, NULL), NULL);
    assert_content("d/target", "new");
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat("d/middle", &st), 0);
    assert_true(S_ISLNK(st.st_mode));

    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_ok(coras_write_file_atomic(AT_FDCWD, "dangling", "x", 1, 0644, NULL), NULL);
    assert_content("nowhere", "x");
}

static void a_failed_replacement_leaves_nothing(void **state)
{
    coras_auto(coras_error) loop = NULL;
    coras_auto(coras_error) missing = NULL;

    (void)state;
    assert_int_equal(symlink("b", "a"), 0);
    assert_int_equal(symlink("a", "b"), 0);
    assert_int_equal(coras_write_file_atomic(AT_FDCWD, "a", "x", 1, 0644, &loop), CORAS_ERR_IO);
    assert_failed(coras_write_file_atomic(AT_FDCWD, "no/f", "x", 1, 0644, &missing), missing,
                  CORAS_ERR_NOT_FOUND, "open no: no such file or directory");
    assert_int_equal(mkdir("dir", 0755), 0);
    assert_int_equal(coras_write_file_atomic(AT_FDCWD, "dir", "x", 1, 0644, NULL), CORAS_ERR_IO);
    assert_int_equal(rmdir("dir"), 0);
    assert_int_equal(unlink("a"), 0);
    assert_int_equal(unlink("b"), 0);
    /* No temporary file may be left: the directory can be removed. */
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(*state), 0);
}

static void makes_directories_like_go(void **state)
{
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) inner = NULL;
    struct stat st;

    (void)state;
    assert_ok(coras_mkdir_all(AT_FDCWD, "a/b//c/", 0750, NULL), NULL);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_ok(coras_mkdir_all(AT_FDCWD, "a/b/c", 0750, NULL), NULL);
    assert_ok(coras_mkdir_all(AT_FDCWD, ".", 0750, NULL), NULL);
    assert_ok(coras_mkdir_all(AT_FDCWD, "/", 0750, NULL), NULL);
    put("f", "");
    assert_failed(coras_mkdir_all(AT_FDCWD, "f", 0755, &err), err, CORAS_ERR_IO,
                  "mkdir f: not a directory");
    assert_failed(coras_mkdir_all(AT_FDCWD, "f/x/y", 0755, &inner), inner, CORAS_ERR_IO,
                  "mkdir f: not a directory");
}

static void counts_and_syncs_missing_parents(void **state)
{
    coras_auto_free char *here = coras_path_abs("s");
    coras_auto_free char *below = coras_path_abs("s/one/two/three");

    (void)state;
    assert_ok(coras_mkdir_all(AT_FDCWD, here, 0755, NULL), NULL);
    assert_int_equal(coras_missing_parents(here), 0);
    assert_int_equal(coras_missing_parents(below), 2);
    assert_int_equal(coras_missing_dirs(here), 0);
    assert_int_equal(coras_missing_dirs(below), 3);
    assert_int_equal(coras_missing_parents("/missing"), 0);
    assert_int_equal(coras_missing_parents("/missing/too/file"), 2);
    assert_int_equal(coras_sync_parents(below, 1, NULL), CORAS_ERR_NOT_FOUND);
    assert_ok(coras_mkdir_all(AT_FDCWD, "s/one/two", 0755, NULL), NULL);
    assert_int_equal(coras_missing_parents(below), 0);
    assert_ok(coras_sync_parents(below, 3, NULL), NULL);
    assert_ok(coras_sync_parents("/a", 3, NULL), NULL); /* more than there are */
}

struct beneath_case {
    const char *path;
    int rc;
};

static void check_beneath(const struct beneath_case *cases, size_t count)
{
    coras_auto_fd root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; i < count; i++) {
        coras_auto(coras_error) err = NULL;
        coras_auto_fd fd = -1;
        int rc = coras_open_beneath(root, cases[i].path, O_RDONLY, 0, &fd, &err);
        if (rc != cases[i].rc)
            print_error("%s\n", cases[i].path);
        if (cases[i].rc)
            assert_failed(rc, err, cases[i].rc, NULL);
        else
            assert_ok(rc, err);
    }
}

static void make_hostile_tree(void)
{
    assert_int_equal(mkdir("root", 0755), 0);
    assert_int_equal(mkdir("root/d", 0755), 0);
    put("root/f", "");
    put("root/d/f", "");
    put("f", "outside");
    assert_int_equal(symlink("d", "root/in"), 0);
    assert_int_equal(symlink("/etc", "root/out"), 0);
    assert_int_equal(symlink("/etc/passwd", "root/file-out"), 0);
    assert_int_equal(symlink("..", "root/up"), 0);
    assert_int_equal(symlink("loop", "root/loop"), 0);
}

static void refuses_unsafe_paths(void **state)
{
    char component_256[257], path_long[5002];
    const struct beneath_case cases[] = {
        {"f", 0},
        {"d/f", 0},
        {"in/f", 0}, /* a link that stays inside */
        {"", CORAS_ERR_UNSAFE_PATH},
        {"/etc/passwd", CORAS_ERR_UNSAFE_PATH},
        {"..", CORAS_ERR_UNSAFE_PATH},
        {"../x", CORAS_ERR_UNSAFE_PATH},
        {"d/../f", CORAS_ERR_UNSAFE_PATH},
        {"d/..", CORAS_ERR_UNSAFE_PATH},
        {"./f", CORAS_ERR_UNSAFE_PATH},
        {"d//f", CORAS_ERR_UNSAFE_PATH},
        {"d/", CORAS_ERR_UNSAFE_PATH},
        {"out/passwd", CORAS_ERR_UNSAFE_PATH},
        {"file-out", CORAS_ERR_UNSAFE_PATH},
        {"up/f", CORAS_ERR_UNSAFE_PATH},
        {"loop", CORAS_ERR_UNSAFE_PATH},
        {component_256, CORAS_ERR_UNSAFE_PATH},
        {path_long, CORAS_ERR_UNSAFE_PATH},
        {component_256 + 1, CORAS_ERR_NOT_FOUND},
        {"d/none", CORAS_ERR_NOT_FOUND},
        {"...", CORAS_ERR_NOT_FOUND},
        {"f/x", CORAS_ERR_IO},
    };

    (void)state;
    memset(component_256, 'x', 256);
    component_256[256] = '\0';
    for (int i = 0; i < 2500; i++)
        memcpy(path_long + 2 * i, "x/", 2);
    memcpy(path_long + 5000, "x", 2);
    make_hostile_tree();
    check_beneath(cases, CORAS_ARRAY_LEN(cases));
}

/* From here on openat2 does not exist for this process. */
static bool forbid_openat2(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {CORAS_ARRAY_LEN(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void old_kernels_follow_no_link_at_all(void **state)
{
    static const struct beneath_case cases[] = {
        {"f", 0},
        {"d/f", 0},
        {"in/f", CORAS_ERR_UNSAFE_PATH},
        {"out/passwd", CORAS_ERR_UNSAFE_PATH},
        {"file-out", CORAS_ERR_UNSAFE_PATH},
        {"up/f", CORAS_ERR_UNSAFE_PATH},
        {"loop", CORAS_ERR_UNSAFE_PATH},
        {"../x", CORAS_ERR_UNSAFE_PATH},
        {"d/none", CORAS_ERR_NOT_FOUND},
        {"f/x", CORAS_ERR_IO},
    };
    coras_auto_fd root = -1;
    coras_auto_fd dir = -1;
    const char *name;

    (void)state;
    make_hostile_tree();
    if (!forbid_openat2())
        skip();
    check_beneath(cases, CORAS_ARRAY_LEN(cases));
    root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_ok(coras_open_parent_beneath(root, "a/b/file", 0755, &dir, &name, NULL), NULL);
    assert_int_equal(access("root/a/b", F_OK), 0);
    coras_close_fd(&dir);
    assert_int_equal(coras_open_parent_beneath(root, "up/new/file", 0755, &dir, &name, NULL),
                     CORAS_ERR_UNSAFE_PATH);
    assert_int_equal(access("new", F_OK), -1);
}

static void makes_parents_beneath_the_root(void **state)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_fd root = -1;
    coras_auto_fd deep = -1;
    coras_auto_fd top = -1;
    coras_auto_fd out = -1;
    const char *name = NULL;

    (void)state;
    assert_int_equal(mkdir("root", 0755), 0);
    root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_ok(coras_open_parent_beneath(root, "a/b/c/file", 0755, &deep, &name, &err), err);
    assert_string_equal(name, "file");
    assert_int_equal(mkdirat(deep, "here", 0755), 0);
    assert_int_equal(access("root/a/b/c/here", F_OK), 0);
    assert_ok(coras_open_parent_beneath(root, "file", 0755, &top, &name, &err), err);
    assert_string_equal(name, "file");
    assert_int_equal(mkdirat(top, "top", 0755), 0);
    assert_int_equal(access("root/top", F_OK), 0);
    assert_int_equal(symlink("..", "root/up"), 0);
    assert_failed(coras_open_parent_beneath(root, "up/new/file", 0755, &out, &name, &err), err,
                  CORAS_ERR_UNSAFE_PATH, NULL);
    assert_int_equal(access("new", F_OK), -1);
}

static void removes_trees_without_following_links(void **state)
{
    (void)state;
    assert_int_equal(mkdir("keep", 0755), 0);
    put("keep/f", "x");
    assert_ok(coras_mkdir_all(AT_FDCWD, "t/a/b/c", 0755, NULL), NULL);
    assert_ok(coras_mkdir_all(AT_FDCWD, "t/d", 0755, NULL), NULL);
    put("t/f", "x");
    put("t/a/f", "x");
    put("t/a/b/c/f", "x");
    assert_int_equal(symlink("../keep", "t/link"), 0);
    assert_int_equal(symlink("t", "linkt"), 0);
    assert_ok(coras_remove_all(AT_FDCWD, "t", NULL), NULL);
    assert_int_equal(access("t", F_OK), -1);
    assert_content("keep/f", "x");
    assert_ok(coras_remove_all(AT_FDCWD, "t", NULL), NULL);
    assert_ok(coras_remove_all(AT_FDCWD, "linkt", NULL), NULL);
    assert_ok(coras_remove_all(AT_FDCWD, "keep/f", NULL), NULL);
    assert_int_equal(access("keep/f", F_OK), -1);
}

static void removes_trees_deeper_than_descriptors(void **state)
{
    enum { DEPTH = 1500 }; /* more than the usual 1024 */
    coras_auto_fd at = -1;

    (void)state;
    assert_int_equal(mkdir("deep", 0755), 0);
    at = open("deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "d", 0755), 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        coras_close_fd(&at);
        at = next;
    }
    assert_ok(coras_remove_all(AT_FDCWD, "deep", NULL), NULL);
    assert_int_equal(access("deep", F_OK), -1);
}

static void transfers_are_whole(void **state)
{
    coras_auto_fd fd = -1;
    char text[8] = "";
    size_t n;

    (void)state;
    assert_ok(coras_tmpfile(NULL, &fd, NULL), NULL);
    assert_ok(coras_pwrite_full(fd, "cdef", 4, 2, NULL), NULL);
    assert_ok(coras_pwrite_full(fd, "ab", 2, 0, NULL), NULL);
    assert_ok(coras_pread_full(fd, text, 4, 1, &n, NULL), NULL);
    assert_int_equal(n, 4);
    assert_memory_equal(text, "bcde", 4);
    assert_ok(coras_pread_full(fd, text, 8, 4, &n, NULL), NULL);
    assert_int_equal(n, 2);
    assert_ok(coras_pread_full(fd, text, 8, 100, &n, NULL), NULL);
    assert_int_equal(n, 0);
    assert_ok(coras_fsync(fd, "f", NULL), NULL);
    assert_true(coras_free_space(fd) > 0);
    assert_int_equal(coras_free_space(-1), -1);
    assert_int_equal(coras_write_full(-1, "x", 1, NULL), CORAS_ERR_IO);
}

static void what_cannot_be_synced_is_no_failure(void **state)
{
    coras_auto_fd directory = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_int_equal(fsync(directory), -1);
    assert_ok(coras_fsync(directory, "d", &err), err);
    assert_failed(coras_fsync(-1, "d", &err), err, CORAS_ERR_IO, "sync d: bad file descriptor");
}

static void cleans_paths_like_go(void **state)
{
    static const char *const cases[][2] = {
        {"", "."},         {".", "."},
        {"/", "/"},        {"//", "/"},
        {"a", "a"},        {"a/", "a"},
        {"a//b", "a/b"},   {"./a", "a"},
        {"a/./b", "a/b"},  {"a/../b", "b"},
        {"..", ".."},      {"../..", "../.."},
        {"../a/..", ".."}, {"a/../..", ".."},
        {"/..", "/"},      {"/../a", "/a"},
        {"/a/../..", "/"}, {"a/b/../../c", "c"},
        {"...", "..."},    {"a/..b", "a/..b"},
        {"a/..", "."},     {"../../a/b/..", "../../a"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_free char *got = coras_path_clean(cases[i][0]);
        assert_string_equal(got, cases[i][1]);
    }
}

static void joins_paths_like_go(void **state)
{
    static const char *const cases[][3] = {
        {"", "", ""},        {"a", "", "a"},   {"", "b", "b"},   {"a", "b", "a/b"},
        {"a/", "/b", "a/b"}, {"/", "b", "/b"}, {"a", "..", "."}, {"", "../b", "../b"},
    };
    coras_auto_free char *abs = coras_path_abs("/a/../b");
    coras_auto_free char *rel = coras_path_abs("x/../y");
    coras_auto_free char *want = coras_path_join(*state, "y");

    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_free char *got = coras_path_join(cases[i][0], cases[i][1]);
        assert_string_equal(got, cases[i][2]);
    }
    assert_string_equal(abs, "/b");
    assert_string_equal(rel, want);
    assert_string_equal(coras_path_base("a/b"), "b");
    assert_string_equal(coras_path_base("b"), "b");
    assert_string_equal(coras_path_base("/"), "/");
    assert_string_equal(coras_path_base(""), ".");
}

#define FS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(reads_up_to_the_limit),
        FS_TEST(reads_regular_files_only),
        FS_TEST(replaces_a_file_and_keeps_links_to_it),
        FS_TEST(a_failed_replacement_leaves_nothing),
        FS_TEST(makes_directories_like_go),
        FS_TEST(counts_and_syncs_missing_parents),
        FS_TEST(refuses_unsafe_paths),
        FS_TEST(makes_parents_beneath_the_root),
        FS_TEST(removes_trees_without_following_links),
        FS_TEST(removes_trees_deeper_than_descriptors),
        FS_TEST(transfers_are_whole),
        FS_TEST(what_cannot_be_synced_is_no_failure),
        FS_TEST(cleans_paths_like_go),
        FS_TEST(joins_paths_like_go),
        FS_TEST(old_kernels_follow_no_link_at_all), /* last: it cannot be undone */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
