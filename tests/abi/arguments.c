/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the public functions say to arguments that are missing, from outside: an error, no crash.
 */
#include <stdio.h>
#include <string.h>

#include <coras/coras.h>

static int failures;

static void refused(const char *what, int rc)
{
    if (rc == CORAS_ERR_INVALID_ARGUMENT)
        return;
    printf("%s: %s\n", what, coras_error_name(rc));
    failures++;
}
#define REFUSED(call) refused(#call, (call))

static void check_missing(void)
{
    coras_descriptor desc = CORAS_DESCRIPTOR_INIT;
    coras_digest digest = {0};
    coras_target *target = NULL;
    coras_client *client = NULL;
    coras_artifact *artifact = NULL;
    coras_pull_result pulled = {0};
    coras_model *model = NULL;
    coras_scan_result found = CORAS_SCAN_RESULT_INIT;
    coras_model_facts *facts = NULL;
    coras_model_difference *difference = NULL;
    char *bytes = NULL;
    char buffer[1];

    REFUSED(coras_client_new(NULL, NULL, NULL));
    REFUSED(coras_login(NULL, NULL, NULL, NULL));
    REFUSED(coras_logout(NULL, NULL, NULL, NULL));
    REFUSED(coras_repository_open(NULL, "h", "n", &target, NULL));
    REFUSED(coras_layout_open(NULL, CORAS_LAYOUT_READ, &target, NULL));
    REFUSED(coras_resolve(NULL, "t", &desc, NULL));
    REFUSED(coras_fetch_manifest(NULL, "t", NULL, &desc, &bytes, NULL));
    REFUSED(coras_fetch_bytes(NULL, &desc, 1, &bytes, NULL));
    REFUSED(coras_fetch_blob(NULL, &desc, NULL, NULL, NULL));
    REFUSED(coras_resolve_blob(NULL, &digest, &desc, NULL));
    REFUSED(coras_list_tags(NULL, NULL, NULL, NULL, NULL));
    REFUSED(coras_list_referrers(NULL, &desc, NULL, NULL, NULL, NULL));
    REFUSED(coras_delete(NULL, &desc, NULL));
    REFUSED(coras_push_blob(NULL, &desc, 0, NULL, NULL));
    REFUSED(coras_save_blob(NULL, &desc, "f", NULL, NULL));
    REFUSED(coras_copy_blob(NULL, NULL, &desc, NULL, NULL));
    REFUSED(coras_artifact_prepare(NULL, 1, NULL, NULL, &artifact, NULL));
    REFUSED(coras_artifact_push(NULL, NULL, NULL, NULL, &desc, NULL, NULL));
    REFUSED(coras_pull(NULL, "t", NULL, NULL, &pulled, NULL));
    REFUSED(coras_copy(NULL, "t", NULL, NULL, NULL, NULL, &desc, NULL));
    REFUSED(coras_find_file(NULL, "t", "f", NULL, &desc, NULL));
    REFUSED(coras_read_range(NULL, &desc, 0, 1, buffer, NULL));
    REFUSED(coras_read_ranges(NULL, NULL, 0, NULL, NULL, NULL));
    REFUSED(coras_model_open(NULL, "t", NULL, NULL, &model, NULL));
    REFUSED(coras_model_open_path(NULL, NULL, &model, NULL));
    REFUSED(coras_model_scan(NULL, &found, NULL));
    REFUSED(coras_model_scan_at(NULL, NULL, NULL, NULL, &found, NULL));
    REFUSED(coras_model_diff(NULL, NULL, NULL, &difference, NULL));
    REFUSED(coras_model_inspect(NULL, NULL, &facts, NULL));
    REFUSED(coras_digest_parse(NULL, &digest, NULL));
    REFUSED(coras_reference_parse(NULL, NULL, NULL));
    REFUSED(coras_registry_validate(NULL, NULL));
    REFUSED(coras_repository_validate(NULL, NULL));
    REFUSED(coras_tag_validate(NULL, NULL));
    REFUSED(coras_annotations_set(NULL, NULL, NULL, NULL));
    REFUSED(coras_annotations_merge(NULL, NULL, NULL));
    REFUSED(coras_descriptor_copy(NULL, NULL, NULL));
    REFUSED(coras_descriptor_set(NULL, NULL, NULL, 0, NULL));
    REFUSED(coras_descriptor_to_json(NULL, NULL, NULL));
    REFUSED(coras_digest_of(CORAS_SHA256, NULL, 1, &digest, NULL));
    REFUSED(coras_count_referrers(NULL, NULL, NULL, NULL));
    REFUSED(coras_layout_export(NULL, 0, NULL, NULL));
    REFUSED(coras_tag(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(coras_resolve_platform(NULL, NULL, NULL, NULL, NULL));
    REFUSED(coras_list_repositories(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(coras_cache_open(NULL, NULL, NULL, NULL));
    REFUSED(coras_index_create(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(coras_index_update(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(coras_environment_load(NULL, NULL));
    (void)client;
}

/* An empty layout in the working directory; whatever goes wrong shows as a failure below. */
static coras_target *open_layout(void)
{
    coras_target *target = NULL;

    if (coras_layout_open("empty-layout", CORAS_LAYOUT_WRITE, &target, NULL) < 0)
        failures++;
    return target;
}

static void check_options_without_size(void)
{
    coras_client_options options;
    coras_client *client = NULL;
    coras_target *target = open_layout();
    coras_backup_options backup;
    coras_restore_options restore;

    memset(&options, 0, sizeof(options));
    REFUSED(coras_client_new(&options, &client, NULL));
    memset(&backup, 0, sizeof(backup));
    REFUSED(coras_backup(target, target, &backup, NULL, NULL));
    memset(&restore, 0, sizeof(restore));
    REFUSED(coras_restore(target, target, &restore, NULL, NULL));
    coras_target_close(target);
}

/* What may be NULL does nothing. */
static void check_nothing(void)
{
    coras_error_free(NULL);
    coras_client_free(NULL);
    coras_target_close(NULL);
    coras_artifact_free(NULL);
    coras_cancel_free(NULL);
    coras_environment_free(NULL);
    coras_free(NULL);
    if (coras_error_code(NULL) != CORAS_OK)
        failures++;
}

int main(void)
{
    check_missing();
    check_options_without_size();
    check_nothing();
    return failures ? 1 : 0;
}
