/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a reference to the files of a model: the manifest, through an index where there is one, and
 * what it says of the package.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/options.h"
#include "coras/platform.h"
#include "ops/models/layers.h"

static int new_model(const char *reference, const coras_run_options *run, coras_model **ret,
                     coras_error **err)
{
    coras_auto(coras_model) m = coras_new(struct coras_model);

    if (!m)
        return coras_fail_no_memory(err);
    m->rootfd = -1;
    m->config = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    m->run = (coras_run_options)CORAS_RUN_OPTIONS_INIT;
    CORAS_TRY(coras_options_read(&m->run, sizeof(m->run), run, err));
    m->reference = coras_strdup(reference);
    if (!m->reference)
        return coras_fail_no_memory(err);
    *ret = coras_steal(&m);
    return 0;
}

/* ---- the manifest ---- */

static int fail_no_entry(const coras_manifest *index, const coras_platform *want, coras_error **err)
{
    coras_auto_buf have = CORAS_BUF_INIT(CORAS_LIMIT_ERROR_TEXT);

    for (size_t i = 0; i < index->layers.len; i++) {
        const coras_platform *p = index->layers.items[i].platform;
        if (!p || !p->os || !p->architecture)
            continue;
        coras_buf_puts(&have, have.len ? ", " : "");
        coras_escape(&have, p->os, strlen(p->os), CORAS_LIMIT_COMPONENT);
        coras_buf_putc(&have, '/');
        coras_escape(&have, p->architecture, strlen(p->architecture), CORAS_LIMIT_COMPONENT);
    }
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "the index has no manifest for %s/%s: %s",
                      want->os ? want->os : "", want->architecture ? want->architecture : "",
                      have.len ? have.ptr : "it names no platforms");
}

/* The only entry, else the one for the platform. */
static int pick_entry(const coras_manifest *index, const coras_platform *platform,
                      coras_descriptor *ret, coras_error **err)
{
    coras_platform here = {.os = (char *)(uintptr_t) "linux",
                           .architecture = (char *)(uintptr_t)coras_host_arch()};
    const coras_platform *want = platform ? platform : &here;
    const coras_descriptor *entry = coras_manifest_find_platform(index, want);

    if (!entry && !platform && index->layers.len == 1)
        entry = &index->layers.items[0];
    if (!entry)
        return fail_no_entry(index, want, err);
    return coras_descriptor_copy(ret, entry, err);
}

/* Down through indexes to a manifest with layers. `bytes` are those of m->desc. */
static int descend(coras_model *m, const coras_platform *platform, coras_buf *bytes,
                   coras_error **err)
{
    for (int depth = 0; depth < CORAS_LIMIT_INDEX_DEPTH; depth++) {
        coras_auto_value(coras_descriptor) picked = CORAS_DESCRIPTOR_INIT;
        CORAS_TRY(
            coras_manifest_parse(bytes->ptr, bytes->len, m->desc.media_type, &m->manifest, err));
        if (!coras_kind_is_index(m->manifest.kind))
            return 0;
        CORAS_TRY(pick_entry(&m->manifest, platform, &picked, err));
        coras_manifest_clear(&m->manifest);
        coras_descriptor_clear(&m->desc);
        m->desc = picked;
        picked = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
        coras_buf_reset(bytes);
        CORAS_TRY(
            coras_target_fetch_verified(m->target, &m->desc, CORAS_LIMIT_MANIFEST, bytes, err));
    }
    return coras_fail(err, CORAS_ERR_TOO_LARGE, "indexes in indexes, more than %d deep",
                      CORAS_LIMIT_INDEX_DEPTH);
}

static int fetch_manifest(coras_model *m, const coras_platform *platform, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    int rc = m->target->ops->fetch_manifest(m->target, m->reference, NULL, &m->desc, &bytes, err);

    CORAS_TRY(coras_target_explain(m->target, rc, m->reference, err));
    return descend(m, platform, &bytes, err);
}

/* ---- the package ---- */

static int read_package(coras_model *m, coras_error **err)
{
    if (coras_package_needs_config(&m->manifest))
        CORAS_TRY(coras_model_fetch_config(m, err));
    const char *config = m->config.len > 0 ? m->config.ptr : NULL;
    CORAS_TRY(coras_package_read(&m->manifest, config, m->config.len, &m->package, err));
    for (size_t i = 0; i < m->package.warnings.len; i++)
        CORAS_TRY(coras_strlist_add(&m->warnings, m->package.warnings.items[i], err));
    return coras_model_list_layers(m, err);
}

/* ---- the calls ---- */

int coras_model_open(coras_target *target, const char *reference, const coras_platform *platform,
                     const coras_run_options *run, coras_model **ret, coras_error **err)
{
    coras_auto(coras_model) m = NULL;

    if (!target || !reference || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(new_model(reference, run, &m, err));
    m->target = target;
    CORAS_TRY(fetch_manifest(m, platform, err));
    CORAS_TRY(read_package(m, err));
    *ret = coras_steal(&m);
    return 0;
}

int coras_model_open_path(const char *path, const coras_run_options *run, coras_model **ret,
                          coras_error **err)
{
    coras_auto(coras_model) m = NULL;

    if (!path || !*path || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(new_model(path, run, &m, err));
    m->package.kind = CORAS_PACKAGE_FILES;
    CORAS_TRY(coras_model_list_local(m, path, err));
    *ret = coras_steal(&m);
    return 0;
}
