/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database: what is atomic, what is found where, what writers that meet leave behind, on one
 * connection to it and as several processes. With a URL of PostgreSQL as argument the same is asked
 * of that database, which is emptied.
 */
#include "serve/storage/metadata.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "serve/storage/metadata_leases.h"
#include "serve/storage/metadata_sessions.h"
#include "serve/storage/uses.h"
#include "support.h"
#ifdef SERVE_HAVE_POSTGRES
#include "serve/storage/postgres/api.h"
#endif

static const char *url; /* NULL: a file of SQLite */

/* Undoes what later versions have added. */
static const char first_version[] = "ALTER TABLE tag DROP COLUMN cached; DROP INDEX blob_by_use;"
                                    "ALTER TABLE blob DROP COLUMN used; DROP INDEX blob_by_place;"
                                    "ALTER TABLE blob DROP COLUMN place; DROP TABLE leftover;"
                                    "DROP TABLE upload; DROP TABLE upload_part;"
                                    "DROP TABLE finished; DROP TABLE lease; DROP TABLE fact;"
                                    "PRAGMA user_version = 1;";

#ifdef SERVE_HAVE_POSTGRES
static void ignore_notice(void *user, const char *message)
{
    (void)user;
    (void)message;
}

static void empty_postgres(void)
{
    static const char *const keywords[] = {"dbname", NULL};
    const char *const values[] = {url, NULL};
    const struct serve_pq *pq = NULL;
    PGresult *result;
    PGconn *c;

    assert_int_equal(serve_pq_load(&pq, NULL), 0);
    c = pq->PQconnectdbParams(keywords, values, 1);
    (void)pq->PQsetNoticeProcessor(c, ignore_notice, NULL);
    assert_true(pq->PQsendQuery(c, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
    while ((result = pq->PQgetResult(c))) {
        assert_int_equal(pq->PQresultStatus(result), PGRES_COMMAND_OK);
        pq->PQclear(result);
    }
    pq->PQfinish(c);
}
#else
static void empty_postgres(void)
{
    fail_msg("built without PostgreSQL");
}
#endif

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
    f->path = url ? coras_strdup(url) : coras_path_join(f->directory, "registry.db");
    if (url)
        empty_postgres();
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

    assert_ok(serve_metadata_link_blob(f->m, repository, &d, 2, NULL, &err), err);
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

/* A look, and what it found. */
static int collect(serve_metadata *m, int64_t before, coras_strlist *ret)
{
    coras_auto_value(coras_strlist) found = {0};
    struct serve_collected gone = {0};
    int rc = serve_metadata_find_garbage(m, before, 10, &found, NULL);

    if (rc == 0)
        rc = serve_metadata_collect(m, before, &found, 0, &gone, NULL);
    *ret = gone.digests;
    return rc;
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
    assert_int_equal(serve_metadata_link_blob(f->m, "a", &lone, 4, NULL, NULL), 0);
    assert_int_equal(put_text(f->m, "a", text, NULL, &missing, NULL), 0);
    assert_int_equal(collect(f->m, 0, &gone), 0);
    assert_int_equal(gone.len, 0); /* all is younger than 1970 */
    assert_int_equal(collect(f->m, INT64_MAX, &gone), 0);
    assert_int_equal(gone.len, 1);
    assert_string_equal(gone.items[0], coras_digest_format(&lone, expected));
    assert_int_equal(serve_metadata_find_blob(f->m, "a", &empty, &size, NULL), 0);
    assert_int_equal(serve_metadata_find_blob(f->m, "a", &lone, &size, NULL), CORAS_ERR_NOT_FOUND);
}

static void collects_nothing_that_was_named_since_the_look(void **state)
{
    struct fixture *f = *state;
    coras_auto_free char *text = manifest_text("x");
    coras_digest missing, empty = digest_of(CORAS_EMPTY_JSON);
    coras_auto_value(coras_strlist) found = {0};
    struct serve_collected gone = {0};
    int64_t size;

    link_empty(f, "a");
    assert_int_equal(serve_metadata_find_garbage(f->m, INT64_MAX, 10, &found, NULL), 0);
    assert_int_equal(found.len, 1);
    assert_int_equal(put_text(f->m, "a", text, NULL, &missing, NULL), 0);
    assert_int_equal(serve_metadata_collect(f->m, INT64_MAX, &found, 0, &gone, NULL), 0);
    assert_int_equal(gone.digests.len, 0);
    assert_int_equal(serve_metadata_find_blob(f->m, "a", &empty, &size, NULL), 0);
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
    const struct serve_blob_use uses[] = {{pushed, 9000}, {young, 7000}, {old, 5000}};
    struct serve_cached_blob list[4];
    coras_auto_value(coras_strlist) gone = {0};
    size_t len = 0;

    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &pushed, 1, NULL, NULL), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &old, 10, NULL, NULL), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &young, 100, NULL, NULL), 0);
    assert_int_equal(serve_metadata_link_blob(f->m, "b", &pushed, 1, NULL, NULL), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &pushed, 1, NULL, NULL), 0);
    assert_int_equal(cached_bytes(f->m), 110);
    assert_int_equal(serve_metadata_save_uses(f->m, uses, CORAS_ARRAY_LEN(uses), NULL), 0);
    assert_int_equal(serve_metadata_oldest_cached(f->m, -1, list, 4, &len, NULL), 0);
    assert_int_equal(len, 2);
    assert_true(coras_digest_equal(&list[0].digest, &old) && list[0].used_ms == 5000);
    assert_true(coras_digest_equal(&list[1].digest, &young) && list[1].size == 100);
    /* the clock was three seconds ahead when they were used: the order and the space between them
     * stay */
    assert_int_equal(serve_metadata_mend_uses(f->m, 6000, NULL), 0);
    assert_int_equal(serve_metadata_mend_uses(f->m, 4000, NULL), 0);
    assert_int_equal(serve_metadata_oldest_cached(f->m, -1, list, 4, &len, NULL), 0);
    assert_int_equal(len, 2);
    assert_true(coras_digest_equal(&list[0].digest, &old) && list[0].used_ms == 2000);
    assert_true(coras_digest_equal(&list[1].digest, &young) && list[1].used_ms == 4000);
    assert_int_equal(serve_metadata_forget_cached(f->m, &pushed, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_forget_cached(f->m, &old, NULL), 0);
    assert_int_equal(cached_bytes(f->m), 100);
    assert_int_equal(serve_metadata_mount_blob(f->m, "a", "b", &young, NULL), 0);
    assert_int_equal(cached_bytes(f->m), 0);
    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &old, 10, NULL, NULL), 0);
    /* the collector takes what was pushed and nothing names, and no other */
    assert_int_equal(collect(f->m, INT64_MAX, &gone), 0);
    assert_int_equal(gone.len, 2);
    assert_int_equal(cached_bytes(f->m), 10);
}

static void reopen(struct fixture *f, enum serve_db_mode mode)
{
    serve_metadata_close(f->m);
    f->m = NULL;
    assert_int_equal(serve_metadata_open(f->path, mode, &f->m, NULL), 0);
}

static int64_t oldest_use(serve_metadata *m)
{
    struct serve_cached_blob oldest = {.used_ms = -1};
    size_t len = 0;

    assert_int_equal(serve_metadata_oldest_cached(m, -1, &oldest, 1, &len, NULL), 0);
    assert_int_equal(len, 1);
    return oldest.used_ms;
}

/* On a full disk above all it counts what was read last. */
static void remembers_uses_that_could_not_be_saved(void **state)
{
    struct fixture *f = *state;
    const coras_digest blob = digest_of("blob");
    const struct serve_blob_use before = {blob, 1000};
    serve_uses *uses = serve_uses_new();

    assert_int_equal(serve_metadata_link_cached_blob(f->m, "a", &blob, 1, NULL, NULL), 0);
    assert_int_equal(serve_metadata_save_uses(f->m, &before, 1, NULL), 0);
    serve_uses_note(uses, &blob);
    reopen(f, SERVE_DB_READ_ONLY);
    assert_true(serve_uses_save(uses, f->m, NULL) < 0);
    assert_int_equal(oldest_use(f->m), 1000);
    reopen(f, SERVE_DB_EXISTING);
    assert_int_equal(serve_uses_save(uses, f->m, NULL), 0);
    assert_true(oldest_use(f->m) > 1000);
    assert_int_equal(serve_metadata_save_uses(f->m, &before, 1, NULL), 0);
    assert_int_equal(serve_uses_save(uses, f->m, NULL), 0); /* and once is enough */
    assert_int_equal(oldest_use(f->m), 1000);
    serve_uses_free(uses);
}

static void lists_in_the_order_of_bytes(void **state)
{
    static const char *const names[] = {"Z", "_", "a", "a-", "a.b", "aa", "b"};
    const struct fixture *f = *state;
    coras_auto_free char *text = manifest_text("x");
    coras_auto_value(coras_strlist) tags = {0};
    coras_digest missing;
    bool more = false;

    link_empty(*state, "a");
    for (size_t i = CORAS_ARRAY_LEN(names); i-- > 0;)
        assert_int_equal(put_text(f->m, "a", text, names[i], &missing, NULL), 0);
    assert_int_equal(serve_metadata_tags(f->m, "a", "Z", 4, &tags, &more, NULL), 0);
    assert_true(more);
    assert_int_equal(tags.len, 4);
    for (size_t i = 0; i < tags.len; i++)
        assert_string_equal(tags.items[i], names[i + 1]);
}

static bool take_descriptor(const char *descriptor, const char *digest, void *user)
{
    (void)digest;
    *(char **)user = coras_strdup(descriptor);
    return true;
}

static void keeps_what_is_no_ascii(void **state)
{
    const struct fixture *f = *state;
    struct serve_referrers_query query = {
        .repository = "a", .subject = digest_of(CORAS_EMPTY_JSON), .last = "", .limit = 10};
    coras_auto_free char *text = coras_asprintf(
        "{\"schemaVersion\":2,\"mediaType\":\"" CORAS_MT_OCI_MANIFEST
        "\",\"config\":{\"mediaType\":\"" CORAS_MT_OCI_EMPTY
        "\",\"digest\":\"" CORAS_EMPTY_JSON_DIGEST
        "\",\"size\":2},\"layers\":[],\"subject\":{\"mediaType\":\"" CORAS_MT_OCI_MANIFEST
        "\",\"digest\":\"" CORAS_EMPTY_JSON_DIGEST
        "\",\"size\":2},\"annotations\":{\"n\":\"\xc3\xa9\xf0\x9f\x98\x80'\"}}");
    coras_auto_free char *descriptor = NULL;
    coras_digest missing;

    link_empty(*state, "a");
    assert_int_equal(put_text(f->m, "a", text, NULL, &missing, NULL), 0);
    assert_int_equal(serve_metadata_referrers(f->m, &query, take_descriptor, &descriptor, NULL), 0);
    assert_non_null(descriptor);
    assert_non_null(strstr(descriptor, "\xc3\xa9\xf0\x9f\x98\x80'"));
}

/* ---- several processes: each has the database open for itself ---- */

#define ROUNDS 60

struct partner {
    serve_metadata *m;
    const char *text;
    const char *first, *second; /* tags */
    coras_digest digest;
    int rc;
};

static serve_metadata *open_again(const struct fixture *f)
{
    serve_metadata *m = NULL;
    coras_auto(coras_error) err = NULL;

    assert_ok(serve_metadata_open(f->path, SERVE_DB_EXISTING, &m, &err), err);
    return m;
}

static void *put_one(void *user)
{
    struct partner *p = user;
    coras_digest missing;

    p->rc = put_text(p->m, "a", p->text, NULL, &missing, NULL);
    return NULL;
}

static void *collect_all(void *user)
{
    struct partner *p = user;
    coras_auto_value(coras_strlist) gone = {0};

    p->rc = collect(p->m, INT64_MAX, &gone);
    return NULL;
}

static void *delete_one(void *user)
{
    struct partner *p = user;

    p->rc = serve_metadata_delete_manifest(p->m, "a", &p->digest, NULL);
    return NULL;
}

static void run_both(void *(*one)(void *), struct partner *p, void *(*other)(void *),
                     struct partner *q)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, one, p), 0);
    (void)other(q);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* A manifest that was taken has its blobs, whatever is collected at the same moment. */
static void collects_nothing_that_another_process_names(void **state)
{
    const struct fixture *f = *state;
    coras_auto(serve_metadata) other = open_again(f);
    coras_auto_free char *text = manifest_text("x");
    coras_digest empty = digest_of(CORAS_EMPTY_JSON);
    struct partner putter = {.m = f->m, .text = text}, collector = {.m = other};
    int64_t size;

    for (int i = 0; i < ROUNDS; i++) {
        coras_digest digest = digest_of(text);
        assert_int_equal(serve_metadata_link_blob(f->m, "a", &empty, 2, NULL, NULL), 0);
        run_both(put_one, &putter, collect_all, &collector);
        assert_int_equal(collector.rc, 0);
        if (putter.rc == 0) {
            assert_int_equal(serve_metadata_find_blob(other, "a", &empty, &size, NULL), 0);
            assert_int_equal(serve_metadata_delete_manifest(other, "a", &digest, NULL), 0);
        } else {
            assert_int_equal(putter.rc, CORAS_ERR_NOT_FOUND);
        }
    }
}

/* A manifest that is put while it is deleted is there with all that belongs to it, or not at all.
 */
static void keeps_puts_and_deletions_apart(void **state)
{
    const struct fixture *f = *state;
    coras_auto(serve_metadata) other = open_again(f);
    coras_auto_free char *text = manifest_text("x");
    coras_digest missing, empty = digest_of(CORAS_EMPTY_JSON);
    struct partner putter = {.m = f->m, .text = text};
    struct partner deleter = {.m = other, .digest = digest_of(text)};
    struct partner collector = {.m = other};
    struct serve_stored_manifest s = {0};
    int64_t size;

    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(serve_metadata_link_blob(f->m, "a", &empty, 2, NULL, NULL), 0);
        assert_int_equal(put_text(f->m, "a", text, NULL, &missing, NULL), 0);
        run_both(put_one, &putter, delete_one, &deleter);
        assert_int_equal(putter.rc, 0);
        (void)collect_all(&collector);
        if (serve_metadata_get_manifest(other, "a", NULL, &deleter.digest, false, &s, NULL) == 0) {
            assert_int_equal(serve_metadata_find_blob(other, "a", &empty, &size, NULL), 0);
            serve_stored_manifest_clear(&s);
        }
    }
}

static void *put_tags(void *user)
{
    struct partner *p = user;

    for (int i = 0; i < ROUNDS && p->rc == 0; i++) {
        coras_auto_free char *text =
            coras_asprintf("{\"schemaVersion\":2,\"n\":\"%s%d\"}", p->first, i);
        coras_auto_value(coras_strlist) tags = {0};
        coras_digest missing;
        struct serve_manifest_put put = {.repository = "a",
                                         .digest = digest_of(text),
                                         .media_type = CORAS_MT_OCI_MANIFEST,
                                         .content = text,
                                         .size = strlen(text),
                                         .tags = &tags};
        if (coras_strlist_add(&tags, p->first, NULL) < 0 ||
            coras_strlist_add(&tags, p->second, NULL) < 0)
            return NULL;
        p->rc = serve_metadata_put_manifest(p->m, &put, &missing, NULL);
    }
    return NULL;
}

/* In opposite orders, so that each may wait for the other. */
static void moves_the_same_tags_from_two_sides(void **state)
{
    const struct fixture *f = *state;
    coras_auto(serve_metadata) other = open_again(f);
    struct partner one = {.m = f->m, .first = "x", .second = "y"};
    struct partner two = {.m = other, .first = "y", .second = "x"};
    coras_auto_value(coras_strlist) tags = {0};
    bool more;

    run_both(put_tags, &one, put_tags, &two);
    assert_int_equal(one.rc, 0);
    assert_int_equal(two.rc, 0);
    assert_int_equal(serve_metadata_tags(other, "a", "", 10, &tags, &more, NULL), 0);
    assert_int_equal(tags.len, 2);
}

static void leases_to_one_process_at_a_time(void **state)
{
    const struct fixture *f = *state;
    coras_auto(serve_metadata) other = open_again(f);
    coras_auto_value(coras_strlist) gone = {0};

    assert_int_equal(serve_metadata_take_lease(f->m, "x", 60000, NULL), 0);
    assert_int_equal(serve_metadata_take_lease(f->m, "x", 60000, NULL), 0);
    assert_int_equal(serve_metadata_take_lease(other, "x", 60000, NULL), CORAS_ERR_EXISTS);
    assert_int_equal(serve_metadata_take_lease(other, "y", 60000, NULL), 0);
    assert_int_equal(serve_metadata_give_lease(other, "x", NULL), 0);
    assert_int_equal(collect(f->m, 0, &gone), 0);
    assert_int_equal(serve_metadata_take_lease(other, "x", 60000, NULL), CORAS_ERR_EXISTS);
    assert_int_equal(serve_metadata_give_lease(f->m, "x", NULL), 0);
    assert_int_equal(serve_metadata_take_lease(other, "x", 60000, NULL), 0);
}

/* By a process that is gone. */
static void leases_what_was_left(void **state)
{
    const struct fixture *f = *state;
    coras_auto(serve_metadata) other = open_again(f);

    assert_int_equal(serve_metadata_take_lease(f->m, "x", -1000, NULL), 0);
    assert_int_equal(serve_metadata_take_lease(other, "x", 60000, NULL), 0);
    assert_int_equal(serve_metadata_take_lease(f->m, "x", 60000, NULL), CORAS_ERR_EXISTS);
}

static char upload_id[] = "u", upload_repository[] = "a", upload_account[] = "",
            upload_owner[] = "o", upload_place[] = "data/p";
static const serve_upload_row upload_row = {.id = upload_id,
                                            .repository = upload_repository,
                                            .account = upload_account,
                                            .owner = upload_owner,
                                            .place = upload_place,
                                            .size = 4};

static void *go_on_with_upload(void *user)
{
    static const struct serve_upload_hold hold = {"client", 1, 60000};
    coras_auto_value(serve_upload_row) row = SERVE_UPLOAD_ROW_INIT;
    struct partner *p = user;

    p->rc = serve_metadata_take_upload(p->m, "u", &hold, &row, NULL);
    if (p->rc == 0)
        p->rc = serve_metadata_give_upload(p->m, &row, &hold, NULL);
    return NULL;
}

static void *remove_idle_upload(void *user)
{
    static const struct serve_upload_hold hold = {"remover", 1, 60000};
    coras_auto_value(serve_upload_row) row = SERVE_UPLOAD_ROW_INIT;
    struct partner *p = user;

    p->rc = serve_metadata_take_idle_upload(p->m, INT64_MAX, true, &hold, &row, NULL);
    if (p->rc == 0)
        assert_int_equal(serve_metadata_drop_upload(p->m, row.id, NULL), 0);
    return NULL;
}

/* A client that was quicker keeps what it has. */
static void removes_no_upload_that_is_written_to(void **state)
{
    const struct fixture *f = *state;
    coras_auto(serve_metadata) other = open_again(f);
    const struct serve_upload_hold hold = {"h", 1, 60000};
    struct partner client = {.m = f->m}, remover = {.m = other};

    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(serve_metadata_begin_upload(f->m, &upload_row, &hold, NULL), 0);
        (void)remove_idle_upload(&remover); /* it is held */
        assert_int_equal(remover.rc, CORAS_ERR_NOT_FOUND);
        assert_int_equal(serve_metadata_give_upload(f->m, &upload_row, &hold, NULL), 0);
        run_both(go_on_with_upload, &client, remove_idle_upload, &remover);
        if (client.rc != 0) { /* too late; not: lost while it wrote */
            assert_true(client.rc == CORAS_ERR_NOT_FOUND || client.rc == CORAS_ERR_EXISTS);
            assert_int_equal(remover.rc, 0);
        }
        assert_int_equal(serve_metadata_drop_upload(f->m, "u", NULL), 0);
    }
}

/* A client that repeats its last request at another process is told of the blob. */
static void makes_a_blob_in_the_step_that_ends_an_upload(void **state)
{
    const struct fixture *f = *state;
    coras_auto(serve_metadata) other = open_again(f);
    const struct serve_upload_hold hold = {"h", 1, 60000}, late = {"l", 1, 60000};
    coras_auto_free char *place = NULL;
    coras_digest d = digest_of("lone");
    int64_t size = 0;

    assert_int_equal(serve_metadata_begin_upload(f->m, &upload_row, &hold, NULL), 0);
    assert_int_equal(serve_metadata_finish_upload(f->m, &upload_row, &d, &late, NULL),
                     CORAS_ERR_CHANGED);
    assert_int_equal(serve_metadata_find_blob(other, "a", &d, &size, NULL), CORAS_ERR_NOT_FOUND);
    assert_int_equal(serve_metadata_finish_upload(f->m, &upload_row, &d, &hold, NULL), 0);
    assert_int_equal(serve_metadata_was_finished(other, "u", "a", &d, 0, NULL), 0);
    assert_int_equal(serve_metadata_find_blob(other, "a", &d, &size, NULL), 0);
    assert_int_equal(size, 4);
    assert_int_equal(serve_metadata_find_place(other, &d, &place, NULL), 0);
    assert_string_equal(place, "data/p");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(keeps_blobs_to_their_repository),
        TEST(keeps_no_blob_that_went),
        TEST(refuses_a_manifest_without_its_blobs_and_leaves_nothing),
        TEST(deletes_a_manifest_with_its_tags),
        TEST(keeps_writers_that_meet_apart),
        TEST(collects_what_nothing_names),
        TEST(collects_nothing_that_was_named_since_the_look),
        TEST(tells_cached_blobs_from_pushed_ones),
        TEST(remembers_uses_that_could_not_be_saved),
        TEST(lets_a_pushed_tag_win),
        TEST(lists_in_the_order_of_bytes),
        TEST(keeps_what_is_no_ascii),
        TEST(collects_nothing_that_another_process_names),
        TEST(keeps_puts_and_deletions_apart),
        TEST(moves_the_same_tags_from_two_sides),
        TEST(leases_to_one_process_at_a_time),
        TEST(leases_what_was_left),
        TEST(removes_no_upload_that_is_written_to),
        TEST(makes_a_blob_in_the_step_that_ends_an_upload),
    };
    static const struct CMUnitTest file_tests[] = {
        TEST(brings_an_old_database_up),
        TEST(refuses_a_damaged_database),
        TEST(refuses_a_database_of_others),
    };

    url = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL) +
           (url ? 0 : cmocka_run_group_tests(file_tests, NULL, NULL));
}
