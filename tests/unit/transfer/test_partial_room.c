/* SPDX-License-Identifier: Apache-2.0 */
/* Where room for a partial file is asked for, and where asking would cost more than it tells. */
#include "transfer/partial_file.h"

#include <sys/mman.h>
#include "base/fs.h"
#include "support.h"

enum { SIZE = 4 * 1024 * 1024 };

static int64_t reserved_in(int fd)
{
    coras_gaps missing = {0};
    struct stat st;

    coras_gaps_add(&missing, 0, SIZE);
    assert_int_equal(coras_partial_reserve(fd, "partial", SIZE, &missing, NULL), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 0);
    return coras_allocated_bytes(&st);
}

static void memory_is_not_filled_before_bytes_come(void **state)
{
    coras_auto_fd fd = memfd_create("partial", MFD_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_true(coras_memory_holds(fd));
    assert_int_equal(reserved_in(fd), 0);
}

static void room_on_a_disk_is_reserved(void **state)
{
    coras_auto_fd fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    (void)state;
    if (fd < 0 || coras_memory_holds(fd) || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1) < 0)
        skip(); /* a file system that cannot do it */
    assert_true(reserved_in(fd) >= SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_not_filled_before_bytes_come),
        cmocka_unit_test(room_on_a_disk_is_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
