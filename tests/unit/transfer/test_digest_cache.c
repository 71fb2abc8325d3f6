/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files may have their digest remembered, and what makes it unknown again.
 */
#include "scratch.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "oci/digest.h"
#include "transfer/digest_cache.h"

enum { SIZE = CORAS_DIGEST_CACHE_MIN_BYTES, LATER_S = 3600 };

/* A file of SIZE bytes, open for reading and writing. */
static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    return fd;
}

static const char *cache_dir; /* the scratch directory of the test that runs */

static int cache_setup(void **state)
{
    int rc = scratch_setup(state);

    cache_dir = *state;
    return rc;
}
#define CACHE_TEST(f) cmocka_unit_test_setup_teardown(f, cache_setup, scratch_teardown)

static struct stat state_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st;
}

/* Whether the file system below the scratch directory is one of those that tell. */
static void need_telling_file_system(int fd)
{
    struct stat st = state_of(fd);

    st.st_mtim.tv_sec = 0;
    if (!coras_digest_cache_is_settled(fd, &st, coras_wall_s() + LATER_S)) {
        print_message("SKIPPED: /tmp is on a file system whose times tell nothing\n");
        skip();
    }
}

static void wait_until_past(const struct stat *st)
{
    while (!coras_file_state_is_past(st))
        (void)usleep(1000);
}

static void what_somebody_may_be_writing_is_not_settled(void **state)
{
    coras_auto_fd writer = open_file("f");
    coras_auto_fd fd = open("f", O_RDONLY | O_CLOEXEC);
    struct stat st = state_of(writer);

    (void)state;
    wait_until_past(&st);
    need_telling_file_system(fd);
    assert_false(coras_digest_cache_is_settled(fd, &st, coras_wall_s()));
    st.st_mtim.tv_sec -= LATER_S; /* a forged mtime leaves ctime */
    assert_false(coras_digest_cache_is_settled(fd, &st, coras_wall_s()));

    void *mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
    assert_true(mapped != MAP_FAILED);
    coras_close_fd(&writer);
    assert_false(coras_digest_cache_is_settled(fd, &st, coras_wall_s()));
    munmap(mapped, SIZE);
    assert_true(coras_digest_cache_is_settled(fd, &st, coras_wall_s()));
}

static void each_algorithm_has_its_own_memory(void **state)
{
    coras_auto_fd fd = open_file("f");
    struct stat st = state_of(fd);
    coras_digest sha256, sha512, got;

    (void)state;
    need_telling_file_system(fd);
    assert_ok(coras_digest_of(CORAS_SHA256, "a", 1, &sha256, NULL), NULL);
    assert_ok(coras_digest_of(CORAS_SHA512, "a", 1, &sha512, NULL), NULL);
    coras_digest_cache_put(cache_dir, fd, &st, &sha512);
    assert_false(coras_digest_cache_get(cache_dir, &st, CORAS_SHA256, &got));
    coras_digest_cache_put(cache_dir, fd, &st, &sha256);
    assert_true(coras_digest_cache_get(cache_dir, &st, CORAS_SHA256, &got));
    assert_true(coras_digest_equal(&got, &sha256));
    assert_true(coras_digest_cache_get(cache_dir, &st, CORAS_SHA512, &got));
    assert_true(coras_digest_equal(&got, &sha512));
}

/* The first write to a page that was written back moves mtime, and only that one does. */
static void a_write_through_a_mapping_is_seen(void **state)
{
    coras_auto_fd fd = open_file("f");
    coras_digest digest, got;
    char *mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    (void)state;
    need_telling_file_system(fd);
    assert_true(mapped != MAP_FAILED);
    mapped[0] = 'x'; /* the page is dirty from here on */
    struct stat before = state_of(fd);
    wait_until_past(&before);
    assert_true(coras_digest_cache_is_settled(fd, &before, coras_wall_s() + LATER_S));
    assert_ok(coras_digest_of(CORAS_SHA256, mapped, SIZE, &digest, NULL), NULL);
    coras_digest_cache_put(cache_dir, fd, &before, &digest);
    assert_true(coras_digest_cache_get(cache_dir, &before, CORAS_SHA256, &got));
    mapped[0] = 'y';
    struct stat after = state_of(fd);
    assert_false(coras_digest_cache_get(cache_dir, &after, CORAS_SHA256, &got));
    munmap(mapped, SIZE);
}

static void a_file_that_changed_meanwhile_is_not_remembered(void **state)
{
    coras_auto_fd fd = open_file("f");
    struct stat before = state_of(fd);
    coras_digest digest, got;

    (void)state;
    assert_ok(coras_digest_of(CORAS_SHA256, "a", 1, &digest, NULL), NULL);
    assert_int_equal(ftruncate(fd, SIZE + 1), 0);
    coras_digest_cache_put(cache_dir, fd, &before, &digest);
    assert_false(coras_digest_cache_get(cache_dir, &before, CORAS_SHA256, &got));
}

static void tmpfs_tells_nothing(void **state)
{
    coras_auto_fd fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    coras_digest digest, got;

    (void)state;
    if (fd < 0)
        skip();
    assert_int_equal(ftruncate(fd, SIZE), 0);
    struct stat st = state_of(fd);
    assert_false(coras_digest_cache_is_settled(fd, &st, coras_wall_s() + LATER_S));
    assert_ok(coras_digest_of(CORAS_SHA256, "a", 1, &digest, NULL), NULL);
    coras_digest_cache_put(cache_dir, fd, &st, &digest);
    assert_false(coras_digest_cache_get(cache_dir, &st, CORAS_SHA256, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(what_somebody_may_be_writing_is_not_settled),
        CACHE_TEST(each_algorithm_has_its_own_memory),
        CACHE_TEST(a_write_through_a_mapping_is_seen),
        CACHE_TEST(a_file_that_changed_meanwhile_is_not_remembered),
        CACHE_TEST(tmpfs_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
