/* SPDX-License-Identifier: Apache-2.0 */
/* A copy that fails says which end it was. */
#include "coras/ops.h"

#include <sys/stat.h>

#include "content.h"
#include "scratch.h"
#include "memory_target.h"

static coras_target *open_layout(const char *path)
{
    coras_target *t = NULL;
    assert_ok(coras_layout_open(path, CORAS_LAYOUT_WRITE, &t, NULL), NULL);
    return t;
}

/* NULL: take it away. */
static void replace_blob(const char *layout, const char *text, const char *stored)
{
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCI_LAYER, text);
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free char *path = coras_asprintf(
        "%s/blobs/sha256/%s", layout, coras_digest_format(&d.digest, digest) + strlen("sha256:"));
    assert_int_equal(unlink(path), 0);
    if (stored)
        put_text(path, stored);
}

static void assert_copy_blames(coras_target *from, const char *tag, coras_target *to,
                               enum coras_side side)
{
    coras_auto_value(coras_descriptor) root = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) err = NULL;
    assert_true(coras_copy(from, tag, to, NULL, NULL, NULL, &root, &err) < 0);
    assert_int_equal(coras_error_side(err), side);
}

static void a_missing_tag_is_the_source_s(void **state)
{
    (void)state;
    coras_auto(coras_target) from = open_layout("from");
    coras_auto(coras_target) to = open_layout("to");
    assert_copy_blames(from, "v1", to, CORAS_SIDE_SOURCE);
}

static void missing_and_damaged_content_is_the_source_s(void **state)
{
    static const char *const stored[] = {"reyal", NULL};
    (void)state;
    coras_auto(coras_target) from = open_layout("from");
    coras_auto_value(coras_descriptor) root = push_artifact(from, "v1", "layer", NULL);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(stored); i++) {
        coras_auto(coras_target) layout = open_layout("to");
        coras_auto(coras_target) memory = NULL;
        assert_ok(coras_memory_target_new(&memory, NULL), NULL);
        replace_blob("from", "layer", stored[i]);
        assert_copy_blames(from, "v1", layout, CORAS_SIDE_SOURCE);
        assert_copy_blames(from, "v1", memory, CORAS_SIDE_SOURCE);
    }
}

static void a_place_that_takes_nothing_is_the_destination_s(void **state)
{
    (void)state;
    coras_auto(coras_target) from = open_layout("from");
    coras_auto_value(coras_descriptor) root = push_artifact(from, "v1", "layer", NULL);
    coras_auto(coras_target) to = open_layout("to");
    assert_ok(coras_remove_all(AT_FDCWD, "to/blobs", NULL), NULL);
    put_text("to/blobs", "no directory");
    assert_copy_blames(from, "v1", to, CORAS_SIDE_DESTINATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_missing_tag_is_the_source_s),
        SCRATCH_TEST(missing_and_damaged_content_is_the_source_s),
        SCRATCH_TEST(a_place_that_takes_nothing_is_the_destination_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
