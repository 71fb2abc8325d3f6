/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup: tags of a repository into an OCI layout, a directory or a tar archive.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/outfile.h"
#include "cli/output/tags.h"
#include "cli/output/text.h"
#include "cli/options/repotags.h"
#include "coras/backup.h"

#define NS_PER_MS 1000000

struct backup_state {
    struct common_options common;
    struct repo_tags source;
    struct progress_options progress;
    struct opt_string output;
    struct opt_bool include_referrers;
    struct opt_bool no_sync;
    struct opt_int concurrency;
    /* while it runs */
    outfile tar;     /* not open: the output is a directory */
    char *directory; /* the layout: the output, or a temporary one */
    coras_target *layout;
    struct tags_display display;
    size_t done; /* tags */
};

static const struct opt backup_options[] = {
    {"output", 'o', OPT_STRING, OPT_REQUIRED, OPT_AT(struct backup_state, output), NULL,
     "path to the target output, either a tar archive (*.tar) or a directory", NULL},
    {"include-referrers", 0, OPT_BOOL, 0, OPT_AT(struct backup_state, include_referrers), NULL,
     "back up the artifact with its referrers (e.g., attestations, SBOMs)", NULL},
    {"no-sync", 0, OPT_BOOL, 0, OPT_AT(struct backup_state, no_sync), NULL,
     "do not wait until files have reached the disk", NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct backup_state, concurrency), "3",
     "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use backup_groups[] = {
    {debug_options, offsetof(struct backup_state, common), NULL, NULL},
    {remote_options, offsetof(struct backup_state, source.target.remote), NULL, NULL},
    {remote_stdin_options, offsetof(struct backup_state, source.target.remote), NULL, NULL},
    DISTRIBUTION_GROUP(struct backup_state, source.target),
    {progress_options, offsetof(struct backup_state, progress), NULL, NULL},
    {backup_options, 0, NULL, NULL},
    {0},
};

static int backup_prepare(struct call *call, coras_error **err)
{
    struct backup_state *s = call->state;
    s->tar = (outfile)OUTFILE_INIT;
    return repo_tags_parse(call, &s->source, call->args[0], err);
}

/* ---- where it goes ---- */

static bool is_tar_name(const char *path)
{
    size_t len = strlen(path);
    return len >= 4 && coras_str_ieq(path + len - 4, ".tar");
}

static int open_tar(struct backup_state *s, coras_error **err)
{
    const char *path = s->output.value;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return coras_fail(err, CORAS_ERR_EXISTS,
                          "the output path \"%s\" already exists and is a directory\nTo back up to "
                          "a tar archive, please specify a different output file name or remove "
                          "the existing directory.",
                          path);
    int rc = outfile_open(path, &s->tar, err);
    if (rc < 0)
        return coras_wrap(err, rc, "unable to create output file %s", path);
    const char *temporary = getenv("TMPDIR");
    s->directory =
        coras_path_join(temporary && *temporary ? temporary : "/tmp", "oras-backup-XXXXXX");
    if (!s->directory)
        return coras_fail_no_memory(err);
    if (!mkdtemp(s->directory)) {
        int saved = errno;
        coras_auto_free char *name = coras_steal(&s->directory); /* nothing to remove */
        return coras_fail_errno(err, saved, "mkdir %s", name);
    }
    return 0;
}

static int open_output(struct backup_state *s, coras_error **err)
{
    if (!*s->output.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "the output path cannot be empty");
    if (is_tar_name(s->output.value))
        return open_tar(s, err);
    s->directory = coras_strdup(s->output.value);
    return s->directory ? 0 : coras_fail_no_memory(err);
}

static int open_store(struct backup_state *s, coras_error **err)
{
    int rc = coras_layout_open(s->directory, CORAS_LAYOUT_WRITE, &s->layout, err);
    return rc < 0 ? coras_wrap(err, rc, "failed to prepare OCI store for backup") : 0;
}

/* ---- the tags ---- */

static void init_display(struct call *call, struct backup_state *s)
{
    static const struct display_words words = {.start = "Pulling  ",
                                               .done = "Pulled   ",
                                               .exists = "Exists   ",
                                               .skipped = "Skipped  ",
                                               .text_skipped = true};

    s->display.settings.words = &words;
    display_choose(&s->display.settings, call, &s->common, &s->progress);
    s->display.where = s->source.target.path;
    s->display.done = "Pulled";
}

/* How far it came tells what a failure means. */
static int explain_failure(const struct backup_state *s, int rc, coras_error **err)
{
    const char *path = s->source.target.path;

    if (s->display.tag)
        return coras_wrap(err, rc, "failed to back up tag \"%s\" from \"%s\" to \"%s\"",
                          s->display.tag, path, s->output.value);
    if (s->source.tag_items || rc != CORAS_ERR_NOT_FOUND || coras_error_http_status(*err))
        return rc;
    coras_error_clear(err);
    return coras_fail(err, CORAS_ERR_NOT_FOUND,
                      "no tags found in repository \"%s\"\nIf you want to list available tags "
                      "in \"%s\", use \"oras repo tags\"",
                      path, path);
}

static void count_tags(const coras_event *event, void *user)
{
    struct backup_state *s = user;

    if (event->kind == CORAS_EVENT_ENDED)
        s->done++;
    tags_display_event(event, &s->display);
}

static int back_up(struct call *call, struct backup_state *s, coras_error **err)
{
    coras_backup_options options = CORAS_BACKUP_OPTIONS_INIT;
    coras_run_options run = run_options(call, &s->concurrency, NULL);

    options.tags = s->source.tag_items;
    options.include_referrers = s->include_referrers.value;
    run.no_sync = s->no_sync.value;
    run.on_event = count_tags;
    run.user = s;
    init_display(call, s);
    int rc = coras_backup(s->source.target.target, s->layout, &options, &run, err);
    return rc < 0 ? explain_failure(s, rc, err) : 0;
}

/* ---- all of it ---- */

static int export_tar(struct backup_state *s, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    int64_t size = 0;
    printf("Exporting to %s\n", s->output.value);
    CORAS_TRY(coras_layout_export(s->directory, s->tar.fd, &size, err));
    CORAS_TRY(outfile_commit(&s->tar, !s->no_sync.value, err));
    put_size(&shown, size);
    CORAS_TRY(coras_buf_done(&shown, err));
    printf("Exported to %s (%s)\n", s->output.value, shown.ptr);
    return 0;
}

/* Where blobs grew; a finished backup holds none. */
static int remove_ingest(struct backup_state *s, coras_error **err)
{
    coras_auto_free char *path = coras_path_join(s->directory, "ingest");
    coras_target_close(s->layout);
    s->layout = NULL;
    return path ? coras_remove_all(AT_FDCWD, path, err) : coras_fail_no_memory(err);
}

static int backup_run(struct call *call, coras_error **err)
{
    struct backup_state *s = call->state;
    coras_auto_buf spent = CORAS_BUF_UNLIMITED;
    int64_t started_ms = coras_now_ms();
    common_apply(&s->common);
    CORAS_TRY(open_output(s, err));
    int rc = target_open_source(call, &s->source.target, NULL, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to prepare repository %s for backup",
                          s->source.target.path);
    CORAS_TRY(open_store(s, err));
    CORAS_TRY(back_up(call, s, err));
    CORAS_TRY(remove_ingest(s, err));
    if (s->tar.fd >= 0)
        CORAS_TRY(export_tar(s, err));
    put_duration(&spent, (coras_now_ms() - started_ms) * NS_PER_MS);
    CORAS_TRY(coras_buf_done(&spent, err));
    printf("Successfully backed up %zu tag(s) from \"%s\" to \"%s\" in %s.\n", s->done,
           s->source.target.path, s->output.value, spent.ptr);
    return 0;
}

static void backup_clear(void *state)
{
    struct backup_state *s = state;
    tags_display_clear(&s->display);
    coras_target_close(s->layout);
    if (s->directory && is_tar_name(s->output.value) &&
        coras_remove_all(AT_FDCWD, s->directory, NULL) < 0)
        fprintf(stderr, "%s could not be removed\n", s->directory);
    if (s->tar.path) /* opened */
        outfile_clear(&s->tar);
    free(s->directory);
    repo_tags_clear(&s->source);
}

static const struct example backup_examples[] = {
    {"Back up one artifact to a directory", "backup --output hello localhost:5000/hello:v1"},
    {"Back up to a tar archive", "backup --output hello.tar localhost:5000/hello:v1"},
    {"Back up an artifact and what refers to it",
     "backup --output hello --include-referrers localhost:5000/hello:v1"},
    {"Back up several tags", "backup --output hello localhost:5000/hello:v1,v2,v3"},
    {"Back up all tags of a repository", "backup --output hello localhost:5000/hello"},
    {"Find referrers by the registry's API only",
     "backup --output hello --include-referrers --distribution-spec v1.1-referrers-api "
     "localhost:5000/hello:v1"},
    {"Find referrers by their tag only",
     "backup --output hello --include-referrers --distribution-spec v1.1-referrers-tag "
     "localhost:5000/hello:v1"},
    {"Back up without verifying the registry's certificate",
     "backup --output hello --insecure localhost:5000/hello:v1"},
    {"Back up over plain HTTP", "backup --output hello --plain-http localhost:5000/hello:v1"},
    {"Back up with six transfers at a time",
     "backup --output hello --concurrency 6 localhost:5000/hello:v1"},
    {NULL, NULL},
};

const struct cmd cmd_backup = {
    .name = "backup",
    .use = "[flags] --output <path> <registry>/<repository>[:<ref1>[,<ref2>...]]",
    .summary = "[Experimental] Back up artifacts from a registry into an OCI image layout",
    .about = "[Experimental] Back up artifacts from a registry into an OCI image layout, saved "
             "either as a directory or a tar archive.\n"
             "An output path that ends with \".tar\" becomes an archive, any other a directory.",
    .examples = backup_examples,
    .options = backup_groups,
    .state_size = sizeof(struct backup_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the artifacts to back up",
    .prepare = backup_prepare,
    .run = backup_run,
    .clear = backup_clear,
};
