/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host program with its own use of jansson, its own locale and its own signal handlers: the
 * library must leave all of them alone, print nothing and look at no environment variable.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <coras/coras.h>
#include <jansson.h>

static size_t calls;

static void *own_malloc(size_t size)
{
    calls++;
    return malloc(size);
}

static int use_library(const char *layout, coras_error **err)
{
    coras_descriptor desc = CORAS_DESCRIPTOR_INIT;
    coras_client *client = NULL;
    coras_target *target = NULL;
    char *bytes = NULL;
    int rc = coras_client_new(NULL, &client, err);

    if (rc == 0)
        rc = coras_layout_open(layout, CORAS_LAYOUT_READ, &target, err);
    if (rc == 0)
        rc = coras_fetch_manifest(target, "v1", NULL, &desc, &bytes, err);
    if (rc == 0 && strlen(bytes) != (size_t)desc.size)
        rc = CORAS_ERR_INTERNAL;
    coras_free(bytes);
    coras_descriptor_clear(&desc);
    coras_target_close(target);
    coras_client_free(client);
    return rc;
}

int main(int argc, char **argv)
{
    coras_error *error = NULL;
    json_malloc_t malloc_now;
    json_free_t free_now;
    struct sigaction before, after;

    if (argc != 2 || strcmp(coras_version(), EXPECTED_VERSION) != 0 ||
        coras_version_number() != CORAS_VERSION_NUMBER)
        return 2;
    json_set_alloc_funcs(own_malloc, free);
    sigaction(SIGPIPE, NULL, &before);
    if (use_library(argv[1], &error) < 0) {
        fprintf(stderr, "%s\n", coras_error_message(error));
        return 3;
    }
    sigaction(SIGPIPE, NULL, &after);
    json_get_alloc_funcs(&malloc_now, &free_now);
    if (malloc_now != own_malloc || free_now != free || calls != 0)
        return 4;
    if (before.sa_handler != after.sa_handler)
        return 5;
    return 0;
}
