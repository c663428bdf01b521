/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of the private call. Each reads one event that came from outside, in the order of the clause, and only
 * when all is well leaves keys and addresses in the call; the table then moves the state.
 */
#include "proc/privcall_priv.h"

#include <string.h>

#include <mcx/mikey.h>

#include "keys/keyring_int.h"

/* TS 33.180 table E.1.3-1, MCPTT private call */
enum { CS_INITIATOR = 0, CS_RECEIVER = 1 };

mcx_err pc_derive(struct pc_secret *secret, uint32_t key_id, struct mcx_bytes rand, bool initiator)
{
    uint8_t own = initiator ? CS_INITIATOR : CS_RECEIVER;
    uint8_t peer = initiator ? CS_RECEIVER : CS_INITIATOR;

    MCX_TRY(mcx_srtp_master_derive(&secret->tx, &secret->pck, own, key_id, rand));
    return mcx_srtp_master_derive(&secret->rx, &secret->pck, peer, key_id, rand);
}

struct mcx_sdp_params pc_sdp_params(const struct mcx_privcall *pc, struct mcx_ntp now)
{
    struct mcx_sdp_params params = {
        .session_id = now.sec, /* RFC 4566 5.2 */
        .session_version = now.sec,
        .address = pc->config.local_address,
        .audio_port = pc->config.audio_port,
        .amrwb = pc->config.amrwb,
        .savp = pc->config.savp,
        .level = pc->config.key_mgmt_level,
    };

    return params;
}

static mcx_err host_take(char out[PC_HOST_MAX], const struct mcx_sdp *sdp, size_t media)
{
    MCX_TRY(mcx_bytes_cstr(out, PC_HOST_MAX, mcx_sdp_conn(sdp, media)->host));
    return out[0] == '\0' ? MCX_E_FORMAT : MCX_OK;
}

mcx_err pc_remote_read(struct pc_call *call, const struct mcx_sdp *sdp, size_t audio)
{
    MCX_TRY(host_take(call->remote_address, sdp, audio));
    call->remote_port = sdp->media[audio].port;
    return MCX_OK;
}

mcx_err pc_floor_read(struct pc_call *call, struct mcx_sdp_floor_params *said, const struct mcx_sdp *sdp,
                      struct mcx_refusal *why)
{
    struct mcx_bytes fmtp = { 0 };
    size_t line = 0;

    if (!mcx_sdp_floor(&line, &fmtp, sdp)) {
        return MCX_OK;
    }
    if (mcx_sdp_floor_params_read(said, fmtp) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "malformed attribute of the floor control line", "TS 24.380 12.1.2");
    }
    if (host_take(call->floor_address, sdp, line) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "no address for floor control", "RFC 4566 5.7");
    }
    call->floor_port = sdp->media[line].port;
    return MCX_OK;
}

/* ---- caller: USER_CALL ---- */

/* PCK, PCK-ID and the I_MESSAGE (TS 24.379 11.1.1.2.1.1 9.a to g; TS 33.180 7.2.2). */
static mcx_err key_make(struct mcx_privcall *pc, struct mcx_wr *imessage, const struct mcx_privcall_in *in,
                        struct mcx_refusal *why)
{
    uint8_t rand[MCX_RAND_LEN];
    struct mcx_imessage_params params = {
        .type = MCX_KEY_PCK,
        .key = &pc->secret->pck,
        .rand = mcx_bytes(rand, sizeof rand),
        .time = in->now,
        .from = mcx_bytes_str(pc->own_id),
        .to = in->callee,
    };

    MCX_TRY(mcx_key_generate(&pc->secret->pck, &pc->call.key_id, MCX_KEY_PCK, &pc->config.rng));
    MCX_TRY(mcx_rng_fill(&pc->config.rng, rand, sizeof rand));
    params.key_id = pc->call.key_id;
    MCX_TRY(mcx_imessage_make(imessage, &params, pc->config.ring, &pc->config.rng, why));
    return pc_derive(pc->secret, pc->call.key_id, params.rand, true);
}

/* Queueing, and, when the user wants to speak at once, the request (TS 24.380 14.2). mc_granted: a grant in the answer
 * would be understood. */
static void floor_offer(struct mcx_privcall *pc, struct mcx_sdp_params *params, char fmtp[MCX_SDP_FLOOR_FMTP_MAX],
                        const struct mcx_privcall_in *in)
{
    if (!in->floor || !pc->config.has_csk || pc->config.floor_port == 0) {
        return;
    }
    pc->call.floor_offered = true;
    pc->call.offered = (struct mcx_sdp_floor_params){
        .queueing = true, .priority = MCX_PC_FLOOR_PRIORITY, .granted = true, .implicit_request = in->request_floor
    };
    mcx_sdp_floor_params_write(fmtp, &pc->call.offered);
    params->floor_port = pc->config.floor_port;
    params->floor_fmtp = fmtp;
}

static mcx_err offer_make(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct mcx_refusal *why)
{
    char fmtp[MCX_SDP_FLOOR_FMTP_MAX];
    uint8_t imessage[MCX_IMESSAGE_MAX];
    struct mcx_wr message = mcx_wr(imessage, sizeof imessage);
    struct mcx_wr sdp = mcx_wr(pc->sdp, sizeof pc->sdp);
    struct mcx_sdp_params params = pc_sdp_params(pc, in->now);

    if (in->callee.len == 0) {
        return mcx_refuse(why, MCX_E_ARG, "nobody to call", "");
    }
    MCX_TRY(mcx_bytes_cstr(pc->call.peer, sizeof pc->call.peer, in->callee));
    MCX_TRY(key_make(pc, &message, in, why));
    params.imessage = mcx_wr_done(&message);
    floor_offer(pc, &params, fmtp, in);
    MCX_TRY(mcx_sdp_offer_write(&sdp, &params));
    pc->sdp_len = sdp.len;
    pc->call.secure = true;
    pc->call.dialog = in->dialog;
    pc->call.amrwb = pc->config.amrwb;
    return MCX_OK;
}

enum mcx_privcall_event pc_check_call(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found)
{
    mcx_err err = offer_make(pc, in, &found->why);

    if (err == MCX_OK) {
        return MCX_PC_CALL_READY;
    }
    found->cause = err == MCX_E_NOKEY || err == MCX_E_EXPIRED ? MCX_PC_CAUSE_NO_KEY : MCX_PC_CAUSE_INTERNAL;
    pc_wipe(pc);
    return MCX_PC_CALL_IMPOSSIBLE;
}

/* ---- callee: RX_INVITE and RX_CONNECT ---- */

static struct mcx_imessage_policy policy_for(const struct mcx_privcall *pc, struct mcx_bytes calling_user)
{
    struct mcx_imessage_policy policy = pc->config.policy;

    policy.allowed_types = 1u << MCX_KEY_PCK; /* the purpose tag fits the place of arrival (33.180 annex G) */
    policy.initiator = calling_user;
    policy.started = pc->config.started;
    return policy;
}

/* Errors that one code stands for are told apart by what the message says in clear. */
static enum mcx_privcall_cause open_cause(const struct mcx_privcall *pc, mcx_err err,
                                          const struct mcx_mikey_sakke_msg *msg, struct mcx_bytes calling_user)
{
    const struct mcx_keyring *ring = pc->config.ring;

    if (err == MCX_E_POLICY && msg->id_i.p != NULL && !mcx_bytes_equal(msg->id_i, calling_user)) {
        return MCX_PC_CAUSE_CALLER;
    }
    if (err == MCX_E_NOKEY && (!mcx_ring_knows_kms(ring, msg->kms_i) || !mcx_ring_knows_kms(ring, msg->kms_r))) {
        return MCX_PC_CAUSE_KMS; /* TS 33.180 5.2.8, D.4.1 */
    }
    return pc_cause_of_open(err);
}

/* The user whom the display shows must be the one who signed ("pc-caller"). Identities are compared as the UID has
 * them: octet by octet. */
static mcx_err caller_check(const struct mcx_imessage *msg, struct mcx_bytes calling_user, struct mcx_refusal *why)
{
    if (msg->initiator[0] == '\0' || !mcx_bytes_is(calling_user, msg->initiator)) {
        return mcx_refuse(why, MCX_E_AUTH, "mcptt-calling-user-id is not the user who signed",
                          "TS 24.379 11.1.1.2.1.2");
    }
    return MCX_OK;
}

/* Everything that the message gives is taken over here, and only here. */
static mcx_err message_take(struct mcx_privcall *pc, const struct mcx_imessage *msg)
{
    pc->secret->pck = msg->key;
    pc->call.key_id = msg->key_id;
    pc->call.roc_rate = msg->roc_rate;
    pc->call.secure = true;
    memcpy(pc->call.peer, msg->initiator, sizeof pc->call.peer);
    memcpy(pc->call.peer_kms, msg->kms_initiator, sizeof pc->call.peer_kms);
    return pc_derive(pc->secret, msg->key_id, mcx_bytes(msg->rand, msg->rand_len), false);
}

/* TS 24.379 11.1.1.2.1.2 3.a to e. */
static mcx_err message_open(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct mcx_bytes message,
                            struct pc_found *found)
{
    struct mcx_imessage_policy policy = policy_for(pc, in->calling_user);
    struct mcx_mikey_sakke_msg clear;
    struct mcx_imessage msg = { 0 };
    mcx_err err = MCX_OK;

    found->cause = MCX_PC_CAUSE_MALFORMED;
    MCX_TRY(mcx_mikey_sakke_msg_read(&clear, message, &found->why));
    err = mcx_imessage_open(&msg, message, pc->config.ring, pc->config.replay, in->now, &policy, &found->why);
    if (err != MCX_OK) {
        found->cause = open_cause(pc, err, &clear, in->calling_user);
        goto out;
    }
    err = caller_check(&msg, in->calling_user, &found->why);
    if (err != MCX_OK) {
        found->cause = MCX_PC_CAUSE_CALLER;
        goto out;
    }
    err = message_take(pc, &msg);
    found->cause = err == MCX_OK ? MCX_PC_CAUSE_NONE : MCX_PC_CAUSE_INTERNAL;
out:
    mcx_imessage_clear(&msg);
    return err;
}

/* No I_MESSAGE at all: only where the user allows it. */
static mcx_err unprotected_take(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found)
{
    if (!pc->config.allow_clear) {
        found->cause = MCX_PC_CAUSE_NO_SECURITY;
        return MCX_E_NOKEY;
    }
    found->why = (struct mcx_refusal){ 0 };
    return mcx_bytes_cstr(pc->call.peer, sizeof pc->call.peer, in->calling_user);
}

/* The key-mgmt attribute of the audio line, if any (RFC 4567 4.1.2). */
static mcx_err security_check(struct mcx_privcall *pc, const struct mcx_privcall_in *in, const struct mcx_sdp *sdp,
                              size_t audio, struct pc_found *found)
{
    uint8_t message[MCX_IMESSAGE_MAX];
    size_t len = 0;
    mcx_err err = mcx_sdp_key_mgmt(message, sizeof message, &len, sdp, audio, &found->why);

    switch (err) {
    case MCX_OK: return message_open(pc, in, mcx_bytes(message, len), found);
    case MCX_E_NOKEY: return unprotected_take(pc, in, found);
    case MCX_E_UNSUP: found->cause = MCX_PC_CAUSE_OTHER_PROTOCOL; return err;
    default: found->cause = MCX_PC_CAUSE_MALFORMED; return err;
    }
}

/* The answer is made at once, so that accepting later needs nothing of the offer (TS 24.379 6.2.2). */
static mcx_err answer_make(struct mcx_privcall *pc, const struct mcx_privcall_in *in, const struct mcx_sdp *offer)
{
    struct mcx_sdp_params params = pc_sdp_params(pc, in->now);
    struct mcx_wr wr = mcx_wr(pc->sdp, sizeof pc->sdp);
    char fmtp[MCX_SDP_FLOOR_FMTP_MAX];

    params.amrwb = pc->call.amrwb;
    if (pc->call.floor_port != 0) {
        mcx_sdp_floor_params_write(fmtp, &pc->call.agreed);
        params.floor_port = pc->config.floor_port;
        params.floor_fmtp = fmtp;
    }
    MCX_TRY(mcx_sdp_answer_write(&wr, offer, &params));
    pc->sdp_len = wr.len;
    return MCX_OK;
}

/* mc_granted and mc_implicit_request mean nothing in an offer of the server. Without a CSK the line is refused. */
static mcx_err floor_take(struct mcx_privcall *pc, const struct mcx_sdp *sdp, struct mcx_refusal *why)
{
    struct mcx_sdp_floor_params offer = { 0 };

    MCX_TRY(pc_floor_read(&pc->call, &offer, sdp, why));
    if (!pc->config.has_csk || pc->config.floor_port == 0) {
        pc->call.floor_port = 0;
        return MCX_OK;
    }
    pc->call.agreed = (struct mcx_sdp_floor_params){
        .queueing = offer.queueing,
        .priority = offer.priority < MCX_PC_FLOOR_PRIORITY ? offer.priority : MCX_PC_FLOOR_PRIORITY,
    };
    return MCX_OK;
}

static mcx_err invite_check(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found)
{
    struct mcx_sdp sdp;
    size_t audio = 0;

    found->cause = MCX_PC_CAUSE_SDP;
    MCX_TRY(mcx_sdp_read(&sdp, in->sdp, &found->why));
    found->cause = MCX_PC_CAUSE_MEDIA;
    MCX_TRY(mcx_sdp_audio(&audio, &pc->call.amrwb, &sdp, &found->why));
    MCX_TRY(security_check(pc, in, &sdp, audio, found));
    found->cause = MCX_PC_CAUSE_MEDIA;
    if (pc_remote_read(&pc->call, &sdp, audio) != MCX_OK) {
        return mcx_refuse(&found->why, MCX_E_FORMAT, "the offer has no address for the audio", "RFC 4566 5.7");
    }
    MCX_TRY(floor_take(pc, &sdp, &found->why));
    found->cause = MCX_PC_CAUSE_INTERNAL;
    MCX_TRY(answer_make(pc, in, &sdp));
    pc->call.dialog = in->dialog;
    found->cause = MCX_PC_CAUSE_NONE;
    return MCX_OK;
}

enum mcx_privcall_event pc_check_invite(struct mcx_privcall *pc, const struct mcx_privcall_in *in,
                                        struct pc_found *found)
{
    if (invite_check(pc, in, found) != MCX_OK) {
        pc_wipe(pc);
        return MCX_PC_INVITE_BAD;
    }
    return mcx_privcall_commence(in->answer_mode, in->priv_answer_mode, pc->config.manual) == MCX_ANSWER_AUTO
               ? MCX_PC_INVITE_AUTO
               : MCX_PC_INVITE_MANUAL;
}

/* The description was agreed on before; Connect brings the caller and the key (TS 24.380 9.2.2, 8.3.2). */
static mcx_err connect_check(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found)
{
    const struct mcx_privcall_session *session = in->session;

    found->cause = MCX_PC_CAUSE_INTERNAL;
    if (session == NULL || session->port == 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_bytes_cstr(pc->call.remote_address, sizeof pc->call.remote_address, mcx_bytes_str(session->address)));
    if (in->imessage.len != 0) {
        MCX_TRY(message_open(pc, in, in->imessage, found));
    } else {
        (void)mcx_refuse(&found->why, MCX_E_NOKEY, "Connect without a PCK I_MESSAGE", "TS 24.380 8.3.2");
        MCX_TRY(unprotected_take(pc, in, found));
    }
    pc->call.remote_port = session->port;
    pc->call.amrwb = session->amrwb;
    pc->call.dialog = in->dialog;
    found->cause = MCX_PC_CAUSE_NONE;
    return MCX_OK;
}

enum mcx_privcall_event pc_check_connect(struct mcx_privcall *pc, const struct mcx_privcall_in *in,
                                         struct pc_found *found)
{
    if (connect_check(pc, in, found) != MCX_OK) {
        pc_wipe(pc);
        return MCX_PC_CONNECT_BAD;
    }
    return MCX_PC_CONNECT_GOOD;
}

/* The privileged header says what is done; otherwise manual when either side wants it ("pc-commencement"). */
enum mcx_answer_mode mcx_privcall_commence(enum mcx_answer_mode answer, enum mcx_answer_mode priv, bool manual)
{
    if (priv != MCX_ANSWER_UNSET) {
        return priv;
    }
    return answer == MCX_ANSWER_MANUAL || manual ? MCX_ANSWER_MANUAL : MCX_ANSWER_AUTO;
}

/* ---- caller: RX_OK ---- */

/* What was not offered is not there (RFC 3264 6); a refused line makes it a call without floor control (11.1.2). */
static mcx_err floor_agree(struct pc_call *call, const struct mcx_sdp *sdp, struct mcx_refusal *why)
{
    struct mcx_sdp_floor_params answer = { 0 };

    if (!call->floor_offered) {
        return MCX_OK;
    }
    MCX_TRY(pc_floor_read(call, &answer, sdp, why));
    if (answer.priority > call->offered.priority) {
        return mcx_refuse(why, MCX_E_FORMAT, "more floor priority than was asked for", "TS 24.380 12.1.2.2");
    }
    if (answer.granted && !call->offered.implicit_request) {
        return mcx_refuse(why, MCX_E_FORMAT, "the floor, which was not asked for", "TS 24.380 12.1.2.2");
    }
    call->agreed = answer;
    return MCX_OK;
}

/* A key-mgmt attribute in the answer is not looked at (TS 24.379 6.2.2). */
static mcx_err answer_check(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found)
{
    struct mcx_sdp sdp;
    struct mcx_sdp_amrwb amrwb = { 0 };
    size_t audio = 0;

    MCX_TRY(mcx_sdp_read(&sdp, in->sdp, &found->why));
    MCX_TRY(mcx_sdp_audio(&audio, &amrwb, &sdp, &found->why));
    if (audio != 0 || amrwb.octet_align != pc->call.amrwb.octet_align) { /* RFC 3264 6, RFC 4867 8.3.1 */
        return mcx_refuse(&found->why, MCX_E_FORMAT, "the answer does not fit the offer", "RFC 3264 6");
    }
    if (pc_remote_read(&pc->call, &sdp, audio) != MCX_OK) {
        return mcx_refuse(&found->why, MCX_E_FORMAT, "the answer has no address for the audio", "RFC 4566 5.7");
    }
    amrwb.mode_set &= pc->call.amrwb.mode_set;
    if (amrwb.mode_set == 0) {
        return mcx_refuse(&found->why, MCX_E_UNSUP, "the answer allows no codec mode that was offered",
                          "RFC 4867 8.3.1");
    }
    MCX_TRY(floor_agree(&pc->call, &sdp, &found->why));
    pc->call.amrwb = amrwb;
    return MCX_OK;
}

enum mcx_privcall_event pc_check_ok(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found)
{
    if (answer_check(pc, in, found) != MCX_OK) {
        found->cause = MCX_PC_CAUSE_BAD_ANSWER;
        return MCX_PC_OK_BAD;
    }
    return MCX_PC_OK_GOOD;
}
