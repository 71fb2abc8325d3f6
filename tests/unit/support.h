/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes: cmocka with the headers it wants, and assertions on errors.
 */
#ifndef CORAS_TESTS_UNIT_SUPPORT_H
#define CORAS_TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"

/* The call failed with this code and (unless NULL) exactly this message. `err` is read after it. */
#define assert_failed(call, err, code, message)                                                    \
    do {                                                                                           \
        int failed_rc_ = (call);                                                                   \
        check_failed(failed_rc_, (err), (code), (message));                                        \
    } while (0)
static inline CORAS_UNUSED void check_failed(int rc, const coras_error *err, int code,
                                             const char *message)
{
    assert_int_equal(rc, code);
    assert_non_null(err);
    assert_int_equal(coras_error_code(err), code);
    if (message)
        assert_string_equal(coras_error_message(err), message);
}

/* The call succeeded; prints the message when it did not. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        int ok_rc_ = (call);                                                                       \
        check_ok(ok_rc_, (err));                                                                   \
    } while (0)
static inline CORAS_UNUSED void check_ok(int rc, const coras_error *err)
{
    if (err)
        print_error("%s\n", coras_error_message(err));
    assert_null(err);
    assert_int_equal(rc, 0);
}

/*
 * Run `attempt` with the first, the second, ... allocation failing, until one run needs fewer.
 * `check` is told how each ended, and whether an allocation failed in it.
 */
static inline CORAS_UNUSED void check_each_allocation(int (*attempt)(coras_error **err),
                                                      void (*check)(int rc, const coras_error *err,
                                                                    bool failed))
{
    bool reached = true;

    for (long nth = 0; reached; nth++) {
        coras_auto(coras_error) err = NULL;
        assert_true(nth < 100000);
        coras_alloc_fail_at(nth);
        int rc = attempt(&err);
        reached = coras_alloc_fail_reached();
        coras_alloc_fail_at(-1);
        check(rc, err, reached);
    }
}

static inline CORAS_UNUSED void assert_out_of_memory_if(int rc, const coras_error *err, bool failed)
{
    if (failed)
        assert_failed(rc, err, CORAS_ERR_NO_MEMORY, NULL);
    else
        assert_ok(rc, err);
}

/* Each failed allocation is reported and leaves nothing behind (the sanitizer sees that). */
static inline CORAS_UNUSED void fail_each_allocation(int (*attempt)(coras_error **err))
{
    check_each_allocation(attempt, assert_out_of_memory_if);
}

#endif
