/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_FAILING_MALLOC_H
#define MCX_TESTS_FAILING_MALLOC_H

/* Every allocation of the program, in place of the C library's. A sanitizer has its own allocator: there none fails. */
#include "support/failing.h"

#ifdef SANITIZED
enum { num_live = 0 };
#else
static long num_live; /* pieces */

/* The C library's own allocator under its other names (glibc). */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t num, size_t n);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

void *malloc(size_t n)
{
    void *p = refuse() ? NULL : __libc_malloc(n);

    num_live += p != NULL;
    return p;
}

void *calloc(size_t num, size_t n)
{
    void *p = refuse() ? NULL : __libc_calloc(num, n);

    num_live += p != NULL;
    return p;
}

void *realloc(void *old, size_t n)
{
    void *p = refuse() ? NULL : __libc_realloc(old, n);

    num_live += p != NULL && old == NULL;
    return p;
}

void free(void *p)
{
    num_live -= p != NULL;
    __libc_free(p);
}
#endif

#endif
