/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into models and comparing them: claims, values, and memory that runs out. */
#include "coras/model_diff.h"

#include "content.h"
#include "memory_target.h"
#include "ops/models/json_diff.h"
#include "ops/models/claims.h"

/* ---- claims ---- */

static void claims_fit_within_their_last_digit(void **state)
{
    static const struct {
        const char *claim;
        int64_t parameters;
        int fits;
    } cases[] = {
        {"8b", 8030261248, 1},
        {"8B", 8030261248, 1},
        {"1.2b", 1235814400, 1},
        {"494m", 494032768, 1},
        {"361.82M", 361821120, 1},
        {"96", 96, 1},
        {"96", 98, 0},
        {"8b", 16000000000, 0},
        {"2.08K", 4128, 0},
        {"1.5t", 1500000000000, 1},
        {"lots", 1, -1},
        {"", 0, -1},
        {"1.2.3b", 1, -1},
        {"8bb", 1, -1},
        {"b", 1, -1},
        {"9999999999999999999b", 1, -1},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++)
        assert_int_equal(coras_parameter_claim_fits(cases[i].claim, cases[i].parameters),
                         cases[i].fits);
}

/* ---- values ---- */

static int put_difference(void *user, const char *path, const coras_json *a, const coras_json *b,
                          coras_error **err)
{
    coras_buf *out = user;
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);

    coras_buf_printf(out, "%s%s ", out->len ? "; " : "", path);
    coras_buf_puts(out, a ? "" : "-");
    if (a)
        coras_jw_value(&w, a, false);
    coras_buf_putc(out, ' ');
    w.need_comma = false;
    coras_buf_puts(out, b ? "" : "-");
    if (b)
        coras_jw_value(&w, b, false);
    return coras_buf_done(out, err);
}

static void values_are_compared_by_their_paths(void **state)
{
    static const struct {
        const char *a, *b, *expected;
    } cases[] = {
        {"{\"x\":1,\"y\":{\"z\":true}}", "{\"y\":{\"z\":true},\"x\":1.0}", ""},
        {"{\"x\":1}", "{\"x\":2}", "f:x 1 2"},
        {"{\"x\":{\"y\":{\"z\":\"a\"}}}", "{\"x\":{\"y\":{\"z\":\"b\"}}}", "f:x.y.z \"a\" \"b\""},
        {"{\"x\":[1,2]}", "{\"x\":[2,1]}", "f:x [1,2] [2,1]"},
        {"{\"x\":1}", "{\"y\":null}", "f:x 1 -; f:y - null"},
        {"{\"x\":{\"y\":1}}", "{\"x\":3}", "f:x {\"y\":1} 3"},
        {"{\"x\":null}", "{\"x\":false}", "f:x null false"},
        {"[1]", "[1]", ""},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_json) a = NULL;
        coras_auto(coras_json) b = NULL;
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        assert_ok(coras_json_parse(cases[i].a, strlen(cases[i].a), &a, NULL), NULL);
        assert_ok(coras_json_parse(cases[i].b, strlen(cases[i].b), &b, NULL), NULL);
        assert_ok(coras_json_diff("f:", a, b, put_difference, &out, NULL), NULL);
        assert_string_equal(out.ptr, cases[i].expected);
    }
}

/* ---- memory ---- */

static coras_target *target;

static void add_file(coras_descriptors *layers, const char *title, const void *data, size_t len)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    const coras_memory memory = {data, len};
    const coras_source source = coras_source_memory(&memory);

    assert_ok(coras_descriptor_of_bytes("application/x", data, len, &d, NULL), NULL);
    const coras_blob_push push = {.desc = &d, .source = &source};
    assert_true(target->ops->push_blob(target, &push, NULL) >= 0);
    assert_ok(coras_annotations_set(&d.annotations, "org.opencontainers.image.title", title, NULL),
              NULL);
    assert_ok(coras_descriptors_add(layers, &d, NULL), NULL);
}

/* A header of one tensor and its two bytes. */
static void add_shard(coras_descriptors *layers, const char *title, const char *tensor,
                      const char *data)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED, file = CORAS_BUF_UNLIMITED;

    coras_buf_printf(&text, "{\"%s\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
                     tensor);
    for (unsigned i = 0; i < 8; i++)
        coras_buf_putc(&file, (char)(text.len >> (8 * i) & 0xff));
    coras_buf_put(&file, text.ptr, text.len);
    coras_buf_put(&file, data, 2);
    add_file(layers, title, file.ptr, file.len);
}

static void put_model(const char *tag, const char *config, const char *data)
{
    static const char map[] = "{\"weight_map\":{\"x\":\"m-00001-of-00002.safetensors\","
                              "\"y\":\"m-00002-of-00002.safetensors\",\"z\":\"gone\"}}";
    coras_auto_value(coras_manifest) m = {.kind = CORAS_KIND_IMAGE, .has_config = true};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    m.media_type = coras_strdup(CORAS_MT_OCI_MANIFEST);
    assert_ok(coras_descriptor_empty(NULL, true, &m.config, NULL), NULL);
    add_file(&m.layers, "config.json", config, strlen(config));
    add_file(&m.layers, "model.safetensors.index.json", map, strlen(map));
    add_shard(&m.layers, "m-00001-of-00002.safetensors", "x", "aa");
    add_shard(&m.layers, "m-00002-of-00002.safetensors", "y", data);
    assert_ok(coras_manifest_write(&m, &out, NULL), NULL);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCI_MANIFEST, out.ptr);
    assert_ok(target->ops->push_manifest(target, &d, out.ptr, tag, NULL), NULL);
}

static const coras_run_options one_thread = {.size = sizeof(one_thread), .concurrency = 1};

static int inspect_once(coras_error **err)
{
    coras_inspect_options options = CORAS_INSPECT_OPTIONS_INIT;
    coras_model *model = NULL;
    coras_model_facts *facts = NULL;
    int rc = coras_model_open(target, "a", NULL, &one_thread, &model, err);

    options.tensors = true;
    if (rc == 0)
        rc = coras_model_inspect(model, &options, &facts, err);
    coras_model_free(model);
    if (rc == 0) {
        assert_int_equal(facts->tensors_len, 2);
        assert_int_equal(facts->shards_expected, 3);
        assert_string_equal(facts->shards_missing[0], "gone");
        assert_true(facts->verified);
    }
    coras_model_facts_free(facts);
    return rc;
}

static int diff_once(coras_error **err)
{
    coras_diff_options options = CORAS_DIFF_OPTIONS_INIT;
    coras_model *a = NULL, *b = NULL;
    coras_model_difference *found = NULL;
    int rc = coras_model_open(target, "a", NULL, &one_thread, &a, err);

    options.deep = true;
    if (rc == 0)
        rc = coras_model_open(target, "b", NULL, &one_thread, &b, err);
    if (rc == 0)
        rc = coras_model_diff(a, b, &options, &found, err);
    coras_model_free(a);
    coras_model_free(b);
    if (rc == 0) {
        assert_int_equal(found->tensors_changed_len, 1);
        assert_true(found->tensors_changed[0].bytes);
        assert_int_equal(found->config_len, 1);
    }
    coras_model_difference_free(found);
    return rc;
}

/* A warning that cannot be kept is a warning less, and a reader that cannot be made an error. */
static void assert_outcome(int rc, const coras_error *err, bool failed)
{
    assert_int_equal(rc, coras_error_code(err));
    assert_true(rc == 0 || (failed && rc == CORAS_ERR_NO_MEMORY));
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    assert_ok(coras_memory_target_new(&target, NULL), NULL);
    put_model("a", "{\"n_ctx\":1}", "bb");
    put_model("b", "{\"n_ctx\":2}", "cc");
    check_each_allocation(inspect_once, assert_outcome);
    check_each_allocation(diff_once, assert_outcome);
    coras_target_close(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_fit_within_their_last_digit),
        cmocka_unit_test(values_are_compared_by_their_paths),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
