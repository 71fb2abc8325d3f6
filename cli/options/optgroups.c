/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of the option groups, and the checks that follow parsing.
 */
#include "cli/options/optgroups.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/output/log.h"
#include "coras/platform.h"
#include "gospell/quote.h"

/* ---- common ---- */

#define VERBOSE_OPTION(initial)                                                                    \
    {                                                                                              \
        "verbose", 'v', OPT_BOOL, OPT_HIDDEN | OPT_DEPRECATED,                                     \
            OPT_AT(struct common_options, verbose), initial, "verbose output", NULL                \
    }
static int check_error_format(const char *value, coras_error **err)
{
    if (coras_streq(value, "text") || coras_streq(value, "json"))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "unknown error format: %s\nAvailable options: text, json", value);
}

#define ERROR_FORMAT_OPTION(at)                                                                    \
    {                                                                                              \
        "error-format", 0, OPT_STRING, 0, at, "text",                                              \
            "how a failure is told on stderr: text, or 'json' for one object with its code",       \
            check_error_format                                                                     \
    }
const struct opt error_format_options[] = {ERROR_FORMAT_OPTION(0), OPT_END};
const struct opt debug_options[] = {
    {"debug", 'd', OPT_BOOL, 0, OPT_AT(struct common_options, debug), NULL,
     "output debug logs (implies --no-tty)", NULL},
    ERROR_FORMAT_OPTION(OPT_AT(struct common_options, error_format)),
    OPT_END,
};
const struct opt verbose_on_options[] = {VERBOSE_OPTION("true"), OPT_END};
const struct opt verbose_off_options[] = {VERBOSE_OPTION(NULL), OPT_END};

void common_apply(const struct common_options *common)
{
    log_install(common->debug.value);
}

/* ---- progress ---- */

static int check_progress(const char *value, coras_error **err)
{
    if (coras_streq(value, PROGRESS_AUTO) || coras_streq(value, "plain") ||
        coras_streq(value, PROGRESS_JSON))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "unknown kind of progress: %s\nAvailable options: auto, plain, json", value);
}

const struct opt progress_options[] = {
    {"no-tty", 0, OPT_BOOL, 0, OPT_AT(struct progress_options, no_tty), NULL,
     "[Preview] disable progress bars", NULL},
    {"progress", 0, OPT_STRING, 0, OPT_AT(struct progress_options, kind), PROGRESS_AUTO,
     "how progress is shown: auto (bars on a terminal), plain, or 'json' for one object a line on "
     "stderr",
     check_progress},
    OPT_END,
};

/* ---- distribution spec ---- */

static int check_distribution_spec(const char *value, coras_error **err)
{
    if (coras_streq(value, "v1.1-referrers-api") || coras_streq(value, "v1.1-referrers-tag"))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "unknown distribution specification flag: %s\n"
                      "Available options: v1.1-referrers-tag, v1.1-referrers-api",
                      value);
}

const struct opt distribution_spec_options[] = {
    {"distribution-spec", 0, OPT_STRING, 0, 0, "unknown",
     "[Preview] set OCI distribution spec version and API option for <desc>target. Options: "
     "v1.1-referrers-tag, v1.1-referrers-api",
     check_distribution_spec},
    OPT_END,
};

/* ---- format ---- */

#define FORMAT_OPTION(initial, help)                                                               \
    {                                                                                              \
        "format", 0, OPT_STRING, 0, OPT_AT(struct format_options, format), initial,                \
            "[Experimental] format output using a custom template:\n" help, NULL                   \
    }
#define TEMPLATE_OPTION                                                                            \
    {                                                                                              \
        "template", 0, OPT_STRING, 0, OPT_AT(struct format_options, template_text), NULL,          \
            "[Experimental] template string used to format output", NULL                           \
    }

const struct opt format_options[] = {
    FORMAT_OPTION("text", "'json':         Print in JSON format\n"
                          "'go-template':  Print output using the given Go template\n"
                          "'text':         Print in text format"),
    TEMPLATE_OPTION,
    OPT_END,
};
const struct opt format_fetch_options[] = {
    FORMAT_OPTION("text", "'json':         Print in prettified JSON format\n"
                          "'go-template':  Print using the given Go template\n"
                          "'text':         Print in text format"),
    TEMPLATE_OPTION,
    OPT_END,
};
const struct opt format_discover_options[] = {
    FORMAT_OPTION("tree", "'table':        [Deprecated] Get referrers and output in table format\n"
                          "'json':         Get referrers and output in JSON format\n"
                          "'go-template':  Print referrers using the given Go template\n"
                          "'tree':         Get referrers and print in tree format"),
    TEMPLATE_OPTION,
    OPT_END,
};

static int fail_format(const char *name, bool discover, coras_error **err)
{
    coras_auto_free char *quoted = coras_go_quote_dup(name);
    if (!quoted)
        return coras_fail_no_memory(err);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "invalid format type: %s\nsupported types: %s", quoted,
                      discover ? "table, json, go-template, tree" : "json, go-template, text");
}

static int parse_format_name(const char *name, bool discover, enum format_kind *ret,
                             coras_error **err)
{
    static const struct {
        const char *name;
        enum format_kind kind;
        bool discover, others;
    } known[] = {
        {"json", FORMAT_JSON, true, true},    {"go-template", FORMAT_TEMPLATE, true, true},
        {"text", FORMAT_TEXT, false, true},   {"tree", FORMAT_TREE, true, false},
        {"table", FORMAT_TABLE, true, false},
    };
    for (size_t i = 0; i < CORAS_ARRAY_LEN(known); i++) {
        if (coras_streq(known[i].name, name) && (discover ? known[i].discover : known[i].others)) {
            *ret = known[i].kind;
            return 0;
        }
    }
    return fail_format(name, discover, err);
}

int format_check(struct format_options *format, bool discover, coras_error **err)
{
    static const char with_template[] = "go-template=";
    const char *text = format->format.value;
    format->template_source = format->template_text.value;
    if (*format->template_text.value && !coras_streq(text, "go-template"))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--template must be used with --format go-template");
    if (coras_str_starts(text, with_template)) {
        format->template_source = text + sizeof(with_template) - 1;
        format->kind = FORMAT_TEMPLATE;
    } else {
        CORAS_TRY(parse_format_name(text, discover, &format->kind, err));
    }
    if (format->kind == FORMAT_TEMPLATE && !*format->template_source)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "\"go-template\" format specified but no template given\nuse `--format "
                          "go-template=TEMPLATE` to specify the template");
    if (format->kind == FORMAT_TABLE)
        fputs("Format \"table\" is deprecated and will be removed in a future release.\n", stderr);
    return 0;
}

/* ---- platform ---- */

#define PLATFORM_FORM "`os[/arch][/variant][:os_version]`"
#define PLATFORM_OPTION(name, help)                                                                \
    {                                                                                              \
        name, 0, OPT_STRING, 0, OPT_AT(struct platform_option, text), NULL,                        \
            help " in the form of " PLATFORM_FORM, NULL                                            \
    }
const struct opt platform_options[] = {PLATFORM_OPTION("platform", "request platform"), OPT_END};
const struct opt platform_subject_options[] = {
    PLATFORM_OPTION("platform", "attach to an arch-specific subject"), OPT_END};
const struct opt platform_artifact_options[] = {
    PLATFORM_OPTION("artifact-platform", "[Experimental] set artifact platform"), OPT_END};

int platform_check(struct platform_option *platform, coras_error **err)
{
    if (!*platform->text.value)
        return 0;
    CORAS_TRY(coras_platform_parse(platform->text.value, &platform->platform, err));
    platform->given = true;
    return 0;
}

const coras_platform *platform_wanted(const struct platform_option *platform)
{
    return platform->given ? &platform->platform : NULL;
}

/* ---- single flags ---- */

const struct opt no_color_options[] = {
    {"no-tty", 0, OPT_BOOL, 0, 0, NULL, "[Preview] disable colors", NULL},
    OPT_END,
};
const struct opt descriptor_options[] = {
    {"descriptor", 0, OPT_BOOL, 0, 0, NULL, "output the descriptor", NULL},
    OPT_END,
};
const struct opt pretty_options[] = {
    {"pretty", 0, OPT_BOOL, 0, 0, NULL, "prettify JSON objects printed to stdout", NULL},
    OPT_END,
};
const struct opt force_delete_options[] = {
    {"force", 'f', OPT_BOOL, 0, 0, NULL, "ignore nonexistent references, never prompt", NULL},
    OPT_END,
};
