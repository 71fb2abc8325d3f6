/* SPDX-License-Identifier: Apache-2.0 */
/* The head of model cards, as people write them. */
#include "rows.h"

#include <string.h>

#include "base/limits.h"
#include "model/front_matter.h"

static void join(coras_buf *out, const coras_model_card *card, const char *key)
{
    const coras_strlist *values = coras_model_card_get(card, key);

    for (size_t i = 0; values && i < values->len; i++)
        coras_buf_printf(out, "%s[%s]", i ? " " : "", values->items[i]);
}

static void reads_what_cards_hold(void **state)
{
    static const struct {
        const char *text, *key, *values;
    } cases[] = {
        {"---\nlicense: mit\n---\n# Model\n", "license", "[mit]"},
        {"---\r\nlicense: mit\r\n---\r\n", "license", "[mit]"},
        {"\xef\xbb\xbf---\nlicense: mit\n---\n", "license", "[mit]"},
        {"---\nlicense: \"mit\" # why\n---\n", "license", "[mit]"},
        {"---\nlicense: mit # why\n---\n", "license", "[mit]"},
        {"---\nlicense: a#b\n---\n", "license", "[a#b]"},
        {"---\nlanguage:\n- en\n- de\n---\n", "language", "[en] [de]"},
        {"---\nlanguage: # of the data\n  - en\n\n  - 'no'\n---\n", "language", "[en] [no]"},
        {"---\ntags: [a, \"b, c\", 'd''e']\n---\n", "tags", "[a] [b, c] [d'e]"},
        {"---\ntags: [a, b\n---\n", "tags", "[a] [b]"},
        {"---\ntags: []\n---\n", "tags", ""},
        {"---\nlink: https://x.org/a\n---\n", "link", "[https://x.org/a]"},
        {"---\nbase_model:\n- org/a\nlicense: mit\n---\n", "base_model", "[org/a]"},
        {"---\nlicense: mit\nlicense: gpl\n---\n", "license", "[mit]"},
        {"---\nlicense: ~\n---\n", "license", ""},
        /* not for us */
        {"# Model\n---\nlicense: mit\n---\n", "license", ""},
        {"---\nlicense: mit\n", "license", ""},
        {"---\nmodel-index:\n- name: x\n  license: mit\n---\n", "model-index", ""},
        {"---\n  license: mit\n---\n", "license", ""},
        {"---\nlicense: |\n  mit\n---\n", "license", ""},
        {"---\nlicense: *x\n---\n", "license", ""},
        {"---\nlicense: {a: b}\n---\n", "license", ""},
        {"---\nlicense: \"open\n---\n", "license", ""},
        {"---\nlicense: m\x1b[31mit\n---\n", "license", ""},
        {"---\nlicense: \xff\n---\n", "license", ""},
        {"---\nurl:http\n---\n", "url", ""},
        {"", "license", ""},
        {"---", "license", ""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_model_card) card = {0};
        coras_auto(coras_error) err = NULL;
        coras_auto_buf values = CORAS_BUF_UNLIMITED;
        IN_ROW(cases[i].text);
        assert_ok(coras_model_card_parse(cases[i].text, strlen(cases[i].text), &card, &err), err);
        join(&values, &card, cases[i].key);
        assert_string_equal(values.ptr, cases[i].values);
    }
}

static void keeps_its_bounds(void **state)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_value(coras_model_card) card = {0};
    coras_auto(coras_error) err = NULL;

    (void)state;
    coras_buf_puts(&text, "---\ntags:\n");
    for (int i = 0; i < CORAS_LIMIT_CARD_VALUES + 9; i++)
        coras_buf_printf(&text, "- t%d\n", i);
    for (int i = 0; i < CORAS_LIMIT_CARD_FIELDS + 9; i++)
        coras_buf_printf(&text, "k%d: v\n", i);
    coras_buf_puts(&text, "---\n");
    assert_ok(coras_model_card_parse(text.ptr, text.len, &card, &err), err);
    assert_int_equal(coras_model_card_get(&card, "tags")->len, CORAS_LIMIT_CARD_VALUES);
    assert_int_equal(card.len, CORAS_LIMIT_CARD_FIELDS);
}

static int parse_one(coras_error **err)
{
    static const char text[] = "---\na: 'b'\nc: [d, e]\nf:\n- g\n---\n";
    coras_auto_value(coras_model_card) card = {0};

    return coras_model_card_parse(text, sizeof(text) - 1, &card, err);
}

static void reports_memory(void **state)
{
    (void)state;
    fail_each_allocation(parse_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_cards_hold),
        cmocka_unit_test(keeps_its_bounds),
        cmocka_unit_test(reports_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
