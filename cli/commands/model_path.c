/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model path: where an engine finds a model, in the cache that programs share.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/targetref.h"
#include "codec/json.h"
#include "coras/model_path.h"

struct model_path_state {
    struct common_options common;
    struct target_options target;
    struct progress_options progress;
    struct opt_bool no_pull;
    struct opt_int concurrency;
};

static const struct opt model_path_options[] = {
    {"no-pull", 0, OPT_BOOL, 0, OPT_AT(struct model_path_state, no_pull), NULL,
     "ask no registry: what is not in the cache is an error", NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct model_path_state, concurrency), "3",
     "concurrency level", NULL},
    OPT_END,
};
static const struct opt_use model_path_groups[] = {
    {debug_options, offsetof(struct model_path_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct model_path_state, common), NULL, NULL},
    TARGET_GROUPS(struct model_path_state, target),
    {progress_options, offsetof(struct model_path_state, progress), NULL, NULL},
    {model_path_options, 0, NULL, NULL},
    {0},
};

static int model_path_prepare(struct call *call, coras_error **err)
{
    struct model_path_state *s = call->state;

    return target_parse(call, &s->target, call->args[0], err);
}

/* One line for programs; everything else is on stderr. */
static int print_place(const struct model_path_state *s, const coras_model_place *place,
                       coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&line, 0);

    coras_jw_object(&w);
    coras_jw_member(&w, "reference", s->target.raw);
    coras_jw_member(&w, "digest", coras_digest_format(&place->digest, digest));
    coras_jw_member(&w, "path", place->path);
    coras_jw_member(&w, "format", place->format);
    coras_jw_end_object(&w);
    CORAS_TRY(coras_buf_done(&line, err));
    if (place->remark)
        fprintf(stderr, "WARNING! %s\n", place->remark);
    printf("%s\n", line.ptr);
    return 0;
}

static int find_model(struct call *call, struct model_path_state *s, coras_model_place *place,
                      coras_error **err)
{
    static const struct display_words words = {.bar_done = "Pulled     "};
    struct display_settings settings = {
        .words = &words,
        .quiet = true,
    };
    coras_model_path_options options = CORAS_MODEL_PATH_OPTIONS_INIT;
    display_choose(&settings, call, &s->common, &s->progress);
    struct display *display = display_new(&settings);
    coras_run_options run = run_options(call, &s->concurrency, display);

    options.cache = cache_directory();
    options.name = s->target.raw;
    options.no_pull = s->no_pull.value;
    int rc = coras_model_path(s->target.target, s->target.reference, &options, &run, place, err);
    if (rc < 0)
        display_advise(display, err);
    display_finish(display);
    display_free(display);
    return rc;
}

static int model_path_run(struct call *call, coras_error **err)
{
    struct model_path_state *s = call->state;
    coras_model_place place = {0};

    common_apply(&s->common);
    if (s->no_pull.value)
        call->scope = SCOPE_LOCAL; /* no registry is asked */
    else
        CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_READ, NULL, err));
    CORAS_TRY(target_require_reference(call, &s->target, err));
    int rc = find_model(call, s, &place, err);
    if (rc == 0)
        rc = print_place(s, &place, err);
    coras_model_place_clear(&place);
    return rc;
}

static void model_path_clear(void *state)
{
    struct model_path_state *s = state;

    target_clear(&s->target);
}

static const struct example model_path_examples[] = {
    {"Tell where a model is, and pull it when it is nowhere yet",
     "model path localhost:5000/tiny-llm:v1"},
    {"Ask the cache alone", "model path --no-pull localhost:5000/tiny-llm:v1"},
    {"Use a cache of one's own",
     "$ export ORAS_CACHE=/srv/models\nmodel path localhost:5000/tiny-llm:v1"},
    {NULL, NULL},
};

const struct cmd cmd_model_path = {
    .name = "path",
    .use = "[flags] <name>{:<tag>|@<digest>}",
    .summary = "Print where an engine finds a model in the cache, pulling it when needed",
    .examples = model_path_examples,
    .options = model_path_groups,
    .state_size = sizeof(struct model_path_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the reference of the model",
    .prepare = model_path_prepare,
    .run = model_path_run,
    .clear = model_path_clear,
};
