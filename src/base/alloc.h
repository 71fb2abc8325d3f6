/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory. All heap memory of ours comes from here, so that tests can fail the n-th allocation.
 * Sizes from outside go through the checked forms.
 */
#ifndef CORAS_BASE_ALLOC_H
#define CORAS_BASE_ALLOC_H

#include <stdlib.h>
#include "base/common.h"

/* What is large lies where copying to it is fast. */
void *coras_malloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *coras_calloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
/* realloc of count * size bytes; NULL (p untouched) on overflow or lack of memory. */
void *coras_realloc_array(void *p, size_t count, size_t size);
char *coras_strdup(const char *s);
char *coras_strndup(const char *s, size_t len);
/* NULL on failure. */
char *coras_asprintf(const char *fmt, ...) CORAS_PRINTF(1, 2);

/* Zeroed object or NULL: coras_new(struct x). */
#define coras_new(type) ((type *)coras_calloc(1, sizeof(type)))

/* free() for cleanup attributes: `coras_auto_free char *p = NULL;` works for any pointer. */
static inline void coras_free_ptr(void *pp)
{
    free(*(void **)pp);
}
#define coras_auto_free __attribute__((cleanup(coras_free_ptr)))

/* Overwrite memory in a way that the compiler keeps, and the same with free; NULL allowed. */
void coras_wipe(void *p, size_t len);
void coras_free_secret(char *s);
static inline void coras_free_secret_ptr(char **pp)
{
    coras_free_secret(*pp);
}
#define coras_auto_secret __attribute__((cleanup(coras_free_secret_ptr)))

/* Checked arithmetic: true and *ret set when the result fits. */
static inline bool coras_add_size(size_t a, size_t b, size_t *ret)
{
    return !__builtin_add_overflow(a, b, ret);
}
static inline bool coras_mul_size(size_t a, size_t b, size_t *ret)
{
    return !__builtin_mul_overflow(a, b, ret);
}
static inline bool coras_add_int64(int64_t a, int64_t b, int64_t *ret)
{
    return !__builtin_add_overflow(a, b, ret);
}

/* The process is a program of ours, not the host of a library: what others allocate for us
 * (libcurl: its buffers) may come from here too. Said before there are threads. */
void coras_alloc_for_all(void);
bool coras_alloc_is_for_all(void);

/* For tests: make the n-th allocation from now (0 = next) fail; -1 switches off. */
void coras_alloc_fail_at(long nth);
bool coras_alloc_fail_reached(void);
/* For tests: add up the bytes of every allocation from now on, and how many they are. What was
 * freed in between counts too, so this is more than was ever held at once. */
void coras_alloc_count_start(void);
size_t coras_alloc_count_stop(void);

#endif
