/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from the kernel, most of them from small files of its (processor.h).
 */
#include "base/processor.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum { LINE = 128 };

/* The beginning of the file; false when there is none. */
static bool read_line(const char *path, char line[LINE + 1])
{
    coras_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, line, LINE);

    line[got > 0 ? got : 0] = '\0';
    return got > 0;
}

unsigned coras_processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return count < 1 ? 1 : (unsigned)count;
}

int64_t coras_memory_bytes(void)
{
    int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    return pages < 0 || page < 0 ? -1 : pages * page;
}

int64_t coras_thread_ready_ns(void)
{
    char line[LINE + 1], *rest = NULL;

    if (!read_line("/proc/thread-self/schedstat", line))
        return -1;
    int64_t ran = strtoll(line, &rest, 10);
    return ran + strtoll(rest, NULL, 10); /* and waited for a processor */
}

int64_t coras_processors_short_us(void)
{
    static const char mark[] = "total=";
    char line[LINE + 1];
    const char *total = read_line("/proc/pressure/cpu", line) ? strstr(line, mark) : NULL;

    return total ? strtoll(total + strlen(mark), NULL, 10) : -1;
}
