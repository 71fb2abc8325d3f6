/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a pull of tensors fails once: it is reported, or the work is done all the
 * same; there is all of it under the final names, or nothing at all.
 */
#include "coras/model.h"

#include "scratch.h"
#include "model/safetensors_write.h"
#include "ops/models/tensors.h"

enum { ROWS = 4, COLUMNS = 8 };

/* A file of one tensor of bytes, 0, 1, ... */
static void put_weights(const char *path, const char *name)
{
    static const int64_t shape[] = {ROWS, COLUMNS};
    coras_auto_value(coras_safetensors_writer) w = {0};

    coras_safetensors_begin(&w);
    coras_safetensors_metadata(&w, CORAS_STR("format"), CORAS_STR("pt"));
    coras_safetensors_tensor(&w, coras_str_of(name), "U8", shape, 2, (int64_t)ROWS * COLUMNS);
    assert_int_equal(coras_safetensors_end(&w, NULL), 0);
    for (char i = 0; i < ROWS * COLUMNS; i++)
        coras_buf_putc(&w.bytes, i);
    put_bytes(path, w.bytes.ptr, w.bytes.len);
}

static int make_model(void **state)
{
    if (scratch_setup(state) < 0 || mkdir("model", 0755) < 0)
        return -1;
    put_weights("model/model-00001-of-00002.safetensors", "a");
    put_weights("model/model-00002-of-00002.safetensors", "b");
    put_text("model/model.safetensors.index.json",
             "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
             "\"b\":\"model-00002-of-00002.safetensors\"}}");
    return 0;
}

static int pull_tensors(const char *const *patterns, int rank, int of, coras_error **err)
{
    const struct coras_tensors_wanted wanted = {.choice = {patterns, rank, of, NULL},
                                                .output = "out"};
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    coras_auto(coras_model) model = NULL;
    coras_auto_value(coras_strlist) warnings = {0};
    coras_pull_result result = {0};

    run.no_sync = true;
    CORAS_TRY(coras_model_open_path("model", &run, &model, err));
    int rc = coras_model_pull_tensors(model, &wanted, &result, &warnings, err);
    coras_pull_result_clear(&result);
    return rc;
}

static int pull_once(coras_error **err)
{
    static const char *const patterns[] = {"[ab]", NULL};

    return pull_tensors(patterns, 1, 2, err);
}

static void check_pulled(int rc, const coras_error *err, bool failed)
{
    static const char *const names[] = {"model-00001-of-00002.safetensors",
                                        "model-00002-of-00002.safetensors",
                                        "model.safetensors.index.json"};
    coras_auto_value(coras_strlist) found = {0};
    coras_auto_fd fd = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(rc, coras_error_code(err));
    assert_true(rc == 0 || (failed && rc == CORAS_ERR_NO_MEMORY));
    if (fd >= 0)
        assert_int_equal(coras_list_directory(fd, "out", &found, NULL), 0);
    if (rc == 0)
        assert_int_equal(found.len, CORAS_ARRAY_LEN(names));
    for (size_t i = 0; i < found.len; i++)
        assert_string_equal(found.items[i], names[i]);
    assert_int_equal(coras_remove_all(AT_FDCWD, "out", NULL), 0);
}

static void lack_of_memory_leaves_all_or_nothing(void **state)
{
    (void)state;
    check_each_allocation(pull_once, check_pulled);
}

/* The second half of the rows, and the metadata. */
static void rows_are_cut_out(void **state)
{
    static const char *const patterns[] = {"b", NULL};
    static const char json[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"U8\",\"shape\":[2,8],"
        "\"data_offsets\":[0,16]}}";
    coras_auto_buf file = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    size_t data;

    (void)state;
    assert_ok(pull_tensors(patterns, 1, 2, &err), err);
    assert_ok(coras_read_file(AT_FDCWD, "out/model.safetensors", 4096, &file, &err), err);
    assert_memory_equal(file.ptr + 8, json, sizeof(json) - 1);
    data = file.len - 16;
    assert_int_equal(data % 8, 0);
    for (char i = 0; i < 16; i++)
        assert_int_equal(file.ptr[data + (size_t)i], i + 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lack_of_memory_leaves_all_or_nothing, make_model,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(rows_are_cut_out, make_model, scratch_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
