/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes of tokens: merged, sorted, compared. */
#include "rows.h"
#include "auth/scope.h"

static void split_words(const char *text, coras_strlist *l)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        assert_int_equal(coras_strlist_addn(l, text, n, NULL), 0);
        text += n + (text[n] == ' ');
    }
}

static void scopes_are_united_and_sorted(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"repository:a:pull", "repository:a:pull"},
        {"repository:a:push,pull", "repository:a:pull,push"},
        {"repository:a:pull repository:a:push", "repository:a:pull,push"},
        {"repository:b:pull repository:a:pull", "repository:a:pull repository:b:pull"},
        {"repository:a:pull,* repository:a:push", "repository:a:*"},
        {"repository:a:", ""},
        {"repository:a:,pull,,pull", "repository:a:pull"},
        {"repository:h:5000/a:pull", "repository:h:5000/a:pull"},
        {"registry:catalog:*", "registry:catalog:*"},
        {"odd", "odd"},
        {"odd odd", "odd"},
        {"repository:ab:pull repository:a:push", "repository:a:push repository:ab:pull"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_strlist) in = {0};
        coras_auto_value(coras_strlist) out = {0};
        coras_auto_buf text = CORAS_BUF_UNLIMITED;
        IN_ROW(rows[i].in);
        split_words(rows[i].in, &in);
        assert_int_equal(coras_scopes_clean(&in, &out, NULL), 0);
        coras_scopes_put(&text, &out);
        assert_string_equal(text.ptr, rows[i].out);
    }
}

static void a_challenge_adds_what_it_asks_for(void **state)
{
    coras_auto_value(coras_strlist) ours = {0};
    coras_auto_value(coras_strlist) none = {0};
    const char *challenge = "repository:x:pull registry:catalog:* repository:y:pull";

    (void)state;
    assert_int_equal(coras_strlist_add(&ours, "repository:a:pull", NULL), 0);
    assert_int_equal(coras_scopes_add_challenge(&ours, challenge, NULL), 0);
    assert_int_equal(ours.len, 4);
    assert_true(coras_strlist_has(&ours, "registry:catalog:*"));
    assert_int_equal(coras_scopes_add_challenge(&none, challenge, NULL), 0);
    assert_int_equal(none.len, 3);
}

static void the_repository_is_found(void **state)
{
    const char *scopes[] = {"registry:catalog:*", "repository:h:5000/a/b:pull,push", NULL};
    const char *none[] = {"registry:catalog:*", "repository::pull", NULL};
    coras_auto_free char *name = coras_scopes_repository(scopes);

    (void)state;
    assert_string_equal(name, "h:5000/a/b");
    assert_null(coras_scopes_repository(none));
    assert_null(coras_scopes_repository(NULL));
}

static int clean_some(coras_error **err)
{
    coras_auto_value(coras_strlist) in = {0};
    coras_auto_value(coras_strlist) out = {0};

    CORAS_TRY(coras_scopes_add_challenge(&in, "repository:b:push,pull odd repository:b:pull", err));
    return coras_scopes_clean(&in, &out, err);
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(clean_some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lack_of_memory_is_reported),
        cmocka_unit_test(scopes_are_united_and_sorted),
        cmocka_unit_test(a_challenge_adds_what_it_asks_for),
        cmocka_unit_test(the_repository_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
