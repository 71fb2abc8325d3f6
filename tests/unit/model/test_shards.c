/* SPDX-License-Identifier: Apache-2.0 */
/* Models in several files: their names, what is missing, the index that lists them. */
#include "rows.h"

#include <stdio.h>
#include "base/limits.h"
#include "model/shards.h"

static void names_are_taken_apart(void **state)
{
    static const struct {
        const char *path, *stem, *extension; /* stem NULL: no shard */
        int number, of;
    } rows[] = {
        {"model-00001-of-00004.safetensors", "model", ".safetensors", 1, 4},
        {"a/b-c-00009-of-00009.gguf", "a/b-c", ".gguf", 9, 9},
        {"x-00001-of-00002-00003-of-00005.bin", "x-00001-of-00002", ".bin", 3, 5},
        {"model.fp16-00002-of-00002.safetensors", "model.fp16", ".safetensors", 2, 2},
        {"m-00001-of-00002", "m", "", 1, 2},
        {"model-00005-of-00004.safetensors", NULL, NULL, 0, 0},
        {"model-00000-of-00004.safetensors", NULL, NULL, 0, 0},
        {"model-1-of-4.safetensors", NULL, NULL, 0, 0},
        {"model-000001-of-000004.safetensors", NULL, NULL, 0, 0},
        {"00001-of-00004.safetensors", NULL, NULL, 0, 0},
        {"-00001-of-00004.safetensors", "", ".safetensors", 1, 4},
        {"model-00001-of-00004/config.json", NULL, NULL, 0, 0},
        {"model.safetensors", NULL, NULL, 0, 0},
        {"-of-", NULL, NULL, 0, 0},
        {"", NULL, NULL, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_shard_name name;
        bool is = coras_shard_name_parse(rows[i].path, &name);
        IN_ROW(rows[i].path);
        assert_int_equal(is, rows[i].stem != NULL);
        if (!is)
            continue;
        assert_true(coras_str_eq(name.stem, rows[i].stem));
        assert_true(coras_str_eq(name.extension, rows[i].extension));
        assert_int_equal(name.number, rows[i].number);
        assert_int_equal(name.of, rows[i].of);
    }
}

static void missing_shards_are_named(void **state)
{
    static const char *const paths[] = {
        "config.json",
        "m-00004-of-00004.safetensors",
        "m-00002-of-00004.safetensors",
        "unet/d-00001-of-00002.safetensors",
        "unet/d-00002-of-00002.safetensors",
    };
    coras_auto_value(coras_shard_series) series = {0};
    coras_auto_value(coras_shard_series) none = {0};

    (void)state;
    assert_int_equal(coras_shards_check(paths, CORAS_ARRAY_LEN(paths), &series, NULL), 0);
    assert_int_equal(series.expected, 6);
    assert_int_equal(series.present, 4);
    assert_false(series.disagrees);
    assert_int_equal(series.missing.len, 2);
    assert_string_equal(series.missing.items[0], "m-00001-of-00004.safetensors");
    assert_string_equal(series.missing.items[1], "m-00003-of-00004.safetensors");
    assert_int_equal(coras_shards_check(paths, 1, &none, NULL), 0);
    assert_int_equal(none.expected, 0);
}

static void claims_about_the_count_are_bounded(void **state)
{
    static const char *const paths[] = {"m-99999-of-99999.gguf", "m-00001-of-00003.gguf"};
    coras_auto_value(coras_shard_series) series = {0};

    (void)state;
    assert_int_equal(coras_shards_check(paths, CORAS_ARRAY_LEN(paths), &series, NULL), 0);
    assert_int_equal(series.expected, 99999);
    assert_int_equal(series.present, 2);
    assert_int_equal(series.missing.len, CORAS_LIMIT_SHARDS_SHOWN);
    assert_string_equal(series.missing.items[0], "m-00002-of-99999.gguf");
    assert_true(series.disagrees);
}

static int note_tensor(void *user, coras_str tensor, size_t file, coras_error **err)
{
    coras_buf *b = user;

    (void)err;
    coras_buf_put(b, tensor.ptr, tensor.len);
    coras_buf_printf(b, ":%zu ", file);
    return 0;
}

static int read_index(const char *text, size_t piece, coras_buf *told, coras_shard_index *ret,
                      coras_error **err)
{
    coras_auto(coras_shard_index_reader) reader = NULL;
    size_t len = strlen(text);

    CORAS_TRY(coras_shard_index_reader_new(told ? note_tensor : NULL, told, &reader, err));
    for (size_t at = 0; at < len; at += piece)
        CORAS_TRY(
            coras_shard_index_feed(reader, text + at, piece < len - at ? piece : len - at, err));
    return coras_shard_index_finish(reader, ret, err);
}

static void an_index_maps_tensors_to_files(void **state)
{
    static const char text[] =
        "{\"metadata\": {\"total_size\": 16, \"x\": {\"total_size\": 1}}, \"y\": [{}, 1],\n"
        " \"weight_map\": {\"a\": \"m-2\", \"b\": \"m-1\", \"c\": \"m-2\"}, \"z\": null}\n";

    (void)state;
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        coras_auto_buf told = CORAS_BUF_UNLIMITED;
        coras_auto_value(coras_shard_index) index = {0};
        assert_int_equal(read_index(text, piece, &told, &index, NULL), 0);
        assert_string_equal(told.ptr, "a:0 b:1 c:0 ");
        assert_int_equal(index.tensors, 3);
        assert_int_equal(index.total_size, 16);
        assert_int_equal(index.files.len, 2);
        assert_string_equal(index.files.items[0], "m-2");
        assert_string_equal(index.files.items[1], "m-1");
    }
}

static void a_total_may_be_anything(void **state)
{
    static const char *const texts[] = {
        "{\"metadata\":{\"total_size\":1.5},\"weight_map\":{}}",
        "{\"metadata\":{\"total_size\":\"16\"},\"weight_map\":{}}",
        "{\"metadata\":{\"total_size\":{\"a\":1}},\"weight_map\":{}}",
        "{\"metadata\":null,\"weight_map\":{}}",
        "{\"metadata\":[1],\"weight_map\":{}}",
        "{\"weight_map\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(texts); i++) {
        coras_auto_value(coras_shard_index) index = {0};
        IN_ROW(texts[i]);
        assert_int_equal(read_index(texts[i], 3, NULL, &index, NULL), 0);
        assert_int_equal(index.total_size, -1);
    }
}

static void nonsense_is_refused(void **state)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"{\"weight_map\":{\"a\":\"../x.safetensors\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"x/y.safetensors\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"/x.safetensors\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"x\\\\y\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"..\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"x\\u0000y\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"x\\u001b\"}}", CORAS_ERR_UNSAFE_PATH},
        {"{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}", CORAS_ERR_INVALID_MODEL},
        {"{\"weight_map\":{\"a\":1}}", CORAS_ERR_INVALID_MODEL},
        {"{\"weight_map\":[]}", CORAS_ERR_INVALID_MODEL},
        {"{\"weight_map\":{},\"weight_map\":{}}", CORAS_ERR_INVALID_MODEL},
        {"{}", CORAS_ERR_INVALID_MODEL},
        {"[]", CORAS_ERR_INVALID_MODEL},
        {"", CORAS_ERR_INVALID_MODEL},
        {"{\"weight_map\":{}} x", CORAS_ERR_INVALID_MODEL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_shard_index) index = {0};
        coras_auto(coras_error) err = NULL;
        IN_ROW(rows[i].text);
        int rc = read_index(rows[i].text, 7, NULL, &index, &err);
        assert_failed(rc, err, rows[i].code, NULL);
    }
}

static int read_all(coras_error **err)
{
    static const char *const paths[] = {"m-00003-of-00003.gguf"};
    coras_auto_value(coras_shard_index) index = {0};
    coras_auto_value(coras_shard_series) series = {0};

    CORAS_TRY(coras_shards_check(paths, 1, &series, err));
    return read_index("{\"weight_map\":{\"a\":\"x\",\"b\":\"y\"}}", 5, NULL, &index, err);
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(read_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(missing_shards_are_named),
        cmocka_unit_test(claims_about_the_count_are_bounded),
        cmocka_unit_test(an_index_maps_tensors_to_files),
        cmocka_unit_test(a_total_may_be_anything),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(lack_of_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
