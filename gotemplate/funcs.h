/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of templates as data: name, parameter types, code. A function gets its arguments
 * checked and converted and raises on failure; results live in the arena.
 */
#ifndef GOTMPL_FUNCS_H
#define GOTMPL_FUNCS_H

#include "gotemplate/value.h"

/*
 * Parameters, one letter each; a final * repeats the last letter, zero times or more:
 *   a interface{} (nil is GOTMPL_NIL)   v the value as it is (may be GOTMPL_INVALID)
 *   s string   i int   f float64   b bool
 *   m map[string]interface{}   l []interface{}   t time.Time
 */
typedef gotmpl_value gotmpl_fn(struct gotmpl_arena *a, size_t argc, const gotmpl_value *v);

/* Begins the definition of one; few look at all that they are given. */
#define GOTMPL_FN(name)                                                                            \
    static gotmpl_value name(CORAS_UNUSED struct gotmpl_arena *a, CORAS_UNUSED size_t argc,        \
                             CORAS_UNUSED const gotmpl_value *v)

/* One that is a single expression of these. The declaration at its end takes the semicolon. */
#define GOTMPL_FN_IS(name, expression)                                                             \
    GOTMPL_FN(name)                                                                                \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    struct gotmpl_arena

struct gotmpl_function {
    const char *name;
    const char *params;
    gotmpl_fn *fn;
};

/* NULL for an unknown one. */
const struct gotmpl_function *gotmpl_function_find(coras_str name);
/* A function that Go's program has and we leave out: keys, passwords, the network, and the like. */
bool gotmpl_function_is_left_out(coras_str name);
/* A method of a time; params without the receiver, which is argv[0]. */
const struct gotmpl_function *gotmpl_method_find(gotmpl_value receiver, coras_str name);

/* The tables; a NULL name ends each. */
extern const struct gotmpl_function gotmpl_builtin_functions[];
extern const struct gotmpl_function gotmpl_string_functions[];
extern const struct gotmpl_function gotmpl_case_functions[];
extern const struct gotmpl_function gotmpl_math_functions[];
extern const struct gotmpl_function gotmpl_list_functions[];
extern const struct gotmpl_function gotmpl_dict_functions[];
extern const struct gotmpl_function gotmpl_default_functions[];
extern const struct gotmpl_function gotmpl_date_functions[];
extern const struct gotmpl_function gotmpl_encoding_functions[];
extern const struct gotmpl_function gotmpl_hash_functions[];
extern const struct gotmpl_function gotmpl_regex_functions[];
extern const struct gotmpl_function gotmpl_semver_functions[];
extern const struct gotmpl_function gotmpl_path_functions[];
extern const struct gotmpl_function gotmpl_time_methods[];

/* Shared by the functions. */
coras_str gotmpl_to_text(struct gotmpl_arena *a,
                         gotmpl_value v); /* sprig's strval: Sprint of one value */
int64_t gotmpl_to_int64(gotmpl_value v);  /* cast.ToInt64: 0 when it is no number */
double gotmpl_to_float(gotmpl_value v);
bool gotmpl_is_empty(gotmpl_value v);
/* Raises Go's words for a nil dereference. */
_Noreturn void gotmpl_fail_nil(struct gotmpl_arena *a);
struct gotmpl_list *gotmpl_strings_of(struct gotmpl_arena *a,
                                      gotmpl_value v); /* sprig's strslice */
void gotmpl_list_add(struct gotmpl_arena *a, struct gotmpl_list *l, gotmpl_value v);

#endif
