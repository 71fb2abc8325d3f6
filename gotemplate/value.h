/*
 * Values of a running template. They mirror what Go's reflection would see, since printing,
 * comparison and messages depend on it: an int is not an int64, []string is not []interface {}, and
 * a value read out of an interface{} container still knows that it is in an interface.
 */
#ifndef CORAS_GOTEMPLATE_VALUE_H
#define CORAS_GOTEMPLATE_VALUE_H

#include "codec/json.h"
#include "gotemplate/arena.h"

enum tpl_kind {
    TPL_INVALID, /* no value: a missing member */
    TPL_NIL,     /* a nil interface{} */
    TPL_BOOL,
    TPL_INT,
    TPL_INT64,
    TPL_UINT8,
    TPL_UINT32,
    TPL_UINT64,
    TPL_FLOAT,
    TPL_COMPLEX,
    TPL_STRING,
    TPL_LIST,
    TPL_MAP,
    TPL_TIME,
    TPL_DURATION, /* nanoseconds in i */
    TPL_MONTH,
    TPL_WEEKDAY,
    TPL_SEMVER,
};

/* Type of a container's elements. */
enum tpl_elem { TPL_OF_ANY, TPL_OF_STRING, TPL_OF_INT, TPL_OF_LIST };

struct tpl_list;
struct tpl_map;
struct tpl_time;
struct tpl_semver;

struct tpl_complex {
    double real, imaginary;
};

typedef struct tpl_value {
    unsigned char kind;
    bool in_interface; /* static type is interface {} */
    union {
        bool b;
        int64_t i;
        double f;
        struct tpl_complex c;
        coras_str s;
        struct tpl_list *list;
        struct tpl_map *map;
        const struct tpl_time *time;
        const struct tpl_semver *semver;
    };
} tpl_value;

struct tpl_list {
    enum tpl_elem elem;
    bool is_nil;
    size_t len;
    tpl_value *items;
};

struct tpl_member {
    coras_str key;
    tpl_value value;
};
struct tpl_map { /* sorted by key, the order in which Go prints */
    enum tpl_elem elem;
    bool is_nil;
    size_t len, cap;
    struct tpl_member *items;
};

static inline tpl_value tpl_invalid(void)
{
    return (tpl_value){.kind = TPL_INVALID};
}
static inline tpl_value tpl_nil(void)
{
    return (tpl_value){.kind = TPL_NIL, .in_interface = true};
}
static inline tpl_value tpl_bool(bool b)
{
    return (tpl_value){.kind = TPL_BOOL, .b = b};
}
static inline tpl_value tpl_int(int64_t i)
{
    return (tpl_value){.kind = TPL_INT, .i = i};
}
static inline tpl_value tpl_int64(int64_t i)
{
    return (tpl_value){.kind = TPL_INT64, .i = i};
}
static inline tpl_value tpl_float(double f)
{
    return (tpl_value){.kind = TPL_FLOAT, .f = f};
}
static inline tpl_value tpl_of_complex(struct tpl_complex c)
{
    return (tpl_value){.kind = TPL_COMPLEX, .c = c};
}
static inline tpl_value tpl_string(coras_str s)
{
    return (tpl_value){.kind = TPL_STRING, .s = s};
}
static inline tpl_value tpl_of_list(struct tpl_list *l)
{
    return (tpl_value){.kind = TPL_LIST, .list = l};
}
static inline tpl_value tpl_of_map(struct tpl_map *m)
{
    return (tpl_value){.kind = TPL_MAP, .map = m};
}

/* The value as Go has it after it left its interface: a nil interface is no value. */
static inline tpl_value tpl_unwrap(tpl_value v)
{
    v.in_interface = false;
    if (v.kind == TPL_NIL)
        v.kind = TPL_INVALID;
    return v;
}
/* The value as an argument of type interface {}: no value is nil. */
static inline tpl_value tpl_as_any(tpl_value v)
{
    if (v.kind == TPL_INVALID || v.kind == TPL_NIL)
        return tpl_nil();
    v.in_interface = false;
    return v;
}

static inline bool tpl_is_int(tpl_value v)
{
    return (v.kind >= TPL_INT && v.kind <= TPL_UINT64) ||
           (v.kind >= TPL_DURATION && v.kind <= TPL_WEEKDAY);
}
static inline bool tpl_is_uint(tpl_value v)
{
    return v.kind == TPL_UINT8 || v.kind == TPL_UINT32 || v.kind == TPL_UINT64;
}

struct tpl_list *tpl_list_new(struct tpl_arena *a, enum tpl_elem elem, size_t room);
/* Element as seen from outside, in_interface set where the container holds interfaces. */
tpl_value tpl_list_at(const struct tpl_list *l, size_t i);

struct tpl_map *tpl_map_new(struct tpl_arena *a, enum tpl_elem elem);
bool tpl_map_get(const struct tpl_map *m, coras_str key, tpl_value *ret);
/* Raises for a nil map as Go does. */
void tpl_map_set(struct tpl_arena *a, struct tpl_map *m, coras_str key, tpl_value v);
void tpl_map_remove(struct tpl_map *m, coras_str key);
tpl_value tpl_map_at(const struct tpl_map *m, size_t i);

tpl_value tpl_from_json(struct tpl_arena *a, const coras_json *json);

bool tpl_truth(tpl_value v);
/* %T: the type of what is in it ("<nil>" for nil). */
const char *tpl_type_name(tpl_value v);
/* The type its place has: "interface {}" for what was read out of an interface container. */
const char *tpl_static_type(tpl_value v);
const char *tpl_kind_name(tpl_value v); /* reflect.Kind: "slice", "map", "invalid" */
bool tpl_same_type(tpl_value a, tpl_value b);
/* reflect.DeepEqual; raises when nested too deeply. */
bool tpl_deep_equal(struct tpl_arena *a, tpl_value x, tpl_value y, int depth);

/* Containers that a template nests deeper than this cannot be printed, compared or copied. */
#define TPL_NESTING 1000
void tpl_check_nesting(struct tpl_arena *a, int depth);

#endif
