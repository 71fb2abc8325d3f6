/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what in which repository, by the lines of a file. */
#include "serve/access/rules.h"

#include <string.h>
#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "support.h"

#define PULL   SERVE_ACTION_PULL
#define PUSH   SERVE_ACTION_PUSH
#define DELETE SERVE_ACTION_DELETE
#define LIST   SERVE_ACTION_LIST
#define ALL    SERVE_ACTION_ALL

static const char text[] = "# who may what\n"
                           "group team = alice bob\r\n"
                           "group nobody =\n"
                           "\n"
                           "deny  group:team push,delete  models/released/** models/frozen\n"
                           "allow group:team all          models/**\n"
                           "allow user:carol pull         models/*\n"
                           "deny  user:dave  all          **\n"
                           "allow users      pull,list    shared/{a,b}\n"
                           "allow anonymous  pull         public/**\n"
                           "allow everyone   list         public/**\n";

static serve_rules *parse(const char *rules)
{
    serve_rules *r = NULL;

    assert_int_equal(serve_rules_parse(rules, strlen(rules), "rules", &r, NULL), 0);
    return r;
}

static void first_line_that_fits_decides(void **state)
{
    static const struct {
        const char *user, *repository;
        unsigned actions;
    } cases[] = {
        {"alice", "models/llama", ALL},
        {"alice", "models", ALL},
        {"bob", "models/released/v1", PULL | LIST},
        {"bob", "models/frozen", PULL | LIST},
        {"bob", "models/frozen/x", ALL},
        {"alice", "model", 0},
        {"Alice", "models/llama", 0},
        {"team", "models/llama", 0},
        {"carol", "models/llama", PULL},
        {"carol", "models/llama/x", 0},
        {"carol", "public/x", LIST},
        {"dave", "models/llama", 0},
        {"dave", "public/x", 0},
        {"dave", "shared/a", 0},
        {"eve", "shared/a", PULL | LIST},
        {"eve", "shared/c", 0},
        {NULL, "shared/a", 0},
        {NULL, "public/x/y", PULL | LIST},
        {NULL, "models/llama", 0},
        {"anonymous", "public/x", LIST},
        {"", "public/x", LIST},
    };
    coras_auto(serve_rules) r = parse(text);

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(serve_rules_actions(r, cases[i].user, cases[i].repository),
                         cases[i].actions);
}

static void denies_what_no_line_names(void **state)
{
    coras_auto(serve_rules) none = parse("");
    coras_auto(serve_rules) denied = parse("deny everyone all **\nallow everyone all **");

    (void)state;
    assert_int_equal(serve_rules_actions(none, "alice", "a"), 0);
    assert_int_equal(serve_rules_actions(denied, "alice", "a"), 0);
    assert_false(serve_rules_allow_some(none, "alice"));
}

static void knows_who_may_anything_at_all(void **state)
{
    coras_auto(serve_rules) r =
        parse("group g = alice\nallow group:g pull a\ndeny anonymous all a");

    (void)state;
    assert_true(serve_rules_allow_some(r, "alice"));
    assert_false(serve_rules_allow_some(r, "bob"));
    assert_false(serve_rules_allow_some(r, NULL));
}

static void says_what_is_wrong_where(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"\npermit alice all **", "rules:2: not a line of allow, deny or group: permit"},
        {"allow alice all **", "rules:1: not user:NAME, group:NAME, users, anonymous or everyone"},
        {"allow user: all **", "rules:1: not user:NAME, group:NAME, users, anonymous or everyone"},
        {"allow", "rules:1: not user:NAME, group:NAME, users, anonymous or everyone"},
        {"allow group:g all **\ngroup g = a", "rules:1: no line above makes this group: g"},
        {"allow users pull,write **", "rules:1: not one of pull, push, delete, list, all: write"},
        {"allow users pull, **", "rules:1: not one of pull, push, delete, list, all: "},
        {"allow users", "rules:1: not one of pull, push, delete, list, all: "},
        {"allow users pull", "rules:1: no repositories are named"},
        {"allow users pull a[", "rules:1: not a pattern of repositories: a["},
        {"group g alice", "rules:1: not a line \"group NAME = USER...\": g"},
        {"group g = a\ngroup g = b", "rules:2: this group was made before: g"},
        {"allow users pull \x1b[2J", "rules:1: control character: allow users pull \\x1b[2J"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        serve_rules *r = NULL;
        assert_int_equal(serve_rules_parse(cases[i].text, strlen(cases[i].text), "rules", &r, &err),
                         CORAS_ERR_CONFIG);
        assert_non_null(strstr(coras_error_message(err), cases[i].message));
    }
}

static void bounds_their_number(void **state)
{
    coras_auto_buf lines = CORAS_BUF_UNLIMITED;
    serve_rules *r = NULL;

    (void)state;
    for (int i = 0; i < CORAS_LIMIT_ACCESS_RULES; i++)
        coras_buf_puts(&lines, "allow users pull a\n");
    assert_int_equal(serve_rules_parse(lines.ptr, lines.len, "rules", &r, NULL), 0);
    serve_rules_free(r);
    coras_buf_puts(&lines, "allow users pull a\n");
    assert_int_equal(serve_rules_parse(lines.ptr, lines.len, "rules", &r, NULL), CORAS_ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_line_that_fits_decides),
        cmocka_unit_test(denies_what_no_line_names),
        cmocka_unit_test(knows_who_may_anything_at_all),
        cmocka_unit_test(says_what_is_wrong_where),
        cmocka_unit_test(bounds_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
