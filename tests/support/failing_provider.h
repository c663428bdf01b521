/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_FAILING_PROVIDER_H
#define MCX_TESTS_FAILING_PROVIDER_H

/*
 * Every allocation of OpenSSL, once failing_provider() was called, which has to be before OpenSSL is used. After
 * failing_malloc.h: those that do not fail with malloc() already.
 */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "support/failing.h"

#if defined(MCX_TESTS_FAILING_MALLOC_H) && !defined(SANITIZED)
static inline bool failing_provider(void)
{
    return true;
}
#else
static void *provider_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return refuse() ? NULL : malloc(n);
}

static void *provider_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return refuse() ? NULL : realloc(p, n);
}

static void provider_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static inline bool failing_provider(void)
{
    return CRYPTO_set_mem_functions(provider_malloc, provider_realloc, provider_free) == 1;
}
#endif

#endif
