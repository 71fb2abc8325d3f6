/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the manifest of a model package, through indexes, and reading it.
 */
#include "ops/models/package.h"

#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"
#include "oci/platform.h"
#include "ops/platform_select.h"

enum { LAYERS_SHOWN = 8 };

void coras_found_package_clear(coras_found_package *f)
{
    coras_package_clear(&f->package);
    coras_manifest_clear(&f->manifest);
    coras_buf_clear(&f->bytes);
    coras_descriptor_clear(&f->root);
}

/* ---- one of an index ---- */

/* Go's name of this machine's architecture; NULL: it is none of the usual ones. */
static const char *own_architecture(const struct utsname *machine)
{
    static const struct {
        const char *kernel, *go;
    } names[] = {
        {"x86_64", "amd64"},    {"aarch64", "arm64"}, {"riscv64", "riscv64"},
        {"ppc64le", "ppc64le"}, {"s390x", "s390x"},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_streq(machine->machine, names[i].kernel))
            return names[i].go;
    return NULL;
}

static bool is_for_us(const coras_descriptor *entry, const char *architecture)
{
    const coras_platform *p = entry->platform;

    return p && p->os && p->architecture && architecture && coras_streq(p->os, "linux") &&
           coras_streq(p->architecture, architecture);
}

static const coras_descriptor *pick(const coras_manifest *index, const coras_platform *platform)
{
    struct utsname machine = {0};

    if (platform)
        return coras_manifest_find_platform(index, platform);
    if (index->layers.len == 1)
        return &index->layers.items[0];
    (void)uname(&machine); /* it cannot fail with a valid pointer */
    for (size_t i = 0; i < index->layers.len; i++)
        if (is_for_us(&index->layers.items[i], own_architecture(&machine)))
            return &index->layers.items[i];
    return NULL;
}

static int enter_index(coras_target *source, const coras_platform *platform, coras_found_package *f,
                       coras_error **err)
{
    coras_auto_value(coras_descriptor) picked = CORAS_DESCRIPTOR_INIT;
    char digest[CORAS_DIGEST_TEXT_MAX];
    const coras_descriptor *entry = pick(&f->manifest, platform);

    if (!entry)
        return coras_fail(err, CORAS_ERR_NO_PLATFORM,
                          "%s: an index of %zu manifests, and none of them is for this platform",
                          coras_digest_format(&f->root.digest, digest), f->manifest.layers.len);
    CORAS_TRY(coras_descriptor_copy(&picked, entry, err));
    coras_manifest_clear(&f->manifest);
    coras_buf_reset(&f->bytes);
    CORAS_TRY(coras_target_fetch_verified(source, &picked, CORAS_LIMIT_MANIFEST, &f->bytes, err));
    coras_descriptor_clear(&f->root);
    f->root = picked;
    picked = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    return 0;
}

static int find_manifest(coras_target *source, const char *reference,
                         const coras_platform *platform, coras_found_package *f, coras_error **err)
{
    CORAS_TRY(coras_select_manifest(source, reference, NULL, &f->root, &f->bytes, err));
    for (int depth = 0;; depth++) {
        CORAS_TRY(coras_manifest_parse(f->bytes.ptr, f->bytes.len, f->root.media_type, &f->manifest,
                                       err));
        if (!coras_kind_is_index(f->manifest.kind))
            return 0;
        if (depth == CORAS_LIMIT_INDEX_DEPTH)
            return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "indexes are nested too deep");
        CORAS_TRY(enter_index(source, platform, f, err));
    }
}

int coras_find_package(coras_target *source, const char *reference, const coras_platform *platform,
                       coras_found_package *ret, coras_error **err)
{
    coras_auto_buf config = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    bool with_config;

    *ret = (coras_found_package){.bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST)};
    CORAS_TRY(find_manifest(source, reference, platform, ret, err));
    with_config = coras_package_needs_config(&ret->manifest);
    if (with_config)
        CORAS_TRY(coras_target_fetch_verified(source, &ret->manifest.config, CORAS_LIMIT_MANIFEST,
                                              &config, err));
    return coras_package_read(&ret->manifest, with_config ? config.ptr : NULL, config.len,
                              &ret->package, err);
}

/* ---- whether it can be laid down ---- */

static void put_layer(coras_buf *out, const coras_descriptor *desc)
{
    const char *type = desc->media_type ? desc->media_type : "";

    coras_buf_puts(out, out->len ? ", " : "");
    coras_escape(out, type, strlen(type), CORAS_LIMIT_COMPONENT);
    coras_buf_printf(out, " (%lld bytes)", (long long)desc->size);
}

static void put_more(coras_buf *out, size_t count)
{
    if (count > LAYERS_SHOWN)
        coras_buf_printf(out, " and %zu more", count - LAYERS_SHOWN);
}

static int fail_unplaced(const coras_package *p, coras_error **err)
{
    coras_auto_buf list = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < p->unplaced.len && i < LAYERS_SHOWN; i++)
        put_layer(&list, p->unplaced.items[i]);
    put_more(&list, p->unplaced.len);
    return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                      "nothing says which files these layers of the package (%s) become: %s",
                      coras_package_name(p->kind), list.ptr);
}

static int fail_empty(const coras_found_package *f, coras_error **err)
{
    const coras_descriptors *layers = &f->manifest.layers;
    coras_auto_buf list = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < layers->len && i < LAYERS_SHOWN; i++)
        put_layer(&list, &layers->items[i]);
    put_more(&list, layers->len);
    return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                      "no file can be laid down of this package (%s); there is: %s",
                      coras_package_name(f->package.kind), list.len ? list.ptr : "no layer at all");
}

int coras_check_package_is_whole(const coras_found_package *f, coras_error **err)
{
    const coras_package *p = &f->package;

    if (p->elsewhere)
        return coras_fail(err, CORAS_ERR_UNSUPPORTED,
                          "the package has no weights: the model runs at %s", p->elsewhere);
    /* Artifacts of anybody may have layers without a name; those of models have none. */
    if (p->unplaced.len && p->kind != CORAS_PACKAGE_ORAS)
        return fail_unplaced(p, err);
    return p->entries.len ? 0 : fail_empty(f, err);
}
