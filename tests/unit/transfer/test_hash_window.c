/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks that are hashed and sent: every byte that is taken is the right one, nobody hangs. */
#include "transfer/hash_window.h"

#include <pthread.h>
#include <string.h>
#include "support.h"

enum { BLOCKS = 4, BLOCK = 1024, ALL = 200 * BLOCK - 17 };

static char content(int64_t at)
{
    return (char)(at * 31 + at / 251);
}

struct reading {
    coras_hash_window *window;
    int64_t until; /* it fails there */
};

static void *read_all(void *user)
{
    struct reading *r = user;

    for (int64_t at = 0; at < r->until;) {
        size_t len = ALL - at < BLOCK ? (size_t)(ALL - at) : BLOCK;
        char *place = coras_hash_window_claim(r->window, at);
        for (size_t i = 0; i < len; i++)
            place[i] = content(at + (int64_t)i);
        coras_hash_window_publish(r->window, len);
        at += (int64_t)len;
    }
    coras_hash_window_end(r->window);
    return NULL;
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

static void what_is_sent_is_what_was_read(void **state)
{
    static const size_t caps[] = {1, 100, BLOCK, 3 * BLOCK};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(caps); i++) {
        coras_auto(coras_hash_window) window = coras_hash_window_new(BLOCKS, BLOCK);
        struct reading r = {window, ALL};
        pthread_t reader;
        assert_int_equal(pthread_create(&reader, NULL, read_all, &r), 0);
        assert_in_range(send_all(window, caps[i]), 0, ALL);
        pthread_join(reader, NULL);
    }
}

static void what_was_passed_is_not_there(void **state)
{
    coras_auto(coras_hash_window) window = coras_hash_window_new(BLOCKS, BLOCK);
    struct reading r = {window, ALL};
    char buf[BLOCK];

    (void)state;
    read_all(&r);
    assert_int_equal(coras_hash_window_take(window, buf, BLOCK, 0), 0);
    assert_int_equal(coras_hash_window_take(window, buf, BLOCK, ALL), 0);
    assert_int_equal(coras_hash_window_take(window, buf, BLOCK, ALL - 5), 5);
    assert_int_equal(buf[0], content(ALL - 5));
}

/* A file that cannot be read further: the sender finds out for itself. */
static void nobody_waits_for_a_reader_that_ended(void **state)
{
    coras_auto(coras_hash_window) window = coras_hash_window_new(BLOCKS, BLOCK);
    struct reading r = {window, 10LL * BLOCK};
    pthread_t reader;

    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, read_all, &r), 0);
    assert_in_range(send_all(window, BLOCK), 0, 10LL * BLOCK);
    pthread_join(reader, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_is_what_was_read),
        cmocka_unit_test(what_was_passed_is_not_there),
        cmocka_unit_test(nobody_waits_for_a_reader_that_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
