/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read a part of one file of an artifact into memory, without pulling the rest: the header of a
 * model, say.
 *
 *     cc read_range.c -o read_range $(pkg-config --cflags --libs coras)
 *     ./read_range localhost:5000/models/tiny:v1 model.safetensors 0 8 | xxd
 *
 * A digest covers a whole file, so what is read here is not verified.
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

static int show_part(coras_target *target, const coras_descriptor *file, int64_t offset,
                     size_t length, coras_error **err)
{
    char *buffer = malloc(length ? length : 1);
    int rc;

    if (!buffer)
        return CORAS_ERR_NO_MEMORY;
    rc = coras_read_range(target, file, offset, length, buffer, err);
    if (rc == 0)
        fwrite(buffer, 1, length, stdout);
    free(buffer);
    return rc;
}

static int show_file(coras_target *target, const coras_reference *what, char **argv,
                     coras_error **err)
{
    coras_descriptor file = CORAS_DESCRIPTOR_INIT;
    int rc = coras_find_file(target, what->reference, argv[2], NULL, &file, err);

    if (rc == 0)
        rc = show_part(target, &file, strtoll(argv[3], NULL, 10), strtoul(argv[4], NULL, 10), err);
    coras_descriptor_clear(&file);
    return rc;
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

    if (argc != 5) {
        fprintf(stderr, "usage: %s REGISTRY/NAME:TAG FILE OFFSET LENGTH\n", argv[0]);
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
        rc = show_file(target, &what, argv, &error);
    coras_target_close(target);
    coras_client_free(client);
    coras_reference_clear(&what);
    coras_environment_free(environment);
    return rc < 0 ? report(error) : 0;
}
