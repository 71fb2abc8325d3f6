/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that refers to a manifest, each once, asked for level by level.
 */
#include "ops/referrer_walk.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "coras/backup.h"
#include "transfer/parallel.h"
#include "oci/manifest.h"

/* The manifests whose referrers are asked for at the same time, and the answers. */
struct walked_level {
    coras_target *target;
    coras_descriptors asked;
    coras_descriptors *answers; /* one for each */
    size_t inner;               /* of `asked`: manifests of the root, which are below it */
};

static void level_clear(struct walked_level *l)
{
    for (size_t i = 0; l->answers && i < l->asked.len; i++)
        coras_descriptors_clear(&l->answers[i]);
    free(l->answers);
    l->answers = NULL;
    coras_descriptors_clear(&l->asked);
    l->inner = 0;
}

void coras_referrer_walk_clear(struct coras_referrer_walk *w)
{
    coras_descriptors_clear(&w->found);
    coras_descriptors_clear(&w->tops);
    coras_map_free(w->referred);
    w->referred = NULL;
}

struct collecting {
    coras_descriptors *list;
    coras_error *error;
    int rc;
};

static bool collect(const coras_descriptor *referrer, void *user)
{
    struct collecting *c = user;
    c->rc = coras_descriptors_add(c->list, referrer, &c->error);
    return c->rc == 0;
}

static int ask(void *user, size_t i, coras_error **err)
{
    struct walked_level *l = user;
    struct collecting c = {.list = &l->answers[i]};
    int rc = coras_list_referrers(l->target, &l->asked.items[i], NULL, collect, &c, err);
    if (rc == 0 && c.rc < 0) {
        rc = c.rc;
        coras_error_propagate(err, &c.error);
    }
    coras_error_free(c.error);
    return rc;
}

/* The first level: the root, and the manifests of an index. */
static int begin(struct walked_level *l, const coras_descriptor *root, const coras_buf *bytes,
                 coras_error **err)
{
    coras_auto_value(coras_manifest) index = {0};
    CORAS_TRY(coras_descriptors_add(&l->asked, root, err));
    if (!coras_kind_is_index(coras_media_type_kind(root->media_type)))
        return 0;
    CORAS_TRY(coras_manifest_parse(bytes->ptr, bytes->len, root->media_type, &index, err));
    for (size_t i = 0; i < index.layers.len; i++)
        CORAS_TRY(coras_descriptors_add(&l->asked, &index.layers.items[i], err));
    l->inner = index.layers.len;
    return 0;
}

/* Note what one manifest's answer says; who was not known is asked next. */
static int take_answer(const struct walked_level *l, size_t i, coras_map *seen,
                       coras_descriptors *next, struct coras_referrer_walk *ret, coras_error **err)
{
    const coras_descriptors *answer = &l->answers[i];
    char digest[CORAS_DIGEST_TEXT_MAX];
    bool is_inner = i > 0 && i <= l->inner;

    if (!answer->len)
        return is_inner ? 0 : coras_descriptors_add(&ret->tops, &l->asked.items[i], err);
    coras_digest_format(&l->asked.items[i].digest, digest);
    CORAS_TRY(coras_map_set(ret->referred, digest, ret, err));
    for (size_t k = 0; k < answer->len; k++) {
        coras_digest_format(&answer->items[k].digest, digest);
        if (coras_map_has(seen, digest))
            continue;
        if (ret->found.len >= CORAS_LIMIT_NODES)
            return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d referrers",
                              CORAS_LIMIT_NODES);
        CORAS_TRY(coras_map_set(seen, digest, ret, err));
        CORAS_TRY(coras_descriptors_add(&ret->found, &answer->items[k], err));
        CORAS_TRY(coras_descriptors_add(next, &answer->items[k], err));
    }
    return 0;
}

/* Ask a whole level; what it found becomes the next one. */
static int take_level(coras_run *run, struct walked_level *l, coras_map *seen,
                      struct coras_referrer_walk *ret, coras_error **err)
{
    coras_auto_value(coras_descriptors) next = {0};
    l->answers = coras_calloc(l->asked.len, sizeof(*l->answers));
    if (!l->answers)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_run_parallel(run, l->asked.len, ask, l, err));
    for (size_t i = 0; i < l->asked.len; i++)
        CORAS_TRY(take_answer(l, i, seen, &next, ret, err));
    level_clear(l);
    l->asked = next;
    next = (coras_descriptors){0};
    return 0;
}

static int walk(coras_run *run, struct walked_level *l, coras_map *seen,
                struct coras_referrer_walk *ret, coras_error **err)
{
    size_t lists = 0;

    for (int depth = 0; l->asked.len; depth++) {
        if (depth > CORAS_LIMIT_REFERRER_DEPTH)
            return coras_fail(err, CORAS_ERR_TOO_LARGE,
                              "referrers are nested more than %d levels deep",
                              CORAS_LIMIT_REFERRER_DEPTH);
        lists += l->asked.len;
        if (lists > CORAS_LIMIT_REFERRER_LISTS)
            return coras_fail(err, CORAS_ERR_PROTOCOL, "referrers of more than %d manifests",
                              CORAS_LIMIT_REFERRER_LISTS);
        CORAS_TRY(take_level(run, l, seen, ret, err));
    }
    return 0;
}

int coras_walk_referrers(coras_run *run, coras_target *target, const coras_descriptor *root,
                         const coras_buf *bytes, struct coras_referrer_walk *ret, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto(coras_map) seen = coras_map_new(NULL);
    struct walked_level l = {.target = target};

    ret->referred = coras_map_new(NULL);
    if (!seen || !ret->referred)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_map_set(seen, coras_digest_format(&root->digest, digest), ret, err));
    int rc = begin(&l, root, bytes, err);
    if (rc == 0)
        rc = walk(run, &l, seen, ret, err);
    level_clear(&l);
    return rc;
}

/* ---- counting ---- */

static int count(coras_run *run, coras_target *target, const coras_descriptor *desc, size_t *ret,
                 coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    struct coras_referrer_walk found = {0};
    if (coras_kind_is_index(coras_media_type_kind(desc->media_type)))
        CORAS_TRY(coras_target_fetch_verified(target, desc, CORAS_LIMIT_MANIFEST, &bytes, err));
    int rc = coras_walk_referrers(run, target, desc, &bytes, &found, err);
    *ret = found.found.len;
    coras_referrer_walk_clear(&found);
    return rc;
}

int coras_count_referrers(coras_target *target, const coras_descriptor *desc, size_t *ret,
                          coras_error **err)
{
    if (!target || !desc || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a target and a descriptor");
    coras_auto_value(coras_run) run;
    coras_run_init(&run, NULL);
    return count(&run, target, desc, ret, err);
}
