/* SPDX-License-Identifier: Apache-2.0 */
/* The speaker's side of group media, and the key of a speaker (TS 33.180 7.4.2, 7.5.1). */
#include "keys/group_media_int.h"

#include <stdlib.h>

#include <mcx/rtp.h>

#include "keys/group_keys_int.h"

uint16_t mcx_group_roc_rate(const struct mcx_group_key *key)
{
    return key->rcc ? key->roc_rate : 0;
}

mcx_err mcx_group_speaker_params(struct mcx_srtp_params *params, struct mcx_srtp_master *master,
                                 uint8_t mki[GROUP_MKI_LEN], const struct mcx_group_key *key, uint32_t guk_id)
{
    struct mcx_wr wr = mcx_wr(mki, GROUP_MKI_LEN);

    MCX_TRY(mcx_wr_u32(&wr, key->key_id));
    MCX_TRY(mcx_wr_u32(&wr, guk_id));
    *params = (struct mcx_srtp_params){ master, mcx_wr_done(&wr), mcx_group_roc_rate(key) };
    return mcx_srtp_master_derive(master, &key->key, mcx_cs_ids(MCX_KEY_GMK).id[0], guk_id,
                                  mcx_bytes(key->rand, key->rand_len));
}

struct mcx_group_tx {
    char *group;
    uint32_t ssrc;
    uint32_t key_id;
    struct mcx_srtp_tx *srtp; /* NULL: no key to send with */
    bool started;
    uint64_t index; /* of the last packet, under whatever key */
};

static mcx_err use_key(struct mcx_group_tx *tx, const struct mcx_group_key *key)
{
    struct mcx_srtp_params params;
    struct mcx_srtp_master master;
    struct mcx_srtp_tx *srtp = NULL;
    uint8_t mki[GROUP_MKI_LEN];
    mcx_err err = mcx_group_speaker_params(&params, &master, mki, key, key->guk_id);

    err = err == MCX_OK ? mcx_srtp_tx_new(&srtp, &params) : err;
    mcx_srtp_master_clear(&master);
    MCX_TRY(err);
    mcx_srtp_tx_free(tx->srtp);
    tx->srtp = srtp;
    tx->key_id = key->key_id;
    return MCX_OK;
}

mcx_err mcx_group_tx_new(struct mcx_group_tx **out, const struct mcx_group_keys *keys, const char *group,
                         struct mcx_ntp now, const struct mcx_rng *rng, struct mcx_refusal *why)
{
    struct mcx_group_tx *tx = NULL;
    uint8_t ssrc[4] = { 0 };
    struct mcx_rd rd = mcx_rd(mcx_bytes(ssrc, sizeof ssrc));
    bool switched;
    mcx_err err = MCX_OK;

    if (group[0] == '\0') {
        return MCX_E_ARG;
    }
    tx = calloc(1, sizeof *tx);
    if (tx == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_GO(err, mcx_group_string(&tx->group, group));
    MCX_GO(err, mcx_rng_fill(rng, ssrc, sizeof ssrc)); /* TS 33.180 7.5.1: not that of an earlier call */
    MCX_GO(err, mcx_rd_u32(&rd, &tx->ssrc));
    MCX_GO(err, mcx_group_tx_renew(tx, &switched, keys, now, why));
    *out = tx;
    return MCX_OK;
out:
    mcx_group_tx_free(tx);
    return err;
}

void mcx_group_tx_free(struct mcx_group_tx *tx)
{
    if (tx == NULL) {
        return;
    }
    mcx_srtp_tx_free(tx->srtp);
    free(tx->group);
    free(tx);
}

uint32_t mcx_group_tx_ssrc(const struct mcx_group_tx *tx)
{
    return tx->ssrc;
}

uint32_t mcx_group_tx_key_id(const struct mcx_group_tx *tx)
{
    return tx->key_id;
}

mcx_err mcx_group_tx_renew(struct mcx_group_tx *tx, bool *switched, const struct mcx_group_keys *keys,
                           struct mcx_ntp now, struct mcx_refusal *why)
{
    const struct mcx_group_key *key = NULL;
    mcx_err err = mcx_group_keys_send(&key, keys, MCX_KEY_GMK, tx->group, now, why);

    if (err == MCX_OK && tx->srtp != NULL && tx->key_id == key->key_id) {
        *switched = false;
        return MCX_OK;
    }
    err = err == MCX_OK ? use_key(tx, key) : err;
    if (err != MCX_OK) { /* rather silent than under a key that is no longer the right one */
        mcx_srtp_tx_free(tx->srtp);
        tx->srtp = NULL;
        return err;
    }
    *switched = true;
    return MCX_OK;
}

/* The index goes on whatever key is in use, as mcx_srtp_protect() has it go on under one. */
static mcx_err next_index(uint64_t *index, const struct mcx_group_tx *tx, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - (uint16_t)tx->index);

    if (!tx->started) {
        *index = seq;
        return MCX_OK;
    }
    if (ahead == 0 || ahead >= 0x8000 || tx->index + ahead >= UINT64_C(1) << 48) {
        return MCX_E_STATE;
    }
    *index = tx->index + ahead;
    return MCX_OK;
}

mcx_err mcx_group_tx_protect(struct mcx_group_tx *tx, struct mcx_wr *out, struct mcx_bytes packet)
{
    size_t header_len = 0;
    uint64_t index = 0;
    uint32_t ssrc = 0;
    uint16_t seq = 0;
    mcx_err err;

    if (tx->srtp == NULL) {
        return MCX_E_NOKEY;
    }
    if (mcx_rtp_header_len(&header_len, &ssrc, &seq, packet) != MCX_OK) {
        return MCX_E_FORMAT;
    }
    if (ssrc != tx->ssrc) {
        return MCX_E_STATE;
    }
    MCX_TRY(next_index(&index, tx, seq));
    err = mcx_srtp_tx_set_roc(tx->srtp, (uint32_t)(index >> 16)); /* RFC 3711 3.3.1: re-keying does not reset it */
    if (err != MCX_OK && err != MCX_E_STATE) {                    /* E_STATE: not the first packet under this key */
        return err;
    }
    MCX_TRY(mcx_srtp_protect(tx->srtp, out, packet));
    tx->started = true;
    tx->index = index;
    return MCX_OK;
}
