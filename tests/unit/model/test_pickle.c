/* SPDX-License-Identifier: Apache-2.0 */
/* Pickles: what a loader would import, whoever wrote them and however they hide it. */
#include "model/pickle.h"

#include <string.h>
#include "base/limits.h"
#include "rows.h"

static int put_import(void *user, const coras_pickle_import *import, coras_error **err)
{
    coras_buf *out = user;
    (void)err;
    coras_buf_printf(out, "%s%lld %d %s", out->len ? "\n" : "", (long long)import->offset,
                     (int)import->severity, import->what);
    return 0;
}

/* What was found, fed in pieces of a size. */
static coras_pickle_summary scan(const char *data, size_t len, size_t piece, coras_buf *out)
{
    const coras_pickle_visitor visitor = {put_import, out};
    coras_auto(coras_pickle) p = NULL;
    coras_auto(coras_error) err = NULL;
    coras_pickle_summary summary = {0};

    assert_ok(coras_pickle_new(&visitor, &p, &err), err);
    for (size_t at = 0; at < len; at += piece)
        assert_ok(coras_pickle_feed(p, data + at, len - at < piece ? len - at : piece, &err), err);
    assert_ok(coras_pickle_finish(p, &summary, &err), err);
    return summary;
}

struct pickle_row {
    const char *what;
    const char *data;
    size_t len;
    const char *found;
    int64_t pickles, broken_at, raw_at;
};
#define PICKLE(text) (text), sizeof(text) - 1
#define MADE         "a name that is made while it is loaded"

static const struct pickle_row rows[] = {
    /* as Python's pickle module writes os.system("id"), protocols 0 to 5 */
    {"protocol 0", PICKLE("cposix\nsystem\np0\n(Vid\np1\ntp2\nRp3\n."), "0 3 posix.system", 1, -1,
     -1},
    {"protocol 1", PICKLE("cposix\nsystem\nq\0(X\2\0\0\0idq\1tq\2Rq\3."), "0 3 posix.system", 1, -1,
     -1},
    {"protocol 2", PICKLE("\x80\2cposix\nsystem\nq\0X\2\0\0\0idq\1\x85q\2Rq\3."),
     "2 3 posix.system", 1, -1, -1},
    {"protocol 4",
     PICKLE(
         "\x80\4\x95\x1d\0\0\0\0\0\0\0\x8c\5posix\x94\x8c\6system\x94\x93\x94\x8c\2id\x94\x85\x94"
         "R\x94."),
     "28 3 posix.system", 1, -1, -1},
    {"an ordinary object", PICKLE("\x80\2ccollections\nOrderedDict\nq\0)Rq\1."),
     "2 1 collections.OrderedDict", 1, -1, -1},
    {"on no list", PICKLE("\x80\2cmylib.nn\nNet\nq\0)\x81."), "2 2 mylib.nn.Net", 1, -1, -1},
    {"no import", PICKLE("\x80\4\x95\3\0\0\0\0\0\0\0}\x94."), "", 1, -1, -1},
    {"INST", PICKLE("(S'id'\nios\nsystem\n."), "7 3 os.system", 1, -1, -1},
    /* STACK_GLOBAL by detours */
    {"names from the memo",
     PICKLE("\x80\4\x8c\2os\x94\x8c\6system\x94"
            "00h\0h\1\x93."),
     "22 3 os.system", 1, -1, -1},
    {"indices of PUT and MEMOIZE",
     PICKLE("\x80\4\x8c\2osq\5\x8c\6systemr\7\0\0\0"
            "00h\5j\7\0\0\0\x93."),
     "30 3 os.system", 1, -1, -1},
    {"a copy of the top", PICKLE("\x80\4\x8c\4code2\x93."), "9 3 code.code", 1, -1, -1},
    {"between other values",
     PICKLE("\x80\4\x8c\2os(K\1K\2t0\x8c\1x(N1"
            "0\x8c\6system\x93."),
     "28 3 os.system", 1, -1, -1},
    {"escaped", PICKLE("V\\u006fs\nVsystem\n\x93."), "17 3 os.system", 1, -1, -1},
    {"Python 2's repr", PICKLE("S'\\x6f\\163'\nS\"system\"\n\x93."), "22 3 os.system", 1, -1, -1},
    {"made by a call", PICKLE("\x80\4\x8c\2os\x8c\1s\x8c\5ystem\x86\x93."), "17 3 " MADE, 1, -1,
     -1},
    {"an index that no writer uses",
     PICKLE("\x80\2Vos\nr\xff\xff\xff\xffVsystem\nj\xff\xff\xff\xff\x93."), "24 3 " MADE, 1, -1,
     -1},
    {"from bytes", PICKLE("\x80\4C\2osC\6system\x93."), "14 3 " MADE, 1, -1, -1},
    {"an extension", PICKLE("\x80\2\x82\7."), "2 3 extension code 7", 1, -1, -1},
    {"through an attribute", PICKLE("\x80\4\x8c\5torch\x8c\x17serialization.os.system\x93."),
     "34 3 torch.serialization.os.system", 1, -1, -1},
    {"a control character", PICKLE("cmy\x1b[31m\nx\n."), "0 2 my\\x1b[31m.x", 1, -1, -1},
    /* several, broken, hidden */
    {"behind a STOP", PICKLE("K\1.cos\nsystem\n(Vid\ntR."), "3 3 os.system", 2, -1, -1},
    {"behind a STOP, with a header", PICKLE("\x80\2K\1.\x80\2cmy\nNet\n."), "7 2 my.Net", 2, -1,
     -1},
    {"broken after an import", PICKLE("cos\nsystem\n(Vid\ntR\xff\xff"), "0 3 os.system", 0, 18, -1},
    {"cut short", PICKLE("\x80\2cposix\nsystem\nq"), "2 3 posix.system", 0, 17, -1},
    {"cut in a count", PICKLE("\x80\4\x8e\xff\xff\xff\xff\xff\xff\xff\x7fxx"), "", 0, 13, -1},
    {"a negative count", PICKLE("\x80\4\x8e\xff\xff\xff\xff\xff\xff\xff\xff"), "", 0, 2, -1},
    {"protocol 6", PICKLE("\x80\6."), "", 0, 0, -1},
    {"nothing", PICKLE(""), "", 0, 0, -1},
    {"numbers behind it", PICKLE("\x80\2K\1.\0\1\2\3cde\nfgh\n"), "", 1, -1, 5},
    {"an import in numbers", PICKLE("\x80\2K\1.\0\1\2\3cos\nsystem\n"), "19 3 os.system", 1, -1, 5},
    {"an array in the middle",
     PICKLE("\x80\4\x8c\1a\xff\xff\xff\x8c\5posix\x94\x8c\6system\x94\x93."), "25 3 posix.system",
     0, 5, -1},
    {"bytes in bytes", PICKLE("\x80\3C\x13\x80\2cposix\nsystem\n)R.."), "6 3 posix.system", 1, -1,
     -1},
    {"each once", PICKLE("cmy\na\n0cmy\na\n0cmy\nb\n."), "0 2 my.a\n14 2 my.b", 1, -1, -1},
};

static void finds_every_import(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        const struct pickle_row *row = &rows[i];
        static const size_t pieces[] = {1, 3, 1000};
        IN_ROW(row->what);
        for (size_t k = 0; k < CORAS_ARRAY_LEN(pieces); k++) {
            coras_auto_buf out = CORAS_BUF_UNLIMITED;
            coras_pickle_summary got = scan(row->data, row->len, pieces[k], &out);
            assert_string_equal(out.ptr, row->found);
            assert_int_equal(got.pickles, row->pickles);
            assert_int_equal(got.broken_at, row->broken_at);
            assert_int_equal(got.raw_at, row->raw_at);
        }
    }
}

/* Five pickles and the numbers, as torch.save wrote them before 1.6. */
static void stops_at_the_numbers_of_torch(void **state)
{
    static const char head[] = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
                               "\x80\2M\xe9\3.\x80\2}q\0.\x80\2ctorch\nFloatStorage\n0}.\x80\2].";
    static const char numbers[] = "\x80\2\0\0\0\0\0\0cmy\nNet\n.";
    coras_auto_buf data = CORAS_BUF_UNLIMITED;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    coras_buf_put(&data, head, sizeof(head) - 1);
    coras_buf_put(&data, numbers, sizeof(numbers) - 1);
    coras_pickle_summary got = scan(data.ptr, data.len, 5, &out);
    assert_string_equal(out.ptr, "29 1 torch.FloatStorage");
    assert_int_equal(got.pickles, 5);
    assert_int_equal(got.broken_at, -1);
    assert_int_equal(got.raw_at, sizeof(head) - 1);
}

/* A name of a megabyte is nobody's, and is not kept. */
static void long_names_are_not_kept(void **state)
{
    coras_auto_buf data = CORAS_BUF_UNLIMITED;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    coras_buf_putc(&data, 'c');
    for (int i = 0; i < CORAS_MIB; i++)
        coras_buf_putc(&data, 'a');
    coras_buf_puts(&data, "\nsystem\n.");
    coras_alloc_count_start();
    coras_pickle_summary got = scan(data.ptr, data.len, 1000, &out);
    assert_true(coras_alloc_count_stop() < 64 * CORAS_KIB);
    assert_int_equal(got.pickles, 1);
    assert_string_equal(out.ptr, "0 3 a name that is too long for one");
}

/* More texts, marks and memo entries than are kept: memory stays bounded, and the import is seen.
 */
static void memory_is_bounded(void **state)
{
    coras_auto_buf data = CORAS_BUF_UNLIMITED;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    for (int i = 0; i < 400000; i++)
        coras_buf_printf(&data, "(V%d\nr%c%c%c%cp%d\n", i, i & 0xff, i >> 8 & 0xff, i >> 16 & 0xff,
                         0, 4 * i);
    coras_buf_puts(&data, "Vos\nVsystem\n\x93.");
    coras_alloc_count_start();
    coras_pickle_summary got = scan(data.ptr, data.len, 4096, &out);
    assert_true(coras_alloc_count_stop() < 64 * CORAS_MIB);
    assert_int_equal(got.pickles, 1);
    assert_non_null(strstr(out.ptr, " 3 os.system"));
}

static void imports_without_end_are_one_finding(void **state)
{
    coras_auto_buf data = CORAS_BUF_UNLIMITED;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    for (int i = 0; i < 2 * CORAS_LIMIT_PICKLE_IMPORTS; i++)
        coras_buf_printf(&data, "cm\nn%d\n0", i);
    (void)scan(data.ptr, data.len, 4096, &out);
    const char *last = strrchr(out.ptr, '\n');
    assert_non_null(strstr(last, " 3 more imports than any model has"));
}

static int scan_some(coras_error **err)
{
    static const char data[] =
        "\x80\4\x8c\2os\x94\x8c\6system\x94\x93(C\x13\x80\2cposix\nsystem\n)R.t."
        "cmy\nNet\n.";
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    const coras_pickle_visitor visitor = {put_import, &out};
    coras_auto(coras_pickle) p = NULL;
    coras_pickle_summary summary;
    CORAS_TRY(coras_pickle_new(&visitor, &p, err));
    CORAS_TRY(coras_pickle_feed(p, data, sizeof(data) - 1, err));
    CORAS_TRY(coras_pickle_finish(p, &summary, err));
    return coras_buf_done(&out, err);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    fail_each_allocation(scan_some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_import),
        cmocka_unit_test(stops_at_the_numbers_of_torch),
        cmocka_unit_test(long_names_are_not_kept),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(imports_without_end_are_one_finding),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
