/* SPDX-License-Identifier: Apache-2.0 */
/* TOML as container runtimes use it. */
#include "serve/doctor/toml.h"

#include "base/buf.h"
#include "base/error.h"
#include "support.h"

static serve_toml *parse(const char *text)
{
    coras_auto(coras_error) err = NULL;
    serve_toml *doc = NULL;

    assert_ok(serve_toml_parse(text, strlen(text), "f", &doc, &err), err);
    return doc;
}

static void reads_what_containerd_writes(void **state)
{
    static const char text[] = "# comment\n"
                               "version = 3 # more\n"
                               "root = '/var/lib\\x'\n"
                               "imports = [\n  \"/a/*.toml\", # one\n  'b',\n]\n"
                               "[plugins.\"io.containerd.cri.v1.images\"]\r\n"
                               "  snapshotter = \"over\\\"\\u00e9\\t\"\n"
                               "  [plugins.\"io.containerd.cri.v1.images\".registry]\n"
                               "    config_path = \"/etc/certs.d\"\n"
                               "[plugins.other]\n"
                               "on = true\noff = false\nsize = -1_000\nat = 2024-01-02T03:04:05Z\n"
                               "a.b.c = \"dotted\"\ninline = { x = 1, y.z = \"deep\" }\n";
    coras_auto(serve_toml) doc = NULL;
    const serve_toml *plugins, *images, *other, *imports;

    (void)state;
    doc = parse(text);
    plugins = serve_toml_get(doc, "plugins");
    images = serve_toml_get(plugins, "io.containerd.cri.v1.images");
    other = serve_toml_get(plugins, "other");
    imports = serve_toml_get(doc, "imports");
    assert_string_equal(serve_toml_get(doc, "version")->text, "3");
    assert_int_equal(serve_toml_get(doc, "version")->line, 2);
    assert_string_equal(serve_toml_string(serve_toml_get(doc, "root")), "/var/lib\\x");
    assert_int_equal(imports->children.len, 2);
    assert_string_equal(serve_toml_string(imports->children.items[1]), "b");
    assert_string_equal(serve_toml_string(serve_toml_get(images, "snapshotter")),
                        "over\"\xc3\xa9\t");
    assert_string_equal(
        serve_toml_string(serve_toml_get(serve_toml_get(images, "registry"), "config_path")),
        "/etc/certs.d");
    assert_int_equal(serve_toml_get(images, "registry")->line, 10);
    assert_true(serve_toml_is_true(serve_toml_get(other, "on")));
    assert_false(serve_toml_is_true(serve_toml_get(other, "off")));
    assert_null(serve_toml_string(serve_toml_get(other, "size")));
    assert_string_equal(
        serve_toml_string(serve_toml_get(serve_toml_get(serve_toml_get(other, "a"), "b"), "c")),
        "dotted");
    assert_string_equal(serve_toml_string(serve_toml_get(
                            serve_toml_get(serve_toml_get(other, "inline"), "y"), "z")),
                        "deep");
    assert_null(serve_toml_get(doc, "none"));
}

static void reads_lists_of_tables(void **state)
{
    coras_auto(serve_toml) doc = NULL;
    const serve_toml *list, *second;

    (void)state;
    doc = parse("[[registry]]\nlocation = \"a\"\n[[registry]]\nlocation = \"b\"\n"
                "[[registry.mirror]]\nlocation = \"m1\"\n[[registry.mirror]]\nlocation = \"m2\"\n");
    list = serve_toml_get(doc, "registry");
    assert_int_equal(list->children.len, 2);
    second = list->children.items[1];
    assert_string_equal(serve_toml_string(serve_toml_get(second, "location")), "b");
    assert_int_equal(serve_toml_get(second, "mirror")->children.len, 2);
    assert_null(serve_toml_get(list->children.items[0], "mirror"));
}

static void refuses_with_the_line(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a = 1\nb\n", "f:2: a key without ="},
        {"a = \n", "f:1: a value that is not understood"},
        {"a = yes", "f:1: a value that is not understood"},
        {"a = 1 2", "f:1: something stands behind the value"},
        {"\na = \"x\n\"", "f:2: a string does not end on its line"},
        {"a = \"\\q\"", "f:1: an unknown escape in a string"},
        {"a = \"\\ud800\"", "f:1: a \\u of no character"},
        {"a = \"\\u12\"", "f:1: a broken \\u in a string"},
        {"a = \"\"\"x\"\"\"", "f:1: strings of several lines are not understood"},
        {"a = 1\na = 2", "f:2: a key is there twice"},
        {"[a]\n[a]", "f:2: a table is there twice"},
        {"a = 1\n[a]", "f:2: a key has a value already"},
        {"a = {}\n[a.b]", "f:2: a key has a value already"},
        {"a = []\n[[a]]", "f:2: a key has a value already"},
        {"[a\n", "f:1: the name of a table does not end"},
        {"[[a]\n", "f:1: the name of a table does not end"},
        {"a = [1, 2", "f:1: an array does not end"},
        {"a = { b = 1", "f:1: an inline table does not end"},
        {". = 1", "f:1: a key is missing"},
        {"a = \"\xff\"", "f:1: the file is no text in UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        serve_toml *doc = NULL;
        assert_failed(serve_toml_parse(cases[i].text, strlen(cases[i].text), "f", &doc, &err), err,
                      CORAS_ERR_CONFIG, cases[i].message);
        assert_null(doc);
    }
}

static void depth_and_number_are_bounded(void **state)
{
    coras_auto_buf deep = CORAS_BUF_UNLIMITED, wide = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    serve_toml *doc = NULL;

    (void)state;
    coras_buf_puts(&deep, "a = ");
    for (int i = 0; i < 100000; i++)
        coras_buf_putc(&deep, '[');
    assert_failed(serve_toml_parse(deep.ptr, deep.len, "f", &doc, &err), err, CORAS_ERR_CONFIG,
                  "f:1: values in values are too deep");
    coras_error_clear(&err);
    for (int i = 0; i < 10001; i++)
        coras_buf_printf(&wide, "a%d = 1\n", i);
    assert_failed(serve_toml_parse(wide.ptr, wide.len, "f", &doc, &err), err, CORAS_ERR_CONFIG,
                  "f:10000: too many values");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_containerd_writes),
        cmocka_unit_test(reads_lists_of_tables),
        cmocka_unit_test(refuses_with_the_line),
        cmocka_unit_test(depth_and_number_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
