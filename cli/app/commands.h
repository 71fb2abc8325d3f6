/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All commands. Each is defined in its cmd_<name>.c, groups in commands.c.
 */
#ifndef CORAS_CLI_APP_COMMANDS_H
#define CORAS_CLI_APP_COMMANDS_H

#include "cli/app/command.h"

extern const struct cmd cmd_attach;
extern const struct cmd cmd_backup;
extern const struct cmd cmd_blob_delete;
extern const struct cmd cmd_blob_fetch;
extern const struct cmd cmd_blob_push;
extern const struct cmd cmd_cache_ls;
extern const struct cmd cmd_cache_prune;
extern const struct cmd cmd_cache_verify;
extern const struct cmd cmd_complete;
extern const struct cmd cmd_complete_no_desc;
extern const struct cmd cmd_completion;
extern const struct cmd cmd_cp;
extern const struct cmd cmd_discover;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_help;
extern const struct cmd cmd_index_create;
extern const struct cmd cmd_index_update;
extern const struct cmd cmd_login;
extern const struct cmd cmd_logout;
extern const struct cmd cmd_man;
extern const struct cmd cmd_manifest_delete;
extern const struct cmd cmd_manifest_fetch;
extern const struct cmd cmd_manifest_fetch_config;
extern const struct cmd cmd_manifest_push;
extern const struct cmd cmd_model_export;
extern const struct cmd cmd_model_import;
extern const struct cmd cmd_model_path;
extern const struct cmd cmd_model_pull;
extern const struct cmd cmd_model_push;
extern const struct cmd cmd_model_scan;
extern const struct cmd cmd_model_diff;
extern const struct cmd cmd_model_inspect;
extern const struct cmd cmd_pull;
extern const struct cmd cmd_push;
extern const struct cmd cmd_repo_ls;
extern const struct cmd cmd_repo_tags;
extern const struct cmd cmd_resolve;
extern const struct cmd cmd_restore;
extern const struct cmd cmd_serve;
extern const struct cmd cmd_serve_doctor;
extern const struct cmd cmd_serve_gc;
extern const struct cmd cmd_serve_verify;
extern const struct cmd cmd_tag;
extern const struct cmd cmd_version;

#endif
