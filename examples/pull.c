/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pull a model into a directory and show how far it is.
 *
 *     cc pull.c -o pull $(pkg-config --cflags --libs coras)
 *     ./pull localhost:5000/models/tiny:v1 models/tiny
 *
 * What is already right stays as it is, what was cut goes on where it stopped, and a file has its
 * name only when all its bytes are verified.
 */
#include <stdio.h>

#include <coras/coras.h>

/* Say what went wrong, whose fault it was, and what helps. */
static int report(coras_error *error)
{
    fprintf(stderr, "error: %s\n", coras_error_message(error));
    if (coras_error_hint(error))
        fprintf(stderr, "hint: %s\n", coras_error_hint(error));
    coras_error_free(error);
    return 1;
}

/* Events come one at a time, on the thread that has called coras_pull(). */
static void show(const coras_event *event, void *user)
{
    (void)user;
    if (!event->desc || !event->named)
        return; /* the manifest, and content without a file name */
    if (event->kind == CORAS_EVENT_PROGRESS)
        printf("\r%s: %.0f %%", event->name,
               100.0 * (double)event->offset / (double)event->desc->size);
    else if (event->kind == CORAS_EVENT_DONE || event->kind == CORAS_EVENT_SKIPPED)
        printf("\r%s: %s\n", event->name,
               event->kind == CORAS_EVENT_DONE ? "done " : "is there already");
    fflush(stdout);
}

static int pull(coras_client *client, const coras_reference *what, const char *directory,
                const coras_environment *environment, coras_error **err)
{
    coras_pull_options options = CORAS_PULL_OPTIONS_INIT;
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    coras_pull_result result = {0};
    coras_target *target = NULL;
    size_t i;
    int rc = coras_repository_open(client, what->registry, what->repository, &target, err);

    if (rc < 0)
        return rc;
    options.output = directory;
    run.on_event = show;
    run.environment = environment;
    rc = coras_pull(target, what->reference, &options, &run, &result, err);
    for (i = 0; rc == 0 && i < result.file_count; i++)
        printf("%s (%lld bytes)\n", result.files[i].path, (long long)result.files[i].desc.size);
    coras_pull_result_clear(&result);
    coras_target_close(target);
    return rc;
}

int main(int argc, char **argv)
{
    coras_client_options options = CORAS_CLIENT_OPTIONS_INIT;
    coras_environment *environment = NULL;
    coras_client *client = NULL;
    coras_reference what = {0};
    coras_error *error = NULL;
    int rc;

    if (argc != 3) {
        fprintf(stderr, "usage: %s REGISTRY/NAME:TAG DIRECTORY\n", argv[0]);
        return 2;
    }
    /* Credentials, proxies and authorities as the command lines of this machine have them. */
    rc = coras_environment_load(&environment, &error);
    options.environment = environment;
    if (rc == 0)
        rc = coras_reference_parse(argv[1], &what, &error);
    if (rc == 0)
        rc = coras_client_new(&options, &client, &error);
    if (rc == 0)
        rc = pull(client, &what, argv[2], environment, &error);
    coras_client_free(client);
    coras_reference_clear(&what);
    coras_environment_free(environment);
    return rc < 0 ? report(error) : 0;
}
