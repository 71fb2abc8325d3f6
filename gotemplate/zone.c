/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones, by the C library. It knows one zone at a time, that of the variable TZ, so another
 * one is had by setting TZ for the moment of the conversion, under a lock. Threads that read the
 * environment meanwhile would see it: templates are run when no other work is going on.
 */
#include "gotemplate/times.h"

#include <pthread.h>
#include <unistd.h>
#include "base/alloc.h"

const struct gotmpl_zone gotmpl_zone_utc = {.kind = GOTMPL_ZONE_UTC};
const struct gotmpl_zone gotmpl_zone_local = {.kind = GOTMPL_ZONE_LOCAL};

static pthread_mutex_t one_zone = PTHREAD_MUTEX_INITIALIZER;

static bool convert(int64_t sec, int *ret_offset, char abbreviation[GOTMPL_ZONE_ABBREVIATION])
{
    time_t at = (time_t)sec;
    struct tm tm;

    if (!localtime_r(&at, &tm))
        return false;
    *ret_offset = (int)tm.tm_gmtoff;
    snprintf(abbreviation, GOTMPL_ZONE_ABBREVIATION, "%s", tm.tm_zone);
    return true;
}

/* False when memory is short; NULL takes the variable away. */
static bool set_zone(const char *value)
{
    bool good = (value ? setenv("TZ", value, 1) : unsetenv("TZ")) == 0;

    tzset();
    return good;
}

static bool convert_in(const char *zone, int64_t sec, int *ret_offset,
                       char abbreviation[GOTMPL_ZONE_ABBREVIATION])
{
    const char *usual = getenv("TZ");
    coras_auto_free char *kept = usual ? coras_strdup(usual) : NULL;
    bool good;

    if (usual && !kept)
        return false;
    good = set_zone(zone) && convert(sec, ret_offset, abbreviation);
    return set_zone(kept) && good;
}

bool gotmpl_zone_look_up(const struct gotmpl_zone *zone, int64_t sec, int *ret_offset,
                         char abbreviation[GOTMPL_ZONE_ABBREVIATION])
{
    bool good;

    pthread_mutex_lock(&one_zone);
    if (zone->kind == GOTMPL_ZONE_LOCAL)
        good = convert(sec, ret_offset, abbreviation);
    else
        good = convert_in(zone->tz, sec, ret_offset, abbreviation);
    pthread_mutex_unlock(&one_zone);
    return good;
}

/* A file of the zone database, by a name that cannot lead out of it. */
static bool is_in_database(struct gotmpl_arena *a, coras_str name)
{
    if (name.len > GOTMPL_LIMIT_ZONE_NAME || name.ptr[0] == '/' ||
        gotmpl_find(name, CORAS_STR("..")) != GOTMPL_NOT_FOUND)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!coras_is_alnum(name.ptr[i]) && (!name.ptr[i] || !strchr("_-+/", name.ptr[i])))
            return false;
    return access(gotmpl_format(a, "/usr/share/zoneinfo/%.*s", (int)name.len, name.ptr).ptr,
                  R_OK) == 0;
}

const struct gotmpl_zone *gotmpl_zone_load(struct gotmpl_arena *a, coras_str name)
{
    struct gotmpl_zone *zone;

    if (name.len == 0 || coras_str_eq(name, "UTC"))
        return &gotmpl_zone_utc;
    if (coras_str_eq(name, "Local"))
        return &gotmpl_zone_local;
    if (!is_in_database(a, name))
        return NULL;
    zone = gotmpl_alloc(a, sizeof(*zone));
    zone->kind = GOTMPL_ZONE_NAMED;
    zone->tz = gotmpl_format(a, ":%.*s", (int)name.len, name.ptr).ptr;
    return zone;
}
