/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `oras` where a link cannot be, as in a Python wheel, which would carry the whole
 * program a second time: calls the program `coras` that lies beside it, by the name it was called
 * by itself.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static const char target[] = "coras";

/* "DIRECTORY/coras", of the directory that this file really lies in; NULL if that cannot be told.
 */
static const char *beside(char *path, size_t size)
{
    char *resolved = realpath((const char *)getauxval(AT_EXECFN), NULL);
    char *slash = resolved ? strrchr(resolved, '/') : NULL;
    size_t length = slash ? (size_t)(slash + 1 - resolved) : 0;

    if (!slash || length > size - sizeof target)
        return NULL;
    memcpy(path, resolved, length);
    memcpy(path + length, target, sizeof target);
    return path;
}

int main(int argc, char **argv)
{
    static const char missing[] =
        "Error: the program coras, which this one calls, is not beside it\n";
    char path[8192];

    (void)argc;
    if (beside(path, sizeof path))
        execv(path, argv);
    (void)!write(STDERR_FILENO, missing, sizeof missing - 1);
    return 1;
}
