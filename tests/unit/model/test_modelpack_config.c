/* SPDX-License-Identifier: Apache-2.0 */
/* What a ModelPack config says of a model, and in which words. */
#include "rows.h"

#include <string.h>

#include "model/licence.h"
#include "model/modelpack_config.h"
#include "model/precision.h"

static void spells_licences_as_spdx_does(void **state)
{
    static const char *const cases[][2] = {
        {"apache-2.0", "Apache-2.0"},
        {"mit", "MIT"},
        {"CC-by-nc-4.0", "CC-BY-NC-4.0"},
        {"llama3", "LicenseRef-llama3"},
        {"openrail++", "LicenseRef-openrail--"},
        {"LicenseRef-x", "LicenseRef-x"},
        {"my licence", "LicenseRef-my-licence"},
        {"", ""},
        {"++", ""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf text = CORAS_BUF_UNLIMITED;
        coras_licence_put(&text, cases[i][0]);
        assert_string_equal(text.ptr, cases[i][1]);
    }
}

static void rounds_sizes(void **state)
{
    static const struct {
        int64_t parameters;
        const char *text;
    } cases[] = {
        {8030261248, "8b"},
        {1235814400, "1.2b"},
        {494032768, "494m"},
        {1000, "1k"},
        {96, "0.1k"},
        {49, ""},
        {0, ""},
        {999949, "999.9k"},
        {999950, "1m"},
        {135515136, "135.5m"},
        {1000000000000, "1t"},
        {671026419200, "671b"},
        {INT64_MAX, "9223.4q"},
        {999950000000000, "1q"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf text = CORAS_BUF_UNLIMITED;
        coras_parameter_size_put(&text, cases[i].parameters);
        assert_string_equal(text.ptr, cases[i].text);
    }
}

static void names_precisions_by_bytes(void **state)
{
    coras_auto_value(coras_dtype_tally) tally = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    (void)state;
    assert_ok(coras_dtype_tally_add(&tally, "F32", 100, 400, NULL), NULL);
    assert_ok(coras_dtype_tally_add(&tally, "BF16", 5000, 10000, NULL), NULL);
    assert_ok(coras_dtype_tally_add(&tally, "Q4_K", 300, 500, NULL), NULL);
    assert_ok(coras_dtype_tally_add(&tally, "I64", 1, 8, NULL), NULL);
    assert_ok(coras_dtype_tally_add(&tally, "F32", 1, 100, NULL), NULL);
    coras_precision_put(&text, &tally);
    assert_string_equal(text.ptr, "bfloat16,float32");
    assert_int_equal(coras_dtype_tally_elements(&tally), 5402);
    assert_ok(coras_dtype_tally_add(&tally, "I64", INT64_MAX, INT64_MAX, NULL), NULL);
    assert_int_equal(coras_dtype_tally_elements(&tally), INT64_MAX);
}

static int read_and_write(coras_buf *out, coras_error **err)
{
    static const char card_text[] =
        "---\nlicense: [other, apache-2.0]\nlicense_name: acme\nlanguage:\n- en\n- eng\n- en\n"
        "pipeline_tag: image-text-to-text\nmodel_name: Tiny\n---\n";
    static const char template[] = "{% if tools %}<think>{% endif %}";
    coras_auto_value(coras_model_card) card = {0};
    coras_auto_value(coras_modelpack_config) config = {0};
    coras_digest digest;

    CORAS_TRY(coras_model_card_parse(card_text, sizeof(card_text) - 1, &card, err));
    CORAS_TRY(coras_modelpack_config_read_card(&config, &card, err));
    coras_modelpack_config_read_template(&config, CORAS_STR(template));
    if (!(config.architecture = coras_strdup("llama")) ||
        !(config.created_at = coras_strdup("1970-01-01T00:00:00Z")))
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_digest_of(CORAS_SHA256, "", 0, &digest, err));
    return coras_modelpack_config_write(&config, &digest, 1, out, err);
}

static void writes_what_is_known(void **state)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_ok(read_and_write(&text, &err), err);
    assert_string_equal(
        text.ptr,
        "{\"descriptor\":{\"createdAt\":\"1970-01-01T00:00:00Z\",\"name\":\"Tiny\","
        "\"licenses\":[\"LicenseRef-acme\",\"Apache-2.0\"]},"
        "\"modelfs\":{\"type\":\"layers\",\"diffIds\":[\"sha256:"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"]},"
        "\"config\":{\"architecture\":\"llama\",\"capabilities\":{\"inputTypes\":[\"image\","
        "\"text\"],\"outputTypes\":[\"text\"],\"reasoning\":true,\"toolUsage\":true,"
        "\"languages\":[\"en\"]}}}");
}

static void writes_the_required_members_of_nothing(void **state)
{
    const coras_modelpack_config config = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_digest digest;

    (void)state;
    assert_ok(coras_digest_of(CORAS_SHA256, "", 0, &digest, NULL), NULL);
    assert_ok(coras_modelpack_config_write(&config, &digest, 1, &text, NULL), NULL);
    assert_string_equal(text.ptr,
                        "{\"descriptor\":{},\"modelfs\":{\"type\":\"layers\",\"diffIds\":[\"sha256:"
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"]},"
                        "\"config\":{}}");
}

static int attempt(coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    return read_and_write(&text, err);
}

static void reports_memory(void **state)
{
    (void)state;
    fail_each_allocation(attempt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spells_licences_as_spdx_does),
        cmocka_unit_test(rounds_sizes),
        cmocka_unit_test(names_precisions_by_bytes),
        cmocka_unit_test(writes_what_is_known),
        cmocka_unit_test(writes_the_required_members_of_nothing),
        cmocka_unit_test(reports_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
