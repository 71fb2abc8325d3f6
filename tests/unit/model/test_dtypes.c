/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of number types: a row of each kind, and what is in none. */
#include "rows.h"

#include "model/dtypes.h"

static void safetensors_types_have_bits(void **state)
{
    (void)state;
    assert_int_equal(coras_safetensors_bits(CORAS_STR("BF16")), 16);
    assert_int_equal(coras_safetensors_bits(CORAS_STR("F4")), 4);
    assert_int_equal(coras_safetensors_bits(CORAS_STR("F6_E3M2")), 6);
    assert_int_equal(coras_safetensors_bits(CORAS_STR("C64")), 64);
    assert_int_equal(coras_safetensors_bits(CORAS_STR("bf16")), 0);
    assert_int_equal(coras_safetensors_bits(CORAS_STR("BF16 ")), 0);
    assert_int_equal(coras_safetensors_bits(CORAS_STR("")), 0);
}

static void gguf_types_have_blocks(void **state)
{
    (void)state;
    assert_string_equal(coras_gguf_type(12).name, "Q4_K");
    assert_int_equal(coras_gguf_type(12).block_elements, 256);
    assert_int_equal(coras_gguf_type(12).block_bytes, 144);
    assert_string_equal(coras_gguf_type(42).name, "Q2_0");
    assert_string_equal(coras_gguf_type(4).name, "removed");
    assert_int_equal(coras_gguf_type(4).block_bytes, 0);
    assert_null(coras_gguf_type(43).name);
    assert_null(coras_gguf_type(UINT32_MAX).name);
}

static void gguf_file_types_have_words(void **state)
{
    (void)state;
    assert_string_equal(coras_gguf_file_type(15), "Q4_K_M");
    assert_string_equal(coras_gguf_file_type(0), "F32");
    assert_null(coras_gguf_file_type(4));
    assert_null(coras_gguf_file_type(-1));
    assert_null(coras_gguf_file_type(41));
    assert_null(coras_gguf_file_type(INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors_types_have_bits),
        cmocka_unit_test(gguf_types_have_blocks),
        cmocka_unit_test(gguf_file_types_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
