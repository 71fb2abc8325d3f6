/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands where an inference engine's own download code would stand: a reference becomes files
 * on disk, and the engine gets the path of the model and that of its projector.
 *
 *     cc load_model.c -o load_model $(pkg-config --cflags --libs coras)
 *     ./load_model localhost:5000/models/tiny:v1 ./models/tiny
 *
 * The package may have been written by any tool. What is there already is not fetched again.
 */
#include <stdio.h>
#include <string.h>

#include <coras/coras.h>

/* The place of llama_model_load_from_file() and its kin. */
static int load(const char *model, const char *projector)
{
    if (!model) {
        fprintf(stderr, "error: no GGUF file in this model\n");
        return 1;
    }
    printf("model %s\n", model);
    if (projector)
        printf("projector %s\n", projector);
    return 0;
}

static int ends_in_gguf(const char *path)
{
    size_t len = strlen(path);

    return len > 5 && strcmp(path + len - 5, ".gguf") == 0;
}

/* Of a split model the engine wants the first shard, whose name sorts before the others'. */
static int load_gguf(const coras_model_got *got)
{
    const char *model = NULL, *projector = NULL;

    for (size_t i = 0; i < got->file_count; i++) {
        const char *path = got->files[i].path;
        if (!ends_in_gguf(path))
            continue;
        if (strstr(path, "mmproj"))
            projector = path;
        else if (!model || strcmp(path, model) < 0)
            model = path;
    }
    return load(model, projector);
}

static void show_progress(const coras_event *event, void *user)
{
    (void)user;
    if (event->kind == CORAS_EVENT_START && event->name)
        fprintf(stderr, "fetching %s\n", event->name);
}

static int get_and_load(coras_target *target, const char *reference, const char *directory,
                        coras_error **err)
{
    coras_model_get_options options = CORAS_MODEL_GET_OPTIONS_INIT;
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    coras_model_got got = {0};
    int rc;

    options.output = directory;
    run.on_event = show_progress;
    rc = coras_model_get(target, reference, &options, &run, &got, err);
    if (rc == 0)
        rc = load_gguf(&got);
    coras_model_got_clear(&got);
    return rc;
}

static int report(coras_error *error)
{
    fprintf(stderr, "error: %s\n", coras_error_message(error));
    coras_error_free(error);
    return 1;
}

int main(int argc, char **argv)
{
    coras_client_options options = CORAS_CLIENT_OPTIONS_INIT;
    coras_environment *environment = NULL;
    coras_client *client = NULL;
    coras_target *target = NULL;
    coras_reference what = {0};
    coras_error *error = NULL;
    int rc;

    if (argc != 3) {
        fprintf(stderr, "usage: %s REGISTRY/NAME:TAG DIRECTORY\n", argv[0]);
        return 2;
    }
    rc = coras_environment_load(&environment, &error);
    options.environment = environment;
    if (rc == 0)
        rc = coras_reference_parse(argv[1], &what, &error);
    if (rc == 0)
        rc = coras_client_new(&options, &client, &error);
    if (rc == 0)
        rc = coras_repository_open(client, what.registry, what.repository, &target, &error);
    if (rc == 0)
        rc = get_and_load(target, what.reference, argv[2], &error);
    coras_target_close(target);
    coras_client_free(client);
    coras_reference_clear(&what);
    coras_environment_free(environment);
    return rc < 0 ? report(error) : rc;
}
