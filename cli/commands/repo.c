/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repo ls and repo tags: lists of names.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/output/metadata.h"
#include "cli/options/targetref.h"
#include "coras/reference.h"
#include "cli/app/auto.h"

/* Names in the making: a failure inside a visitor ends the visit and is kept. */
struct names {
    coras_strlist list;
    const char *prefix; /* only names that start with it; "" for all */
    bool exclude_digest_tags;
    coras_error *error;
};

static void names_clear(struct names *names)
{
    coras_strlist_clear(&names->list);
    coras_error_free(names->error);
}

/* A tag that stands for a digest: its first `-` in place of a `:`. */
static bool is_digest_tag(const char *tag)
{
    coras_digest digest;
    coras_auto_free char *text = coras_strdup(tag);
    char *dash = text ? strchr(text, '-') : NULL;
    if (!dash)
        return false;
    *dash = ':';
    return coras_digest_parse(text, &digest, NULL) == 0;
}

static bool collect_name(const char *name, void *user)
{
    struct names *names = user;
    if (!coras_str_starts(name, names->prefix) ||
        (names->exclude_digest_tags && is_digest_tag(name)))
        return true;
    return coras_strlist_add(&names->list, name, &names->error) == 0;
}

static int finish_names(struct names *names, int rc, coras_error **err)
{
    if (rc == 0 && names->error) {
        rc = coras_error_code(names->error);
        coras_error_propagate(err, &names->error);
    }
    return rc;
}

/* The tags of a layout may be any text. */
static int print_lines(const struct names *names, coras_error **err)
{
    for (size_t i = 0; i < names->list.len; i++) {
        coras_auto_free char *shown =
            coras_escape_dup(names->list.items[i] + strlen(names->prefix));
        if (!shown)
            return coras_fail_no_memory(err);
        puts(shown);
    }
    return 0;
}

static int print_names(const struct format_options *format, const char *key, const char *registry,
                       const struct names *names, coras_error **err)
{
    if (format->kind == FORMAT_TEXT)
        return print_lines(names, err);
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, METADATA_INDENT);
    coras_jw_object(&w);
    if (registry)
        coras_jw_member(&w, "registry", registry);
    coras_jw_key(&w, key);
    coras_jw_array(&w);
    for (size_t i = 0; i < names->list.len; i++)
        coras_jw_string(&w, names->list.items[i] + (registry ? 0 : strlen(names->prefix)));
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    return metadata_print(format, &json, err);
}

/* ---- repo ls ---- */

struct ls_state {
    struct common_options common;
    struct remote_options remote;
    struct format_options format;
    struct opt_string last;
    /* after prepare */
    char *registry;
    char *prefix; /* "<namespace>/" or "" */
    coras_client *client;
};

static const struct opt ls_options[] = {
    {"last", 0, OPT_STRING, 0, OPT_AT(struct ls_state, last), NULL,
     "start after the repository specified by `last`", NULL},
    OPT_END,
};
static const struct opt_use ls_groups[] = {
    {debug_options, offsetof(struct ls_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct ls_state, common), NULL, NULL},
    {remote_options, offsetof(struct ls_state, remote), NULL, NULL},
    {remote_stdin_options, offsetof(struct ls_state, remote), NULL, NULL},
    {format_options, offsetof(struct ls_state, format), NULL, NULL},
    {ls_options, 0, NULL, NULL},
    {0},
};

/* `<registry>[/<namespace>]`. */
static int parse_namespace(struct ls_state *s, const char *raw, coras_error **err)
{
    const char *slash = strchr(raw, '/');
    coras_auto_free char *text = coras_strdup(raw);
    if (!text)
        return coras_fail_no_memory(err);
    if (slash && coras_str_ends(text, "/"))
        text[strlen(text) - 1] = '\0';
    slash = strchr(text, '/');
    if (!slash) {
        s->registry = coras_steal(&text);
        s->prefix = coras_strdup("");
        return s->prefix ? 0 : coras_fail_no_memory(err);
    }
    coras_reference parsed = {0};
    int rc = coras_reference_parse(text, &parsed, err);
    if (rc < 0)
        return coras_wrap(err, rc, "could not parse repository path");
    if (parsed.reference)
        rc = coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                        "could not parse repository path: tags or digests should not be provided");
    s->registry = coras_steal(&parsed.registry);
    s->prefix = coras_asprintf("%s/", parsed.repository);
    coras_reference_clear(&parsed);
    if (rc == 0 && !s->prefix)
        rc = coras_fail_no_memory(err);
    return rc;
}

static int ls_prepare(struct call *call, coras_error **err)
{
    struct ls_state *s = call->state;
    CORAS_TRY(remote_check(&s->remote, NULL, err));
    CORAS_TRY(format_check(&s->format, false, err));
    return parse_namespace(s, call->args[0], err);
}

static int list_repositories(struct ls_state *s, struct names *names, coras_error **err)
{
    const char *last = *s->last.value ? s->last.value : NULL;
    int rc = coras_list_repositories(s->client, s->registry, last, collect_name, names, err);
    rc = finish_names(names, rc, err);
    if (rc == 0 || !err || coras_error_response(*err) ||
        coras_error_code(*err) == CORAS_ERR_NO_CREDENTIAL)
        return rc;
    coras_auto_buf what = CORAS_BUF_UNLIMITED;
    coras_buf_printf(&what, "could not list repositories for \"%s\"", s->registry);
    if (*s->prefix)
        coras_buf_printf(&what, " with prefix \"%s\"", s->prefix);
    CORAS_TRY(coras_buf_done(&what, NULL));
    coras_auto(coras_error) cause = coras_steal(err);
    return coras_fail(err, rc, "%s\n%s", what.ptr, coras_error_message(cause));
}

static int ls_run(struct call *call, coras_error **err)
{
    struct ls_state *s = call->state;
    struct names names = {.prefix = s->prefix};
    common_apply(&s->common);
    CORAS_TRY(coras_registry_validate(s->registry, err));
    call->scope = SCOPE_RESPONSES;
    call->registry = coras_strdup(s->registry);
    CORAS_TRY(remote_client(call, &s->remote, NULL, NULL, &s->client, err));
    int rc = list_repositories(s, &names, err);
    if (rc == 0)
        rc = print_names(&s->format, "repositories", s->registry, &names, err);
    names_clear(&names);
    return rc;
}

static void ls_clear(void *state)
{
    struct ls_state *s = state;
    coras_client_free(s->client);
    remote_clear(&s->remote);
    free(s->registry);
    free(s->prefix);
}

static const char *const ls_aliases[] = {"list", NULL};
static const struct example ls_examples[] = {
    {"List the repositories of a registry", "repo ls localhost:5000"},
    {"List the repositories of a namespace", "repo ls localhost:5000/example-namespace"},
    {"List the repositories that come after one of them",
     "repo ls --last \"last_repo\" localhost:5000"},
    {"[Experimental] Print the list as JSON", "repo ls localhost:5000 --format json"},
    {"[Experimental] Print the list with a Go template",
     "repo ls localhost:5000 --format go-template --template \"{{.repositories}}\""},
    {NULL, NULL},
};

const struct cmd cmd_repo_ls = {
    .name = "ls",
    .use = "[flags] <registry>",
    .summary = "List the repositories under the registry",
    .examples = ls_examples,
    .aliases = ls_aliases,
    .options = ls_groups,
    .state_size = sizeof(struct ls_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the target registry to list repositories from",
    .prepare = ls_prepare,
    .run = ls_run,
    .clear = ls_clear,
};

/* ---- repo tags ---- */

struct tags_state {
    struct common_options common;
    struct target_options target;
    struct format_options format;
    struct opt_string last;
    struct opt_bool exclude_digest_tags;
    /* while it runs */
    char *prefix;
};

static const struct opt tags_options[] = {
    {"last", 0, OPT_STRING, 0, OPT_AT(struct tags_state, last), NULL,
     "start after the tag specified by `last`", NULL},
    {"exclude-digest-tags", 0, OPT_BOOL, 0, OPT_AT(struct tags_state, exclude_digest_tags), NULL,
     "[Preview] exclude all digest-like tags such as 'sha256-aaaa...'", NULL},
    OPT_END,
};
static const struct opt_use tags_groups[] = {
    {debug_options, offsetof(struct tags_state, common), NULL, NULL},
    {verbose_off_options, offsetof(struct tags_state, common), NULL, NULL},
    TARGET_GROUPS(struct tags_state, target),
    {format_options, offsetof(struct tags_state, format), NULL, NULL},
    {tags_options, 0, NULL, NULL},
    {0},
};

static int tags_prepare(struct call *call, coras_error **err)
{
    struct tags_state *s = call->state;
    CORAS_TRY(target_parse(call, &s->target, call->args[0], err));
    return format_check(&s->format, false, err);
}

/*
 * In a layout whose references are full names, an argument without tag ("REG/repo") is a filter and
 * not a reference.
 */
static int choose_filter(struct tags_state *s, coras_error **err)
{
    struct target_options *t = &s->target;
    coras_reference parsed = {0};
    if (!t->is_layout || t->oci_layout.value || !t->reference ||
        coras_reference_parse(t->reference, &parsed, NULL) < 0)
        return 0;
    if (!parsed.reference) {
        s->prefix = coras_asprintf("%s:", t->reference);
        free(t->reference);
        t->reference = NULL;
    }
    bool failed = !s->prefix && !parsed.reference;
    coras_reference_clear(&parsed);
    return failed ? coras_fail_no_memory(err) : 0;
}

/* Keep the tags that name the same content as the reference; that itself is kept unasked. */
static int keep_tags_of(struct tags_state *s, struct names *names, coras_error **err)
{
    coras_auto_value(coras_descriptor) wanted = CORAS_DESCRIPTOR_INIT;
    coras_target *target = s->target.target;
    const char *reference = s->target.reference;
    char digest[CORAS_DIGEST_TEXT_MAX];
    CORAS_TRY(coras_resolve(target, reference, &wanted, err));
    coras_digest_format(&wanted.digest, digest);
    coras_trace_warning(
        NULL, "[Experimental] querying tags associated to %s, it may take a while...\n", digest);
    coras_strlist kept = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < names->list.len; i++) {
        coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
        const char *tag = names->list.items[i];
        bool same = coras_streq(tag, reference);
        if (!same && (rc = coras_resolve(target, tag, &desc, err)) == 0)
            same = coras_digest_equal(&desc.digest, &wanted.digest);
        if (same && rc == 0)
            rc = coras_strlist_add(&kept, tag, err);
    }
    coras_strlist_clear(&names->list);
    names->list = kept;
    return rc;
}

static int tags_run(struct call *call, coras_error **err)
{
    struct tags_state *s = call->state;
    common_apply(&s->common);
    CORAS_TRY(choose_filter(s, err));
    struct names names = {.prefix = s->prefix ? s->prefix : "",
                          .exclude_digest_tags = s->exclude_digest_tags.value};
    CORAS_TRY(target_open(call, &s->target, CORAS_LAYOUT_READ, NULL, err));
    const char *last = *s->last.value ? s->last.value : NULL;
    int rc = coras_list_tags(s->target.target, last, collect_name, &names, err);
    rc = finish_names(&names, rc, err);
    if (rc == 0 && s->target.reference)
        rc = keep_tags_of(s, &names, err);
    if (rc == 0)
        rc = print_names(&s->format, "tags", NULL, &names, err);
    names_clear(&names);
    return rc;
}

static void tags_clear(void *state)
{
    struct tags_state *s = state;
    target_clear(&s->target);
    free(s->prefix);
}

static const char *const tags_aliases[] = {"show-tags", NULL};
static const struct example tags_examples[] = {
    {"List the tags of a repository", "repo tags localhost:5000/hello"},
    {"List the tags that do not stand for a digest",
     "repo tags --exclude-digest-tags localhost:5000/hello"},
    {"List the tags that come after one of them",
     "repo tags --last \"last_tag\" localhost:5000/hello"},
    {"List the tags of the OCI image layout 'layout-dir'", "repo tags --oci-layout layout-dir"},
    {"List the tags of the OCI layout archive 'layout.tar'", "repo tags --oci-layout layout.tar"},
    {"[Experimental] List the tags of the artifact that is tagged 'latest'",
     "repo tags localhost:5000/hello:latest"},
    {"[Experimental] List the tags of a digest",
     "repo tags "
     "localhost:5000/"
     "hello@sha256:c551125a624189cece9135981621f3f3144564ddabe14b523507bf74c2281d9b"},
    {"[Experimental] Print the list as JSON", "repo tags localhost:5000/hello --format json"},
    {"[Experimental] Print the list with a Go template",
     "repo tags localhost:5000/hello --format go-template --template \"{{.tags}}\""},
    {"[Experimental] List the tags of one repository in an OCI image layout",
     "repo tags --oci-layout-path layout-dir localhost:5000/hello"},
    {NULL, NULL},
};

const struct cmd cmd_repo_tags = {
    .name = "tags",
    .use = "[flags] <name>",
    .summary = "Show tags of the target repository",
    .examples = tags_examples,
    .aliases = tags_aliases,
    .options = tags_groups,
    .state_size = sizeof(struct tags_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the target repository to list tags from",
    .prepare = tags_prepare,
    .run = tags_run,
    .clear = tags_clear,
};
