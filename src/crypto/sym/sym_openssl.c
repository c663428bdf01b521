/* SPDX-License-Identifier: Apache-2.0 */
/* Hash, HMAC, AES and scrypt from OpenSSL 3 through EVP. The only file that knows the provider for these. */
#include "crypto/sym/sym.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/*
 * The provider failed where it must not: for want of memory, or for a reason that is our mistake. Its notes are taken
 * away, so that whoever looks at them next does not take them for his own.
 */
static mcx_err provider_error(void)
{
    bool memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;

    ERR_clear_error();
    return memory ? MCX_E_NOMEM : MCX_E_BUG;
}

static mcx_err no_memory(void)
{
    ERR_clear_error();
    return MCX_E_NOMEM;
}

mcx_err mcx_sha256(uint8_t out[MCX_SHA256_LEN], const struct mcx_bytes *parts, size_t num)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t digest[MCX_SHA256_LEN];
    int ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

    for (size_t i = 0; ok && i < num; i++) {
        ok = parts[i].len == 0 || EVP_DigestUpdate(ctx, parts[i].p, parts[i].len);
    }
    ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx);
    if (!ok) {
        return ctx == NULL ? no_memory() : provider_error();
    }
    memcpy(out, digest, sizeof digest);
    mcx_wipe(digest, sizeof digest);
    return MCX_OK;
}

static int hmac_parts(EVP_MAC_CTX *ctx, struct mcx_bytes key, const struct mcx_bytes *parts, size_t num,
                      uint8_t out[MCX_SHA256_LEN])
{
    char digest[] = "SHA256"; /* OSSL_PARAM takes no const */
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end() };
    size_t len = 0;

    if (!EVP_MAC_init(ctx, key.p, key.len, params)) {
        return 0;
    }
    for (size_t i = 0; i < num; i++) {
        if (parts[i].len > 0 && !EVP_MAC_update(ctx, parts[i].p, parts[i].len)) {
            return 0;
        }
    }
    return EVP_MAC_final(ctx, out, &len, MCX_SHA256_LEN) && len == MCX_SHA256_LEN;
}

mcx_err mcx_hmac_sha256(uint8_t out[MCX_SHA256_LEN], struct mcx_bytes key, const struct mcx_bytes *parts, size_t num)
{
    static const uint8_t none = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    uint8_t tag[MCX_SHA256_LEN];
    mcx_err err = MCX_OK;

    if (ctx == NULL) {
        err = no_memory();
        goto out;
    }
    if (key.len == 0) { /* EVP_MAC_init takes NULL for "the key of before" */
        key = mcx_bytes(&none, 0);
    }
    err = hmac_parts(ctx, key, parts, num, tag) ? MCX_OK : provider_error();
    if (err == MCX_OK) {
        memcpy(out, tag, sizeof tag);
    }
out:
    mcx_wipe(tag, sizeof tag);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return err;
}

mcx_err mcx_aes128_ctr_stream(uint8_t *out, size_t len, const struct mcx_key *key, const uint8_t counter[16])
{
    EVP_CIPHER_CTX *ctx = NULL;
    int n = 0;
    int ok = 0;

    if (len > INT_MAX) {
        return MCX_E_ARG;
    }
    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return no_memory();
    }
    memset(out, 0, len);
    ok = EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, key->octet, counter) &&
         (len == 0 || EVP_EncryptUpdate(ctx, out, &n, out, (int)len));
    EVP_CIPHER_CTX_free(ctx);
    if (!ok || n != (int)len) {
        mcx_wipe(out, len);
        return provider_error();
    }
    return MCX_OK;
}

/*
 * The key schedule and the powers of H are made once, in mcx_gcm_new(); a packet only sets its nonce. GCM
 * uses the forward cipher both ways, so that one context serves seal and open.
 */
struct mcx_gcm {
    EVP_CIPHER_CTX *ctx;
};

mcx_err mcx_gcm_new(struct mcx_gcm **out, struct mcx_bytes key, size_t nonce_len)
{
    const EVP_CIPHER *cipher = key.len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    struct mcx_gcm *gcm = NULL;

    if ((key.len != 16 && key.len != 32) || (nonce_len != 12 && nonce_len != 16)) {
        return MCX_E_ARG;
    }
    gcm = OPENSSL_zalloc(sizeof *gcm);
    if (gcm == NULL) {
        return no_memory();
    }
    gcm->ctx = EVP_CIPHER_CTX_new();
    if (gcm->ctx == NULL) {
        mcx_gcm_free(gcm);
        return no_memory();
    }
    if (!EVP_CipherInit_ex(gcm->ctx, cipher, NULL, NULL, NULL, 1) ||
        !EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)nonce_len, NULL) ||
        !EVP_CipherInit_ex(gcm->ctx, NULL, NULL, key.p, NULL, 1)) {
        mcx_gcm_free(gcm);
        return provider_error();
    }
    *out = gcm;
    return MCX_OK;
}

void mcx_gcm_free(struct mcx_gcm *gcm)
{
    if (gcm != NULL) {
        EVP_CIPHER_CTX_free(gcm->ctx);
        OPENSSL_free(gcm);
    }
}

/* Nonce, associated data and text; the direction is `seal`. */
static int gcm_run(struct mcx_gcm *gcm, int seal, uint8_t *out, const uint8_t *nonce, struct mcx_bytes aad,
                   struct mcx_bytes in)
{
    int n = 0;

    return EVP_CipherInit_ex(gcm->ctx, NULL, NULL, NULL, nonce, seal) &&
           (aad.len == 0 || EVP_CipherUpdate(gcm->ctx, NULL, &n, aad.p, (int)aad.len)) &&
           (in.len == 0 || EVP_CipherUpdate(gcm->ctx, out, &n, in.p, (int)in.len));
}

mcx_err mcx_gcm_seal(struct mcx_gcm *gcm, uint8_t *out, uint8_t tag[MCX_GCM_TAG_LEN], const uint8_t *nonce,
                     struct mcx_bytes aad, struct mcx_bytes in)
{
    uint8_t rest[16];
    int n = 0;

    if (aad.len > INT_MAX || in.len > INT_MAX) {
        return MCX_E_ARG;
    }
    if (!gcm_run(gcm, 1, out, nonce, aad, in) || !EVP_CipherFinal_ex(gcm->ctx, rest, &n) ||
        !EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, MCX_GCM_TAG_LEN, tag)) {
        mcx_wipe(out, in.len);
        return provider_error();
    }
    return MCX_OK;
}

mcx_err mcx_gcm_open(struct mcx_gcm *gcm, uint8_t *out, const uint8_t *nonce, struct mcx_bytes aad, struct mcx_bytes in,
                     const uint8_t tag[MCX_GCM_TAG_LEN])
{
    uint8_t want[MCX_GCM_TAG_LEN];
    uint8_t rest[16];
    int n = 0;

    if (aad.len > INT_MAX || in.len > INT_MAX) {
        return MCX_E_ARG;
    }
    memcpy(want, tag, sizeof want); /* the interface of OpenSSL is not const */
    if (!gcm_run(gcm, 0, out, nonce, aad, in) ||
        !EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, MCX_GCM_TAG_LEN, want)) {
        mcx_wipe(out, in.len);
        return provider_error();
    }
    if (EVP_CipherFinal_ex(gcm->ctx, rest, &n) <= 0) {
        mcx_wipe(out, in.len);
        return MCX_E_AUTH;
    }
    return MCX_OK;
}

#define KW_MIN_INPUT 16 /* RFC 3394 2: at least two 64-bit blocks */
#define KW_BLOCK     8

/* One key wrap operation; `out` has room for in.len + 15 octets. Returns how many came out, 0 = refused. */
static mcx_err kw_run(const EVP_CIPHER *cipher, int wrap, uint8_t *out, size_t *out_len, const uint8_t kek[32],
                      struct mcx_bytes in)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    mcx_err err = MCX_OK;

    if (ctx == NULL) {
        return no_memory();
    }
    (void)ERR_set_mark();
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (!EVP_CipherInit_ex(ctx, cipher, NULL, kek, NULL, wrap)) {
        err = provider_error();
    } else if (EVP_CipherUpdate(ctx, out, &n, in.p, (int)in.len) <= 0 || n <= 0) {
        err = wrap ? provider_error() : MCX_E_AUTH;
    }
    (void)ERR_pop_to_mark(); /* a refusal must not show up as an error of somebody's TLS connection */
    EVP_CIPHER_CTX_free(ctx);
    *out_len = err == MCX_OK ? (size_t)n : 0;
    return err;
}

mcx_err mcx_kw256_wrap(uint8_t *out, size_t cap, size_t *out_len, const uint8_t kek[32], bool pad, struct mcx_bytes in)
{
    bool plain = !pad && in.len % KW_BLOCK == 0 && in.len >= KW_MIN_INPUT;

    if (in.len == 0 || in.len > INT_MAX - 2 * KW_BLOCK) {
        return MCX_E_ARG;
    }
    if (cap < (in.len + KW_BLOCK - 1) / KW_BLOCK * KW_BLOCK + KW_BLOCK) {
        return MCX_E_SPACE;
    }
    return kw_run(plain ? EVP_aes_256_wrap() : EVP_aes_256_wrap_pad(), 1, out, out_len, kek, in);
}

mcx_err mcx_kw256_unwrap(uint8_t *out, size_t cap, size_t *out_len, const uint8_t kek[32], struct mcx_bytes in)
{
    uint8_t *text = NULL; /* the padded text may be longer than what the caller has room for */
    size_t len = 0;
    mcx_err err = MCX_E_AUTH;

    if (in.len < 2 * KW_BLOCK || in.len % KW_BLOCK != 0 || in.len > INT_MAX) {
        mcx_wipe(out, cap);
        return MCX_E_AUTH;
    }
    text = OPENSSL_malloc(in.len);
    if (text == NULL) {
        mcx_wipe(out, cap);
        return no_memory();
    }
    if (in.len >= KW_MIN_INPUT + KW_BLOCK) {
        err = kw_run(EVP_aes_256_wrap(), 0, text, &len, kek, in);
    }
    if (err == MCX_E_AUTH) {
        err = kw_run(EVP_aes_256_wrap_pad(), 0, text, &len, kek, in);
    }
    if (err == MCX_OK && len > cap) {
        err = MCX_E_SPACE;
    }
    mcx_wipe(out, cap);
    if (err == MCX_OK) {
        memcpy(out, text, len);
        *out_len = len;
    }
    OPENSSL_clear_free(text, in.len);
    return err;
}

/* RFC 7914: 32 MiB; the limit leaves room for OpenSSL's own bookkeeping. */
#define SCRYPT_N       (UINT64_C(1) << 15)
#define SCRYPT_R       8
#define SCRYPT_P       1
#define SCRYPT_MAX_MEM (UINT64_C(48) << 20)

mcx_err mcx_passphrase_key(uint8_t out[32], struct mcx_bytes passphrase, const uint8_t salt[16])
{
    const char *p = passphrase.len == 0 ? "" : (const char *)passphrase.p;

    if (EVP_PBE_scrypt(p, passphrase.len, salt, 16, SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MAX_MEM, out, 32) <= 0) {
        mcx_wipe(out, 32);
        return no_memory(); /* the parameters are constants: only memory can lack */
    }
    return MCX_OK;
}
