/* SPDX-License-Identifier: Apache-2.0 */
/* index.json of a layout: what is accepted is written back so that it reads the same, before and
 * after tags move in it. */
#include "fuzz.h"

#include "layout/layout_index.h"

static void check_written(const struct coras_layout_index *index)
{
    struct coras_layout_index again = {0};
    coras_auto_buf first = CORAS_BUF_UNLIMITED, second = CORAS_BUF_UNLIMITED;
    FUZZ_CHECK(coras_layout_index_write(index, &first, NULL) == 0);
    FUZZ_CHECK(coras_layout_index_parse(first.ptr, first.len, &again, NULL) == 0);
    FUZZ_CHECK(coras_layout_index_write(&again, &second, NULL) == 0);
    FUZZ_CHECK(strcmp(first.ptr, second.ptr) == 0);
    FUZZ_CHECK(again.entries.len == index->entries.len);
    coras_layout_index_clear(&again);
}

static void move_tags(struct coras_layout_index *index)
{
    if (index->entries.len == 0)
        return;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    FUZZ_CHECK(coras_descriptor_copy(&desc, &index->entries.items[0].desc, NULL) == 0);
    if (desc.digest.algorithm == CORAS_DIGEST_NONE)
        return;
    FUZZ_CHECK(coras_layout_index_tag(index, &desc, "moved", NULL) == 0);
    const struct coras_layout_entry *found = coras_layout_index_by_tag(index, "moved");
    FUZZ_CHECK(found && coras_digest_equal(&found->desc.digest, &desc.digest));
    check_written(index);
    FUZZ_CHECK(coras_layout_index_remove(index, &desc.digest));
    FUZZ_CHECK(!coras_layout_index_by_digest(index, &desc.digest));
    check_written(index);
}

bool fuzz_one(const char *data, size_t len)
{
    struct coras_layout_index index = {0};
    coras_auto(coras_error) err = NULL;
    int rc = coras_layout_index_parse(data, len, &index, &err);
    if (rc < 0) {
        FUZZ_CHECK(rc == CORAS_ERR_CONFIG || rc == CORAS_ERR_INVALID_DIGEST);
        return false;
    }
    check_written(&index);
    move_tags(&index);
    coras_layout_index_clear(&index);
    return true;
}
