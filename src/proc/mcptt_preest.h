/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROC_MCPTT_PREEST_H
#define MCX_PROC_MCPTT_PREEST_H

/*
 * SIP of pre-established sessions at the participating function (TS 24.379 8.2.2, 11.1.1.3.2): what a client may set up
 * ahead, and which calls can reach him by it. How a call then runs: <mcx/preestablished.h>.
 */

#include <mcx/imessage.h>

#include "proc/mcptt_server.h"

/** An INVITE that sets up a session. Views into its body. */
struct msrv_preest_setup {
    const struct mcx_msrv_user *user;
    struct mcx_sdp sdp;
    struct mcx_sdp_amrwb amrwb;
    struct mcx_msrv_line audio;   /* remote: the client's */
    struct mcx_msrv_port control; /* the client's end of the control channel */
    uint8_t media_line, control_line; /* m= lines, from 1 */
};

/** Whether the Request-URI is the public service identity for them ("preest-psi"). */
bool msrv_preest_is(struct mcx_bytes ruri);
struct msrv_verdict msrv_preest_read(struct msrv_preest_setup *out, const struct mcx_msrv *srv,
                                     const struct mcx_msrv_sip *sip, uint64_t now_ms);
/** Answer to it, with ports of ours. */
mcx_err msrv_preest_answer(struct mcx_wr *out, const struct msrv_preest_setup *setup, const char *address,
                           uint16_t audio_port, uint16_t control_port, uint64_t session_id);

/** What Connect needs of the offer of a call. Views into its body. */
struct msrv_preest_offer {
    struct mcx_sdp sdp;
    struct mcx_msrv_line audio; /* remote: where the call wants the media */
    uint8_t imessage[MCX_IMESSAGE_MAX]; /* as it came */
    size_t imessage_len;                /* 0 = none was in it */
};
/** @retval MCX_E_UNSUP the call does not fit the session: it goes by INVITE @retval MCX_E_FORMAT likewise */
mcx_err msrv_preest_offer_read(struct msrv_preest_offer *out, const struct mcx_sdp_amrwb *session,
                               struct mcx_bytes content_type, struct mcx_bytes body);
/** Answer in the client's place. */
mcx_err msrv_preest_offer_answer(struct mcx_wr *out, const struct msrv_preest_offer *offer,
                                 const struct mcx_sdp_amrwb *session, const struct mcx_msrv_port *local,
                                 uint64_t session_id);

#endif
