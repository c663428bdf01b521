/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KMS_VAULT_H
#define MCX_KMS_VAULT_H

/*
 * The vault: the only holder of the KMS master secrets z_T and KSAK (TS 33.180 D.3.2.2, RFC 6507 5.1, RFC 6508 6.1).
 *
 * It knows the KMS URI and the key period besides, because both are bound into every UID and must never change
 * under a KMS URI in use. It sees no network, no XML and no database. A request is a structure of fixed form
 * (user URI, period number) and the answer one of fixed form (UID, RSK, SSK, PVT), so that the vault can move
 * into a process of its own without a change above it.
 *
 * At rest the master secrets are one sealed octet string:
 *
 *   "mcxvault" | version 1 | kind of key (0 key file, 1 passphrase) | salt 16 | period 8 | offset 8 |
 *   length 2, KMS URI | nonce 12 | AES-256-GCM of (z_T 128 | KSAK 32) with all before it as AAD | tag 16
 *
 * No function here gives a master secret out.
 */

#include <mcx/bytes.h>
#include <mcx/eccsi.h>
#include <mcx/ident.h>
#include <mcx/sakke.h>
#include <mcx/seam.h>

#define MCX_VAULT_URI_MAX      1024 /* with the NUL */
#define MCX_VAULT_SEALED_MAX   (8 + 2 + 16 + 16 + 2 + MCX_VAULT_URI_MAX + 12 + MCX_SAKKE_MASTER_LEN + 32 + 16)
#define MCX_VAULT_SEAL_KEY_LEN 32

/** What opens the seal: 32 octets, or a passphrase (scrypt). Secret, borrowed. */
struct mcx_vault_seal {
    bool is_passphrase;
    struct mcx_bytes secret;
};

/** Ask for the key set of one user in one period. */
struct mcx_vault_request {
    char user_uri[MCX_VAULT_URI_MAX];
    uint64_t period_no;
};

/** A key set; secret as a whole. */
struct mcx_vault_key_set {
    uint8_t uid[MCX_UID_LEN];
    uint8_t rsk[MCX_SAKKE_POINT_LEN];
    uint8_t ssk[MCX_ECCSI_SSK_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
};
void mcx_vault_key_set_clear(struct mcx_vault_key_set *set);

/** What everybody may know about the vault's KMS. */
struct mcx_vault_public {
    char kms_uri[MCX_VAULT_URI_MAX];
    struct mcx_key_period period;
    uint8_t pub_enc_key[MCX_SAKKE_POINT_LEN];  /* Z_T */
    uint8_t pub_auth_key[MCX_ECCSI_POINT_LEN]; /* KPAK */
};

struct mcx_vault;

/**
 * Draw new master secrets for a KMS and give them out sealed.
 *
 * @param[out] sealed  appended to; unchanged on error
 * @retval MCX_E_ARG  empty or over-long URI, invalid period, seal key of another length, empty passphrase
 * @retval MCX_E_RNG @retval MCX_E_SPACE @retval MCX_E_NOMEM (also when memory cannot be locked)
 */
MCX_MUST_CHECK mcx_err mcx_vault_create(struct mcx_wr *sealed, struct mcx_bytes kms_uri,
                                        const struct mcx_key_period *period, const struct mcx_vault_seal *seal,
                                        const struct mcx_rng *rng);

/**
 * Open sealed master secrets into locked memory and prepare the public keys for the checks.
 *
 * @retval MCX_E_TRUNC @retval MCX_E_FORMAT @retval MCX_E_TRAILING @retval MCX_E_UNSUP  not of the form above
 * @retval MCX_E_ARG   the seal is of the other kind, or of a wrong length
 * @retval MCX_E_AUTH  another key, or altered
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_vault_open(struct mcx_vault **out, struct mcx_bytes sealed,
                                      const struct mcx_vault_seal *seal);
void mcx_vault_free(struct mcx_vault *vault);

const struct mcx_vault_public *mcx_vault_public(const struct mcx_vault *vault);

/**
 * Make a key set: the RSK is the same for every request of one user and period; SSK and PVT are fresh. Both
 * equations that a client checks (RFC 6507 5.1.2, RFC 6508 6.1.2) are checked before anything is given out.
 *
 * @param[out] out  wiped on error
 * @retval MCX_E_ARG  empty URI
 * @retval MCX_E_BUG  a check failed: the key set was miscomputed and has been destroyed
 * @retval MCX_E_RNG @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_vault_issue(const struct mcx_vault *vault, struct mcx_vault_key_set *out,
                                       const struct mcx_vault_request *req, const struct mcx_rng *rng);

#endif
