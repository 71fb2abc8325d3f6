/* SPDX-License-Identifier: Apache-2.0 */
/* How much work a check of a password is. The work is counted here instead of done. */
#include "serve/access/htpasswd.h"

#include <crypt.h>
#include <string.h>
#include "base/error.h"
#include "support.h"

#define HASH "......................abcdefghijklmnopqrstuvwxyzABCDE"

static long work;

/* In place of libcrypt's: bcrypt's cost is the logarithm of its rounds. */
char *crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    (void)phrase;
    (void)data;
    (void)size;
    assert_int_equal(setting[0], '$');
    work += 1L << ((setting[4] - '0') * 10 + setting[5] - '0');
    return NULL;
}

char *crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    return crypt_rn(phrase, setting, data, sizeof(*data));
}

static long work_for(const serve_htpasswd *h, const char *user)
{
    work = 0;
    assert_false(serve_htpasswd_check(h, user, "secret"));
    return work;
}

static void is_the_same_for_every_name(void **state)
{
    static const char text[] =
        "cheap:$2y$04$" HASH "\ncostly:$2y$12$" HASH "\nmiddle:$2b$09$" HASH "\n";
    coras_auto(serve_htpasswd) h = NULL;

    (void)state;
    assert_int_equal(serve_htpasswd_parse(text, strlen(text), "test", &h, NULL), 0);
    assert_int_equal(work_for(h, "costly"), 1L << 12);
    assert_int_equal(work_for(h, "cheap"), 1L << 12);
    assert_int_equal(work_for(h, "middle"), 1L << 12);
    assert_int_equal(work_for(h, "nobody"), 1L << 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_the_same_for_every_name)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
