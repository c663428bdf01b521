/* SPDX-License-Identifier: Apache-2.0 */
#include "media/srtp_packet.h"

#include <string.h>

#define KDF_LABEL_OCTET 7 /* label || 48 bits of r, from the right of the 112-bit salt (RFC 3711 4.3.1) */

static void put_be(uint8_t *p, size_t num, uint64_t v)
{
    for (size_t i = 0; i < num; i++) {
        p[i] = (uint8_t)(v >> (8 * (num - 1 - i)));
    }
}

mcx_err mcx_srtp_kdf(uint8_t *out, size_t len, const struct mcx_key *key, const uint8_t salt[SRTP_KDF_SALT_LEN],
                     enum srtp_label label)
{
    uint8_t counter[16] = { 0 }; /* x || 0000 (RFC 3711 4.3.3) */
    mcx_err err;

    memcpy(counter, salt, SRTP_KDF_SALT_LEN);
    counter[KDF_LABEL_OCTET] ^= (uint8_t)label;
    err = mcx_aes128_ctr_stream(out, len, key, counter);
    mcx_wipe(counter, sizeof counter);
    return err;
}

mcx_err mcx_srtp_cipher_init(struct srtp_cipher *out, struct mcx_bytes session_key,
                             const uint8_t session_salt[MCX_SRTP_SALT_LEN])
{
    MCX_TRY(mcx_gcm_new(&out->gcm, session_key, SRTP_NONCE_LEN));
    memcpy(out->salt, session_salt, MCX_SRTP_SALT_LEN);
    return MCX_OK;
}

mcx_err mcx_srtp_cipher_derive(struct srtp_cipher *out, const struct mcx_srtp_master *master, enum srtp_label key_label,
                               enum srtp_label salt_label)
{
    /* The 12-octet salt of GCM fills the 14 octets from the left; libsrtp's published packets fix this. */
    uint8_t salt[SRTP_KDF_SALT_LEN] = { 0 };
    struct mcx_key session_key = { { 0 } };
    uint8_t session_salt[MCX_SRTP_SALT_LEN] = { 0 };
    mcx_err err;

    memcpy(salt, master->salt, sizeof master->salt);
    MCX_GO(err, mcx_srtp_kdf(session_key.octet, sizeof session_key.octet, &master->key, salt, key_label));
    MCX_GO(err, mcx_srtp_kdf(session_salt, sizeof session_salt, &master->key, salt, salt_label));
    MCX_GO(err, mcx_srtp_cipher_init(out, mcx_bytes(session_key.octet, sizeof session_key.octet), session_salt));
out:
    mcx_wipe(salt, sizeof salt);
    mcx_key_clear(&session_key);
    mcx_wipe(session_salt, sizeof session_salt);
    return err;
}

void mcx_srtp_cipher_clear(struct srtp_cipher *cipher)
{
    mcx_gcm_free(cipher->gcm);
    mcx_wipe(cipher, sizeof *cipher);
}

static void xor_salt(uint8_t nonce[SRTP_NONCE_LEN], const struct srtp_cipher *cipher)
{
    for (size_t i = 0; i < SRTP_NONCE_LEN; i++) {
        nonce[i] ^= cipher->salt[i];
    }
}

/* (0000 || SSRC || ROC || SEQ) XOR salt (RFC 7714 8.1) */
void mcx_srtp_nonce(uint8_t nonce[SRTP_NONCE_LEN], const struct srtp_cipher *cipher, uint32_t ssrc, uint64_t index)
{
    put_be(nonce, 2, 0);
    put_be(nonce + 2, 4, ssrc);
    put_be(nonce + 6, 6, index);
    xor_salt(nonce, cipher);
}

/* (0000 || SSRC || 0000 || 0 || index) XOR salt (RFC 7714 9.1) */
void mcx_srtcp_nonce(uint8_t nonce[SRTP_NONCE_LEN], const struct srtp_cipher *cipher, uint32_t ssrc, uint32_t index)
{
    put_be(nonce, 2, 0);
    put_be(nonce + 2, 4, ssrc);
    put_be(nonce + 6, 2, 0);
    put_be(nonce + 8, 4, index);
    xor_salt(nonce, cipher);
}

static void copy_clear(uint8_t *out, struct mcx_bytes clear)
{
    if (out != clear.p) {
        memcpy(out, clear.p, clear.len);
    }
}

mcx_err mcx_srtp_seal(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in, uint32_t ssrc,
                      uint64_t index)
{
    uint8_t *ct = out + in->clear.len;
    uint8_t nonce[SRTP_NONCE_LEN];

    mcx_srtp_nonce(nonce, cipher, ssrc, index);
    copy_clear(out, in->clear);
    return mcx_gcm_seal(cipher->gcm, ct, ct + in->body.len, nonce, in->clear, in->body);
}

mcx_err mcx_srtp_open(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in, uint32_t ssrc,
                      uint64_t index)
{
    uint8_t nonce[SRTP_NONCE_LEN];

    mcx_srtp_nonce(nonce, cipher, ssrc, index);
    MCX_TRY(mcx_gcm_open(cipher->gcm, out + in->clear.len, nonce, in->clear, in->body, in->tag.p));
    copy_clear(out, in->clear);
    return MCX_OK;
}

#define SRTCP_AAD_LEN (SRTCP_CLEAR_LEN + SRTCP_WORD_LEN)

/* Header and SSRC, then the word with E = 1 (RFC 7714 9.2) */
static void srtcp_aad(uint8_t aad[SRTCP_AAD_LEN], const struct srtp_parts *in, uint32_t index)
{
    memcpy(aad, in->clear.p, SRTCP_CLEAR_LEN);
    put_be(aad + SRTCP_CLEAR_LEN, SRTCP_WORD_LEN, SRTCP_E_FLAG | index);
}

mcx_err mcx_srtcp_seal(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in, uint32_t ssrc,
                       uint32_t index)
{
    uint8_t *ct = out + in->clear.len;
    uint8_t *tag = ct + in->body.len;
    uint8_t aad[SRTCP_AAD_LEN];
    uint8_t nonce[SRTP_NONCE_LEN];

    mcx_srtcp_nonce(nonce, cipher, ssrc, index);
    srtcp_aad(aad, in, index);
    copy_clear(out, in->clear);
    MCX_TRY(mcx_gcm_seal(cipher->gcm, ct, tag, nonce, mcx_bytes(aad, sizeof aad), in->body));
    put_be(tag + SRTP_TAG_LEN, SRTCP_WORD_LEN, SRTCP_E_FLAG | index); /* the tag stands before it */
    return MCX_OK;
}

mcx_err mcx_srtcp_open(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in, uint32_t ssrc,
                       uint32_t index)
{
    uint8_t aad[SRTCP_AAD_LEN];
    uint8_t nonce[SRTP_NONCE_LEN];

    mcx_srtcp_nonce(nonce, cipher, ssrc, index);
    srtcp_aad(aad, in, index);
    MCX_TRY(mcx_gcm_open(cipher->gcm, out + in->clear.len, nonce, mcx_bytes(aad, sizeof aad), in->body, in->tag.p));
    copy_clear(out, in->clear);
    return MCX_OK;
}
