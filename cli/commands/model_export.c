/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model export: a model into the store of another program.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/errors.h"
#include "cli/app/run_options.h"
#include "cli/options/targetref.h"
#include "cli/output/metadata.h"
#include "cli/output/pulled.h"
#include "coras/model_store.h"
#include "coras/platform.h"

struct model_export_state {
    struct common_options common;
    struct target_options target;
    struct platform_option platform;
    struct format_options format;
    struct progress_options progress;
    struct opt_bool no_sync;
    struct opt_string name;
    struct opt_list include;
    struct opt_list exclude;
    struct opt_int concurrency;
    /* after preparing */
    enum coras_model_store store;
    char *name_there; /* in the store */
};

#define AT(member) OPT_AT(struct model_export_state, member)

static const struct opt model_export_options[] = {
    {"name", 0, OPT_STRING, 0, AT(name), NULL,
     "`name` in the store (default from the repository: <owner>/<name>, or <name>:<tag>)", NULL},
    {"include", 0, OPT_LIST, 0, AT(include), NULL,
     "take only files whose path matches the `pattern` (*, **, ?, [a-z], {a,b}), repeatable", NULL},
    {"exclude", 0, OPT_LIST, 0, AT(exclude), NULL,
     "leave files whose path matches the `pattern`, repeatable", NULL},
    {"no-sync", 0, OPT_BOOL, 0, AT(no_sync), NULL, "do not wait until files have reached the disk",
     NULL},
    {"concurrency", 0, OPT_INT, 0, AT(concurrency), "3", "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use model_export_groups[] = {
    {debug_options, offsetof(struct model_export_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct model_export_state, common), NULL, NULL},
    TARGET_GROUPS(struct model_export_state, target),
    {platform_options, offsetof(struct model_export_state, platform), NULL, NULL},
    {format_options, offsetof(struct model_export_state, format), NULL, NULL},
    {progress_options, offsetof(struct model_export_state, progress), NULL, NULL},
    {model_export_options, 0, NULL, NULL},
    {0},
};

static int read_store(const char *text, enum coras_model_store *ret, coras_error **err)
{
    if (coras_streq(text, "hf-cache"))
        *ret = CORAS_MODEL_STORE_HUB;
    else if (coras_streq(text, "ollama"))
        *ret = CORAS_MODEL_STORE_OLLAMA;
    else
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "unknown store: %s\nAvailable stores: hf-cache, ollama", text);
    return 0;
}

/* The last parts of the repository: the hub has owners, Ollama has tags. */
static int choose_name(struct model_export_state *s, coras_error **err)
{
    const char *repository = s->target.repository ? s->target.repository : s->target.path;
    const char *last = strrchr(repository, '/'), *name = last ? last + 1 : repository;
    coras_digest digest;
    bool tagged = s->target.reference && coras_digest_parse(s->target.reference, &digest, NULL) < 0;

    if (*s->name.value) {
        s->name_there = coras_strdup(s->name.value);
    } else if (s->store == CORAS_MODEL_STORE_OLLAMA) {
        s->name_there = coras_asprintf("%s:%s", name, tagged ? s->target.reference : "latest");
    } else {
        const char *owner = last;
        while (owner && owner > repository && owner[-1] != '/')
            owner--;
        s->name_there = coras_strdup(owner && !s->target.is_layout ? owner : name);
    }
    return s->name_there ? 0 : coras_fail_no_memory(err);
}

static int model_export_prepare(struct call *call, coras_error **err)
{
    struct model_export_state *s = call->state;

    CORAS_TRY(platform_check(&s->platform, err));
    CORAS_TRY(read_store(call->args[1], &s->store, err));
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    CORAS_TRY(choose_name(s, err));
    return format_check(&s->format, false, err);
}

static int export_model(struct call *call, struct model_export_state *s,
                        coras_model_export_result *ret, coras_error **err)
{
    struct display *display = download_display(call, &s->common, &s->format, &s->progress);
    coras_model_export_options options = CORAS_MODEL_EXPORT_OPTIONS_INIT;
    coras_selection selection = CORAS_SELECTION_INIT;
    coras_run_options run = run_options(call, &s->concurrency, display);

    selection.include = (const char *const *)s->include.items;
    selection.exclude = (const char *const *)s->exclude.items;
    options.store = s->store;
    options.directory = call->args[2];
    options.name = s->name_there;
    options.selection = &selection;
    options.platform = platform_wanted(&s->platform);
    run.no_sync = s->no_sync.value;
    int rc = coras_model_export(s->target.target, s->target.reference, &options, &run, ret, err);
    if (rc < 0)
        display_advise(display, err);
    display_finish(display);
    display_free(display);
    return rc;
}

static int print_exported(const struct model_export_state *s,
                          const coras_model_export_result *result, coras_error **err)
{
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(&result->digest, digest);
    if (s->format.kind == FORMAT_TEXT) {
        printf("Exported [%s] %s\nName: %s\nPath: %s\nDigest: %s\n", target_kind(&s->target),
               s->target.raw, s->name_there, result->path, digest);
        return 0;
    }
    coras_jw_object(&w);
    coras_jw_member(&w, "reference", s->target.raw);
    coras_jw_member(&w, "digest", digest);
    coras_jw_member(&w, "name", s->name_there);
    coras_jw_member(&w, "path", result->path);
    coras_jw_end_object(&w);
    return metadata_print(&s->format, &json, err);
}

static int model_export_run(struct call *call, coras_error **err)
{
    struct model_export_state *s = call->state;
    coras_model_export_result result = {0};

    common_apply(&s->common);
    CORAS_TRY(target_open_source(call, &s->target, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = export_model(call, s, &result, err);
    if (rc == 0)
        rc = print_exported(s, &result, err);
    coras_model_export_result_clear(&result);
    return rc;
}

static void model_export_clear(void *state)
{
    struct model_export_state *s = state;

    target_clear(&s->target);
    coras_platform_clear(&s->platform.platform);
    free(s->name_there);
}

static const struct example model_export_examples[] = {
    {"Put a model where transformers and vLLM look for 'acme/tiny-llm'",
     "model export localhost:5000/acme/tiny-llm:v1 hf-cache ~/.cache/huggingface/hub"},
    {"Put a GGUF where 'ollama run tiny-llm:v1' finds it",
     "model export localhost:5000/acme/tiny-llm:v1 ollama ~/.ollama/models"},
    {"Give it another name there",
     "model export localhost:5000/tiny-llm:v1 ollama ~/.ollama/models --name acme/tiny:q4"},
    {NULL, NULL},
};

const struct cmd cmd_model_export = {
    .name = "export",
    .use = "[flags] <name>{:<tag>|@<digest>} hf-cache|ollama <directory>",
    .summary = "Put a model into the Hugging Face hub's cache, or among Ollama's models",
    .examples = model_export_examples,
    .options = model_export_groups,
    .state_size = sizeof(struct model_export_state),
    .min_args = 3,
    .max_args = 3,
    .role = "the reference of the model, the kind of the store and its directory",
    .prepare = model_export_prepare,
    .run = model_export_run,
    .clear = model_export_clear,
};
