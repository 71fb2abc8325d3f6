/*
 * Points in time, durations and Go's layouts ("2006-01-02T15:04:05Z07:00") for templates. Zones are
 * UTC, the local one, fixed offsets, and the names of the system's zone database.
 */
#ifndef CORAS_GOTEMPLATE_TIMES_H
#define CORAS_GOTEMPLATE_TIMES_H

#include <time.h>
#include "gotemplate/value.h"

struct tpl_zone {
    enum { TPL_ZONE_UTC, TPL_ZONE_LOCAL, TPL_ZONE_FIXED, TPL_ZONE_FILE } kind;
    int offset;             /* TPL_ZONE_FIXED: seconds east */
    coras_str abbreviation; /* TPL_ZONE_FIXED */
    coras_str data;         /* TPL_ZONE_FILE: the TZif file */
};

struct tpl_time {
    int64_t sec; /* since 1970 */
    int32_t nsec;
    const struct tpl_zone *zone;
    int offset; /* of the zone at this time */
    coras_str abbreviation;
};

extern const struct tpl_zone tpl_zone_utc, tpl_zone_local;
#define TPL_ZERO_TIME (-62135596800LL) /* Go's zero value: year 1 */

const struct tpl_time *tpl_time_new(struct tpl_arena *a, int64_t sec, int32_t nsec,
                                    const struct tpl_zone *zone);
const struct tpl_time *tpl_time_now(struct tpl_arena *a);
/* By so many nanoseconds. */
const struct tpl_time *tpl_time_later(struct tpl_arena *a, const struct tpl_time *t, int64_t ns);
bool tpl_time_same(const struct tpl_time *x, const struct tpl_time *y);
/* Wall clock in its zone; the year is tm_year + 1900. */
struct tm tpl_time_fields(const struct tpl_time *t);
/* "" is UTC, "Local"; NULL for an unknown name. */
const struct tpl_zone *tpl_zone_load(struct tpl_arena *a, coras_str name);
/* Offset and abbreviation in a TZif file (zone_file.c). */
void tpl_zone_file_lookup(struct tpl_arena *a, coras_str data, int64_t sec, int *ret_offset,
                          coras_str *ret_abbreviation);

coras_str tpl_time_format(struct tpl_arena *a, const struct tpl_time *t, coras_str layout);
/* As %#v prints it. */
coras_str tpl_time_go_string(struct tpl_arena *a, const struct tpl_time *t);
coras_str tpl_time_rfc3339(struct tpl_arena *a, const struct tpl_time *t);
/* NULL with Go's message. */
const struct tpl_time *tpl_time_parse(struct tpl_arena *a, coras_str layout, coras_str text,
                                      const struct tpl_zone *zone, coras_str *ret_problem);

coras_str tpl_duration_string(struct tpl_arena *a, int64_t nanoseconds);
/* False with Go's message. */
bool tpl_duration_parse(struct tpl_arena *a, coras_str s, int64_t *ret, coras_str *ret_problem);
/* String() of a time, duration, month or weekday. */
coras_str tpl_time_value_string(struct tpl_arena *a, tpl_value v);

/* Parts of a layout (time_layout.c). */
enum tpl_time_part {
    TPL_PART_NONE,
    TPL_PART_LONG_MONTH,     /* January */
    TPL_PART_MONTH,          /* Jan */
    TPL_PART_NUM_MONTH,      /* 1 */
    TPL_PART_ZERO_MONTH,     /* 01 */
    TPL_PART_LONG_WEEKDAY,   /* Monday */
    TPL_PART_WEEKDAY,        /* Mon */
    TPL_PART_DAY,            /* 2 */
    TPL_PART_UNDER_DAY,      /* _2 */
    TPL_PART_ZERO_DAY,       /* 02 */
    TPL_PART_UNDER_YEAR_DAY, /* __2 */
    TPL_PART_ZERO_YEAR_DAY,  /* 002 */
    TPL_PART_HOUR,           /* 15 */
    TPL_PART_HOUR12,         /* 3 */
    TPL_PART_ZERO_HOUR12,    /* 03 */
    TPL_PART_MINUTE,         /* 4 */
    TPL_PART_ZERO_MINUTE,    /* 04 */
    TPL_PART_SECOND,         /* 5 */
    TPL_PART_ZERO_SECOND,    /* 05 */
    TPL_PART_LONG_YEAR,      /* 2006 */
    TPL_PART_YEAR,           /* 06 */
    TPL_PART_PM,             /* PM */
    TPL_PART_LOWER_PM,       /* pm */
    TPL_PART_ZONE_NAME,      /* MST */
    TPL_PART_OFFSET,         /* -0700 -07:00 -07 Z0700 …: see `text` */
    TPL_PART_FRACTION,       /* .000 or ,000 */
    TPL_PART_FRACTION9,      /* .999: trailing zeros dropped */
};
/* The next part: literal text before it, the part as written, what comes after. */
enum tpl_time_part tpl_layout_next(coras_str layout, coras_str *prefix, coras_str *text,
                                   coras_str *rest);
extern const char *const tpl_month_names[12], *const tpl_weekday_names[7];

#endif
