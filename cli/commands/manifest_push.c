/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest push: a manifest from a file or stdin, byte for byte.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/options/infile.h"
#include "cli/app/run_options.h"
#include "cli/output/upload_display.h"
#include "cli/output/metadata.h"
#include "cli/options/targetref.h"
#include "cli/app/auto.h"

struct manifest_push_state {
    struct common_options common;
    struct target_options target;
    struct opt_bool descriptor;
    struct opt_bool pretty;
    struct opt_int concurrency;
    struct opt_string media_type;
};

static const struct opt manifest_push_options[] = {
    {"media-type", 0, OPT_STRING, 0, OPT_AT(struct manifest_push_state, media_type), NULL,
     "media type of manifest", NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct manifest_push_state, concurrency), "5",
     "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use manifest_push_groups[] = {
    {debug_options, offsetof(struct manifest_push_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct manifest_push_state, common), NULL, NULL},
    TARGET_GROUPS(struct manifest_push_state, target),
    DISTRIBUTION_GROUP(struct manifest_push_state, target),
    {descriptor_options, offsetof(struct manifest_push_state, descriptor), NULL, NULL},
    {pretty_options, offsetof(struct manifest_push_state, pretty), NULL, NULL},
    {manifest_push_options, 0, NULL, NULL},
    {0},
};

static int manifest_push_prepare(struct call *call, coras_error **err)
{
    struct manifest_push_state *s = call->state;
    CORAS_TRY(infile_check(call->args[1], &s->target.remote, err));
    return target_parse_tags(call, &s->target, call->args[0], err);
}

/* ---- reading ---- */

static int fail_media_type(const struct call *call, coras_error **err)
{
    coras_auto_free char *message = coras_asprintf(
        "media type is not specified via the flag \"--media-type\" nor in \"%s\"", call->args[1]);
    if (!message)
        return coras_fail_no_memory(err);
    return fail_usage(call, message,
                      "Please specify a valid media type in the manifest JSON or via the "
                      "\"--media-type\" flag",
                      err);
}

/* The document's own media type, "" without one; false when the document is no such JSON. */
static bool read_media_type(const coras_json *document, const char **ret)
{
    const coras_json *value = coras_json_get(document, "mediaType");
    enum coras_json_type type = coras_json_type_of(document);
    *ret = "";
    if (coras_json_type_of(value) == CORAS_JSON_NULL)
        return type == CORAS_JSON_OBJECT || type == CORAS_JSON_NULL;
    return coras_json_string(value, ret);
}

/* The flag's, else the document's own. */
static int find_media_type(const struct call *call, const coras_buf *bytes, char **ret,
                           coras_error **err)
{
    const struct manifest_push_state *s = call->state;
    coras_auto(coras_json) document = NULL;
    const char *type = s->media_type.value;
    if (!*type) {
        if (coras_json_parse(bytes->ptr, bytes->len, &document, NULL) < 0 ||
            !read_media_type(document, &type))
            return coras_fail(err, CORAS_ERR_INVALID_JSON, "not a valid json file");
        if (!*type)
            return fail_media_type(call, err);
    }
    *ret = coras_strdup(type);
    return *ret ? 0 : coras_fail_no_memory(err);
}

static int read_manifest(const struct call *call, coras_buf *bytes, coras_descriptor *ret,
                         coras_error **err)
{
    coras_auto_free char *type = NULL;
    const char *file = call->args[1];
    coras_digest digest;
    if (!*file)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing file name");
    int rc = infile_read(file, CORAS_LIMIT_MANIFEST, bytes, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to read %s", file);
    CORAS_TRY(find_media_type(call, bytes, &type, err));
    CORAS_TRY(coras_digest_of(CORAS_SHA256, bytes->ptr, bytes->len, &digest, err));
    return coras_descriptor_set(ret, type, &digest, (int64_t)bytes->len, err);
}

/* ---- pushing ---- */

static void report(struct display *display, enum coras_event_kind kind,
                   const coras_descriptor *desc, const char *text)
{
    const coras_event event = {
        .kind = kind, .desc = desc, .name = desc ? desc->media_type : NULL, .text = text};
    display_event(&event, display);
}

/* Whether the reference (or the digest, without one) already names this manifest. */
static int is_in_place(const struct target_options *t, const coras_descriptor *desc, bool *ret,
                       coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    const char *reference =
        t->reference ? t->reference : coras_digest_format(&desc->digest, digest);
    coras_auto(coras_error) error = NULL;
    int rc = coras_resolve(t->target, reference, &found, &error);
    *ret = rc == 0 && coras_digest_equal(&found.digest, &desc->digest);
    if (rc == 0 || rc == CORAS_ERR_NOT_FOUND)
        return 0;
    coras_error_propagate(err, &error);
    return rc;
}

static int push_bytes(struct manifest_push_state *s, const coras_descriptor *desc,
                      const coras_buf *bytes, struct display *display, coras_error **err)
{
    bool there = false;
    CORAS_TRY(is_in_place(&s->target, desc, &there, err));
    if (there) {
        report(display, CORAS_EVENT_EXISTS, desc, NULL);
        return 0;
    }
    report(display, CORAS_EVENT_START, desc, NULL);
    CORAS_TRY(coras_push_manifest(s->target.target, desc, bytes->ptr, s->target.reference, err));
    report(display, CORAS_EVENT_DONE, desc, NULL);
    return 0;
}

static void print_pushed(void *user)
{
    const struct manifest_push_state *s = user;
    if (!s->descriptor.value)
        printf("Pushed: [%s] %s\n", target_kind(&s->target), s->target.raw);
}

static int push_tags(struct manifest_push_state *s, const coras_descriptor *desc,
                     const coras_buf *bytes, struct display *display, coras_error **err)
{
    for (size_t i = 0; i < s->target.extra_tags.len; i++) {
        const char *tag = s->target.extra_tags.items[i];
        CORAS_TRY(coras_push_manifest(s->target.target, desc, bytes->ptr, tag, err));
        report(display, CORAS_EVENT_TAGGED, NULL, tag);
    }
    return 0;
}

static int push_with_display(struct call *call, struct display *display, coras_error **err)
{
    struct manifest_push_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;
    char digest[CORAS_DIGEST_TEXT_MAX];
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(read_manifest(call, &bytes, &desc, err));
    CORAS_TRY(push_bytes(s, &desc, &bytes, display, err));
    display_finish(display);
    CORAS_TRY(push_tags(s, &desc, &bytes, display, err));
    if (s->descriptor.value)
        return descriptor_print(&desc, s->pretty.value, err);
    printf("Digest: %s\n", coras_digest_format(&desc.digest, digest));
    return 0;
}

static int manifest_push_run(struct call *call, coras_error **err)
{
    struct manifest_push_state *s = call->state;
    const struct progress_options plain = {.no_tty.value = true,
                                           .kind.value = "plain"}; /* this command has no bars */
    const struct format_options quiet = {.kind = FORMAT_JSON};
    common_apply(&s->common);
    struct display *display = upload_display(call, &s->common, s->descriptor.value ? &quiet : NULL,
                                             &plain, print_pushed, s);
    int rc = push_with_display(call, display, err);
    display_free(display);
    return rc;
}

static void manifest_push_clear(void *state)
{
    target_clear(&((struct manifest_push_state *)state)->target);
}

static const struct example manifest_push_examples[] = {
    {"Push a manifest and tag it 'v1'", "manifest push localhost:5000/hello:v1 manifest.json"},
    {"Choose how the registry learns that the manifest refers to another",
     "manifest push --distribution-spec v1.1-referrers-api localhost:5000/hello:v1 manifest.json\n"
     "manifest push --distribution-spec v1.1-referrers-tag localhost:5000/hello:v1 manifest.json"},
    {"Push a manifest from stdin", "manifest push localhost:5000/hello:v1 -"},
    {"Push a manifest and print its descriptor",
     "manifest push --descriptor localhost:5000/hello:v1 manifest.json"},
    {"Push a manifest and print its descriptor with line breaks and indentation",
     "manifest push --descriptor --pretty localhost:5000/hello manifest.json"},
    {"Push a manifest that does not name its media type",
     "manifest push --media-type application/vnd.cncf.oras.artifact.manifest.v1+json "
     "localhost:5000/hello:v1 oras_manifest.json"},
    {"Push a manifest under several tags",
     "manifest push localhost:5000/hello:tag1,tag2,tag3 manifest.json"},
    {"Push a manifest under several tags, six at a time",
     "manifest push --concurrency 6 localhost:5000/hello:tag1,tag2,tag3 manifest.json"},
    {"Push a manifest into the OCI image layout 'layout-dir' and tag it 'v1'",
     "manifest push --oci-layout layout-dir:v1 manifest.json"},
    {"Push a manifest into the OCI image layout 'layout-dir' and tag it 'example.com:v1'",
     "manifest push example.com:v1 manifest.json --oci-layout-path layout-dir"},
    {NULL, NULL},
};

const struct cmd cmd_manifest_push = {
    .name = "push",
    .use = "[flags] <name>[:<tag>[,<tag>][...]|@<digest>] <file>",
    .summary = "Push a manifest to a registry or an OCI image layout",
    .examples = manifest_push_examples,
    .options = manifest_push_groups,
    .state_size = sizeof(struct manifest_push_state),
    .min_args = 2,
    .max_args = 2,
    .role = "the destination to push to and the file to read manifest content from",
    .prepare = manifest_push_prepare,
    .run = manifest_push_run,
    .clear = manifest_push_clear,
};
