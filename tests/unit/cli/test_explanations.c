/* SPDX-License-Identifier: Apache-2.0 */
/* Every error code of the library has a cause and a remedy. */
#include "support.h"

#include "cli/app/explanations.h"

static void every_code_is_explained(void **state)
{
    static const int codes[] = {
#define CODE(id, value, name, text) id,
        CORAS_ERROR_LIST(CODE)
#undef CODE
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(codes); i++) {
        const struct explanation *e = explanation_find(coras_error_name(codes[i]));
        assert_non_null(e);
        assert_int_equal(e->code, codes[i]);
        assert_non_null(e->cause);
        assert_non_null(e->remedy);
        assert_ptr_equal(explanation_at(i), e);
    }
    assert_null(explanation_at(CORAS_ARRAY_LEN(codes)));
    assert_null(explanation_find("NOT_FOUN"));
    assert_ptr_equal(explanation_find("not_found"), explanation_find("NOT_FOUND"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_code_is_explained)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
