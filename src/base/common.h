/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base: what every layer uses and what knows nothing of registries: errors, memory, strings,
 * files, threads, time. Depends on libc only.
 *
 * common.h: attributes and the few macros that hide control flow.
 */
#ifndef CORAS_BASE_COMMON_H
#define CORAS_BASE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "coras/error.h"

#define CORAS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CORAS_UNUSED            __attribute__((unused))
#define CORAS_ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

/*
 * coras_auto(type): the variable is released by the type's clean-up when it leaves scope. A type
 * takes part by CORAS_DEFINE_AUTO(type, free_function) in the header that declares it.
 * CORAS_DEFINE_AUTO is for pointers (`coras_auto(coras_error) err = NULL;`),
 * CORAS_DEFINE_AUTO_VALUE for structs with a clear function (`coras_auto_value(coras_buf) b = …`).
 */
#define CORAS_DEFINE_AUTO(type, release)                                                           \
    static inline CORAS_UNUSED void coras_auto_release_##type(type **p)                            \
    {                                                                                              \
        if (*p)                                                                                    \
            release(*p);                                                                           \
    }
#define CORAS_DEFINE_AUTO_VALUE(type, clear)                                                       \
    static inline CORAS_UNUSED void coras_auto_clear_##type(type *p)                               \
    {                                                                                              \
        clear(p);                                                                                  \
    }
#define coras_auto(type)       CORAS_UNUSED __attribute__((cleanup(coras_auto_release_##type))) type *
#define coras_auto_value(type) CORAS_UNUSED __attribute__((cleanup(coras_auto_clear_##type))) type

/* Hand out what a coras_auto variable owns. */
#define coras_steal(p)                                                                             \
    ({                                                                                             \
        __typeof__(*(p)) stolen_ = *(p);                                                           \
        *(p) = NULL;                                                                               \
        stolen_;                                                                                   \
    })

/* Return from the enclosing function when the call fails. The only macro that hides a return. */
#define CORAS_TRY(call)                                                                            \
    do {                                                                                           \
        int try_rc_ = (call);                                                                      \
        if (try_rc_ < 0)                                                                           \
            return try_rc_;                                                                        \
    } while (0)

CORAS_DEFINE_AUTO(coras_error, coras_error_free)

#endif
