#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "coras/backup.h"
#include "oci/manifest.h"
#include "store/target.h"

/* A walk over everything that refers to something. */
struct counting {
    coras_target *target;
    coras_map *seen; /* digests of referrers that were counted */
};

struct found {
    coras_descriptors list;
    coras_error *error;
    int rc;
};

static bool collect(const coras_descriptor *referrer, void *user)
{
    struct found *found = user;
    found->rc = coras_descriptors_add(&found->list, referrer, &found->error);
    return found->rc == 0;
}

static int count_below(struct counting *c, const coras_descriptor *desc, int depth,
                       coras_error **err);

static int count_each(struct counting *c, const coras_descriptors *list, int depth,
                      coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    for (size_t i = 0; i < list->len; i++) {
        coras_digest_format(&list->items[i].digest, digest);
        if (coras_map_has(c->seen, digest))
            continue;
        CORAS_TRY(coras_map_set(c->seen, digest, c, err));
        CORAS_TRY(count_below(c, &list->items[i], depth + 1, err));
    }
    return 0;
}

static int count_referrers_of(struct counting *c, const coras_descriptor *desc, int depth,
                              coras_error **err)
{
    struct found found = {0};
    int rc = coras_list_referrers(c->target, desc, NULL, collect, &found, err);
    if (rc == 0 && found.rc < 0) {
        rc = found.rc;
        coras_error_propagate(err, &found.error);
    }
    if (rc == 0)
        rc = count_each(c, &found.list, depth, err);
    coras_error_free(found.error);
    coras_descriptors_clear(&found.list);
    return rc;
}

/* The manifests of an index may have referrers of their own. */
static int count_children(struct counting *c, const coras_descriptor *desc, int depth,
                          coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) index = {0};
    CORAS_TRY(coras_target_fetch_verified(c->target, desc, CORAS_LIMIT_MANIFEST, &bytes, err));
    CORAS_TRY(coras_manifest_parse(bytes.ptr, bytes.len, desc->media_type, &index, err));
    for (size_t i = 0; i < index.layers.len; i++)
        CORAS_TRY(count_below(c, &index.layers.items[i], depth + 1, err));
    return 0;
}

static int count_below(struct counting *c, const coras_descriptor *desc, int depth,
                       coras_error **err)
{
    if (depth > CORAS_LIMIT_REFERRER_DEPTH)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "referrers are nested more than %d levels deep",
                          CORAS_LIMIT_REFERRER_DEPTH);
    CORAS_TRY(count_referrers_of(c, desc, depth, err));
    if (!coras_kind_is_index(coras_media_type_kind(desc->media_type)))
        return 0;
    return count_children(c, desc, depth, err);
}

int coras_count_referrers(coras_target *target, const coras_descriptor *desc, size_t *ret,
                          coras_error **err)
{
    if (!target || !desc || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a target and a descriptor");
    coras_auto(coras_map) seen = coras_map_new(NULL);
    if (!seen)
        return coras_fail_no_memory(err);
    struct counting counting = {.target = target, .seen = seen};
    CORAS_TRY(count_below(&counting, desc, 0, err));
    *ret = coras_map_len(seen);
    return 0;
}
