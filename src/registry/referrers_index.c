/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of referrers as a value: parsed, changed, written.
 */
#include "registry/referrers_index.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "oci/mediatype.h"

/* What the first release candidate of the specification used instead of a header. */
#define FILTERS_ANNOTATION "org.opencontainers.referrers.filtersApplied"

void coras_referrers_index_clear(coras_referrers_index *l)
{
    coras_descriptors_clear(&l->entries);
    *l = (coras_referrers_index){0};
}

static bool is_empty_entry(const coras_json *entry)
{
    const char *digest = coras_json_get_string(entry, "digest");

    return coras_json_type_of(entry) == CORAS_JSON_NULL ||
           (coras_json_type_of(entry) == CORAS_JSON_OBJECT && (!digest || !*digest));
}

static int add_entry(const coras_json *entry, size_t i, coras_map *seen, coras_referrers_index *l,
                     coras_error **err)
{
    static char present;
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *what = coras_asprintf("manifests[%zu]", i);
    char text[CORAS_DIGEST_TEXT_MAX];

    if (!what)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_descriptor_from_json(entry, what, &d, err));
    coras_digest_format(&d.digest, text);
    if (coras_map_has(seen, text)) {
        l->cleaned = true;
        return 0;
    }
    CORAS_TRY(coras_map_set(seen, text, &present, err));
    if (coras_vec_grow(&l->entries, 1) < 0)
        return coras_fail_no_memory(err);
    l->entries.items[l->entries.len++] = d;
    d = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

static int read_entries(const coras_json *list, coras_referrers_index *l, coras_error **err)
{
    coras_auto(coras_map) seen = coras_map_new(NULL);

    if (!seen)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < coras_json_len(list); i++) {
        const coras_json *entry = coras_json_at(list, i);
        if (is_empty_entry(entry))
            l->cleaned = true;
        else
            CORAS_TRY(add_entry(entry, i, seen, l, err));
    }
    return 0;
}

int coras_referrers_index_parse(const char *text, size_t len, coras_referrers_index *ret,
                                coras_error **err)
{
    coras_auto(coras_json) doc = NULL;
    coras_auto_value(coras_referrers_index) l = {0};

    CORAS_TRY(coras_json_parse(text, len, &doc, err));
    const coras_json *list = coras_json_get(doc, "manifests");
    const char *type = coras_json_get_string(doc, "mediaType");
    if (coras_json_type_of(doc) != CORAS_JSON_OBJECT ||
        (coras_json_type_of(list) != CORAS_JSON_ARRAY &&
         coras_json_type_of(list) != CORAS_JSON_NULL) ||
        (type && *type && !coras_streq(type, CORAS_MT_OCI_INDEX)))
        return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "list of referrers is no image index");
    const coras_json *annotations = coras_json_get(doc, "annotations");
    l.filtered =
        coras_referrers_filter_applied(coras_json_get_string(annotations, FILTERS_ANNOTATION));
    CORAS_TRY(read_entries(list, &l, err));
    *ret = l;
    l = (coras_referrers_index){0};
    return 0;
}

static size_t position(const coras_referrers_index *l, const coras_digest *digest)
{
    size_t i = 0;

    while (i < l->entries.len && !coras_digest_equal(&l->entries.items[i].digest, digest))
        i++;
    return i;
}

bool coras_referrers_index_has(const coras_referrers_index *l, const coras_digest *digest)
{
    return position(l, digest) < l->entries.len;
}

int coras_referrers_index_add(coras_referrers_index *l, const coras_descriptor *d,
                              coras_error **err)
{
    if (coras_referrers_index_has(l, &d->digest))
        return l->cleaned;
    CORAS_TRY(coras_descriptors_add(&l->entries, d, err));
    return 1;
}

bool coras_referrers_index_remove(coras_referrers_index *l, const coras_digest *digest)
{
    size_t i = position(l, digest);

    if (i == l->entries.len)
        return l->cleaned;
    coras_descriptor_clear(&l->entries.items[i]);
    l->entries.len--;
    memmove(&l->entries.items[i], &l->entries.items[i + 1],
            (l->entries.len - i) * sizeof(coras_descriptor));
    return true;
}

int coras_referrers_index_write(const coras_referrers_index *l, coras_buf *out, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);

    coras_jw_object(&w);
    coras_jw_member_int(&w, "schemaVersion", 2);
    coras_jw_member(&w, "mediaType", CORAS_MT_OCI_INDEX);
    coras_jw_key(&w, "manifests");
    coras_jw_array(&w);
    for (size_t i = 0; i < l->entries.len; i++)
        coras_descriptor_write(&w, &l->entries.items[i]);
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    return coras_buf_done(out, err);
}

bool coras_referrers_filter_applied(const char *header)
{
    while (header && *header) {
        size_t len = strcspn(header, ",");
        coras_str word = coras_str_trim((coras_str){header, len});
        if (coras_str_eq(word, "artifactType"))
            return true;
        header += len + (header[len] == ',');
    }
    return false;
}
