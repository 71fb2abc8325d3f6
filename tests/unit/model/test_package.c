/* SPDX-License-Identifier: Apache-2.0 */
/* Whose package a manifest is, and which files its layers become. */
#include "model/package.h"

#include <stdio.h>

#include "oci/digest.h"
#include "rows.h"

/* A layer: "<media type>  <annotation>=<value>  .name=<member>  @<digit of its digest>". Two blanks
 * separate. */
static void put_layer(coras_json_writer *w, const char *layer, size_t index)
{
    static const struct {
        const char *shorthand, *key;
    } keys[] = {{"path", "org.cncf.model.filepath"},
                {"old", "org.cnai.model.filepath"},
                {"title", "org.opencontainers.image.title"},
                {"meta", "org.cncf.model.file.metadata+json"},
                {"unpack", "io.deis.oras.content.unpack"}};
    char digest[72] = "sha256:";
    coras_annotations annotations = {0};
    const char *part = layer, *name = NULL, *end;
    coras_auto_free char *type = NULL;
    char digit = "0123456789abcdef"[index];

    for (; *part; part = *end ? end + 2 : end) {
        end = strstr(part, "  ");
        end = end ? end : part + strlen(part);
        char *text = coras_strndup(part, (size_t)(end - part));
        char *equals = strchr(text, '=');
        if (!type) {
            type = text;
            continue;
        }
        if (*text == '@')
            digit = text[1];
        else if (strncmp(text, ".name=", 6) == 0)
            name = part + 6;
        for (size_t i = 0; equals && i < CORAS_ARRAY_LEN(keys); i++)
            if (strncmp(text, keys[i].shorthand, (size_t)(equals - text)) == 0)
                assert_int_equal(coras_annotations_set(&annotations, keys[i].key, equals + 1, NULL),
                                 0);
        free(text);
    }
    memset(digest + 7, digit, 64);
    coras_jw_object(w);
    coras_jw_member(w, "mediaType", type);
    coras_jw_member(w, "digest", digest);
    coras_jw_member_int(w, "size", 10 + (int)index);
    if (name) {
        coras_jw_key(w, "name");
        coras_jw_stringn(w, name, strcspn(name, " "));
    }
    coras_jw_key(w, "annotations");
    coras_annotations_write(w, &annotations);
    coras_jw_end_object(w);
    coras_annotations_clear(&annotations);
}

#define MAX_LAYERS 6

struct row {
    const char *label, *config_type, *artifact_type;
    const char *layers[MAX_LAYERS];
    const char *config; /* its content; NULL: not fetched */
    const char *expect; /* the package in a line, or what the error says */
    int code;
    const char *warning; /* part of one; NULL: there must be none */
};

static void parse_row(const struct row *row, coras_manifest *ret)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&text, 0);
    coras_auto(coras_error) err = NULL;

    coras_jw_object(&w);
    coras_jw_member_opt(&w, "artifactType", row->artifact_type);
    coras_jw_key(&w, "config");
    put_layer(&w, row->config_type, 15);
    coras_jw_key(&w, "layers");
    coras_jw_array(&w);
    for (size_t i = 0; i < MAX_LAYERS && row->layers[i]; i++)
        put_layer(&w, row->layers[i], i);
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    assert_ok(coras_manifest_parse(text.ptr, text.len, CORAS_MT_OCI_MANIFEST, ret, &err), err);
}

/* "modelpack: a b<tar+gzip ?2": a file, an archive, two layers without a place. */
static void describe(const coras_package *p, coras_buf *out)
{
    static const char *const compressions[] = {"", "+gzip", "+zstd"};

    coras_buf_printf(out, "%s:", coras_package_name(p->kind));
    for (size_t i = 0; i < p->entries.len; i++) {
        const coras_package_entry *e = &p->entries.items[i];
        bool tar = e->form == CORAS_LAYER_TAR;
        coras_buf_printf(out, " %s", *e->path ? e->path : "/");
        if (tar || e->compression)
            coras_buf_printf(out, "<%s%s", tar ? "tar" : "raw", compressions[e->compression]);
        if (e->strip)
            coras_buf_printf(out, "-%s", e->strip);
        if (e->has_mode)
            coras_buf_printf(out, "#%o", (unsigned)e->mode);
        if (e->has_mtime)
            coras_buf_printf(out, "@%lld.%ld", (long long)e->mtime.tv_sec, e->mtime.tv_nsec);
        if (e->has_diff_id)
            coras_buf_puts(out, "=");
    }
    if (p->unplaced.len)
        coras_buf_printf(out, " ?%zu", p->unplaced.len);
    if (p->elsewhere)
        coras_buf_printf(out, " at %s", p->elsewhere);
}

#define DIGEST_0 "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define DIGEST_1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define EMPTY    "application/vnd.oci.empty.v1+json"
#define CNCF     "application/vnd.cncf.model."
#define CNAI     "application/vnd.cnai.model."
#define PACK     CNCF "config.v1+json", CNCF "manifest.v1+json"
#define WEIGHT   CNCF "weight.v1."
#define KIT      "application/vnd.kitops.modelkit."
#define AI       "application/vnd.docker.ai."
#define DOCKER1  AI "model.config.v0.1+json", NULL
#define DOCKER2  AI "model.config.v0.2+json", NULL
#define OLLAMA   "application/vnd.ollama.image."
#define IMAGE    CORAS_MT_DOCKER_CONFIG, NULL

static const struct row rows[] = {
    {"titles",
     EMPTY,
     NULL,
     {"a/b  title=x", "a/b  title=d/y", "a/b"},
     NULL,
     "oras: x d/y ?1",
     0,
     NULL},
    {"a packed directory",
     EMPTY,
     NULL,
     {CORAS_MT_OCI_LAYER_GZIP "  title=d  unpack=true"},
     NULL,
     "oras: d<tar+gzip",
     0,
     NULL},
    {"a tar that is only titled",
     EMPTY,
     NULL,
     {CORAS_MT_OCI_LAYER_GZIP "  title=d.tgz"},
     NULL,
     "oras: d.tgz",
     0,
     NULL},
    {"modelpack raw",
     PACK,
     {WEIGHT "raw  path=m.safetensors  title=m.safetensors"},
     NULL,
     "modelpack: m.safetensors",
     0,
     NULL},
    {"modelpack of before",
     CNAI "config.v1+json",
     CNAI "manifest.v1+json",
     {CNAI "weight.v1.raw  old=m.safetensors"},
     NULL,
     "modelpack: m.safetensors",
     0,
     NULL},
    {"modelpack by a layer",
     EMPTY,
     NULL,
     {WEIGHT "gguf  path=m.gguf"},
     NULL,
     "modelpack: m.gguf",
     0,
     NULL},
    {"both filepaths", PACK, {WEIGHT "raw  path=new  old=old"}, NULL, "modelpack: new", 0, "new: "},
    {"filepath and title",
     PACK,
     {WEIGHT "raw  path=p  title=t"},
     NULL,
     "modelpack: p",
     0,
     "another path"},
    {"title only, as podman",
     EMPTY,
     CNCF "manifest.v1+json",
     {"text/plain  title=t"},
     NULL,
     "modelpack: t",
     0,
     NULL},
    {"no path", PACK, {WEIGHT "raw"}, NULL, "modelpack: ?1", 0, NULL},
    {"modelpack tar",
     PACK,
     {WEIGHT "tar  path=../x", CNCF "doc.v1.tar+gzip", CNCF "code.v1.tar+zstd"},
     NULL,
     "modelpack: /<tar /<tar+gzip /<tar+zstd",
     0,
     NULL},
    {"diffIds",
     PACK,
     {WEIGHT "tar+gzip"},
     "{\"modelfs\":{\"diffIds\":[\"" DIGEST_1 "\"]}}",
     "modelpack: /<tar+gzip=",
     0,
     NULL},
    {"too many diffIds",
     PACK,
     {WEIGHT "tar+gzip"},
     "{\"modelfs\":{\"diffIds\":[\"" DIGEST_1 "\",\"" DIGEST_0 "\"]}}",
     "modelpack: /<tar+gzip",
     0,
     "length"},
    {"a raw layer's wrong diffId",
     PACK,
     {WEIGHT "raw  path=x"},
     "{\"modelfs\":{\"diffIds\":[\"" DIGEST_1 "\"]}}",
     "modelpack: x=",
     0,
     "another digest"},
    {"recorded",
     PACK,
     {WEIGHT "raw  path=a  "
             "meta={\"mode\":33152,\"mtime\":\"2024-01-02T03:04:05.123456789+01:00\",\"size\":10,"
             "\"typeflag\":48}",
      WEIGHT "raw  path=b  "
             "meta={\"mode\":2541,\"mtime\":\"0001-01-01T00:00:00Z\",\"size\":11,\"typeflag\":0}",
      WEIGHT "raw  path=c  meta={\"mode\":0}"},
     NULL,
     "modelpack: a#600@1704161045.123456789 b#755 c#0",
     0,
     NULL},
    {"recorded mode of 2^32",
     PACK,
     {WEIGHT "raw  path=a  meta={\"mode\":4294967296}"},
     NULL,
     "modelpack: a",
     0,
     "mode"},
    {"recorded garbage time",
     PACK,
     {WEIGHT "raw  path=a  meta={\"mode\":420,\"mtime\":\"yesterday\"}"},
     NULL,
     "modelpack: a#644",
     0,
     "time"},
    {"recorded as no JSON",
     PACK,
     {WEIGHT "raw  path=a  meta=what"},
     NULL,
     "modelpack: a",
     0,
     "JSON"},
    {"recorded wrong size",
     PACK,
     {WEIGHT "raw  path=a  meta={\"size\":11}"},
     NULL,
     "modelpack: a",
     0,
     "size"},
    {"recorded as a link",
     PACK,
     {WEIGHT "raw  path=a  meta={\"typeflag\":50}"},
     NULL,
     "modelpack: a",
     0,
     "regular"},
    {"kit",
     KIT "config.v1+json",
     KIT "manifest.v1+json",
     {KIT "model.v1.tar  path=m", KIT "docs.v1.raw+gzip  path=R.md", KIT "code.v1.tar+gzip"},
     NULL,
     "kitops: /<tar R.md<raw+gzip /<tar+gzip",
     0,
     NULL},
    {"kit with diffIds",
     KIT "config.v1+json",
     NULL,
     {KIT "model.v1.tar+gzip", KIT "docs.v1.raw+gzip  path=d"},
     "{\"model\":{\"path\":\"m\",\"digest\":\"" DIGEST_0 "\",\"diffId\":\"" DIGEST_1 "\"},"
     "\"docs\":[{\"path\":\"d\",\"digest\":\"" DIGEST_1 "\",\"diffId\":\"" DIGEST_1 "\"}]}",
     "kitops: /<tar+gzip= d<raw+gzip=",
     0,
     NULL},
    {"kit before 0.5",
     KIT "config.v1+json",
     NULL,
     {KIT "model.v1.tar", KIT "dataset.v1.tar", KIT "dataset.v1.tar"},
     "{\"model\":{\"path\":\"m.gguf\"},\"datasets\":[{\"path\":\"data/one/a\"},{\"path\":\"./data/"
     "b\"}]}",
     "kitops: /<tar data/one<tar data<tar",
     0,
     NULL},
    {"docker 0.1, one",
     DOCKER1,
     {AI "gguf.v3  path=given.gguf", AI "license"},
     NULL,
     "docker: model.gguf",
     0,
     NULL},
    {"docker 0.1, three and more",
     DOCKER1,
     {AI "gguf.v3", AI "mmproj", AI "gguf.v3", AI "chat.template.jinja", AI "gguf.v3"},
     NULL,
     "docker: model-00001-of-00003.gguf model.mmproj model-00002-of-00003.gguf template.jinja "
     "model-00003-of-00003.gguf",
     0,
     NULL},
    {"docker 0.1, two projectors",
     DOCKER1,
     {AI "gguf.v3", AI "mmproj", AI "mmproj"},
     NULL,
     "docker: model.gguf",
     0,
     "several"},
    {"docker 0.1 safetensors",
     DOCKER1,
     {AI "safetensors", AI "safetensors", AI "vllm.config.tar", AI "dir.tar"},
     NULL,
     "docker: model-00001-of-00002.safetensors model-00002-of-00002.safetensors /<tar /<tar",
     0,
     NULL},
    {"docker 0.1 safetensors with paths",
     DOCKER1,
     {AI "safetensors  path=a.safetensors", AI "dduf"},
     NULL,
     "docker: a.safetensors model.dduf",
     0,
     NULL},
    {"docker 0.2",
     DOCKER2,
     {AI "safetensors  path=a.safetensors", AI "model.file  path=c/config.json"},
     NULL,
     "docker: a.safetensors c/config.json",
     0,
     NULL},
    {"ollama",
     IMAGE,
     {OLLAMA "model", OLLAMA "projector", OLLAMA "license", OLLAMA "projector", OLLAMA "license",
      OLLAMA "params"},
     NULL,
     "ollama: model.gguf mmproj.gguf license mmproj-2.gguf license-2 params.json",
     0,
     NULL},
    {"ollama, the last counts",
     IMAGE,
     {OLLAMA "prompt", OLLAMA "template", OLLAMA "embed", OLLAMA "adapter"},
     NULL,
     "ollama: template adapter.gguf",
     0,
     "later layer"},
    {"ollama by names",
     IMAGE,
     {OLLAMA "tensor  .name=a.b", OLLAMA "json  .name=sub/config.json",
      OLLAMA "tensor; name=c; dtype=F32"},
     NULL,
     "ollama: a.b.safetensors sub/config.json c.safetensors",
     0,
     NULL},
    {"ollama out of it",
     IMAGE,
     {OLLAMA "json  .name=../x"},
     NULL,
     "leads out",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
    {"ollama elsewhere",
     IMAGE,
     {OLLAMA "template"},
     "{\"remote_host\":\"https://h\",\"remote_model\":\"m\"}",
     "ollama: template at https://h",
     0,
     NULL},
    {"an image",
     CORAS_MT_OCI_CONFIG,
     NULL,
     {CORAS_MT_OCI_LAYER_GZIP, CORAS_MT_OCI_LAYER "+zstd"},
     NULL,
     "modelcar: /<tar+gzip-models/ /<tar+zstd-models/",
     0,
     NULL},
    {"Docker's image",
     IMAGE,
     {"application/vnd.docker.image.rootfs.diff.tar.gzip"},
     NULL,
     "modelcar: /<tar+gzip-models/",
     0,
     NULL},
    {"one layer twice",
     PACK,
     {WEIGHT "raw  path=a", WEIGHT "raw  path=a  @0"},
     NULL,
     "modelpack: a",
     0,
     NULL},
    {"two layers of one path",
     PACK,
     {WEIGHT "raw  path=a", WEIGHT "raw  path=./a"},
     NULL,
     "a: duplicate name",
     CORAS_ERR_EXISTS,
     NULL},
    {"a file in a file",
     PACK,
     {WEIGHT "raw  path=a/b", WEIGHT "raw  path=a"},
     NULL,
     "a and a/b",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
    {"case",
     PACK,
     {WEIGHT "raw  path=sub/a", WEIGHT "raw  path=z", WEIGHT "raw  path=sub/A"},
     NULL,
     "case of letters",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
    {"case of a directory",
     PACK,
     {WEIGHT "raw  path=sub/a", WEIGHT "raw  path=Sub/b"},
     NULL,
     "case of letters",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
    {"no clash",
     PACK,
     {WEIGHT "raw  path=a", WEIGHT "raw  path=a.b", WEIGHT "raw  path=Ab/c"},
     NULL,
     "modelpack: a a.b Ab/c",
     0,
     NULL},
    {"absolute",
     PACK,
     {WEIGHT "raw  path=/etc/passwd"},
     NULL,
     "absolute",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
    {"up", PACK, {WEIGHT "raw  path=a/../../x"}, NULL, "leads out", CORAS_ERR_UNSAFE_PATH, NULL},
    {"no name", PACK, {WEIGHT "raw  path=./."}, NULL, "names no file", CORAS_ERR_UNSAFE_PATH, NULL},
    {"a directory's name",
     PACK,
     {WEIGHT "raw  path=a/"},
     NULL,
     "slash",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
    {"our name",
     PACK,
     {WEIGHT "raw  path=.coras-partial/x"},
     NULL,
     "reserved",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
    {"escapes",
     PACK,
     {WEIGHT "raw  path=/\x1b[2J"},
     NULL,
     "\"/\\x1b[2J\"",
     CORAS_ERR_UNSAFE_PATH,
     NULL},
};

static void check_warnings(const struct row *row, const coras_package *p)
{
    bool found = !row->warning;

    if (!row->warning && p->warnings.len)
        fail_msg("%s: %s", row->label, p->warnings.items[0]);
    for (size_t i = 0; i < p->warnings.len; i++)
        found |= row->warning && strstr(p->warnings.items[i], row->warning);
    assert_true(found);
}

static void test_rows(void **state CORAS_UNUSED)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        coras_auto_value(coras_manifest) m = {0};
        coras_auto_value(coras_package) p = {0};
        coras_auto_buf line = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        IN_ROW(row->label);
        parse_row(row, &m);
        int rc =
            coras_package_read(&m, row->config, row->config ? strlen(row->config) : 0, &p, &err);
        if (row->code) {
            assert_failed(rc, err, row->code, NULL);
            assert_non_null(strstr(coras_error_message(err), row->expect));
            continue;
        }
        assert_ok(rc, err);
        describe(&p, &line);
        assert_string_equal(line.ptr, row->expect);
        check_warnings(row, &p);
        assert_true(!row->config || coras_package_needs_config(&m) || strstr(line.ptr, " x="));
    }
}

static coras_manifest of_memory;
static const char *config_of_memory;

static int read_of_memory(coras_error **err)
{
    coras_auto_value(coras_package) p = {0};

    return coras_package_read(&of_memory, config_of_memory,
                              config_of_memory ? strlen(config_of_memory) : 0, &p, err);
}

/* Words of an error that nobody hears may fail to be made. */
static void out_of_memory_or_right(int rc, const coras_error *err, bool failed CORAS_UNUSED)
{
    if (rc < 0)
        assert_failed(rc, err, CORAS_ERR_NO_MEMORY, NULL);
}

static void test_no_memory(void **state CORAS_UNUSED)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        if (rows[i].code)
            continue;
        IN_ROW(rows[i].label);
        parse_row(&rows[i], &of_memory);
        config_of_memory = rows[i].config;
        check_each_allocation(read_of_memory, out_of_memory_or_right);
        coras_manifest_clear(&of_memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
