/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, and the switch by which tests make an allocation fail. */
#include "base/alloc.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

/* Allocations left until one fails; negative: none will. Only tests write it. */
static atomic_long fail_countdown = -1;
static atomic_bool fail_reached;
/* Bytes asked for while somebody counts. Only tests do. */
static atomic_bool counting;
static atomic_size_t counted;

/* Whether third parties' libraries are to allocate here too. Written before there are threads. */
static atomic_bool for_all;

enum {
    LARGE = 128 * 1024,
    /* Measured: several processors copy at a third of their speed to an address that lies a few
     * bytes further into its page than the source in its own. The bytes of files and of what comes
     * from the network begin where a page does, and large blocks of malloc() 16 bytes behind. */
    LARGE_ALIGNMENT = 1024,
    /* What is as large goes back to the system when it is freed, instead of leaving a hole that the
     * next aligned block does not fit into. */
    RETURNED = LARGE,
};

static bool must_fail(size_t bytes)
{
    if (atomic_load_explicit(&counting, memory_order_relaxed))
        (void)atomic_fetch_add(&counted, bytes);
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0)
        return false;
    if (atomic_fetch_sub(&fail_countdown, 1) != 0)
        return false;
    atomic_store(&fail_reached, true);
    return true;
}

void coras_alloc_fail_at(long nth)
{
    atomic_store(&fail_reached, false);
    atomic_store(&fail_countdown, nth);
}

bool coras_alloc_fail_reached(void)
{
    return atomic_load(&fail_reached);
}

void coras_alloc_count_start(void)
{
    atomic_store(&counted, 0);
    atomic_store(&counting, true);
}

size_t coras_alloc_count_stop(void)
{
    atomic_store(&counting, false);
    return atomic_load(&counted);
}

void coras_alloc_for_all(void)
{
    atomic_store(&for_all, true);
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, RETURNED); /* its own measure grows with what was freed */
#endif
}

bool coras_alloc_is_for_all(void)
{
    return atomic_load(&for_all);
}

static void *allocate_large(size_t size)
{
    void *p = NULL;

    return posix_memalign(&p, LARGE_ALIGNMENT, size) == 0 ? p : NULL;
}

void *coras_malloc(size_t size)
{
    if (must_fail(size))
        return NULL;
    return size >= LARGE ? allocate_large(size) : malloc(size ? size : 1);
}

void *coras_calloc(size_t count, size_t size)
{
    size_t bytes;

    if (!coras_mul_size(count, size, &bytes) || must_fail(bytes))
        return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *coras_realloc_array(void *p, size_t count, size_t size)
{
    size_t bytes;

    if (!coras_mul_size(count, size, &bytes) || must_fail(bytes))
        return NULL;
    return realloc(p, bytes ? bytes : 1);
}

char *coras_strdup(const char *s)
{
    return coras_strndup(s, strlen(s));
}

char *coras_strndup(const char *s, size_t len)
{
    size_t bytes;
    char *copy;

    if (!coras_add_size(len, 1, &bytes) || !(copy = coras_malloc(bytes)))
        return NULL;
    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *coras_asprintf(const char *fmt, ...)
{
    va_list ap;
    char *text;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len < 0 || !(text = coras_malloc((size_t)len + 1)))
        return NULL;
    va_start(ap, fmt);
    (void)vsnprintf(text, (size_t)len + 1, fmt, ap); /* same arguments, so the same length */
    va_end(ap);
    return text;
}

void coras_wipe(void *p, size_t len)
{
    if (p && len)
        explicit_bzero(p, len);
}

void coras_free_secret(char *s)
{
    if (s)
        coras_wipe(s, strlen(s));
    free(s);
}
