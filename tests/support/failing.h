/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_FAILING_H
#define MCX_TESTS_FAILING_H

/*
 * The n-th allocation fails. One of failing_malloc.h, failing_provider.h and failing_sqlite.h says whose;
 * each is for one program, which includes it in its only file.
 */
#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static size_t num_allocs;
static size_t fail_at; /* 0 = never */

static inline bool refuse(void)
{
    num_allocs++;
    return fail_at != 0 && num_allocs == fail_at;
}

#endif
