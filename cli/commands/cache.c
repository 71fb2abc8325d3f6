/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache ls, prune, verify: the cache that ORAS_CACHE names, else the user's own.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/amounts.h"
#include "cli/options/targetref.h"
#include "cli/output/metadata.h"
#include "cli/output/text.h"
#include "codec/date.h"
#include "coras/cache.h"

static void print_size(const char *before, int64_t bytes, const char *after)
{
    coras_auto_buf size = CORAS_BUF_UNLIMITED;

    put_size(&size, bytes);
    printf("%s%s%s", before, size.ptr, after);
}

/* ---- ls ---- */

struct cache_ls_state {
    struct common_options common;
    struct format_options format;
};

static const struct opt_use cache_ls_groups[] = {
    {debug_options, offsetof(struct cache_ls_state, common), NULL, NULL},
    {format_options, offsetof(struct cache_ls_state, format), NULL, NULL},
    {0},
};

static int cache_ls_prepare(struct call *call, coras_error **err)
{
    struct cache_ls_state *s = call->state;

    return format_check(&s->format, false, err);
}

static const char *state_of(const coras_cached_model *m)
{
    return !m->is_intact ? "damaged" : m->is_leased ? "in use " : "       ";
}

static void print_model(const coras_cached_model *m)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf line = CORAS_BUF_UNLIMITED, size = CORAS_BUF_UNLIMITED;
    coras_auto_free char *name = m->reference ? coras_escape_dup(m->reference) : NULL;

    put_size(&size, m->bytes);
    coras_format_rfc3339(&line, m->last_use);
    printf("%s %9s  %s  %s  %s\n", short_digest(&m->digest, digest), size.ptr, line.ptr,
           state_of(m), name ? name : coras_digest_format(&m->digest, digest));
}

static void print_contents(const coras_cache_contents *c)
{
    printf("Cache: %s\n", c->directory);
    for (size_t i = 0; i < c->model_count; i++)
        print_model(&c->models[i]);
    printf("Models: %zu\nBlobs: %zu", c->model_count, c->blob_count);
    print_size(", ", c->blob_bytes, " of which no model has\n");
    print_size("Size: ", c->bytes, "\n");
}

static void put_model(coras_json_writer *w, const coras_cached_model *m)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf when = CORAS_BUF_UNLIMITED;

    coras_format_rfc3339(&when, m->last_use);
    coras_jw_object(w);
    coras_jw_key(w, "reference");
    if (m->reference)
        coras_jw_string(w, m->reference);
    else
        coras_jw_null(w);
    coras_jw_member(w, "digest", coras_digest_format(&m->digest, digest));
    coras_jw_member(w, "path", m->path);
    coras_jw_member_int(w, "size", m->bytes);
    coras_jw_member(w, "lastUsed", when.ptr);
    coras_jw_key(w, "inUse");
    coras_jw_bool(w, m->is_leased);
    coras_jw_key(w, "intact");
    coras_jw_bool(w, m->is_intact);
    coras_jw_end_object(w);
}

static int print_json(const struct cache_ls_state *s, const coras_cache_contents *c,
                      coras_error **err)
{
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);

    coras_jw_object(&w);
    coras_jw_member(&w, "directory", c->directory);
    coras_jw_key(&w, "models");
    coras_jw_array(&w);
    for (size_t i = 0; i < c->model_count; i++)
        put_model(&w, &c->models[i]);
    coras_jw_end_array(&w);
    coras_jw_member_int(&w, "blobs", (int64_t)c->blob_count);
    coras_jw_member_int(&w, "size", c->bytes);
    coras_jw_end_object(&w);
    return metadata_print(&s->format, &json, err);
}

static int cache_ls_run(struct call *call, coras_error **err)
{
    struct cache_ls_state *s = call->state;
    coras_cache_contents contents = {0};
    coras_run_options run = run_options(call, NULL, NULL);

    common_apply(&s->common);
    CORAS_TRY(coras_cache_list(cache_directory(), &run, &contents, err));
    int rc = 0;
    if (s->format.kind == FORMAT_TEXT)
        print_contents(&contents);
    else
        rc = print_json(s, &contents, err);
    coras_cache_contents_clear(&contents);
    return rc;
}

static const char *const cache_ls_aliases[] = {"list", NULL};
static const struct example cache_ls_examples[] = {
    {"List the models in the cache", "cache ls"},
    {"The same as JSON", "cache ls --format json"},
    {NULL, NULL},
};

const struct cmd cmd_cache_ls = {
    .name = "ls",
    .use = "[flags]",
    .summary = "List what the cache holds: models, sizes, last use",
    .examples = cache_ls_examples,
    .aliases = cache_ls_aliases,
    .options = cache_ls_groups,
    .state_size = sizeof(struct cache_ls_state),
    .prepare = cache_ls_prepare,
    .run = cache_ls_run,
};

/* ---- prune ---- */

struct cache_prune_state {
    struct common_options common;
    struct opt_string max_size;
    struct opt_string older_than;
};

static const struct opt cache_prune_options[] = {
    {"max-size", 0, OPT_STRING, 0, OPT_AT(struct cache_prune_state, max_size), NULL,
     "keep at most `size` (20GB, 512M), what was used last", amount_check_bytes},
    {"older-than", 0, OPT_STRING, 0, OPT_AT(struct cache_prune_state, older_than), NULL,
     "remove what was last used longer ago than `time` (30d, 12h)", amount_check_seconds},
    OPT_END,
};
static const struct opt_use cache_prune_groups[] = {
    {debug_options, offsetof(struct cache_prune_state, common), NULL, NULL},
    {cache_prune_options, 0, NULL, NULL},
    {0},
};

static int read_limits(const struct cache_prune_state *s, coras_cache_prune_options *ret,
                       coras_error **err)
{
    ret->directory = cache_directory();
    ret->limits_bytes = s->max_size.set;
    ret->limits_age = s->older_than.set;
    if (!s->max_size.set && !s->older_than.set)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "say what may go: --max-size, --older-than or both");
    if (ret->limits_bytes)
        CORAS_TRY(amount_parse_bytes(s->max_size.value, &ret->max_bytes, err));
    return ret->limits_age ? amount_parse_seconds(s->older_than.value, &ret->max_age_s, err) : 0;
}

static int cache_prune_run(struct call *call, coras_error **err)
{
    struct cache_prune_state *s = call->state;
    coras_cache_prune_options options = CORAS_CACHE_PRUNE_OPTIONS_INIT;
    coras_cache_pruned pruned = {0};
    coras_run_options run = run_options(call, NULL, NULL);

    common_apply(&s->common);
    CORAS_TRY(read_limits(s, &options, err));
    CORAS_TRY(coras_cache_prune(&options, &run, &pruned, err));
    printf("Removed: %zu models, %zu blobs", pruned.models, pruned.blobs);
    print_size(", ", pruned.bytes, "\n");
    print_size("Size: ", pruned.left, "\n");
    if (pruned.kept_in_use)
        fprintf(stderr, "Kept, since somebody uses them: %zu models\n", pruned.kept_in_use);
    return 0;
}

static const struct example cache_prune_examples[] = {
    {"Keep at most 200 GB", "cache prune --max-size 200GB"},
    {"Remove what was not used for 30 days", "cache prune --older-than 30d"},
    {NULL, NULL},
};

const struct cmd cmd_cache_prune = {
    .name = "prune",
    .use = "[flags]",
    .summary = "Remove from the cache what was not used for long",
    .about = "Remove from the cache what was not used for long. A model that a program holds (by a "
             "lock on its lease file) stays, and so does what is being written",
    .examples = cache_prune_examples,
    .options = cache_prune_groups,
    .state_size = sizeof(struct cache_prune_state),
    .run = cache_prune_run,
};

/* ---- verify ---- */

struct cache_verify_state {
    struct common_options common;
    struct opt_bool remove;
};

static const struct opt cache_verify_options[] = {
    {"remove", 0, OPT_BOOL, 0, OPT_AT(struct cache_verify_state, remove), NULL,
     "remove what is damaged, so that it is fetched again", NULL},
    OPT_END,
};
static const struct opt_use cache_verify_groups[] = {
    {debug_options, offsetof(struct cache_verify_state, common), NULL, NULL},
    {cache_verify_options, 0, NULL, NULL},
    {0},
};

static int print_report(const struct cache_verify_state *s, const coras_cache_report *report,
                        coras_error **err)
{
    for (size_t i = 0; i < report->damaged_count; i++)
        printf("%s %s\n", s->remove.value ? "Removed" : "Damaged", report->damaged[i]);
    printf("Read: %zu files", report->checked);
    print_size(", ", report->bytes, "\n");
    if (report->looked)
        printf("Compared by size and time only, since no digest of them is known: %zu files\n",
               report->looked);
    if (!report->damaged_count || s->remove.value)
        return 0;
    return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                      "%zu damaged in the cache; --remove takes away what is damaged",
                      report->damaged_count);
}

static int cache_verify_run(struct call *call, coras_error **err)
{
    struct cache_verify_state *s = call->state;
    coras_cache_verify_options options = CORAS_CACHE_VERIFY_OPTIONS_INIT;
    coras_cache_report report = {0};
    coras_run_options run = run_options(call, NULL, NULL);

    common_apply(&s->common);
    options.directory = cache_directory();
    options.remove = s->remove.value;
    CORAS_TRY(coras_cache_verify(&options, &run, &report, err));
    int rc = print_report(s, &report, err);
    coras_cache_report_clear(&report);
    return rc;
}

static const struct example cache_verify_examples[] = {
    {"Read everything in the cache and compare it with its digests", "cache verify"},
    {"Remove what is damaged", "cache verify --remove"},
    {NULL, NULL},
};

const struct cmd cmd_cache_verify = {
    .name = "verify",
    .use = "[flags]",
    .summary = "Read everything in the cache and report what is damaged",
    .examples = cache_verify_examples,
    .options = cache_verify_groups,
    .state_size = sizeof(struct cache_verify_state),
    .run = cache_verify_run,
};
