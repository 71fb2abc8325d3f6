/* SPDX-License-Identifier: Apache-2.0 */
/* Names in the stores of other programs: what becomes a path never leaves the store. */
#include "rows.h"

#include "ops/hub_cache.h"
#include "ops/models/ollama_store.h"

static void finds_ollamas_manifests(void **state)
{
    static const char *const cases[][2] = {
        {"tiny", "manifests/registry.ollama.ai/library/tiny/latest"},
        {"tiny:q4_K_M", "manifests/registry.ollama.ai/library/tiny/q4_K_M"},
        {"acme/tiny", "manifests/registry.ollama.ai/acme/tiny/latest"},
        {"host.example:5000/acme/tiny:1", "manifests/host.example:5000/acme/tiny/1"},
        {"hf.co/acme/Tiny-GGUF", "manifests/hf.co/acme/Tiny-GGUF/latest"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_auto_free char *path = NULL;
        assert_ok(coras_ollama_manifest_path(cases[i][0], &path, &err), err);
        assert_string_equal(path, cases[i][1]);
    }
}

static void refuses_what_would_lead_elsewhere(void **state)
{
    static const char *const names[] = {
        "",     "..", "../x", "a/../b", "a/b/c/d", ".hidden", "x:..",  "x:a/b",    "x:",
        "a//b", "/a", "a/",   "a b",    "a\\b",    "x\ny",    "x:1:2", "host:1/x",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++) {
        coras_auto(coras_error) err = NULL;
        char *path = NULL;
        IN_ROW(names[i]);
        assert_failed(coras_ollama_manifest_path(names[i], &path, &err), err,
                      CORAS_ERR_INVALID_REFERENCE, NULL);
        assert_null(path);
    }
}

static void tells_snapshots_by_their_path(void **state)
{
    static const char *const cases[][2] = {
        {"/c/models--a--b/snapshots/r", "/c/models--a--b"},
        {"/c/models--a--b/snapshots/r/sub", "/c/models--a--b"},
        {"/snapshots/x/models--a/snapshots/r", "/snapshots/x/models--a"},
        {"/c/models--a--b", NULL},
        {"/c/other/snapshots/r", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_free char *repository = coras_hub_repository_of(cases[i][0]);
        if (cases[i][1])
            assert_string_equal(repository, cases[i][1]);
        else
            assert_null(repository);
    }
    coras_auto_free char *name = coras_hub_model_name("/c/models--a--b");
    assert_string_equal(name, "a/b");
    assert_null(coras_hub_model_name("/c/datasets--a--b"));
}

static void takes_digests_for_digests_only(void **state)
{
    static const char hex[] = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    coras_digest digest;

    (void)state;
    assert_true(coras_hub_blob_digest(hex, &digest));
    assert_false(coras_hub_blob_digest(hex + 1, &digest));
    assert_false(coras_hub_blob_digest(
        "44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A", &digest));
    assert_false(coras_hub_is_commit(hex));
    assert_true(coras_hub_is_commit(hex + 24));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_ollamas_manifests),
        cmocka_unit_test(refuses_what_would_lead_elsewhere),
        cmocka_unit_test(tells_snapshots_by_their_path),
        cmocka_unit_test(takes_digests_for_digests_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
