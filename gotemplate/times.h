/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time, durations and Go's layouts ("2006-01-02T15:04:05Z07:00") for templates. Zones are
 * UTC, the local one, fixed offsets, and the names of the system's zone database.
 */
#ifndef GOTMPL_TIMES_H
#define GOTMPL_TIMES_H

#include <time.h>
#include "gotemplate/value.h"

struct gotmpl_zone {
    enum { GOTMPL_ZONE_UTC, GOTMPL_ZONE_LOCAL, GOTMPL_ZONE_FIXED, GOTMPL_ZONE_NAMED } kind;
    int offset;             /* GOTMPL_ZONE_FIXED: seconds east */
    coras_str abbreviation; /* GOTMPL_ZONE_FIXED */
    const char *tz;         /* GOTMPL_ZONE_NAMED: a value of the variable TZ */
};

struct gotmpl_time {
    int64_t sec; /* since 1970 */
    int32_t nsec;
    const struct gotmpl_zone *zone;
    int offset; /* of the zone at this time */
    coras_str abbreviation;
};

extern const struct gotmpl_zone gotmpl_zone_utc, gotmpl_zone_local;
#define GOTMPL_ZERO_TIME (-62135596800LL) /* Go's zero value: year 1 */

const struct gotmpl_time *gotmpl_time_new(struct gotmpl_arena *a, int64_t sec, int32_t nsec,
                                          const struct gotmpl_zone *zone);
const struct gotmpl_time *gotmpl_time_now(struct gotmpl_arena *a);
/* By so many nanoseconds. */
const struct gotmpl_time *gotmpl_time_later(struct gotmpl_arena *a, const struct gotmpl_time *t,
                                            int64_t ns);
bool gotmpl_time_same(const struct gotmpl_time *x, const struct gotmpl_time *y);
/* Wall clock in its zone; the year is tm_year + 1900. */
struct tm gotmpl_time_fields(const struct gotmpl_time *t);
/* "" is UTC, "Local"; NULL for an unknown name. */
const struct gotmpl_zone *gotmpl_zone_load(struct gotmpl_arena *a, coras_str name);
/* Offset and abbreviation of the local or a named zone at a time (zone.c); false when the C library
 * cannot tell. */
#define GOTMPL_ZONE_ABBREVIATION 16 /* with its NUL: "CEST", "+0330" */
bool gotmpl_zone_look_up(const struct gotmpl_zone *zone, int64_t sec, int *ret_offset,
                         char abbreviation[GOTMPL_ZONE_ABBREVIATION]);

coras_str gotmpl_time_format(struct gotmpl_arena *a, const struct gotmpl_time *t, coras_str layout);
coras_str gotmpl_time_rfc3339(struct gotmpl_arena *a, const struct gotmpl_time *t);
/* NULL with Go's message. */
const struct gotmpl_time *gotmpl_time_parse(struct gotmpl_arena *a, coras_str layout,
                                            coras_str text, const struct gotmpl_zone *zone,
                                            coras_str *ret_problem);

coras_str gotmpl_duration_string(struct gotmpl_arena *a, int64_t nanoseconds);
/* False with Go's message. */
bool gotmpl_duration_parse(struct gotmpl_arena *a, coras_str s, int64_t *ret,
                           coras_str *ret_problem);
/* String(). */
coras_str gotmpl_time_string(struct gotmpl_arena *a, const struct gotmpl_time *t);

/* Parts of a layout (time_layout.c). */
enum gotmpl_time_part {
    GOTMPL_PART_NONE,
    GOTMPL_PART_LONG_MONTH,     /* January */
    GOTMPL_PART_MONTH,          /* Jan */
    GOTMPL_PART_NUM_MONTH,      /* 1 */
    GOTMPL_PART_ZERO_MONTH,     /* 01 */
    GOTMPL_PART_LONG_WEEKDAY,   /* Monday */
    GOTMPL_PART_WEEKDAY,        /* Mon */
    GOTMPL_PART_DAY,            /* 2 */
    GOTMPL_PART_UNDER_DAY,      /* _2 */
    GOTMPL_PART_ZERO_DAY,       /* 02 */
    GOTMPL_PART_UNDER_YEAR_DAY, /* __2 */
    GOTMPL_PART_ZERO_YEAR_DAY,  /* 002 */
    GOTMPL_PART_HOUR,           /* 15 */
    GOTMPL_PART_HOUR12,         /* 3 */
    GOTMPL_PART_ZERO_HOUR12,    /* 03 */
    GOTMPL_PART_MINUTE,         /* 4 */
    GOTMPL_PART_ZERO_MINUTE,    /* 04 */
    GOTMPL_PART_SECOND,         /* 5 */
    GOTMPL_PART_ZERO_SECOND,    /* 05 */
    GOTMPL_PART_LONG_YEAR,      /* 2006 */
    GOTMPL_PART_YEAR,           /* 06 */
    GOTMPL_PART_PM,             /* PM */
    GOTMPL_PART_LOWER_PM,       /* pm */
    GOTMPL_PART_ZONE_NAME,      /* MST */
    GOTMPL_PART_OFFSET,         /* -0700 -07:00 -07 Z0700 …: see `text` */
    GOTMPL_PART_FRACTION,       /* .000 or ,000 */
    GOTMPL_PART_FRACTION9,      /* .999: trailing zeros dropped */
};
/* The next part: literal text before it, the part as written, what comes after. */
enum gotmpl_time_part gotmpl_layout_next(coras_str layout, coras_str *prefix, coras_str *text,
                                         coras_str *rest);
extern const char *const gotmpl_month_names[12], *const gotmpl_weekday_names[7];

#endif
