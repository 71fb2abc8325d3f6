/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the config of a package adds to its layers: digests of what is compressed, directories of
 * old ModelKits, the host that has what is not here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "codec/json.h"
#include "model/package_impl.h"
#include "oci/digest.h"

/* ---- a list in the order of the layers ---- */

static void set_diff_id(coras_package_entry *e, const coras_json *value)
{
    const char *text;

    if (coras_json_string(value, &text) && coras_digest_parse(text, &e->diff_id, NULL) == 0)
        e->has_diff_id = true;
}

static int apply_list(coras_package *p, const coras_manifest *m, const coras_json *list,
                      coras_error **err)
{
    if (coras_json_type_of(list) != CORAS_JSON_ARRAY)
        return 0;
    if (coras_json_len(list) != m->layers.len)
        return coras_package_warn(p, &m->config,
                                  "the config's list of digests has another length than the list "
                                  "of layers: not used",
                                  err);
    for (size_t i = 0; i < p->entries.len; i++) {
        coras_package_entry *e = &p->entries.items[i];
        set_diff_id(e, coras_json_at(list, (size_t)(e->desc - m->layers.items)));
        if (e->form == CORAS_LAYER_RAW && e->compression == CORAS_COMPRESSION_NONE &&
            e->has_diff_id && !coras_digest_equal(&e->diff_id, &e->desc->digest))
            CORAS_TRY(coras_package_warn(
                p, e->desc, "the config gives another digest for its content than the manifest",
                err));
    }
    return 0;
}

/* ---- ModelKits: each entry names its layer ---- */

static const struct {
    const char *list, *layer; /* in the Kitfile, in the media type */
} kit_lists[] = {
    {"code", "code"},  {"datasets", "dataset"}, {"docs", "docs"},
    {"prompts", NULL}, {"mcpServers", NULL}, /* younger than digests */
};

/* Before 0.5 a Kitfile had no digests, and its tars no names above what was packed: entry k of a
 * kind belongs to layer k of that kind, in the directory that holds the entry's path. */
struct kit {
    coras_package *p;
    const coras_manifest *m;
    coras_map *by_digest; /* JSON entries */
};

static int remember_entry(struct kit *k, const coras_json *entry, coras_error **err)
{
    const char *digest = coras_json_get_string(entry, "digest");

    return digest ? coras_map_set(k->by_digest, digest, (void *)(uintptr_t)entry, err) : 0;
}

static int remember_list(struct kit *k, const coras_json *list, coras_error **err)
{
    for (size_t i = 0; i < coras_json_len(list) && coras_json_type_of(list) == CORAS_JSON_ARRAY;
         i++)
        CORAS_TRY(remember_entry(k, coras_json_at(list, i), err));
    return 0;
}

static bool is_old(const coras_json *entry)
{
    return coras_json_type_of(entry) == CORAS_JSON_OBJECT && !coras_json_get(entry, "digest") &&
           coras_json_get_string(entry, "path");
}

/* The directory that holds the entry's path; "" for the root. */
static int move_below(coras_package_entry *e, const coras_json *entry, coras_error **err)
{
    const char *path = coras_json_get_string(entry, "path");
    coras_auto_free char *clean = NULL;

    if (coras_package_judge_path(path))
        return 0;
    CORAS_TRY(coras_package_clean_path(path, &clean, err));
    char *slash = strrchr(clean, '/');
    if (!slash)
        return 0; /* the path is in the root, or is it */
    *slash = '\0';
    free(e->path);
    e->path = coras_steal(&clean);
    return 0;
}

/* Entry k of the list to layer k of the kind. */
static int place_old(struct kit *k, const coras_json *list, const char *kind, coras_error **err)
{
    size_t nth = 0;

    for (size_t i = 0; i < k->p->entries.len; i++) {
        coras_package_entry *e = &k->p->entries.items[i];
        struct coras_layer_type type = coras_layer_type_of(e->desc->media_type);
        if (type.family != CORAS_TYPE_KITOPS || !coras_layer_is_for(&type, kind))
            continue;
        const coras_json *entry = coras_json_at(list, nth++);
        if (e->form == CORAS_LAYER_TAR && is_old(entry))
            CORAS_TRY(move_below(e, entry, err));
    }
    return 0;
}

static int place_old_model(struct kit *k, const coras_json *model, coras_error **err)
{
    for (size_t i = 0; i < k->p->entries.len; i++) {
        coras_package_entry *e = &k->p->entries.items[i];
        struct coras_layer_type type = coras_layer_type_of(e->desc->media_type);
        if (type.family == CORAS_TYPE_KITOPS && coras_layer_is_for(&type, "model") &&
            e->form == CORAS_LAYER_TAR && is_old(model))
            return move_below(e, model, err);
    }
    return place_old(k, coras_json_get(model, "parts"), "modelpart", err);
}

static void apply_known(const struct kit *k)
{
    for (size_t i = 0; i < k->p->entries.len; i++) {
        coras_package_entry *e = &k->p->entries.items[i];
        char digest[CORAS_DIGEST_TEXT_MAX];
        const coras_json *entry =
            coras_map_get(k->by_digest, coras_digest_format(&e->desc->digest, digest));
        set_diff_id(e, coras_json_get(entry, "diffId"));
    }
}

static int apply_kit(coras_package *p, const coras_manifest *m, const coras_json *doc,
                     coras_error **err)
{
    coras_auto(coras_map) by_digest = coras_map_new(NULL);
    struct kit k = {p, m, by_digest};
    const coras_json *model = coras_json_get(doc, "model");

    if (!by_digest)
        return coras_fail_no_memory(err);
    CORAS_TRY(remember_entry(&k, model, err));
    CORAS_TRY(remember_list(&k, coras_json_get(model, "parts"), err));
    CORAS_TRY(place_old_model(&k, model, err));
    for (size_t i = 0; i < CORAS_ARRAY_LEN(kit_lists); i++) {
        const coras_json *list = coras_json_get(doc, kit_lists[i].list);
        CORAS_TRY(remember_list(&k, list, err));
        if (kit_lists[i].layer)
            CORAS_TRY(place_old(&k, list, kit_lists[i].layer, err));
    }
    apply_known(&k);
    return 0;
}

/* ---- Ollama: a model that runs somewhere else ---- */

static int note_elsewhere(coras_package *p, const coras_json *doc, coras_error **err)
{
    const char *host = coras_json_get_string(doc, "remote_host");

    if (!host || !*host)
        return 0;
    p->elsewhere = coras_escape_dup(host);
    return p->elsewhere ? 0 : coras_fail_no_memory(err);
}

int coras_package_apply_config(coras_package *p, const coras_manifest *m, const void *config,
                               size_t len, coras_error **err)
{
    coras_auto(coras_json) doc = NULL;

    int rc = coras_json_parse(config, len, &doc, err);
    if (rc == CORAS_ERR_INVALID_JSON)
        rc = coras_wrap(err, coras_error_recode(err, CORAS_ERR_INVALID_MANIFEST),
                        "config of the package");
    CORAS_TRY(rc);
    switch (p->kind) {
    case CORAS_PACKAGE_KITOPS:
        return apply_kit(p, m, doc, err);
    case CORAS_PACKAGE_OLLAMA:
        return note_elsewhere(p, doc, err);
    case CORAS_PACKAGE_MODELPACK:
        return apply_list(p, m, coras_json_get(coras_json_get(doc, "modelfs"), "diffIds"), err);
    case CORAS_PACKAGE_DOCKER:
    case CORAS_PACKAGE_MODELCAR:
        return apply_list(p, m, coras_json_get(coras_json_get(doc, "rootfs"), "diff_ids"), err);
    default:
        return 0;
    }
}
