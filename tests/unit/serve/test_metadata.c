/* SPDX-License-Identifier: Apache-2.0 */
/* The database: what is atomic, what is found where, what writers that meet leave behind. */
#include "serve/storage/metadata.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "support.h"

/* Undoes what later versions have added. */
static const char first_version[] = "ALTER TABLE tag DROP COLUMN cached; DROP INDEX blob_by_use;"
                                    "ALTER TABLE blob DROP COLUMN used; PRAGMA user_version = 1;";

struct fixture {
    char *directory, *path;
    serve_metadata *m;
};

static int open_fixture(void **state)
{
    struct fixture *f = coras_new(struct fixture);
    coras_auto(coras_error) err = NULL;

    f->directory = coras_strdup("/tmp/coras-metadata-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->path = coras_path_join(f->directory, "registry.db");
    assert_ok(serve_metadata_open(f->path, SERVE_DB_CREATE, &f->m, &err), err);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    serve_metadata_close(f->m);
    assert_int_equal(coras_remove_all(AT_FDCWD, f->directory, NULL), 0);
    free(f->directory);
    free(f->path);
    free(f);
    return 0;
}

static coras_digest digest_of(const char *text)
{
    coras_digest d;

    assert_int_equal(coras_digest_of(CORAS_SHA256, text, strlen(text), &d, NULL), 0);
    return d;
}

static int put_as(serve_metadata *m, bool is_cached, const char *repository, const char *content,
                  const char *tag, coras_digest *ret_missing, coras_error **err)
{
    coras_auto_value(coras_manifest) parsed = {0};
    coras_auto_value(coras_strlist) tags = {0};
    struct serve_manifest_put put = {.repository = repository,
                                     .digest = digest_of(content),
                                     .media_type = CORAS_MT_OCI_MANIFEST,
                                     .content = content,
                                     .size = strlen(content),
                                     .parsed = &parsed,
                                     .check_children = !is_cached,
                                     .tags = &tags,
                                     .is_cached = is_cached};

    CORAS_TRY(coras_manifest_parse(content, put.size, put.media_type, &parsed, err));
    if (tag)
        CORAS_TRY(coras_strlist_add(&tags, tag, err));
    return serve_metadata_put_manifest(m, &put, ret_missing, err);
}

static int put_text(serve_metadata *m, const char *repository, const char *content, const char *tag,
                    coras_digest *ret_missing, coras_error **err)
{
    return put_as(m, false, repository, content, tag, ret_missing, err);
}

/* A manifest with the config `{}` and nothing else; `note` makes it differ. */
static char *manifest_text(const char *note)
{
    return coras_asprintf("{\"schemaVersion\":2,\"mediaType\":\"" CORAS_MT_OCI_MANIFEST
                          "\",\"config\":{\"mediaType\":\"" CORAS_MT_OCI_EMPTY
                          "\",\"digest\":\"" CORAS_EMPTY_JSON_DIGEST
                          "\",\"size\":2},\"layers\":[],\"annotations\":{\"note\":\"%s\"}}",
                          note);
}

static void link_empty(struct fixture *f, const char *repository)
{
    coras_digest d = digest_of(CORAS_EMPTY_JSON);
    coras_auto(coras_error) err = NULL;

    assert_ok(serve_metadata_link_blob(f->m, repository, &d, 2, &err), err);
}

static void keeps_blobs_to_their_repository(void **state)
{
    struct fixture *f = *state;
    coras_digest d = digest_of(CORAS_EMPTY_JSON);
    int64_t size = -1;

    link_empty(f, "a");
    assert_int_equal(serve_metadata_find_blob(f->m, "a", &d, &size, NULL), 0);
    assert_int_equal(size, 2);
    assert_int_equal(serve_metadata_find_blob(f->m, "b", &d, &size, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_mount_blob(f->m, "c", "b", &d, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_has_repository(f->m, "b", NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_mount_blob(f->m, "a", "b", &d, NULL), 0);
    assert_int_equal(serve_metadata_find_blob(f->m, "b", &d, &size, NULL), 0);
    assert_int_equal(serve_metadata_unlink_blob(f->m, "a", &d, NULL), 0);
    assert_int_equal(serve_metadata_unlink_blob(f->m, "a", &d, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_find_blob(f->m, "a", &d, &size, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_mount_blob(f->m, NULL, "c", &d, NULL), 0);
}

static void keeps_no_blob_that_went(void **state)
{
    struct fixture *f = *state;
    coras_digest d = digest_of(CORAS_EMPTY_JSON);
    static const int64_t befores[] = {0, INT64_MAX}; /* young; old */

    for (size_t i = 0; i < CORAS_ARRAY_LEN(befores); i++) {
        link_empty(f, "a");
        assert_int_equal(serve_metadata_keep_blob(f->m, "a", &d, befores[i], NULL), 0);
        assert_int_equal(serve_metadata_keep_blob(f->m, "b", &d, befores[i], NULL),
                         CORAS_ERR_NOT_FOUND);
        assert_int_equal(serve_metadata_unlink_blob(f->m, "a", &d, NULL), 0);
        assert_int_equal(serve_metadata_keep_blob(f->m, "a", &d, befores[i], NULL),
                         CORAS_ERR_NOT_FOUND);
    }
}

static void refuses_a_manifest_without_its_blobs_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    coras_auto_free char *text = manifest_text("x");
    coras_digest missing = {0}, empty = digest_of(CORAS_EMPTY_JSON);

    assert_int_equal(put_text(f->m, "a", text, "v1", &missing, NULL), CORAS_ERR_NOT_FOUND);
    assert_true(coras_digest_equal(&missing, &empty));
    assert_int_equal(serve_metadata_has_repository(f->m, "a", NULL), CORAS_ERR_NOT_FOUND);
}

static void deletes_a_manifest_with_its_tags(void **state)
{
    struct fixture *f = *state;
    coras_auto_free char *text = manifest_text("x");
    coras_digest missing, digest = digest_of(text);
    struct serve_stored_manifest s = {0};
    coras_auto_value(coras_strlist) tags = {0};
    bool more = true;

    link_empty(f, "a");
    assert_int_equal(put_text(f->m, "a", text, "v1", &missing, NULL), 0);
    assert_int_equal(put_text(f->m, "a", text, "v2", &missing, NULL), 0);
    assert_int_equal(serve_metadata_get_manifest(f->m, "a", "v2", NULL, true, &s, NULL), 0);
    assert_string_equal(s.media_type, CORAS_MT_OCI_MANIFEST);
    assert_int_equal(s.size, strlen(text));
    assert_memory_equal(s.content, text, strlen(text));
    serve_stored_manifest_clear(&s);
    assert_int_equal(serve_metadata_delete_tag(f->m, "a", "v2", NULL), 0);
    assert_int_equal(serve_metadata_delete_tag(f->m, "a", "v2", NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_get_manifest(f->m, "a", NULL, &digest, false, &s, NULL), 0);
    serve_stored_manifest_clear(&s);
    assert_int_equal(serve_metadata_delete_manifest(f->m, "a", &digest, NULL), 0);
    assert_int_equal(serve_metadata_get_manifest(f->m, "a", "v1", NULL, false, &s, NULL),
                     CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_delete_manifest(f->m, "a", &digest, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_tags(f->m, "a", "", 10, &tags, &more, NULL), 0);
    assert_int_equal(tags.len, 0);
    assert_false(more);
}

#define WRITERS          16
#define WRITES_OF_WRITER 20

struct writer {
    struct fixture *f;
    int number;
};

static void *write_tags(void *user)
{
    struct writer *w = user;

    for (int i = 0; i < WRITES_OF_WRITER; i++) {
        coras_auto_free char *note = coras_asprintf("%d-%d", w->number, i);
        coras_auto_free char *text = manifest_text(note);
        coras_digest missing;
        /* every other write fails: it must not take its neighbours' with it */
        const char *repository = i % 2 ? "a" : "missing";
        int rc = put_text(w->f->m, repository, text, note, &missing, NULL);
        if (rc != (i % 2 ? 0 : CORAS_ERR_NOT_FOUND))
            return w;
    }
    return NULL;
}

static void keeps_writers_that_meet_apart(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[WRITERS];
    struct writer writers[WRITERS];
    coras_auto_value(coras_strlist) tags = {0};
    bool more;

    link_empty(f, "a");
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){f, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_tags, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *complaint = NULL;
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
    }
    assert_int_equal(serve_metadata_tags(f->m, "a", "", 10000, &tags, &more, NULL), 0);
    assert_int_equal(tags.len, WRITERS * WRITES_OF_WRITER / 2);
    assert_int_equal(serve_metadata_has_repository(f->m, "missing", NULL), CORAS_ERR_NOT_FOUND);
}

static void collects_what_nothing_names(void **state)
{
    struct fixture *f = *state;
    coras_auto_free char *text = manifest_text("x");
    coras_digest missing, lone = digest_of("lone"), empty = digest_of(CORAS_EMPTY_JSON);
    coras_auto_value(coras_strlist) gone = {0};
    char expected[CORAS_DIGEST_TEXT_MAX];
    int64_t size;

    link_empty(f, "a");
    assert_int_equal(serve_metadata_link_blob(f->m, "a", &lone, 4, NULL), 0);
    assert_int_equal(put_text(f->m, "a", text, NULL, &missing, NULL), 0);
    assert_int_equal(serve_metadata_collect(f->m, 0, 10, &gone, NULL), 0);
    assert_int_equal(gone.len, 0); /* all is younger than 1970 */
    assert_int_equal(serve_metadata_collect(f->m, INT64_MAX, 10, &gone, NULL), 0);
    assert_int_equal(gone.len, 1);
    assert_string_equal(gone.items[0], coras_digest_format(&lone, expected));
    assert_int_equal(serve_metadata_find_blob(f->m, "a", &empty, &size, NULL), 0);
    assert_int_equal(serve_metadata_find_blob(f->m, "a", &lone, &size, NULL), CORAS_ERR_NOT_FOUND);
}

static void refuses_a_damaged_database(void **state)
{
    struct fixture *f = *state;
    coras_auto(coras_error) err = NULL;
    int fd;

    link_empty(f, "a");
    serve_metadata_close(f->m);
    f->m = NULL;
    fd = open(f->path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "this is no database", 19, 0), 19);
    close(fd);
    assert_failed(serve_metadata_open(f->path, SERVE_DB_EXISTING, &f->m, &err), err,
                  CORAS_ERR_CONFIG, NULL);
    assert_non_null(strstr(coras_error_message(err), f->path));
    assert_non_null(strstr(coras_error_hint(err), "recover"));
}

static void refuses_a_database_of_others(void **state)
{
    struct fixture *f = *state;
    coras_auto(coras_error) err = NULL;
    coras_auto_free char *other = coras_path_join(f->directory, "other.db");
    int fd = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "plain text, longer than nothing at all\n", 39), 39);
    close(fd);
    serve_metadata_close(f->m);
    f->m = NULL;
    assert_failed(serve_metadata_open(other, SERVE_DB_EXISTING, &f->m, &err), err, CORAS_ERR_CONFIG,
                  NULL);
}

static void check_tag(struct fixture *f, const char *content, bool is_cached)
{
    struct serve_stored_manifest s = {0};
    coras_digest d = digest_of(content);

    assert_int_equal(serve_metadata_get_manifest(f->m, "a", "v1", NULL, true, &s, NULL), 0);
    assert_true(coras_digest_equal(&s.digest, &d));
    assert_int_equal(s.is_cached, is_cached);
    serve_stored_manifest_clear(&s);
}

static void lets_a_pushed_tag_win(void **state)
{
    struct fixture *f = *state;
    coras_auto_free char *pushed = manifest_text("pushed"), *told = manifest_text("told");
    coras_digest missing;

    link_empty(f, "a");
    assert_int_equal(put_as(f->m, true, "a", told, "v1", &missing, NULL), 0);
    check_tag(f, told, true);
    assert_int_equal(put_text(f->m, "a", pushed, "v1", &missing, NULL), 0);
    check_tag(f, pushed, false);
    assert_int_equal(put_as(f->m, true, "a", told, "v1", &missing, NULL), 0);
    check_tag(f, pushed, false);
    assert_int_equal(serve_metadata_forget_tag(f->m, "a", "v1", NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_delete_tag(f->m, "a", "v1", NULL), 0);
    assert_int_equal(put_as(f->m, true, "a", told, "v1", &missing, NULL), 0);
    assert_int_equal(serve_metadata_forget_tag(f->m, "a", "v1", NULL), 0);
}

static void brings_an_old_database_up(void **state)
{
    struct fixture *f = *state;
    coras_auto_free char *text = manifest_text("old");
    coras_auto(coras_error) err = NULL;
    coras_digest missing;
    sqlite3 *db = NULL;

    link_empty(f, "a");
    assert_int_equal(put_text(f->m, "a", text, "v1", &missing, NULL), 0);
    serve_metadata_close(f->m);
    f->m = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, first_version, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_failed(serve_metadata_open(f->path, SERVE_DB_READ_ONLY, &f->m, &err), err,
                  CORAS_ERR_CONFIG, NULL);
    assert_int_equal(serve_metadata_open(f->path, SERVE_DB_EXISTING, &f->m, NULL), 0);
    check_tag(f, text, false);
}

static int64_t cached_bytes(serve_metadata *m)
{
    int64_t bytes = -1;

    assert_int_equal(serve_metadata_cached_bytes(m, &bytes, NULL), 0);
    return bytes;
}

static void tells_cached_blobs_from_pushed_ones(void **state)
{
    const struct fixture *f = *state;
    coras_digest pushed = digest_of("pushed"), old = digest_of("old"), young = digest_of("young");
    const struct serve_blob_use uses[] = {{pushed, 9}, {young, 7}, {old, 5}};
    struct serve_cached_blob list[4];
    coras_auto_value(coras_strlist) gone = {0};
    size_t len = 0;

    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &pushed, 1, NULL), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &old, 10, NULL), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &young, 100, NULL), 0);
    assert_int_equal(serve_metadata_link_blob(f->m, "b", &pushed, 1, NULL), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &pushed, 1, NULL), 0);
    assert_int_equal(cached_bytes(f->m), 110);
    assert_int_equal(serve_metadata_save_uses(f->m, uses, CORAS_ARRAY_LEN(uses), NULL), 0);
    assert_int_equal(serve_metadata_oldest_cached(f->m, -1, list, 4, &len, NULL), 0);
    assert_int_equal(len, 2);
    assert_true(coras_digest_equal(&list[0].digest, &old) && list[0].used_ms == 5);
    assert_true(coras_digest_equal(&list[1].digest, &young) && list[1].size == 100);
    assert_int_equal(serve_metadata_forget_cached(f->m, &pushed, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_forget_cached(f->m, &old, NULL), 0);
    assert_int_equal(cached_bytes(f->m), 100);
    assert_int_equal(serve_metadata_mount_blob(f->m, "a", "b", &young, NULL), 0);
    assert_int_equal(cached_bytes(f->m), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &old, 10, NULL), 0);
    /* the collector takes what was pushed and nothing names, and no other */
    assert_int_equal(serve_metadata_collect(f->m, INT64_MAX, 10, &gone, NULL), 0);
    assert_int_equal(gone.len, 2);
    assert_int_equal(cached_bytes(f->m), 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(keeps_blobs_to_their_repository),
        TEST(keeps_no_blob_that_went),
        TEST(refuses_a_manifest_without_its_blobs_and_leaves_nothing),
        TEST(deletes_a_manifest_with_its_tags),
        TEST(keeps_writers_that_meet_apart),
        TEST(collects_what_nothing_names),
        TEST(tells_cached_blobs_from_pushed_ones),
        TEST(lets_a_pushed_tag_win),
        TEST(brings_an_old_database_up),
        TEST(refuses_a_damaged_database),
        TEST(refuses_a_database_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
