/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SECRET_H
#define MCX_SECRET_H

/*
 * Secrets.
 *
 * A secret has a type of its own, one owner, and a clear function; no print function exists for it.
 * mcx_wipe() is a store that the compiler keeps. mcx_secret_alloc() gives locked memory between two guard
 * pages that is left out of core dumps and wiped when freed: for secrets that live long.
 *
 * MCX_CT_SECRET and MCX_CT_PUBLIC tell valgrind (build with -DMCX_CT_CHECK=ON) which octets must not steer a
 * branch or an address; in normal builds they are nothing. Every MCX_CT_PUBLIC has a comment with its reason.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mcx/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/** 16 secret octets: K of TS 33.180 5.2 (GMK, PCK, CSK...), which is the SSV of RFC 6508 and the TGK of MIKEY. */
#define MCX_KEY_LEN 16
struct mcx_key {
    uint8_t octet[MCX_KEY_LEN];
};
void mcx_key_clear(struct mcx_key *key);

/** Overwrite with zero; never optimised away. `p` may be NULL when `len` is 0. */
void mcx_wipe(void *p, size_t len);

/** Constant time in the contents. */
bool mcx_ct_equal(const void *a, const void *b, size_t len);

/** All ones when `a` is zero, else 0; constant time. */
uint64_t mcx_ct_is_zero_mask(uint64_t a);

/** `v`, hidden from the optimiser so that a mask stays a mask. */
static inline uint64_t mcx_ct_barrier(uint64_t v)
{
    __asm__("" : "+r"(v));
    return v;
}

/** Zeroed, locked, guard-paged memory. NULL when memory (or the lock limit) is exhausted. */
void *mcx_secret_alloc(size_t len);
/** Wipe and release what mcx_secret_alloc() gave; NULL is allowed. */
void mcx_secret_free(void *p);

#ifdef MCX_CT_CHECK
#include <valgrind/memcheck.h>
#define MCX_CT_SECRET(p, len) ((void)VALGRIND_MAKE_MEM_UNDEFINED((p), (len)))
#define MCX_CT_PUBLIC(p, len) ((void)VALGRIND_MAKE_MEM_DEFINED((p), (len)))
#else
#define MCX_CT_SECRET(p, len) ((void)0)
#define MCX_CT_PUBLIC(p, len) ((void)0)
#endif

#ifdef __cplusplus
}
#endif

#endif
