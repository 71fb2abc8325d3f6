/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for the system's hashed directory of authorities, once per process.
 */
#include "http/trust.h"

#include <dirent.h>
#include <pthread.h>
#include "base/str.h"

enum {
    HASH_LENGTH = 8, /* "5ed36f99.0" */
    /* Fewer are somebody's additions beside a bundle that would then go unread. */
    LEAST_CERTIFICATES = 60,
};

static const char system_dir[] = "/etc/ssl/certs";
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_hashed; /* written once, under `once` */

static bool is_hashed_name(const char *name)
{
    size_t n = 0;

    while (n < HASH_LENGTH && coras_is_hex_lower(name[n]))
        n++;
    return n == HASH_LENGTH && name[n] == '.' && coras_is_digit(name[n + 1]) && !name[n + 2];
}

static void look(void)
{
    DIR *dir = opendir(system_dir);
    struct dirent *entry;
    int found = 0;

    if (!dir)
        return;
    while (found < LEAST_CERTIFICATES && (entry = readdir(dir)))
        found += is_hashed_name(entry->d_name);
    closedir(dir);
    is_hashed = found == LEAST_CERTIFICATES;
}

const char *coras_trust_hashed_dir(void)
{
    pthread_once(&once, look);
    return is_hashed ? system_dir : NULL;
}
