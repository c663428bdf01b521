/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_SRTP_PAIR_H
#define MCX_TESTS_SRTP_PAIR_H

/* A sender and a receiver with the same fixed master key, and packets made for them. */
#include <mcx/srtp.h>

#define PAIR_SSRC       UINT32_C(0xcafebabe)
#define PAIR_PACKET_MAX 512

struct pair {
    struct mcx_srtp_master master;
    uint8_t mki[MCX_SRTP_MKI_MAX];
    struct mcx_srtp_params params;
    struct mcx_srtp_tx *tx;
    struct mcx_srtp_rx *rx;
};

struct packet {
    uint8_t p[PAIR_PACKET_MAX];
    size_t len;
};

/** MKI of `mki_len` octets 0x11 0x12...; aborts when a context cannot be made. */
void pair_init(struct pair *pair, size_t mki_len, uint16_t roc_rate, size_t max_ssrc);
void pair_clear(struct pair *pair);
/** A fresh sender: starts again, as another device would that has the same key. */
void pair_new_tx(struct pair *pair, uint32_t roc);
void pair_new_rx(struct pair *pair, size_t max_ssrc);

struct packet packet_rtp(uint32_t ssrc, uint16_t seq, size_t payload_len);
struct packet packet_rtcp(uint32_t ssrc, size_t body_len);
struct mcx_bytes packet_bytes(const struct packet *packet);

mcx_err pair_protect(struct packet *out, struct pair *pair, const struct packet *in);
mcx_err pair_unprotect(struct packet *out, struct pair *pair, const struct packet *in);
mcx_err pair_protect_rtcp(struct packet *out, struct pair *pair, const struct packet *in);
mcx_err pair_unprotect_rtcp(struct packet *out, struct pair *pair, const struct packet *in);

#endif
