/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions: Go's syntax on top of PCRE2, and what a search may cost. */
#include "support.h"

#include "gotemplate/regex.h"

enum { ARENA = 64 * 1024 * 1024, GROUPS = 10 };

struct search {
    const char *expr;
    coras_str text;
    const char *problem;
    bool found;
    size_t slots[2 * GROUPS];
};

static void run(struct gotmpl_arena *a, void *user)
{
    struct search *s = user;
    struct gotmpl_regex *re = gotmpl_regex_compile(a, coras_str_of(s->expr), &s->problem);

    assert_true(!re || gotmpl_regex_groups(re)->len <= GROUPS);
    s->found = re && gotmpl_regex_match(a, re, s->text, 0, s->slots);
}

/* The problem or failure; NULL when there is none. */
static const char *search(struct search *s, int *ret_code)
{
    static char kept[256];
    jmp_buf unused;
    struct gotmpl_arena a = GOTMPL_ARENA(ARENA, &unused);
    const char *message;

    *ret_code = gotmpl_guard(&a, run, s) ? 0 : a.code;
    message = *ret_code ? a.message : s->problem;
    if (message)
        snprintf(kept, sizeof(kept), "%s", message);
    gotmpl_arena_clear(&a);
    return message ? kept : NULL;
}

static void assert_found(const char *expr, const char *text, const char *wanted)
{
    struct search s = {.expr = expr, .text = coras_str_of(text)};
    int code;
    const char *message = search(&s, &code);

    if (message)
        fail_msg("%s: %s", expr, message);
    if (s.found != (wanted != NULL))
        fail_msg("%s in %s: %d", expr, text, s.found);
    if (wanted && (s.slots[1] - s.slots[0] != strlen(wanted) ||
                   memcmp(text + s.slots[0], wanted, strlen(wanted)) != 0))
        fail_msg("%s in %s: %zu to %zu", expr, text, s.slots[0], s.slots[1]);
}

static void assert_problem(const char *expr, const char *wanted)
{
    struct search s = {.expr = expr, .text = CORAS_STR("x")};
    int code;
    const char *message = search(&s, &code);

    if (!message || !strstr(message, wanted))
        fail_msg("%s: \"%s\" lacks \"%s\"", expr, message ? message : "(nothing)", wanted);
}

/* Where PCRE2 by itself would do something else than Go. */
static void test_means_what_it_means_in_go(void **state)
{
    static const struct {
        const char *expr, *text, *found;
    } cases[] = {
        {"a$", "a\n", NULL},
        {"(?m)a$", "a\nb", "a"},
        {"(?m)^$", "a\n", ""},
        {"\\s", "\v", NULL},
        {"[\\S]", "\v", "\v"},
        {"\\v", "\n\v", "\v"},
        {"[\\v]", "\n\v", "\v"},
        {".", "\r", "\r"},
        {"a{,2}", "aa a{,2}", "a{,2}"},
        {"\\d", "\u0663", NULL},
        {"\\w", "\u00e9", NULL},
        {"(?i)\u00c9", "\u00e9", "\u00e9"},
        {"\\bb", "\u00e9b", "b"},
        {"^*a", "ba", "a"},
        {"[[:word:]]+", "a_1-", "a_1"},
        {"\\p{Greek}", "a\u03b1", "\u03b1"},
        {"\\PL", "a1", "1"},
        {"#x y", "#x y", "#x y"},
        {"(?U)a+", "aaa", "a"},
        {"(a|ab)(c|bcd)(d*)", "abcd", "abcd"},
        {"\\Q(a\\E", "(a", "(a"},
        {"a(?i)b|c", "C", "C"},
        {"[a\\-z]", "-", "-"},
        {"[^\\x{10ffff}]", "\n", "\n"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_found(cases[i].expr, cases[i].text, cases[i].found);
}

static void test_what_only_others_have_is_refused(void **state)
{
    static const char *const perl[] = {"(?=a)", "(?!a)",   "(?<=a)", "(?<!a)", "(?>a)",  "(?#c)",
                                       "(?|a)", "(?R)",    "(?1)",   "(?&n)",  "(?P=n)", "(?P>n)",
                                       "(?C1)", "(?(1)a)", "(?x)a",  "(?^)",   "(?J)",   "(?-)"};
    static const char *const escapes[] = {"(a)\\1", "\\k<n>", "\\g1",  "\\K",     "\\R", "\\X",
                                          "\\h",    "\\N",    "\\G",   "\\Z",     "\\C", "\\e",
                                          "\\cA",   "\\V",    "[\\b]", "\\u0041", "\\L", "\\o{7}"};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(perl); i++)
        assert_problem(perl[i], i == 2 || i == 3 ? "invalid named capture"
                                                 : "invalid or unsupported Perl syntax");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(escapes); i++)
        assert_problem(escapes[i], "invalid escape sequence");
    assert_problem("(*ACCEPT)", "missing argument to repetition operator: `*`");
    assert_problem("(*NO_START_OPT)a", "missing argument to repetition operator: `*`");
    assert_problem("a++", "invalid nested repetition operator: `++`");
    assert_problem("a{2}+", "invalid nested repetition operator: `{2}+`");
    assert_problem("\\p{Klingon}", "invalid character class range: `\\p{Klingon}`");
    assert_problem("\\p{bidiclass:al}", "invalid character class range");
    assert_problem("a\xff", "invalid UTF-8");
}

static void repeat(coras_buf *out, const char *piece, size_t count)
{
    for (size_t i = 0; i < count; i++)
        coras_buf_puts(out, piece);
}

static void test_expressions_are_bounded(void **state)
{
    coras_auto_buf deep = CORAS_BUF_UNLIMITED, nested = CORAS_BUF_UNLIMITED,
                   large = CORAS_BUF_UNLIMITED;

    (void)state;
    repeat(&deep, "(", GOTMPL_LIMIT_REGEX_NESTING + 1);
    assert_problem(deep.ptr, "expression nests too deeply");
    repeat(&nested, "(", GOTMPL_LIMIT_REGEX_NESTING);
    coras_buf_puts(&nested, "x");
    repeat(&nested, ")", GOTMPL_LIMIT_REGEX_NESTING);
    assert_problem("((((a{100}){100}){100}){100}){100}", "expression too large");
    repeat(&large, "a", GOTMPL_LIMIT_REGEX_BYTES + 1);
    assert_problem(large.ptr, "expression too large");
}

static void test_a_search_ends(void **state)
{
    static const char *const greedy[] = {"^(a+)+$", "(a*)*(a*)*(a*)*b$", "(a|aa)+$"};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    (void)state;
    repeat(&text, "a", 5000);
    coras_buf_puts(&text, "b c");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(greedy); i++) {
        struct search s = {.expr = greedy[i], .text = {text.ptr, text.len}};
        int code;
        const char *message = search(&s, &code);
        assert_int_equal(code, CORAS_ERR_TOO_LARGE);
        assert_non_null(strstr(message, "too many ways"));
    }
    assert_found("a+b c$", text.ptr, text.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means_what_it_means_in_go),
        cmocka_unit_test(test_what_only_others_have_is_refused),
        cmocka_unit_test(test_expressions_are_bounded),
        cmocka_unit_test(test_a_search_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
