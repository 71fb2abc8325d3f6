/* SPDX-License-Identifier: Apache-2.0 */
/* Finding commands, suggesting near ones, laying out help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/app/command.h"
#include "cli/app/help.h"

#define WORDS_MAX 4

static void words_find_commands(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *path; /* NULL: unknown command */
        size_t rest;
    } cases[] = {
        {{"push", "a"}, "oras push", 1},
        {{"manifest", "get", "x"}, "oras manifest fetch", 1},
        {{"repository", "list"}, "oras repo ls", 0},
        {{"digest"}, "oras resolve", 0},
        {{"repo", "foo"}, "oras repo", 1},
        {{"manifest", "index", "pack"}, "oras manifest index create", 0},
        {{"-d", "push", "x"}, NULL, 0},
        {{"--help", "push"}, "oras", 2},
        {{"--", "push"}, "oras", 2},
        {{"PULL"}, NULL, 0},
        {{"foo", "-x"}, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        char *words[WORDS_MAX + 1] = {0};
        size_t count = 0, rest_len = 0;
        const struct cmd *cmd = NULL;
        char *path = NULL, **rest = NULL;
        for (; count < WORDS_MAX && cases[i].words[count]; count++)
            words[count] = coras_strdup(cases[i].words[count]);
        int rc = cmd_find("oras", words, count, &cmd, &path, &rest, &rest_len, NULL);
        assert_int_equal(rc == 0, cases[i].path != NULL);
        if (rc == 0) {
            assert_string_equal(path, cases[i].path);
            assert_int_equal(rest_len, cases[i].rest);
        }
        free(path);
        free(rest);
        for (size_t j = 0; j < count; j++)
            free(words[j]);
    }
}

static void near_commands_are_suggested_in_their_order(void **state)
{
    static const struct {
        const char *word, *names;
    } cases[] = {
        {"pus", "\tpull\n\tpush\n"},
        {"man", "\ttag\n\tmanifest\n"},
        {"x", "\tcp\n"},
        {"PUSH", "\tpull\n\tpush\n"},
        {"hel", ""},
        {"nothing-like-it", ""},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        suggest_commands(&cmd_root, cases[i].word, &out);
        assert_string_equal(out.ptr, cases[i].names);
    }
}

static void long_words_are_near_to_nothing(void **state)
{
    enum { LENGTH = 10000 };
    coras_auto_buf word = CORAS_BUF_UNLIMITED, out = CORAS_BUF_UNLIMITED;
    (void)state;
    for (int i = 0; i < LENGTH; i++)
        coras_buf_putc(&word, 'p');
    suggest_commands(&cmd_root, word.ptr, &out);
    assert_string_equal(out.ptr, "");
}

static const struct opt sample_options[] = {
    {"long-option-name", 'l', OPT_STRING, 0, 0, "dflt", "first line\nsecond line", NULL},
    {"file", 0, OPT_STRING, 0, 0, NULL, "`path` of <desc>things", NULL},
    {"count", 'c', OPT_INT, 0, 0, "3", "how many", NULL},
    {"secret", 's', OPT_BOOL, OPT_HIDDEN, 0, NULL, "never shown", NULL},
    {0},
};
static const struct opt_use sample_groups[] = {{sample_options, 0, NULL, "nice "}, {0}};
static const struct example sample_examples[] = {{"Do it", "sample x\n$ echo raw"}, {NULL, NULL}};
static const char *const sample_aliases[] = {"smpl", NULL};
static const struct cmd sample = {.name = "sample",
                                  .use = "[flags] <x>",
                                  .summary = "Sample of <program>",
                                  .examples = sample_examples,
                                  .aliases = sample_aliases,
                                  .options = sample_groups};

static void help_is_laid_out_in_columns(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    help_put(&out, &sample, "oras", "oras sample");
    assert_string_equal(out.ptr,
                        "Sample of oras\n"
                        "\n"
                        "Example - Do it:\n"
                        "  oras sample x\n"
                        "  echo raw\n"
                        "\n"
                        "Usage:\n"
                        "  oras sample [flags] <x>\n"
                        "\n"
                        "Aliases:\n"
                        "  sample, smpl\n"
                        "\n"
                        "Flags:\n"
                        "  -c, --count int                 how many (default 3)\n"
                        "      --file path                 path of nice things\n"
                        "  -h, --help                      help for sample\n"
                        "  -l, --long-option-name string   first line\n"
                        "                                  second line (default \"dflt\")\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_find_commands),
        cmocka_unit_test(near_commands_are_suggested_in_their_order),
        cmocka_unit_test(long_words_are_near_to_nothing),
        cmocka_unit_test(help_is_laid_out_in_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
