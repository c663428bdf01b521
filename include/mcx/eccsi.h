/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_ECCSI_H
#define MCX_ECCSI_H

/*
 * ECCSI, identity-based signatures (RFC 6507) on P-256 with SHA-256, N = 32.
 *
 * A KMS has a secret KSAK and publishes KPAK = [KSAK]G. It gives a user the pair (SSK, PVT) for his identity;
 * a signature is r || s || PVT (129 octets) and is verified with KPAK and the signer's identity alone. In
 * MCPTT the identity is the 32-octet UID of TS 33.180 F.2.1.
 *
 * (r, q - s, PVT) verifies too: a signature is no name for a message; replay caches hash the signed octets.
 */

#include <mcx/bytes.h>
#include <mcx/seam.h>
#include <mcx/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_ECCSI_POINT_LEN 65 /* KPAK, PVT: 04 || x || y */
#define MCX_ECCSI_SSK_LEN 32
#define MCX_ECCSI_SIG_LEN 129

/** KPAK of one KMS, checked and prepared. Public. */
struct mcx_eccsi_kms;
/** @retval MCX_E_POINT KPAK is not 04 || x || y on P-256 @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_eccsi_kms_new(struct mcx_eccsi_kms **out, const uint8_t kpak[MCX_ECCSI_POINT_LEN]);
void mcx_eccsi_kms_free(struct mcx_eccsi_kms *kms);

struct mcx_p256;

/**
 * Signing key of one identity. `ssk` is secret, `pvt`, `hs` and `curve` are public. It may be moved, not copied:
 * mcx_eccsi_key_clear() releases what `curve` points to. Nothing in it changes when it signs.
 */
struct mcx_eccsi_key {
    uint8_t ssk[MCX_ECCSI_SSK_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
    uint8_t hs[32];         /* SHA-256(G || KPAK || ID || PVT), RFC 6507 5.1.1 */
    struct mcx_p256 *curve; /* the group, prepared by mcx_eccsi_key_init(); NULL: made anew for each signature */
};

/**
 * Check SSK and PVT against KPAK and the identity (KPAK = [SSK]G - [HS]PVT, RFC 6507 5.1.2), then fill `out`.
 *
 * @retval MCX_E_POINT  PVT is not on the curve
 * @retval MCX_E_AUTH   the equation does not hold, or SSK is outside 1 .. q-1
 */
MCX_MUST_CHECK mcx_err mcx_eccsi_key_init(struct mcx_eccsi_key *out, const struct mcx_eccsi_kms *kms,
                                          struct mcx_bytes uid, const uint8_t ssk[MCX_ECCSI_SSK_LEN],
                                          const uint8_t pvt[MCX_ECCSI_POINT_LEN]);
void mcx_eccsi_key_clear(struct mcx_eccsi_key *key);

/**
 * Sign (RFC 6507 5.2.1) with a nonce j drawn for this call alone from 1 .. q-1.
 * Constant time in SSK and j.
 *
 * @param[out] sig  r || s || PVT; unchanged on error
 * @retval MCX_E_RNG
 * @retval MCX_E_ARG  SSK is outside 1 .. q-1: the key did not come from mcx_eccsi_key_init()
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_eccsi_sign(uint8_t sig[MCX_ECCSI_SIG_LEN], const struct mcx_eccsi_key *key,
                                      struct mcx_bytes msg, const struct mcx_rng *rng);

/**
 * Verify (RFC 6507 5.2.2). All inputs are public.
 *
 * @retval MCX_E_POINT  the PVT in the signature is not on the curve
 * @retval MCX_E_AUTH   r or s out of range, or the equation does not hold
 */
MCX_MUST_CHECK mcx_err mcx_eccsi_verify(const struct mcx_eccsi_kms *kms, struct mcx_bytes uid, struct mcx_bytes msg,
                                        const uint8_t sig[MCX_ECCSI_SIG_LEN]);

/** KSAK: secret, 1 <= KSAK < q, big endian. */
struct mcx_eccsi_master {
    uint8_t ksak[32];
};
/** Draw KSAK uniformly from 1 .. q-1 by rejection. @retval MCX_E_RNG */
MCX_MUST_CHECK mcx_err mcx_eccsi_master_generate(struct mcx_eccsi_master *out, const struct mcx_rng *rng);
void mcx_eccsi_master_clear(struct mcx_eccsi_master *master);
/** KPAK = [KSAK]G. @retval MCX_E_ARG KSAK out of range */
MCX_MUST_CHECK mcx_err mcx_eccsi_master_public(uint8_t kpak[MCX_ECCSI_POINT_LEN],
                                               const struct mcx_eccsi_master *master);
/**
 * Make (SSK, PVT) for an identity with a fresh v (RFC 6507 5.1.1), wiped before returning; starts again when
 * HS or SSK is 0 mod q. Whoever learns v and SSK knows KSAK.
 *
 * @param[out] ssk  secret; wiped on error
 * @retval MCX_E_RNG  @retval MCX_E_ARG KSAK out of range or `uid` empty
 */
MCX_MUST_CHECK mcx_err mcx_eccsi_extract(uint8_t ssk[MCX_ECCSI_SSK_LEN], uint8_t pvt[MCX_ECCSI_POINT_LEN],
                                         const struct mcx_eccsi_master *master, struct mcx_bytes uid,
                                         const struct mcx_rng *rng);

/** The key set, signature and verification of RFC 6507 appendix A come out right. @retval MCX_E_BUG
 * @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_eccsi_self_test(void);

#ifdef __cplusplus
}
#endif

#endif
