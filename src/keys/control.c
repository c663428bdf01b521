/* SPDX-License-Identifier: Apache-2.0 */
/* Control channels: the CSK and what is protected with it (TS 33.180 5.4, 5.8, 9.4.6; TS 24.380 13). */
#include <mcx/control.h>

#include <stdlib.h>
#include <string.h>

#define CONTROL_MKI_LEN 4 /* CSK-ID or SPK-ID (TS 33.180 9.4.6) */

struct mcx_control {
    uint32_t key_id;
    uint32_t ssrc;
    struct mcx_srtp_tx *tx;
    struct mcx_srtp_rx *rx;
};

static bool type_ok(enum mcx_key_type type)
{
    return type == MCX_KEY_CSK || type == MCX_KEY_SPK;
}

void mcx_control_key_clear(struct mcx_control_key *key)
{
    if (key != NULL) {
        mcx_wipe(key, sizeof *key);
    }
}

mcx_err mcx_control_key_of(struct mcx_control_key *out, const struct mcx_imessage *msg)
{
    if (!type_ok(msg->type) || msg->no_streams) {
        return MCX_E_POLICY;
    }
    mcx_control_key_clear(out);
    out->type = msg->type;
    out->key = msg->key;
    out->key_id = msg->key_id;
    memcpy(out->rand, msg->rand, msg->rand_len);
    out->rand_len = msg->rand_len;
    return MCX_OK;
}

mcx_err mcx_csk_make(struct mcx_control_key *out, struct mcx_wr *message, struct mcx_bytes from, struct mcx_bytes to,
                     struct mcx_ntp now, const struct mcx_keyring *ring, const struct mcx_rng *rng,
                     struct mcx_refusal *why)
{
    struct mcx_control_key key = { .type = MCX_KEY_CSK, .rand_len = MCX_RAND_LEN };
    struct mcx_imessage_params params = {
        .type = MCX_KEY_CSK,
        .key = &key.key,
        .rand = mcx_bytes(key.rand, key.rand_len),
        .time = now,
        .from = from,
        .to = to,
    };
    mcx_err err;

    MCX_GO(err, mcx_key_generate(&key.key, &key.key_id, MCX_KEY_CSK, rng));
    MCX_GO(err, mcx_rng_fill(rng, key.rand, key.rand_len));
    params.key_id = key.key_id;
    MCX_GO(err, mcx_imessage_make(message, &params, ring, rng, why));
    *out = key;
out:
    mcx_control_key_clear(&key);
    return err;
}

/* Both directions have one master key; SSRC and index keep the nonces apart (RFC 7714 9.1). */
static mcx_err make_contexts(struct mcx_control *c, const struct mcx_control_key *key, size_t max_ssrc)
{
    struct mcx_srtp_master master = { 0 };
    uint8_t mki[CONTROL_MKI_LEN];
    struct mcx_wr wr = mcx_wr(mki, sizeof mki);
    struct mcx_srtp_params params = { .master = &master, .mki = mcx_bytes(mki, sizeof mki) };
    mcx_err err;

    MCX_TRY(mcx_wr_u32(&wr, key->key_id));
    MCX_GO(err, mcx_srtp_master_derive(&master, &key->key, mcx_cs_ids(key->type).id[0], key->key_id,
                                       mcx_bytes(key->rand, key->rand_len)));
    MCX_GO(err, mcx_srtp_tx_new(&c->tx, &params));
    MCX_GO(err, mcx_srtp_rx_new(&c->rx, &params, max_ssrc));
out:
    mcx_srtp_master_clear(&master);
    return err;
}

/* A new one for each use of the key (TS 33.180 7.5.1). */
static mcx_err draw_ssrc(uint32_t *ssrc, const struct mcx_rng *rng)
{
    uint8_t drawn[4] = { 0 };
    struct mcx_rd rd = mcx_rd(mcx_bytes(drawn, sizeof drawn));

    MCX_TRY(mcx_rng_fill(rng, drawn, sizeof drawn));
    return mcx_rd_u32(&rd, ssrc);
}

mcx_err mcx_control_new(struct mcx_control **out, const struct mcx_control_key *key, size_t max_ssrc,
                        const struct mcx_rng *rng)
{
    struct mcx_control *c = NULL;
    mcx_err err;

    if (!type_ok(key->type)) {
        return MCX_E_ARG;
    }
    c = calloc(1, sizeof *c);
    if (c == NULL) {
        return MCX_E_NOMEM;
    }
    c->key_id = key->key_id;
    MCX_GO(err, draw_ssrc(&c->ssrc, rng));
    MCX_GO(err, make_contexts(c, key, max_ssrc));
    *out = c;
    return MCX_OK;
out:
    mcx_control_free(c);
    return err;
}

void mcx_control_free(struct mcx_control *control)
{
    if (control == NULL) {
        return;
    }
    mcx_srtp_tx_free(control->tx);
    mcx_srtp_rx_free(control->rx);
    free(control);
}

uint32_t mcx_control_ssrc(const struct mcx_control *control)
{
    return control->ssrc;
}

uint32_t mcx_control_key_id(const struct mcx_control *control)
{
    return control->key_id;
}

/* Length in octets and SSRC of the RTCP packet at the cursor (RFC 3550 6.4.1). */
static mcx_err read_head(uint32_t *ssrc, size_t *len, struct mcx_bytes packet)
{
    struct mcx_rd rd = mcx_rd(packet);
    uint16_t first = 0;
    uint16_t words = 0;

    MCX_TRY(mcx_rd_u16(&rd, &first));
    MCX_TRY(mcx_rd_u16(&rd, &words));
    MCX_TRY(mcx_rd_u32(&rd, ssrc));
    *len = 4 * ((size_t)words + 1);
    return MCX_OK;
}

mcx_err mcx_control_protect(struct mcx_control *control, struct mcx_wr *out, struct mcx_bytes message)
{
    uint32_t ssrc = 0;
    size_t len = 0;

    if (read_head(&ssrc, &len, message) != MCX_OK || len != message.len) {
        return MCX_E_FORMAT; /* its end would not be found again */
    }
    if (ssrc != control->ssrc) {
        return MCX_E_STATE;
    }
    return mcx_srtcp_protect(control->tx, out, message);
}

static mcx_err read_mki(uint32_t *key_id, struct mcx_bytes packet)
{
    struct mcx_bytes mki = { 0 };
    struct mcx_rd rd;

    MCX_TRY(mcx_srtcp_mki_read(&mki, packet, CONTROL_MKI_LEN));
    rd = mcx_rd(mki);
    return mcx_rd_u32(&rd, key_id);
}

mcx_err mcx_control_take(struct mcx_control *control, struct mcx_wr *out, struct mcx_rd *datagram,
                         struct mcx_refusal *why)
{
    struct mcx_bytes packet = { 0 };
    uint32_t key_id = 0;
    uint32_t ssrc = 0;
    size_t len = 0;

    if (mcx_srtcp_take(&packet, datagram, CONTROL_MKI_LEN) != MCX_OK || read_head(&ssrc, &len, packet) != MCX_OK) {
        return mcx_refuse(why, MCX_E_TRUNC, "the end of the protected message cannot be found", "TS 24.380 8.1.1");
    }
    if (read_mki(&key_id, packet) == MCX_OK && key_id == control->key_id && ssrc == control->ssrc) {
        return mcx_refuse(why, MCX_E_POLICY, "the message came back under our own SSRC", "RFC 7714 9.1");
    }
    return mcx_srtcp_unprotect(control->rx, out, packet, why);
}

mcx_err mcx_control_mki(uint32_t *key_id, struct mcx_bytes datagram)
{
    struct mcx_rd rd = mcx_rd(datagram);
    struct mcx_bytes packet = { 0 };

    MCX_TRY(mcx_srtcp_take(&packet, &rd, CONTROL_MKI_LEN));
    return read_mki(key_id, packet);
}
