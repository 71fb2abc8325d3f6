/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push files as one artifact.
 *
 *     cc push.c -o push $(pkg-config --cflags --libs coras)
 *     ./push localhost:5000/models/tiny:v1 model.safetensors tokenizer.json
 *
 * Content goes first and the tag last, so nobody sees a tag whose content is missing. What the
 * registry has is not sent again.
 */
#include <stdio.h>
#include <stdlib.h>

#include <coras/coras.h>

static int report(coras_error *error)
{
    fprintf(stderr, "error: %s\n", coras_error_message(error));
    if (coras_error_hint(error))
        fprintf(stderr, "hint: %s\n", coras_error_hint(error));
    coras_error_free(error);
    return 1;
}

/* Two steps, so that a missing file is noticed before anything is connected. */
static int push(coras_target *target, const char *tag, char **paths, size_t count,
                const coras_run_options *run, coras_error **err)
{
    coras_pack_options pack = CORAS_PACK_OPTIONS_INIT;
    coras_push_options options = CORAS_PUSH_OPTIONS_INIT;
    coras_descriptor root = CORAS_DESCRIPTOR_INIT;
    coras_artifact *artifact = NULL;
    coras_file *files = calloc(count, sizeof(*files));
    char text[CORAS_DIGEST_TEXT_MAX];
    size_t i;
    int rc;

    if (!files)
        return CORAS_ERR_NO_MEMORY;
    for (i = 0; i < count; i++)
        files[i].path = paths[i]; /* the path as given becomes the file's name */
    pack.artifact_type = "application/vnd.example.model";
    options.reference = tag;
    rc = coras_artifact_prepare(files, count, &pack, run, &artifact, err);
    if (rc == 0)
        rc = coras_artifact_push(artifact, target, &options, run, &root, NULL, err);
    if (rc == 0)
        printf("%s\n", coras_digest_format(&root.digest, text));
    coras_descriptor_clear(&root);
    coras_artifact_free(artifact);
    free(files);
    return rc;
}

int main(int argc, char **argv)
{
    coras_client_options options = CORAS_CLIENT_OPTIONS_INIT;
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    coras_environment *environment = NULL;
    coras_client *client = NULL;
    coras_target *target = NULL;
    coras_reference where = {0};
    coras_error *error = NULL;
    int rc;

    if (argc < 3) {
        fprintf(stderr, "usage: %s REGISTRY/NAME:TAG FILE...\n", argv[0]);
        return 2;
    }
    rc = coras_environment_load(&environment, &error);
    options.environment = run.environment = environment;
    if (rc == 0)
        rc = coras_reference_parse(argv[1], &where, &error);
    if (rc == 0)
        rc = coras_client_new(&options, &client, &error);
    if (rc == 0)
        rc = coras_repository_open(client, where.registry, where.repository, &target, &error);
    if (rc == 0)
        rc = push(target, where.reference, argv + 2, (size_t)argc - 2, &run, &error);
    coras_target_close(target);
    coras_client_free(client);
    coras_reference_clear(&where);
    coras_environment_free(environment);
    return rc < 0 ? report(error) : 0;
}
