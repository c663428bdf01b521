/* SPDX-License-Identifier: Apache-2.0 */
/* Keys made from keys: TS 33.180 F.1.4 and F.1.5, SRTP master keys of MIKEY (RFC 3830 4.1). */
#include "ident/ident_internal.h"

#include <string.h>

#include "crypto/sym/sym.h"

mcx_err mcx_kdf(uint8_t out[32], const struct mcx_key *key, uint8_t fc, const struct mcx_bytes *params, size_t num)
{
    struct mcx_bytes parts[1 + 2 * MCX_KDF_MAX_PARAMS] = { { &fc, 1 } };
    uint8_t len[MCX_KDF_MAX_PARAMS][2];

    if (num > MCX_KDF_MAX_PARAMS) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < num; i++) {
        if (params[i].len > UINT16_MAX) {
            return MCX_E_ARG;
        }
        len[i][0] = (uint8_t)(params[i].len >> 8);
        len[i][1] = (uint8_t)params[i].len;
        parts[1 + 2 * i] = params[i];
        parts[2 + 2 * i] = mcx_bytes(len[i], sizeof len[i]);
    }
    return mcx_hmac_sha256(out, mcx_bytes(key->octet, sizeof key->octet), parts, 1 + 2 * num);
}

static void put_u32(uint8_t out[4], uint32_t v)
{
    for (size_t i = 0; i < 4; i++) {
        out[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

/* A 128-bit key is the 128 least significant bits of the output: F.1.5 [vector]; F.1.4 by analogy ("xml-key-half"). */
static mcx_err kdf_key(struct mcx_key *out, const struct mcx_key *key, uint8_t fc, const struct mcx_bytes *params,
                       size_t num)
{
    uint8_t mac[32] = { 0 };
    mcx_err err = mcx_kdf(mac, key, fc, params, num);

    if (err == MCX_OK) {
        memcpy(out->octet, mac + sizeof mac - sizeof out->octet, sizeof out->octet);
    }
    mcx_wipe(mac, sizeof mac);
    return err;
}

mcx_err mcx_dpck(struct mcx_key *dpck, const struct mcx_key *dppk, uint32_t dppk_id)
{
    uint8_t id[4] = { 0 };
    struct mcx_bytes param = mcx_bytes(id, sizeof id);

    put_u32(id, dppk_id);
    return kdf_key(dpck, dppk, 0x53, &param, 1);
}

mcx_err mcx_xml_key(struct mcx_key *out, bool integrity, const struct mcx_key *xpk, struct mcx_bytes user_uri,
                    uint32_t xpk_id)
{
    uint8_t id[4] = { 0 };
    struct mcx_bytes params[2] = { user_uri, { id, sizeof id } };

    if (user_uri.len == 0) {
        return MCX_E_ARG;
    }
    put_u32(id, xpk_id);
    return kdf_key(out, xpk, integrity ? 0x52 : 0x51, params, 2);
}

#define PRF_BLOCK 32 /* RFC 6043 6.1: the key is split into blocks of 256 bits, as wide as the hash */

/* out ^= P(s, label, len): HMAC(s, A_1 || label) || HMAC(s, A_2 || label) ..., A_0 = label (RFC 3830 4.1.2). */
static mcx_err prf_xor_block(uint8_t *out, size_t out_len, struct mcx_bytes s, struct mcx_bytes label)
{
    uint8_t a[PRF_BLOCK];
    uint8_t mac[PRF_BLOCK];
    struct mcx_bytes parts[2] = { { a, sizeof a }, label };
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_hmac_sha256(a, s, &label, 1));
    for (size_t done = 0; done < out_len; done += PRF_BLOCK) {
        if (done > 0) {
            MCX_GO(err, mcx_hmac_sha256(a, s, parts, 1));
        }
        MCX_GO(err, mcx_hmac_sha256(mac, s, parts, 2));
        for (size_t i = 0; i < PRF_BLOCK && done + i < out_len; i++) {
            out[done + i] ^= mac[i];
        }
    }
out:
    mcx_wipe(a, sizeof a);
    mcx_wipe(mac, sizeof mac);
    return err;
}

mcx_err mcx_mikey_prf(uint8_t *out, size_t out_len, struct mcx_bytes key, struct mcx_bytes label)
{
    if (key.len == 0 || out_len == 0) {
        return MCX_E_ARG;
    }
    memset(out, 0, out_len);
    for (size_t at = 0; at < key.len; at += PRF_BLOCK) {
        size_t n = key.len - at < PRF_BLOCK ? key.len - at : PRF_BLOCK;
        mcx_err err = prf_xor_block(out, out_len, mcx_bytes(key.p + at, n), label);

        if (err != MCX_OK) {
            mcx_wipe(out, out_len);
            return err;
        }
    }
    return MCX_OK;
}

/* RFC 3830 4.1.3 */
#define LABEL_TEK    UINT32_C(0x2ad01c64)
#define LABEL_SALT   UINT32_C(0x39a2c14b)
#define RAND_MAX_LEN 255

void mcx_srtp_master_clear(struct mcx_srtp_master *master)
{
    mcx_wipe(master, sizeof *master);
}

mcx_err mcx_srtp_master_derive(struct mcx_srtp_master *out, const struct mcx_key *tgk, uint8_t cs_id, uint32_t csb_id,
                               struct mcx_bytes rand)
{
    uint8_t buf[4 + 1 + 4 + RAND_MAX_LEN] = { 0 }; /* constant || CS-ID || CSB-ID || RAND */
    struct mcx_bytes label = mcx_bytes(buf, 9 + rand.len);
    struct mcx_bytes key = mcx_bytes(tgk->octet, sizeof tgk->octet);
    struct mcx_srtp_master m;
    mcx_err err = MCX_OK;

    if (rand.len == 0 || rand.len > RAND_MAX_LEN) {
        return MCX_E_ARG;
    }
    buf[4] = cs_id;
    put_u32(buf + 5, csb_id);
    memcpy(buf + 9, rand.p, rand.len);
    put_u32(buf, LABEL_TEK);
    MCX_GO(err, mcx_mikey_prf(m.key.octet, sizeof m.key.octet, key, label));
    put_u32(buf, LABEL_SALT);
    MCX_GO(err, mcx_mikey_prf(m.salt, sizeof m.salt, key, label));
    *out = m;
out:
    mcx_srtp_master_clear(&m);
    return err;
}

/*
 * TS 33.180 table E.1.3-1. It has no row for SPK, MKFC and MSCCK: SPK from a vendor's vector, the other two
 * take the number of the MuSiK, whose part they play (docs/DEVIATIONS.md "cs-id-spk", "cs-id-mkfc-mscck").
 */
static const struct mcx_cs_ids cs_ids[MCX_NUM_KEY_TYPES] = {
    [MCX_KEY_GMK] = { 1, { 4 } },   [MCX_KEY_PCK] = { 2, { 0, 1 } }, [MCX_KEY_CSK] = { 1, { 6 } },
    [MCX_KEY_SPK] = { 1, { 6 } },   [MCX_KEY_MKFC] = { 1, { 7 } },   [MCX_KEY_MSCCK] = { 1, { 7 } },
    [MCX_KEY_MUSIK] = { 1, { 7 } },
};

struct mcx_cs_ids mcx_cs_ids(enum mcx_key_type type)
{
    return (unsigned)type < MCX_NUM_KEY_TYPES ? cs_ids[type] : (struct mcx_cs_ids){ 0 };
}
