/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a program and tell what it cost: measure REPORT PROGRAM [ARG...]
 *
 * Writes "wall cpu peak status" to the file REPORT: seconds, seconds of user and system time, KiB
 * of resident memory, exit status. A launcher of its own because the peak that the kernel reports
 * includes what the process held before exec, and a script's interpreter holds more than what we
 * measure. BENCH_WARM_MIB says how much memory to use before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* On a virtual machine the first use of memory is charged to whoever is unlucky: use it first. */
static void warm_memory(void)
{
    const char *mib = getenv("BENCH_WARM_MIB");
    const size_t wanted = mib ? (size_t)strtoul(mib, NULL, 10) << 20 : 0;
    long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t half = pages > 0 && page > 0 ? (size_t)pages / 2 * (size_t)page : 0;
    size_t len = half < wanted ? half : wanted;
    char *memory =
        mmap(NULL, len ? len : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    memset(memory, 1, len);
    munmap(memory, len ? len : 1);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure REPORT PROGRAM [ARG...]\n");
        return 2;
    }
    warm_memory();
    double began = now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    int status = 0;
    struct rusage usage = {0};
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 1;
    }
    double wall = now() - began;
    FILE *report = fopen(argv[1], "w");
    if (report == NULL) {
        perror(argv[1]);
        return 1;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(report, "%.6f %.6f %ld %d\n", wall, seconds(&usage.ru_utime) + seconds(&usage.ru_stime),
            usage.ru_maxrss, code);
    return fclose(report) == 0 ? 0 : 1;
}
