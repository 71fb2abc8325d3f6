/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate: every shape that registries send, and what is refused. */
#include "rows.h"
#include "auth/challenge.h"

/* Challenges as "scheme name=value name=value; scheme ...". */
static void print_list(coras_buf *b, const coras_challenges *l)
{
    for (size_t i = 0; i < l->len; i++) {
        coras_buf_printf(b, "%s%s", i ? "; " : "", l->items[i].scheme);
        for (size_t k = 0; k < l->items[i].len; k++)
            coras_buf_printf(b, " %s=%s", l->items[i].items[k].name, l->items[i].items[k].value);
    }
}

static void header_lines_are_parsed(void **state)
{
    static const struct {
        const char *name, *in, *out;
    } rows[] = {
        {"empty", "", ""},
        {"only separators", " , ,, ", ""},
        {"scheme alone", "Basic", "basic"},
        {"basic", "Basic realm=\"x\"", "basic realm=x"},
        {"bearer", "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\"",
         "bearer realm=https://a/t service=s scope=repository:x:pull"},
        {"names and scheme in any case", "bEaReR Realm=\"R\",SERVICE=S",
         "bearer realm=R service=S"},
        {"blanks around equals", "Bearer realm = \"x\" , service\t=\ty",
         "bearer realm=x service=y"},
        {"comma in quotes", "Bearer scope=\"a:b:pull,push\",realm=\"x\"",
         "bearer scope=a:b:pull,push realm=x"},
        {"quoted pairs", "Basic realm=\"a\\\"b\\\\c\"", "basic realm=a\"b\\c"},
        {"two in one line", "Bearer realm=\"x\", Basic realm=\"y\"",
         "bearer realm=x; basic realm=y"},
        {"scheme without parameters first", "Negotiate, Bearer realm=\"x\"",
         "negotiate; bearer realm=x"},
        {"token68", "Negotiate abc==, Bearer realm=\"x\"", "negotiate; bearer realm=x"},
        {"token68 without padding", "NTLM TlRMTVNT, Basic realm=\"y\"", "ntlm; basic realm=y"},
        {"empty list elements", "Bearer ,realm=\"x\",, service=\"y\" ,",
         "bearer realm=x service=y"},
        {"realm with its own query", "Bearer realm=\"http://h/t?a=b&c=d\"",
         "bearer realm=http://h/t?a=b&c=d"},
        {"unclosed quotes", "Bearer realm=\"x", ""},
        {"garbage does not cost the next", "=;=, Basic realm=\"y\"", "basic realm=y"},
        {"text behind a value", "Bearer realm=\"x\"junk, Basic realm=\"y\"", "basic realm=y"},
        {"first of two realms is kept first", "Basic realm=a,realm=b", "basic realm=a realm=b"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_challenges) l = {0};
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        IN_ROW(rows[i].name);
        assert_int_equal(coras_challenges_parse(rows[i].in, &l, NULL), 0);
        print_list(&out, &l);
        assert_string_equal(out.ptr, rows[i].out);
    }
}

static void first_parameter_of_a_name_counts(void **state)
{
    coras_auto_value(coras_challenges) l = {0};

    (void)state;
    assert_int_equal(coras_challenges_parse("Basic realm=a,realm=b", &l, NULL), 0);
    assert_string_equal(coras_challenge_get(&l.items[0], "realm"), "a");
    assert_null(coras_challenge_get(&l.items[0], "service"));
    assert_non_null(coras_challenges_find(&l, "basic"));
    assert_null(coras_challenges_find(&l, "bearer"));
}

static void many_parameters(coras_buf *b, int n)
{
    coras_buf_puts(b, "Basic ");
    for (int i = 0; i < n; i++)
        coras_buf_printf(b, "%sp%d=v", i ? "," : "", i);
}

static void amounts_are_bounded(void **state)
{
    static const struct {
        int params;
        size_t challenges;
    } rows[] = {{31, 1}, {32, 1}, {33, 0}, {1000, 0}};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_auto_value(coras_challenges) l = {0};
        coras_auto_buf in = CORAS_BUF_UNLIMITED;
        many_parameters(&in, rows[i].params);
        assert_int_equal(coras_challenges_parse(in.ptr, &l, NULL), 0);
        assert_int_equal(l.len, rows[i].challenges);
    }
    coras_auto_value(coras_challenges) many = {0};
    for (int i = 0; i < 20; i++)
        assert_int_equal(coras_challenges_parse("A x=1, B y=2", &many, NULL), 0);
    assert_int_equal(many.len, 8);
}

static void long_lines_are_ignored(void **state)
{
    coras_auto_value(coras_challenges) l = {0};
    coras_auto_buf in = CORAS_BUF_UNLIMITED;

    (void)state;
    coras_buf_puts(&in, "Basic realm=\"");
    for (int i = 0; i < 9000; i++)
        coras_buf_putc(&in, 'x');
    coras_buf_putc(&in, '"');
    assert_int_equal(coras_challenges_parse(in.ptr, &l, NULL), 0);
    assert_int_equal(l.len, 0);
}

static int parse_some(coras_error **err)
{
    coras_auto_value(coras_challenges) l = {0};

    return coras_challenges_parse("Negotiate a==, Bearer realm=\"x\",service=y, Basic realm=z", &l,
                                  err);
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    fail_each_allocation(parse_some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lack_of_memory_is_reported),
        cmocka_unit_test(header_lines_are_parsed),
        cmocka_unit_test(first_parameter_of_a_name_counts),
        cmocka_unit_test(amounts_are_bounded),
        cmocka_unit_test(long_lines_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
