/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: tags of a backup, a directory or a tar archive, into a repository.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/output/tags.h"
#include "cli/output/text.h"
#include "cli/options/repotags.h"
#include "coras/backup.h"

#define NS_PER_MS        1000000
#define TAR_MAGIC        "ustar"
#define TAR_MAGIC_OFFSET 257

struct restore_state {
    struct common_options common;
    struct repo_tags destination;
    struct progress_options progress;
    struct opt_string input;
    struct opt_bool exclude_referrers;
    struct opt_bool dry_run;
    struct opt_int concurrency;
    /* while it runs */
    coras_target *layout;
    struct tags_display display;
    size_t done; /* tags */
};

static const struct opt restore_options[] = {
    {"input", 0, OPT_STRING, OPT_REQUIRED, OPT_AT(struct restore_state, input), NULL,
     "path to the OCI layout, either a tar archive (*.tar) or a directory", NULL},
    {"exclude-referrers", 0, OPT_BOOL, 0, OPT_AT(struct restore_state, exclude_referrers), NULL,
     "restore artifacts excluding their referrers", NULL},
    {"dry-run", 0, OPT_BOOL, 0, OPT_AT(struct restore_state, dry_run), NULL,
     "simulate the restore process without actually uploading any artifacts", NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct restore_state, concurrency), "5",
     "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use restore_groups[] = {
    {debug_options, offsetof(struct restore_state, common), NULL, NULL},
    {remote_options, offsetof(struct restore_state, destination.target.remote), NULL, NULL},
    {remote_stdin_options, offsetof(struct restore_state, destination.target.remote), NULL, NULL},
    DISTRIBUTION_GROUP(struct restore_state, destination.target),
    {progress_options, offsetof(struct restore_state, progress), NULL, NULL},
    {restore_options, 0, NULL, NULL},
    {0},
};

static int restore_prepare(struct call *call, coras_error **err)
{
    struct restore_state *s = call->state;
    return repo_tags_parse(call, &s->destination, call->args[0], err);
}

/* ---- where it comes from ---- */

static bool has_tar_magic(const char *path)
{
    char magic[sizeof(TAR_MAGIC) - 1];
    size_t n = 0;
    coras_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && coras_pread_full(fd, magic, sizeof(magic), TAR_MAGIC_OFFSET, &n, NULL) == 0 &&
           n == sizeof(magic) && memcmp(magic, TAR_MAGIC, sizeof(magic)) == 0;
}

/* That it was to be a tar archive is said once. */
static int fail_archive(const char *path, int rc, coras_error **err)
{
    coras_auto(coras_error) cause = coras_steal(err);
    coras_auto_buf words = CORAS_BUF_UNLIMITED;
    /* The outermost level of what is wrong with an archive names the archive. */
    size_t first = rc == CORAS_ERR_UNSAFE_ARCHIVE && coras_error_level(cause, 1);
    for (size_t i = first; coras_error_level(cause, i); i++)
        coras_buf_printf(&words, "%s%s", i > first ? ": " : "", coras_error_level(cause, i));
    CORAS_TRY(coras_buf_done(&words, err));
    rc = coras_fail(err, rc, "failed to prepare OCI store from tar archive \"%s\": %s", path,
                    words.ptr);
    coras_advise_as(err, cause);
    return rc;
}

static int open_archive(struct restore_state *s, int64_t size, coras_error **err)
{
    const char *path = s->input.value;
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    size_t len = strlen(path);
    bool by_name = len >= 4 && coras_str_ieq(path + len - 4, ".tar");
    if (!by_name && !has_tar_magic(path))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "input path \"%s\" is not a tar archive",
                          path);
    int rc = coras_layout_open(path, CORAS_LAYOUT_READ, &s->layout, err);
    if (rc < 0)
        return fail_archive(path, rc, err);
    put_size(&shown, size);
    CORAS_TRY(coras_buf_done(&shown, err));
    printf("Loaded backup archive: %s (%s)\n", path, shown.ptr);
    return 0;
}

static int open_input(struct restore_state *s, coras_error **err)
{
    const char *path = s->input.value;
    struct stat st;
    if (!*path)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "the input path cannot be empty");
    if (stat(path, &st) < 0)
        return coras_fail_errno(err, errno, "failed to access input path \"%s\": stat %s", path,
                                path);
    if (!S_ISDIR(st.st_mode))
        return open_archive(s, st.st_size, err);
    int rc = coras_layout_open(path, CORAS_LAYOUT_WRITE, &s->layout, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to prepare OCI store from directory \"%s\"", path)
                  : 0;
}

/* ---- the tags ---- */

static void init_display(struct call *call, struct restore_state *s)
{
    static const struct display_words words = {.start = "Pushing  ",
                                               .done = "Pushed   ",
                                               .exists = "Exists   ",
                                               .skipped = "Skipped  ",
                                               .mounted = "Mounted  ",
                                               .text_skipped = true};

    s->display.settings.words = &words;
    display_choose(&s->display.settings, call, &s->common, &s->progress);
    s->display.where = "the backup";
    s->display.done = s->dry_run.value ? "Dry run: would push" : "Pushed";
}

/* How far it came tells what a failure means. */
static int explain_failure(const struct restore_state *s, int rc, coras_error **err)
{
    if (s->display.tag)
        return coras_wrap(err, rc, "failed to restore tag \"%s\" from \"%s\" to \"%s\"",
                          s->display.tag, s->input.value, s->destination.target.path);
    if (s->destination.tag_items || rc != CORAS_ERR_NOT_FOUND)
        return rc;
    coras_error_clear(err);
    return coras_fail(err, CORAS_ERR_NOT_FOUND,
                      "no tags found in OCI layout \"%s\"\nIf you want to list available tags "
                      "in \"%s\", use \"oras repo tags --oci-layout\"",
                      s->input.value, s->input.value);
}

static void count_tags(const coras_event *event, void *user)
{
    struct restore_state *s = user;

    if (event->kind == CORAS_EVENT_ENDED)
        s->done++;
    tags_display_event(event, &s->display);
}

static int restore(struct call *call, struct restore_state *s, coras_error **err)
{
    coras_restore_options options = CORAS_RESTORE_OPTIONS_INIT;
    coras_run_options run = run_options(call, &s->concurrency, NULL);

    options.tags = s->destination.tag_items;
    options.exclude_referrers = s->exclude_referrers.value;
    options.dry_run = s->dry_run.value;
    run.on_event = count_tags;
    run.user = s;
    init_display(call, s);
    int rc = coras_restore(s->layout, s->destination.target.target, &options, &run, err);
    return rc < 0 ? explain_failure(s, rc, err) : 0;
}

/* ---- all of it ---- */

static int print_summary(const struct restore_state *s, int64_t started_ms, coras_error **err)
{
    const char *path = s->destination.target.path;
    if (s->dry_run.value) {
        printf("Dry run complete: %zu tag(s) would be restored to \"%s\" (no data pushed)\n",
               s->done, path);
        return 0;
    }
    coras_auto_buf spent = CORAS_BUF_UNLIMITED;
    put_duration(&spent, (coras_now_ms() - started_ms) * NS_PER_MS);
    CORAS_TRY(coras_buf_done(&spent, err));
    printf("Successfully restored %zu tag(s) to \"%s\" in %s\n", s->done, path, spent.ptr);
    return 0;
}

static int restore_run(struct call *call, coras_error **err)
{
    struct restore_state *s = call->state;
    int64_t started_ms = coras_now_ms();
    common_apply(&s->common);
    int rc = target_open(call, &s->destination.target, CORAS_LAYOUT_WRITE, NULL, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to prepare target repository \"%s\"",
                          s->destination.target.path);
    CORAS_TRY(open_input(s, err));
    CORAS_TRY(restore(call, s, err));
    return print_summary(s, started_ms, err);
}

static void restore_clear(void *state)
{
    struct restore_state *s = state;
    tags_display_clear(&s->display);
    coras_target_close(s->layout);
    repo_tags_clear(&s->destination);
}

static const struct example restore_examples[] = {
    {"Restore one artifact from a tar archive",
     "restore --input hello.tar localhost:5000/hello:v1"},
    {"Restore one artifact from a directory", "restore --input hello localhost:5000/hello:v1"},
    {"See what would be restored, without uploading",
     "restore --input hello --dry-run localhost:5000/hello:v1"},
    {"Restore several tags", "restore --input hello localhost:5000/hello:v1,v2"},
    {"Restore all tags", "restore --input hello localhost:5000/hello"},
    {"Leave out what refers to the artifacts",
     "restore --input hello --exclude-referrers localhost:5000/hello"},
    {"Rely on the registry's referrers API",
     "restore --input hello --distribution-spec v1.1-referrers-api localhost:5000/hello"},
    {"Keep referrers by tag",
     "restore --input hello --distribution-spec v1.1-referrers-tag localhost:5000/hello"},
    {"Restore without verifying the registry's certificate",
     "restore --input hello --insecure localhost:5000/hello:v1"},
    {"Restore over plain HTTP", "restore --input hello --plain-http localhost:5000/hello:v1"},
    {"Restore with six transfers at a time",
     "restore --input hello --concurrency 6 localhost:5000/hello:v1"},
    {NULL, NULL},
};

const struct cmd cmd_restore = {
    .name = "restore",
    .use = "[flags] --input <path> <registry>/<repository>[:<ref1>[,<ref2>...]]",
    .summary = "[Experimental] Restore artifacts to a registry from an OCI image layout",
    .about = "[Experimental] Restore artifacts to a registry from an OCI image layout, which can "
             "be either a directory or a tar archive.",
    .examples = restore_examples,
    .options = restore_groups,
    .state_size = sizeof(struct restore_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the targets to restore to",
    .prepare = restore_prepare,
    .run = restore_run,
    .clear = restore_clear,
};
