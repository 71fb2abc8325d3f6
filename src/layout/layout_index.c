/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading, changing and writing index.json.
 */
#include "layout/layout_index.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "oci/mediatype.h"

static void entry_clear(struct coras_layout_entry *entry)
{
    coras_descriptor_clear(&entry->desc);
    free(entry->raw);
}

void coras_layout_index_clear(struct coras_layout_index *index)
{
    coras_vec_foreach (entry, &index->entries)
        entry_clear(entry);
    free(index->entries.items);
    coras_vec_foreach (member, &index->members) {
        free(member->key);
        free(member->raw);
    }
    free(index->members.items);
    memset(index, 0, sizeof(*index));
}

/* ---- reading ---- */

struct parse {
    struct coras_layout_index *index;
    const coras_json *manifests; /* the parsed list */
    int rc;
    coras_error **err;
};

static int compact(coras_str raw, char **ret, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    CORAS_TRY(coras_json_compact(raw.ptr, raw.len, &out, err));
    return coras_buf_take(&out, ret, err);
}

/* Well-formed, of an algorithm that is not registered: such an entry is kept and never looked at.
 */
static bool is_foreign_digest(const char *text)
{
    coras_digest digest;

    return coras_digest_parse(text, &digest, NULL) == CORAS_ERR_UNSUPPORTED_DIGEST;
}

static int parse_entry(const coras_json *v, size_t i, coras_descriptor *ret, coras_error **err)
{
    const char *digest = coras_json_get_string(v, "digest");
    coras_digest parsed;
    if (digest && is_foreign_digest(digest))
        return 0;
    if (digest && coras_digest_parse(digest, &parsed, NULL) < 0) {
        coras_auto_free char *shown = coras_escape_dup(digest);
        return coras_fail(err, CORAS_ERR_INVALID_DIGEST,
                          "invalid OCI Image Index: manifests[%zu]: invalid digest \"%.200s\"", i,
                          shown ? shown : "");
    }
    char what[sizeof("manifests[18446744073709551615]")];
    (void)snprintf(what, sizeof(what), "manifests[%zu]", i);
    int rc = coras_descriptor_from_json(v, what, ret, err);
    if (rc < 0 && rc != CORAS_ERR_NO_MEMORY)
        rc = coras_wrap(err, coras_error_recode(err, CORAS_ERR_CONFIG), "invalid OCI Image Index");
    return rc;
}

static bool visit_entry(size_t i, coras_str value, void *user)
{
    struct parse *p = user;
    if (coras_vec_grow(&p->index->entries, 1) < 0) {
        p->rc = coras_fail_no_memory(p->err);
        return false;
    }
    struct coras_layout_entry *entry = &p->index->entries.items[p->index->entries.len++];
    memset(entry, 0, sizeof(*entry));
    p->rc = compact(value, &entry->raw, p->err);
    if (p->rc == 0)
        p->rc = parse_entry(coras_json_at(p->manifests, i), i, &entry->desc, p->err);
    return p->rc == 0;
}

static bool visit_member(const char *key, coras_str value, void *user)
{
    struct parse *p = user;
    if (coras_vec_grow(&p->index->members, 1) < 0) {
        p->rc = coras_fail_no_memory(p->err);
        return false;
    }
    struct coras_layout_member *m = &p->index->members.items[p->index->members.len++];
    memset(m, 0, sizeof(*m));
    m->key = coras_strdup(key);
    if (!m->key) {
        p->rc = coras_fail_no_memory(p->err);
    } else if (!coras_streq(key, "manifests")) {
        p->rc = compact(value, &m->raw, p->err);
    } else if (coras_json_type_of(p->manifests) == CORAS_JSON_ARRAY) {
        int rc = coras_json_raw_elements(value.ptr, value.len, visit_entry, p,
                                         p->rc < 0 ? NULL : p->err);
        p->rc = p->rc < 0 ? p->rc : rc;
    }
    return p->rc == 0;
}

/* Upstream's decoder has its own words for bytes that are no JSON. */
static int fail_decode(const char *text, size_t len, coras_error **err)
{
    static const char what[] = "invalid OCI Image Index: failed to decode index file";
    coras_auto(coras_error) why = NULL;
    coras_auto(coras_json) doc = NULL;
    /* Good grammar leaves what our parser is stricter about (double keys), or another type. */
    int rc = coras_json_check(text, len, &why);
    if (rc == 0)
        rc = coras_json_parse(text, len, &doc, &why);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_CONFIG, "%s: %s", what,
                      rc < 0 ? coras_error_message(why) : "not an object");
}

int coras_layout_index_parse(const char *text, size_t len, struct coras_layout_index *ret,
                             coras_error **err)
{
    coras_auto(coras_json) doc = NULL;
    int rc = coras_json_parse(text, len, &doc, NULL);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (rc < 0 || coras_json_type_of(doc) != CORAS_JSON_OBJECT)
        return fail_decode(text, len, err);
    const coras_json *manifests = coras_json_get(doc, "manifests");
    if (coras_json_type_of(manifests) != CORAS_JSON_ARRAY &&
        coras_json_type_of(manifests) != CORAS_JSON_NULL)
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "invalid OCI Image Index: manifests is not a list");

    struct coras_layout_index index = {0};
    struct parse p = {.index = &index, .manifests = manifests, .err = err};
    rc = coras_json_raw_members(text, len, visit_member, &p, p.err);
    if (p.rc < 0)
        rc = p.rc;
    if (rc < 0) {
        coras_layout_index_clear(&index);
        return rc;
    }
    *ret = index;
    return 0;
}

/* ---- writing ---- */

static void write_entries(const struct coras_layout_index *index, coras_buf *out)
{
    coras_buf_puts(out, "\"manifests\":[");
    coras_vec_foreach (entry, &index->entries) {
        if (entry != index->entries.items)
            coras_buf_putc(out, ',');
        if (entry->raw) {
            coras_buf_puts(out, entry->raw);
        } else {
            coras_json_writer w = CORAS_JSON_WRITER(out, 0);
            coras_descriptor_write(&w, &entry->desc);
        }
    }
    coras_buf_putc(out, ']');
}

int coras_layout_index_write(const struct coras_layout_index *index, coras_buf *out,
                             coras_error **err)
{
    bool entries_written = false;
    coras_buf_putc(out, '{');
    coras_vec_foreach (m, &index->members) {
        if (m != index->members.items)
            coras_buf_putc(out, ',');
        if (m->raw) {
            coras_json_escape(out, m->key, strlen(m->key), false);
            coras_buf_putc(out, ':');
            coras_buf_puts(out, m->raw);
        } else {
            write_entries(index, out);
            entries_written = true;
        }
    }
    if (!entries_written) {
        if (index->members.len > 0)
            coras_buf_putc(out, ',');
        write_entries(index, out);
    }
    coras_buf_putc(out, '}');
    return coras_buf_done(out, err);
}

/* ---- looking up ---- */

const char *coras_layout_entry_tag(const struct coras_layout_entry *entry)
{
    return coras_annotations_get(&entry->desc.annotations, CORAS_ANN_REF_NAME);
}

static bool has_digest(const struct coras_layout_entry *entry, const coras_digest *digest)
{
    return entry->desc.digest.algorithm != CORAS_DIGEST_NONE &&
           coras_digest_equal(&entry->desc.digest, digest);
}

static const struct coras_layout_entry *by_full_name(const struct coras_layout_index *index,
                                                     const char *tag)
{
    const struct coras_layout_entry *found = NULL;
    coras_vec_foreach (entry, &index->entries) {
        const char *name = coras_layout_entry_tag(entry);
        const char *colon = name ? strrchr(name, ':') : NULL;
        if (!colon || !coras_streq(colon + 1, tag))
            continue;
        if (found)
            return NULL;
        found = entry;
    }
    return found;
}

const struct coras_layout_entry *coras_layout_index_by_tag(const struct coras_layout_index *index,
                                                           const char *tag)
{
    for (size_t i = index->entries.len; i-- > 0;) {
        const char *name = coras_layout_entry_tag(&index->entries.items[i]);
        if (name && coras_streq(name, tag))
            return &index->entries.items[i];
    }
    return by_full_name(index, tag);
}

const struct coras_layout_entry *
coras_layout_index_by_digest(const struct coras_layout_index *index, const coras_digest *digest)
{
    coras_vec_foreach (entry, &index->entries) {
        if (has_digest(entry, digest))
            return entry;
    }
    return NULL;
}

bool coras_layout_index_is_tagged(const struct coras_layout_index *index,
                                  const coras_digest *digest)
{
    coras_vec_foreach (entry, &index->entries) {
        if (has_digest(entry, digest) && coras_layout_entry_tag(entry))
            return true;
    }
    return false;
}

/* ---- changing ---- */

static void remove_at(struct coras_layout_index *index, size_t i)
{
    struct coras_layout_entry *items = index->entries.items;
    entry_clear(&items[i]);
    index->entries.len--;
    memmove(&items[i], &items[i + 1], (index->entries.len - i) * sizeof(*items));
}

/* A manifest loses a name: it stays listed, by its digest, when that was its only one. */
static void take_name_away(struct coras_layout_index *index, size_t i)
{
    struct coras_layout_entry *entry = &index->entries.items[i];
    size_t others = 0;
    coras_vec_foreach (other, &index->entries) {
        others += other != entry && has_digest(other, &entry->desc.digest);
    }
    if (others > 0) {
        remove_at(index, i);
        return;
    }
    coras_annotations_remove(&entry->desc.annotations, CORAS_ANN_REF_NAME);
    free(entry->raw);
    entry->raw = NULL;
}

static int append(struct coras_layout_index *index, const coras_descriptor *desc, const char *tag,
                  coras_error **err)
{
    if (coras_vec_grow(&index->entries, 1) < 0)
        return coras_fail_no_memory(err);
    struct coras_layout_entry entry = {.raw = NULL};
    int rc = coras_descriptor_copy(&entry.desc, desc, err);
    if (rc == 0) {
        coras_annotations_remove(&entry.desc.annotations, CORAS_ANN_REF_NAME);
        if (tag)
            rc = coras_annotations_set(&entry.desc.annotations, CORAS_ANN_REF_NAME, tag, err);
    }
    if (rc < 0) {
        entry_clear(&entry);
        return rc;
    }
    index->entries.items[index->entries.len++] = entry;
    return 0;
}

int coras_layout_index_tag(struct coras_layout_index *index, const coras_descriptor *desc,
                           const char *tag, coras_error **err)
{
    CORAS_TRY(append(index, desc, tag, err));
    for (size_t i = index->entries.len - 1; i-- > 0;) {
        const struct coras_layout_entry *entry = &index->entries.items[i];
        const char *name = coras_layout_entry_tag(entry);
        bool same = has_digest(entry, &desc->digest);
        if (name && coras_streq(name, tag)) {
            if (same)
                remove_at(index, i);
            else
                take_name_away(index, i);
        } else if (!name && same) {
            remove_at(index, i); /* listed by its name now */
        }
    }
    return 0;
}

bool coras_layout_index_untag(struct coras_layout_index *index, const char *tag)
{
    bool found = false;
    for (size_t i = index->entries.len; i-- > 0;) {
        const char *name = coras_layout_entry_tag(&index->entries.items[i]);
        if (!name || !coras_streq(name, tag))
            continue;
        take_name_away(index, i);
        found = true;
    }
    return found;
}

int coras_layout_index_add(struct coras_layout_index *index, const coras_descriptor *desc,
                           coras_error **err)
{
    return coras_layout_index_by_digest(index, &desc->digest) ? 0 : append(index, desc, NULL, err);
}

bool coras_layout_index_remove(struct coras_layout_index *index, const coras_digest *digest)
{
    bool removed = false;
    for (size_t i = index->entries.len; i-- > 0;) {
        if (!has_digest(&index->entries.items[i], digest))
            continue;
        remove_at(index, i);
        removed = true;
    }
    return removed;
}
