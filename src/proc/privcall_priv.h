/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PRIVCALL_PRIV_H
#define MCX_PRIVCALL_PRIV_H

/* What the files of the private call share. */
#include <mcx/privcall.h>

#define PC_SDP_MAX       12288 /* base64 of the longest I_MESSAGE and the lines around it */
#define PC_HOST_MAX      256
#define PC_MAX_SENTENCES 3 /* notes in one step */

/* Everything secret of a call; locked memory, wiped when the machine becomes idle. */
struct pc_secret {
    struct mcx_key pck;
    struct mcx_srtp_master tx;
    struct mcx_srtp_master rx;
};

/* The call that the machine holds. All zero when idle. */
struct pc_call {
    uint64_t dialog;
    bool secure;
    uint32_t key_id; /* PCK-ID */
    uint16_t roc_rate;
    struct mcx_sdp_amrwb amrwb;
    uint16_t remote_port;
    char remote_address[PC_HOST_MAX];
    uint16_t floor_port; /* of the server; 0 = without floor control */
    char floor_address[PC_HOST_MAX];
    bool floor_offered;
    struct mcx_sdp_floor_params offered; /* by us; all zero in a call to us */
    struct mcx_sdp_floor_params agreed;
    char peer[MCX_KMSDOC_URI_MAX];
    char peer_kms[MCX_KMSDOC_URI_MAX];
};

struct mcx_privcall {
    enum mcx_privcall_state state;
    struct mcx_privcall_config config; /* string members point to the copies below */
    char own_id[MCX_KMSDOC_URI_MAX];
    char local_address[PC_HOST_MAX];
    struct pc_secret *secret;
    struct pc_call call;
    uint8_t sdp[PC_SDP_MAX]; /* offer or answer of this call */
    size_t sdp_len;
    /* strings of the actions of the last step */
    char sentence[PC_MAX_SENTENCES][MCX_KMSDOC_URI_MAX + 256];
    size_t num_sentences;
    char told_peer[MCX_KMSDOC_URI_MAX];
    char told_kms[MCX_KMSDOC_URI_MAX];
};

/* What a check found out, to be acted on by the row. */
struct pc_found {
    enum mcx_privcall_cause cause;
    struct mcx_refusal why;
};

/* ---- checks: read the event, fill the call, return the event for the table. On a bad event the call is wiped. ---- */
enum mcx_privcall_event pc_check_call(struct mcx_privcall *pc, const struct mcx_privcall_in *in,
                                      struct pc_found *found);
enum mcx_privcall_event pc_check_invite(struct mcx_privcall *pc, const struct mcx_privcall_in *in,
                                        struct pc_found *found);
enum mcx_privcall_event pc_check_ok(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found);
enum mcx_privcall_event pc_check_connect(struct mcx_privcall *pc, const struct mcx_privcall_in *in,
                                         struct pc_found *found);

/** Forget the call and wipe its keys. */
void pc_wipe(struct mcx_privcall *pc);
/** Derive both master keys; `initiator`: we made the PCK (TS 33.180 table E.1.3-1). */
mcx_err pc_derive(struct pc_secret *secret, uint32_t key_id, struct mcx_bytes rand, bool initiator);
/** Address and port of the audio from the other side's description; `audio` as mcx_sdp_audio() found it. */
mcx_err pc_remote_read(struct pc_call *call, const struct mcx_sdp *sdp, size_t audio);
/** Its floor control line: where, and what was said of the floor; none leaves the port 0. */
mcx_err pc_floor_read(struct pc_call *call, struct mcx_sdp_floor_params *said, const struct mcx_sdp *sdp,
                      struct mcx_refusal *why);
/** What offer and answer have in common. */
struct mcx_sdp_params pc_sdp_params(const struct mcx_privcall *pc, struct mcx_ntp now);

/* ---- privcall_cause.c: the one table of responses and sentences ---- */
struct pc_cause_row {
    enum mcx_privcall_cause cause;
    const char *name;
    uint16_t code; /* response of the callee; 0 = none */
    const char *phrase;
    enum mcx_warning warning;
    const char *sentence; /* "{}" stands for the peer */
};
const struct pc_cause_row *pc_cause_row(enum mcx_privcall_cause cause);
/** Reason Code of the Acknowledgement to a Connect (TS 24.380 8.3.3.9). */
enum mcx_mcpc_reason pc_connect_reason(enum mcx_privcall_cause cause);
/** Cause for an error of mcx_imessage_open(). */
enum mcx_privcall_cause pc_cause_of_open(mcx_err err);
/** What a final response tells the caller. */
struct pc_peer_row {
    uint16_t code;    /* 0 = any */
    unsigned warning; /* 0 = any */
    enum mcx_privcall_cause cause;
    const char *sentence;
};
const struct pc_peer_row *pc_peer_row(uint16_t code, unsigned warning);

#endif
