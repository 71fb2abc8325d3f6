/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for the system's authorities, once per process.
 */
#include "http/trust.h"

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>
#include "base/str.h"

enum {
    HASH_LENGTH = 8, /* "5ed36f99.0" */
    /* Fewer are somebody's additions beside a bundle that would then go unread. */
    LEAST_CERTIFICATES = 60,
};

static const char system_dir[] = "/etc/ssl/certs";
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_hashed;     /* written once, under `once` */
static const char *bundle; /* so too */

static bool is_hashed_name(const char *name)
{
    size_t n = 0;

    while (n < HASH_LENGTH && coras_is_hex_lower(name[n]))
        n++;
    return n == HASH_LENGTH && name[n] == '.' && coras_is_digit(name[n + 1]) && !name[n + 2];
}

static void look_for_bundle(void)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Gentoo, Alpine */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
        "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL, newer Fedora */
        "/etc/ssl/cert.pem",                                 /* Alpine's base system */
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(places) && !bundle; i++) {
        if (access(places[i], R_OK) == 0)
            bundle = places[i];
    }
}

static void look_for_hashed_dir(void)
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

static void look(void)
{
    look_for_hashed_dir();
    look_for_bundle();
}

const char *coras_trust_hashed_dir(void)
{
    pthread_once(&once, look);
    return is_hashed ? system_dir : NULL;
}

const char *coras_trust_bundle(void)
{
    pthread_once(&once, look);
    return bundle;
}
