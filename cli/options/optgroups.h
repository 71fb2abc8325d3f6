/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option groups that commands share: tables, the structs that their values land in, and the checks
 * that follow parsing. The order of the checks is part of the interface: the first error wins.
 */
#ifndef CORAS_CLI_OPTIONS_OPTGROUPS_H
#define CORAS_CLI_OPTIONS_OPTGROUPS_H

#include "base/str.h"
#include "cli/app/command.h"
#include "coras/descriptor.h"

#define OPT_END                                                                                    \
    {                                                                                              \
        0                                                                                          \
    }
#define OPT_AT(type, member) offsetof(type, member)

/* Of --force, which cp and push have. */
#define FORCE_COPY_HELP                                                                            \
    "force a deep traversal of the destination graph before tagging the root; useful when the "    \
    "destination is partially populated (e.g. by a registry cache)"

/* ---- common ---- */
struct common_options {
    struct opt_bool debug;
    struct opt_bool verbose;
    struct opt_string error_format;
};
extern const struct opt error_format_options[]; /* one struct opt_string; debug_options has it */
extern const struct opt debug_options[];
extern const struct opt verbose_on_options[];  /* --verbose with default true */
extern const struct opt verbose_off_options[]; /* the flag has no effect */
/* Switch the log on. */
void common_apply(const struct common_options *common);

/* ---- progress ---- */
#define PROGRESS_AUTO "auto"
#define PROGRESS_JSON "json"
struct progress_options {
    struct opt_bool no_tty;
    struct opt_string kind;
};
extern const struct opt progress_options[];

/* ---- remote ---- */
struct remote_options {
    struct opt_string username;
    struct opt_string password;
    struct opt_bool password_stdin;
    struct opt_string identity_token;
    struct opt_bool identity_token_stdin;
    struct opt_bool insecure;
    struct opt_bool plain_http;
    struct opt_string ca_file;
    struct opt_string cert_file;
    struct opt_string key_file;
    struct opt_list resolve;
    struct opt_bool allow_private_token_service;
    struct opt_list registry_config;
    struct opt_list headers;
    /* after remote_check() */
    char *stdin_secret; /* owned, wiped */
};
extern const struct opt remote_options[];
extern const struct opt remote_stdin_options[]; /* the two -stdin flags */
/* Checks, and the secret from stdin. `prefix` is "from-" or NULL. */
CORAS_MUST_CHECK int remote_check(struct remote_options *remote, const char *prefix,
                                  coras_error **err);
void remote_clear(struct remote_options *remote);
/* The secret: password or token, from a flag or stdin; NULL when none was given. Borrowed. */
const char *remote_secret(const struct remote_options *remote);
/* A client by these options. `base_resolve` (may be NULL) goes in front of --resolve. */
CORAS_MUST_CHECK int remote_client(struct call *call, const struct remote_options *remote,
                                   const char *distribution_spec,
                                   const struct opt_list *base_resolve, coras_client **ret,
                                   coras_error **err);

/* ---- distribution spec: the value is kept by the target ---- */
extern const struct opt distribution_spec_options[]; /* one struct opt_string */

/* ---- format ---- */
enum format_kind { FORMAT_TEXT, FORMAT_JSON, FORMAT_TEMPLATE, FORMAT_TREE, FORMAT_TABLE };
struct format_options {
    struct opt_string format;
    struct opt_string template_text;
    /* after format_check() */
    enum format_kind kind;
    const char *template_source; /* borrowed from the option */
};
extern const struct opt format_options[];          /* text, json, go-template */
extern const struct opt format_fetch_options[];    /* the same in manifest fetch's words */
extern const struct opt format_discover_options[]; /* tree, table, json, go-template */
CORAS_MUST_CHECK int format_check(struct format_options *format, bool discover, coras_error **err);

/* ---- platform ---- */
struct platform_option {
    struct opt_string text;
    /* after platform_check() */
    coras_platform platform;
    bool given;
};
extern const struct opt platform_options[];          /* --platform */
extern const struct opt platform_subject_options[];  /* --platform of attach */
extern const struct opt platform_artifact_options[]; /* --artifact-platform of push */
CORAS_MUST_CHECK int platform_check(struct platform_option *platform, coras_error **err);
/* NULL when none was asked for. */
const coras_platform *platform_wanted(const struct platform_option *platform);

/* ---- colours, descriptor, pretty, confirmation ---- */
extern const struct opt no_color_options[];     /* the same flag in discover's words */
extern const struct opt descriptor_options[];   /* one struct opt_bool */
extern const struct opt pretty_options[];       /* one struct opt_bool */
extern const struct opt force_delete_options[]; /* one struct opt_bool */

#endif
