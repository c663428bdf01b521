/* SPDX-License-Identifier: Apache-2.0 */
/* SRTP with a 4-octet MKI, as in a private call, in place; bench/peers/peer_libsrtp.c does the same. */
#include "mcx/bench.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/rtp.h>
#include <mcx/srtp.h>

#define HEADER_LEN  12
#define MKI_LEN     4
#define PACKET_MAX  (HEADER_LEN + 160 + MCX_SRTP_OVERHEAD_MAX)
#define NUM_PACKETS 4096 /* opened one after the other; then a new receiver takes them again */

struct srtp_state {
    struct mcx_srtp_master master;
    uint8_t mki[MKI_LEN];
    struct mcx_srtp_params params;
    struct mcx_srtp_tx *tx;
    struct mcx_srtp_rx *rx;
    size_t plain_len;
    size_t sealed_len;
    uint16_t seq;
    size_t next;
    uint8_t work[PACKET_MAX];
    uint8_t sealed[NUM_PACKETS][PACKET_MAX];
};

static mcx_err protect_next(struct srtp_state *s, uint8_t *packet, size_t *len)
{
    struct mcx_wr wr = mcx_wr(packet, PACKET_MAX);

    packet[2] = (uint8_t)(s->seq >> 8);
    packet[3] = (uint8_t)s->seq;
    s->seq++;
    MCX_TRY(mcx_srtp_protect(s->tx, &wr, mcx_bytes(packet, s->plain_len)));
    *len = wr.len;
    return MCX_OK;
}

static mcx_err setup(void **state, size_t payload_len)
{
    struct srtp_state *s = calloc(1, sizeof *s);
    const struct mcx_rtp rtp = { .pt = 97, .ssrc = 0xcafebabe };
    struct mcx_wr wr;

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->plain_len = HEADER_LEN + payload_len;
    s->params = (struct mcx_srtp_params){ &s->master, mcx_bytes(s->mki, MKI_LEN), 0 };
    MCX_TRY(mcx_srtp_tx_new(&s->tx, &s->params));
    MCX_TRY(mcx_srtp_rx_new(&s->rx, &s->params, 1));
    wr = mcx_wr(s->work, sizeof s->work);
    MCX_TRY(mcx_rtp_write(&wr, &rtp));
    for (size_t i = 0; i < NUM_PACKETS; i++) {
        memcpy(s->sealed[i], s->work, HEADER_LEN);
        MCX_TRY(protect_next(s, s->sealed[i], &s->sealed_len));
    }
    return MCX_OK;
}

static mcx_err setup_60(void **state)
{
    return setup(state, 60);
}

static mcx_err setup_160(void **state)
{
    return setup(state, 160);
}

static void teardown(void *state)
{
    struct srtp_state *s = state;

    if (s != NULL) {
        mcx_srtp_tx_free(s->tx);
        mcx_srtp_rx_free(s->rx);
        free(s);
    }
}

static mcx_err run_protect(void *state)
{
    struct srtp_state *s = state;
    size_t len = 0;

    return protect_next(s, s->work, &len);
}

static mcx_err run_unprotect(void *state)
{
    struct srtp_state *s = state;
    struct mcx_wr wr = mcx_wr(s->work, sizeof s->work);

    if (s->next == NUM_PACKETS) {
        mcx_srtp_rx_free(s->rx);
        s->rx = NULL;
        MCX_TRY(mcx_srtp_rx_new(&s->rx, &s->params, 1));
        s->next = 0;
    }
    memcpy(s->work, s->sealed[s->next++], s->sealed_len);
    return mcx_srtp_unprotect(s->rx, &wr, mcx_bytes(s->work, s->sealed_len), NULL);
}

static mcx_err run_new(void *state)
{
    struct srtp_state *s = state;
    struct mcx_srtp_rx *rx = NULL;

    MCX_TRY(mcx_srtp_rx_new(&rx, &s->params, 1));
    mcx_srtp_rx_free(rx);
    return MCX_OK;
}

const struct bench_item bench_srtp[] = {
    { "srtp.protect-60", setup_60, run_protect, teardown },
    { "srtp.unprotect-60", setup_60, run_unprotect, teardown },
    { "srtp.protect-160", setup_160, run_protect, teardown },
    { "srtp.unprotect-160", setup_160, run_unprotect, teardown },
    { "srtp.context", setup_60, run_new, teardown },
    { NULL, NULL, NULL, NULL },
};
