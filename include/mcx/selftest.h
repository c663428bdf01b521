/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SELFTEST_H
#define MCX_SELFTEST_H

/*
 * Known answers of everything under src/crypto, for the start of a program that holds keys. It costs some
 * milliseconds and keeps nothing. A program that gets an error here must not go on: the build, the processor
 * or the cryptographic library gives wrong results.
 */

#include <mcx/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * SHA-256, HMAC, AES-CTR, AES-GCM and key wrap by published values; then mcx_eccsi_self_test() and
 * mcx_sakke_self_test().
 *
 * @param[out] which  name of the part that failed, for the log: "AES-GCM", "SAKKE"; NULL when all is well;
 *                    the argument may be NULL
 * @retval MCX_OK
 * @retval MCX_E_BUG  a result is wrong
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_crypto_self_test(const char **which);

#ifdef __cplusplus
}
#endif

#endif
