/* SPDX-License-Identifier: Apache-2.0 */
/* Tar headers: the bytes that Go writes, and what may be read. */
#include "codec/tar.h"

#include <string.h>
#include "base/limits.h"
#include "base/str.h"
#include "support.h"

#define A50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A100 A50 A50

static void put_header(coras_buf *out, const char *name, const char *link, char type, int64_t size,
                       int64_t mtime)
{
    const coras_tar_entry entry = {
        .type = type, .name = name, .link = link, .mode = 0644, .size = size, .mtime_s = mtime};
    coras_auto(coras_error) err = NULL;
    assert_ok(coras_tar_put_header(out, &entry, &err), err);
    assert_int_equal(out->len % CORAS_TAR_BLOCK, 0);
}

/* ---- writing ---- */

static void writes_the_fields_of_ustar(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    (void)state;
    put_header(&out, "d/a.txt", "", CORAS_TAR_FILE, 2, 1700000000);
    assert_int_equal(out.len, CORAS_TAR_BLOCK);
    assert_string_equal(out.ptr, "d/a.txt");
    assert_memory_equal(out.ptr + 100,
                        "0000644\0"
                        "0000000\0"
                        "0000000\0"
                        "00000000002\0"
                        "14524770400\0",
                        48);
    assert_memory_equal(out.ptr + 148, "010443\0 0", 9);
    assert_memory_equal(out.ptr + 257,
                        "ustar\0"
                        "00",
                        8);
    assert_memory_equal(out.ptr + 329,
                        "0000000\0"
                        "0000000\0",
                        16);
}

static void long_names_are_split_or_recorded(void **state)
{
    static const struct {
        const char *what, *name, *link;
        int64_t size, mtime;
        const char *records, *main_name, *prefix;
    } cases[] = {
        {"100 bytes", A100, "", 0, 0, NULL, A100, ""},
        {"101 bytes", A100 "b", "", 0, 0, "111 path=" A100 "b\n", A100, ""},
        {"split", "dir/" A100, "", 0, 0, NULL, A100, "dir"},
        {"prefix of 155", A100 A50 "12345/x", "", 0, 0, NULL, "x", A100 A50 "12345"},
        {"prefix of 156", A100 A50 "123456/x", "", 0, 0, "168 path=" A100 A50 "123456/x\n", A100,
         ""},
        {"not ASCII", "\xc3\xbc", "", 0, 0, "11 path=\xc3\xbc\n", "", ""},
        {"link of 101", "l", A100 "b", 0, 0, "115 linkpath=" A100 "b\n", "l", ""},
        {"8 GiB", "big", "", INT64_C(8589934592), 0, "19 size=8589934592\n", "big", ""},
        {"8 GiB - 1", "big", "", INT64_C(8589934591), 0, NULL, "big", ""},
        {"before 1970", "old", "", 0, -5, "12 mtime=-5\n", "old", ""},
        {"split, but PAX for another reason", "dir/" A100, "", 0, -5,
         "12 mtime=-5\n114 path=dir/" A100 "\n", "dir/" A50, ""},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        char type = *cases[i].link ? CORAS_TAR_SYMLINK : CORAS_TAR_FILE;
        put_header(&out, cases[i].name, cases[i].link, type, cases[i].size, cases[i].mtime);
        const char *main_block = out.ptr + out.len - CORAS_TAR_BLOCK;
        if (cases[i].records) {
            assert_int_equal(out.ptr[156], 'x');
            assert_string_equal(out.ptr + CORAS_TAR_BLOCK, cases[i].records);
        } else {
            assert_int_equal(out.len, CORAS_TAR_BLOCK);
        }
        size_t shown = strlen(cases[i].main_name);
        assert_memory_equal(main_block, cases[i].main_name, shown < 100 ? shown : 100);
        assert_string_equal(main_block + 345, cases[i].prefix);
    }
}

static void the_pax_header_has_a_name_that_old_readers_survive(void **state)
{
    static const struct {
        const char *name, *pax_name;
    } cases[] = {
        {"d/\xc3\xbc", "d/PaxHeaders.0"},
        {"\xc3\xbc.txt", "PaxHeaders.0/.txt"},
        {"/abs/\xc3\xbcx", "/abs/PaxHeaders.0/x"},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        put_header(&out, cases[i].name, "", CORAS_TAR_FILE, 0, 0);
        assert_string_equal(out.ptr, cases[i].pax_name);
    }
}

static void a_negative_size_is_refused(void **state)
{
    const coras_tar_entry entry = {.type = '0', .name = "x", .link = "", .size = -1};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    (void)state;
    assert_failed(coras_tar_put_header(&out, &entry, &err), err, CORAS_ERR_INVALID_ARGUMENT, NULL);
}

/* ---- reading ---- */

/* Decode up to the first entry; the decoder keeps what `ret` points at. */
static int decode(coras_tar_decoder *dec, const coras_buf *in, coras_error **err)
{
    for (size_t at = 0; at + CORAS_TAR_BLOCK <= in->len;) {
        int step = coras_tar_decode_block(dec, in->ptr + at, err);
        if (step < 0 || step == CORAS_TAR_ENTRY || step == CORAS_TAR_END)
            return step;
        at += CORAS_TAR_BLOCK;
        if (step != CORAS_TAR_RECORD)
            continue;
        size_t size = (size_t)dec->record_size;
        assert_true(at + size <= in->len);
        CORAS_TRY(coras_tar_decode_record(dec, in->ptr + at, size, err));
        at += size + coras_tar_padding(dec->record_size);
    }
    return coras_tar_decode_eof(dec, err);
}

static void reads_what_it_writes(void **state)
{
    static const struct {
        const char *name, *link;
        char type;
        int64_t size, mtime;
    } cases[] = {
        {"a", "", '0', 0, 0},
        {"dir/" A100, "", '0', 5, 1},
        {A100 A100 A100, "", '5', 0, 1},
        {"\xff\xfe", A100 "\n=", '2', 0, -7},
        {"big", "", '0', INT64_C(1) << 50, INT64_C(1) << 40},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto_value(coras_tar_decoder) dec;
        coras_auto(coras_error) err = NULL;
        coras_tar_decoder_init(&dec);
        put_header(&out, cases[i].name, cases[i].link, cases[i].type, cases[i].size,
                   cases[i].mtime);
        assert_int_equal(decode(&dec, &out, &err), CORAS_TAR_ENTRY);
        assert_string_equal(dec.entry.name, cases[i].name);
        assert_string_equal(dec.entry.link, cases[i].link);
        assert_int_equal(dec.entry.type, cases[i].type);
        assert_int_equal(dec.entry.size, cases[i].size);
        assert_int_equal(dec.entry.mtime_s, cases[i].mtime);
        assert_int_equal(dec.entry.mode, 0644);
    }
}

static void fix_checksum(char *block)
{
    unsigned sum = 0;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < CORAS_TAR_BLOCK; i++)
        sum += (unsigned char)block[i];
    (void)snprintf(block + 148, 8, "%06o", sum);
}

static void reads_dialects(void **state)
{
    static const struct {
        const char *what;
        size_t offset;
        const char *bytes;
        size_t len;
        const char *name;
        char type;
        int64_t size;
    } cases[] = {
        {"numbers with blanks", 124, "        12 ", 12, "f", '0', 10},
        {"empty number", 124, "\0\0\0\0\0\0\0\0\0\0\0", 12, "f", '0', 0},
        {"base-256", 124, "\x80\0\0\0\0\0\0\2\0\0\0\0", 12, "f", '0', INT64_C(1) << 33},
        {"V7 file", 156, "\0", 1, "f", '0', 2},
        {"contiguous", 156, "7", 1, "f", '0', 2},
        {"ustar prefix", 345, "p/q", 4, "p/q/f", '0', 2},
        {"GNU has no prefix", 257, "ustar  \0", 8, "f", '0', 2},
        {"full name without NUL", 0, A100, 100, A100, '0', 2},
        {"a type of the future", 156, "Z", 1, "f", 'Z', 2},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto_value(coras_tar_decoder) dec;
        coras_auto(coras_error) err = NULL;
        coras_tar_decoder_init(&dec);
        put_header(&out, "f", "", CORAS_TAR_FILE, 2, 0);
        memcpy(out.ptr + cases[i].offset, cases[i].bytes, cases[i].len);
        fix_checksum(out.ptr);
        int step = decode(&dec, &out, &err);
        check_ok(step < 0 ? step : 0, err);
        assert_int_equal(step, CORAS_TAR_ENTRY);
        assert_string_equal(dec.entry.name, cases[i].name);
        assert_int_equal(dec.entry.type, cases[i].type);
        assert_int_equal(dec.entry.size, cases[i].size);
    }
}

static void refuses_bad_headers(void **state)
{
    static const struct {
        const char *what;
        size_t offset;
        const char *bytes;
        size_t len;
        bool right_checksum;
    } cases[] = {
        {"checksum", 0, "g", 1, false},
        {"negative size", 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, true},
        {"size over 63 bits", 124, "\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, true},
        {"size over 95 bits", 124, "\x80\1\0\0\0\0\0\0\0\0\0\0", 12, true},
        {"size at the top of 63 bits", 124, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, true},
        {"digits that are not octal", 124, "00000000008", 12, true},
        {"letters", 124, "0000000000x", 12, true},
        {"number after a blank", 124, "000000 0002", 12, true},
        {"link with content", 156, "2", 1, true},
        {"directory with content", 156, "5", 1, true},
        {"sparse", 156, "S", 1, true},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto_value(coras_tar_decoder) dec;
        coras_auto(coras_error) err = NULL;
        coras_tar_decoder_init(&dec);
        put_header(&out, "f", "", CORAS_TAR_FILE, 2, 0);
        memcpy(out.ptr + cases[i].offset, cases[i].bytes, cases[i].len);
        if (cases[i].right_checksum)
            fix_checksum(out.ptr);
        assert_failed(decode(&dec, &out, &err), err, CORAS_ERR_UNSAFE_ARCHIVE, NULL);
    }
}

/* A record of `type` with this content, then the header of a file of 3 bytes. */
static void put_record(coras_buf *out, char type, const char *content, size_t len)
{
    static const char zeroes[CORAS_TAR_BLOCK];
    put_header(out, "record", "", type, (int64_t)len, 0);
    coras_buf_put(out, content, len);
    coras_buf_put(out, zeroes, coras_tar_padding((int64_t)len));
}

static void records_describe_the_next_entry(void **state)
{
    static const struct {
        const char *what;
        char type;
        const char *content;
        size_t len;
        const char *name; /* NULL: refused */
        int64_t mtime;
        uint32_t mtime_ns;
    } cases[] = {
        {"path", 'x', "9 path=n\n", 9, "n", 0, 0},
        {"the later one wins", 'x', "9 path=n\n9 path=m\n", 18, "m", 0, 0},
        {"empty takes back", 'x', "9 path=n\n8 path=\n", 17, "f", 0, 0},
        {"unknown keys", 'x', "10 a.b=cd\n", 10, "f", 0, 0},
        {"mtime with fraction", 'x', "15 mtime=10.25\n", 15, "f", 10, 250000000},
        {"negative mtime", 'x', "15 mtime=-1.25\n", 15, "f", -2, 750000000},
        {"the size as it is", 'x', "9 size=3\n", 9, "f", 0, 0},
        {"GNU name", 'L', "gnu\0", 4, "gnu", 0, 0},
        {"GNU name without NUL", 'L', "gnu", 3, "gnu", 0, 0},
        {"global comment", 'g', "14 comment=hi\n", 14, "f", 0, 0},
        {"no record", 'x', "", 0, "f", 0, 0},
        {"another size", 'x', "9 size=4\n", 9, NULL, 0, 0},
        {"NUL in a path", 'x', "11 path=n\0m\n", 12, NULL, 0, 0},
        {"NUL inside", 'x', "11 path=n\0m", 11, NULL, 0, 0},
        {"bytes after a GNU name", 'L', "gnu\0x", 5, NULL, 0, 0},
        {"length too large", 'x', "99 path=n\n", 10, NULL, 0, 0},
        {"length too small", 'x', "5 path=n\n", 9, NULL, 0, 0},
        {"length of zero", 'x', "0 path=n\n", 9, NULL, 0, 0},
        {"length over 64 bits", 'x', "99999999999999999999 a=b\n", 25, NULL, 0, 0},
        {"no length", 'x', "path=n\n", 7, NULL, 0, 0},
        {"no equals", 'x', "7 path\n", 7, NULL, 0, 0},
        {"no key", 'x', "5 =n\n", 5, NULL, 0, 0},
        {"no newline", 'x', "9 path=nx", 9, NULL, 0, 0},
        {"global path", 'g', "9 path=n\n", 9, NULL, 0, 0},
        {"bad time", 'x', "11 mtime=x\n", 11, NULL, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto_value(coras_tar_decoder) dec;
        coras_auto(coras_error) err = NULL;
        coras_tar_decoder_init(&dec);
        put_record(&out, cases[i].type, cases[i].content, cases[i].len);
        put_header(&out, "f", "", CORAS_TAR_FILE, 3, 0);
        int rc = decode(&dec, &out, &err);
        if (!cases[i].name) {
            assert_failed(rc, err, CORAS_ERR_UNSAFE_ARCHIVE, NULL);
            continue;
        }
        check_ok(rc < 0 ? rc : 0, err);
        assert_string_equal(dec.entry.name, cases[i].name);
        assert_int_equal(dec.entry.mtime_s, cases[i].mtime);
        assert_int_equal(dec.entry.mtime_ns, cases[i].mtime_ns);
    }
}

static void two_names_for_one_entry_must_agree(void **state)
{
    static const struct {
        const char *gnu;
        int rc;
    } cases[] = {{"n", CORAS_TAR_ENTRY}, {"m", CORAS_ERR_UNSAFE_ARCHIVE}};
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto_value(coras_tar_decoder) dec;
        coras_tar_decoder_init(&dec);
        put_record(&out, 'x', "9 path=n\n", 9);
        put_record(&out, 'L', cases[i].gnu, 1);
        put_header(&out, "f", "", CORAS_TAR_FILE, 0, 0);
        assert_int_equal(decode(&dec, &out, NULL), cases[i].rc);
    }
}

static void records_end_with_their_entry(void **state)
{
    coras_auto_buf first = CORAS_BUF_UNLIMITED, second = CORAS_BUF_UNLIMITED;
    coras_auto_value(coras_tar_decoder) dec;
    (void)state;
    coras_tar_decoder_init(&dec);
    put_record(&first, 'x', "9 path=n\n", 9);
    put_header(&first, "f", "", CORAS_TAR_FILE, 0, 0);
    put_header(&second, "g", "", CORAS_TAR_FILE, 0, 0);
    assert_int_equal(decode(&dec, &first, NULL), CORAS_TAR_ENTRY);
    assert_int_equal(decode(&dec, &second, NULL), CORAS_TAR_ENTRY);
    assert_string_equal(dec.entry.name, "g");
}

static void record_sizes_are_bounded(void **state)
{
    static const struct {
        int64_t size;
        int rc;
    } cases[] = {
        {CORAS_LIMIT_TAR_RECORD - 1, CORAS_TAR_RECORD},
        {CORAS_LIMIT_TAR_RECORD, CORAS_TAR_RECORD},
        {CORAS_LIMIT_TAR_RECORD + 1, CORAS_ERR_TOO_LARGE},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto_value(coras_tar_decoder) dec;
        coras_tar_decoder_init(&dec);
        put_header(&out, "r", "", 'x', cases[i].size, 0);
        assert_int_equal(coras_tar_decode_block(&dec, out.ptr, NULL), cases[i].rc);
    }
}

static void ends_where_archives_end(void **state)
{
    static const char zeroes[CORAS_TAR_END_BYTES];
    coras_auto_value(coras_tar_decoder) dec;
    coras_auto_buf header = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    (void)state;
    coras_tar_decoder_init(&dec);
    put_header(&header, "f", "", CORAS_TAR_FILE, 0, 0);
    assert_failed(coras_tar_decode_eof(&dec, &err), err, CORAS_ERR_UNSAFE_ARCHIVE,
                  "unexpected EOF");
    assert_int_equal(coras_tar_decode_block(&dec, zeroes, NULL), CORAS_TAR_MORE);
    assert_int_equal(coras_tar_decode_eof(&dec, NULL), 0);
    assert_int_equal(coras_tar_decode_block(&dec, header.ptr, NULL), CORAS_ERR_UNSAFE_ARCHIVE);
    assert_int_equal(coras_tar_decode_block(&dec, zeroes, NULL), CORAS_TAR_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_fields_of_ustar),
        cmocka_unit_test(long_names_are_split_or_recorded),
        cmocka_unit_test(the_pax_header_has_a_name_that_old_readers_survive),
        cmocka_unit_test(a_negative_size_is_refused),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(reads_dialects),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(records_describe_the_next_entry),
        cmocka_unit_test(two_names_for_one_entry_must_agree),
        cmocka_unit_test(records_end_with_their_entry),
        cmocka_unit_test(record_sizes_are_bounded),
        cmocka_unit_test(ends_where_archives_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
