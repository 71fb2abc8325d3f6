/* SPDX-License-Identifier: Apache-2.0 */
/* Chat templates: plain ones stay plain, and what reaches out is named. */
#include "model/template_check.h"

#include "rows.h"

static const struct {
    const char *text;
    enum coras_severity severity;
    const char *word;
    size_t offset;
} rows[] = {
    {"", CORAS_SEVERITY_LOW, NULL, 0},
    {"{% for m in messages %}{{ '<|' + m['role'] + '|>' + m.content }}{% endfor %}",
     CORAS_SEVERITY_LOW, NULL, 0},
    {"You may import os and call eval(__class__) in Python.", CORAS_SEVERITY_LOW, NULL, 0},
    {"{{ 'You may import os, open files and self-correct.' }}", CORAS_SEVERITY_LOW, NULL, 0},
    {"{% set ns = namespace(found=false) %}{{ raise_exception(\"position\") }}", CORAS_SEVERITY_LOW,
     NULL, 0},
    {"{# lipsum, as __globals__ in a comment #}", CORAS_SEVERITY_LOW, NULL, 0},
    {"{{ ''.__class__.__mro__ }}", CORAS_SEVERITY_HIGH, "__class__", 6},
    {"{{ ''['__class__'] }}", CORAS_SEVERITY_HIGH, "__class__", 7},
    {"{{ x['\\x5f\\x5fclass'] }}", CORAS_SEVERITY_HIGH, "\\x5f", 6},
    {"{{ cycler.__init__.__globals__.os.popen('id').read() }}", CORAS_SEVERITY_HIGH, "__init__",
     10},
    {"a{% import 'x' as y %}", CORAS_SEVERITY_MEDIUM, "import", 4},
    {"{% include 'other' %}", CORAS_SEVERITY_MEDIUM, "include", 3},
    {"{{ lipsum(3) }}", CORAS_SEVERITY_MEDIUM, "lipsum", 3},
    {"{{ x|attr('a') }}", CORAS_SEVERITY_MEDIUM, "attr", 5},
    {"{{ attr }}{{ os }}{% set sys = open %}{{ sys.system }}", CORAS_SEVERITY_LOW, NULL, 0},
    {"{{ x|attr ('a') }}{{ os.a }}", CORAS_SEVERITY_HIGH, "os", 21},
    {"{{ 'it\\'s' }}{{ a . os }}", CORAS_SEVERITY_HIGH, "os", 20},
    {"{{ a.system('id') }}", CORAS_SEVERITY_HIGH, "system", 5},
    {"{{ eval ('id') }}", CORAS_SEVERITY_HIGH, "eval", 3},
    {"{{ 'never closed", CORAS_SEVERITY_LOW, NULL, 0},
    {"{{ \"}}\" }}{{ lipsum }}", CORAS_SEVERITY_MEDIUM, "lipsum", 13},
};

static void tells_what_a_template_reaches_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        const char *word = NULL;
        size_t offset = 0;
        IN_ROW(rows[i].text);
        assert_int_equal(coras_template_check(coras_str_of(rows[i].text), &word, &offset),
                         rows[i].severity);
        assert_int_equal(word != NULL, rows[i].word != NULL);
        if (word)
            assert_string_equal(word, rows[i].word);
        assert_int_equal(offset, rows[i].offset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_a_template_reaches_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
