/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backup and restore: the same walk over tags in the two directions. Each tag is copied by digest,
 * and named when everything below it is there.
 */
#include "coras/backup.h"

#include "base/error.h"
#include "base/options.h"
#include "base/str.h"
#include "base/vec.h"
#include "oci/descriptor.h"
#include "target/target.h"

/* One way over some tags. */
struct journey {
    coras_target *from, *to;
    const coras_run_options *run;
    bool referrers; /* they go along */
    bool dry_run;
    /* Does a single tag; `root` is what it names, `referrers` how many refer to that. */
    int (*move)(const struct journey *j, const char *tag, coras_descriptor *root, size_t *referrers,
                coras_error **err);
};

static void report(const struct journey *j, enum coras_event_kind kind, const char *tag,
                   const coras_descriptor *desc, size_t count)
{
    const coras_event event = {.kind = kind,
                               .desc = desc,
                               .name = desc ? desc->media_type : NULL,
                               .text = tag,
                               .count = count};

    if (j->run->on_event)
        j->run->on_event(&event, j->run->user);
}

/* ---- which tags ---- */

struct tags_collected {
    coras_strlist *tags;
    coras_error *error;
    int rc;
};

static bool collect_tag(const char *tag, void *user)
{
    struct tags_collected *c = user;

    c->rc = coras_strlist_add(c->tags, tag, &c->error);
    return c->rc == 0;
}

static int find_all(coras_target *target, coras_strlist *ret, coras_error **err)
{
    struct tags_collected c = {.tags = ret};
    int rc = coras_list_tags(target, NULL, collect_tag, &c, err);

    if (rc == 0 && c.rc < 0) {
        rc = c.rc;
        coras_error_propagate(err, &c.error);
    }
    coras_error_free(c.error);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to find tags");
    return ret->len ? 0 : coras_fail(err, CORAS_ERR_NOT_FOUND, "no tags found");
}

static int find_each(coras_target *target, const char *const *tags, coras_strlist *ret,
                     coras_error **err)
{
    for (; *tags; tags++) {
        coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
        int rc = coras_resolve(target, *tags, &desc, err);
        if (rc < 0)
            return coras_wrap(err, rc, "failed to resolve tag \"%s\"", *tags);
        CORAS_TRY(coras_strlist_add(ret, *tags, err));
    }
    return 0;
}

/* ---- one tag ---- */

/* Quietly: what moved was told already. */
static int name_root(const struct journey *j, const char *tag, const coras_descriptor *root,
                     coras_error **err)
{
    const char *const names[] = {tag, NULL};
    const coras_run_options quiet = {
        .size = sizeof(quiet), .concurrency = 1, .cancel = j->run->cancel};
    char digest[CORAS_DIGEST_TEXT_MAX];

    return coras_tag(j->to, coras_digest_format(&root->digest, digest), names, &quiet, NULL, err);
}

static int copy_tag(const struct journey *j, const char *tag, const char *to_tag,
                    coras_descriptor *ret, coras_error **err)
{
    coras_copy_options options = CORAS_COPY_OPTIONS_INIT;

    options.recursive = j->referrers;
    return coras_copy(j->from, tag, j->to, to_tag, &options, j->run, ret, err);
}

static int back_up_tag(const struct journey *j, const char *tag, coras_descriptor *root,
                       size_t *referrers, coras_error **err)
{
    CORAS_TRY(copy_tag(j, tag, NULL, root, err));
    CORAS_TRY(name_root(j, tag, root, err));
    return j->referrers ? coras_count_referrers(j->to, root, referrers, err) : 0;
}

/* With referrers the root goes by its digest first: the tag shall not be seen before they are. */
static int restore_tag(const struct journey *j, const char *tag, coras_descriptor *root,
                       size_t *referrers, coras_error **err)
{
    coras_auto_value(coras_descriptor) copied = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(coras_resolve(j->from, tag, root, err));
    if (j->referrers)
        CORAS_TRY(coras_count_referrers(j->from, root, referrers, err));
    if (j->dry_run)
        return 0;
    CORAS_TRY(copy_tag(j, tag, j->referrers ? NULL : tag, &copied, err));
    return j->referrers ? name_root(j, tag, &copied, err) : 0;
}

static int move_tag(const struct journey *j, const char *tag, coras_error **err)
{
    coras_auto_value(coras_descriptor) root = CORAS_DESCRIPTOR_INIT;
    size_t referrers = 0;

    report(j, CORAS_EVENT_BEGUN, tag, NULL, 0);
    CORAS_TRY(j->move(j, tag, &root, &referrers, err));
    report(j, CORAS_EVENT_ENDED, tag, &root, referrers);
    return 0;
}

static int move_tags(const struct journey *j, const char *const *tags, coras_error **err)
{
    coras_auto_value(coras_strlist) found = {0};

    CORAS_TRY(tags ? find_each(j->from, tags, &found, err) : find_all(j->from, &found, err));
    for (size_t i = 0; i < found.len; i++)
        report(j, CORAS_EVENT_FOUND, found.items[i], NULL, found.len);
    for (size_t i = 0; i < found.len; i++)
        CORAS_TRY(move_tag(j, found.items[i], err));
    return 0;
}

/* ---- the two operations ---- */

static const coras_run_options no_run = CORAS_RUN_OPTIONS_INIT;

int coras_backup(coras_target *source, coras_target *store, const coras_backup_options *opts,
                 const coras_run_options *run, coras_error **err)
{
    coras_backup_options known = CORAS_BACKUP_OPTIONS_INIT;

    if (!source || !store)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    const struct journey j = {.from = source,
                              .to = store,
                              .run = run ? run : &no_run,
                              .referrers = known.include_referrers,
                              .move = back_up_tag};
    return move_tags(&j, known.tags, err);
}

int coras_restore(coras_target *store, coras_target *target, const coras_restore_options *opts,
                  const coras_run_options *run, coras_error **err)
{
    coras_restore_options known = CORAS_RESTORE_OPTIONS_INIT;

    if (!store || !target)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    const struct journey j = {.from = store,
                              .to = target,
                              .run = run ? run : &no_run,
                              .referrers = !known.exclude_referrers,
                              .dry_run = known.dry_run,
                              .move = restore_tag};
    return move_tags(&j, known.tags, err);
}
