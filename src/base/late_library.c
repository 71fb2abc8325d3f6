/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared libraries by dlopen, or the same functions where the linker has put them.
 */
#include "base/late_library.h"

#include <dlfcn.h>
#include <string.h>

#ifdef CORAS_STATIC_PROGRAM

const char *coras_late_library_load(const char *const *files,
                                    const struct coras_late_symbol *symbols, size_t count,
                                    void *ret)
{
    (void)files;
    for (size_t i = 0; i < count; i++)
        memcpy((char *)ret + symbols[i].offset, &symbols[i].linked, sizeof(symbols[i].linked));
    return NULL;
}

#else

const char *coras_late_library_load(const char *const *files,
                                    const struct coras_late_symbol *symbols, size_t count,
                                    void *ret)
{
    const char *wanted = files[0];
    void *library = NULL;

    for (; !library && *files; files++)
        library = dlopen(*files, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return wanted;
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(library, symbols[i].name);

        if (!address)
            return symbols[i].name;
        /* POSIX lets an object pointer from dlsym hold a function; ISO C wants the copy. */
        memcpy((char *)ret + symbols[i].offset, &address, sizeof(address));
    }
    return NULL;
}

#endif
