/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into an artifact: one of its files by name, and a part of a file.
 */
#include "coras/read.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "coras/ops.h"
#include "oci/manifest.h"
#include "ops/range_stream.h"
#include "target/target.h"

/* ---- a file by name ---- */

static const coras_descriptor *find_title(const coras_manifest *m, const char *name)
{
    for (size_t i = 0; i < m->layers.len; i++) {
        const char *title = coras_descriptor_title(&m->layers.items[i]);
        if (title && coras_streq(title, name))
            return &m->layers.items[i];
    }
    return NULL;
}

static int fetch_parsed(coras_target *target, const char *reference, coras_manifest *ret,
                        coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;

    CORAS_TRY(coras_fetch_manifest(target, reference, NULL, &desc, &bytes, err));
    return coras_manifest_parse(bytes, (size_t)desc.size, desc.media_type, ret, err);
}

static int fetch_for_platform(coras_target *target, const char *reference,
                              const coras_platform *platform, coras_manifest *ret,
                              coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    char digest[CORAS_DIGEST_TEXT_MAX];

    if (!platform)
        return fetch_parsed(target, reference, ret, err);
    CORAS_TRY(coras_resolve_platform(target, reference, platform, &desc, err));
    return fetch_parsed(target, coras_digest_format(&desc.digest, digest), ret, err);
}

int coras_find_file(coras_target *target, const char *reference, const char *name,
                    const coras_platform *platform, coras_descriptor *ret, coras_error **err)
{
    coras_auto_value(coras_manifest) m = {0};

    if (!target || !reference || !name || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(fetch_for_platform(target, reference, platform, &m, err));
    if (coras_kind_is_index(m.kind))
        return coras_fail(err, CORAS_ERR_UNSUPPORTED, "%s is an index: name a platform", reference);
    const coras_descriptor *file = find_title(&m, name);
    if (file)
        return coras_descriptor_copy(ret, file, err);
    coras_auto_free char *shown = coras_escape_dup(name);
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s: no file of this name in the artifact",
                      shown ? shown : "");
}

/* ---- a part of a file ---- */

struct part {
    char *buffer;
    size_t length, got;
};

static int take(void *user, const void *data, size_t len, coras_error **err)
{
    struct part *p = user;
    size_t room = p->length - p->got;

    (void)err;
    if (len > room)
        len = room;
    memcpy(p->buffer + p->got, data, len);
    p->got += len;
    return p->got == p->length ? CORAS_SINK_STOP : 0;
}

int coras_check_range(const coras_descriptor *desc, int64_t offset, size_t length,
                      coras_error **err)
{
    if (offset >= 0 && offset <= desc->size && length <= (uint64_t)(desc->size - offset))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "%zu bytes at %lld are not within a file of %lld bytes", length,
                      (long long)offset, (long long)desc->size);
}

int coras_read_range(coras_target *target, const coras_descriptor *desc, int64_t offset,
                     size_t length, void *buffer, coras_error **err)
{
    struct part p = {.buffer = buffer, .length = length};
    const coras_sink sink = {take, &p};

    if (!target || !desc || !buffer)
        return coras_missing_argument(err);
    CORAS_TRY(coras_check_range(desc, offset, length, err));
    return coras_stream_range(target, desc, offset, (int64_t)length, &sink, err);
}
