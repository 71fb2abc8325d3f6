/* SPDX-License-Identifier: Apache-2.0 */
/* `<file>[:<type>]` arguments and annotation flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cli/options/fileref.h"
#include "cli/options/packer.h"
#include "oci/descriptor.h"

static void files_split_at_the_last_colon(void **state)
{
    static const struct {
        const char *text, *path; /* path NULL: refused with the message in `type` */
        const char *type;
    } cases[] = {
        {"hi.txt", "hi.txt", ""},
        {"hi.txt:text/plain", "hi.txt", "text/plain"},
        {"hi.txt:", "hi.txt", ""},
        {"hi:txt:", "hi:txt", ""},
        {"az:b:c", "az:b", "c"},
        {"-", "-", ""},
        {"", NULL, "found empty file path in \"\""},
        {":a/b", NULL, "found empty file path in \":a/b\""},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        char *path = NULL;
        const char *type = NULL;
        coras_auto(coras_error) err = NULL;
        int rc = fileref_split(cases[i].text, &path, &type, &err);
        assert_int_equal(rc == 0, cases[i].path != NULL);
        if (rc == 0)
            assert_string_equal(path, cases[i].path);
        assert_string_equal(rc == 0 ? type : coras_error_message(err), cases[i].type);
        free(path);
    }
}

static int parse_flags(const char *a, const char *b, coras_annotations *ret, coras_error **err)
{
    struct opt_list flags = {0};
    assert_int_equal(opt_list_add(&flags, a, strlen(a), NULL), 0);
    if (b)
        assert_int_equal(opt_list_add(&flags, b, strlen(b), NULL), 0);
    int rc = parse_annotation_flags(&flags, ret, err);
    for (size_t i = 0; i < flags.len; i++)
        free(flags.items[i]);
    free(flags.items);
    return rc;
}

static void annotations_are_cut_at_the_first_equals_sign(void **state)
{
    coras_auto_value(coras_annotations) annotations = {0};
    (void)state;
    assert_int_equal(parse_flags("a=b=c,d", "empty=", &annotations, NULL), 0);
    assert_string_equal(coras_annotations_get(&annotations, "a"), "b=c,d");
    assert_string_equal(coras_annotations_get(&annotations, "empty"), "");
}

static void bad_annotations_are_explained(void **state)
{
    coras_auto_value(coras_annotations) annotations = {0}, others = {0};
    coras_auto(coras_error) twice = NULL;
    coras_auto(coras_error) shape = NULL;
    (void)state;
    assert_true(parse_flags("a=1", "a=2", &annotations, &twice) < 0);
    assert_string_equal(coras_error_message(twice), "duplicate annotation key: a, ");
    assert_true(parse_flags("a", NULL, &others, &shape) < 0);
    assert_string_equal(coras_error_message(shape),
                        "annotation value doesn't match the required format\nPlease use the "
                        "correct format in the flag: --annotation \"key=value\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_split_at_the_last_colon),
        cmocka_unit_test(annotations_are_cut_at_the_first_equals_sign),
        cmocka_unit_test(bad_annotations_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
