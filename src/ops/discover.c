/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to a manifest, as a tree that can be shown. (referrer_walk.c finds the same manifests
 * for a copy, which wants each once, in parallel, and not the shape.)
 */
#include "coras/discover.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "coras/ops.h"
#include "oci/descriptor.h"
#include "oci/mediatype.h"

CORAS_DEFINE_AUTO_VALUE(coras_referrer, coras_referrer_clear)

void coras_referrer_clear(coras_referrer *root)
{
    for (size_t i = 0; i < root->len; i++)
        coras_referrer_clear(&root->items[i]);
    free(root->items);
    coras_descriptor_clear(&root->desc);
    *root = (coras_referrer)CORAS_REFERRER_INIT;
}

struct discovery {
    coras_target *target;
    const char *artifact_type; /* NULL: all */
    coras_map *visited;        /* digests whose referrers were asked for */
    size_t listed;             /* referrers in all lists */
    bool is_whole;             /* all levels are wanted */
};

/* ---- the list of one manifest ---- */

struct referrers_collected {
    struct discovery *walk;
    coras_referrer *parent;
    coras_error *error;
    int rc;
};

static bool collect_referrer(const coras_descriptor *desc, void *user)
{
    struct referrers_collected *c = user;

    if (c->walk->listed++ >= CORAS_LIMIT_NODES) {
        c->rc =
            coras_fail(&c->error, CORAS_ERR_TOO_LARGE, "more than %d referrers", CORAS_LIMIT_NODES);
        return false;
    }
    if (coras_vec_grow(c->parent, 1) < 0) {
        c->rc = coras_fail_no_memory(&c->error);
        return false;
    }
    coras_referrer *added = &c->parent->items[c->parent->len];
    *added = (coras_referrer)CORAS_REFERRER_INIT;
    c->rc = coras_descriptor_copy(&added->desc, desc, &c->error);
    if (c->rc == 0)
        c->parent->len++;
    return c->rc == 0;
}

static int list_referrers(struct discovery *walk, coras_referrer *node, coras_error **err)
{
    struct referrers_collected c = {.walk = walk, .parent = node};
    int rc = coras_list_referrers(walk->target, &node->desc, walk->artifact_type, collect_referrer,
                                  &c, err);

    if (rc == 0 && c.rc < 0) {
        rc = c.rc;
        coras_error_propagate(err, &c.error);
    }
    coras_error_free(c.error);
    return rc;
}

/* ---- the walk ---- */

/* Nothing else can have referrers; in upstream's words. */
static int check_is_manifest(const coras_descriptor *desc, const char *digest, coras_error **err)
{
    if (coras_media_type_is_manifest(desc->media_type))
        return 0;
    coras_auto_free char *type = coras_escape_dup(desc->media_type);
    return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                      "the descriptor {%s %s %lld [] map[] [] <nil> } is not a manifest: "
                      "unsupported",
                      type ? type : "", digest, (long long)desc->size);
}

/* The last level is shown without its referrers; who wants all of them hears that there are more.
 */
static int check_end(struct discovery *walk, const coras_referrer *node, coras_error **err)
{
    coras_auto_value(coras_referrer) last = CORAS_REFERRER_INIT;

    if (!walk->is_whole)
        return 0;
    CORAS_TRY(coras_descriptor_copy(&last.desc, &node->desc, err));
    CORAS_TRY(list_referrers(walk, &last, err));
    if (last.len == 0)
        return 0;
    return coras_fail(err, CORAS_ERR_TOO_LARGE, "referrers are nested more than %d levels deep",
                      CORAS_LIMIT_REFERRER_DEPTH);
}

static int walk_referrers(struct discovery *walk, coras_referrer *node, int depth,
                          coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(&node->desc.digest, digest);
    if (coras_map_has(walk->visited, digest))
        return 0;
    if (depth == 0)
        return check_end(walk, node, err);
    CORAS_TRY(check_is_manifest(&node->desc, digest, err));
    if (coras_map_len(walk->visited) >= CORAS_LIMIT_REFERRER_LISTS)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "referrers of more than %d manifests: too many",
                          CORAS_LIMIT_REFERRER_LISTS);
    CORAS_TRY(coras_map_set(walk->visited, digest, walk, err));
    CORAS_TRY(list_referrers(walk, node, err));
    for (size_t i = 0; i < node->len; i++)
        CORAS_TRY(walk_referrers(walk, &node->items[i], depth - 1, err));
    return 0;
}

int coras_discover(coras_target *target, const char *reference, const coras_discover_options *opts,
                   coras_referrer *ret, coras_error **err)
{
    coras_discover_options known = CORAS_DISCOVER_OPTIONS_INIT;
    coras_auto_value(coras_referrer) root = CORAS_REFERRER_INIT;
    coras_auto(coras_map) visited = coras_map_new(NULL);

    if (!target || !reference || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    if (!visited)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    bool is_bounded = known.depth > 0 && known.depth <= CORAS_LIMIT_REFERRER_DEPTH;
    int depth = is_bounded ? known.depth : CORAS_LIMIT_REFERRER_DEPTH;
    struct discovery walk = {.target = target,
                             .artifact_type = known.artifact_type,
                             .visited = visited,
                             .is_whole = !is_bounded};
    CORAS_TRY(coras_resolve_platform(target, reference, known.platform, &root.desc, err));
    CORAS_TRY(walk_referrers(&walk, &root, depth, err));
    *ret = root;
    root = (coras_referrer)CORAS_REFERRER_INIT;
    return 0;
}
