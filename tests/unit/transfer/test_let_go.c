/* SPDX-License-Identifier: Apache-2.0 */
/* What memory cannot hold leaves the page cache behind the hash, and nothing else does. */
#include "transfer/let_go.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/fs.h"
#include "support.h"
#include "transfer/hash_behind.h"

enum { MIB = 1024 * 1024, PAGE = 4096, SIZE_MIB = 64, KEPT_MIB = 8, LATE_MIB = 32 };

static void half_of_memory_stays(void **state)
{
    (void)state;
    assert_int_equal(coras_let_go_after(0, 1000), 500);
    assert_int_equal(coras_let_go_after(400, 1000), 100);
    assert_int_equal(coras_let_go_after(500, 1000), 1);
    assert_int_equal(coras_let_go_after(900, 1000), 1);
    assert_int_equal(coras_let_go_after(0, -1), 0);
}

/* A file on a disk, or -1: here is only memory. */
static int new_file(void)
{
    char name[] = "let-go-XXXXXX";
    int fd = mkstemp(name);
    coras_auto_free char *zeros = coras_calloc(MIB, 1);

    assert_true(fd >= 0 && zeros);
    assert_int_equal(unlink(name), 0);
    if (coras_memory_holds(fd)) {
        close(fd);
        return -1;
    }
    for (int64_t at = 0; at < SIZE_MIB; at++)
        assert_int_equal(pwrite(fd, zeros, MIB, at * MIB), MIB);
    assert_int_equal(fdatasync(fd), 0);
    return fd;
}

/* How many of the pages of MiB [from, to) are in memory. */
static size_t cached(int fd, size_t from, size_t to)
{
    static unsigned char pages[SIZE_MIB * (MIB / PAGE)];
    size_t len = (to - from) * MIB, count = 0;
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)(from * MIB));

    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mincore(map, len, pages), 0);
    for (size_t i = 0; i < len / PAGE; i++)
        count += pages[i] & 1;
    munmap(map, len);
    return count;
}

static void hash(int fd, int64_t kept)
{
    const struct coras_hash_behind_options options = {
        .fd = fd, .kept = kept, .size = (int64_t)SIZE_MIB * MIB, .algorithm = CORAS_SHA256};
    coras_auto(coras_hash_behind) behind = NULL;
    coras_digest digest;

    assert_int_equal(coras_hash_behind_start(&options, &behind, NULL), 0);
    coras_hash_behind_advance(behind, options.size);
    assert_int_equal(coras_hash_behind_get(behind, true, &digest, NULL), 0);
}

static void what_was_hashed_leaves_the_page_cache(void **state)
{
    coras_auto_fd fd = new_file();

    (void)state;
    if (fd < 0)
        skip();
    hash(fd, (int64_t)KEPT_MIB * MIB);
    assert_true(cached(fd, KEPT_MIB, SIZE_MIB - LATE_MIB - 16) == 0);
    assert_true(cached(fd, 0, KEPT_MIB) > 0);
    assert_true(cached(fd, SIZE_MIB - LATE_MIB, SIZE_MIB) > 0);
}

static void else_it_stays(void **state)
{
    coras_auto_fd fd = new_file();

    (void)state;
    if (fd < 0)
        skip();
    hash(fd, 0);
    assert_true(cached(fd, KEPT_MIB, LATE_MIB) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_memory_stays),
        cmocka_unit_test(what_was_hashed_leaves_the_page_cache),
        cmocka_unit_test(else_it_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
