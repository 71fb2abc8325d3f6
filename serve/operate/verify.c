/* SPDX-License-Identifier: Apache-2.0 */
/* Reading everything that a registry holds. */
#include "serve/operate/chores.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/pool.h"
#include "base/processor.h"
#include "base/vec.h"
#include "codec/json.h"
#include "serve/operate/repair.h"
#include "serve/operate/verify_far.h"
#include "serve/storage/root.h"

#define READ_BYTES  CORAS_MIB
#define PAGE        1000
#define READERS_MAX 64

enum problem { DAMAGED, REMOVED, MISSING, REPAIRED };
static const char *const problem_names[] = {"damaged", "removed", "missing", "repaired"};

struct finding {
    enum problem problem;
    char digest[CORAS_DIGEST_TEXT_MAX];
    char *repository; /* of a manifest, else NULL */
};

struct verification {
    const struct serve_chore *chore; /* const */
    struct serve_root root;          /* const */
    struct serve_far_store far;      /* const */
    serve_repair *repair;            /* const; NULL: nothing is fetched again */
    pthread_mutex_t lock;
    struct serve_blob_page page; /* lock; the blobs whose turn is next */
    size_t next;                 /* lock; of the page */
    bool at_end;                 /* lock */
    coras_error *failure;        /* lock; the first thing that kept us from looking */
    int64_t blobs, bytes;        /* lock; that were read */
    int64_t manifests;
    struct {
        struct finding *items;
        size_t len, cap;
    } findings; /* lock */
};

static void verification_clear(struct verification *v)
{
    coras_vec_foreach (finding, &v->findings)
        free(finding->repository);
    free(v->findings.items);
    serve_blob_page_clear(&v->page);
    coras_error_free(v->failure);
    serve_repair_close(v->repair);
    serve_far_store_close(&v->far);
    serve_root_close(&v->root);
    pthread_mutex_destroy(&v->lock);
}

/* Called with the lock. */
static int add_finding(struct verification *v, enum problem problem, const char *digest,
                       const char *repository, coras_error **err)
{
    struct finding *finding;

    if (coras_vec_grow(&v->findings, 1) < 0)
        return coras_fail_no_memory(err);
    finding = &v->findings.items[v->findings.len];
    *finding = (struct finding){.problem = problem};
    snprintf(finding->digest, sizeof(finding->digest), "%s", digest);
    if (repository) {
        finding->repository = coras_strdup(repository);
        if (!finding->repository)
            return coras_fail_no_memory(err);
    }
    v->findings.len++;
    return 0;
}

/* ---- blobs ---- */

/* The next blob to read; false at the end, or when somebody failed. */
static bool take_next(struct verification *v, struct serve_blob_row *ret)
{
    bool there = false;

    pthread_mutex_lock(&v->lock);
    if (v->next == v->page.len && !v->at_end && !v->failure) {
        if (serve_metadata_blobs(v->root.metadata, PAGE, &v->page, &v->failure) < 0)
            v->page.len = 0;
        v->next = 0;
        v->at_end = v->page.len == 0;
    }
    if (v->next < v->page.len && !v->failure) {
        *ret = v->page.items[v->next++];
        there = true;
    }
    pthread_mutex_unlock(&v->lock);
    return there;
}

static int hash_file(int fd, int algorithm, coras_digest *ret, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *buffer = coras_malloc(READ_BYTES);
    ssize_t got;

    if (!buffer)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(algorithm, &hasher, err));
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while ((got = read(fd, buffer, READ_BYTES)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return coras_fail_errno(err, errno, "read");
        coras_hasher_update(hasher, buffer, (size_t)got);
    }
    coras_hasher_final(hasher, ret);
    return 0;
}

/* A file that cannot be read to its end is damaged as one with other bytes is. */
static bool is_right(int fd, const struct serve_blob_row *blob)
{
    coras_digest found = {0};
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == blob->size &&
           hash_file(fd, blob->digest.algorithm, &found, NULL) == 0 &&
           coras_digest_equal(&found, &blob->digest);
}

/* Whether it is still named: it may have been collected since we read its row. */
static bool is_named(struct verification *v, const coras_digest *digest)
{
    int64_t size;

    return serve_metadata_find_blob(v->root.metadata, NULL, digest, &size, NULL) == 0;
}

static void note(struct verification *v, enum problem problem, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    pthread_mutex_lock(&v->lock);
    if (!v->failure)
        (void)!add_finding(v, problem, coras_digest_format(digest, text), NULL, &v->failure);
    pthread_mutex_unlock(&v->lock);
}

static void count(struct verification *v, int64_t bytes)
{
    pthread_mutex_lock(&v->lock);
    v->blobs++;
    v->bytes += bytes;
    pthread_mutex_unlock(&v->lock);
}

/* Why it failed is told at once: the report has room for what was found only. */
static bool is_repaired(struct verification *v, const struct serve_blob_row *blob)
{
    coras_auto(coras_error) why = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    if (!v->repair)
        return false;
    if (serve_repair_blob(v->repair, blob, &why) == 0)
        return true;
    fprintf(stderr, "Warning: %s was not repaired: %s\n", coras_digest_format(&blob->digest, text),
            coras_error_message(why));
    return false;
}

/* Without its row it is absent for clients, which then push it again. */
static bool forgets(struct verification *v, const coras_digest *digest)
{
    return v->chore->remove && serve_metadata_forget_blob(v->root.metadata, digest, NULL) == 0;
}

static void verify_elsewhere(struct verification *v, const struct serve_blob_row *blob,
                             const char *place)
{
    enum serve_far_state state = SERVE_FAR_RIGHT;
    coras_auto(coras_error) err = NULL;

    if (serve_verify_far(&v->far, blob, place, &state, &err) < 0) {
        pthread_mutex_lock(&v->lock);
        if (!v->failure)
            coras_error_propagate(&v->failure, &err);
        pthread_mutex_unlock(&v->lock);
        return;
    }
    count(v, state == SERVE_FAR_MISSING ? 0 : blob->size);
    if (state == SERVE_FAR_RIGHT || !is_named(v, &blob->digest))
        return;
    if (forgets(v, &blob->digest))
        note(v, REMOVED, &blob->digest);
    else
        note(v, state == SERVE_FAR_MISSING ? MISSING : DAMAGED, &blob->digest);
}

static void verify_file(struct verification *v, const struct serve_blob_row *blob)
{
    coras_auto_fd fd = serve_blob_store_look(v->root.store, &blob->digest);

    count(v, fd >= 0 ? blob->size : 0);
    if (fd >= 0 && is_right(fd, blob))
        return;
    if (!is_named(v, &blob->digest))
        return;
    if (is_repaired(v, blob))
        note(v, REPAIRED, &blob->digest);
    else if (fd < 0)
        note(v, MISSING, &blob->digest);
    else if (v->chore->remove && serve_blob_store_remove_file(v->root.store, &blob->digest, fd))
        note(v, REMOVED, &blob->digest);
    else
        note(v, DAMAGED, &blob->digest);
}

static void verify_blob(struct verification *v, const struct serve_blob_row *blob)
{
    coras_auto_free char *place = NULL;

    if (v->far.store)
        (void)!serve_metadata_find_place(v->root.metadata, &blob->digest, &place, NULL);
    if (place)
        verify_elsewhere(v, blob, place);
    else
        verify_file(v, blob);
}

static void read_blobs(void *job, void *worker_state)
{
    struct verification *v = job;
    struct serve_blob_row blob;

    (void)worker_state;
    while (take_next(v, &blob))
        verify_blob(v, &blob);
}

static int verify_blobs(struct verification *v, coras_error **err)
{
    unsigned processors = coras_processors();
    unsigned readers = processors < READERS_MAX ? processors : READERS_MAX;
    coras_pool *pool = NULL;
    int rc;

    CORAS_TRY(coras_pool_new(&(struct coras_pool_options){.threads = readers}, &pool, err));
    rc = 0;
    for (unsigned i = 0; i < readers && rc == 0; i++)
        rc = coras_pool_add(pool, read_blobs, v, err);
    coras_pool_free(pool); /* waits for them */
    if (rc == 0 && v->failure) {
        rc = coras_error_code(v->failure);
        coras_error_propagate(err, &v->failure);
    }
    return rc;
}

/* ---- manifests ---- */

static int verify_manifest(const struct serve_manifest_row *row, void *user, coras_error **err)
{
    struct verification *v = user;
    coras_digest expected = {0}, found = {0};

    v->manifests++;
    if (coras_digest_parse(row->digest, &expected, NULL) == 0) {
        CORAS_TRY(coras_digest_of(expected.algorithm, row->content, row->size, &found, err));
        if (coras_digest_equal(&found, &expected))
            return 0;
    }
    return add_finding(v, DAMAGED, row->digest, row->repository, err);
}

/* ---- the report ---- */

static size_t count_problem(const struct verification *v, enum problem problem)
{
    size_t number = 0;

    coras_vec_foreach (finding, &v->findings)
        number += finding->problem == problem;
    return number;
}

static void put_json(const struct verification *v, coras_buf *out)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 2);

    coras_jw_object(&w);
    coras_jw_key(&w, "blobs");
    coras_jw_int(&w, v->blobs);
    coras_jw_key(&w, "bytes");
    coras_jw_int(&w, v->bytes);
    coras_jw_key(&w, "manifests");
    coras_jw_int(&w, v->manifests);
    coras_jw_key(&w, "problems");
    coras_jw_array(&w);
    coras_vec_foreach (finding, &v->findings) {
        coras_jw_object(&w);
        coras_jw_member(&w, "digest", finding->digest);
        coras_jw_member(&w, "problem", problem_names[finding->problem]);
        coras_jw_member_opt(&w, "repository", finding->repository);
        coras_jw_end_object(&w);
    }
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    coras_buf_putc(out, '\n');
}

static void put_text(const struct verification *v, coras_buf *out)
{
    coras_vec_foreach (finding, &v->findings) {
        coras_buf_printf(out, "%s %s", problem_names[finding->problem], finding->digest);
        if (finding->repository)
            coras_buf_printf(out, " (manifest of %s)", finding->repository);
        coras_buf_putc(out, '\n');
    }
    coras_buf_printf(out, "read %" PRId64 " blobs (%" PRId64 " bytes) and %" PRId64 " manifests\n",
                     v->blobs, v->bytes, v->manifests);
}

static int report(const struct verification *v, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    size_t damaged = count_problem(v, DAMAGED), missing = count_problem(v, MISSING);

    if (serve_chore_is_json(v->chore))
        put_json(v, &out);
    else
        put_text(v, &out);
    CORAS_TRY(coras_buf_done(&out, err));
    if (fputs(out.ptr, stdout) == EOF || fflush(stdout) != 0)
        return coras_fail_errno(err, errno, "write standard output");
    if (damaged + missing == 0)
        return 0;
    coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "%zu damaged and %zu missing in %s", damaged,
               missing, v->chore->of.root);
    coras_hint(err, "who pushes them again repairs them, and so does --proxy for what came from "
                    "elsewhere; --remove takes damaged blobs away, which makes clients do so");
    return CORAS_ERR_DIGEST_MISMATCH;
}

int serve_verify(const struct serve_chore *chore, coras_error **err)
{
    struct verification v = {.chore = chore, .root = SERVE_ROOT_INIT};
    int rc;

    pthread_mutex_init(&v.lock, NULL);
    rc = serve_root_open_beside(
        &(struct serve_root_options){chore->of.root, chore->of.metadata, true}, &v.root, err);
    if (rc == 0)
        rc = serve_far_store_open(
            &(struct serve_far_store_options){&chore->of, &v.root, true, NULL}, &v.far, err);
    if (rc == 0 && serve_options_are_proxy(&chore->of))
        rc = serve_repair_open(&chore->of, chore->of.root, v.root.metadata, &v.repair, err);
    if (rc == 0)
        rc = serve_metadata_each_manifest(v.root.metadata, verify_manifest, &v, err);
    if (rc == 0)
        rc = verify_blobs(&v, err);
    if (rc == 0)
        rc = report(&v, err);
    verification_clear(&v);
    return rc;
}
