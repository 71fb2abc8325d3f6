/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: strict reading, byte-exact writing. */
#include "oci/manifest.h"

#include "oci/digest.h"
#include "support.h"

static const char golden_g1[] =
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+js"
    "on\",\"artifactType\":\"application/vnd.unknown.artifact.v1\",\"config\":{\"medi"
    "aType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"sha256:44136fa355b3"
    "678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2,\"data\":\"e"
    "30=\"},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"d"
    "igest\":\"sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace"
    "2efcde9\",\"size\":11,\"annotations\":{\"org.opencontainers.image.title\":\"hi.t"
    "xt\"}}],\"annotations\":{\"org.opencontainers.image.created\":\"2024-01-01T00:"
    "00:00Z\"}}";

static const char golden_g2[] =
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+js"
    "on\",\"artifactType\":\"application/vnd.unknown.artifact.v1\",\"config\":{\"medi"
    "aType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"sha256:44136fa355b3"
    "678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2,\"data\":\"e"
    "30=\"},\"layers\":[{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest"
    "\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff"
    "8a\",\"size\":2,\"data\":\"e30=\"}],\"annotations\":{\"org.opencontainers.image.cr"
    "eated\":\"2024-01-01T00:00:00Z\"}}";

static const char golden_g8[] =
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+js"
    "on\",\"artifactType\":\"application/vnd.unknown.artifact.v1\",\"config\":{\"medi"
    "aType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"sha256:44136fa355b3"
    "678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2,\"annotati"
    "ons\":{\"ck\":\"cv\"},\"data\":\"e30=\"},\"layers\":[{\"mediaType\":\"application/vnd."
    "oci.image.layer.v1.tar\",\"digest\":\"sha256:b94d27b9934d3e08a52e52d7da7dabf"
    "ac484efe37a5380ee9088f7ace2efcde9\",\"size\":11,\"annotations\":{\"fk\":\"fv\",\"o"
    "rg.opencontainers.image.title\":\"hi.txt\"}},{\"mediaType\":\"application/vnd."
    "oci.image.layer.v1.tar\",\"digest\":\"sha256:abc6fd595fc079d3114d4b71a4d84b1"
    "d1d0f79df1e70f8813212f2a65d8916df\",\"size\":4,\"annotations\":{\"org.opencont"
    "ainers.image.title\":\"renamed.txt\"}}],\"annotations\":{\"a\":\"first\",\"org.ope"
    "ncontainers.image.created\":\"2024-01-01T00:00:00Z\",\"z\":\"last\"}}";

static const char golden_i1[] =
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\""
    ",\"artifactType\":\"a/b\",\"manifests\":[{\"mediaType\":\"application/vnd.oci.ima"
    "ge.manifest.v1+json\",\"digest\":\"sha256:fe89a8158797bd22015f3e3a58bc9956d8"
    "63b01633ab0b3125a5ea0897f1bfd7\",\"size\":579,\"platform\":{\"architecture\":\"a"
    "rm\",\"os\":\"linux\",\"os.version\":\"10.0\",\"variant\":\"v7\"},\"artifactType\":\"app"
    "lication/vnd.unknown.artifact.v1\"},{\"mediaType\":\"application/vnd.oci.ima"
    "ge.manifest.v1+json\",\"digest\":\"sha256:a8cd5a7e0f8f99d4d5ae9c82c49750a233"
    "562270b2a34ac8908a14a8c25e368b\",\"size\":585,\"artifactType\":\"application/v"
    "nd.unknown.artifact.v1\"}],\"annotations\":{\"k\":\"v\"}}";

struct golden {
    const char *text, *digest;
    size_t size;
};

static const struct golden goldens[] = {
    {golden_g1, "sha256:a8cd5a7e0f8f99d4d5ae9c82c49750a233562270b2a34ac8908a14a8c25e368b", 585},
    {golden_g2, "sha256:4543e784b17a9a8368d80c910b2e8b974869af9fc5e419d124a1d2f74c11e5e4", 535},
    {golden_g8, "sha256:c5cae364f35410a8a85c57f3c3734b0ad3bc8ebe1c296de2268914269ae9d88d", 854},
    {golden_i1, "sha256:c0f5925865fefecf9de6f317c627a62187425b29c3a121a190b2fdb5f5acc45c", 626},
};

static void set_descriptor(coras_descriptor *d, const char *type, const char *digest, int64_t size)
{
    coras_digest value;

    assert_ok(coras_digest_parse(digest, &value, NULL), NULL);
    assert_ok(coras_descriptor_set(d, type, &value, size, NULL), NULL);
}

static void annotate(coras_annotations *a, const char *key, const char *value)
{
    assert_ok(coras_annotations_set(a, key, value, NULL), NULL);
}

static void add_file(coras_manifest *m, const char *digest, int64_t size, const char *title)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    set_descriptor(&d, CORAS_MT_OCI_LAYER, digest, size);
    annotate(&d.annotations, CORAS_ANN_TITLE, title);
    if (strcmp(title, "hi.txt") == 0 && m->annotations.len)
        annotate(&d.annotations, "fk", "fv");
    assert_ok(coras_descriptors_add(&m->layers, &d, NULL), NULL);
}

#define HI  "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
#define BYE "sha256:abc6fd595fc079d3114d4b71a4d84b1d1d0f79df1e70f8813212f2a65d8916df"

static void start_image(coras_manifest *m)
{
    m->kind = CORAS_KIND_IMAGE;
    m->artifact_type = coras_strdup(CORAS_MT_UNKNOWN_ARTIFACT);
    m->has_config = true;
    assert_ok(coras_descriptor_empty(NULL, true, &m->config, NULL), NULL);
}

static void make_g1(coras_manifest *m)
{
    start_image(m);
    add_file(m, HI, 11, "hi.txt");
    annotate(&m->annotations, CORAS_ANN_CREATED, "2024-01-01T00:00:00Z");
}

static void make_g2(coras_manifest *m)
{
    start_image(m);
    assert_ok(coras_descriptors_add(&m->layers, &m->config, NULL), NULL);
    annotate(&m->annotations, CORAS_ANN_CREATED, "2024-01-01T00:00:00Z");
}

static void make_g8(coras_manifest *m)
{
    start_image(m);
    annotate(&m->annotations, CORAS_ANN_CREATED, "2024-01-01T00:00:00Z");
    annotate(&m->annotations, "z", "last");
    annotate(&m->annotations, "a", "first");
    annotate(&m->config.annotations, "ck", "cv");
    add_file(m, HI, 11, "hi.txt");
    add_file(m, BYE, 4, "renamed.txt");
}

static void make_i1(coras_manifest *m)
{
    coras_auto_value(coras_descriptor) arm = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptor) any = CORAS_DESCRIPTOR_INIT;

    m->kind = CORAS_KIND_INDEX;
    m->artifact_type = coras_strdup("a/b");
    set_descriptor(&arm, CORAS_MT_OCI_MANIFEST,
                   "sha256:fe89a8158797bd22015f3e3a58bc9956d863b01633ab0b3125a5ea0897f1bfd7", 579);
    arm.artifact_type = coras_strdup(CORAS_MT_UNKNOWN_ARTIFACT);
    arm.platform = coras_new(coras_platform);
    arm.platform->architecture = coras_strdup("arm");
    arm.platform->os = coras_strdup("linux");
    arm.platform->os_version = coras_strdup("10.0");
    arm.platform->variant = coras_strdup("v7");
    assert_ok(coras_descriptors_add(&m->layers, &arm, NULL), NULL);
    set_descriptor(&any, CORAS_MT_OCI_MANIFEST, goldens[0].digest, 585);
    any.artifact_type = coras_strdup(CORAS_MT_UNKNOWN_ARTIFACT);
    assert_ok(coras_descriptors_add(&m->layers, &any, NULL), NULL);
    annotate(&m->annotations, "k", "v");
}

static void writes_the_bytes_that_upstream_writes(void **state)
{
    static void (*const make[])(coras_manifest *) = {make_g1, make_g2, make_g8, make_i1};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(goldens); i++) {
        coras_auto_value(coras_manifest) made = {0};
        coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        char text[CORAS_DIGEST_TEXT_MAX];
        make[i](&made);
        assert_ok(coras_manifest_write(&made, &out, NULL), NULL);
        assert_string_equal(out.ptr, goldens[i].text);
        assert_int_equal(out.len, goldens[i].size);
        assert_ok(coras_descriptor_of_bytes("a/b", out.ptr, out.len, &d, NULL), NULL);
        assert_string_equal(coras_digest_format(&d.digest, text), goldens[i].digest);
    }
}

static void what_is_read_can_be_written_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(goldens); i++) {
        coras_auto_value(coras_manifest) m = {0};
        coras_auto(coras_error) err = NULL;
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        assert_ok(coras_manifest_parse(goldens[i].text, goldens[i].size, NULL, &m, &err), err);
        assert_ok(coras_manifest_write(&m, &out, NULL), NULL);
        assert_string_equal(out.ptr, goldens[i].text);
    }
}

#define D(type) "{\"mediaType\":\"" type "\",\"digest\":\"" HI "\",\"size\":11}"
#define CONFIG  "\"config\":" D("c/t")
#define SUBJECT "\"subject\":" D("s/t")
#define IMAGE   "\"mediaType\":\"" CORAS_MT_OCI_MANIFEST "\""
#define INDEX   "\"mediaType\":\"" CORAS_MT_OCI_INDEX "\""
#define V2      "\"schemaVersion\":2,"

static void reads_every_kind(void **state)
{
    static const struct {
        const char *in, *as;
        enum coras_manifest_kind kind;
        size_t layers, successors;
        const char *artifact_type;
    } cases[] = {
        {"{" V2 CONFIG ",\"layers\":[" D("l/t") "]}", CORAS_MT_OCI_MANIFEST, CORAS_KIND_IMAGE, 1, 2,
         "c/t"},
        {"{" V2 IMAGE "," CONFIG ",\"layers\":[]," SUBJECT ",\"artifactType\":\"x/y\"}", NULL,
         CORAS_KIND_IMAGE, 0, 2, "x/y"},
        {"{" IMAGE "," CONFIG ",\"layers\":[],\"artifactType\":\"\"}", "", CORAS_KIND_IMAGE, 0, 1,
         "c/t"},
        {"{" V2 "\"mediaType\":\"\"," CONFIG ",\"layers\":[]}", CORAS_MT_DOCKER_MANIFEST,
         CORAS_KIND_DOCKER_IMAGE, 0, 1, "c/t"},
        {"{" V2 INDEX ",\"manifests\":[" D("m/t") "," D("m/t") "]," SUBJECT "}", CORAS_MT_OCI_INDEX,
         CORAS_KIND_INDEX, 2, 3, NULL},
        {"{" V2 "\"manifests\":[]}", CORAS_MT_OCI_INDEX, CORAS_KIND_INDEX, 0, 0, NULL},
        {"{" V2 "\"manifests\":null,\"artifactType\":\"x/y\"}", CORAS_MT_OCI_INDEX,
         CORAS_KIND_INDEX, 0, 0, "x/y"},
        {"{" V2 "\"manifests\":[" D("m/t") "]}", CORAS_MT_DOCKER_LIST, CORAS_KIND_DOCKER_LIST, 1, 1,
         NULL},
        {"{\"artifactType\":\"x/y\",\"blobs\":[" D("b/t") "]," SUBJECT "}", CORAS_MT_OCI_ARTIFACT,
         CORAS_KIND_ARTIFACT, 1, 2, "x/y"},
        {"{\"artifactType\":\"x/y\"}", CORAS_MT_OCI_ARTIFACT, CORAS_KIND_ARTIFACT, 0, 0, "x/y"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_manifest) m = {0};
        coras_auto_free const coras_descriptor **successors = NULL;
        coras_auto(coras_error) err = NULL;
        size_t len;
        assert_ok(coras_manifest_parse(cases[i].in, strlen(cases[i].in), cases[i].as, &m, &err),
                  err);
        assert_int_equal(m.kind, cases[i].kind);
        assert_int_equal(m.layers.len, cases[i].layers);
        assert_ok(coras_manifest_successors(&m, &successors, &len, NULL), NULL);
        assert_int_equal(len, cases[i].successors);
        if (m.has_subject)
            assert_ptr_equal(successors[0], &m.subject);
        if (m.has_config)
            assert_ptr_equal(successors[m.has_subject], &m.config);
        const char *type = coras_manifest_effective_artifact_type(&m);
        if (cases[i].artifact_type)
            assert_string_equal(type, cases[i].artifact_type);
        else
            assert_null(type);
    }
}

static void refuses_bad_documents(void **state)
{
    static const struct {
        const char *in, *as;
        int rc;
        const char *message;
    } cases[] = {
        {"[]", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST, "not a JSON object"},
        {"null", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST, "not a JSON object"},
        {"", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST, NULL},
        {"<html>", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST, NULL},
        {"{" CONFIG ",\"layers\":[],\"layers\":[]}", CORAS_MT_OCI_MANIFEST,
         CORAS_ERR_INVALID_MANIFEST, NULL},
        {"{" CONFIG ",\"layers\":[]}{}", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST, NULL},
        {"\xef\xbb\xbf{" CONFIG ",\"layers\":[]}", CORAS_MT_OCI_MANIFEST,
         CORAS_ERR_INVALID_MANIFEST, NULL},
        {"{" IMAGE "," CONFIG ",\"layers\":[]}", CORAS_MT_OCI_INDEX, CORAS_ERR_INVALID_MANIFEST,
         "mediaType \"" CORAS_MT_OCI_MANIFEST "\" contradicts the type \"" CORAS_MT_OCI_INDEX
         "\" that it was fetched as"},
        {"{" CONFIG ",\"layers\":[]}", NULL, CORAS_ERR_INVALID_MANIFEST, "mediaType: missing"},
        {"{\"mediaType\":1," CONFIG ",\"layers\":[]}", CORAS_MT_OCI_MANIFEST,
         CORAS_ERR_INVALID_MANIFEST, "mediaType: not a string"},
        {"{\"layers\":[1],\"manifests\":[1]}", CORAS_MT_OCI_INDEX, CORAS_ERR_INVALID_MANIFEST,
         "ambiguous: both an image manifest and an index"},
        {"{" CONFIG ",\"layers\":[],\"manifests\":[1]}", CORAS_MT_OCI_MANIFEST,
         CORAS_ERR_INVALID_MANIFEST, "ambiguous: both an image manifest and an index"},
        {"{" CONFIG ",\"manifests\":{}}", CORAS_MT_OCI_INDEX, CORAS_ERR_INVALID_MANIFEST,
         "ambiguous: both an image manifest and an index"},
        {"{\"manifests\":[1]}", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST,
         "content does not fit the media type"},
        {"{" CONFIG ",\"layers\":[]}", CORAS_MT_OCI_INDEX, CORAS_ERR_INVALID_MANIFEST,
         "content does not fit the media type"},
        {"{}", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST, "config: missing"},
        {"{\"layers\":[]}", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST, "config: missing"},
        {"{\"config\":null,\"layers\":[]}", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST,
         "config: missing"},
        {"{\"config\":[],\"layers\":[]}", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST,
         "config: not a JSON object"},
        {"{" CONFIG ",\"layers\":{}}", CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST,
         "layers: not a list"},
        {"{" CONFIG ",\"layers\":[" D("a/b") ",1]}", CORAS_MT_OCI_MANIFEST,
         CORAS_ERR_INVALID_MANIFEST, "layers[1]: not a JSON object"},
        {"{" CONFIG ",\"layers\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:x\",\"size\":1}]}",
         CORAS_MT_OCI_MANIFEST, CORAS_ERR_INVALID_MANIFEST,
         "layers[0].digest: invalid checksum digest length"},
        {"{\"manifests\":{}}", CORAS_MT_OCI_INDEX, CORAS_ERR_INVALID_MANIFEST,
         "manifests: not a list"},
        {"{\"manifests\":[],\"subject\":1}", CORAS_MT_OCI_INDEX, CORAS_ERR_INVALID_MANIFEST,
         "subject: not a JSON object"},
        {"{\"manifests\":[],\"annotations\":{\"a\":[]}}", CORAS_MT_OCI_INDEX,
         CORAS_ERR_INVALID_MANIFEST, "annotations: value of \"a\" is no string"},
        {"{\"manifests\":[],\"artifactType\":{}}", CORAS_MT_OCI_INDEX, CORAS_ERR_INVALID_MANIFEST,
         "artifactType: not a string"},
        {"{\"manifests\":[],\"schemaVersion\":\"2\"}", CORAS_MT_OCI_INDEX,
         CORAS_ERR_INVALID_MANIFEST, "schemaVersion: not an integer"},
        {"{\"schemaVersion\":1,\"fsLayers\":[]}", CORAS_MT_OCI_INDEX, CORAS_ERR_UNSUPPORTED,
         "schema 1 manifests are unsupported"},
        {"no json", "application/vnd.docker.distribution.manifest.v1+prettyjws",
         CORAS_ERR_UNSUPPORTED, "Docker schema 1 manifests are unsupported"},
        {"{\"mediaType\":\"application/vnd.docker.distribution.manifest.v1+json\"}", NULL,
         CORAS_ERR_UNSUPPORTED, "Docker schema 1 manifests are unsupported"},
        {"{}", "text/html", CORAS_ERR_UNSUPPORTED,
         "media type \"text/html\" is no manifest: unsupported"},
        {"{\"mediaType\":\"\\u001b[2J\"}", NULL, CORAS_ERR_UNSUPPORTED,
         "media type \"\\x1b[2J\" is no manifest: unsupported"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_manifest) m = {0};
        coras_auto(coras_error) err = NULL;
        size_t len = strlen(cases[i].in);
        assert_failed(coras_manifest_parse(cases[i].in, len, cases[i].as, &m, &err), err,
                      cases[i].rc, cases[i].message);
        assert_null(m.media_type);
        assert_int_equal(coras_manifest_parse(cases[i].in, len, cases[i].as, &m, NULL),
                         cases[i].rc);
    }
}

/* As upstream reads them: nobody attacks with these. */
static void reads_odd_documents(void **state)
{
    static const struct {
        const char *in, *as;
        size_t layers;
    } cases[] = {
        {"{" CONFIG "}", CORAS_MT_OCI_MANIFEST, 0},
        {"{" CONFIG ",\"layers\":null,\"manifests\":null}", CORAS_MT_OCI_MANIFEST, 0},
        {"{" CONFIG ",\"layers\":[" D("a/b") "],\"manifests\":[]}", CORAS_MT_OCI_MANIFEST, 1},
        {"{" CONFIG ",\"layers\":[],\"LAYERS\":[" D("a/b") "]}", CORAS_MT_OCI_MANIFEST, 1},
        {"{" CONFIG ",\"layers\":[],\"subject\":{}}", CORAS_MT_OCI_MANIFEST, 0},
        {"{" IMAGE "," CONFIG ",\"layers\":[]}", CORAS_MT_DOCKER_MANIFEST, 0},
        {"{}", CORAS_MT_OCI_INDEX, 0},
        {"{\"manifests\":[],\"layers\":[],\"schemaVersion\":3}", CORAS_MT_OCI_INDEX, 0},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_value(coras_manifest) m = {0};
        coras_auto(coras_error) err = NULL;
        assert_ok(coras_manifest_parse(cases[i].in, strlen(cases[i].in), cases[i].as, &m, &err),
                  err);
        assert_int_equal(m.layers.len, cases[i].layers);
        assert_string_equal(m.media_type, cases[i].as);
        assert_false(m.has_subject);
    }
}

static void writes_empty_lists_and_subjects(void **state)
{
    coras_auto_value(coras_manifest) m = {.kind = CORAS_KIND_INDEX};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    (void)state;
    assert_ok(coras_manifest_write(&m, &out, NULL), NULL);
    assert_string_equal(out.ptr, "{\"schemaVersion\":2,\"mediaType\":\"" CORAS_MT_OCI_INDEX
                                 "\",\"manifests\":[]}");
    coras_buf_reset(&out);
    m.has_subject = true;
    set_descriptor(&m.subject, "s/t", HI, 11);
    assert_ok(coras_manifest_write(&m, &out, NULL), NULL);
    assert_string_equal(out.ptr, "{\"schemaVersion\":2,\"mediaType\":\"" CORAS_MT_OCI_INDEX
                                 "\",\"manifests\":[]," SUBJECT "}");
}

static void writes_only_what_it_makes(void **state)
{
    static const coras_manifest bad[] = {
        {.kind = CORAS_KIND_IMAGE}, /* no config */
        {.kind = CORAS_KIND_DOCKER_IMAGE, .has_config = true},
        {.kind = CORAS_KIND_ARTIFACT},
        {.kind = CORAS_KIND_BLOB},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(bad); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        assert_int_equal(coras_manifest_write(&bad[i], &out, NULL), CORAS_ERR_INVALID_ARGUMENT);
        assert_string_equal(out.ptr, "");
    }
}

static void deep_nesting_is_refused(void **state)
{
    enum { DEPTH = 100000 };
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_value(coras_manifest) m = {0};

    (void)state;
    coras_buf_puts(&text, "{\"manifests\":");
    for (int i = 0; i < DEPTH; i++)
        coras_buf_putc(&text, '[');
    assert_int_equal(coras_manifest_parse(text.ptr, text.len, CORAS_MT_OCI_INDEX, &m, NULL),
                     CORAS_ERR_INVALID_MANIFEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_bytes_that_upstream_writes),
        cmocka_unit_test(what_is_read_can_be_written_again),
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(refuses_bad_documents),
        cmocka_unit_test(reads_odd_documents),
        cmocka_unit_test(writes_empty_lists_and_subjects),
        cmocka_unit_test(writes_only_what_it_makes),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
