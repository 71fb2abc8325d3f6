/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Picks what of an index a copy takes, by platform, and makes the index of what is left.
 */
#include "ops/copy_select.h"

#include "base/alloc.h"
#include "base/error.h"
#include "codec/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/trace.h"
#include "oci/manifest.h"
#include "oci/platform.h"
#include "ops/platform_select.h"

#define ANN_REFERENCE_DIGEST                                                                       \
    "vnd.docker.reference.digest" /* an attestation names the manifest it is about */

/* ---- which entries stay ---- */

struct selection {
    const coras_copy_options *opts;
    const coras_manifest *index;
    bool *keep;  /* by entry */
    size_t kept; /* entries */
    size_t kept_platforms;
    size_t the_one; /* an entry that a platform picked */
};

static bool wanted(const struct selection *s, const coras_descriptor *entry)
{
    for (size_t i = 0; i < s->opts->platform_count; i++)
        if (coras_platform_matches(entry->platform, &s->opts->platforms[i]))
            return true;
    return false;
}

static const char *describes(const coras_descriptor *entry)
{
    return coras_annotations_get(&entry->annotations, ANN_REFERENCE_DIGEST);
}

static void keep_entry(struct selection *s, size_t i)
{
    s->keep[i] = true;
    s->kept++;
}

static bool follows_kept(const struct selection *s, const char *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    for (size_t i = 0; i < s->index->layers.len; i++)
        if (s->keep[i] &&
            coras_streq(coras_digest_format(&s->index->layers.items[i].digest, text), digest))
            return true;
    return false;
}

static void select_entries(struct selection *s)
{
    const coras_descriptors *entries = &s->index->layers;
    for (size_t i = 0; i < entries->len; i++) {
        const coras_descriptor *entry = &entries->items[i];
        if (describes(entry) || !entry->platform || !wanted(s, entry))
            continue;
        keep_entry(s, i);
        s->kept_platforms++;
        s->the_one = i;
    }
    for (size_t i = 0; i < entries->len; i++) {
        const coras_descriptor *entry = &entries->items[i];
        const char *about = describes(entry);
        if (about ? follows_kept(s, about) : !entry->platform)
            keep_entry(s, i);
    }
}

/* ---- every wanted platform is there ---- */

static void put_platform(coras_buf *out, const coras_platform *p)
{
    if (out->len)
        coras_buf_puts(out, ", ");
    coras_platform_put(out, p);
}

static bool is_matched(const coras_manifest *index, const coras_platform *want)
{
    for (size_t i = 0; i < index->layers.len; i++) {
        const coras_platform *have = index->layers.items[i].platform;
        if (have && !describes(&index->layers.items[i]) && coras_platform_matches(have, want))
            return true;
    }
    return false;
}

static int check_matched(const struct selection *s, coras_error **err)
{
    coras_auto_buf missing = CORAS_BUF_UNLIMITED, available = CORAS_BUF_UNLIMITED;
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < s->opts->platform_count; i++)
        if (!is_matched(s->index, &s->opts->platforms[i]))
            put_platform(&missing, &s->opts->platforms[i]);
    if (!missing.len)
        return coras_buf_done(&missing, err);
    for (size_t i = 0; i < s->index->layers.len; i++)
        if (s->index->layers.items[i].platform && !describes(&s->index->layers.items[i]))
            put_platform(&available, s->index->layers.items[i].platform);
    coras_escape(&shown, available.ptr, available.len, CORAS_LIMIT_ERROR_TEXT);
    int rc = coras_fail(err, CORAS_ERR_NO_PLATFORM, "unmatched platforms: [%s]", missing.ptr);
    coras_advise_with(err, CORAS_HINT_PLATFORMS_EXIST, shown.ptr);
    return rc;
}

/* ---- the reduced index: the original bytes with fewer entries ---- */

struct rewriting {
    const struct selection *selection;
    coras_buf *out;
    bool first;
    coras_error *failure;
};

static bool put_kept_entry(size_t i, coras_str value, void *user)
{
    struct rewriting *r = user;
    if (i >= r->selection->index->layers.len || !r->selection->keep[i])
        return true;
    if (!r->first)
        coras_buf_putc(r->out, ',');
    r->first = false;
    coras_buf_put(r->out, value.ptr, value.len);
    return true;
}

static bool put_member(const char *key, coras_str value, void *user)
{
    struct rewriting *r = user;
    if (!r->first)
        coras_buf_putc(r->out, ',');
    coras_json_escape(r->out, key, strlen(key), false);
    coras_buf_putc(r->out, ':');
    if (coras_streq(key, "manifests")) {
        struct rewriting entries = {.selection = r->selection, .out = r->out, .first = true};
        coras_buf_putc(r->out, '[');
        if (coras_json_raw_elements(value.ptr, value.len, put_kept_entry, &entries, &r->failure) <
            0)
            return false;
        coras_buf_putc(r->out, ']');
    } else {
        coras_buf_put(r->out, value.ptr, value.len);
    }
    r->first = false;
    return true;
}

static int rewrite_index(const struct selection *s, coras_buf *bytes, coras_descriptor *desc,
                         coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    struct rewriting r = {.selection = s, .out = &out, .first = true};
    coras_auto_value(coras_descriptor) reduced = CORAS_DESCRIPTOR_INIT;

    coras_buf_putc(&out, '{');
    int rc = coras_json_raw_members(bytes->ptr, bytes->len, put_member, &r, err);
    if (r.failure) {
        rc = coras_error_code(r.failure);
        coras_error_propagate(err, &r.failure);
    }
    CORAS_TRY(rc);
    coras_buf_putc(&out, '}');
    CORAS_TRY(coras_buf_done(&out, err));
    CORAS_TRY(coras_descriptor_of_bytes(desc->media_type, out.ptr, out.len, &reduced, err));
    coras_buf_reset(bytes);
    coras_buf_put(bytes, out.ptr, out.len);
    coras_descriptor_clear(desc);
    *desc = reduced;
    reduced = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return coras_buf_done(bytes, err);
}

static int take_single(coras_target *from, const coras_descriptor *entry, coras_buf *bytes,
                       coras_descriptor *desc, coras_error **err)
{
    coras_auto_value(coras_descriptor) one = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(coras_descriptor_copy(&one, entry, err));
    coras_buf_reset(bytes);
    CORAS_TRY(coras_target_fetch_verified(from, &one, CORAS_LIMIT_MANIFEST, bytes, err));
    coras_descriptor_clear(desc);
    *desc = one;
    one = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

struct any_referrer {
    bool found;
};

static bool note_referrer(const coras_descriptor *desc CORAS_UNUSED, void *user)
{
    ((struct any_referrer *)user)->found = true;
    return false;
}

static void warn_about_referrers(coras_target *from, const coras_descriptor *index)
{
    struct any_referrer any = {0};
    coras_auto(coras_error) ignored = NULL; /* the copy itself will meet the failure */
    (void)from->ops->referrers(from, index, NULL, note_referrer, &any, &ignored);
    if (any.found)
        coras_trace_warning(
            NULL, "referrers of the source index are not copied because selecting a subset of "
                  "platforms produces a new index digest");
}

static int reduce(coras_target *from, const coras_manifest *index, const coras_copy_options *opts,
                  coras_descriptor *desc, coras_buf *bytes, coras_error **err)
{
    struct selection s = {.opts = opts, .index = index};
    coras_auto_free bool *keep = coras_calloc(index->layers.len + 1, sizeof(bool));
    if (!keep)
        return coras_fail_no_memory(err);
    s.keep = keep;
    CORAS_TRY(check_matched(&s, err));
    select_entries(&s);
    if (s.kept == index->layers.len)
        return 0;
    if (s.kept_platforms == 1)
        return take_single(from, &index->layers.items[s.the_one], bytes, desc, err);
    if (opts->recursive)
        warn_about_referrers(from, desc);
    return rewrite_index(&s, bytes, desc, err);
}

static int select_platforms(coras_target *from, const char *reference,
                            const coras_copy_options *opts, coras_descriptor *ret, coras_buf *bytes,
                            coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_manifest) m = {0};

    CORAS_TRY(coras_select_manifest(from, reference, NULL, &desc, bytes, err));
    if (!coras_kind_is_index(coras_media_type_kind(desc.media_type))) {
        int rc = coras_fail(err, CORAS_ERR_NOT_AN_INDEX, "not an image index or a manifest list");
        coras_advise(err, CORAS_HINT_ONE_PLATFORM);
        return rc;
    }
    CORAS_TRY(coras_manifest_parse(bytes->ptr, bytes->len, desc.media_type, &m, err));
    CORAS_TRY(reduce(from, &m, opts, &desc, bytes, err));
    *ret = desc;
    desc = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

int coras_select_root(coras_target *from, const char *reference, const coras_copy_options *opts,
                      coras_descriptor *ret, coras_buf *ret_bytes, coras_error **err)
{
    if (opts->platform_count > 1)
        return select_platforms(from, reference, opts, ret, ret_bytes, err);
    return coras_select_manifest(from, reference, opts->platform_count ? opts->platforms : NULL,
                                 ret, ret_bytes, err);
}
