/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every template of tests/golden/template/cases.json must give the output and the error that Go's
 * engine gave. Arguments: data.json cases.json.
 */
#include <stdio.h>

#include "base/fs.h"
#include "codec/json.h"
#include "gotemplate/gotemplate.h"
#include "coras/error.h"

enum { LARGEST_FILE = 16 * 1024 * 1024 };

static coras_json *read_json(const char *path)
{
    coras_auto_buf text = CORAS_BUF_INIT(LARGEST_FILE);
    coras_auto(coras_error) err = NULL;
    coras_json *json = NULL;
    FILE *f = fopen(path, "rb");
    char piece[4096];
    size_t n;

    if (!f)
        return NULL;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        coras_buf_put(&text, piece, n);
    fclose(f);
    if (coras_json_parse(text.ptr, text.len, &json, &err) < 0)
        fprintf(stderr, "%s: %s\n", path, coras_error_message(err));
    return json;
}

/* Whether the template gives what was recorded. */
static bool check(const coras_json *data, const coras_json *test)
{
    const char *text = coras_json_get_string(test, "template");
    const char *output = coras_json_get_string(test, "output");
    const char *wanted = coras_json_get_string(test, "error"), *message;
    coras_auto(gotmpl_template) template = NULL;
    coras_auto(coras_error) err = NULL;
    coras_auto_buf out = CORAS_BUF_INIT(LARGEST_FILE);

    if (gotmpl_template_parse("format output", text, &template, &err) == 0 &&
        gotmpl_template_execute(template, data, &out, &err) < 0 && !err)
        fprintf(stderr, "a failure without an error\n");
    message = err ? coras_error_message(err) : "";
    if (strcmp(out.ptr, output) == 0 && strcmp(message, wanted ? wanted : "") == 0)
        return true;
    fprintf(stderr, "template: %s\n  wanted: %s\n     got: %s\n", text, output, out.ptr);
    if (wanted || err)
        fprintf(stderr, "  wanted error: %s\n     got error: %s\n", wanted ? wanted : "(none)",
                message);
    return false;
}

int main(int argc, char **argv)
{
    coras_auto(coras_json) data = argc > 2 ? read_json(argv[1]) : NULL;
    coras_auto(coras_json) tests = argc > 2 ? read_json(argv[2]) : NULL;
    size_t failed = 0, count = coras_json_len(tests);

    if (!data || count == 0) {
        fprintf(stderr, "usage: test_golden data.json cases.json\n");
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        failed += !check(data, coras_json_at(tests, i));
    printf("%zu of %zu templates differ from Go's\n", failed, count);
    return failed != 0;
}
