/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place that a command works on: `<registry>/<repository>[:<tag>|@<digest>]`, or an OCI image
 * layout, from the argument and the options to an open target.
 */
#ifndef CORAS_CLI_OPTIONS_TARGETREF_H
#define CORAS_CLI_OPTIONS_TARGETREF_H

#include "cli/options/optgroups.h"
#include "coras/cache.h"

struct target_options {
    struct remote_options remote;
    struct opt_bool oci_layout;
    struct opt_string oci_layout_path;
    struct opt_string distribution_spec;
    /* set by the command before target_parse() */
    const char *prefix; /* of the option names: "from-"; or NULL */
    const char *advice; /* put in front of the last line of reference errors; or NULL */
    /* after target_parse() */
    char *raw; /* the argument without extra tags */
    bool is_layout;
    char *path;     /* of the layout, or "<registry>/<repository>" */
    char *registry; /* NULL for layouts */
    char *repository;
    char *reference; /* tag or digest; NULL when none was given */
    coras_strlist extra_tags;
    const char **extra_tag_items; /* the same, NULL-terminated; NULL when there are none */
    /* after target_open() or target_open_source() */
    coras_client *client;
    coras_target *target;
    coras_target *origin, *store; /* what a cache in `target` stands on; NULL: `target` is none */
};

extern const struct opt target_options_table[]; /* --oci-layout, --oci-layout-path */

/* The groups of a target at `member` of a command's state, for a table of struct opt_use. */
#define TARGET_GROUPS(type, member)                                                                \
    {remote_options, offsetof(type, member.remote), NULL, NULL},                                   \
        {remote_stdin_options, offsetof(type, member.remote), NULL, NULL},                         \
    {                                                                                              \
        target_options_table, offsetof(type, member), NULL, NULL                                   \
    }
#define DISTRIBUTION_GROUP(type, member)                                                           \
    {                                                                                              \
        distribution_spec_options, offsetof(type, member.distribution_spec), NULL, NULL            \
    }

/* Parse the argument and check the options. */
CORAS_MUST_CHECK int target_parse(struct call *call, struct target_options *t, const char *raw,
                                  coras_error **err);
/* The same for `<name>:<tag>,<tag>,…`. */
CORAS_MUST_CHECK int target_parse_tags(struct call *call, struct target_options *t, const char *raw,
                                       coras_error **err);
/* Its two steps, for commands that check other options between them. */
CORAS_MUST_CHECK int target_parse_first(struct call *call, struct target_options *t,
                                        const char *raw, coras_error **err);
CORAS_MUST_CHECK int target_parse_extra(struct target_options *t, const char *raw,
                                        coras_error **err);
/* One more tag for what is pushed; refuses an empty and a bad one. */
CORAS_MUST_CHECK int target_add_extra_tag(struct target_options *t, const char *tag, size_t len,
                                          coras_error **err);
/* Tags as the library takes them: NULL-terminated, borrowed from the list, the array new. *ret is
 * left alone when there are none. */
CORAS_MUST_CHECK int tag_items(const coras_strlist *tags, const char ***ret, coras_error **err);
/* Open for reading or writing (layouts are made when missing). `base_resolve` may be NULL. */
CORAS_MUST_CHECK int target_open(struct call *call, struct target_options *t,
                                 enum coras_layout_mode mode, const struct opt_list *base_resolve,
                                 coras_error **err);
/* Open for reading content, through the layout that ORAS_CACHE names, if it is set. */
CORAS_MUST_CHECK int target_open_source(struct call *call, struct target_options *t,
                                        const struct opt_list *base_resolve, coras_error **err);
void target_clear(struct target_options *t);

/* "registry" or "oci-layout", as in "Pushed [registry] …". */
const char *target_kind(const struct target_options *t);
/* The error of a command that needs a tag or digest and got none. */
CORAS_MUST_CHECK int target_require_reference(const struct call *call,
                                              const struct target_options *t, coras_error **err);
/* The digest of the reference; errors of commands that need one. */
CORAS_MUST_CHECK int target_require_digest(const struct call *call, const struct target_options *t,
                                           coras_digest *ret, coras_error **err);

/* The cache that the user asks for (ORAS_CACHE); NULL: none. */
const char *cache_directory(void);

#endif
