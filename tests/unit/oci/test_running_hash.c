/* SPDX-License-Identifier: Apache-2.0 */
/* A hash that is put down at any byte and taken up again ends where the other one does. */
#include <stdlib.h>
#include <string.h>
#include "oci/running_hash.h"
#include "support.h"

#define LEN 700

static void check_split(int algorithm, const unsigned char *data, size_t at)
{
    coras_auto(coras_running_hash) first = NULL;
    coras_auto(coras_running_hash) second = NULL;
    coras_auto_buf state = CORAS_BUF_UNLIMITED;
    coras_digest wanted, found;

    assert_int_equal(coras_digest_of(algorithm, data, LEN, &wanted, NULL), 0);
    assert_int_equal(coras_running_hash_new(algorithm, &first, NULL), 0);
    coras_running_hash_update(first, data, at);
    coras_running_hash_save(first, &state);
    assert_int_equal(coras_running_hash_load(state.ptr, state.len, &second, NULL), 0);
    coras_running_hash_value(second, &found); /* which disturbs nothing */
    coras_running_hash_update(second, data + at, LEN - at);
    coras_running_hash_value(second, &found);
    assert_true(coras_digest_equal(&found, &wanted));
}

static void any_split_ends_in_the_same(void **state)
{
    unsigned char data[LEN];

    (void)state;
    for (size_t i = 0; i < LEN; i++)
        data[i] = (unsigned char)(i * 7 + i / 256);
    for (int algorithm = CORAS_SHA256; algorithm <= CORAS_SHA512; algorithm++) {
        for (size_t at = 0; at <= LEN; at++)
            check_split(algorithm, data, at);
    }
}

/* A row of a database may hold anything. */
static void other_bytes_are_refused(void **state)
{
    coras_auto(coras_running_hash) h = NULL;
    coras_auto(coras_running_hash) none = NULL;
    coras_auto_buf saved = CORAS_BUF_UNLIMITED;

    (void)state;
    assert_int_equal(coras_running_hash_new(CORAS_SHA256, &h, NULL), 0);
    coras_running_hash_save(h, &saved);
    for (size_t len = 0; len < saved.len; len++)
        assert_int_equal(coras_running_hash_load(saved.ptr, len, &none, NULL),
                         CORAS_ERR_UNSUPPORTED);
    memset(saved.ptr + 8, 0xff, saved.len - 8);
    assert_int_equal(coras_running_hash_load(saved.ptr, saved.len, &none, NULL),
                     CORAS_ERR_UNSUPPORTED);
    assert_int_equal(coras_running_hash_new(99, &none, NULL), CORAS_ERR_UNSUPPORTED_DIGEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_split_ends_in_the_same),
        cmocka_unit_test(other_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
