/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks that are hashed and sent: each gets the right bytes, nobody hangs. */
#include "transfer/hash_window.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/fs.h"
#include "support.h"

enum { BLOCKS = 4, BLOCK = 1024, ALL = 200 * BLOCK - 17 };

static char content(int64_t at)
{
    return (char)(at * 31 + at / 251);
}

/* A file with that content, up to `size`. */
static int make_file(int64_t size)
{
    int fd = memfd_create("content", MFD_CLOEXEC);
    char block[BLOCK];

    assert_true(fd >= 0);
    for (int64_t at = 0; at < size; at += BLOCK) {
        for (int64_t i = 0; i < BLOCK; i++)
            block[i] = content(at + i);
        assert_int_equal(pwrite(fd, block, BLOCK, at), BLOCK);
    }
    assert_int_equal(ftruncate(fd, size), 0);
    return fd;
}

static coras_hash_window *new_window(int fd)
{
    const struct coras_hash_window_file file = {fd, 0, ALL};

    return coras_hash_window_new(&file, BLOCKS, BLOCK);
}

static void *hash_all(void *user)
{
    coras_hash_window *window = user;
    const char *bytes;
    int64_t at = 0;
    size_t len;

    while (coras_hash_window_next(window, &bytes, &len, NULL) == 0 && len) {
        for (size_t i = 0; i < len; i++)
            if (bytes[i] != content(at + (int64_t)i))
                fail_msg("wrong byte at %lld", (long long)at + (long long)i);
        at += (int64_t)len;
    }
    coras_hash_window_end(window);
    return (void *)(intptr_t)at;
}

/* Bytes that came through the window; others are "read from the file". */
static int64_t send_all(coras_hash_window *window, size_t cap)
{
    char buf[3 * BLOCK];
    int64_t taken = 0;

    for (int64_t at = 0; at < ALL;) {
        size_t n = coras_hash_window_take(window, buf, cap, at);
        for (size_t i = 0; i < n; i++)
            if (buf[i] != content(at + (int64_t)i))
                fail_msg("wrong byte at %lld", (long long)at + (long long)i);
        taken += (int64_t)n;
        at += n ? (int64_t)n : ALL - at < 100 ? ALL - at : 100;
    }
    return taken;
}

static void both_get_every_byte(void **state)
{
    static const size_t caps[] = {1, 100, BLOCK, 3 * BLOCK};
    coras_auto_fd fd = make_file(ALL);

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(caps); i++) {
        coras_auto(coras_hash_window) window = new_window(fd);
        pthread_t hasher;
        void *hashed;
        assert_int_equal(pthread_create(&hasher, NULL, hash_all, window), 0);
        assert_in_range(send_all(window, caps[i]), 0, ALL);
        pthread_join(hasher, &hashed);
        assert_int_equal((intptr_t)hashed, ALL);
    }
}

static void what_was_passed_is_not_there(void **state)
{
    coras_auto_fd fd = make_file(ALL);
    coras_auto(coras_hash_window) window = new_window(fd);
    char buf[BLOCK];

    (void)state;
    hash_all(window);
    assert_int_equal(coras_hash_window_take(window, buf, BLOCK, 0), 0);
    assert_int_equal(coras_hash_window_take(window, buf, BLOCK, ALL), 0);
    assert_int_equal(coras_hash_window_take(window, buf, BLOCK, ALL - 5), 5);
    assert_int_equal(buf[0], content(ALL - 5));
}

/* Then the end waits for hashing alone. */
static void who_sends_reads_what_the_other_hashes(void **state)
{
    coras_auto_fd fd = make_file(ALL);
    coras_auto(coras_hash_window) window = new_window(fd);
    char buf[BLOCK];
    const char *bytes;
    size_t len;

    (void)state;
    for (int64_t block = 0; block < BLOCKS; block++)
        assert_int_equal(coras_hash_window_take(window, buf, BLOCK, block * BLOCK), BLOCK);
    assert_int_equal(ftruncate(fd, 0), 0); /* nobody can read it any more */
    for (int64_t block = 0; block < BLOCKS; block++) {
        assert_int_equal(coras_hash_window_next(window, &bytes, &len, NULL), 0);
        assert_int_equal(len, BLOCK);
        assert_int_equal(bytes[0], content(block * BLOCK));
    }
    assert_int_equal(coras_hash_window_next(window, &bytes, &len, NULL), CORAS_ERR_CHANGED);
}

/* What was resumed begins far ahead of what is hashed. */
static void who_is_elsewhere_reads_alone(void **state)
{
    coras_auto_fd fd = make_file(ALL);
    coras_auto(coras_hash_window) window = new_window(fd);
    char buf[BLOCK];

    (void)state;
    assert_int_equal(coras_hash_window_take(window, buf, BLOCK, 50LL * BLOCK), 0);
    assert_int_equal((intptr_t)hash_all(window), ALL);
}

/* A file that cannot be read further: the sender finds out for itself. */
static void nobody_waits_for_one_who_has_ended(void **state)
{
    coras_auto_fd fd = make_file(10LL * BLOCK);
    coras_auto(coras_hash_window) window = new_window(fd);
    pthread_t hasher;

    (void)state;
    assert_int_equal(pthread_create(&hasher, NULL, hash_all, window), 0);
    assert_in_range(send_all(window, BLOCK), 0, 10LL * BLOCK);
    pthread_join(hasher, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_get_every_byte),
        cmocka_unit_test(what_was_passed_is_not_there),
        cmocka_unit_test(who_sends_reads_what_the_other_hashes),
        cmocka_unit_test(who_is_elsewhere_reads_alone),
        cmocka_unit_test(nobody_waits_for_one_who_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
