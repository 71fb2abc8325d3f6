/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives: what writers make is read, and what lies about itself is refused. */
#include "model/zip.h"

#include <string.h>
#include "base/limits.h"
#include "rows.h"

/* ---- a writer of stored members ---- */

static void put_le(coras_buf *b, uint64_t n, int bytes)
{
    for (int i = 0; i < bytes; i++)
        coras_buf_putc(b, i < 8 ? (char)(n >> 8 * i) : '\0');
}

struct zip_writer {
    coras_buf out, directory;
    unsigned members;
};

static void add_member(struct zip_writer *z, const char *name, const char *content)
{
    size_t at = z->out.len, size = strlen(content);
    coras_buf_put(&z->out, "PK\3\4\24\0\0\0\0\0\0\0\0\0", 14);
    put_le(&z->out, 0, 4);
    put_le(&z->out, size, 4);
    put_le(&z->out, size, 4);
    put_le(&z->out, strlen(name), 2);
    put_le(&z->out, 3, 2);
    coras_buf_puts(&z->out, name);
    coras_buf_puts(&z->out, "pad");
    coras_buf_puts(&z->out, content);
    coras_buf_put(&z->directory, "PK\1\2\24\3\24\0\0\0\0\0\0\0\0\0", 16);
    put_le(&z->directory, 0, 4);
    put_le(&z->directory, size, 4);
    put_le(&z->directory, size, 4);
    put_le(&z->directory, strlen(name), 2);
    put_le(&z->directory, 0, 2 + 2 + 2 + 2 + 4);
    put_le(&z->directory, at, 4);
    coras_buf_puts(&z->directory, name);
    z->members++;
}

static void finish_zip(struct zip_writer *z, bool wide)
{
    size_t at = z->out.len, end64 = at + z->directory.len;
    coras_buf_put(&z->out, z->directory.ptr, z->directory.len);
    if (wide) {
        coras_buf_puts(&z->out, "PK\6\6");
        put_le(&z->out, 44, 8);
        put_le(&z->out, 0x2d002d, 4);
        put_le(&z->out, 0, 8);
        put_le(&z->out, z->members, 8);
        put_le(&z->out, z->members, 8);
        put_le(&z->out, z->directory.len, 8);
        put_le(&z->out, at, 8);
        coras_buf_puts(&z->out, "PK\6\7");
        put_le(&z->out, 0, 4);
        put_le(&z->out, end64, 8);
        put_le(&z->out, 1, 4);
    }
    coras_buf_puts(&z->out, "PK\5\6");
    put_le(&z->out, 0, 4);
    put_le(&z->out, wide ? UINT16_MAX : z->members, 2);
    put_le(&z->out, wide ? UINT16_MAX : z->members, 2);
    put_le(&z->out, wide ? UINT32_MAX : z->directory.len, 4);
    put_le(&z->out, wide ? UINT32_MAX : at, 4);
    put_le(&z->out, 0, 2);
    coras_buf_clear(&z->directory);
}

/* a/data.pkl (5 bytes), a/b (0 bytes): headers at 0 and 48, directory at 84, 105 bytes of it */
static coras_buf small_zip(bool wide)
{
    struct zip_writer z = {CORAS_BUF_UNLIMITED, CORAS_BUF_UNLIMITED, 0};
    add_member(&z, "a/data.pkl", "hello");
    add_member(&z, "a/b", "");
    finish_zip(&z, wide);
    return z.out;
}

/* ---- reading ---- */

static int put_member(void *user, const coras_zip_member *m, coras_error **err)
{
    coras_buf *out = user;
    (void)err;
    coras_buf_printf(out, "%.*s %lld at %lld%s\n", (int)m->name.len, m->name.ptr,
                     (long long)m->size, (long long)m->header_at, m->is_link ? " link" : "");
    return 0;
}

static int list(const char *data, size_t len, size_t piece, coras_zip_end *end, coras_buf *out,
                coras_error **err)
{
    const coras_zip_visitor visitor = {put_member, out};
    coras_auto(coras_zip_directory) d = NULL;
    size_t tail = len < CORAS_ZIP_TAIL ? len : CORAS_ZIP_TAIL;

    CORAS_TRY(coras_zip_find_end(data + len - tail, tail, (int64_t)len, end, err));
    CORAS_TRY(coras_zip_directory_new(end, &visitor, &d, err));
    const char *directory = data + end->directory_at;
    for (size_t at = 0, size = (size_t)end->directory_size; at < size; at += piece)
        CORAS_TRY(coras_zip_directory_feed(d, directory + at, size - at < piece ? size - at : piece,
                                           err));
    return coras_zip_directory_finish(d, err);
}

#define SMALL_LIST "a/data.pkl 5 at 0\na/b 0 at 48\n"

static void lists_members(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++)
        for (size_t piece = 1; piece < 200; piece += 60) {
            coras_auto_buf zip = small_zip(wide);
            coras_auto_buf out = CORAS_BUF_UNLIMITED;
            coras_auto(coras_error) err = NULL;
            coras_zip_end end;
            assert_ok(list(zip.ptr, zip.len, piece, &end, &out, &err), err);
            assert_string_equal(out.ptr, SMALL_LIST);
            assert_int_equal(end.before, 0);
            assert_int_equal(end.behind, 0);
        }
}

static void an_empty_archive_has_no_members(void **state)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    coras_zip_end end;
    (void)state;
    assert_ok(list("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, 100, &end, &out, &err), err);
    assert_int_equal(out.len, 0);
}

static void tells_data_before_and_behind(void **state)
{
    coras_auto_buf zip = small_zip(false);
    coras_auto_buf file = CORAS_BUF_UNLIMITED;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    coras_zip_end end;
    (void)state;
    coras_buf_puts(&file, "#!/bin/sh\n");
    coras_buf_put(&file, zip.ptr, zip.len);
    coras_buf_puts(&file, "tail");
    assert_ok(list(file.ptr, file.len, 100, &end, &out, &err), err);
    assert_string_equal(out.ptr, "a/data.pkl 5 at 10\na/b 0 at 58\n");
    assert_int_equal(end.before, 10);
    assert_int_equal(end.behind, 4);
}

struct lie {
    const char *what;
    bool wide;
    int at; /* from the start, or from the end if negative */
    const char *bytes;
    size_t len;
    const char *message;
};
#define AT(place, text) (place), (text), sizeof(text) - 1

static const struct lie lies[] = {
    {"no end record", false, AT(-22, "XX"), "zip archive: no end record: it is cut short, or none"},
    {"a second disk", false, AT(-18, "\1"), "zip archive: several disks"},
    {"two counts", false, AT(-14, "\3"), "zip archive: two counts of members that differ"},
    {"fewer members than it says", false, AT(-14, "\3\0\3"),
     "zip archive: the directory does not have as many members as the end record says"},
    {"a directory beyond the file", false, AT(-10, "\xff\xff\xff\x7f"),
     "zip archive: the directory reaches beyond the file"},
    {"an offset beyond the file", false, AT(-6, "\xff\xff\xff\x7f"),
     "zip archive: the directory reaches beyond the file"},
    {"a shorter directory", false, AT(-10, "\x10"), "zip archive: the directory is cut short"},
    {"no directory", false, AT(84, "XX"), "zip member 1 \"\": no record of a directory"},
    {"a member beyond the directory", false, AT(84 + 20, "\x30\0\0\0\x30"),
     "zip member 1 \"a/data.pkl\": reaches beyond the end of the members"},
    {"two sizes", false, AT(84 + 24, "\6"),
     "zip member 1 \"a/data.pkl\": is stored, but its two sizes differ"},
    {"overlapping members", false, AT(84 + 56 + 42, "\4"), "zip archive: members overlap"},
    {"a NUL in a name", false, AT(84 + 48, "\0"),
     "zip member 1 \"a/\\x00ata.pkl\": a NUL in the name"},
    {"another disk", false, AT(84 + 34, "\1"), "zip member 1 \"a/data.pkl\": lies on another disk"},
    {"a size that is missing", false, AT(84 + 24, "\xff\xff\xff\xff"),
     "zip member 1 \"a/data.pkl\": a size or an offset that is missing"},
    {"zip64: no record", true, AT(84 + 105, "XX"),
     "zip archive: no record of zip64 where one is promised"},
    {"zip64: elsewhere", true, AT(84 + 105 + 56 + 8, "\0"),
     "zip archive: the record of zip64 is not where it belongs"},
    {"zip64: beyond 63 bits", true, AT(84 + 105 + 47, "\xff"),
     "zip archive: numbers beyond 63 bits"},
    {"zip64: contradicts the small one", true, AT(-14, "\1\0\1\0"),
     "zip archive: the end record and that of zip64 differ"},
    {"zip64: a million members", true, AT(84 + 105 + 24, "\0\0\1\0\0\0\0\0\0\0\1\0"),
     "zip archive: more members than bytes in the directory"},
};

static void lies_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(lies); i++) {
        const struct lie *lie = &lies[i];
        coras_auto_buf zip = small_zip(lie->wide);
        coras_auto_buf out = CORAS_BUF_UNLIMITED;
        coras_auto(coras_error) err = NULL;
        coras_zip_end end;
        IN_ROW(lie->what);
        char *at = lie->at < 0 ? zip.ptr + zip.len + lie->at : zip.ptr + lie->at;
        memcpy(at, lie->bytes, lie->len);
        assert_failed(list(zip.ptr, zip.len, 50, &end, &out, &err), err, CORAS_ERR_INVALID_MODEL,
                      lie->message);
    }
}

static void two_members_of_one_name_are_refused(void **state)
{
    struct zip_writer z = {CORAS_BUF_UNLIMITED, CORAS_BUF_UNLIMITED, 0};
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    coras_zip_end end;
    (void)state;
    add_member(&z, "data.pkl", "one");
    add_member(&z, "x", "");
    add_member(&z, "data.pkl", "two");
    finish_zip(&z, false);
    assert_failed(list(z.out.ptr, z.out.len, 50, &end, &out, &err), err, CORAS_ERR_INVALID_MODEL,
                  "zip archive: two members have one name");
    coras_buf_clear(&z.out);
}

static void a_member_confirms_what_the_directory_says(void **state)
{
    static const struct lie headers[] = {
        {"no header", false, AT(0, "XX"),
         "zip archive: a member has no header where the directory says"},
        {"another name", false, AT(31, "c"),
         "zip archive: a member calls itself by another name than the directory"},
        {"another method", false, AT(8, "\10"),
         "zip archive: a member and the directory disagree about compression"},
        {"cut short", false, AT(26, "\13"),
         "zip archive: a member calls itself by another name than the directory"},
    };
    const coras_zip_member m = {.name = CORAS_STR("a/data.pkl"), .packed = 5, .size = 5};
    coras_auto_buf good = small_zip(false);
    int64_t at = 0;
    (void)state;
    assert_ok(coras_zip_member_data(&m, good.ptr, 40, &at, NULL), NULL);
    assert_int_equal(at, 43); /* the header, the name, three bytes of padding */
    for (size_t i = 0; i < CORAS_ARRAY_LEN(headers); i++) {
        coras_auto_buf zip = small_zip(false);
        coras_auto(coras_error) err = NULL;
        IN_ROW(headers[i].what);
        memcpy(zip.ptr + headers[i].at, headers[i].bytes, headers[i].len);
        assert_failed(coras_zip_member_data(&m, zip.ptr, 40, &at, &err), err,
                      CORAS_ERR_INVALID_MODEL, headers[i].message);
    }
}

static coras_buf some_zip;
static int list_some(coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_zip_end end;
    CORAS_TRY(list(some_zip.ptr, some_zip.len, 50, &end, &out, err));
    return coras_buf_done(&out, err);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    some_zip = small_zip(true);
    fail_each_allocation(list_some);
    coras_buf_clear(&some_zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_members),
        cmocka_unit_test(an_empty_archive_has_no_members),
        cmocka_unit_test(tells_data_before_and_behind),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(two_members_of_one_name_are_refused),
        cmocka_unit_test(a_member_confirms_what_the_directory_says),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
