/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of reading, copying and writing may fail. */
#include "coras/reference.h"
#include "oci/manifest.h"
#include "oci/platform.h"

#include "support.h"

#define D(x) "{\"mediaType\":\"a/b\",\"digest\":\"" CORAS_EMPTY_JSON_DIGEST "\",\"size\":2" x "}"

#define CONFIG    D(",\"data\":\"e30=\"")
#define ANNOTATED D(",\"urls\":[\"u\",\"v\"],\"annotations\":{\"k\":\"v\",\"l\":\"w\"}")
#define SUBJECT   D("")
#define WITH_PLATFORM                                                                              \
    D(",\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"os.version\":\"1\","             \
      "\"os.features\":[\"f\"],\"variant\":\"v7\"},\"artifactType\":\"c/d\"")

static const char image[] =
    "{\"schemaVersion\":2,\"mediaType\":\"" CORAS_MT_OCI_MANIFEST "\",\"artifactType\":\"x/y\","
    "\"config\":" CONFIG ",\"layers\":[" ANNOTATED "," WITH_PLATFORM "],\"subject\":" SUBJECT
    ",\"annotations\":{\"b\":\"1\",\"a\":\"2\"}}";

static int read_copy_write(coras_error **err)
{
    coras_auto_free const coras_descriptor **successors = NULL;
    coras_auto_value(coras_manifest) m = {0};
    coras_auto_value(coras_descriptors) copies = {0};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    size_t len;

    CORAS_TRY(coras_manifest_parse(image, sizeof(image) - 1, CORAS_MT_OCI_MANIFEST, &m, err));
    CORAS_TRY(coras_manifest_successors(&m, &successors, &len, err));
    for (size_t i = 0; i < len; i++)
        CORAS_TRY(coras_descriptors_add(&copies, successors[i], err));
    CORAS_TRY(coras_manifest_write(&m, &out, err));
    return coras_annotations_merge(&m.annotations, &m.layers.items[0].annotations, err);
}

static int parse_names(coras_error **err)
{
    coras_auto_value(coras_platform) p = {0};
    coras_auto_value(coras_descriptor) empty = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *text = NULL;
    coras_reference r = {0};

    CORAS_TRY(coras_platform_parse("linux/arm/v7:1", &p, err));
    CORAS_TRY(coras_descriptor_empty(NULL, true, &empty, err));
    CORAS_TRY(coras_descriptor_to_json(&empty, &text, err));
    CORAS_TRY(coras_reference_parse("r/a:t@" CORAS_EMPTY_JSON_DIGEST, &r, err));
    coras_reference_clear(&r);
    return 0;
}

static void manifests_survive_every_failed_allocation(void **state)
{
    (void)state;
    fail_each_allocation(read_copy_write);
}

static void names_survive_every_failed_allocation(void **state)
{
    (void)state;
    fail_each_allocation(parse_names);
}

/* A refusal that runs out of memory while it is worded is still a refusal or out of memory. */
static void refusals_survive_every_failed_allocation(void **state)
{
    static const char *const bad[] = {"a/B", "a/b:-", "a/b@x"};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(bad); i++) {
        bool reached = true;
        for (long nth = 0; reached; nth++) {
            coras_auto(coras_error) err = NULL;
            coras_reference r = {0};
            coras_alloc_fail_at(nth);
            int rc = coras_reference_parse(bad[i], &r, &err);
            reached = coras_alloc_fail_reached();
            coras_alloc_fail_at(-1);
            assert_int_equal(rc, coras_error_code(err));
            assert_true(rc == CORAS_ERR_INVALID_REFERENCE ||
                        (reached && rc == CORAS_ERR_NO_MEMORY));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifests_survive_every_failed_allocation),
        cmocka_unit_test(names_survive_every_failed_allocation),
        cmocka_unit_test(refusals_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
