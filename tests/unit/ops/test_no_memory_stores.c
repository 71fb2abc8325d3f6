/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a piece of work fails once: out of memory is reported, nothing is lost. */
#include <fcntl.h>

#include "archive.h"
#include "content.h"
#include "scratch.h"
#include "archive/pack_dir.h"
#include "archive/unpack.h"
#include "coras/backup.h"
#include "coras/cache.h"
#include "coras/discover.h"

static int use_layout(coras_error **err)
{
    coras_auto(coras_target) t = NULL;
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED, tags = CORAS_BUF_UNLIMITED;
    CORAS_TRY(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &t, err));
    CORAS_TRY(t->ops->fetch_manifest(t, "v1", NULL, &found, &bytes, err));
    CORAS_TRY(t->ops->push_manifest(t, &found, bytes.ptr, "v2", err));
    CORAS_TRY(t->ops->tag(t, &found, NULL, "v3", err));
    CORAS_TRY(t->ops->tags(t, NULL, join_tag, &tags, err));
    CORAS_TRY(t->ops->referrers(t, &found, NULL, join_referrer, &tags, err));
    return coras_buf_done(&tags, err);
}

static void layouts(void **state)
{
    (void)state;
    coras_auto(coras_target) t = NULL;
    assert_ok(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &t, NULL), NULL);
    coras_auto_value(coras_descriptor) root = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) sbom = push_artifact(t, NULL, "sbom", &root);
    fail_each_allocation(use_layout);
    assert_tags(t, NULL, "v1 v2 v3");
}

/* ---- operations between stores ---- */

/* What is only a help (an event, a copy in a cache that is looked at first) is done without. */
static void check_helped(int rc, const coras_error *err, bool failed)
{
    if (failed && rc < 0)
        assert_failed(rc, err, CORAS_ERR_NO_MEMORY, NULL);
    else
        assert_ok(rc, err);
}

static int back_up_and_restore(coras_error **err)
{
    coras_auto(coras_target) from = NULL;
    coras_auto(coras_target) to = NULL;
    const coras_backup_options options = {.size = sizeof(options), .include_referrers = true};
    CORAS_TRY(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &from, err));
    CORAS_TRY(coras_layout_open("saved", CORAS_LAYOUT_WRITE, &to, err));
    CORAS_TRY(coras_backup(from, to, &options, NULL, err));
    return coras_restore(to, from, NULL, NULL, err);
}

static void backups(void **state)
{
    (void)state;
    coras_auto(coras_target) t = NULL;
    assert_ok(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &t, NULL), NULL);
    coras_auto_value(coras_descriptor) root = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) sbom = push_artifact(t, NULL, "sbom", &root);
    check_each_allocation(back_up_and_restore, check_helped);
    coras_auto(coras_target) saved = NULL;
    assert_ok(coras_layout_open("saved", CORAS_LAYOUT_READ, &saved, NULL), NULL);
    assert_tags(saved, NULL, "v1");
}

static int discover_through_cache(coras_error **err)
{
    coras_auto(coras_target) origin = NULL;
    coras_auto(coras_target) store = NULL;
    coras_auto(coras_target) cache = NULL;
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;
    coras_referrer root = CORAS_REFERRER_INIT;
    CORAS_TRY(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &origin, err));
    CORAS_TRY(coras_layout_open("kept", CORAS_LAYOUT_WRITE, &store, err));
    CORAS_TRY(coras_cache_open(origin, store, &cache, err));
    CORAS_TRY(coras_fetch_manifest(cache, "v1", NULL, &found, &bytes, err));
    CORAS_TRY(coras_discover(cache, "v1", NULL, &root, err));
    assert_int_equal(root.len, 1);
    coras_referrer_clear(&root);
    return 0;
}

static void caches(void **state)
{
    (void)state;
    coras_auto(coras_target) t = NULL;
    assert_ok(coras_layout_open("lay", CORAS_LAYOUT_WRITE, &t, NULL), NULL);
    coras_auto_value(coras_descriptor) root = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) sbom = push_artifact(t, NULL, "sbom", &root);
    check_each_allocation(discover_through_cache, check_helped);
}

static int unpack_once(coras_error **err)
{
    coras_auto_fd blob = open("archive", O_RDONLY | O_CLOEXEC);
    coras_auto_fd parent = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    assert_int_equal(fstat(blob, &st), 0);
    const struct coras_unpack_request request = {.blob_fd = blob,
                                                 .size = st.st_size,
                                                 .parent_dirfd = parent,
                                                 .stage_dirfd = parent,
                                                 .dirname = "d",
                                                 .title = "d",
                                                 .no_sync = true};
    return coras_unpack(&request, err);
}

static void unpacking(void **state)
{
    static const struct archive_member members[] = {
        DIR_MEMBER("d", 0755), FILE_MEMBER("d/f", "hello"), SYMLINK_MEMBER("d/l", "sub/../f"),
        DIR_MEMBER("d/sub", 0755), HARD_MEMBER("d/h", "d/f")};
    coras_auto_buf tar = CORAS_BUF_UNLIMITED, gz = CORAS_BUF_UNLIMITED;
    (void)state;
    put_archive(&tar, members, CORAS_ARRAY_LEN(members));
    compress_into(&gz, tar.ptr, tar.len);
    put_bytes("archive", gz.ptr, gz.len);
    assert_int_equal(mkdir("out", 0755), 0);
    fail_each_allocation(unpack_once);
    assert_text("out/d/h", "hello");
}

static int pack_once(coras_error **err)
{
    struct coras_packed_dir packed;
    const struct coras_pack_dir_options opts = {.threads = 1};
    CORAS_TRY(coras_pack_directory("d", "d", &opts, &packed, err));
    close(packed.fd);
    return 0;
}

static void packing(void **state)
{
    (void)state;
    assert_int_equal(mkdir("d", 0755), 0);
    put_text("d/f", "hello");
    assert_int_equal(symlink("f", "d/l"), 0);
    fail_each_allocation(pack_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(layouts),   SCRATCH_TEST(backups), SCRATCH_TEST(caches),
        SCRATCH_TEST(unpacking), SCRATCH_TEST(packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
