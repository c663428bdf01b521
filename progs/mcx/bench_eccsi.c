/* SPDX-License-Identifier: Apache-2.0 */
/* ECCSI, the UID and the primitives below them; OpenSSL's ECDSA on the same curve beside it. */
#include "mcx/bench.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <mcx/eccsi.h>
#include <mcx/ident.h>

#include "crypto/ec/p256.h"
#include "crypto/sym/sym.h"

#define MSG_LEN 400 /* about an I_MESSAGE without its signature */

struct eccsi_state {
    struct mcx_rng rng;
    struct mcx_eccsi_master master;
    struct mcx_eccsi_kms *kms;
    struct mcx_eccsi_key key;
    struct mcx_bytes uid;
    struct mcx_bytes msg;
    uint8_t uid_octets[MCX_UID_LEN];
    uint8_t msg_octets[MSG_LEN];
    uint8_t kpak[MCX_ECCSI_POINT_LEN];
    uint8_t ssk[MCX_ECCSI_SSK_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
    uint8_t sig[MCX_ECCSI_SIG_LEN];
    struct mcx_p256_scalar scalar;
};

static mcx_err eccsi_setup(void **state)
{
    struct eccsi_state *s = mcx_secret_alloc(sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->rng = mcx_rng_system();
    s->uid = mcx_bytes(s->uid_octets, sizeof s->uid_octets);
    s->msg = mcx_bytes(s->msg_octets, sizeof s->msg_octets);
    MCX_TRY(mcx_rng_fill(&s->rng, s->uid_octets, sizeof s->uid_octets));
    MCX_TRY(mcx_eccsi_master_generate(&s->master, &s->rng));
    MCX_TRY(mcx_eccsi_master_public(s->kpak, &s->master));
    MCX_TRY(mcx_eccsi_kms_new(&s->kms, s->kpak));
    MCX_TRY(mcx_eccsi_extract(s->ssk, s->pvt, &s->master, s->uid, &s->rng));
    MCX_TRY(mcx_eccsi_key_init(&s->key, s->kms, s->uid, s->ssk, s->pvt));
    (void)mcx_p256_scalar_read(&s->scalar, s->ssk);
    return mcx_eccsi_sign(s->sig, &s->key, s->msg, &s->rng);
}

static void eccsi_teardown(void *state)
{
    struct eccsi_state *s = state;

    if (s != NULL) {
        mcx_eccsi_key_clear(&s->key);
        mcx_eccsi_kms_free(s->kms);
        mcx_secret_free(s);
    }
}

static mcx_err run_extract(void *state)
{
    struct eccsi_state *s = state;
    uint8_t ssk[MCX_ECCSI_SSK_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];

    return mcx_eccsi_extract(ssk, pvt, &s->master, s->uid, &s->rng);
}

static mcx_err run_validate(void *state)
{
    struct eccsi_state *s = state;
    struct mcx_eccsi_key key;
    mcx_err err = mcx_eccsi_key_init(&key, s->kms, s->uid, s->ssk, s->pvt);

    if (err == MCX_OK) {
        mcx_eccsi_key_clear(&key);
    }
    return err;
}

static mcx_err run_sign(void *state)
{
    struct eccsi_state *s = state;

    return mcx_eccsi_sign(s->sig, &s->key, s->msg, &s->rng);
}

static mcx_err run_verify(void *state)
{
    struct eccsi_state *s = state;

    return mcx_eccsi_verify(s->kms, s->uid, s->msg, s->sig);
}

static mcx_err run_inverse(void *state)
{
    struct eccsi_state *s = state;

    mcx_p256_scalar_inverse(&s->scalar, &s->scalar);
    return MCX_OK;
}

static mcx_err run_uid(void *state)
{
    static const struct mcx_key_period period = { 2592000, 0 };
    struct eccsi_state *s = state;

    return mcx_uid(s->uid_octets, mcx_bytes_str("sip:user@example.org"), mcx_bytes_str("kms.example.org"), &period,
                   1388);
}

/* The AEAD below SRTP: 160 octets and 12 of associated data, the key set once (RFC 7714 8). */
struct gcm_state {
    struct mcx_gcm *gcm;
    uint8_t nonce[12];
    uint8_t aad[12];
    uint8_t text[160];
    uint8_t tag[MCX_GCM_TAG_LEN];
};

static mcx_err gcm_setup(void **state)
{
    static const uint8_t key[16] = { 1 };
    struct gcm_state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    return mcx_gcm_new(&s->gcm, mcx_bytes(key, sizeof key), sizeof s->nonce);
}

static void gcm_teardown(void *state)
{
    struct gcm_state *s = state;

    if (s != NULL) {
        mcx_gcm_free(s->gcm);
        free(s);
    }
}

static mcx_err run_gcm(void *state)
{
    struct gcm_state *s = state;

    s->nonce[11]++;
    return mcx_gcm_seal(s->gcm, s->text, s->tag, s->nonce, mcx_bytes(s->aad, sizeof s->aad),
                        mcx_bytes(s->text, sizeof s->text));
}

/* The peer: ECDSA over the same message, key contexts made once as a careful user would. */
struct ecdsa_state {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *sign;
    EVP_PKEY_CTX *verify;
    uint8_t msg[MSG_LEN];
    uint8_t sig[80];
    size_t sig_len;
};

static mcx_err run_ecdsa_sign(void *state)
{
    struct ecdsa_state *s = state;
    struct mcx_bytes msg = mcx_bytes(s->msg, sizeof s->msg);
    uint8_t digest[MCX_SHA256_LEN];

    MCX_TRY(mcx_sha256(digest, &msg, 1));
    s->sig_len = sizeof s->sig;
    return EVP_PKEY_sign(s->sign, s->sig, &s->sig_len, digest, sizeof digest) == 1 ? MCX_OK : MCX_E_BUG;
}

static mcx_err run_ecdsa_verify(void *state)
{
    struct ecdsa_state *s = state;
    struct mcx_bytes msg = mcx_bytes(s->msg, sizeof s->msg);
    uint8_t digest[MCX_SHA256_LEN];

    MCX_TRY(mcx_sha256(digest, &msg, 1));
    return EVP_PKEY_verify(s->verify, s->sig, s->sig_len, digest, sizeof digest) == 1 ? MCX_OK : MCX_E_AUTH;
}

static mcx_err ecdsa_setup(void **state)
{
    struct ecdsa_state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->pkey = EVP_EC_gen("P-256");
    s->sign = s->pkey == NULL ? NULL : EVP_PKEY_CTX_new(s->pkey, NULL);
    s->verify = s->pkey == NULL ? NULL : EVP_PKEY_CTX_new(s->pkey, NULL);
    if (s->sign == NULL || s->verify == NULL || EVP_PKEY_sign_init(s->sign) != 1 ||
        EVP_PKEY_verify_init(s->verify) != 1) {
        return MCX_E_NOMEM;
    }
    return run_ecdsa_sign(s);
}

static void ecdsa_teardown(void *state)
{
    struct ecdsa_state *s = state;

    if (s != NULL) {
        EVP_PKEY_CTX_free(s->sign);
        EVP_PKEY_CTX_free(s->verify);
        EVP_PKEY_free(s->pkey);
        free(s);
    }
}

const struct bench_item bench_eccsi[] = {
    { "ident.uid", eccsi_setup, run_uid, eccsi_teardown },
    { "sym.gcm_seal.160", gcm_setup, run_gcm, gcm_teardown },
    { "p256.scalar_inverse", eccsi_setup, run_inverse, eccsi_teardown },
    { "eccsi.extract", eccsi_setup, run_extract, eccsi_teardown },
    { "eccsi.validate", eccsi_setup, run_validate, eccsi_teardown },
    { "eccsi.sign", eccsi_setup, run_sign, eccsi_teardown },
    { "eccsi.verify", eccsi_setup, run_verify, eccsi_teardown },
    { "openssl.ecdsa.sign", ecdsa_setup, run_ecdsa_sign, ecdsa_teardown },
    { "openssl.ecdsa.verify", ecdsa_setup, run_ecdsa_verify, ecdsa_teardown },
    { NULL, NULL, NULL, NULL },
};

const struct bench_ratio bench_eccsi_ratios[] = {
    { "eccsi.sign", "openssl.ecdsa.sign", 1.5 },
    { "eccsi.verify", "openssl.ecdsa.verify", 2.5 },
    { NULL, NULL, 0.0 },
};
