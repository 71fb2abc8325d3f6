/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a reference to a path in the shared cache. A model is made in a directory of its own, with
 * links to the blobs that the cache keeps, and gets its name when it is complete; then its record
 * is written. Whoever finds a record that fits the directory believes it, everybody else takes the
 * model's lock first and looks again: so one pulls, and what is damaged is made anew.
 */
#include "coras/model_path.h"

#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/file_lock.h"
#include "base/limits.h"
#include "base/options.h"
#include "coras/cache.h"
#include "coras/model_get.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "ops/models/cache.h"
#include "target/target.h"

struct path_call {
    coras_target *source;
    const coras_model_path_options *opts;
    const coras_run_options *run; /* may be NULL */
    char *cache;                  /* directory */
    coras_model_cache models;
    coras_digest digest;
    coras_model_tree tree;
    bool was_pulled;
};

static const coras_environment *environment_of(const struct path_call *c)
{
    return coras_environment_or_none(c->run ? c->run->environment : NULL);
}

/* ---- the answer ---- */

static char *beside(const struct path_call *c, const char *suffix)
{
    char name[CORAS_MODEL_NAME_MAX];

    return coras_path_join(c->models.path, coras_model_name(&c->digest, suffix, name));
}

/* The time of the lease is that of the last use. */
static void note_use(const struct path_call *c)
{
    coras_auto_fd fd = coras_model_open_beside(&c->models, &c->digest, CORAS_MODEL_LEASE);

    if (fd >= 0)
        (void)futimens(fd, NULL); /* a cache that may only be read knows no last use */
    if (c->opts->name)
        coras_model_cache_remember(&c->models, c->opts->name, &c->digest);
}

static int answer(struct path_call *c, coras_model_place *ret, coras_error **err)
{
    coras_auto_free char *tree = beside(c, "");
    coras_auto_free char *lease = beside(c, CORAS_MODEL_LEASE);
    coras_auto_free char *path = tree ? coras_path_join(tree, c->tree.path) : NULL;

    if (!lease || !path)
        return coras_fail_no_memory(err);
    note_use(c);
    *ret = (coras_model_place){.digest = c->digest,
                               .path = coras_steal(&path),
                               .format = c->tree.format,
                               .lease = coras_steal(&lease),
                               .was_pulled = c->was_pulled,
                               .remark = coras_steal(&c->tree.remark)};
    return 0;
}

/* ---- making a model ---- */

/* What was unpacked is nobody's blob: it gets the mode that blobs have. */
static void protect_files(int dirfd, const coras_model_tree *tree)
{
    for (size_t i = 0; i < tree->files.len; i++)
        if (tree->files.items[i].st.st_nlink == 1)
            (void)!fchmodat(dirfd, tree->files.items[i].path, 0444, 0); /* a courtesy */
}

/* By the number of the call: not every libc has a function for it. */
static int exchange(int dirfd, const char *one, const char *other)
{
    return (int)syscall(SYS_renameat2, (long)dirfd, one, (long)dirfd, other, (long)RENAME_EXCHANGE);
}

/* Complete and synced: the name. A tree that was there is damaged, and goes. */
static int publish(struct path_call *c, coras_error **err)
{
    char partial[CORAS_MODEL_NAME_MAX], name[CORAS_MODEL_NAME_MAX];

    (void)coras_model_name(&c->digest, CORAS_MODEL_PARTIAL, partial);
    (void)coras_model_name(&c->digest, "", name);
    if (exchange(c->models.fd, partial, name) == 0)
        return coras_remove_all(c->models.fd, partial, err);
    if (errno != ENOENT) /* a file system that cannot exchange */
        CORAS_TRY(coras_remove_all(c->models.fd, name, err));
    if (renameat(c->models.fd, partial, c->models.fd, name) < 0)
        return coras_fail_errno(err, errno, "rename %s/%s", c->models.path, partial);
    return 0;
}

static int write_record(const struct path_call *c, coras_error **err)
{
    char name[CORAS_MODEL_NAME_MAX];
    coras_auto_buf record = CORAS_BUF_INIT(CORAS_LIMIT_MODEL_RECORD);

    CORAS_TRY(coras_model_tree_write_record(&c->tree, &record, err));
    CORAS_TRY(coras_fsync(c->models.fd, c->models.path, err));
    return coras_write_file_atomic(c->models.fd,
                                   coras_model_name(&c->digest, CORAS_MODEL_RECORD, name),
                                   record.ptr, record.len, 0666, err);
}

/* What was packed is there unpacked: the pack itself would take its size again. */
static void drop_packed(coras_target *store, const coras_descriptor *layer)
{
    coras_auto_fd fd = -1;
    int64_t offset;
    struct stat st;

    if (store->ops->open_local(store, layer, &fd, &offset, NULL) == 0 && fstat(fd, &st) == 0 &&
        st.st_nlink == 1)
        (void)store->ops->remove(store, layer, NULL); /* it costs room, and nothing else */
}

static void drop_packs(coras_target *store, const coras_descriptor *root)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) m = {0};

    if (coras_target_fetch_verified(store, root, CORAS_LIMIT_MANIFEST, &bytes, NULL) < 0 ||
        coras_manifest_parse(bytes.ptr, bytes.len, root->media_type, &m, NULL) < 0)
        return;
    for (size_t i = 0; i < m.layers.len; i++)
        if (m.layers.items[i].size > CORAS_LIMIT_MANIFEST)
            drop_packed(store, &m.layers.items[i]);
}

static int get_files(struct path_call *c, coras_target *store, const char *output,
                     coras_error **err)
{
    coras_auto(coras_target) cached = NULL;
    coras_model_get_options get = CORAS_MODEL_GET_OPTIONS_INIT;
    coras_model_got got = {0};
    char digest[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(coras_cache_open(c->source, store, &cached, err));
    get.output = output;
    get.shared = true;
    CORAS_TRY(
        coras_model_get(cached, coras_digest_format(&c->digest, digest), &get, c->run, &got, err));
    drop_packs(store, &got.root);
    coras_model_got_clear(&got);
    return 0;
}

/* What turns out to be no model stays where a later call finds its files. */
static int look_over(struct path_call *c, const char *output, coras_error **err)
{
    coras_auto_fd dirfd = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dirfd < 0)
        return coras_fail_errno(err, errno, "open %s", output);
    CORAS_TRY(coras_model_tree_read(dirfd, &c->tree, err));
    CORAS_TRY(coras_model_tree_choose(dirfd, &c->tree, err));
    protect_files(dirfd, &c->tree);
    return 0;
}

/* The lock is held, and the model is not there. */
static int make_model(struct path_call *c, coras_error **err)
{
    coras_auto(coras_target) store = NULL;
    coras_auto_free char *output = beside(c, CORAS_MODEL_PARTIAL);

    if (!output)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_layout_open(c->cache, CORAS_LAYOUT_WRITE, &store, err));
    CORAS_TRY(get_files(c, store, output, err));
    CORAS_TRY(look_over(c, output, err));
    CORAS_TRY(publish(c, err));
    CORAS_TRY(write_record(c, err));
    c->was_pulled = true;
    return 0;
}

/* Another process may pull for hours: only cancelling ends this. */
static int wait_for_lock(const struct path_call *c, int fd, coras_error **err)
{
    for (;;) {
        coras_auto(coras_error) failure = NULL;
        int rc = coras_file_lock(fd, "the model", c->run ? c->run->cancel : NULL, &failure);
        if (rc >= 0)
            return 0;
        if (rc != CORAS_ERR_TIMEOUT) {
            coras_error_propagate(err, &failure);
            return rc;
        }
    }
}

static int need_model(struct path_call *c, coras_error **err)
{
    coras_auto_fd lock = coras_model_open_beside(&c->models, &c->digest, CORAS_MODEL_LOCK);

    if (lock < 0)
        return coras_fail_errno(err, errno, "make a file in %s", c->models.path);
    CORAS_TRY(wait_for_lock(c, lock, err));
    return coras_model_cache_look(&c->models, &c->digest, &c->tree) ? 0 : make_model(c, err);
}

/* ---- the call ---- */

static int fail_absent(const struct path_call *c, const char *reference, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(c->opts->name ? c->opts->name : reference);

    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s is not in the cache %s",
                      shown ? shown : "the model", c->cache);
}

static int find_digest(struct path_call *c, const char *reference, coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;

    if (coras_digest_parse(reference, &c->digest, NULL) == 0)
        return 0;
    if (c->opts->no_pull)
        return c->opts->name && coras_model_cache_recall(&c->models, c->opts->name, &c->digest)
                   ? 0
                   : fail_absent(c, reference, err);
    CORAS_TRY(coras_resolve(c->source, reference, &desc, err));
    c->digest = desc.digest;
    return 0;
}

static int find_place(struct path_call *c, const char *reference, coras_model_place *ret,
                      coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    bool no_pull = c->opts->no_pull;

    CORAS_TRY(coras_cache_directory(c->opts->cache, environment_of(c)->cache_dir, &c->cache, err));
    int rc = coras_model_cache_open(c->cache, !no_pull, &c->models, &failure);
    if (rc == CORAS_ERR_NOT_FOUND)
        return fail_absent(c, reference, err);
    coras_error_propagate(err, &failure);
    CORAS_TRY(rc);
    CORAS_TRY(find_digest(c, reference, err));
    if (coras_model_cache_look(&c->models, &c->digest, &c->tree))
        return answer(c, ret, err);
    if (no_pull)
        return fail_absent(c, reference, err);
    CORAS_TRY(need_model(c, err));
    return answer(c, ret, err);
}

int coras_model_path(coras_target *source, const char *reference,
                     const coras_model_path_options *opts, const coras_run_options *run,
                     coras_model_place *ret, coras_error **err)
{
    coras_model_path_options known = CORAS_MODEL_PATH_OPTIONS_INIT;
    struct path_call c = {
        .source = source, .opts = &known, .run = run, .models = CORAS_MODEL_CACHE_INIT};

    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    if (!reference || !ret || (!source && !known.no_pull))
        return coras_missing_argument(err);
    int rc = find_place(&c, reference, ret, err);
    coras_model_tree_clear(&c.tree);
    coras_model_cache_clear(&c.models);
    free(c.cache);
    return rc;
}

void coras_model_place_clear(coras_model_place *place)
{
    free(place->path);
    free(place->lease);
    free(place->remark);
    *place = (coras_model_place){0};
}
