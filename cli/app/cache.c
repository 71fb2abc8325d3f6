#include "cli/app/cache.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/app/operation.h"
#include "coras/blob.h"
#include "oci/descriptor.h"
#include "oci/manifest.h"

CORAS_DEFINE_AUTO(coras_target, coras_target_close)

static bool has_content(coras_target *cache, const coras_digest *digest)
{
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    return coras_resolve_blob(cache, digest, &found, NULL) == 0;
}

/* ---- manifests ---- */

static int fetch_by_digest(coras_target *target, const coras_descriptor *desc, const char *accept,
                           char **ret_bytes, coras_error **err)
{
    coras_auto_value(coras_descriptor) fetched = CORAS_DESCRIPTOR_INIT;
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_digest_format(&desc->digest, digest);
    return coras_fetch_manifest(target, digest, accept, &fetched, ret_bytes, err);
}

static int fetch_through(coras_target *cache, coras_target *target, const coras_descriptor *desc,
                         const char *accept, char **ret_bytes, coras_error **err)
{
    /* What the cache holds damaged is fetched anew. */
    if (has_content(cache, &desc->digest) &&
        coras_fetch_bytes(cache, desc, CORAS_LIMIT_MANIFEST, ret_bytes, NULL) == 0)
        return 0;
    coras_auto_free char *bytes = NULL;
    CORAS_TRY(fetch_by_digest(target, desc, accept, &bytes, err));
    CORAS_TRY(coras_push_manifest(cache, desc, bytes, NULL, err));
    *ret_bytes = coras_steal(&bytes);
    return 0;
}

/* The manifest of a platform; an index on the way there is remembered as well. */
static int resolve_through(coras_target *cache, coras_target *target, const char *reference,
                           const coras_platform *platform, coras_descriptor *ret, coras_error **err)
{
    coras_auto_value(coras_descriptor) whole = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_manifest) index = {0};
    coras_auto_free char *bytes = NULL;
    char digest[CORAS_DIGEST_TEXT_MAX];
    if (!cache || !platform)
        return coras_resolve_platform(target, reference, platform, ret, err);
    CORAS_TRY(coras_resolve(target, reference, &whole, err));
    coras_digest_format(&whole.digest, digest);
    if (!coras_kind_is_index(coras_media_type_kind(whole.media_type)))
        return coras_resolve_platform(target, digest, platform, ret, err);
    CORAS_TRY(fetch_through(cache, target, &whole, NULL, &bytes, err));
    CORAS_TRY(coras_manifest_parse(bytes, (size_t)whole.size, whole.media_type, &index, err));
    const coras_descriptor *entry = coras_manifest_find_platform(&index, platform);
    if (entry)
        return coras_descriptor_copy(ret, entry, err);
    return coras_resolve_platform(target, digest, platform, ret, err); /* says what is missing */
}

int cached_fetch_manifest(coras_target *target, const char *reference,
                          const coras_platform *platform, const char *accept, coras_descriptor *ret,
                          char **ret_bytes, coras_error **err)
{
    const char *directory = cache_directory();
    if (!directory && !platform)
        return coras_fetch_manifest(target, reference, accept, ret, ret_bytes, err);
    coras_auto(coras_target) cache = NULL;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    if (directory)
        CORAS_TRY(coras_layout_open(directory, CORAS_LAYOUT_WRITE, &cache, err));
    CORAS_TRY(resolve_through(cache, target, reference, platform, &desc, err));
    if (cache)
        CORAS_TRY(fetch_through(cache, target, &desc, accept, ret_bytes, err));
    else
        CORAS_TRY(fetch_by_digest(target, &desc, accept, ret_bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

/* ---- blobs ---- */

/*
 * Where the blob is to be had: the cache (owned by the caller), which now has it, or *ret NULL for
 * the target. Returns 1 when the bytes have just come, and `run` has heard of them.
 */
static int open_filled_cache(coras_target *target, const coras_descriptor *desc,
                             const coras_run_options *run, coras_target **ret, coras_error **err)
{
    coras_auto(coras_target) cache = NULL;
    if (!cache_directory())
        return 0;
    CORAS_TRY(coras_layout_open(cache_directory(), CORAS_LAYOUT_WRITE, &cache, err));
    int existed = coras_copy_blob(target, cache, desc, run, err);
    if (existed < 0)
        return existed;
    *ret = coras_steal(&cache);
    return !existed;
}

int cached_fetch_blob(coras_target *target, const coras_descriptor *desc,
                      const coras_run_options *run, coras_write_fn write, void *user,
                      coras_error **err)
{
    coras_auto(coras_target) cache = NULL;
    int came = open_filled_cache(target, desc, run, &cache, err);
    return came < 0 ? came : coras_fetch_blob(cache ? cache : target, desc, write, user, err);
}

int cached_save_blob(coras_target *target, const coras_descriptor *desc, const char *path,
                     const coras_run_options *run, coras_error **err)
{
    coras_auto(coras_target) cache = NULL;
    coras_run_options quiet = *run;
    int came = open_filled_cache(target, desc, run, &cache, err);
    if (came < 0)
        return came;
    quiet.on_event = NULL;
    return coras_save_blob(cache ? cache : target, desc, path, came ? &quiet : run, err);
}

static int write_to_buffer(void *user, const void *data, size_t len, coras_error **err)
{
    coras_buf_put(user, data, len);
    return coras_buf_done(user, err);
}

int cached_fetch_bytes(coras_target *target, const coras_descriptor *desc,
                       const coras_run_options *run, size_t limit, char **ret_bytes,
                       coras_error **err)
{
    if (!cache_directory())
        return coras_fetch_bytes(target, desc, limit, ret_bytes, err);
    coras_auto_buf bytes = CORAS_BUF_INIT(limit);
    CORAS_TRY(cached_fetch_blob(target, desc, run, write_to_buffer, &bytes, err));
    return coras_buf_take(&bytes, ret_bytes, err);
}
