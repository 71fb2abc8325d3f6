/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared library that a process may need, loaded when it does: commands that never use it do not
 * pay for it at their start. Its functions land in a struct of pointers, by name and offset.
 *
 * The program that needs nothing beside itself (-Dstatic_program=true) cannot load anything: there
 * the linker has put the functions into the same tables.
 */
#ifndef CORAS_BASE_LATE_LIBRARY_H
#define CORAS_BASE_LATE_LIBRARY_H

#include "base/common.h"

typedef void (*coras_late_function)(void);

struct coras_late_symbol {
    const char *name;
    size_t offset;              /* of the pointer in the struct */
    coras_late_function linked; /* NULL where libraries are loaded */
};

/* A row of a table: of this function, which becomes the member of this struct. */
#ifdef CORAS_STATIC_PROGRAM
#define CORAS_LATE_SYMBOL(function, type, member)                                                  \
    {                                                                                              \
#function, offsetof(type, member), (coras_late_function)(function)                         \
    }
#else
#define CORAS_LATE_SYMBOL(function, type, member)                                                  \
    {                                                                                              \
#function, offsetof(type, member), NULL                                                    \
    }
#endif

/*
 * Load the first of `files` (NULL-terminated) that is there, and find all symbols. NULL when `ret`
 * is filled, else the name of what is missing. The library stays for the life of the process; call
 * it once (pthread_once).
 */
const char *coras_late_library_load(const char *const *files,
                                    const struct coras_late_symbol *symbols, size_t count,
                                    void *ret);

#endif
