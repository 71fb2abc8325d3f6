/* SPDX-License-Identifier: Apache-2.0 */
/* Packing directories: the digest that Go's oras computes. */
#include "archive/pack_dir.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "codec/gzip.h"
#include "archive.h"
#include "scratch.h"
#include "oci/digest.h"

static void set_mtime(const char *path, int64_t seconds, long ns)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds, .tv_nsec = ns}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* The tree of the golden case D1 of the command line's reference. */
static void make_golden_tree(void)
{
    assert_int_equal(mkdir("d", 0755), 0);
    assert_int_equal(mkdir("d/empty", 0755), 0);
    assert_int_equal(mkdir("d/sub", 0755), 0);
    put_text("d/a.txt", "a\n");
    assert_int_equal(chmod("d/a.txt", 0600), 0);
    assert_int_equal(mkfifo("d/fifo", 0644), 0);
    assert_int_equal(link("d/a.txt", "d/hard"), 0);
    assert_int_equal(symlink("a.txt", "d/link"), 0);
    put_text("d/sub/b.txt", "b\n");
    static const char *const paths[] = {"d/a.txt", "d/fifo", "d/link", "d/sub/b.txt"};
    for (size_t i = 0; i < CORAS_ARRAY_LEN(paths); i++)
        set_mtime(paths[i], 1700000000, 0);
    set_mtime("d/empty", 1700000000, 123456789);
    set_mtime("d/sub", 1700000000, 123456789);
    set_mtime("d", 1700000000, 0);
}

static void packs_the_golden_tree(void **state)
{
    (void)state;
    make_golden_tree();
    for (unsigned threads = 0; threads < 4; threads++) {
        const struct coras_pack_dir_options opts = {.threads = threads};
        coras_auto(coras_error) err = NULL;
        struct coras_packed_dir packed;
        char text[CORAS_DIGEST_TEXT_MAX];
        unsigned char magic[10];
        assert_ok(coras_pack_directory("d", "d", &opts, &packed, &err), err);
        assert_string_equal(
            coras_digest_format(&packed.tar_digest, text),
            "sha256:d279fcc5c0ce40769d12865e4dc25e4ab0bb906f709225fe61eb245085ed1792");
        assert_int_equal(pread(packed.fd, magic, sizeof(magic), 0), sizeof(magic));
        assert_memory_equal(magic, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
        assert_int_equal(lseek(packed.fd, 0, SEEK_END), packed.size);
        close(packed.fd);
    }
}

static void the_prefix_is_that_of_the_layer(void **state)
{
    static const struct {
        const char *path, *prefix;
        bool same;
    } cases[] = {{"d", "d", true},
                 {"./d/", "d", true},
                 {"d", "./d", true},
                 {"d", "renamed", false},
                 {"d", "x/d", false}};
    coras_auto(coras_error) err = NULL;
    struct coras_packed_dir first, other;
    (void)state;
    make_golden_tree();
    assert_ok(coras_pack_directory("d", "d", NULL, &first, &err), err);
    close(first.fd);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        assert_ok(coras_pack_directory(cases[i].path, cases[i].prefix, NULL, &other, &err), err);
        close(other.fd);
        assert_int_equal(coras_digest_equal(&first.tar_digest, &other.tar_digest), cases[i].same);
        assert_int_equal(coras_digest_equal(&first.digest, &other.digest), cases[i].same);
    }
}

static void sockets_are_refused_in_go_s_words(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "s/sock"};
    coras_auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    coras_auto(coras_error) err = NULL;
    struct coras_packed_dir packed;
    assert_int_equal(mkdir("s", 0755), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    coras_auto_free char *expected =
        coras_asprintf("failed to tar %s/s: %s/s/sock: archive/tar: sockets not supported",
                       (const char *)*state, (const char *)*state);
    assert_failed(coras_pack_directory("s", "s", NULL, &packed, &err), err, CORAS_ERR_UNSUPPORTED,
                  expected);
}

static void what_is_missing_is_named(void **state)
{
    coras_auto(coras_error) err = NULL;
    struct coras_packed_dir packed;
    coras_auto_free char *expected =
        coras_asprintf("failed to tar %s/no: lstat %s/no: no such file or directory",
                       (const char *)*state, (const char *)*state);
    assert_failed(coras_pack_directory("no", "no", NULL, &packed, &err), err, CORAS_ERR_NOT_FOUND,
                  expected);
}

/* Writes into the file until it is told to stop. */
struct scribbler {
    int fd;
    atomic_bool stop;
};

static void *scribble(void *user)
{
    struct scribbler *s = user;
    while (!s->stop)
        (void)!write(s->fd, "more", 4);
    return NULL;
}

static void a_file_that_changes_is_noticed(void **state)
{
    struct scribbler s = {.stop = false};
    pthread_t thread;
    coras_auto(coras_error) err = NULL;
    struct coras_packed_dir packed;
    (void)state;
    assert_int_equal(mkdir("d", 0755), 0);
    put_text("d/f", "text");
    assert_int_equal(truncate("d/f", 8 << 20), 0); /* long enough to be written to meanwhile */
    s.fd = open("d/f", O_WRONLY | O_CLOEXEC);
    assert_true(s.fd >= 0);
    assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
    int rc = coras_pack_directory("d", "d", NULL, &packed, &err);
    s.stop = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(s.fd);
    assert_failed(rc, err, CORAS_ERR_CHANGED, NULL);
}

static void stops_when_it_is_cancelled(void **state)
{
    coras_cancel cancel = {true};
    const struct coras_pack_dir_options opts = {.cancel = &cancel};
    coras_auto(coras_error) err = NULL;
    struct coras_packed_dir packed;
    (void)state;
    assert_int_equal(mkdir("d", 0755), 0);
    assert_failed(coras_pack_directory("d", "d", &opts, &packed, &err), err, CORAS_ERR_CANCELLED,
                  NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(packs_the_golden_tree),
        SCRATCH_TEST(the_prefix_is_that_of_the_layer),
        SCRATCH_TEST(sockets_are_refused_in_go_s_words),
        SCRATCH_TEST(what_is_missing_is_named),
        SCRATCH_TEST(a_file_that_changes_is_noticed),
        SCRATCH_TEST(stops_when_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
