/* SPDX-License-Identifier: Apache-2.0 */
/* However content arrives, its digest is that of what the file has. */
#include "transfer/arrival_hash.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/fs.h"
#include "support.h"

enum { SIZE = 700 * 1000, PIECE = 64 * 1024 };

static char content[SIZE];

static struct coras_hash_behind_options options_of(int fd)
{
    return (struct coras_hash_behind_options){
        .fd = fd, .handed = PIECE, .size = SIZE, .algorithm = CORAS_SHA256};
}

static coras_digest digest_of_content(void)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_digest digest;

    assert_int_equal(coras_hasher_new(CORAS_SHA256, &hasher, NULL), 0);
    coras_hasher_update(hasher, content, SIZE);
    coras_hasher_final(hasher, &digest);
    return digest;
}

static void start(coras_arrival_hash *hash, int fd)
{
    const struct coras_hash_behind_options options = options_of(fd);

    for (size_t i = 0; i < SIZE; i++)
        content[i] = (char)(i * 7 + i / 255);
    assert_true(fd >= 0);
    assert_int_equal(coras_arrival_hash_init(hash, &options, NULL), 0);
}

/* Content [from, to) comes in order; it reaches the file only if `fd` is one. */
static void come(coras_arrival_hash *hash, int fd, int64_t from, int64_t to)
{
    for (int64_t at = from; at < to; at += PIECE) {
        size_t len = to - at < PIECE ? (size_t)(to - at) : PIECE;
        if (fd >= 0)
            assert_int_equal(pwrite(fd, content + at, len, at), (ssize_t)len);
        coras_arrival_hash_take(hash, at, content + at, len);
    }
}

/* The same for who gives his memory away, and says that it is in the file, which need not be true.
 */
static void give(coras_arrival_hash *hash, int64_t from, int64_t to)
{
    char *block = coras_malloc(PIECE);

    for (int64_t at = from; at < to; at += PIECE) {
        size_t len = to - at < PIECE ? (size_t)(to - at) : PIECE;
        memcpy(block, content + at, len);
        coras_arrival_hash_give(hash, at, &block, len);
        memset(block, 0, PIECE); /* it is another one */
        coras_arrival_hash_advance(hash, at + (int64_t)len);
    }
    free(block);
}

static void expect_content(coras_arrival_hash *hash)
{
    coras_digest want = digest_of_content(), have;

    assert_int_equal(coras_arrival_hash_get(hash, &have, NULL), 0);
    assert_true(coras_digest_equal(&have, &want));
}

static void what_comes_in_order_is_not_read_back(void **state)
{
    coras_auto_fd fd = memfd_create("empty", MFD_CLOEXEC);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};

    (void)state;
    start(&hash, fd);
    come(&hash, -1, 0, SIZE);
    expect_content(&hash);
}

static void it_goes_on_behind_when_order_ends(void **state)
{
    coras_auto_fd fd = memfd_create("content", MFD_CLOEXEC);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};
    int64_t middle = 3LL * PIECE;

    (void)state;
    start(&hash, fd);
    come(&hash, -1, 0, middle);
    coras_arrival_hash_leave_order(&hash);
    assert_false(coras_arrival_hash_is_in_order(&hash));
    assert_int_equal(pwrite(fd, content + middle, (size_t)(SIZE - middle), middle), SIZE - middle);
    coras_arrival_hash_advance(&hash, SIZE);
    expect_content(&hash);
}

static void what_is_given_is_not_read_back(void **state)
{
    coras_auto_fd fd = memfd_create("the rest", MFD_CLOEXEC);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};
    int64_t middle = 4LL * PIECE;

    (void)state;
    start(&hash, fd);
    come(&hash, -1, 0, PIECE);
    coras_arrival_hash_leave_order(&hash);
    give(&hash, PIECE, middle); /* so few that there is room for all */
    assert_int_equal(pwrite(fd, content + middle, (size_t)(SIZE - middle), middle), SIZE - middle);
    coras_arrival_hash_advance(&hash, SIZE);
    expect_content(&hash);
}

static void what_is_given_too_fast_is_read_back(void **state)
{
    coras_auto_fd fd = memfd_create("content", MFD_CLOEXEC);

    (void)state;
    for (int i = 0; i < 20; i++) {
        coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};
        start(&hash, fd);
        assert_int_equal(pwrite(fd, content, SIZE, 0), SIZE);
        coras_arrival_hash_leave_order(&hash);
        give(&hash, 0, SIZE);
        expect_content(&hash);
    }
}

/* Others write what lies between, so what comes after it is nothing to go on with. */
static void what_is_given_after_a_gap_is_read_back(void **state)
{
    coras_auto_fd fd = memfd_create("content", MFD_CLOEXEC);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};
    int64_t gap = 2LL * PIECE, after = 4LL * PIECE;

    (void)state;
    start(&hash, fd);
    coras_arrival_hash_leave_order(&hash);
    give(&hash, 0, gap);
    assert_int_equal(pwrite(fd, content + gap, (size_t)(SIZE - gap), gap), SIZE - gap);
    coras_arrival_hash_advance(&hash, after);
    give(&hash, after, SIZE);
    expect_content(&hash);
}

static void nothing_is_taken_of_what_comes_from_several(void **state)
{
    coras_auto_fd fd = memfd_create("content", MFD_CLOEXEC);
    char *block = coras_malloc(PIECE), *same = block;
    int64_t middle = 2LL * PIECE;

    (void)state;
    assert_non_null(block);
    for (int is_behind = 0; is_behind < 2; is_behind++) {
        coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};
        start(&hash, fd);
        assert_int_equal(pwrite(fd, content, SIZE, 0), SIZE);
        if (is_behind) {
            coras_arrival_hash_leave_order(&hash);
            give(&hash, 0, middle);
        } else {
            come(&hash, -1, 0, middle);
        }
        coras_arrival_hash_scatter(&hash);
        coras_arrival_hash_give(&hash, middle, &block, PIECE);
        assert_ptr_equal(block, same);
        coras_arrival_hash_advance(&hash, SIZE);
        expect_content(&hash);
    }
    free(block);
}

static void nobody_waits_for_a_reader_that_has_failed(void **state)
{
    coras_auto_fd fd = memfd_create("empty", MFD_CLOEXEC);
    const struct coras_hash_behind_options options = options_of(fd);
    coras_auto(coras_hash_behind) hash = NULL;
    char *block = coras_malloc(PIECE);
    coras_digest digest;

    (void)state;
    assert_non_null(block);
    assert_int_equal(coras_hash_behind_start(&options, &hash, NULL), 0);
    coras_hash_behind_advance(hash, 1); /* which is not there */
    for (int64_t at = PIECE; at + PIECE < SIZE; at += PIECE)
        coras_hash_behind_give(hash, at, &block, PIECE);
    free(block);
    assert_int_equal(coras_hash_behind_get(hash, true, &digest, NULL), CORAS_ERR_CHANGED);
}

static void without_memory_for_blocks_the_file_is_read(void **state)
{
    coras_auto_fd fd = memfd_create("content", MFD_CLOEXEC);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};
    char *block = coras_malloc(PIECE), *same = block;

    (void)state;
    start(&hash, fd);
    assert_int_equal(pwrite(fd, content, SIZE, 0), SIZE);
    coras_arrival_hash_leave_order(&hash);
    memcpy(block, content, PIECE);
    coras_alloc_fail_at(0);
    coras_arrival_hash_give(&hash, 0, &block, PIECE);
    coras_alloc_fail_at(-1);
    assert_ptr_equal(block, same);
    coras_arrival_hash_advance(&hash, PIECE);
    give(&hash, PIECE, SIZE);
    free(block);
    expect_content(&hash);
}

static void what_comes_twice_is_read_from_the_file(void **state)
{
    coras_auto_fd fd = memfd_create("content", MFD_CLOEXEC);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};

    (void)state;
    start(&hash, fd);
    content[PIECE] ^= 1; /* the first time it is something else */
    come(&hash, fd, 0, 2LL * PIECE);
    content[PIECE] ^= 1;
    come(&hash, fd, PIECE, SIZE);
    expect_content(&hash);
}

static void what_was_there_is_read(void **state)
{
    coras_auto_fd fd = memfd_create("content", MFD_CLOEXEC);
    coras_auto_value(coras_arrival_hash) hash = {.hasher = NULL};

    (void)state;
    start(&hash, fd);
    assert_int_equal(pwrite(fd, content, SIZE, 0), SIZE);
    expect_content(&hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_in_order_is_not_read_back),
        cmocka_unit_test(it_goes_on_behind_when_order_ends),
        cmocka_unit_test(what_is_given_is_not_read_back),
        cmocka_unit_test(what_is_given_too_fast_is_read_back),
        cmocka_unit_test(what_is_given_after_a_gap_is_read_back),
        cmocka_unit_test(nothing_is_taken_of_what_comes_from_several),
        cmocka_unit_test(nobody_waits_for_a_reader_that_has_failed),
        cmocka_unit_test(without_memory_for_blocks_the_file_is_read),
        cmocka_unit_test(what_comes_twice_is_read_from_the_file),
        cmocka_unit_test(what_was_there_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
