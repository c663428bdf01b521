/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SAKKE_H
#define MCX_SAKKE_H

/*
 * SAKKE, identity-based encryption of one 16-octet key (RFC 6508, parameter set 1 of RFC 6509 appendix A).
 *
 * A KMS has a secret z_T and publishes Z_T = [z_T]P. Whoever knows Z_T can encapsulate a key to any identity
 * under that KMS; the holder of the Receiver Secret Key RSK = [1/(uid + z_T)]P opens it and, by computing the
 * encapsulation once more, sees that it was made properly. In MCPTT the identity is the 32-octet UID of
 * TS 33.180 F.2.1 (mcx_uid()); longer octet strings are allowed and are reduced modulo q as scalars.
 *
 *   KMS      mcx_sakke_master_*        z_T, Z_T, RSK extraction
 *   sender   mcx_sakke_kms_*, _encap   Z_T with its fixed-base tables
 *   receiver mcx_sakke_rsk_*, _decap   RSK, validated, with the prepared lines of its pairing
 *
 * Tables: a KMS and an RSK exist with or without tables of their own (enum mcx_sakke_tables); results are the
 * same octets, only slower without. Memory:
 *
 *   P and g            256 KiB, constants of the library (read-only, shared by all processes, no start-up time)
 *   mcx_sakke_kms      192 KiB: fixed-base table of Z_T
 *   mcx_sakke_rsk      320 KiB: the prepared pairing; a private key, in locked memory (mcx_secret_alloc())
 *
 * mcx_sakke_kms_table_octets() and mcx_sakke_rsk_table_octets() report what an object holds.
 * All objects are read-only after creation and may then be used by several threads. Making one with tables takes
 * about 100 KiB of stack, everything else less than 32 KiB.
 */

#include <mcx/bytes.h>
#include <mcx/secret.h>
#include <mcx/seam.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_SAKKE_POINT_LEN  257 /* 04 || x (128) || y (128) */
#define MCX_SAKKE_SED_LEN    273 /* R (257) || H (16), "SAKKE data" of RFC 6509 4.2 */
#define MCX_SAKKE_MASTER_LEN 128

enum mcx_sakke_tables {
    MCX_SAKKE_TABLES_NONE,    /* no table in this object */
    MCX_SAKKE_TABLES_DEFAULT, /* those named above */
};

/** Public parameters of one KMS: Z_T, checked to be a point of order q. Nothing in it is secret. */
struct mcx_sakke_kms;

/**
 * Check Z_T and prepare it.
 *
 * @param[out] out  new object; release with mcx_sakke_kms_free()
 * @retval MCX_E_POINT  not 04 || x || y on the curve, not of order q
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_sakke_kms_new(struct mcx_sakke_kms **out, const uint8_t z_t[MCX_SAKKE_POINT_LEN],
                                         enum mcx_sakke_tables tables);
void mcx_sakke_kms_free(struct mcx_sakke_kms *kms);
/** Octets of tables that this object holds. */
size_t mcx_sakke_kms_table_octets(const struct mcx_sakke_kms *kms);

/**
 * Encapsulate `key` (the SSV) to the identity `uid` (RFC 6508 6.2.1). Deterministic: r comes from SSV and uid.
 * Constant time in `key`; the rest is public.
 *
 * @param[out] sed  encapsulated data; unchanged on error
 * @retval MCX_E_ARG  `uid` is empty, or is the identity of nobody: [uid]P + Z_T = O
 */
MCX_MUST_CHECK mcx_err mcx_sakke_encap(uint8_t sed[MCX_SAKKE_SED_LEN], const struct mcx_key *key,
                                       const struct mcx_sakke_kms *kms, struct mcx_bytes uid);

/** A validated RSK of one identity with its prepared pairing. A private key as a whole: locked memory, wiped. */
struct mcx_sakke_rsk;

/**
 * Take an RSK, check that it belongs to `uid` under `kms` (<[uid]P + Z_T, RSK> = g, RFC 6508 6.1.2).
 *
 * @param[in] rsk  04 || x || y, secret; the caller wipes his copy
 * @param[in] kms  must outlive the new object
 * @retval MCX_E_ARG    `uid` is empty
 * @retval MCX_E_POINT  not on the curve
 * @retval MCX_E_AUTH   the equation does not hold, or the point has not order q
 * @retval MCX_E_NOMEM  no memory, or the limit of locked memory is reached
 */
MCX_MUST_CHECK mcx_err mcx_sakke_rsk_new(struct mcx_sakke_rsk **out, const uint8_t rsk[MCX_SAKKE_POINT_LEN],
                                         const struct mcx_sakke_kms *kms, struct mcx_bytes uid,
                                         enum mcx_sakke_tables tables);
void mcx_sakke_rsk_free(struct mcx_sakke_rsk *rsk);
size_t mcx_sakke_rsk_table_octets(const struct mcx_sakke_rsk *rsk);

/**
 * Open encapsulated data (RFC 6508 6.2.2) with the mandatory check that R = [r]([uid]P + Z_T).
 * Constant time in the RSK and in everything derived from it; the verdict is public.
 *
 * @param[out] key  the SSV; wiped on error
 * @retval MCX_E_POINT  R is not a point of the curve
 * @retval MCX_E_AUTH   the check failed: not made for this identity, or altered
 */
MCX_MUST_CHECK mcx_err mcx_sakke_decap(struct mcx_key *key, const struct mcx_sakke_rsk *rsk,
                                       const uint8_t sed[MCX_SAKKE_SED_LEN]);

/** KMS master secret z_T, 2 <= z_T < q, big endian. */
struct mcx_sakke_master {
    uint8_t z[MCX_SAKKE_MASTER_LEN];
};
/** Draw z_T uniformly from 2 .. q-1 (rejection, no reduction). @retval MCX_E_RNG */
MCX_MUST_CHECK mcx_err mcx_sakke_master_generate(struct mcx_sakke_master *out, const struct mcx_rng *rng);
void mcx_sakke_master_clear(struct mcx_sakke_master *master);
/** Z_T = [z_T]P. Constant time in z_T. @retval MCX_E_ARG z_T out of range */
MCX_MUST_CHECK mcx_err mcx_sakke_master_public(uint8_t z_t[MCX_SAKKE_POINT_LEN], const struct mcx_sakke_master *master);
/**
 * RSK = [(uid + z_T)^-1 mod q]P (RFC 6508 6.1.1). Constant time in z_T.
 *
 * @param[out] rsk  secret; wiped on error
 * @retval MCX_E_ARG  uid empty, z_T out of range, or uid + z_T = 0 mod q
 */
MCX_MUST_CHECK mcx_err mcx_sakke_extract(uint8_t rsk[MCX_SAKKE_POINT_LEN], const struct mcx_sakke_master *master,
                                         struct mcx_bytes uid);

/** p, q, P and g agree, and one known encapsulation and decapsulation come out right. @retval MCX_E_BUG */
MCX_MUST_CHECK mcx_err mcx_sakke_self_test(void);

#ifdef __cplusplus
}
#endif

#endif
