/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of packing a model, and of bringing it into another program's store, fails once:
 * out of memory is reported, and nothing names what is not there.
 */
#include "coras/model_store.h"

#include "scratch.h"
#include "layout/layout.h"

/* A GGUF without tensors, of architecture "llama". */
static const char gguf[] =
    "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\0general.architecture"
    "\x08\0\0\0\5\0\0\0\0\0\0\0llama";

static void put_model(void)
{
    assert_int_equal(mkdir("m", 0755), 0);
    put_bytes("m/model.gguf", gguf, sizeof(gguf) - 1);
    put_text("m/config.json", "{\"model_type\":\"llama\"}");
    put_text("m/README.md", "---\nlicense: mit\ntags: [a, b]\n---\n");
    put_text("m/.hidden", "x");
}

static int pack(coras_error **err)
{
    coras_model_pack_report report = {0};
    coras_artifact *artifact = NULL;
    int rc = coras_model_prepare("m", NULL, NULL, &artifact, &report, err);

    coras_model_pack_report_clear(&report);
    coras_artifact_free(artifact);
    return rc;
}

static void packs(void **state)
{
    (void)state;
    put_model();
    fail_each_allocation(pack);
}

static void push_to_layout(void)
{
    coras_auto(coras_target) layout = NULL;
    coras_auto_value(coras_descriptor) root = CORAS_DESCRIPTOR_INIT;
    coras_push_options push = CORAS_PUSH_OPTIONS_INIT;
    coras_artifact *artifact = NULL;
    coras_auto(coras_error) err = NULL;

    push.reference = "v1";
    assert_ok(coras_model_prepare("m", NULL, NULL, &artifact, NULL, &err), err);
    assert_ok(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &layout, &err), err);
    assert_ok(coras_artifact_push(artifact, layout, &push, NULL, &root, NULL, &err), err);
    coras_artifact_free(artifact);
}

static int export_to(enum coras_model_store store, const char *directory, coras_error **err)
{
    coras_auto(coras_target) layout = NULL;
    coras_model_export_options options = CORAS_MODEL_EXPORT_OPTIONS_INIT;
    coras_model_export_result result = {0};
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;

    options.store = store;
    options.directory = directory;
    options.name = "tiny";
    run.no_sync = true;
    CORAS_TRY(coras_layout_open("lay", CORAS_LAYOUT_READ, &layout, err));
    int rc = coras_model_export(layout, "v1", &options, &run, &result, err);
    coras_model_export_result_clear(&result);
    return rc;
}

static int export_to_hub(coras_error **err)
{
    return export_to(CORAS_MODEL_STORE_HUB, "hub", err);
}

static int export_to_ollama(coras_error **err)
{
    return export_to(CORAS_MODEL_STORE_OLLAMA, "ollama", err);
}

/* What names the model comes last: when it is there, so is everything. */
static void assert_whole(void)
{
    coras_auto_buf commit = CORAS_BUF_UNLIMITED, config = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    if (!path_exists("hub/models--tiny/refs/main"))
        return;
    assert_ok(coras_read_file(AT_FDCWD, "hub/models--tiny/refs/main", 99, &commit, &err), err);
    coras_auto_free char *path =
        coras_asprintf("hub/models--tiny/snapshots/%s/config.json", commit.ptr);
    assert_ok(coras_read_file(AT_FDCWD, path, 99, &config, &err), err);
}

static void assert_whole_or_none(int rc, const coras_error *err, bool failed)
{
    assert_int_equal(rc, coras_error_code(err));
    assert_true(rc == 0 || (failed && rc == CORAS_ERR_NO_MEMORY));
    assert_whole();
    assert_ok(coras_remove_all(AT_FDCWD, "hub", NULL), NULL);
    assert_ok(coras_remove_all(AT_FDCWD, "ollama", NULL), NULL);
}

static void exports(void **state)
{
    (void)state;
    put_model();
    push_to_layout();
    check_each_allocation(export_to_hub, assert_whole_or_none);
    check_each_allocation(export_to_ollama, assert_whole_or_none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SCRATCH_TEST(packs), SCRATCH_TEST(exports)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
