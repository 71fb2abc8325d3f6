/* SPDX-License-Identifier: Apache-2.0 */
/* OCI layouts on disk. That other programs read them, and they theirs, is tested elsewhere. */
#include "layout/layout.h"

#include <pthread.h>
#include "base/limits.h"
#include "archive.h"
#include "content.h"
#include "scratch.h"

#define EMPTY_INDEX                                                                                \
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","              \
    "\"manifests\":[]}"
#define VERSION "{\"imageLayoutVersion\":\"1.0.0\"}"

static coras_target *open_layout(const char *path, enum coras_layout_mode mode)
{
    coras_auto(coras_error) err = NULL;
    coras_target *t = NULL;
    assert_ok(coras_layout_open(path, mode, &t, &err), err);
    return t;
}

static char *blob_path(const coras_descriptor *d)
{
    char hex[CORAS_DIGEST_TEXT_MAX];
    return coras_asprintf("lay/blobs/sha256/%s", coras_digest_hex(&d->digest, hex));
}

/* ---- opening ---- */

static void writing_makes_an_empty_layout(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("a/b/lay", CORAS_LAYOUT_WRITE);
    assert_text("a/b/lay/oci-layout", VERSION);
    assert_text("a/b/lay/index.json", EMPTY_INDEX);
    assert_true(path_exists("a/b/lay/blobs"));
    assert_false(path_exists("a/b/lay/ingest"));
    assert_tags(t, NULL, "");
}

static void opening_tells_what_is_wrong(void **state)
{
    static const struct {
        const char *version, *index, *message;
        int code;
    } cases[] = {
        {NULL, NULL,
         "invalid OCI Image Layout: failed to open OCI layout file: open oci-layout: no such file "
         "or directory",
         CORAS_ERR_CONFIG},
        {"{\"imageLayoutVersion\":\"2.0.0\"}", EMPTY_INDEX,
         "invalid OCI Image Layout: unsupported version", CORAS_ERR_CONFIG},
        {"{}", EMPTY_INDEX, "invalid OCI Image Layout: unsupported version", CORAS_ERR_CONFIG},
        {"{x", EMPTY_INDEX,
         "invalid OCI Image Layout: failed to decode OCI layout file: invalid character 'x' "
         "looking for beginning of object key string",
         CORAS_ERR_CONFIG},
        {VERSION, NULL,
         "invalid OCI Image Index: failed to open index file: open index.json: no such file or "
         "directory",
         CORAS_ERR_CONFIG},
        {VERSION, "{x",
         "invalid OCI Image Index: failed to decode index file: invalid character 'x' looking for "
         "beginning of object key string",
         CORAS_ERR_CONFIG},
        {VERSION, "", "invalid OCI Image Index: failed to decode index file: EOF",
         CORAS_ERR_CONFIG},
        {VERSION, "[]", "invalid OCI Image Index: failed to decode index file: not an object",
         CORAS_ERR_CONFIG},
        {VERSION, "{\"manifests\":{}}", "invalid OCI Image Index: manifests is not a list",
         CORAS_ERR_CONFIG},
        {VERSION,
         "{\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../x\",\"size\":1}]}",
         "invalid OCI Image Index: manifests[0]: invalid digest \"sha256:../../x\"",
         CORAS_ERR_INVALID_DIGEST},
    };
    (void)state;
    assert_int_equal(mkdir("lay", 0755), 0);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_target *t = NULL;
        (void)unlink("lay/oci-layout");
        (void)unlink("lay/index.json");
        if (cases[i].version)
            put_text("lay/oci-layout", cases[i].version);
        if (cases[i].index)
            put_text("lay/index.json", cases[i].index);
        assert_failed(coras_layout_open("lay", CORAS_LAYOUT_READ, &t, &err), err, cases[i].code,
                      cases[i].message);
    }
}

static void a_missing_path_and_a_wrong_kind_are_named(void **state)
{
    static const struct {
        const char *path, *message;
        enum coras_layout_mode mode;
        int code;
    } cases[] = {
        {"no", "failed to find path \"no\": stat no: no such file or directory", CORAS_LAYOUT_READ,
         CORAS_ERR_NOT_FOUND},
        {"text", "\"text\" does not look like a tar archive: unexpected EOF", CORAS_LAYOUT_READ,
         CORAS_ERR_UNSAFE_ARCHIVE},
        {"empty",
         "invalid OCI Image Layout: failed to open OCI layout file: open oci-layout: file does not "
         "exist",
         CORAS_LAYOUT_READ, CORAS_ERR_CONFIG},
        {"fifo", "fifo: neither a directory nor a file", CORAS_LAYOUT_READ, CORAS_ERR_CONFIG},
    };
    (void)state;
    put_text("text", "hello world");
    put_text("empty", "");
    assert_int_equal(mkfifo("fifo", 0644), 0);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_target *t = NULL;
        assert_failed(coras_layout_open(cases[i].path, cases[i].mode, &t, &err), err, cases[i].code,
                      cases[i].message);
    }
    coras_auto(coras_error) err = NULL;
    coras_target *t = NULL;
    int rc = coras_layout_open("text", CORAS_LAYOUT_WRITE, &t, &err);
    assert_failed(rc, err, CORAS_ERR_IO, NULL);
    assert_non_null(strstr(coras_error_message(err), "/text: not a directory"));
}

static void an_index_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    coras_auto(coras_error) err = NULL;
    coras_target *t = NULL;
    assert_int_equal(mkdir("lay", 0755), 0);
    put_text("lay/oci-layout", VERSION);
    put_text("lay/index.json", EMPTY_INDEX);
    assert_int_equal(truncate("lay/index.json", CORAS_LIMIT_INDEX_JSON + 1), 0);
    assert_failed(coras_layout_open("lay", CORAS_LAYOUT_READ, &t, &err), err, CORAS_ERR_TOO_LARGE,
                  NULL);
}

/* ---- content and names ---- */

static void what_is_pushed_is_there(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) layer = describe(CORAS_MT_OCI_LAYER, "layer");
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptor) blob = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) err = NULL;
    coras_auto_free char *path = blob_path(&layer);
    coras_auto_free char *bytes = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    assert_text(path, "layer");
    assert_int_equal(mode_of(path), 0444);
    assert_int_equal(push_text(t, "layer", &err), CORAS_PUSH_EXISTED);
    assert_ok(coras_resolve(t, "v1", &found, &err), err);
    assert_true(coras_digest_equal(&found.digest, &d.digest));
    assert_string_equal(coras_annotations_get(&found.annotations, CORAS_ANN_REF_NAME), "v1");
    assert_ok(coras_resolve(t, coras_digest_format(&layer.digest, text), &blob, &err), err);
    assert_string_equal(blob.media_type, CORAS_MT_OCTET_STREAM);
    assert_int_equal(blob.size, 5);
    assert_ok(coras_fetch_bytes(t, &layer, 100, &bytes, &err), err);
    assert_string_equal(bytes, "layer");
    assert_int_equal(rmdir("lay/ingest"), 0); /* nothing was left in it */
}

static void pieces_of_content_can_be_fetched(void **state)
{
    static const struct {
        int64_t offset, length;
        const char *expected;
    } cases[] = {{0, -1, "0123456789"}, {3, -1, "3456789"}, {3, 4, "3456"},
                 {9, 100, "9"},         {0, 0, ""},         {10, -1, ""}};
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCTET_STREAM, "0123456789");
    assert_int_equal(push_text(t, "0123456789", NULL), CORAS_PUSHED);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        const coras_sink sink = coras_sink_buf(&out);
        assert_ok(t->ops->fetch(t, &d, cases[i].offset, cases[i].length, &sink, &err), err);
        assert_string_equal(out.ptr, cases[i].expected);
    }
}

static void wrong_bytes_are_not_stored(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCTET_STREAM, "right");
    const coras_memory memory = {"wrong", 5};
    const coras_source source = coras_source_memory(&memory);
    const coras_blob_push push = {.desc = &d, .source = &source};
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) err2 = NULL;
    assert_failed(t->ops->push_blob(t, &push, &err), err, CORAS_ERR_DIGEST_MISMATCH,
                  "failed to ingest: mismatched digest");
    assert_false(has_content(t, &d));
    assert_int_equal(rmdir("lay/ingest"), 0);
    d.size = 5;
    assert_failed(t->ops->push_manifest(t, &d, "wrong", "v1", &err2), err2,
                  CORAS_ERR_DIGEST_MISMATCH, "mismatched digest");
    assert_tags(t, NULL, "");
}

static int promise_text(void *user, bool wait, coras_digest *ret, coras_error **err)
{
    const char *text = user;
    assert_true(wait);
    return coras_digest_of(CORAS_SHA256, text, strlen(text), ret, err);
}

static void a_promised_digest_is_checked(void **state)
{
    static const struct {
        const char *promised;
        int rc;
    } cases[] = {
        {"other", CORAS_ERR_CHANGED}, {"bytes", CORAS_PUSHED}, {"bytes", CORAS_PUSH_EXISTED}};
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        char promised[6];
        memcpy(promised, cases[i].promised, sizeof(promised));
        const coras_digest_promise promise = {promise_text, promised};
        const coras_descriptor d = {.size = 5};
        const coras_memory memory = {"bytes", 5};
        const coras_source source = coras_source_memory(&memory);
        const coras_blob_push push = {.desc = &d, .promise = &promise, .source = &source};
        assert_int_equal(t->ops->push_blob(t, &push, NULL), cases[i].rc);
        assert_int_equal(rmdir("lay/ingest"), 0);
    }
}

static void damaged_blobs_are_noticed(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) layer = describe(CORAS_MT_OCI_LAYER, "layer");
    coras_auto_value(coras_descriptor) ignored = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *manifest_path = blob_path(&d), *layer_path = blob_path(&layer);
    coras_auto_free char *bytes = NULL;
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) err2 = NULL;
    coras_auto(coras_error) err3 = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    assert_int_equal(chmod(manifest_path, 0644), 0); /* who is not root could not write */
    assert_int_equal(truncate(manifest_path, d.size - 1), 0);
    assert_failed(coras_fetch_manifest(t, "v1", NULL, &ignored, &bytes, &err), err,
                  CORAS_ERR_SIZE_MISMATCH, NULL);
    assert_non_null(strstr(coras_error_message(err), coras_digest_format(&d.digest, text)));
    assert_int_equal(truncate(manifest_path, d.size), 0); /* ends in NUL now */
    assert_failed(coras_fetch_manifest(t, "v1", NULL, &ignored, &bytes, &err2), err2,
                  CORAS_ERR_DIGEST_MISMATCH, NULL);
    put_text("outside", "layer");
    assert_int_equal(unlink(layer_path), 0);
    assert_int_equal(symlink("../../../outside", layer_path), 0);
    assert_failed(coras_fetch_bytes(t, &layer, 100, &bytes, &err3), err3, CORAS_ERR_UNSAFE_PATH,
                  NULL);
}

static void a_blob_that_is_no_file_does_not_hang(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCTET_STREAM, "layer");
    coras_auto_free char *path = blob_path(&d);
    coras_auto_free char *bytes = NULL;
    coras_auto(coras_error) err = NULL;
    assert_int_equal(mkdir("lay/blobs/sha256", 0755), 0);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_failed(coras_fetch_bytes(t, &d, 100, &bytes, &err), err, CORAS_ERR_UNSAFE_PATH, NULL);
}

static void tags_move_and_manifests_stay_listed(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) a = push_artifact(t, "latest", "a", NULL);
    coras_auto_value(coras_descriptor) b = push_artifact(t, NULL, "b", NULL);
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) err = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    assert_ok(t->ops->tag(t, &b, NULL, "latest", &err), err);
    assert_ok(t->ops->tag(t, &b, NULL, "example.com/x:1.0+build", &err), err);
    assert_ok(t->ops->tag(t, &b, NULL, "v10", &err), err);
    assert_ok(t->ops->tag(t, &b, NULL, "v2", &err), err);
    assert_tags(t, NULL, "example.com/x:1.0+build latest v10 v2");
    assert_tags(t, "latest", "v10 v2");
    assert_tags(t, "v2", "");
    assert_ok(coras_resolve(t, "latest", &found, &err), err);
    assert_true(coras_digest_equal(&found.digest, &b.digest));
    coras_descriptor_clear(&found);
    assert_ok(coras_resolve(t, coras_digest_format(&a.digest, text), &found, &err), err);
    assert_string_equal(found.media_type, CORAS_MT_OCI_MANIFEST);
    assert_int_equal(found.annotations.len, 0);
}

static void tagging_what_is_not_there_fails(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCI_MANIFEST, "{}");
    coras_auto(coras_error) err = NULL;
    assert_failed(t->ops->tag(t, &d, NULL, "v1", &err), err, CORAS_ERR_NOT_FOUND, NULL);
    assert_text("lay/index.json", EMPTY_INDEX);
}

/* ---- what others wrote ---- */

static void full_names_of_other_tools_are_found_by_tag(void **state)
{
    static const struct {
        const char *reference;
        int rc;
    } cases[] = {
        {"docker.io/library/x:1", 0},     {"1", 0},
        {"both", CORAS_ERR_NOT_FOUND},    {"x:1", CORAS_ERR_NOT_FOUND},
        {"library", CORAS_ERR_NOT_FOUND},
    };
#define ENTRY(name)                                                                                \
    "{\"mediaType\":\"" CORAS_MT_OCI_MANIFEST "\",\"digest\":\"" CORAS_EMPTY_JSON_DIGEST           \
    "\",\"size\":2,\"annotations\":{\"" CORAS_ANN_REF_NAME "\":\"" name "\"}}"
    (void)state;
    assert_int_equal(mkdir("lay", 0755), 0);
    put_text("lay/oci-layout", VERSION);
    put_text("lay/index.json", "{\"manifests\":[" ENTRY("docker.io/library/x:1") "," ENTRY(
                                   "a.io/x:both") "," ENTRY("b.io/x:both") "]}");
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_READ);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
        assert_int_equal(coras_resolve(t, cases[i].reference, &d, NULL), cases[i].rc);
    }
}

static void what_is_not_understood_is_kept(void **state)
{
#define FOREIGN                                                                                    \
    "{\"mediaType\":\"x/unknown\",\"digest\":\"blake3:"                                            \
    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":7,\"odd\":[1e3]}"
    (void)state;
    assert_int_equal(mkdir("lay", 0755), 0);
    put_text("lay/oci-layout", VERSION);
    put_text("lay/index.json",
             "{ \"schemaVersion\": 2, \"odd\": {\"n\": 1.50},\n\"manifests\": [ " FOREIGN " ],"
             "\"annotations\":{\"k\":\"v\"}}");
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = push_artifact(t, "v1", "layer", NULL);
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free char *expected = coras_asprintf(
        "{\"schemaVersion\":2,\"odd\":{\"n\":1.50},\"manifests\":[" FOREIGN
        ",{\"mediaType\":\"" CORAS_MT_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%lld,"
        "\"annotations\":{\"" CORAS_ANN_REF_NAME "\":\"v1\"}}],\"annotations\":{\"k\":\"v\"}}",
        coras_digest_format(&d.digest, text), (long long)d.size);
    assert_text("lay/index.json", expected);
}

static void an_empty_list_may_be_null(void **state)
{
    (void)state;
    assert_int_equal(mkdir("lay", 0755), 0);
    put_text("lay/oci-layout", VERSION "\n");
    put_text("lay/index.json", "{\"schemaVersion\":2,\"manifests\":null}");
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    assert_tags(t, NULL, "");
    coras_auto_value(coras_descriptor) d = push_artifact(t, "v1", "layer", NULL);
    assert_tags(t, NULL, "v1");
}

/* ---- referrers and deletion ---- */

static void referrers_are_found_at_any_depth_and_by_type(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) root = push_artifact(t, "v1", "layer", NULL);
    coras_auto_value(coras_descriptor) first = push_artifact(t, NULL, "sbom", &root);
    coras_auto_value(coras_descriptor) second = push_artifact(t, NULL, "sig", &first);
    coras_auto(coras_error) err = NULL;
    coras_auto_buf found = CORAS_BUF_UNLIMITED, other = CORAS_BUF_UNLIMITED;
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free char *expected =
        coras_asprintf("%s test/type", coras_digest_format(&first.digest, text));

    assert_ok(coras_list_referrers(t, &root, NULL, join_referrer, &found, &err), err);
    assert_string_equal(found.ptr, expected);
    assert_ok(coras_list_referrers(t, &root, "no/type", join_referrer, &other, &err), err);
    assert_string_equal(other.ptr, "");
    assert_ok(coras_list_referrers(t, &second, NULL, join_referrer, &other, &err), err);
    assert_string_equal(other.ptr, "");
}

static void deleting_takes_tags_referrers_and_garbage(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) root = push_artifact(t, "v1", "shared", NULL);
    coras_auto_value(coras_descriptor) sbom = push_artifact(t, NULL, "sbom", &root);
    coras_auto_value(coras_descriptor) sig = push_artifact(t, NULL, "sig", &sbom);
    coras_auto_value(coras_descriptor) child = push_artifact(t, NULL, "child", NULL);
    coras_auto_value(coras_descriptor) kept = push_artifact(t, "kept", "shared2", NULL);
    coras_auto_value(coras_descriptor) index = push_index(t, "idx", &child, &kept);
    coras_auto_value(coras_descriptor) blob = describe(CORAS_MT_OCI_LAYER, "sig");
    coras_auto_value(coras_descriptor) shared = describe(CORAS_MT_OCI_LAYER, CORAS_EMPTY_JSON);
    coras_auto(coras_error) err = NULL;

    assert_ok(t->ops->tag(t, &root, NULL, "also", &err), err);
    assert_ok(coras_delete(t, &root, &err), err);
    assert_tags(t, NULL, "idx kept");
    assert_false(has_content(t, &root));
    assert_false(has_content(t, &sbom));
    assert_false(has_content(t, &sig));
    assert_false(has_content(t, &blob));
    assert_true(has_content(t, &shared)); /* the others' config */

    assert_ok(coras_delete(t, &index, &err), err);
    assert_tags(t, NULL, "kept");
    assert_false(has_content(t, &child));
    assert_true(has_content(t, &kept)); /* it has a tag of its own */
    assert_failed(coras_delete(t, &index, &err), err, CORAS_ERR_NOT_FOUND, "not found");
}

static struct coras_layout *layout_of(coras_target *t)
{
    return (struct coras_layout *)t;
}

static void a_name_goes_and_its_manifest_stays(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) a = push_artifact(t, "v1", "a", NULL);
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) err = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    assert_ok(t->ops->tag(t, &a, NULL, "v2", &err), err);
    assert_ok(coras_layout_untag(layout_of(t), "v1", &err), err);
    assert_tags(t, NULL, "v2");
    assert_ok(coras_layout_untag(layout_of(t), "v2", &err), err);
    assert_tags(t, NULL, "");
    assert_ok(coras_resolve(t, coras_digest_format(&a.digest, text), &found, &err), err);
    assert_failed(coras_layout_untag(layout_of(t), "v2", &err), err, CORAS_ERR_NOT_FOUND, NULL);
}

static void damage_does_not_hide_what_is_there(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) good = push_artifact(t, "good", "good", NULL);
    coras_auto_value(coras_descriptor) bad = push_artifact(t, "bad", "bad", NULL);
    coras_auto_value(coras_descriptor) layer = describe(CORAS_MT_OCI_LAYER, "good");
    coras_auto_value(coras_descriptor) lost = describe(CORAS_MT_OCI_LAYER, "bad");
    coras_auto(coras_layout_graph) graph = NULL;
    coras_auto(coras_error) damage = NULL;
    coras_auto(coras_error) err = NULL;
    coras_auto_free char *path = blob_path(&bad);
    struct coras_layout *l = layout_of(t);

    assert_ok(coras_layout_graph_of_what_is_there(l, &l->index, &graph, &damage, &err), err);
    assert_null(damage);
    assert_non_null(coras_layout_graph_find(graph, &lost.digest));
    coras_layout_graph_free(coras_steal(&graph));
    assert_int_equal(unlink(path), 0);
    put_text(path, "{}");
    assert_ok(coras_layout_graph_of_what_is_there(l, &l->index, &graph, &damage, &err), err);
    assert_int_equal(coras_error_code(damage), CORAS_ERR_SIZE_MISMATCH);
    assert_non_null(coras_layout_graph_find(graph, &bad.digest)); /* named, whatever it is */
    assert_null(coras_layout_graph_find(graph, &lost.digest));
    assert_non_null(coras_layout_graph_find(graph, &good.digest));
    assert_non_null(coras_layout_graph_find(graph, &layer.digest));
}

/* ---- writers ---- */

struct tagger {
    const char *path;
    char prefix;
};

static void *tag_many(void *user)
{
    const struct tagger *me = user;
    coras_target *t = open_layout(me->path, CORAS_LAYOUT_WRITE);
    for (int i = 0; i < 20; i++) {
        coras_auto_free char *name = coras_asprintf("%c%02d", me->prefix, i);
        coras_descriptor d = push_artifact(t, name, name, NULL);
        coras_descriptor_clear(&d);
    }
    coras_target_close(t);
    return NULL;
}

static void writers_at_the_same_time_lose_nothing(void **state)
{
    struct tagger taggers[] = {{"lay", 'a'}, {"lay", 'b'}, {"lay", 'c'}};
    pthread_t threads[CORAS_ARRAY_LEN(taggers)];
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(taggers); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tag_many, &taggers[i]), 0);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(taggers); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_READ);
    assert_ok(t->ops->tags(t, NULL, join_tag, &out, NULL), NULL);
    assert_int_equal(out.len, 60 * 4 - 1);
}

static void changes_of_others_are_seen(void **state)
{
    (void)state;
    coras_auto(coras_target) reader = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto(coras_target) writer = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = push_artifact(writer, "v1", "layer", NULL);
    assert_tags(reader, NULL, "v1");
}

static void a_download_lands_under_its_digest(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCTET_STREAM, "landed");
    coras_auto_value(coras_landing) landing = {.dirfd = -1};
    coras_auto_free char *path = blob_path(&d);
    coras_auto(coras_error) err = NULL;
    char hex[CORAS_DIGEST_TEXT_MAX];
    assert_ok(t->ops->land(t, &d, &landing, &err), err);
    assert_non_null(strstr(landing.partial, coras_digest_hex(&d.digest, hex)));
    coras_auto_fd fd = openat(landing.dirfd, landing.partial, O_WRONLY | O_CREAT, 0600);
    assert_ok(coras_write_full(fd, "landed", 6, &err), err);
    assert_ok(landing.commit(&landing, &err), err);
    assert_text(path, "landed");
    assert_int_equal(mode_of(path), 0444);
}

/* ---- archives ---- */

static const char layer_text[] = "hello";
#define LAYER_PATH "blobs/sha256/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static int open_archive(const struct archive_member *members, size_t len, coras_target **ret,
                        coras_error **err)
{
    coras_auto_buf tar = CORAS_BUF_UNLIMITED;
    put_archive(&tar, members, len);
    put_bytes("lay.tar", tar.ptr, tar.len);
    return coras_layout_open("lay.tar", CORAS_LAYOUT_READ, ret, err);
}

/* Both wait for the lock of one partial file: who is second finds it published. */
static void two_downloads_of_one_blob_land(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCTET_STREAM, "landed");
    coras_auto_free char *path = blob_path(&d);
    coras_landing landings[2];
    coras_auto(coras_error) err = NULL;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(landings); i++)
        assert_ok(t->ops->land(t, &d, &landings[i], &err), err);
    coras_auto_fd fd = openat(landings[0].dirfd, landings[0].partial, O_WRONLY | O_CREAT, 0600);
    assert_ok(coras_write_full(fd, "landed", 6, &err), err);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(landings); i++) {
        assert_ok(landings[i].commit(&landings[i], &err), err);
        coras_landing_clear(&landings[i]);
        assert_text(path, "landed");
        assert_int_equal(mode_of(path), 0444);
    }
}

static void nothing_is_written_through_a_link(void **state)
{
    (void)state;
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_target) other = open_layout("other", CORAS_LAYOUT_WRITE);
    assert_int_equal(mkdir("lay", 0755), 0);
    assert_int_equal(symlink("../new", "lay/oci-layout"), 0);
    assert_int_equal(symlink("../other/index.json", "lay/index.json"), 0);
    coras_auto(coras_target) t = open_layout("lay", CORAS_LAYOUT_WRITE);
    coras_auto_value(coras_descriptor) d = push_artifact(t, "v1", "layer", NULL);
    assert_text("other/index.json", EMPTY_INDEX);
    assert_false(path_exists("new"));
    assert_text("lay/oci-layout", VERSION);
    assert_tags(t, NULL, "v1");

    assert_int_equal(mkdir("trap", 0755), 0);
    assert_int_equal(mkdir("elsewhere", 0755), 0);
    assert_int_equal(symlink("../elsewhere", "trap/blobs"), 0);
    coras_auto(coras_target) trap = open_layout("trap", CORAS_LAYOUT_WRITE);
    assert_int_equal(push_text(trap, "layer", &err), CORAS_ERR_UNSAFE_PATH);
    assert_int_equal(rmdir("elsewhere"), 0);
}

static void archives_are_read_in_place(void **state)
{
    static const struct archive_member members[] = {
        DIR_MEMBER("./blobs/", 0755),
        FILE_MEMBER("./" LAYER_PATH, layer_text),
        SYMLINK_MEMBER("repositories", "elsewhere"), /* another tool's, and none of ours */
        FILE_MEMBER("./index.json", EMPTY_INDEX),
        FILE_MEMBER("./oci-layout", VERSION),
    };
    (void)state;
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_target) t = NULL;
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCI_LAYER, layer_text);
    coras_auto_free char *bytes = NULL;
    coras_auto_fd fd = -1;
    int64_t offset;
    char direct[5];
    assert_ok(open_archive(members, CORAS_ARRAY_LEN(members), &t, &err), err);
    assert_ok(coras_fetch_bytes(t, &d, 100, &bytes, &err), err);
    assert_string_equal(bytes, layer_text);
    assert_ok(t->ops->open_local(t, &d, &fd, &offset, &err), err);
    assert_int_equal(pread(fd, direct, 5, offset), 5);
    assert_memory_equal(direct, layer_text, 5);
    assert_int_equal(push_text(t, "new", &err), CORAS_ERR_UNSUPPORTED);
}

static void archives_with_two_meanings_are_refused(void **state)
{
    static const struct {
        const char *message;
        struct archive_member members[3];
    } cases[] = {
        {"\"lay.tar\" does not look like a tar archive: member \"oci-layout\": occurs twice",
         {FILE_MEMBER("oci-layout", VERSION), FILE_MEMBER("./oci-layout", VERSION)}},
        {"\"lay.tar\" does not look like a tar archive: member \"../x\": name leads out of the "
         "archive",
         {FILE_MEMBER("../x", "")}},
        {"\"lay.tar\" does not look like a tar archive: member \"blobs/../index.json\": name leads "
         "out of the archive",
         {FILE_MEMBER("blobs/../index.json", "")}},
        {"\"lay.tar\" does not look like a tar archive: member \"index.json\": not a regular file",
         {SYMLINK_MEMBER("index.json", "/etc/passwd")}},
        {"\"lay.tar\" does not look like a tar archive: member \"blobs/sha256/x\": not a regular "
         "file",
         {HARD_MEMBER("blobs/sha256/x", "oci-layout")}},
        {"\"lay.tar\" does not look like a tar archive: unexpected EOF",
         {{CORAS_TAR_FILE, "big", "", 0644, NULL, 1 << 30}}},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        coras_auto(coras_target) t = NULL;
        assert_failed(open_archive(cases[i].members, 3, &t, &err), err, CORAS_ERR_UNSAFE_ARCHIVE,
                      cases[i].message);
    }
}

static void a_compressed_archive_gets_advice(void **state)
{
    (void)state;
    static const struct archive_member members[] = {FILE_MEMBER("oci-layout", VERSION)};
    coras_auto_buf tar = CORAS_BUF_UNLIMITED, gz = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    coras_target *t = NULL;
    put_archive(&tar, members, 1);
    compress_into(&gz, tar.ptr, tar.len);
    put_bytes("lay.tar", gz.ptr, gz.len);
    assert_failed(coras_layout_open("lay.tar", CORAS_LAYOUT_READ, &t, &err), err,
                  CORAS_ERR_UNSAFE_ARCHIVE, NULL);
    assert_string_equal(coras_error_hint(err),
                        "the archive is compressed with gzip: decompress it first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(writing_makes_an_empty_layout),
        SCRATCH_TEST(opening_tells_what_is_wrong),
        SCRATCH_TEST(a_missing_path_and_a_wrong_kind_are_named),
        SCRATCH_TEST(an_index_beyond_the_limit_is_refused),
        SCRATCH_TEST(what_is_pushed_is_there),
        SCRATCH_TEST(pieces_of_content_can_be_fetched),
        SCRATCH_TEST(wrong_bytes_are_not_stored),
        SCRATCH_TEST(a_promised_digest_is_checked),
        SCRATCH_TEST(damaged_blobs_are_noticed),
        SCRATCH_TEST(a_blob_that_is_no_file_does_not_hang),
        SCRATCH_TEST(tags_move_and_manifests_stay_listed),
        SCRATCH_TEST(tagging_what_is_not_there_fails),
        SCRATCH_TEST(full_names_of_other_tools_are_found_by_tag),
        SCRATCH_TEST(what_is_not_understood_is_kept),
        SCRATCH_TEST(an_empty_list_may_be_null),
        SCRATCH_TEST(referrers_are_found_at_any_depth_and_by_type),
        SCRATCH_TEST(deleting_takes_tags_referrers_and_garbage),
        SCRATCH_TEST(a_name_goes_and_its_manifest_stays),
        SCRATCH_TEST(damage_does_not_hide_what_is_there),
        SCRATCH_TEST(writers_at_the_same_time_lose_nothing),
        SCRATCH_TEST(changes_of_others_are_seen),
        SCRATCH_TEST(a_download_lands_under_its_digest),
        SCRATCH_TEST(two_downloads_of_one_blob_land),
        SCRATCH_TEST(nothing_is_written_through_a_link),
        SCRATCH_TEST(archives_are_read_in_place),
        SCRATCH_TEST(archives_with_two_meanings_are_refused),
        SCRATCH_TEST(a_compressed_archive_gets_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
