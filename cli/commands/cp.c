/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cp: an artifact from one target to another.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/selection.h"
#include "cli/options/targetref.h"
#include "cli/output/plan.h"
#include "cli/app/auto.h"
#include "cli/app/left_behind.h"
#include "cli/compat/copy_side.h"
#include "coras/mediatype.h"
#include "coras/platform.h"
#include "gospell/quote.h"

struct cp_state {
    struct common_options common;
    struct target_options from;
    struct target_options to;
    struct progress_options progress;
    struct opt_bool recursive;
    struct opt_bool force;
    struct opt_int concurrency;
    struct opt_list platform;
    struct opt_list resolve;
    struct selection_options selection;
    struct opt_bool dry_run;
    /* after prepare */
    struct {
        coras_platform *items;
        size_t len, cap;
    } platforms;
    /* while it runs */
    struct display *display;
    bool resolved;       /* the source's reference names something; what it was: */
    coras_digest digest; /* of what is copied */
    bool is_index;
    bool copied; /* what may fail from here on are further tags */
};

static const struct opt cp_options[] = {
    {"recursive", 'r', OPT_BOOL, 0, OPT_AT(struct cp_state, recursive), NULL,
     "[Preview] recursively copy the artifact and its referrer artifacts", NULL},
    {"force", 0, OPT_BOOL, 0, OPT_AT(struct cp_state, force), NULL, FORCE_COPY_HELP, NULL},
    {"concurrency", 0, OPT_INT, 0, OPT_AT(struct cp_state, concurrency), "3", "concurrency level",
     NULL},
    {"platform", 0, OPT_SLICE, 0, OPT_AT(struct cp_state, platform), NULL,
     "request platform in the form of `os[/arch][/variant][:os_version]`, repeatable or "
     "comma-separated",
     NULL},
    {"resolve", 0, OPT_LIST, 0, OPT_AT(struct cp_state, resolve), NULL,
     "base DNS rules formatted in `host:port:address[:address_port]` for --from-resolve and "
     "--to-resolve",
     NULL},
    OPT_END,
};
#define SIDE_GROUPS(side, prefix, desc)                                                            \
    {remote_options, offsetof(struct cp_state, side.remote), prefix, desc},                        \
        {target_options_table, offsetof(struct cp_state, side), prefix, desc},                     \
    {                                                                                              \
        distribution_spec_options, offsetof(struct cp_state, side.distribution_spec), prefix, desc \
    }
static const struct opt_use cp_groups[] = {
    {debug_options, offsetof(struct cp_state, common), NULL, NULL},
    {verbose_on_options, offsetof(struct cp_state, common), NULL, NULL},
    SIDE_GROUPS(from, "from-", "source "),
    SIDE_GROUPS(to, "to-", "destination "),
    {progress_options, offsetof(struct cp_state, progress), NULL, NULL},
    {cp_options, 0, NULL, NULL},
    {selection_options, offsetof(struct cp_state, selection), NULL, NULL},
    {dry_run_options, offsetof(struct cp_state, dry_run), NULL, NULL},
    {0},
};

/* ---- before the run ---- */

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? coras_streq(a, b) : a == b;
}

static bool is_known(const struct cp_state *s, const coras_platform *p)
{
    for (size_t i = 0; i < s->platforms.len; i++) {
        const coras_platform *known = &s->platforms.items[i];
        if (is_same_text(known->os, p->os) && is_same_text(known->architecture, p->architecture) &&
            is_same_text(known->variant, p->variant) &&
            is_same_text(known->os_version, p->os_version))
            return true;
    }
    return false;
}

static int parse_platforms(struct cp_state *s, coras_error **err)
{
    for (size_t i = 0; i < s->platform.len; i++) {
        coras_auto_value(coras_platform) platform = {0};
        coras_str value = coras_str_trim(coras_str_of(s->platform.items[i]));
        coras_auto_free char *text = coras_strndup(value.ptr, value.len);
        if (!text)
            return coras_fail_no_memory(err);
        if (!*text)
            return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                              "invalid platform: value cannot be empty");
        CORAS_TRY(coras_platform_parse(text, &platform, err));
        if (is_known(s, &platform))
            continue;
        if (coras_vec_grow(&s->platforms, 1) < 0)
            return coras_fail_no_memory(err);
        s->platforms.items[s->platforms.len++] = platform;
        platform = (coras_platform){0};
    }
    return 0;
}

static int cp_prepare(struct call *call, coras_error **err)
{
    struct cp_state *s = call->state;
    s->from.prefix = "from-";
    s->to.prefix = "to-";
    CORAS_TRY(parse_platforms(s, err));
    CORAS_TRY(target_parse(call, &s->from, call->args[0], err));
    return target_parse_tags(call, &s->to, call->args[1], err);
}

/* ---- the run ---- */

/* Whether the copy is one manifest of an index, and not a part of the index. */
static bool took_one_platform(const struct cp_state *s)
{
    return s->platforms.len == 1 || (s->platforms.len > 1 && !s->is_index);
}

static void put_source(const struct cp_state *s, char **ret)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    const char *reference = s->from.reference;
    coras_digest given;
    bool by_digest = reference && coras_digest_parse(reference, &given, NULL) == 0;
    if (by_digest && s->copied && took_one_platform(s) &&
        !coras_streq(coras_digest_format(&s->digest, digest), reference))
        *ret = coras_asprintf("%s@%s", s->from.path, digest); /* a platform was picked */
    else
        *ret = coras_strdup(s->from.raw);
}

static void print_copied(void *user)
{
    const struct cp_state *s = user;
    coras_auto_free char *source = NULL;
    put_source(s, &source);
    printf("Copied [%s] %s => [%s] %s\n", target_kind(&s->from), source ? source : s->from.raw,
           target_kind(&s->to), s->to.raw);
}

/* How far the copy is tells what a failure means. */
static void cp_event(const coras_event *event, void *user)
{
    struct cp_state *s = user;
    if (event->kind == CORAS_EVENT_RESOLVED) {
        s->digest = event->desc->digest;
        s->is_index = coras_media_type_is_index(event->desc->media_type);
        s->resolved = true;
    } else if (event->kind == CORAS_EVENT_TAGGING) {
        s->copied = true;
    } else if (event->kind == CORAS_EVENT_LEFT) {
        tell_part(event->offset, event->total);
    }
    if (!s->dry_run.value)
        display_event(event, s->display);
}

static struct display *cp_display(struct call *call, struct cp_state *s)
{
    static const struct display_words words = {.start = "Copying",
                                               .done = "Copied ",
                                               .exists = "Exists ",
                                               .skipped = "Skipped",
                                               .mounted = "Mounted",
                                               .text_skipped = true};
    struct display_settings settings = {
        .words = &words,
        .terse = !s->common.verbose.value,
        .headline = print_copied,
        .user = s,
    };
    display_choose(&settings, call, &s->common, &s->progress);
    return display_new(&settings);
}

/* ---- whose failure it was ---- */

/* Whose answers count as a registry's. */
static void set_registry(struct call *call, const char *host)
{
    free(call->registry);
    call->registry = host ? coras_strdup(host) : NULL;
}

/* The prefix of the error line says which side it was. */
static void name_side(struct call *call, const struct cp_state *s, const coras_error *error)
{
    const struct target_options *side = copy_failed_side(&s->from, &s->to, s->resolved, error);
    const char *host = coras_error_http_host(error);
    coras_auto_free char *quoted = side ? coras_go_quote_dup(side->raw) : NULL;
    if (!quoted)
        return;
    free(call->error_prefix);
    call->error_prefix =
        coras_asprintf("Error from %s %s for %s:", side == &s->to ? "destination" : "source",
                       target_kind(side), quoted);
    set_registry(call, host);
}

/* Several platforms were asked for, and the source is no index: say which source. */
static int name_source(const struct cp_state *s, int rc, coras_error **err)
{
    coras_auto(coras_error) cause = coras_steal(err);
    coras_auto_free char *quoted = coras_go_quote_dup(s->from.raw);
    if (!quoted)
        return coras_fail_no_memory(err);
    rc = coras_fail(err, rc, "%s is %s", quoted, coras_error_message(cause));
    coras_advise_as(err, cause);
    return rc;
}

static int explain_failure(struct call *call, const struct cp_state *s, int rc, coras_error **err)
{
    if (!err || !*err)
        return rc;
    if (s->copied) {
        set_registry(call, coras_error_http_host(*err));
        return rc;
    }
    if (rc == CORAS_ERR_NOT_AN_INDEX)
        return name_source(s, rc, err);
    if (rc == CORAS_ERR_NO_PLATFORM) {
        call->scope = SCOPE_LOCAL; /* the source is there, and has others */
        return rc;
    }
    bool by_digest = s->recursive.value || !s->to.reference;
    bool is_resolving = !s->resolved && s->platforms.len <= 1;
    if (by_digest && is_resolving)
        return coras_wrap(err, rc, "failed to resolve %s", s->from.reference);
    name_side(call, s, *err);
    return rc;
}

static int copy_with_display(struct cp_state *s, struct call *call, coras_error **err)
{
    coras_auto_value(coras_descriptor) root = CORAS_DESCRIPTOR_INIT;
    coras_run_options run = run_options(call, &s->concurrency, s->display);
    run.on_event = cp_event;
    run.user = s;
    coras_copy_options options = CORAS_COPY_OPTIONS_INIT;
    options.recursive = s->recursive.value;
    options.force = s->force.value;
    options.platforms = s->platforms.items;
    options.platform_count = s->platforms.len;
    options.extra_tags = s->to.extra_tag_items;
    coras_selection selection = selection_of(&s->selection);
    options.selection = &selection;
    coras_auto_value(coras_plan) plan = CORAS_PLAN_INIT;
    options.plan = s->dry_run.value ? &plan : NULL;
    int rc = coras_copy(s->from.target, s->from.reference, s->to.target, s->to.reference, &options,
                        &run, &root, err);
    if (rc < 0)
        return explain_failure(call, s, rc, err);
    s->copied = true;
    if (s->dry_run.value)
        CORAS_TRY(plan_print_text(&plan, "copied", err));
    else
        display_finish(s->display);
    char digest[CORAS_DIGEST_TEXT_MAX];
    printf("Digest: %s\n", coras_digest_format(&s->digest, digest));
    if (s->from.registry && !s->dry_run.value)
        tell_cosign_tags(s->from.target, &s->digest);
    return 0;
}

/* A dry run makes no layout where there is none. */
static int open_destination(struct call *call, struct cp_state *s, coras_error **err)
{
    if (!s->dry_run.value)
        return target_open(call, &s->to, CORAS_LAYOUT_WRITE, &s->resolve, err);
    if (s->to.is_layout && access(s->to.path, F_OK) < 0)
        return 0;
    return target_open(call, &s->to, CORAS_LAYOUT_READ, &s->resolve, err);
}

static int cp_run(struct call *call, coras_error **err)
{
    struct cp_state *s = call->state;
    common_apply(&s->common);
    CORAS_TRY(target_open_source(call, &s->from, &s->resolve, err));
    CORAS_TRY(target_require_reference(call, &s->from, err));
    CORAS_TRY(open_destination(call, s, err));
    s->display = cp_display(call, s);
    int rc = copy_with_display(s, call, err);
    if (rc < 0)
        display_advise(s->display, err);
    display_free(s->display);
    return rc;
}

static void cp_clear(void *state)
{
    struct cp_state *s = state;
    target_clear(&s->from);
    target_clear(&s->to);
    for (size_t i = 0; i < s->platforms.len; i++)
        coras_platform_clear(&s->platforms.items[i]);
    free(s->platforms.items);
}

static const char *const cp_aliases[] = {"copy", NULL};
static const struct example cp_examples[] = {
    {"Copy an artifact to another registry",
     "cp localhost:5000/net-monitor:v1 localhost:6000/net-monitor-copy:v1"},
    {"Download an artifact into an OCI image layout",
     "cp --to-oci-layout localhost:5000/net-monitor:v1 ./downloaded:v1"},
    {"Upload an artifact from an OCI image layout",
     "cp --from-oci-layout ./to-upload:v1 localhost:5000/net-monitor:v1"},
    {"Upload an artifact from an OCI layout archive",
     "cp --from-oci-layout ./to-upload.tar:v1 localhost:5000/net-monitor:v1"},
    {"Copy an artifact and what refers to it",
     "cp -r localhost:5000/net-monitor:v1 localhost:6000/net-monitor-copy:v1"},
    {"Choose how each registry keeps what refers to an artifact",
     "cp -r --from-distribution-spec v1.1-referrers-api --to-distribution-spec v1.1-referrers-tag "
     "localhost:5000/net-monitor:v1 localhost:6000/net-monitor-copy:v1"},
    {"Copy what an artifact holds for one platform",
     "cp --platform linux/arm/v5 localhost:5000/net-monitor:v1 localhost:6000/net-monitor-copy:v1"},
    {"Copy what an artifact holds for several platforms",
     "cp --platform linux/amd64,linux/arm64,linux/arm/v7 localhost:5000/net-monitor:v1 "
     "localhost:6000/net-monitor-copy:v1"},
    {"Copy an artifact to several tags",
     "cp localhost:5000/net-monitor:v1 localhost:6000/net-monitor-copy:tag1,tag2,tag3"},
    {"Copy a part of an artifact into an OCI image layout",
     "cp --include \"*.json\" --to-oci-layout localhost:5000/net-monitor:v1 ./part:v1"},
    {"Say what would be copied",
     "cp --dry-run localhost:5000/net-monitor:v1 localhost:6000/net-monitor-copy:v1"},
    {"Copy with ten transfers at a time", "cp --concurrency 10 localhost:5000/net-monitor:v1 "
                                          "localhost:5000/net-monitor-copy:tag1,tag2,tag3"},
    {"Complete a destination that may hold only a part, such as a registry's cache",
     "cp --force localhost:5000/net-monitor:v1 localhost:6000/net-monitor-copy:v1"},
    {NULL, NULL},
};

const struct cmd cmd_cp = {
    .name = "cp",
    .use = "[flags] <from>{:<tag>|@<digest>} <to>[:<tag>[,<tag>][...]]",
    .summary = "Copy artifacts from one target to another",
    .about = "Copy artifacts from one target to another. When copying an image index, all of its "
             "manifests will be copied",
    .examples = cp_examples,
    .aliases = cp_aliases,
    .options = cp_groups,
    .state_size = sizeof(struct cp_state),
    .min_args = 2,
    .max_args = 2,
    .role = "the source and destination for copying",
    .prepare = cp_prepare,
    .run = cp_run,
    .clear = cp_clear,
};
