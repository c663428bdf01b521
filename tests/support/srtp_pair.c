/* SPDX-License-Identifier: Apache-2.0 */
#include "support/srtp_pair.h"

#include <mcx/rtp.h>

#include <stdlib.h>
#include <string.h>

static void must(mcx_err err)
{
    if (err != MCX_OK) {
        abort();
    }
}

void pair_init(struct pair *pair, size_t mki_len, uint16_t roc_rate, size_t max_ssrc)
{
    memset(pair, 0, sizeof *pair);
    for (size_t i = 0; i < sizeof pair->master.key.octet; i++) {
        pair->master.key.octet[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof pair->master.salt; i++) {
        pair->master.salt[i] = (uint8_t)(0xa0 + i);
    }
    for (size_t i = 0; i < mki_len && i < sizeof pair->mki; i++) {
        pair->mki[i] = (uint8_t)(0x11 + i);
    }
    pair->params = (struct mcx_srtp_params){ &pair->master, mcx_bytes(pair->mki, mki_len), roc_rate };
    must(mcx_srtp_tx_new(&pair->tx, &pair->params));
    must(mcx_srtp_rx_new(&pair->rx, &pair->params, max_ssrc));
}

void pair_clear(struct pair *pair)
{
    mcx_srtp_tx_free(pair->tx);
    mcx_srtp_rx_free(pair->rx);
    memset(pair, 0, sizeof *pair);
}

void pair_new_tx(struct pair *pair, uint32_t roc)
{
    mcx_srtp_tx_free(pair->tx);
    must(mcx_srtp_tx_new(&pair->tx, &pair->params));
    must(mcx_srtp_tx_set_roc(pair->tx, roc));
}

void pair_new_rx(struct pair *pair, size_t max_ssrc)
{
    mcx_srtp_rx_free(pair->rx);
    must(mcx_srtp_rx_new(&pair->rx, &pair->params, max_ssrc));
}

struct packet packet_rtp(uint32_t ssrc, uint16_t seq, size_t payload_len)
{
    struct packet out = { .len = 0 };
    uint8_t payload[PAIR_PACKET_MAX];
    struct mcx_rtp rtp = { .pt = 97, .seq = seq, .ts = 320u * seq, .ssrc = ssrc };
    struct mcx_wr wr = mcx_wr(out.p, sizeof out.p);

    for (size_t i = 0; i < payload_len; i++) {
        payload[i] = (uint8_t)(seq + i);
    }
    rtp.payload = mcx_bytes(payload, payload_len);
    must(mcx_rtp_write(&wr, &rtp));
    out.len = wr.len;
    return out;
}

struct packet packet_rtcp(uint32_t ssrc, size_t body_len)
{
    struct packet out = { .len = 8 + body_len };

    out.p[0] = 0x80;
    out.p[1] = 204;
    out.p[2] = (uint8_t)((out.len / 4 - 1) >> 8);
    out.p[3] = (uint8_t)(out.len / 4 - 1);
    for (size_t i = 0; i < 4; i++) {
        out.p[4 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
    memset(out.p + 8, 0x4d, body_len);
    return out;
}

struct mcx_bytes packet_bytes(const struct packet *packet)
{
    return mcx_bytes(packet->p, packet->len);
}

mcx_err pair_protect(struct packet *out, struct pair *pair, const struct packet *in)
{
    struct mcx_wr wr = mcx_wr(out->p, sizeof out->p);

    MCX_TRY(mcx_srtp_protect(pair->tx, &wr, packet_bytes(in)));
    out->len = wr.len;
    return MCX_OK;
}

mcx_err pair_unprotect(struct packet *out, struct pair *pair, const struct packet *in)
{
    struct mcx_wr wr = mcx_wr(out->p, sizeof out->p);
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err = mcx_srtp_unprotect(pair->rx, &wr, packet_bytes(in), &why);

    if (err != MCX_OK) {
        if (why.reason == NULL || wr.len != 0) { /* a refusal says why and writes nothing */
            abort();
        }
        return err;
    }
    out->len = wr.len;
    return MCX_OK;
}

mcx_err pair_protect_rtcp(struct packet *out, struct pair *pair, const struct packet *in)
{
    struct mcx_wr wr = mcx_wr(out->p, sizeof out->p);

    MCX_TRY(mcx_srtcp_protect(pair->tx, &wr, packet_bytes(in)));
    out->len = wr.len;
    return MCX_OK;
}

mcx_err pair_unprotect_rtcp(struct packet *out, struct pair *pair, const struct packet *in)
{
    struct mcx_wr wr = mcx_wr(out->p, sizeof out->p);
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err = mcx_srtcp_unprotect(pair->rx, &wr, packet_bytes(in), &why);

    if (err != MCX_OK) {
        if (why.reason == NULL || wr.len != 0) {
            abort();
        }
        return err;
    }
    out->len = wr.len;
    return MCX_OK;
}
