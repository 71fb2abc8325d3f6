/* SPDX-License-Identifier: Apache-2.0 */
/* Facts from config.json. */
#include "rows.h"

#include "base/limits.h"
#include "model/hf_config.h"

static void facts_are_found(void **state)
{
    static const struct {
        const char *text, *type, *architecture, *dtype, *quant;
        int64_t context;
        bool auto_map;
    } rows[] = {
        {"{\"model_type\":\"llama\",\"architectures\":[\"A\",\"B\"],\"torch_dtype\":\"torch."
         "bfloat16\","
         "\"max_position_embeddings\":4096,\"quantization_config\":{\"quant_method\":\"awq\"},"
         "\"auto_map\":{\"AutoModel\":\"m.M\"}}",
         "llama", "A", "bfloat16", "awq", 4096, true},
        {"{\"dtype\":\"float16\",\"torch_dtype\":\"float32\",\"n_positions\":1024,\"n_ctx\":0,"
         "\"max_length\":20,\"auto_map\":{}}",
         NULL, NULL, "float16", NULL, 1024, false},
        {"{\"text_config\":{\"max_position_embeddings\":8192,\"dtype\":\"bfloat16\"}}", NULL, NULL,
         "bfloat16", NULL, 8192, false},
        {"{\"model_type\":1,\"architectures\":\"A\",\"max_position_embeddings\":\"x\","
         "\"quantization_config\":[]}",
         NULL, NULL, NULL, NULL, -1, false},
        {"{\"max_position_embeddings\":-1,\"model_max_length\":1e30}", NULL, NULL, NULL, NULL, -1,
         false},
        {"{}", NULL, NULL, NULL, NULL, -1, false},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_hf_config) c = {0};
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i].text);
        assert_ok(coras_hf_config_read(rows[i].text, strlen(rows[i].text), &c, &err), err);
        assert_string_equal(c.model_type ? c.model_type : "-", rows[i].type ? rows[i].type : "-");
        assert_string_equal(c.architecture ? c.architecture : "-",
                            rows[i].architecture ? rows[i].architecture : "-");
        assert_string_equal(c.dtype ? c.dtype : "-", rows[i].dtype ? rows[i].dtype : "-");
        assert_string_equal(c.quant_method ? c.quant_method : "-",
                            rows[i].quant ? rows[i].quant : "-");
        assert_int_equal(c.context_length, rows[i].context);
        assert_int_equal(c.has_auto_map, rows[i].auto_map);
    }
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const texts[] = {"", "[]", "{", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};
    static char large[CORAS_LIMIT_MODEL_CONFIG + 1];

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(texts); i++) {
        coras_auto_value(coras_hf_config) c = {0};
        coras_auto(coras_error) err = NULL;
        int rc = coras_hf_config_read(texts[i], strlen(texts[i]), &c, &err);
        assert_failed(rc, err, CORAS_ERR_INVALID_MODEL, NULL);
    }
    coras_hf_config c;
    assert_int_equal(coras_hf_config_read(large, sizeof(large), &c, NULL), CORAS_ERR_TOO_LARGE);
}

static int read_one(coras_error **err)
{
    static const char text[] = "{\"model_type\":\"a\",\"architectures\":[\"b\"],\"dtype\":\"c\","
                               "\"quantization_config\":{\"quant_method\":\"d\"}}";
    coras_auto_value(coras_hf_config) c = {0};

    return coras_hf_config_read(text, sizeof(text) - 1, &c, err);
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(read_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_found),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(lack_of_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
