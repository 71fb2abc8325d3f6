/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a running template. They mirror what Go's reflection would see, since printing,
 * comparison and messages depend on it: an int is not an int64, []string is not []interface {}, and
 * a value read out of an interface{} container still knows that it is in an interface.
 */
#ifndef GOTMPL_VALUE_H
#define GOTMPL_VALUE_H

#include "codec/json.h"
#include "gotemplate/arena.h"

enum gotmpl_kind {
    GOTMPL_INVALID, /* no value: a missing member */
    GOTMPL_NIL,     /* a nil interface{} */
    GOTMPL_BOOL,
    GOTMPL_INT,
    GOTMPL_INT64,
    GOTMPL_UINT8,
    GOTMPL_UINT64,
    GOTMPL_FLOAT,
    GOTMPL_STRING,
    GOTMPL_LIST,
    GOTMPL_MAP,
    GOTMPL_TIME,
};

/* Type of a container's elements. */
enum gotmpl_elem { GOTMPL_OF_ANY, GOTMPL_OF_STRING, GOTMPL_OF_INT, GOTMPL_OF_LIST };

struct gotmpl_list;
struct gotmpl_map;
struct gotmpl_time;

typedef struct gotmpl_value {
    unsigned char kind;
    bool in_interface; /* static type is interface {} */
    union {
        bool b;
        int64_t i;
        double f;
        coras_str s;
        struct gotmpl_list *list;
        struct gotmpl_map *map;
        const struct gotmpl_time *time;
    };
} gotmpl_value;

struct gotmpl_list {
    enum gotmpl_elem elem;
    bool is_nil;
    size_t len;
    gotmpl_value *items;
};

struct gotmpl_member {
    coras_str key;
    gotmpl_value value;
};
struct gotmpl_map { /* sorted by key, the order in which Go prints */
    enum gotmpl_elem elem;
    bool is_nil;
    size_t len, cap;
    struct gotmpl_member *items;
};

static inline gotmpl_value gotmpl_invalid(void)
{
    return (gotmpl_value){.kind = GOTMPL_INVALID};
}
static inline gotmpl_value gotmpl_nil(void)
{
    return (gotmpl_value){.kind = GOTMPL_NIL, .in_interface = true};
}
static inline gotmpl_value gotmpl_bool(bool b)
{
    return (gotmpl_value){.kind = GOTMPL_BOOL, .b = b};
}
static inline gotmpl_value gotmpl_int(int64_t i)
{
    return (gotmpl_value){.kind = GOTMPL_INT, .i = i};
}
static inline gotmpl_value gotmpl_int64(int64_t i)
{
    return (gotmpl_value){.kind = GOTMPL_INT64, .i = i};
}
static inline gotmpl_value gotmpl_float(double f)
{
    return (gotmpl_value){.kind = GOTMPL_FLOAT, .f = f};
}
static inline gotmpl_value gotmpl_string(coras_str s)
{
    return (gotmpl_value){.kind = GOTMPL_STRING, .s = s};
}
static inline gotmpl_value gotmpl_of_list(struct gotmpl_list *l)
{
    return (gotmpl_value){.kind = GOTMPL_LIST, .list = l};
}
static inline gotmpl_value gotmpl_of_map(struct gotmpl_map *m)
{
    return (gotmpl_value){.kind = GOTMPL_MAP, .map = m};
}

/* The value as Go has it after it left its interface: a nil interface is no value. */
static inline gotmpl_value gotmpl_unwrap(gotmpl_value v)
{
    v.in_interface = false;
    if (v.kind == GOTMPL_NIL)
        v.kind = GOTMPL_INVALID;
    return v;
}
/* The value as an argument of type interface {}: no value is nil. */
static inline gotmpl_value gotmpl_as_any(gotmpl_value v)
{
    if (v.kind == GOTMPL_INVALID || v.kind == GOTMPL_NIL)
        return gotmpl_nil();
    v.in_interface = false;
    return v;
}

/* The value as an element of a list or member of a map. */
static inline gotmpl_value gotmpl_plain(gotmpl_value v)
{
    if (v.kind != GOTMPL_NIL)
        v.in_interface = false;
    return v;
}

static inline bool gotmpl_is_int(gotmpl_value v)
{
    return v.kind >= GOTMPL_INT && v.kind <= GOTMPL_UINT64;
}
static inline bool gotmpl_is_uint(gotmpl_value v)
{
    return v.kind == GOTMPL_UINT8 || v.kind == GOTMPL_UINT64;
}

struct gotmpl_list *gotmpl_list_new(struct gotmpl_arena *a, enum gotmpl_elem elem, size_t room);
/* Element as seen from outside, in_interface set where the container holds interfaces. */
gotmpl_value gotmpl_list_at(const struct gotmpl_list *l, size_t i);

struct gotmpl_map *gotmpl_map_new(struct gotmpl_arena *a, enum gotmpl_elem elem);
bool gotmpl_map_get(const struct gotmpl_map *m, coras_str key, gotmpl_value *ret);
/* Raises for a nil map as Go does. */
void gotmpl_map_set(struct gotmpl_arena *a, struct gotmpl_map *m, coras_str key, gotmpl_value v);
void gotmpl_map_remove(struct gotmpl_map *m, coras_str key);
gotmpl_value gotmpl_map_at(const struct gotmpl_map *m, size_t i);

gotmpl_value gotmpl_from_json(struct gotmpl_arena *a, const coras_json *json);

bool gotmpl_truth(gotmpl_value v);
/* %T: the type of what is in it ("<nil>" for nil). */
const char *gotmpl_type_name(gotmpl_value v);
/* The type its place has: "interface {}" for what was read out of an interface container. */
const char *gotmpl_static_type(gotmpl_value v);
const char *gotmpl_kind_name(gotmpl_value v); /* reflect.Kind: "slice", "map", "invalid" */
bool gotmpl_same_type(gotmpl_value a, gotmpl_value b);
/* reflect.DeepEqual; raises when nested too deeply. */
bool gotmpl_deep_equal(struct gotmpl_arena *a, gotmpl_value x, gotmpl_value y, int depth);

/* Containers that a template nests deeper than this cannot be printed, compared or copied. */
void gotmpl_check_nesting(struct gotmpl_arena *a, int depth);

#endif
