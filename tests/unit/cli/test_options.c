/* SPDX-License-Identifier: Apache-2.0 */
/* Flags follow pflag's rules; values land in the command's struct. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/app/command.h"

struct values {
    struct opt_bool debug, force;
    struct opt_int count;
    struct opt_string output, type;
    struct opt_list headers, platforms;
    struct opt_string from_user, to_user;
};

static int check_type(const char *value, coras_error **err)
{
    (void)err;
    return coras_streq(value, "good") ? 0 : CORAS_ERR_INVALID_ARGUMENT;
}

#define AT(member) offsetof(struct values, member)
static const struct opt options[] = {
    {"debug", 'd', OPT_BOOL, 0, AT(debug), NULL, "", NULL},
    {"force", 'f', OPT_BOOL, OPT_DEPRECATED, AT(force), NULL, "", NULL},
    {"count", 0, OPT_INT, 0, AT(count), "5", "", NULL},
    {"output", 'o', OPT_STRING, OPT_REQUIRED, AT(output), ".", "", NULL},
    {"type", 0, OPT_STRING, OPT_REQUIRED, AT(type), NULL, "", check_type},
    {"header", 'H', OPT_LIST, 0, AT(headers), NULL, "", NULL},
    {"platform", 0, OPT_SLICE, 0, AT(platforms), NULL, "", NULL},
    {0},
};
static const struct opt user_option[] = {{"username", 'u', OPT_STRING, 0, 0, NULL, "", NULL}, {0}};
static const struct opt_use groups[] = {
    {options, 0, NULL, NULL},
    {user_option, AT(from_user), "from-", "source "},
    {user_option, AT(to_user), "to-", "destination "},
    {0},
};
static const struct cmd command = {.name = "x", .options = groups};

/* One parse of a line of words separated by blanks; `~` stands for an empty word. */
struct run {
    struct values values;
    struct opt_result result;
    char *line;
    coras_error *err;
    int rc;
};

static void parse(struct run *run, const char *line)
{
    char *words[16];
    size_t count = 0;
    *run = (struct run){.line = coras_strdup(line)};
    for (char *at = run->line; at && *at;) {
        words[count++] = at;
        at = strchr(at, ' ');
        if (at)
            *at++ = '\0';
    }
    for (size_t i = 0; i < count; i++)
        if (coras_streq(words[i], "~"))
            words[i][0] = '\0';
    run->rc = opt_parse(&command, words, count, &run->values, &run->result, &run->err);
}

static void finish(struct run *run)
{
    opt_clear_values(&command, &run->values);
    free(run->result.args);
    free(run->line);
    coras_error_free(run->err);
}

static void refuses_with_the_words_of_pflag(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"--foo", "unknown flag: --foo"},
        {"--foo=bar", "unknown flag: --foo"},
        {"--outpu x", "unknown flag: --outpu"},
        {"--username x", "unknown flag: --username"},
        {"-z", "unknown shorthand flag: 'z' in -z"},
        {"-dz", "unknown shorthand flag: 'z' in -z"},
        {"-u", "unknown shorthand flag: 'u' in -u"},
        {"-o", "flag needs an argument: 'o' in -o"},
        {"-do", "flag needs an argument: 'o' in -o"},
        {"--output", "flag needs an argument: --output"},
        {"--=x", "bad flag syntax: --=x"},
        {"---x", "bad flag syntax: ---x"},
        {"--count x", "invalid argument \"x\" for \"--count\" flag: strconv.ParseInt: parsing "
                      "\"x\": invalid syntax"},
        {"--debug=maybe", "invalid argument \"maybe\" for \"-d, --debug\" flag: "
                          "strconv.ParseBool: parsing \"maybe\": invalid syntax"},
        {"-d=maybe", "invalid argument \"maybe\" for \"-d, --debug\" flag: strconv.ParseBool: "
                     "parsing \"maybe\": invalid syntax"},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        struct run run;
        parse(&run, cases[i].line);
        assert_true(run.rc < 0);
        assert_string_equal(coras_error_message(run.err), cases[i].message);
        finish(&run);
    }
}

static void values_come_in_every_spelling(void **state)
{
    static const char *const lines[] = {
        "--output out", "--output=out", "-o out",    "-oout",
        "-o=out",       "-do out",      "a -oout b", "-o first --output=out"};
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(lines); i++) {
        struct run run;
        parse(&run, lines[i]);
        assert_int_equal(run.rc, 0);
        assert_string_equal(run.values.output.value, "out");
        assert_true(run.values.output.set);
        finish(&run);
    }
}

static void defaults_are_there_and_not_set(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "a");
    assert_string_equal(run.values.output.value, ".");
    assert_string_equal(run.values.type.value, "");
    assert_true(run.values.count.value == 5);
    assert_false(run.values.output.set || run.values.count.set || run.values.debug.set);
    finish(&run);
}

static void false_is_a_value_too(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "--debug=false");
    assert_true(run.values.debug.set);
    assert_false(run.values.debug.value);
    finish(&run);
}

static void booleans_leave_the_next_word_alone(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "-d false -df -- -o --output");
    assert_int_equal(run.rc, 0);
    assert_true(run.values.debug.value && run.values.force.value);
    assert_int_equal(run.result.nargs, 3);
    assert_string_equal(run.result.args[0], "false");
    assert_string_equal(run.result.args[1], "-o");
    assert_null(run.result.args[3]);
    assert_int_equal(run.result.deprecated_uses, 1);
    finish(&run);
}

static void lists_keep_commas_and_slices_split(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "-H a,b --header=c --platform x,y --platform z");
    assert_int_equal(run.values.headers.len, 2);
    assert_string_equal(run.values.headers.items[0], "a,b");
    assert_null(run.values.headers.items[2]);
    assert_int_equal(run.values.platforms.len, 3);
    assert_string_equal(run.values.platforms.items[2], "z");
    finish(&run);
}

static void prefixes_part_two_uses_of_one_group(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "--to-username b --from-username=a -");
    assert_string_equal(run.values.from_user.value, "a");
    assert_string_equal(run.values.to_user.value, "b");
    assert_string_equal(run.result.args[0], "-");
    finish(&run);
}

static void an_option_refuses_its_value(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "--type bad");
    assert_true(run.rc < 0);
    finish(&run);
    parse(&run, "--type good");
    assert_int_equal(run.rc, 0);
    finish(&run);
}

static void missing_required_flags_are_named_in_order(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "x");
    assert_true(opt_check_required(&command, &run.values, &run.err) < 0);
    assert_string_equal(coras_error_message(run.err),
                        "required flag(s) \"output\", \"type\" not set");
    finish(&run);
    parse(&run, "--type good -o ~");
    assert_int_equal(opt_check_required(&command, &run.values, NULL), 0);
    finish(&run);
}

static void help_is_noticed_but_flag_errors_win(void **state)
{
    struct run run;
    (void)state;
    parse(&run, "-dh");
    assert_true(run.rc == 0 && run.result.help);
    finish(&run);
    parse(&run, "--help --foo");
    assert_true(run.rc < 0);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_the_words_of_pflag),
        cmocka_unit_test(values_come_in_every_spelling),
        cmocka_unit_test(defaults_are_there_and_not_set),
        cmocka_unit_test(false_is_a_value_too),
        cmocka_unit_test(booleans_leave_the_next_word_alone),
        cmocka_unit_test(lists_keep_commas_and_slices_split),
        cmocka_unit_test(prefixes_part_two_uses_of_one_group),
        cmocka_unit_test(an_option_refuses_its_value),
        cmocka_unit_test(missing_required_flags_are_named_in_order),
        cmocka_unit_test(help_is_noticed_but_flag_errors_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
