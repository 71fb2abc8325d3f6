/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: the first byte chooses the type that the document was fetched as. What is accepted and
 * of a kind that we write comes back equal from what we write. */
#include "fuzz.h"

#include "base/alloc.h"
#include "oci/manifest.h"

static const char *const fetched_as[] = {
    NULL,
    CORAS_MT_OCI_MANIFEST,
    CORAS_MT_OCI_INDEX,
    CORAS_MT_DOCKER_MANIFEST,
    CORAS_MT_DOCKER_LIST,
    CORAS_MT_OCI_ARTIFACT,
};

static void check_written(const coras_manifest *m)
{
    coras_auto_value(coras_manifest) again = {0};
    coras_auto_buf first = CORAS_BUF_UNLIMITED;
    coras_auto_buf second = CORAS_BUF_UNLIMITED;

    FUZZ_CHECK(coras_manifest_write(m, &first, NULL) == 0);
    FUZZ_CHECK(coras_manifest_parse(first.ptr, first.len, NULL, &again, NULL) == 0);
    FUZZ_CHECK(coras_manifest_write(&again, &second, NULL) == 0);
    FUZZ_CHECK(strcmp(first.ptr, second.ptr) == 0);
    FUZZ_CHECK(again.layers.len == m->layers.len);
}

static void check_sizes(const coras_manifest *m)
{
    coras_auto_free const coras_descriptor **successors = NULL;
    size_t len = 0;

    FUZZ_CHECK(coras_manifest_successors(m, &successors, &len, NULL) == 0);
    for (size_t i = 0; i < len; i++)
        FUZZ_CHECK(successors[i]->size >= 0 &&
                   successors[i]->digest.algorithm != CORAS_DIGEST_NONE);
}

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_value(coras_manifest) m = {0};
    coras_auto(coras_error) err = NULL;
    size_t type = 0;

    if (len > 0 && data[0] >= '0' && data[0] < '0' + (int)CORAS_ARRAY_LEN(fetched_as)) {
        type = (size_t)(data[0] - '0');
        data++;
        len--;
    }
    int rc = coras_manifest_parse(data, len, fetched_as[type], &m, &err);
    if (rc < 0) {
        FUZZ_CHECK(rc == CORAS_ERR_INVALID_MANIFEST || rc == CORAS_ERR_UNSUPPORTED);
        for (const char *c = coras_error_message(err); *c; c++)
            FUZZ_CHECK((unsigned char)*c >= 0x20);
        return false;
    }
    check_sizes(&m);
    if (m.kind == CORAS_KIND_IMAGE || m.kind == CORAS_KIND_INDEX)
        check_written(&m);
    return true;
}
