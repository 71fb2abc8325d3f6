/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob push: one blob from a file or stdin.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "cli/app/commands.h"
#include "cli/options/infile.h"
#include "cli/app/run_options.h"
#include "cli/output/upload_display.h"
#include "cli/output/metadata.h"
#include "cli/options/targetref.h"
#include "coras/blob.h"
#include "cli/app/auto.h"
#include "coras/mediatype.h"

#define READ_BYTES (256 * CORAS_KIB)

struct blob_push_state {
    struct common_options common;
    struct target_options target;
    struct progress_options progress;
    struct opt_bool descriptor;
    struct opt_bool pretty;
    struct opt_int size;
    struct opt_string media_type;
    int64_t content_size; /* of what was opened */
};

static const struct opt blob_push_options[] = {
    {"size", 0, OPT_INT, 0, OPT_AT(struct blob_push_state, size), "-1", "provide the blob size",
     NULL},
    {"media-type", 0, OPT_STRING, 0, OPT_AT(struct blob_push_state, media_type), CORAS_MT_OCI_LAYER,
     "specify the returned media type in the descriptor if --descriptor is used", NULL},
    OPT_END,
};
static const struct opt_use blob_push_groups[] = {
    {debug_options, offsetof(struct blob_push_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct blob_push_state, common), NULL, NULL},
    TARGET_GROUPS(struct blob_push_state, target),
    {progress_options, offsetof(struct blob_push_state, progress), NULL, NULL},
    {descriptor_options, offsetof(struct blob_push_state, descriptor), NULL, NULL},
    {pretty_options, offsetof(struct blob_push_state, pretty), NULL, NULL},
    {blob_push_options, 0, NULL, NULL},
    {0},
};

static int blob_push_prepare(struct call *call, coras_error **err)
{
    struct blob_push_state *s = call->state;
    const char *file = call->args[1];
    CORAS_TRY(infile_check(file, &s->target.remote, err));
    if (infile_is_stdin(file) && s->size.value < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`--size` must be provided if the blob is read from stdin");
    return target_parse(call, &s->target, call->args[0], err);
}

/* ---- the descriptor of what is pushed ---- */

/* A digest in the reference is taken as it is; the registry compares. */
static int find_digest(const struct blob_push_state *s, const char *file, int fd, coras_digest *ret,
                       coras_error **err)
{
    const char *reference = s->target.reference;
    int rc;
    if (!reference) {
        rc = coras_digest_of_file(CORAS_SHA256, fd, ret, err);
        return rc < 0 ? coras_wrap(err, rc, "read %s", file) : 0;
    }
    rc = coras_digest_parse(reference, ret, err);
    return rc < 0 ? coras_wrap(err, rc, "invalid digest %s", reference) : 0;
}

static int fail_size(const struct blob_push_state *s, const char *more, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_SIZE_MISMATCH,
                      "input size %lld does not match the actual content size %lld%s",
                      (long long)s->size.value, (long long)s->content_size, more);
}

static int open_blob(struct blob_push_state *s, const char *file, int *ret_fd,
                     coras_descriptor *ret, coras_error **err)
{
    int64_t size = s->size.value;
    coras_digest digest;
    if (!*file)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing file name");
    if (infile_is_stdin(file) && !s->target.reference)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "content digest must be provided if it is read from stdin");
    CORAS_TRY(infile_open(file, ret_fd, &s->content_size, err));
    if (!infile_is_stdin(file)) {
        if (size >= 0 && size != s->content_size)
            return fail_size(s, "", err);
        size = s->content_size;
    }
    CORAS_TRY(find_digest(s, file, *ret_fd, &digest, err));
    return coras_descriptor_set(ret, s->media_type.value, &digest, size, err);
}

/* Stdin of another size than was said matters only if it is needed. */
static int push_misfit(const struct blob_push_state *s, const coras_descriptor *desc,
                       struct display *display, coras_error **err)
{
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) error = NULL;
    const coras_event exists = {.kind = CORAS_EVENT_EXISTS, .desc = desc, .name = desc->media_type};
    char lengths[80];
    int rc = coras_resolve_blob(s->target.target, &desc->digest, &found, &error);
    if (rc == 0) {
        display_event(&exists, display);
        return 0;
    }
    if (rc != CORAS_ERR_NOT_FOUND) {
        coras_error_propagate(err, &error);
        return rc;
    }
    snprintf(lengths, sizeof(lengths), ": ContentLength=%lld with Body length %lld",
             (long long)desc->size, (long long)s->content_size);
    return fail_size(s, lengths, err);
}

static int push_content(struct call *call, struct blob_push_state *s, const coras_descriptor *desc,
                        int fd, coras_error **err)
{
    const struct opt_int one = {.value = 1};
    const struct format_options quiet = {.kind = FORMAT_JSON};
    struct display *display = upload_display(call, &s->common, s->descriptor.value ? &quiet : NULL,
                                             &s->progress, NULL, NULL);
    const coras_run_options run = run_options(call, &one, display);
    int rc = desc->size == s->content_size ? coras_push_blob(s->target.target, desc, fd, &run, err)
                                           : push_misfit(s, desc, display, err);
    display_finish(display);
    display_free(display);
    return rc < 0 ? rc : 0;
}

static int blob_push_run(struct call *call, coras_error **err)
{
    struct blob_push_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_fd fd = -1;
    char digest[CORAS_DIGEST_TEXT_MAX];
    common_apply(&s->common);
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_WRITE, NULL, err));
    CORAS_TRY(open_blob(s, call->args[1], &fd, &desc, err));
    CORAS_TRY(push_content(call, s, &desc, fd, err));
    if (s->descriptor.value)
        return descriptor_print(&desc, s->pretty.value, err);
    printf("Pushed: [%s] %s\nDigest: %s\n", target_kind(&s->target), s->target.raw,
           coras_digest_format(&desc.digest, digest));
    return 0;
}

static void blob_push_clear(void *state)
{
    target_clear(&((struct blob_push_state *)state)->target);
}

#define EXAMPLE_DIGEST "sha256:9a201d228ebd966211f7d1131be19f152be428bd373a92071c71d8deaf83b3e5"
static const struct example blob_push_examples[] = {
    {"Push file 'hi.txt' as a blob", "blob push localhost:5000/hello hi.txt"},
    {"Push file 'hi.txt' whose digest is known",
     "blob push localhost:5000/hello@" EXAMPLE_DIGEST " hi.txt"},
    {"Push stdin, whose size and digest must be known",
     "blob push --size 12 localhost:5000/hello@" EXAMPLE_DIGEST " -"},
    {"Push file 'hi.txt' and print its descriptor",
     "blob push --descriptor localhost:5000/hello hi.txt"},
    {"Push file 'hi.txt' and print its descriptor with another media type",
     "blob push --media-type application/vnd.oci.image.config.v1+json --descriptor "
     "localhost:5000/hello hi.txt"},
    {"Push file 'hi.txt' and print its descriptor with line breaks and indentation",
     "blob push --descriptor --pretty localhost:5000/hello hi.txt"},
    {"Push without verifying the registry's certificate",
     "blob push --insecure localhost:5000/hello hi.txt"},
    {"Push file 'hi.txt' into the OCI image layout 'layout-dir'",
     "blob push --oci-layout layout-dir hi.txt"},
    {NULL, NULL},
};

const struct cmd cmd_blob_push = {
    .name = "push",
    .use = "[flags] <name>[@digest] <file>",
    .summary = "Push a blob to a registry or an OCI image layout",
    .examples = blob_push_examples,
    .options = blob_push_groups,
    .state_size = sizeof(struct blob_push_state),
    .min_args = 2,
    .max_args = 2,
    .role = "the destination to push to and the file to read blob content from",
    .prepare = blob_push_prepare,
    .run = blob_push_run,
    .clear = blob_push_clear,
};
