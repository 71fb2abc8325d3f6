/* SPDX-License-Identifier: Apache-2.0 */
/* What the recorded cases cannot show: random values, limits, hostile values, failures. */
#include "support.h"

#include "base/str.h"
#include "gotemplate/bounds.h"
#include "gotemplate/gotemplate.h"

static const char data_text[] = "{\"name\":\"x\",\"list\":[1,2,3],\"evil\":\"a\\u001b[31mb\"}";

/* Render `text` over data_text into `out`. */
static int render(const char *text, coras_buf *out, coras_error **err)
{
    coras_auto(coras_json) data = NULL;
    coras_auto(gotmpl_template) template = NULL;

    CORAS_TRY(coras_json_parse(data_text, strlen(data_text), &data, err));
    CORAS_TRY(gotmpl_template_parse("format output", text, &template, err));
    return gotmpl_template_execute(template, data, out, err);
}

static void assert_renders(const char *text, const char *wanted)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    assert_ok(render(text, &out, &err), err);
    assert_string_equal(out.ptr, wanted);
}

static void assert_fails(const char *text, int code, const char *part)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    assert_failed(render(text, &out, &err), err, code, NULL);
    if (!strstr(coras_error_message(err), part))
        fail_msg("%s: \"%s\" lacks \"%s\"", text, coras_error_message(err), part);
}

static void test_the_clock_is_the_systems(void **state)
{
    (void)state;
    assert_renders("{{ge (now.Unix) 1600000000}}", "true");
    assert_renders("{{eq (ago now) \"0s\"}}", "true");
    assert_renders("{{regexMatch `^20[0-9]{2}$` (date \"2006\" now)}}", "true");
    assert_renders("{{now | dateModify \"-48h\" | durationRound}}", "2d");
}

static void test_what_is_left_out_says_so(void **state)
{
    static const char *const calls[] = {
        "genCA \"x\" 1",
        "genPrivateKey \"rsa\"",
        "derivePassword 1 \"long\" \"a\" \"b\" \"c\"",
        "htpasswd \"u\" \"p\"",
        "encryptAES \"k\" \"x\"",
        "getHostByName \"localhost\"",
        "env \"HOME\"",
        "expandenv \"$HOME\"",
        "uuidv4",
        "randAlpha 5",
        "urlParse \"http://x\"",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(calls); i++) {
        coras_auto_free char *text = coras_asprintf("{{%s}}", calls[i]);
        assert_fails(text, CORAS_ERR_UNSUPPORTED, "is left out of these templates");
    }
}

static void test_values_of_the_document_are_escaped_in_messages(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_failed(render("{{fail .evil}}", &out, &err), err, CORAS_ERR_INVALID_ARGUMENT,
                  "template: format output:1:2: executing \"format output\" at <fail .evil>: "
                  "error calling fail: a\\x1b[31mb");
}

static void test_output_before_a_failure_stays(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_failed(render("a{{.name}}{{.name.b}}c", &out, &err), err, CORAS_ERR_INVALID_ARGUMENT,
                  NULL);
    assert_string_equal(out.ptr, "ax");
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    assert_fails("{{repeat 2000000000 \"abc\"}}", CORAS_ERR_TOO_LARGE, "too much memory");
    assert_fails("{{repeat 9223372036854775807 \"abc\"}}", CORAS_ERR_TOO_LARGE, "too much memory");
    assert_fails("{{until 2000000000}}", CORAS_ERR_TOO_LARGE, "too much memory");
    assert_fails("{{seq 1 2000000000}}", CORAS_ERR_TOO_LARGE, "too much memory");
    assert_fails("{{indent 2000000000 \"x\"}}", CORAS_ERR_TOO_LARGE, "too much memory");
    assert_fails("{{$s := \"x\"}}{{range until 64}}{{$s = printf \"%s%s\" $s $s}}{{end}}",
                 CORAS_ERR_TOO_LARGE, "too much memory");
    assert_renders("{{len (repeat 1000000 \"abc\")}}", "3000000");
}

static void test_output_is_bounded_by_its_buffer(void **state)
{
    coras_auto_buf out = CORAS_BUF_INIT(100);
    coras_auto(coras_error) err = NULL;

    (void)state;
    assert_failed(render("{{range until 1000}}{{.}}{{end}}", &out, &err), err, CORAS_ERR_TOO_LARGE,
                  "the template's output is too large");
}

static void test_recursion_is_bounded(void **state)
{
    (void)state;
    assert_fails("{{define \"t\"}}{{template \"t\"}}{{end}}{{template \"t\"}}",
                 CORAS_ERR_INVALID_ARGUMENT, "exceeded maximum template depth");
    assert_fails("{{define \"t\"}}{{if true}}{{with 1}}{{range list 1}}{{template \"t\"}}{{end}}"
                 "{{end}}{{end}}{{end}}{{template \"t\"}}",
                 CORAS_ERR_INVALID_ARGUMENT, "exceeded maximum template depth");
    assert_renders(
        "{{define \"t\"}}{{if gt . 0}}{{template \"t\" sub . 1}}{{else}}end{{end}}{{end}}"
        "{{template \"t\" 500}}",
        "end");
}

static void assert_nested_fails(const char *open, const char *body, const char *close, size_t depth)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < depth; i++)
        coras_buf_puts(&text, open);
    coras_buf_puts(&text, body);
    for (size_t i = 0; i < depth; i++)
        coras_buf_puts(&text, close);
    assert_fails(text.ptr, CORAS_ERR_INVALID_ARGUMENT, "max expression depth exceeded");
}

static void test_nesting_of_the_text_is_bounded(void **state)
{
    coras_auto_buf parens = CORAS_BUF_UNLIMITED;

    (void)state;
    coras_buf_puts(&parens, "{{");
    for (int i = 0; i < 100000; i++)
        coras_buf_putc(&parens, '(');
    assert_fails(parens.ptr, CORAS_ERR_INVALID_ARGUMENT, "max expression depth exceeded");
    assert_nested_fails("{{if 1}}", "x", "{{end}}", 100000);
    assert_nested_fails("{{if 0}}{{else}}", "x", "{{end}}", 1000);
}

/* A dictionary that holds itself, and lists within lists within lists. */
static void test_values_without_end_are_refused(void **state)
{
    static const char *const uses[] = {
        "{{$d}}",
        "{{toRawJson $d}}",
        "{{deepCopy $d}}",
        "{{printf \"%#v\" $d}}",
        "{{$e := dict}}{{$_ := set $e \"self\" $e}}{{deepEqual $d $e}}",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(uses); i++) {
        coras_auto_free char *text =
            coras_asprintf("{{$d := dict}}{{$_ := set $d \"self\" $d}}%s", uses[i]);
        assert_fails(text, CORAS_ERR_INVALID_ARGUMENT, "nested more than");
    }
    assert_fails("{{$l := list}}{{range until 100000}}{{$l = list $l}}{{end}}{{$l}}",
                 CORAS_ERR_INVALID_ARGUMENT, "nested more than");
    assert_renders("{{$d := dict}}{{$_ := set $d \"self\" $d}}{{toJson $d}}|", "|");
}

static void test_work_is_bounded(void **state)
{
    static const char *const endless[] = {
        "{{$l := until 1000}}{{range $l}}{{range $l}}{{end}}{{end}}",
        "{{uniq (until 1000)}}",
        "{{range until 1000}}{{if regexMatch `a` `b`}}{{end}}{{end}}",
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(endless); i++) {
        coras_auto(gotmpl_template) template = NULL;
        coras_auto(coras_error) err = NULL;
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        assert_ok(gotmpl_template_parse("t", endless[i], &template, &err), err);
        gotmpl_template_limit(template, GOTMPL_LIMIT_RUN_BYTES, 40000);
        assert_failed(gotmpl_template_execute(template, NULL, &out, &err), err, CORAS_ERR_TOO_LARGE,
                      "the template takes too long");
    }
}

static void test_many_small_calls_fit(void **state)
{
    (void)state;
    assert_renders(
        "{{range until 300}}{{if not (semverCompare \"^1.2 || >3\" \"1.3.0\")}}x{{end}}{{end}}",
        "");
    assert_renders("{{$n := 0}}{{range until 50000}}{{$n = add $n .}}{{end}}{{$n}}", "1249975000");
}

static int attempt(coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    return render("{{define \"t\"}}{{.}}{{end}}{{range .list}}{{template \"t\" .}}{{end}}"
                  "{{.name | upper | printf \"%s %v\" (toJson .list)}}"
                  "{{fromJson \"{\\\"a\\\":1}\"}}{{regexReplaceAll \"a+\" \"baab\" \"c\"}}",
                  &out, err);
}

static void test_each_allocation_may_fail(void **state)
{
    (void)state;
    fail_each_allocation(attempt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_clock_is_the_systems),
        cmocka_unit_test(test_what_is_left_out_says_so),
        cmocka_unit_test(test_values_of_the_document_are_escaped_in_messages),
        cmocka_unit_test(test_output_before_a_failure_stays),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_output_is_bounded_by_its_buffer),
        cmocka_unit_test(test_recursion_is_bounded),
        cmocka_unit_test(test_nesting_of_the_text_is_bounded),
        cmocka_unit_test(test_values_without_end_are_refused),
        cmocka_unit_test(test_work_is_bounded),
        cmocka_unit_test(test_many_small_calls_fit),
        cmocka_unit_test(test_each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
