/* SPDX-License-Identifier: Apache-2.0 */
#include "gms/key.h"

#include "crypto/sym/sym.h"

#include <string.h>

#define MAGIC     "mcxgmkey"
#define VERSION   1
#define NONCE_LEN 12
#define PLAIN_LEN (MCX_KEY_LEN + MCX_GMS_RAND_LEN)
#define AAD_MAX   16

void mcx_gms_key_clear(struct mcx_gms_key *key)
{
    mcx_wipe(key, sizeof *key);
}

mcx_err mcx_gms_key_draw(struct mcx_gms_key *out, enum mcx_key_type type, const struct mcx_rng *rng)
{
    mcx_err err = MCX_OK;

    *out = (struct mcx_gms_key){ .type = type };
    if (type != MCX_KEY_GMK && type != MCX_KEY_MKFC) {
        return MCX_E_ARG;
    }
    MCX_GO(err, mcx_key_generate(&out->key, &out->key_id, type, rng));
    MCX_GO(err, mcx_rng_fill(rng, out->rand, sizeof out->rand));
out:
    if (err != MCX_OK) {
        mcx_gms_key_clear(out);
    }
    return err;
}

static mcx_err aad_of(struct mcx_wr *wr, enum mcx_key_type type, uint32_t key_id)
{
    MCX_TRY(mcx_wr_str(wr, MAGIC));
    MCX_TRY(mcx_wr_u8(wr, VERSION));
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)type));
    return mcx_wr_u32(wr, key_id);
}

mcx_err mcx_gms_key_seal(uint8_t out[MCX_GMS_SEALED_LEN], const struct mcx_gms_key *key,
                         const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN], const struct mcx_rng *rng)
{
    uint8_t aad_buf[AAD_MAX];
    uint8_t plain[PLAIN_LEN];
    uint8_t *nonce = out + 1;
    uint8_t *body = nonce + NONCE_LEN;
    struct mcx_wr aad = mcx_wr(aad_buf, sizeof aad_buf);
    struct mcx_gcm *gcm = NULL;
    mcx_err err = MCX_OK;

    memcpy(plain, key->key.octet, MCX_KEY_LEN);
    memcpy(plain + MCX_KEY_LEN, key->rand, MCX_GMS_RAND_LEN);
    out[0] = VERSION;
    MCX_GO(err, aad_of(&aad, key->type, key->key_id));
    MCX_GO(err, mcx_rng_fill(rng, nonce, NONCE_LEN));
    MCX_GO(err, mcx_gcm_new(&gcm, mcx_bytes(seal_key, MCX_GMS_SEAL_KEY_LEN), NONCE_LEN));
    MCX_GO(err, mcx_gcm_seal(gcm, body, body + PLAIN_LEN, nonce, mcx_wr_done(&aad), mcx_bytes(plain, sizeof plain)));
out:
    mcx_gcm_free(gcm);
    mcx_wipe(plain, sizeof plain);
    if (err != MCX_OK) {
        mcx_wipe(out, MCX_GMS_SEALED_LEN);
    }
    return err;
}

mcx_err mcx_gms_key_open(struct mcx_gms_key *out, struct mcx_bytes sealed, enum mcx_key_type type, uint32_t key_id,
                         const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN])
{
    uint8_t aad_buf[AAD_MAX];
    uint8_t plain[PLAIN_LEN] = { 0 };
    struct mcx_wr aad = mcx_wr(aad_buf, sizeof aad_buf);
    struct mcx_rd rd = mcx_rd(sealed);
    struct mcx_gcm *gcm = NULL;
    struct mcx_bytes nonce;
    struct mcx_bytes body;
    struct mcx_bytes tag;
    uint8_t version = 0;
    mcx_err err = MCX_OK;

    *out = (struct mcx_gms_key){ .type = type, .key_id = key_id };
    MCX_GO(err, mcx_rd_u8(&rd, &version));
    MCX_GO(err, version == VERSION ? MCX_OK : MCX_E_UNSUP);
    MCX_GO(err, mcx_rd_take(&rd, NONCE_LEN, &nonce));
    MCX_GO(err, mcx_rd_take(&rd, PLAIN_LEN, &body));
    MCX_GO(err, mcx_rd_take(&rd, MCX_GCM_TAG_LEN, &tag));
    MCX_GO(err, mcx_rd_end(&rd));
    MCX_GO(err, aad_of(&aad, type, key_id));
    MCX_GO(err, mcx_gcm_new(&gcm, mcx_bytes(seal_key, MCX_GMS_SEAL_KEY_LEN), NONCE_LEN));
    MCX_GO(err, mcx_gcm_open(gcm, plain, nonce.p, mcx_wr_done(&aad), body, tag.p));
    memcpy(out->key.octet, plain, MCX_KEY_LEN);
    memcpy(out->rand, plain + MCX_KEY_LEN, MCX_GMS_RAND_LEN);
out:
    mcx_gcm_free(gcm);
    mcx_wipe(plain, sizeof plain);
    if (err != MCX_OK) {
        mcx_gms_key_clear(out);
    }
    return err;
}
