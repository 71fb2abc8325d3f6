/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob fetch: one blob by its digest, to a file or to stdout.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/outfile.h"
#include "cli/output/metadata.h"
#include "cli/options/targetref.h"
#include "coras/blob.h"
#include "coras/read.h"
#include "cli/app/auto.h"

#define PROGRESS_MS 100
#define RANGE_PIECE (4 << 20)

struct blob_fetch_state {
    struct common_options common;
    struct target_options target;
    struct progress_options progress;
    struct opt_bool descriptor;
    struct opt_bool pretty;
    struct opt_string output;
    struct opt_string range;
    int64_t first, last; /* what the text says; bytes from and to, both included */
};

static const struct opt blob_fetch_options[] = {
    {"output", 'o', OPT_STRING, 0, OPT_AT(struct blob_fetch_state, output), NULL,
     "output file `path`, use - for stdout", NULL},
    {"range", 0, OPT_STRING, 0, OPT_AT(struct blob_fetch_state, range), NULL,
     "write only some bytes to stdout, in the form `first-last` counted from 0; they are not "
     "verified",
     NULL},
    OPT_END,
};
static const struct opt_use blob_fetch_groups[] = {
    {debug_options, offsetof(struct blob_fetch_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct blob_fetch_state, common), NULL, NULL},
    TARGET_GROUPS(struct blob_fetch_state, target),
    {progress_options, offsetof(struct blob_fetch_state, progress), NULL, NULL},
    {descriptor_options, offsetof(struct blob_fetch_state, descriptor), NULL, NULL},
    {pretty_options, offsetof(struct blob_fetch_state, pretty), NULL, NULL},
    {blob_fetch_options, 0, NULL, NULL},
    {0},
};

/* "0-99" */
static int parse_range(struct blob_fetch_state *s, coras_error **err)
{
    const char *text = s->range.value, *dash = strchr(text, '-');

    if (!s->range.set)
        return 0;
    if (!dash || !coras_parse_int64((coras_str){text, (size_t)(dash - text)}, &s->first) ||
        !coras_parse_int64(coras_str_of(dash + 1), &s->last) || s->last < s->first)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--range %s: expecting <first>-<last>, counted from 0", text);
    if (!outfile_is_stdout(s->output.value))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--range needs `--output -`");
    return 0;
}

static int blob_fetch_prepare(struct call *call, coras_error **err)
{
    struct blob_fetch_state *s = call->state;
    if (!*s->output.value && !s->descriptor.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "either `--output` or `--descriptor` must be provided");
    if (outfile_is_stdout(s->output.value) && s->descriptor.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`--output -` cannot be used with `--descriptor` at the same time");
    CORAS_TRY(parse_range(s, err));
    return target_parse(call, &s->target, call->args[0], err);
}

/* ---- writing while it arrives ---- */

struct arrival {
    int fd;
    struct display *display;
    const coras_descriptor *desc;
    int64_t offset;
    int64_t shown_ms;
};

static void report(struct arrival *a, enum coras_event_kind kind)
{
    const coras_event event = {
        .kind = kind, .desc = a->desc, .name = a->desc->media_type, .offset = a->offset};
    display_event(&event, a->display);
}

static int write_arrival(void *user, const void *data, size_t len, coras_error **err)
{
    struct arrival *a = user;
    CORAS_TRY(coras_write_full(a->fd, data, len, err));
    a->offset += (int64_t)len;
    int64_t now = coras_now_ms();
    if (now - a->shown_ms >= PROGRESS_MS) {
        a->shown_ms = now;
        report(a, CORAS_EVENT_PROGRESS);
    }
    return 0;
}

static struct display *blob_fetch_display(struct call *call, const struct blob_fetch_state *s)
{
    static const struct display_words words = {.start = "Downloading", .done = "Downloaded "};
    bool to_stdout = outfile_is_stdout(s->output.value);
    struct progress_options progress = s->progress;
    struct display_settings settings = {.words = &words, .quiet = true};

    if (to_stdout && !progress.no_tty.set)
        progress.no_tty.value = true;
    display_choose(&settings, call, &s->common, &progress);
    return display_new(&settings);
}

static int fetch_content(struct call *call, const struct blob_fetch_state *s,
                         const coras_descriptor *desc, int fd, coras_error **err)
{
    struct arrival arrival = {.fd = fd, .desc = desc, .display = blob_fetch_display(call, s)};
    report(&arrival, CORAS_EVENT_START);
    int rc = coras_fetch_blob(s->target.target, desc, write_arrival, &arrival, err);
    report(&arrival, rc == 0 ? CORAS_EVENT_DONE : CORAS_EVENT_FAILED);
    display_finish(arrival.display);
    display_free(arrival.display);
    return rc;
}

static int save_file(struct call *call, const struct blob_fetch_state *s,
                     const coras_descriptor *desc, coras_error **err)
{
    struct display *display = blob_fetch_display(call, s);
    const coras_run_options run = run_options(call, NULL, display);
    int rc = coras_save_blob(s->target.target, desc, s->output.value, &run, err);
    display_finish(display);
    display_free(display);
    return rc;
}

/* A piece at a time, so that memory does not depend on the range. */
static int write_range(const struct blob_fetch_state *s, const coras_descriptor *desc,
                       coras_error **err)
{
    int64_t end = s->last < desc->size ? s->last + 1 : desc->size;
    coras_auto_free char *piece = coras_malloc(RANGE_PIECE);

    if (!piece)
        return coras_fail_no_memory(err);
    for (int64_t at = s->first; at < end;) {
        size_t len = end - at < RANGE_PIECE ? (size_t)(end - at) : RANGE_PIECE;
        CORAS_TRY(coras_read_range(s->target.target, desc, at, len, piece, err));
        CORAS_TRY(coras_write_full(STDOUT_FILENO, piece, len, err));
        at += (int64_t)len;
    }
    return 0;
}

static int save_content(struct call *call, const struct blob_fetch_state *s,
                        const coras_descriptor *desc, coras_error **err)
{
    if (s->range.set)
        return write_range(s, desc, err);
    if (outfile_is_stdout(s->output.value))
        return fetch_content(call, s, desc, STDOUT_FILENO, err);
    if (outfile_is_replaceable(s->output.value))
        return save_file(call, s, desc, err);
    coras_auto_value(outfile) file = OUTFILE_INIT;
    CORAS_TRY(outfile_open(s->output.value, &file, err));
    CORAS_TRY(fetch_content(call, s, desc, file.fd, err));
    return outfile_commit(&file, true, err);
}

static int resolve_content(const struct blob_fetch_state *s, const coras_digest *digest,
                           coras_descriptor *ret, coras_error **err)
{
    if (s->target.is_layout) /* which knows more of what is a manifest */
        return coras_resolve(s->target.target, s->target.reference, ret, err);
    if (*s->output.value)
        return coras_probe_blob(s->target.target, digest, ret, err);
    return coras_resolve_blob(s->target.target, digest, ret, err);
}

static int blob_fetch_run(struct call *call, coras_error **err)
{
    struct blob_fetch_state *s = call->state;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_digest digest;
    common_apply(&s->common);
    CORAS_TRY(target_open_source(call, &s->target, NULL, err));
    CORAS_TRY(target_require_digest(call, &s->target, &digest, err));
    CORAS_TRY(resolve_content(s, &digest, &desc, err));
    if (*s->output.value)
        CORAS_TRY(save_content(call, s, &desc, err));
    return s->descriptor.value ? descriptor_print(&desc, s->pretty.value, err) : 0;
}

static void blob_fetch_clear(void *state)
{
    target_clear(&((struct blob_fetch_state *)state)->target);
}

#define EXAMPLE_DIGEST "sha256:9a201d228ebd966211f7d1131be19f152be428bd373a92071c71d8deaf83b3e5"
static const char *const blob_fetch_aliases[] = {"get", NULL};
static const struct example blob_fetch_examples[] = {
    {"Save a blob", "blob fetch --output blob.tar.gz localhost:5000/hello@" EXAMPLE_DIGEST},
    {"Write a blob to stdout", "blob fetch --output - localhost:5000/hello@" EXAMPLE_DIGEST},
    {"Print the descriptor of a blob",
     "blob fetch --descriptor localhost:5000/hello@" EXAMPLE_DIGEST},
    {"Save a blob and print its descriptor",
     "blob fetch --output blob.tar.gz --descriptor localhost:5000/hello@" EXAMPLE_DIGEST},
    {"Write the first KiB of a blob to stdout",
     "blob fetch --output - --range 0-1023 localhost:5000/hello@" EXAMPLE_DIGEST},
    {"Write a blob of the OCI image layout 'layout-dir' to stdout",
     "blob fetch --oci-layout --output - layout-dir@" EXAMPLE_DIGEST},
    {"Write a blob of the OCI layout archive 'layout.tar' to stdout",
     "blob fetch --oci-layout --output - layout.tar@" EXAMPLE_DIGEST},
    {NULL, NULL},
};

const struct cmd cmd_blob_fetch = {
    .name = "fetch",
    .use = "[flags] {--output <file> | --descriptor} <name>@<digest>",
    .summary = "Fetch a blob from a registry or an OCI image layout",
    .examples = blob_fetch_examples,
    .aliases = blob_fetch_aliases,
    .options = blob_fetch_groups,
    .state_size = sizeof(struct blob_fetch_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the target blob to fetch",
    .prepare = blob_fetch_prepare,
    .run = blob_fetch_run,
    .clear = blob_fetch_clear,
};
