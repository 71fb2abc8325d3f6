/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all commands.
 */
#include "cli/app/commands.h"

/* The order of children is that of suggestions; help sorts by name. */

static const struct cmd *const blob_children[] = {&cmd_blob_push, &cmd_blob_fetch, &cmd_blob_delete,
                                                  NULL};
static const struct cmd cmd_blob = {
    .name = "blob", .summary = "Blob operations", .children = blob_children};

static const struct cmd *const index_children[] = {&cmd_index_create, &cmd_index_update, NULL};
static const struct cmd cmd_index = {
    .name = "index", .summary = "[Experimental] Index operations", .children = index_children};

static const struct cmd *const manifest_children[] = {
    &cmd_manifest_push,   &cmd_manifest_fetch, &cmd_manifest_fetch_config,
    &cmd_manifest_delete, &cmd_index,          NULL,
};
static const struct cmd cmd_manifest = {
    .name = "manifest", .summary = "Manifest operations", .children = manifest_children};

static const struct cmd *const model_children[] = {
    &cmd_model_diff,    &cmd_model_export, &cmd_model_import,
    &cmd_model_inspect, &cmd_model_path,   &cmd_model_pull,
    &cmd_model_push,    &cmd_model_scan,   NULL};
static const struct cmd cmd_model = {
    .name = "model", .summary = "Machine-learning models as artifacts", .children = model_children};

static const struct cmd *const cache_children[] = {&cmd_cache_ls, &cmd_cache_prune,
                                                   &cmd_cache_verify, NULL};
static const struct cmd cmd_cache = {
    .name = "cache", .summary = "The cache of content and models", .children = cache_children};

static const char *const repo_aliases[] = {"repository", NULL};
static const struct cmd *const repo_children[] = {&cmd_repo_ls, &cmd_repo_tags, NULL};
static const struct cmd cmd_repo = {.name = "repo",
                                    .summary = "Repository operations",
                                    .aliases = repo_aliases,
                                    .children = repo_children};

static const struct cmd *const root_children[] = {
    &cmd_pull,
    &cmd_push,
    &cmd_login,
    &cmd_logout,
    &cmd_version,
    &cmd_discover,
    &cmd_resolve,
    &cmd_cp,
    &cmd_tag,
    &cmd_attach,
    &cmd_backup,
    &cmd_restore,
    &cmd_blob,
    &cmd_manifest,
    &cmd_repo,
    &cmd_model,
    &cmd_cache,
    &cmd_serve,
    &cmd_explain,
    &cmd_completion,
    &cmd_help,
    &cmd_complete,
    &cmd_complete_no_desc,
    &cmd_man,
    NULL,
};
const struct cmd cmd_root = {.name = "", .children = root_children};
