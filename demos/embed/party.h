/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EMBED_PARTY_H
#define EMBED_PARTY_H

/* Somebody with keys: a user, or a group management server. What both examples need. */

#include <mcx/imessage.h>
#include <mcx/srtp.h>

#define PACKET_MAX 1500

struct party {
    const char *uri;
    struct mcx_keyring *ring;  /* certificates of the KMSs, own key sets */
    struct mcx_replay *replay; /* messages accepted before */
};

/** From "URI STORE STORE-KEY": the file that 'mcx kms fetch' has sealed, and the key to it in hexadecimal. */
bool party_load(struct party *party, char *const arg[3]);
void party_clear(struct party *party);

/** The wall clock and the kernel's generator are the caller's affair everywhere in the library. */
struct mcx_ntp party_now(void);

/** Tells a refusal as an operator's log should: sentence and clause. @return whether `err` is MCX_OK */
bool went_well(const char *what, mcx_err err, const struct mcx_refusal *why);

/** One RTP packet with `speech` in it, to `out`. */
bool rtp_packet(struct mcx_wr *out, uint32_t ssrc, uint16_t seq, const char *speech);
/** Whether `packet` has `speech` in it. */
bool rtp_says(struct mcx_bytes packet, const char *speech);

#endif
