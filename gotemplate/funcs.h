/*
 * The functions of templates as data: name, parameter types, code. A function gets its arguments
 * checked and converted and raises on failure; results live in the arena.
 */
#ifndef CORAS_GOTEMPLATE_FUNCS_H
#define CORAS_GOTEMPLATE_FUNCS_H

#include "gotemplate/value.h"

/*
 * Parameters, one letter each; a final * repeats the last letter, zero times or more:
 *   a interface{} (nil is TPL_NIL)   v the value as it is (may be TPL_INVALID)
 *   s string   i int   u uint32   f float64   b bool
 *   m map[string]interface{}   l []interface{}   t time.Time   d time.Duration
 *   S *semver.Version   c a certificate (nothing makes one)
 */
typedef tpl_value tpl_fn(struct tpl_arena *a, size_t argc, const tpl_value *argv);

struct tpl_function {
    const char *name;
    const char *params;
    tpl_fn *fn;
};

/* NULL for an unknown one. */
const struct tpl_function *tpl_function_find(coras_str name);
/* A method of a time, duration or version; params without the receiver, which is argv[0]. */
const struct tpl_function *tpl_method_find(tpl_value receiver, coras_str name);

/* The tables; a NULL name ends each. */
extern const struct tpl_function tpl_builtin_functions[];
extern const struct tpl_function tpl_string_functions[];
extern const struct tpl_function tpl_case_functions[];
extern const struct tpl_function tpl_math_functions[];
extern const struct tpl_function tpl_list_functions[];
extern const struct tpl_function tpl_dict_functions[];
extern const struct tpl_function tpl_default_functions[];
extern const struct tpl_function tpl_date_functions[];
extern const struct tpl_function tpl_encoding_functions[];
extern const struct tpl_function tpl_regex_functions[];
extern const struct tpl_function tpl_semver_functions[];
extern const struct tpl_function tpl_url_functions[];
extern const struct tpl_function tpl_path_functions[];
extern const struct tpl_function tpl_system_functions[];
extern const struct tpl_function tpl_crypto_functions[];
extern const struct tpl_function tpl_time_methods[];
extern const struct tpl_function tpl_duration_methods[];
extern const struct tpl_function tpl_calendar_methods[]; /* time.Month, time.Weekday */
extern const struct tpl_function tpl_semver_methods[];
extern const struct tpl_function tpl_semver_pointer_methods[];

/* Shared by the functions. */
coras_str tpl_to_text(struct tpl_arena *a, tpl_value v); /* sprig's strval: Sprint of one value */
int64_t tpl_to_int64(tpl_value v);                       /* cast.ToInt64: 0 when it is no number */
double tpl_to_float(tpl_value v);
bool tpl_is_empty(tpl_value v);
/* Standard base64; decoding raises for what is none. */
coras_str tpl_base64_encode(struct tpl_arena *a, coras_str s);
coras_str tpl_base64_decode(struct tpl_arena *a, coras_str s);
/* Raises Go's words for a nil dereference. */
_Noreturn void tpl_fail_nil(struct tpl_arena *a);
struct tpl_list *tpl_strings_of(struct tpl_arena *a, tpl_value v); /* sprig's strslice */
void tpl_list_add(struct tpl_arena *a, struct tpl_list *l, tpl_value v);

#endif
