/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking: what arrives, and everything that must not. */
#include "archive/unpack.h"

#include "archive.h"
#include "scratch.h"
#include "oci/digest.h"

/* Unpack `gz` into ./out/d, members below "d/". */
static int unpack_bytes(const coras_buf *gz, const char *tar_digest, coras_error **err)
{
    coras_digest digest = {0};
    if (tar_digest)
        assert_ok(coras_digest_parse(tar_digest, &digest, NULL), NULL);
    put_bytes("archive", gz->ptr, gz->len);
    (void)mkdir("out", 0755);
    coras_auto_fd blob = open("archive", O_RDONLY | O_CLOEXEC);
    coras_auto_fd parent = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(blob >= 0 && parent >= 0);
    const struct coras_unpack_request request = {
        .blob_fd = blob,
        .size = (int64_t)gz->len,
        .parent_dirfd = parent,
        .stage_dirfd = parent,
        .dirname = "d",
        .title = "d",
        .target_path = "/w/d",
        .tar_digest = tar_digest ? &digest : NULL,
        .no_sync = true,
    };
    return coras_unpack(&request, err);
}

static int unpack_tar(const coras_buf *tar, coras_error **err)
{
    coras_auto_buf gz = CORAS_BUF_UNLIMITED;
    compress_into(&gz, tar->ptr, tar->len);
    return unpack_bytes(&gz, NULL, err);
}

static int unpack_members(const struct archive_member *members, size_t len, coras_error **err)
{
    coras_auto_buf tar = CORAS_BUF_UNLIMITED;
    put_archive(&tar, members, len);
    return unpack_tar(&tar, err);
}

/* Neither the target nor a stage of it. */
static void assert_nothing_appeared(void)
{
    assert_int_equal(rmdir("out"), 0);
}

static void makes_what_the_archive_names(void **state)
{
    static const struct archive_member members[] = {
        DIR_MEMBER("d", 0755),
        DIR_MEMBER("d/empty", 0750),
        FILE_MEMBER("d/f", "hello"),
        {CORAS_TAR_FILE, "d/set", "", 06755, "", 0},
        FILE_MEMBER("./d//g", "clean"),
        FILE_MEMBER("d/deep/er/h", "parents"),
        SYMLINK_MEMBER("d/deep/l", "../f"),
        SYMLINK_MEMBER("d/dangling", "not/there"),
        HARD_MEMBER("d/hard", "d/f"),
        FILE_MEMBER("d/bad\xff name", "bytes"),
        DIR_MEMBER("d/locked", 0000),
        FILE_MEMBER("d/locked/in", "side"),
    };
    coras_auto(coras_error) err = NULL;
    struct stat a, b;
    (void)state;
    assert_ok(unpack_members(members, CORAS_ARRAY_LEN(members), &err), err);
    assert_text("out/d/f", "hello");
    assert_text("out/d/g", "clean");
    assert_text("out/d/deep/er/h", "parents");
    assert_text("out/d/deep/l", "hello");
    assert_text("out/d/bad\xff name", "bytes");
    assert_int_equal(mode_of("out/d"), 0755);
    assert_int_equal(mode_of("out/d/empty"), 0750);
    assert_int_equal(mode_of("out/d/set"), 0755);
    assert_int_equal(mode_of("out/d/locked"), 0);
    assert_int_equal(chmod("out/d/locked", 0700),
                     0); /* who is not root wants to look, and clean up */
    assert_text("out/d/locked/in", "side");
    assert_true(path_exists("out/d/dangling"));
    assert_int_equal(lstat("out/d/f", &a), 0);
    assert_int_equal(lstat("out/d/hard", &b), 0);
    assert_int_equal(a.st_ino, b.st_ino);
    assert_int_equal(a.st_mtim.tv_sec, 1700000000);
    assert_int_equal(lstat("out/d", &a), 0);
    assert_int_equal(a.st_mtim.tv_sec, 1700000000);
}

static void refuses_what_leads_out(void **state)
{
    static const struct {
        const char *message;
        struct archive_member members[4];
    } cases[] = {
        {"\"../x\" is outside of \"d\"", {FILE_MEMBER("../x", "")}},
        {"\"d/fifo\" is neither a file nor a directory nor a link",
         {{CORAS_TAR_FIFO, "d/fifo", "", 0644, "", 0}}},
        {"\"d/null\" is neither a file nor a directory nor a link",
         {{CORAS_TAR_CHAR_DEVICE, "d/null", "", 0666, "", 0}}},
        {"\"d/../../x\" is outside of \"d\"", {FILE_MEMBER("d/../../x", "")}},
        {"\"d/a/../b\" is outside of \"d\"", {FILE_MEMBER("d/a/../b", "")}},
        {"\"/tmp/zz\" is outside of \"d\"", {FILE_MEMBER("/tmp/zz", "")}},
        {"\"e/x\" is outside of \"d\"", {FILE_MEMBER("e/x", "")}},
        {"\"dd\" is outside of \"d\"", {FILE_MEMBER("dd", "")}},
        {"no symbolic link allowed between \"d\" and \"d/l/x\"",
         {SYMLINK_MEMBER("d/l", "sub"), FILE_MEMBER("d/l/x", "")}},
        {"no symbolic link allowed between \"d\" and \"d/l\"",
         {DIR_MEMBER("d/sub", 0755), SYMLINK_MEMBER("d/l", "sub"), DIR_MEMBER("d/l", 0755)}},
        {"\"/w/etc\" is outside of \"d\"", {SYMLINK_MEMBER("d/l", "../etc")}},
        {"\"/w/d2\" is outside of \"d\"", {SYMLINK_MEMBER("d/a/l", "../../d2")}},
        {"\"/etc/passwd\" is outside of \"d\"", {SYMLINK_MEMBER("d/l", "/etc/passwd")}},
        {"\"/w/real\" is outside of \"d\"", {SYMLINK_MEMBER("d", "real")}},
        /* Inside when read as text, outside when the kernel follows it. */
        {"symbolic link \"d/out\" leads out of \"d\"",
         {SYMLINK_MEMBER("d/p", "."), SYMLINK_MEMBER("d/out", "p/p/p/../..")}},
        {"symbolic link \"d/a\" leads out of \"d\"",
         {SYMLINK_MEMBER("d/a", "b/.."), SYMLINK_MEMBER("d/b", ".")}},
        {"symbolic link \"d/a\" leads out of \"d\"",
         {SYMLINK_MEMBER("d/a", "nowhere/../x")}}, /* nobody can say yet where that is */
        {"hard link \"d/nope\": lstat /w/d/nope: no such file or directory",
         {HARD_MEMBER("d/h", "d/nope")}},
        {"hard link target \"d/l\" is a symbolic link",
         {SYMLINK_MEMBER("d/l", "f"), HARD_MEMBER("d/h", "d/l")}},
        {"\"/etc/passwd\" is outside of \"d\"", {HARD_MEMBER("d/h", "/etc/passwd")}},
        {"\"../archive\" is outside of \"d\"", {HARD_MEMBER("d/h", "../archive")}},
        {"archive/tar: invalid tar header: content in a member that can have none",
         {FILE_MEMBER("d/f", ""), {CORAS_TAR_HARD_LINK, "d/h", "d/f", 0644, "evil", 0}}},
        {"archive/tar: sparse files are refused", {{'S', "d/s", "", 0644, "", 0}}},
        {"archive/tar: sparse files are refused",
         {{'x', "x", "", 0644, "22 GNU.sparse.major=1\n", 0}, FILE_MEMBER("d/s", "")}},
        {"archive/tar: invalid tar header: two different sizes",
         {{'x', "x", "", 0644, "9 size=9\n", 0}, FILE_MEMBER("d/f", "abc")}},
        {"archive/tar: invalid tar header: malformed size",
         {{'x', "x", "", 0644, "11 size=-1\n", 0}, FILE_MEMBER("d/f", "")}},
        {"archive/tar: invalid tar header: malformed size",
         {{'x', "x", "", 0644, "28 size=9223372036854775808\n", 0}, FILE_MEMBER("d/f", "")}},
        {"archive/tar: invalid tar header: size out of range",
         {{'x', "x", "", 0644, "28 size=9223372036854775807\n", 0}, FILE_MEMBER("d/f", "")}},
    };
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(coras_error) err = NULL;
        int rc = unpack_members(cases[i].members, CORAS_ARRAY_LEN(cases[i].members), &err);
        assert_failed(rc, err, CORAS_ERR_UNSAFE_ARCHIVE, cases[i].message);
        assert_nothing_appeared();
    }
}

static void links_that_stay_inside_are_kept(void **state)
{
    static const struct archive_member members[] = {
        DIR_MEMBER("d/a", 0755),
        FILE_MEMBER("d/f", "x"),
        SYMLINK_MEMBER("d/up", "a/../f"),    /* the kernel says: inside */
        SYMLINK_MEMBER("d/later", "a/../g"), /* the same, and nothing there yet */
        SYMLINK_MEMBER("d/a/l", ".././f"),
    };
    coras_auto(coras_error) err = NULL;
    (void)state;
    assert_ok(unpack_members(members, CORAS_ARRAY_LEN(members), &err), err);
    assert_text("out/d/up", "x");
    assert_text("out/d/a/l", "x");
}

static void later_members_replace_earlier_ones(void **state)
{
    static const struct archive_member members[] = {
        FILE_MEMBER("d/victim", "kept"),     SYMLINK_MEMBER("d/l", "victim"),
        FILE_MEMBER("d/l", "new"),           FILE_MEMBER("d/f", "old"),
        SYMLINK_MEMBER("d/f", "victim"),     DIR_MEMBER("d/dir", 0755),
        SYMLINK_MEMBER("d/dir", "victim"),   FILE_MEMBER("d/twice", "first, and longer"),
        FILE_MEMBER("d/twice", "second"),    HARD_MEMBER("d/hard", "d/victim"),
        FILE_MEMBER("d/hard", "not victim"),
    };
    coras_auto(coras_error) err = NULL;
    (void)state;
    assert_ok(unpack_members(members, CORAS_ARRAY_LEN(members), &err), err);
    assert_text("out/d/victim", "kept");
    assert_text("out/d/l", "new");
    assert_text("out/d/dir", "kept");
    assert_text("out/d/f", "kept");
    assert_text("out/d/twice", "second");
}

static void refuses_damaged_streams(void **state)
{
    static const struct archive_member members[] = {FILE_MEMBER("d/f", "hello")};
    coras_auto_buf tar = CORAS_BUF_UNLIMITED, gz = CORAS_BUF_UNLIMITED;
    put_archive(&tar, members, 1);
    compress_into(&gz, tar.ptr, tar.len);
    (void)state;
    static const struct {
        const char *what, *message;
    } cases[] = {
        {"cut", "unexpected EOF"},
        {"short", "unexpected EOF"},
        {"plain", "gzip: invalid header"},
        {"trailing", "trailing data after the gzip stream"},
        {"checksum", "gzip: invalid checksum"},
        {"tar cut", "unexpected EOF"},
        {"tar trailing", "trailing data after the end of the archive"},
        {"no tar", "archive/tar: invalid tar header"},
        {"empty", "unexpected EOF"},
    };
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        const char *what = cases[i].what;
        coras_auto(coras_error) err = NULL;
        coras_auto_buf bytes = CORAS_BUF_UNLIMITED, inner = CORAS_BUF_UNLIMITED;
        coras_buf_put(&bytes, gz.ptr, gz.len);
        coras_buf_put(&inner, tar.ptr, tar.len);
        bool is_inner = strncmp(what, "tar", 3) == 0 || what[0] == 'n' || what[0] == 'e';
        if (strcmp(what, "cut") == 0)
            coras_buf_truncate(&bytes, gz.len - 9);
        else if (strcmp(what, "short") == 0)
            coras_buf_truncate(&bytes, 3);
        else if (strcmp(what, "plain") == 0)
            memcpy(bytes.ptr, "hello", 5);
        else if (strcmp(what, "trailing") == 0)
            coras_buf_puts(&bytes, "x");
        else if (strcmp(what, "checksum") == 0)
            bytes.ptr[gz.len - 8] ^= 1;
        else if (strcmp(what, "tar cut") == 0)
            coras_buf_truncate(&inner, 600);
        else if (strcmp(what, "tar trailing") == 0)
            coras_buf_puts(&inner, "x");
        else if (strcmp(what, "no tar") == 0)
            memset(inner.ptr, 'x', inner.len);
        else if (strcmp(what, "empty") == 0)
            coras_buf_truncate(&inner, 0);
        if (is_inner) {
            coras_buf_reset(&bytes);
            compress_into(&bytes, inner.ptr, inner.len);
        }
        assert_failed(unpack_bytes(&bytes, NULL, &err), err, CORAS_ERR_UNSAFE_ARCHIVE,
                      cases[i].message);
        assert_nothing_appeared();
    }
}

static void a_record_beyond_the_limit_is_refused_unread(void **state)
{
    static const struct archive_member at_limit[] = {{'L', "././@LongLink", "", 0, NULL, 1 << 20},
                                                     {0}};
    static const struct archive_member beyond[] = {
        {'L', "././@LongLink", "", 0, NULL, (1 << 20) + 1}, {0}};
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) err2 = NULL;
    (void)state;
    assert_failed(unpack_members(at_limit, 1, &err), err, CORAS_ERR_UNSAFE_ARCHIVE,
                  "unexpected EOF"); /* the bytes were asked for */
    assert_failed(unpack_members(beyond, 1, &err2), err2, CORAS_ERR_TOO_LARGE,
                  "archive/tar: header record of 1048577 bytes exceeds the limit of 1048576 bytes");
    assert_nothing_appeared();
}

static void a_member_larger_than_the_disk_is_refused_before_it_is_written(void **state)
{
    static const struct archive_member members[] = {
        FILE_MEMBER("d/f", "small"), {CORAS_TAR_FILE, "d/huge", "", 0644, NULL, INT64_C(1) << 55}};
    coras_auto(coras_error) err = NULL;
    (void)state;
    assert_failed(unpack_members(members, 2, &err), err, CORAS_ERR_NO_SPACE, NULL);
    assert_non_null(strstr(coras_error_message(err), "5 bytes unpacked of an archive of "));
    assert_nothing_appeared();
}

static void padding_is_part_of_the_digest(void **state)
{
    static const struct archive_member members[] = {FILE_MEMBER("d/f", "hello")};
    static const char zeroes[8192];
    coras_auto_buf tar = CORAS_BUF_UNLIMITED, gz = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_digest digest;
    (void)state;
    put_archive(&tar, members, 1);
    coras_buf_put(&tar, zeroes, sizeof(zeroes)); /* as GNU tar and Python do */
    compress_into(&gz, tar.ptr, tar.len);
    coras_buf_put(&gz, zeroes, 100);
    assert_ok(coras_digest_of(CORAS_SHA256, tar.ptr, tar.len, &digest, NULL), NULL);
    assert_ok(unpack_bytes(&gz, coras_digest_format(&digest, text), &err), err);
    assert_text("out/d/f", "hello");
}

static void members_of_gzip_are_read_on(void **state)
{
    static const struct archive_member members[] = {FILE_MEMBER("d/f", "hello")};
    coras_auto_buf tar = CORAS_BUF_UNLIMITED, gz = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    (void)state;
    put_archive(&tar, members, 1);
    compress_into(&gz, tar.ptr, 700);
    compress_into(&gz, tar.ptr + 700, tar.len - 700);
    assert_ok(unpack_bytes(&gz, NULL, &err), err);
    assert_text("out/d/f", "hello");
}

static void a_wrong_inner_digest_leaves_the_target_alone(void **state)
{
    static const struct archive_member members[] = {FILE_MEMBER("d/f", "new")};
    coras_auto_buf tar = CORAS_BUF_UNLIMITED, gz = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) err = NULL;
    (void)state;
    put_archive(&tar, members, 1);
    compress_into(&gz, tar.ptr, tar.len);
    assert_int_equal(mkdir("out", 0755), 0);
    assert_int_equal(mkdir("out/d", 0755), 0);
    put_text("out/d/f", "old");
    assert_failed(unpack_bytes(&gz,
                               "sha256:"
                               "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                               &err),
                  err, CORAS_ERR_DIGEST_MISMATCH, "content digest mismatch");
    assert_text("out/d/f", "old");
    assert_int_equal(unlink("out/d/f"), 0);
    assert_int_equal(rmdir("out/d"), 0);
    assert_nothing_appeared();
}

/* ---- a target that exists ---- */

static void make_target(void)
{
    assert_int_equal(mkdir("out", 0755), 0);
    assert_int_equal(mkdir("out/d", 0700), 0);
    assert_int_equal(mkdir("out/d/sub", 0700), 0);
    put_text("out/d/mine", "mine");
    put_text("out/d/sub/old", "old");
    assert_int_equal(chmod("out/d/sub/old", 0600), 0);
    assert_int_equal(link("out/d/sub/old", "other-name"), 0);
}

static void merges_into_a_directory(void **state)
{
    static const struct archive_member members[] = {
        DIR_MEMBER("d", 0755), DIR_MEMBER("d/sub", 0755), FILE_MEMBER("d/sub/old", "new"),
        FILE_MEMBER("d/sub/more", "more"), FILE_MEMBER("d/fresh/x", "x")};
    coras_auto(coras_error) err = NULL;
    (void)state;
    make_target();
    assert_ok(unpack_members(members, CORAS_ARRAY_LEN(members), &err), err);
    assert_text("out/d/mine", "mine");
    assert_text("out/d/sub/old", "new");
    assert_text("other-name", "old"); /* never written in place */
    assert_text("out/d/sub/more", "more");
    assert_text("out/d/fresh/x", "x");
    assert_int_equal(mode_of("out/d"), 0700);
    assert_int_equal(mode_of("out/d/sub/old"), 0600);
}

static void a_conflict_leaves_the_target_as_it_was(void **state)
{
    static const struct {
        const char *message;
        int code;
        struct archive_member member;
    } cases[] = {
        {"mkdir d/mine: not a directory", CORAS_ERR_IO, FILE_MEMBER("d/mine/x", "")},
        {"open d/sub: is a directory", CORAS_ERR_IO, FILE_MEMBER("d/sub", "")},
        {"no symbolic link allowed between \"d\" and \"d/link\"", CORAS_ERR_UNSAFE_ARCHIVE,
         FILE_MEMBER("d/link/x", "")},
    };
    (void)state;
    make_target();
    assert_int_equal(symlink("sub", "out/d/link"), 0);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        const struct archive_member members[] = {FILE_MEMBER("d/a", "early"), cases[i].member};
        coras_auto(coras_error) err = NULL;
        assert_failed(unpack_members(members, 2, &err), err, cases[i].code, cases[i].message);
        assert_false(path_exists("out/d/a"));
        assert_text("out/d/mine", "mine");
        assert_text("out/d/sub/old", "old");
    }
}

static void a_link_at_the_target_is_replaced(void **state)
{
    static const struct archive_member members[] = {FILE_MEMBER("d/f", "x")};
    coras_auto(coras_error) err = NULL;
    (void)state;
    assert_int_equal(mkdir("out", 0755), 0);
    assert_int_equal(mkdir("elsewhere", 0755), 0);
    assert_int_equal(symlink("../elsewhere", "out/d"), 0);
    assert_ok(unpack_members(members, 1, &err), err);
    assert_text("out/d/f", "x");
    assert_false(path_exists("elsewhere/f"));
}

static void a_file_at_the_target_stays(void **state)
{
    static const struct archive_member members[] = {FILE_MEMBER("d/f", "x")};
    coras_auto(coras_error) err = NULL;
    (void)state;
    assert_int_equal(mkdir("out", 0755), 0);
    put_text("out/d", "file");
    assert_failed(unpack_members(members, 1, &err), err, CORAS_ERR_IO,
                  "mkdir /w/d: not a directory");
    assert_text("out/d", "file");
}

static void stops_when_it_is_cancelled(void **state)
{
    (void)state;
    coras_auto_buf tar = CORAS_BUF_UNLIMITED, gz = CORAS_BUF_UNLIMITED;
    static const struct archive_member members[] = {FILE_MEMBER("d/f", "x")};
    coras_cancel cancel = {true};
    coras_auto(coras_error) err = NULL;
    put_archive(&tar, members, 1);
    compress_into(&gz, tar.ptr, tar.len);
    put_bytes("archive", gz.ptr, gz.len);
    assert_int_equal(mkdir("out", 0755), 0);
    coras_auto_fd blob = open("archive", O_RDONLY | O_CLOEXEC);
    coras_auto_fd parent = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct coras_unpack_request request = {.blob_fd = blob,
                                                 .size = (int64_t)gz.len,
                                                 .parent_dirfd = parent,
                                                 .stage_dirfd = parent,
                                                 .dirname = "d",
                                                 .title = "d",
                                                 .cancel = &cancel};
    assert_failed(coras_unpack(&request, &err), err, CORAS_ERR_CANCELLED, NULL);
    assert_nothing_appeared();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(makes_what_the_archive_names),
        SCRATCH_TEST(refuses_what_leads_out),
        SCRATCH_TEST(links_that_stay_inside_are_kept),
        SCRATCH_TEST(later_members_replace_earlier_ones),
        SCRATCH_TEST(refuses_damaged_streams),
        SCRATCH_TEST(a_record_beyond_the_limit_is_refused_unread),
        SCRATCH_TEST(a_member_larger_than_the_disk_is_refused_before_it_is_written),
        SCRATCH_TEST(padding_is_part_of_the_digest),
        SCRATCH_TEST(members_of_gzip_are_read_on),
        SCRATCH_TEST(a_wrong_inner_digest_leaves_the_target_alone),
        SCRATCH_TEST(merges_into_a_directory),
        SCRATCH_TEST(a_conflict_leaves_the_target_as_it_was),
        SCRATCH_TEST(a_link_at_the_target_is_replaced),
        SCRATCH_TEST(a_file_at_the_target_stays),
        SCRATCH_TEST(stops_when_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
