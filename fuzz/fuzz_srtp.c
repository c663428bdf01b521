/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP and SRTCP. The first octet chooses: bit 0 SRTCP, bit 1 an 8-octet MKI, bit 2 RCCm3, bit 3 in place. The rest is
 * first taken as a protected packet, of any origin; then as a plain one: when it can be protected, it must open to
 * itself once, never twice, and not with a bit flipped.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/srtp.h>

#define MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct setting {
    bool rtcp;
    bool in_place;
    struct mcx_srtp_params params;
};

static mcx_err protect(const struct setting *s, struct mcx_srtp_tx *tx, struct mcx_wr *out, struct mcx_bytes in)
{
    return s->rtcp ? mcx_srtcp_protect(tx, out, in) : mcx_srtp_protect(tx, out, in);
}

static mcx_err unprotect(const struct setting *s, struct mcx_srtp_rx *rx, struct mcx_wr *out, struct mcx_bytes in)
{
    struct mcx_refusal why;

    return s->rtcp ? mcx_srtcp_unprotect(rx, out, in, &why) : mcx_srtp_unprotect(rx, out, in, &why);
}

/* One packet from `in` to `out`, through a copy when the two must be one buffer. */
static mcx_err open_packet(const struct setting *s, struct mcx_srtp_rx *rx, uint8_t *out, size_t *len,
                           struct mcx_bytes in)
{
    struct mcx_wr wr = mcx_wr(out, MAX);
    mcx_err err;

    if (s->in_place && in.len > 0) {
        memcpy(out, in.p, in.len);
        in.p = out;
    }
    err = unprotect(s, rx, &wr, in);
    *len = wr.len;
    return err;
}

static void round_trip(const struct setting *s, struct mcx_srtp_tx *tx, struct mcx_srtp_rx *rx, struct mcx_bytes plain)
{
    static uint8_t sealed[MAX];
    static uint8_t opened[MAX];
    struct mcx_wr wr = mcx_wr(sealed, sizeof sealed);
    size_t len = 0;
    size_t bit = 0;

    if (protect(s, tx, &wr, plain) != MCX_OK) {
        return;
    }
    bit = plain.p[plain.len - 1] * (size_t)31 % (wr.len * 8);
    sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (open_packet(s, rx, opened, &len, mcx_wr_done(&wr)) == MCX_OK) {
        abort();
    }
    sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (open_packet(s, rx, opened, &len, mcx_wr_done(&wr)) != MCX_OK || len != plain.len ||
        memcmp(opened, plain.p, len) != 0) {
        abort();
    }
    if (open_packet(s, rx, opened, &len, mcx_wr_done(&wr)) != MCX_E_REPLAY) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mki[8] = { 9, 0xbf, 0x9d, 0x37, 1, 0xc8, 0xde, 0x7b };
    static const struct mcx_srtp_master master = { { { 1, 2, 3 } }, { 4, 5, 6 } };
    static uint8_t out[MAX];
    struct mcx_srtp_tx *tx = NULL;
    struct mcx_srtp_rx *rx = NULL;
    struct setting s = { 0 };
    struct mcx_bytes packet;
    struct mcx_bytes part;
    size_t len = 0;

    if (size == 0 || size > MAX - MCX_SRTP_OVERHEAD_MAX) {
        return 0;
    }
    s.rtcp = (data[0] & 1) != 0;
    s.params = (struct mcx_srtp_params){ &master, { mki, (data[0] & 2) != 0 ? 8 : 4 }, (data[0] & 4) != 0 };
    s.in_place = (data[0] & 8) != 0;
    packet = mcx_bytes(data + 1, size - 1);
    if (mcx_srtp_tx_new(&tx, &s.params) != MCX_OK || mcx_srtp_rx_new(&rx, &s.params, 2) != MCX_OK) {
        abort();
    }
    if (open_packet(&s, rx, out, &len, packet) != MCX_OK && len != 0) {
        abort();
    }
    (void)!mcx_srtp_mki_read(&part, packet, s.params.mki.len, s.params.roc_rate);
    for (struct mcx_rd rd = mcx_rd(packet); mcx_srtcp_take(&part, &rd, s.params.mki.len) == MCX_OK;) {
        (void)!mcx_srtcp_mki_read(&part, part, s.params.mki.len);
    }
    if (packet.len > 0) {
        round_trip(&s, tx, rx, packet);
    }
    mcx_srtp_tx_free(tx);
    mcx_srtp_rx_free(rx);
    return 0;
}
