/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs in a map, names in the same index that a layout has. One lock around everything: nothing
 * here waits.
 */
#include "memory_target.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vec.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "layout/layout_index.h"

struct blob {
    int64_t size;
    char bytes[];
};

struct memory {
    coras_target target; /* first: it is a target */
    pthread_mutex_t lock;
    coras_map *blobs;                /* lock */
    struct coras_layout_index index; /* lock */
};

static struct memory *memory_of(coras_target *t)
{
    return (struct memory *)t;
}

static void memory_close(coras_target *t)
{
    struct memory *m = memory_of(t);
    coras_layout_index_clear(&m->index);
    coras_map_free(m->blobs);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

/* A blob never changes nor moves once it is there, but for remove(). */
static const struct blob *find(struct memory *m, const coras_digest *digest)
{
    char key[CORAS_DIGEST_TEXT_MAX];
    (void)coras_digest_format(digest, key);
    (void)pthread_mutex_lock(&m->lock);
    const struct blob *blob = coras_map_get(m->blobs, key);
    (void)pthread_mutex_unlock(&m->lock);
    return blob;
}

static int need(struct memory *m, const coras_digest *digest, const struct blob **ret,
                coras_error **err)
{
    *ret = find(m, digest);
    return *ret ? 0 : coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
}

/* ---- reading ---- */

static int memory_resolve_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                               coras_error **err)
{
    const struct blob *blob;
    CORAS_TRY(need(memory_of(t), digest, &blob, err));
    return coras_descriptor_set(ret, CORAS_MT_OCTET_STREAM, digest, blob->size, err);
}

static int memory_resolve(coras_target *t, const char *reference, coras_descriptor *ret,
                          coras_error **err)
{
    struct memory *m = memory_of(t);
    coras_digest digest;
    bool is_digest = coras_digest_parse(reference, &digest, NULL) == 0;
    (void)pthread_mutex_lock(&m->lock);
    const struct coras_layout_entry *entry = is_digest
                                                 ? coras_layout_index_by_digest(&m->index, &digest)
                                                 : coras_layout_index_by_tag(&m->index, reference);
    int rc = entry ? coras_descriptor_copy(ret, &entry->desc, err) : CORAS_ERR_NOT_FOUND;
    (void)pthread_mutex_unlock(&m->lock);
    if (entry)
        return rc;
    return is_digest ? memory_resolve_blob(t, &digest, ret, err)
                     : coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
}

static int memory_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset,
                        int64_t length, const coras_sink *sink, coras_error **err)
{
    const struct blob *blob;
    CORAS_TRY(need(memory_of(t), &desc->digest, &blob, err));
    int64_t left = blob->size - offset;
    if (length < 0 || length > left)
        length = left;
    int rc = length > 0 ? sink->write(sink->user, blob->bytes + offset, (size_t)length, err) : 0;
    return rc < 0 ? rc : 0;
}

static int memory_fetch_manifest(coras_target *t, const char *reference, const char *accept,
                                 coras_descriptor *ret, coras_buf *bytes, coras_error **err)
{
    (void)accept; /* there is nothing to negotiate with */
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(memory_resolve(t, reference, &desc, err));
    const coras_sink sink = coras_sink_buf(bytes);
    CORAS_TRY(memory_fetch(t, &desc, 0, -1, &sink, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

static int memory_exists(coras_target *t, const coras_descriptor *desc, bool *ret,
                         coras_error **err)
{
    (void)err; /* cannot fail */
    *ret = find(memory_of(t), &desc->digest) != NULL;
    return 0;
}

/* ---- writing ---- */

/* Takes the blob over, also on failure. */
static int take_blob(struct memory *m, const coras_digest *want, struct blob **blob,
                     coras_error **err)
{
    char key[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free struct blob *owned = coras_steal(blob);
    coras_digest got;
    CORAS_TRY(coras_digest_of(want->algorithm, owned->bytes, (size_t)owned->size, &got, err));
    if (!coras_digest_equal(&got, want))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest");
    (void)pthread_mutex_lock(&m->lock);
    int rc = 0;
    if (!coras_map_has(m->blobs, coras_digest_format(want, key))) {
        rc = coras_map_set(m->blobs, key, owned, err);
        if (rc == 0)
            owned = NULL;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return rc;
}

static int new_blob(int64_t size, struct blob **ret, coras_error **err)
{
    size_t bytes;
    if (size < 0 || !coras_add_size(sizeof(struct blob), (size_t)size, &bytes))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "invalid size");
    *ret = coras_malloc(bytes);
    if (!*ret)
        return coras_fail_no_memory(err);
    (*ret)->size = size;
    return 0;
}

static int memory_push_blob(coras_target *t, const coras_blob_push *push, coras_error **err)
{
    coras_digest digest = push->desc->digest;
    if (push->promise)
        CORAS_TRY(push->promise->get(push->promise->user, true, &digest, err));
    if (find(memory_of(t), &digest))
        return CORAS_PUSH_EXISTED;
    coras_auto_free struct blob *blob = NULL;
    CORAS_TRY(new_blob(push->desc->size, &blob, err));
    for (int64_t offset = 0; offset < blob->size;) {
        size_t got = 0;
        CORAS_TRY(push->source->read_at(push->source->user, blob->bytes + offset,
                                        (size_t)(blob->size - offset), offset, &got, err));
        offset += (int64_t)got;
    }
    if (push->unchanged)
        CORAS_TRY(push->unchanged(push->unchanged_user, err));
    CORAS_TRY(take_blob(memory_of(t), &digest, &blob, err));
    return CORAS_PUSHED;
}

static int memory_tag(coras_target *t, const coras_descriptor *desc, const void *data CORAS_UNUSED,
                      const char *reference, coras_error **err)
{
    struct memory *m = memory_of(t);
    const struct blob *blob;
    coras_digest digest;
    bool name = reference && coras_digest_parse(reference, &digest, NULL) < 0;
    CORAS_TRY(need(m, &desc->digest, &blob, err));
    (void)pthread_mutex_lock(&m->lock);
    int rc = name ? coras_layout_index_tag(&m->index, desc, reference, err)
                  : coras_layout_index_add(&m->index, desc, err);
    (void)pthread_mutex_unlock(&m->lock);
    return rc;
}

static int memory_push_manifest(coras_target *t, const coras_descriptor *desc, const void *data,
                                const char *reference, coras_error **err)
{
    coras_auto_free struct blob *blob = NULL;
    CORAS_TRY(new_blob(desc->size, &blob, err));
    memcpy(blob->bytes, data, (size_t)desc->size);
    CORAS_TRY(take_blob(memory_of(t), &desc->digest, &blob, err));
    return memory_tag(t, desc, data, reference, err);
}

static int memory_remove(coras_target *t, const coras_descriptor *desc, coras_error **err)
{
    struct memory *m = memory_of(t);
    char key[CORAS_DIGEST_TEXT_MAX];
    (void)pthread_mutex_lock(&m->lock);
    bool listed = coras_layout_index_remove(&m->index, &desc->digest);
    bool there = coras_map_remove(m->blobs, coras_digest_format(&desc->digest, key));
    (void)pthread_mutex_unlock(&m->lock);
    return listed || there ? 0 : coras_fail(err, CORAS_ERR_NOT_FOUND, "not found");
}

/* ---- lists ---- */

static int memory_tags(coras_target *t, const char *last,
                       bool (*visit)(const char *tag, void *user), void *user, coras_error **err)
{
    struct memory *m = memory_of(t);
    coras_auto_value(coras_strlist) tags = {0};
    int rc = 0;
    (void)pthread_mutex_lock(&m->lock);
    coras_vec_foreach (entry, &m->index.entries) {
        const char *tag = coras_layout_entry_tag(entry);
        if (rc == 0 && tag && (!last || strcmp(tag, last) > 0))
            rc = coras_strlist_add(&tags, tag, err);
    }
    (void)pthread_mutex_unlock(&m->lock);
    coras_strlist_sort(&tags);
    for (size_t i = 0; rc == 0 && i < tags.len; i++)
        if (!visit(tags.items[i], user))
            break;
    return rc;
}

/* Whether the entry's manifest has that subject; *ret then describes it. */
static int referrer_of(struct memory *m, const coras_descriptor *entry, const coras_digest *subject,
                       coras_descriptors *ret, coras_error **err)
{
    const struct blob *blob;
    coras_auto_value(coras_manifest) manifest = {0};
    coras_auto(coras_error) why = NULL;
    CORAS_TRY(need(m, &entry->digest, &blob, err));
    int rc =
        coras_manifest_parse(blob->bytes, (size_t)blob->size, entry->media_type, &manifest, &why);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (rc < 0 || !manifest.has_subject || !coras_digest_equal(&manifest.subject.digest, subject))
        return 0;
    coras_auto_free char *type = NULL;
    const char *effective = coras_manifest_effective_artifact_type(&manifest);
    if (effective && !(type = coras_strdup(effective)))
        return coras_fail_no_memory(err);
    coras_descriptor d = {.media_type = entry->media_type,
                          .digest = entry->digest,
                          .size = entry->size,
                          .annotations = manifest.annotations,
                          .artifact_type = type}; /* borrowed: the list copies */
    return coras_descriptors_add(ret, &d, err);
}

static int memory_referrers(coras_target *t, const coras_descriptor *desc,
                            const char *artifact_type,
                            bool (*visit)(const coras_descriptor *d, void *user), void *user,
                            coras_error **err)
{
    struct memory *m = memory_of(t);
    coras_auto_value(coras_descriptors) entries = {0}, found = {0};
    int rc = 0;
    (void)pthread_mutex_lock(&m->lock);
    coras_vec_foreach (entry, &m->index.entries) {
        if (rc == 0)
            rc = coras_descriptors_add(&entries, &entry->desc, err);
    }
    (void)pthread_mutex_unlock(&m->lock);
    for (size_t i = 0; rc == 0 && i < entries.len; i++)
        rc = referrer_of(m, &entries.items[i], &desc->digest, &found, err);
    for (size_t i = 0; rc == 0 && i < found.len; i++) {
        const char *type = found.items[i].artifact_type;
        bool wanted = !artifact_type || (type && strcmp(type, artifact_type) == 0);
        if (wanted && !visit(&found.items[i], user))
            break;
    }
    return rc;
}

static const coras_target_ops memory_ops = {
    .kind = "memory",
    .close = memory_close,
    .resolve = memory_resolve,
    .fetch_manifest = memory_fetch_manifest,
    .fetch = memory_fetch,
    .resolve_blob = memory_resolve_blob,
    .exists = memory_exists,
    .push_blob = memory_push_blob,
    .push_manifest = memory_push_manifest,
    .tag = memory_tag,
    .tags = memory_tags,
    .referrers = memory_referrers,
    .remove = memory_remove,
};

int coras_memory_target_new(coras_target **ret, coras_error **err)
{
    struct memory *m = coras_new(struct memory);
    if (!m)
        return coras_fail_no_memory(err);
    m->target.ops = &memory_ops;
    m->blobs = coras_map_new(free);
    if (!m->blobs) {
        free(m);
        return coras_fail_no_memory(err);
    }
    (void)pthread_mutex_init(&m->lock, NULL); /* cannot fail with default attributes */
    *ret = &m->target;
    return 0;
}
