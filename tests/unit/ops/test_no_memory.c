/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a push, a pull and a copy fails once: out of memory is reported, or the work
 * is done all the same (a cache that could not be kept); nothing is half done.
 */
#include "coras/ops.h"

#include "content.h"
#include "scratch.h"
#include "layout/layout.h"
#include "memory_target.h"

enum { BIG = 1200 * 1024 }; /* hashed by a thread of its own */

static coras_target *source;

static void assert_outcome(int rc, const coras_error *err, bool failed)
{
    assert_int_equal(rc, coras_error_code(err));
    assert_true(rc == 0 || (failed && rc == CORAS_ERR_NO_MEMORY));
}

static void put_big(const char *path)
{
    coras_auto_free char *bytes = coras_calloc(1, BIG);
    memset(bytes, 'x', BIG);
    put_bytes(path, bytes, BIG);
}

/* ---- push ---- */

static int push_once(coras_error **err)
{
    const coras_file files[] = {{.path = "big"}, {.path = "dir"}, {.path = "small"}};
    coras_auto(coras_target) layout = NULL;
    coras_auto_value(coras_descriptor) root = CORAS_DESCRIPTOR_INIT;
    coras_pack_options pack = CORAS_PACK_OPTIONS_INIT;
    coras_push_options push = CORAS_PUSH_OPTIONS_INIT;
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    coras_artifact *artifact = NULL;

    push.reference = "v1";
    run.no_sync = true;
    CORAS_TRY(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &layout, err));
    CORAS_TRY(coras_artifact_prepare(files, CORAS_ARRAY_LEN(files), &pack, &run, &artifact, err));
    int rc = coras_artifact_push(artifact, layout, &push, &run, &root, NULL, err);
    coras_artifact_free(artifact);
    return rc;
}

/* A tag names an artifact that is there as a whole. */
static void check_pushed(int rc, const coras_error *failure, bool failed)
{
    coras_auto(coras_target) layout = NULL;
    coras_auto(coras_target) copy = NULL;
    coras_auto_value(coras_descriptor) root = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) err = NULL;

    assert_outcome(rc, failure, failed);
    if (!path_exists("lay/index.json"))
        return;
    assert_ok(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &layout, &err), err);
    if (rc < 0 && coras_resolve(layout, "v1", &root, NULL) < 0)
        return;
    assert_ok(coras_memory_target_new(&copy, &err), err);
    assert_ok(coras_copy(layout, "v1", copy, NULL, NULL, NULL, &root, &err), err);
    assert_ok(coras_remove_all(AT_FDCWD, "lay", &err), err);
}

static void pushes(void **state)
{
    assert_int_equal(setenv("XDG_CACHE_HOME", *state, 1), 0);
    put_big("big");
    put_text("small", "small");
    assert_int_equal(mkdir("dir", 0755), 0);
    put_text("dir/f", "file");
    check_each_allocation(push_once, check_pushed);
}

/* ---- pull ---- */

static int pull_once(coras_error **err)
{
    coras_pull_options pull = CORAS_PULL_OPTIONS_INIT;
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    coras_pull_result result = {0};

    pull.output = "out";
    run.no_sync = true;
    int rc = coras_pull(source, "v1", &pull, &run, &result, err);
    coras_pull_result_clear(&result);
    return rc;
}

/* All files, or none under a final name. */
static void check_pulled(int rc, const coras_error *failure, bool failed)
{
    assert_outcome(rc, failure, failed);
    if (rc == 0) {
        struct stat st;
        assert_int_equal(stat("out/big", &st), 0);
        assert_int_equal(st.st_size, BIG);
        assert_text("out/small", "small");
        assert_text("out/dir/f", "file");
        assert_false(path_exists("out/.coras-partial"));
    } else {
        assert_false(path_exists("out/big"));
        assert_false(path_exists("out/small"));
        assert_false(path_exists("out/dir"));
    }
    assert_ok(coras_remove_all(AT_FDCWD, "out", NULL), NULL);
}

static void pulls(void **state)
{
    coras_auto(coras_error) err = NULL;

    assert_int_equal(setenv("XDG_CACHE_HOME", *state, 1), 0);
    put_big("big");
    put_text("small", "small");
    assert_int_equal(mkdir("dir", 0755), 0);
    put_text("dir/f", "file");
    assert_ok(push_once(&err), err);
    assert_ok(coras_layout_open("lay", CORAS_LAYOUT_READ, &source, &err), err);
    check_each_allocation(pull_once, check_pulled);
    coras_target_close(source);
}

/* ---- copy ---- */

static int copy_once(coras_error **err)
{
    coras_auto(coras_target) to = NULL;
    coras_auto_value(coras_descriptor) root = CORAS_DESCRIPTOR_INIT;
    coras_copy_options copy = CORAS_COPY_OPTIONS_INIT;

    copy.recursive = true;
    CORAS_TRY(coras_memory_target_new(&to, err));
    return coras_copy(source, "v1", to, "v2", &copy, NULL, &root, err);
}

static void copies(void **state)
{
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_ok(coras_memory_target_new(&source, &err), err);
    coras_auto_value(coras_descriptor) root = push_artifact(source, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) sbom = push_artifact(source, NULL, "sbom", &root);
    check_each_allocation(copy_once, assert_outcome);
    coras_target_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(pushes),
        SCRATCH_TEST(pulls),
        SCRATCH_TEST(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
