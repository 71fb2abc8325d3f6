/* SPDX-License-Identifier: Apache-2.0 */
/* What is written as a safetensors header is what the reader reads. */
#include "reading.h"

#include "model/safetensors_write.h"

static void written_headers_are_read(void **state)
{
    static const int64_t shape[] = {2, 3};
    coras_safetensors_writer w;
    coras_auto(coras_error) err = NULL;
    struct reading r;

    (void)state;
    coras_safetensors_begin(&w);
    coras_safetensors_metadata(&w, CORAS_STR("format"), CORAS_STR("pt"));
    coras_safetensors_metadata(&w, CORAS_STR("a\"\n"), CORAS_STR("<\xc3\xa9>"));
    coras_safetensors_tensor(&w, CORAS_STR("x/\x1b"), "BF16", shape, 2, 12);
    coras_safetensors_tensor(&w, CORAS_STR("y"), "U8", NULL, 0, 1);
    assert_ok(coras_safetensors_end(&w, &err), err);
    assert_int_equal(w.bytes.len % 8, 0);
    coras_buf_put(&w.bytes, "0123456789abc", 13);
    int rc = read_file(CORAS_WEIGHT_SAFETENSORS, w.bytes.ptr, w.bytes.len, true, &r, &err);
    check_ok(rc - 1, err);
    coras_auto_buf expected = CORAS_BUF_UNLIMITED;
    coras_buf_printf(&expected,
                     "format=pt\na\"\n=<\xc3\xa9>\nx/\x1b BF16 [2,3] 6 at %lld+12\n"
                     "y U8 [] 1 at %lld+1\n",
                     (long long)r.size, (long long)r.size + 12);
    assert_string_equal(r.told.ptr, expected.ptr);
    reading_clear(&r);
    coras_safetensors_writer_clear(&w);
}

static void an_empty_header_is_valid(void **state)
{
    (void)state;
    for (int with_metadata = 0; with_metadata < 2; with_metadata++) {
        coras_safetensors_writer w;
        struct reading r;
        coras_safetensors_begin(&w);
        if (with_metadata)
            coras_safetensors_metadata(&w, CORAS_STR("k"), CORAS_STR("v"));
        assert_int_equal(coras_safetensors_end(&w, NULL), 0);
        assert_int_equal(
            read_file(CORAS_WEIGHT_SAFETENSORS, w.bytes.ptr, w.bytes.len, true, &r, NULL), 1);
        assert_string_equal(r.told.ptr, with_metadata ? "k=v\n" : "");
        reading_clear(&r);
        coras_safetensors_writer_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_headers_are_read),
        cmocka_unit_test(an_empty_header_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
