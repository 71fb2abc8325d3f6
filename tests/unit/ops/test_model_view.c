/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a model and parts of them, whichever way they are kept. */
#include "ops/models/view.h"

#include <stdio.h>
#include <sys/stat.h>

#include "codec/gzip.h"
#include "codec/tar.h"
#include "content.h"
#include "memory_target.h"
#include "scratch.h"

#define KIT_CONFIG "application/vnd.kitops.modelkit.config.v1+json"
#define KIT_TAR    "application/vnd.kitops.modelkit.model.v1.tar"
#define KIT_GZIP   "application/vnd.kitops.modelkit.model.v1.tar+gzip"
#define IMAGE_TAR  "application/vnd.oci.image.layer.v1.tar"

static void add_member(coras_buf *tar, const char *name, const char *text)
{
    const coras_tar_entry entry = {.type = CORAS_TAR_FILE,
                                   .name = name,
                                   .link = "",
                                   .mode = 0640,
                                   .size = (int64_t)strlen(text),
                                   .mtime_s = 1700000000};
    static const char zeros[CORAS_TAR_END_BYTES];

    assert_ok(coras_tar_put_header(tar, &entry, NULL), NULL);
    coras_buf_puts(tar, text);
    coras_buf_put(tar, zeros, coras_tar_padding(entry.size));
}

static void end_archive(coras_buf *tar)
{
    static const char zeros[CORAS_TAR_END_BYTES];

    coras_buf_put(tar, zeros, sizeof(zeros));
}

static void compress(const coras_buf *from, coras_buf *to)
{
    const coras_sink sink = coras_sink_buf(to);
    coras_auto(coras_gzip) gz = NULL;

    assert_ok(coras_gzip_new(1, &sink, &gz, NULL), NULL);
    assert_ok(coras_gzip_write(gz, from->ptr, from->len, NULL), NULL);
    assert_ok(coras_gzip_finish(gz, NULL), NULL);
}

static void put_blob(coras_target *t, const void *data, size_t len, const char *type,
                     coras_descriptor *ret)
{
    const coras_memory memory = {data, len};
    const coras_source source = coras_source_memory(&memory);

    assert_ok(coras_descriptor_of_bytes(type, data, len, ret, NULL), NULL);
    const coras_blob_push push = {.desc = ret, .source = &source};
    assert_true(t->ops->push_blob(t, &push, NULL) >= 0);
}

/* A manifest of these layers under the tag "m". */
static void put_manifest(coras_target *t, const char *config_type, const coras_descriptors *layers)
{
    coras_auto_value(coras_manifest) m = {.kind = CORAS_KIND_IMAGE, .has_config = true};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    m.media_type = coras_strdup(CORAS_MT_OCI_MANIFEST);
    put_blob(t, "{}", 2, config_type, &m.config);
    for (size_t i = 0; i < layers->len; i++)
        assert_ok(coras_descriptors_add(&m.layers, &layers->items[i], NULL), NULL);
    assert_ok(coras_manifest_write(&m, &out, NULL), NULL);
    coras_auto_value(coras_descriptor) d = describe(CORAS_MT_OCI_MANIFEST, out.ptr);
    assert_ok(t->ops->push_manifest(t, &d, out.ptr, "m", NULL), NULL);
}

static coras_target *open_memory(void)
{
    coras_target *t = NULL;

    assert_ok(coras_memory_target_new(&t, NULL), NULL);
    return t;
}

static void add_layer(coras_target *t, coras_descriptors *layers, const coras_buf *bytes,
                      const char *type)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    put_blob(t, bytes->ptr, bytes->len, type, &d);
    assert_ok(coras_descriptors_add(layers, &d, NULL), NULL);
}

static coras_model *open_model(coras_target *t)
{
    coras_auto(coras_error) err = NULL;
    coras_model *m = NULL;

    assert_ok(coras_model_open(t, "m", NULL, NULL, &m, &err), err);
    return m;
}

/* "path=content path=content", each read from its second byte on. */
static void assert_files(coras_model *m, const char *expected)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < m->files.len; i++) {
        const coras_model_file *f = &m->files.items[i];
        char text[64] = "";
        assert_true(f->size >= 1 && f->size < (int64_t)sizeof(text));
        assert_ok(coras_model_read(m, i, 1, (size_t)f->size - 1, text, NULL), NULL);
        coras_buf_printf(&out, "%s%s=%s", out.len ? " " : "", f->path, text);
    }
    assert_string_equal(out.ptr, expected);
}

static void raw_layers_are_files_and_documents_are_verified(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_memory();
    coras_auto_value(coras_descriptor) d = describe("a/b", "0123456789");
    coras_auto_value(coras_descriptors) layers = {0};
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;
    bool verified = false;

    assert_true(push_text(t, "0123456789", NULL) >= 0);
    assert_ok(coras_annotations_set(&d.annotations, "org.opencontainers.image.title", "sub/./a.bin",
                                    NULL),
              NULL);
    assert_ok(coras_descriptors_add(&layers, &d, NULL), NULL);
    put_manifest(t, "application/x", &layers);
    coras_auto(coras_model) m = open_model(t);
    assert_int_equal(m->package.kind, CORAS_PACKAGE_ORAS);
    assert_files(m, "sub/a.bin=123456789");
    assert_ok(coras_model_document(m, 0, 10, &bytes, &verified, NULL), NULL);
    assert_string_equal(bytes.ptr, "0123456789");
    assert_true(verified);
    assert_int_equal(coras_model_document(m, 0, 9, &bytes, NULL, NULL), CORAS_ERR_TOO_LARGE);
    assert_int_equal(coras_model_read(m, 0, 5, 6, bytes.ptr, NULL), CORAS_ERR_INVALID_ARGUMENT);
}

static void members_of_archives_are_files(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_memory();
    coras_auto_value(coras_descriptors) layers = {0};
    coras_auto_buf plain = CORAS_BUF_UNLIMITED, other = CORAS_BUF_UNLIMITED,
                   packed = CORAS_BUF_UNLIMITED;

    add_member(&plain, "w/model.safetensors", "abcdef");
    add_member(&plain, "../escapes", "x");
    add_member(&plain, "config.json", "{}");
    end_archive(&plain);
    add_member(&other, "z/tokenizer.json", "[1,2]");
    add_member(&other, "z/last", "xyz");
    end_archive(&other);
    compress(&other, &packed);
    add_layer(t, &layers, &plain, KIT_TAR);
    add_layer(t, &layers, &packed, KIT_GZIP);
    put_manifest(t, KIT_CONFIG, &layers);
    coras_auto(coras_model) m = open_model(t);
    assert_int_equal(m->package.kind, CORAS_PACKAGE_KITOPS);
    assert_files(m, "w/model.safetensors=bcdef config.json=} z/tokenizer.json=1,2] z/last=yz");
    assert_int_equal(m->files.items[0].mode, 0640);
    assert_int_equal(m->files.items[0].mtime.tv_sec, 1700000000);
    assert_int_equal(m->warnings.len, 1);
}

static void layers_of_images_are_merged(void **state)
{
    (void)state;
    coras_auto(coras_target) t = open_memory();
    coras_auto_value(coras_descriptors) layers = {0};
    coras_auto_buf lower = CORAS_BUF_UNLIMITED, upper = CORAS_BUF_UNLIMITED;

    add_member(&lower, "etc/passwd", "root");
    add_member(&lower, "models/old.bin", "old");
    add_member(&lower, "models/a/1", "one");
    add_member(&lower, "models/a/2", "two");
    add_member(&lower, "models/kept", "kept");
    end_archive(&lower);
    add_member(&upper, "models/.wh.old.bin", "");
    add_member(&upper, "models/a/.wh..wh..opq", "");
    add_member(&upper, "models/a/3", "three");
    add_member(&upper, "models/kept", "KEPT");
    end_archive(&upper);
    add_layer(t, &layers, &lower, IMAGE_TAR);
    add_layer(t, &layers, &upper, IMAGE_TAR);
    put_manifest(t, CORAS_MT_OCI_CONFIG, &layers);
    coras_auto(coras_model) m = open_model(t);
    assert_int_equal(m->package.kind, CORAS_PACKAGE_MODELCAR);
    assert_files(m, "kept=EPT a/3=hree");
}

static void local_files_are_a_model_but_for_what_leads_out(void **state)
{
    (void)state;
    const char *const blobs = "hub/models--a--b/blobs";

    assert_int_equal(mkdir("outside", 0755), 0);
    put_text("outside/secret", "secret");
    assert_int_equal(mkdir("hub", 0755), 0);
    assert_int_equal(mkdir("hub/models--a--b", 0755), 0);
    assert_int_equal(mkdir(blobs, 0755), 0);
    assert_int_equal(mkdir("hub/models--a--b/snapshots", 0755), 0);
    assert_int_equal(mkdir("hub/models--a--b/snapshots/r", 0755), 0);
    put_text("hub/models--a--b/blobs/x", "weights");
    put_text("hub/models--a--b/snapshots/r/a.json", "{1}");
    assert_int_equal(symlink("../../blobs/x", "hub/models--a--b/snapshots/r/w"), 0);
    assert_int_equal(symlink("../../../../outside/secret", "hub/models--a--b/snapshots/r/s"), 0);
    coras_auto(coras_model) dir = NULL;
    coras_auto(coras_model) file = NULL;
    assert_ok(coras_model_open_path("hub/models--a--b/snapshots/r", NULL, &dir, NULL), NULL);
    assert_files(dir, "a.json=1} w=eights");
    assert_int_equal(dir->warnings.len, 1);
    assert_ok(coras_model_open_path("hub/models--a--b/snapshots/r/w", NULL, &file, NULL), NULL);
    assert_files(file, "w=eights");
    assert_int_equal(coras_model_open_path("nowhere", NULL, &file, NULL), CORAS_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_layers_are_files_and_documents_are_verified),
        cmocka_unit_test(members_of_archives_are_files),
        cmocka_unit_test(layers_of_images_are_merged),
        SCRATCH_TEST(local_files_are_a_model_but_for_what_leads_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
