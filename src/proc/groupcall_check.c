/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of the group call, in the order of TS 24.379 10.1.1.2.1.1, 10.1.1.2.1.2 and 10.1.2.2.1.1. Each reads one
 * event that came from outside, and only when all is well fills the call; the table then moves the state.
 */
#include "proc/groupcall_priv.h"

#include <string.h>

enum { MAX_TRIES = 8 }; /* of a re-INVITE that meets another one each time */

/* Nothing is known of a group whose document was not read: everything protected (TS 24.481 7.2.8). */
static void protection_take(struct mcx_groupcall *gc)
{
    const struct mcx_group_info *info = mcx_group_keys_info(gc->config.keys, gc->call.key_group);

    gc->call.protect_media = info == NULL || info->protect_media;
    gc->call.protect_floor = info == NULL || info->protect_floor;
}

/* While a group is part of a temporary one, its calls are under the keys of that one (TS 24.380 13.1). */
static mcx_err group_take(struct mcx_groupcall *gc, struct mcx_bytes group)
{
    const struct mcx_group_info *info = NULL;
    const char *key_group = NULL;

    if (group.len == 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_bytes_cstr(gc->call.group, sizeof gc->call.group, group));
    info = mcx_group_keys_info(gc->config.keys, gc->call.group);
    key_group = info != NULL && info->temporary[0] != '\0' ? info->temporary : gc->call.group;
    MCX_TRY(mcx_bytes_cstr(gc->call.key_group, sizeof gc->call.key_group, mcx_bytes_str(key_group)));
    protection_take(gc);
    return MCX_OK;
}

/* No key, no call: neither in clear nor to find out at the first word (TS 33.180 5.7):
 * docs/DEVIATIONS.md "gc-no-key-no-call". */
static mcx_err key_check(struct mcx_groupcall *gc, struct mcx_ntp now, struct gc_found *found)
{
    const struct mcx_group_key *key = NULL;
    mcx_err err = MCX_OK;

    if (gc->call.protect_floor && !gc->config.has_csk) {
        found->cause = MCX_GC_CAUSE_NO_CSK;
        return mcx_refuse(&found->why, MCX_E_NOKEY, "no CSK with the server", "TS 33.180 5.4");
    }
    if (!gc->call.protect_media) {
        return MCX_OK;
    }
    err = mcx_group_keys_send(&key, gc->config.keys, MCX_KEY_GMK, gc->call.key_group, now, &found->why);
    found->cause = err == MCX_E_NOKEY     ? MCX_GC_CAUSE_NO_KEY
                   : err == MCX_E_EXPIRED ? MCX_GC_CAUSE_KEY_EXPIRED
                   : err == MCX_E_POLICY  ? MCX_GC_CAUSE_KEY_REVOKED
                   : err == MCX_OK        ? MCX_GC_CAUSE_NONE
                                          : MCX_GC_CAUSE_INTERNAL;
    if (err == MCX_OK) {
        gc->call.key_id = key->key_id;
    }
    return err;
}

/* ---- our own description ---- */

static struct mcx_sdp_params params_of(struct mcx_groupcall *gc, char fmtp[MCX_SDP_FLOOR_FMTP_MAX],
                                       const struct mcx_sdp_floor_params *floor)
{
    mcx_sdp_floor_params_write(fmtp, floor);
    return (struct mcx_sdp_params){
        .session_id = gc->call.sdp_id,
        .session_version = gc->call.sdp_version++,
        .address = gc->config.local_address,
        .audio_port = gc->config.audio_port,
        .amrwb = gc->call.amrwb,
        .floor_port = gc->config.floor_port,
        .floor_fmtp = fmtp,
    };
}

static mcx_err offer_make(struct mcx_groupcall *gc, const struct mcx_sdp_floor_params *floor)
{
    char fmtp[MCX_SDP_FLOOR_FMTP_MAX];
    struct mcx_sdp_params params = params_of(gc, fmtp, floor);
    struct mcx_wr wr = mcx_wr(gc->sdp, sizeof gc->sdp);

    MCX_TRY(mcx_sdp_offer_write(&wr, &params));
    gc->sdp_len = wr.len;
    gc->call.offered = *floor;
    return MCX_OK;
}

static mcx_err answer_make(struct mcx_groupcall *gc, const struct mcx_sdp *offer)
{
    char fmtp[MCX_SDP_FLOOR_FMTP_MAX];
    struct mcx_sdp_params params = params_of(gc, fmtp, &gc->call.agreed);
    struct mcx_wr wr = mcx_wr(gc->sdp, sizeof gc->sdp);

    MCX_TRY(mcx_sdp_answer_write(&wr, offer, &params));
    gc->sdp_len = wr.len;
    return MCX_OK;
}

static void origin_set(struct mcx_groupcall *gc, struct mcx_ntp now)
{
    gc->call.sdp_id = now.sec; /* RFC 4566 5.2 */
    gc->call.sdp_version = now.sec;
}

/* ---- the other side's description ---- */

static mcx_err host_take(char out[GC_HOST_MAX], const struct mcx_sdp *sdp, size_t media)
{
    MCX_TRY(mcx_bytes_cstr(out, GC_HOST_MAX, mcx_sdp_conn(sdp, media)->host));
    return out[0] == '\0' ? MCX_E_FORMAT : MCX_OK;
}

/* Audio and floor control line: where, and what of the floor was said. */
static mcx_err remote_take(struct gc_call *call, struct mcx_sdp_floor_params *floor, const struct mcx_sdp *sdp,
                           struct mcx_refusal *why)
{
    struct mcx_bytes fmtp = { 0 };
    size_t audio = 0;
    size_t line = 0;

    MCX_TRY(mcx_sdp_audio(&audio, &call->amrwb, sdp, why));
    if (!mcx_sdp_floor(&line, &fmtp, sdp)) {
        return mcx_refuse(why, MCX_E_UNSUP, "no floor control line", "TS 24.379 6.2.1");
    }
    if (audio != 0 || line != 1) { /* RFC 3264 6; in an offer of the server the same order */
        return mcx_refuse(why, MCX_E_FORMAT, "audio and floor control are not the first two lines", "RFC 3264 6");
    }
    if (host_take(call->address, sdp, audio) != MCX_OK || host_take(call->floor_address, sdp, line) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "no address for audio or floor control", "RFC 4566 5.7");
    }
    call->port = sdp->media[audio].port;
    call->floor_port = sdp->media[line].port;
    if (mcx_sdp_floor_params_read(floor, fmtp) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "malformed attribute of the floor control line", "TS 24.380 12.1.2");
    }
    return MCX_OK;
}

static uint8_t lower(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

uint8_t gc_priority(const struct mcx_groupcall *gc, enum mcx_groupcall_type type)
{
    return lower(gc->config.priority[type], gc->call.agreed.priority);
}

/* ---- USER_CALL ---- */

/* What is asked for in a call of this type (TS 24.380 14.2). mc_granted: a grant in the answer would be understood. */
static struct mcx_sdp_floor_params floor_wish(const struct mcx_groupcall *gc, enum mcx_groupcall_type type,
                                              bool request)
{
    return (struct mcx_sdp_floor_params){
        .queueing = true, .priority = gc->config.priority[type], .granted = true, .implicit_request = request
    };
}

static mcx_err call_fill(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in, struct gc_found *found)
{
    struct mcx_sdp_floor_params wish = floor_wish(gc, in->type, in->request_floor);

    found->cause = MCX_GC_CAUSE_INTERNAL;
    if (group_take(gc, in->group) != MCX_OK) {
        return mcx_refuse(&found->why, MCX_E_ARG, "no group to call", "");
    }
    MCX_TRY(key_check(gc, in->now, found));
    found->cause = MCX_GC_CAUSE_INTERNAL;
    memcpy(gc->call.caller, gc->own_id, sizeof gc->call.caller);
    gc->call.ours = true;
    gc->call.dialog = in->dialog;
    gc->call.session = in->session;
    gc->call.type = in->type;
    gc->call.amrwb = gc->config.amrwb;
    origin_set(gc, in->now);
    return offer_make(gc, &wish);
}

enum mcx_groupcall_event gc_check_call(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                       struct gc_found *found)
{
    return call_fill(gc, in, found) == MCX_OK ? MCX_GC_CALL_READY : MCX_GC_CALL_IMPOSSIBLE;
}

/* ---- USER_CHANGE (TS 24.379 10.1.1.2.1.3 to 10.1.1.2.1.5) ---- */

enum mcx_groupcall_event gc_check_change(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                         struct gc_found *found)
{
    struct mcx_sdp_floor_params wish = floor_wish(gc, in->type, false);

    (void)found;
    if (in->type == gc->call.type || offer_make(gc, &wish) != MCX_OK) {
        return MCX_GC_USER_CHANGE; /* no row: nothing to do */
    }
    gc->call.wanted = in->type;
    gc->call.tries = 0;
    return MCX_GC_CHANGE_READY;
}

enum mcx_groupcall_event gc_check_again(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                        struct gc_found *found)
{
    struct mcx_sdp_floor_params wish = floor_wish(gc, gc->call.wanted, false);

    (void)in;
    (void)found;
    return gc->call.wanted == gc->call.type || offer_make(gc, &wish) != MCX_OK ? MCX_GC_CHANGE_NEEDLESS
                                                                               : MCX_GC_CHANGE_READY;
}

/* ---- RX_INVITE (TS 24.379 10.1.1.2.1.2) ---- */

static enum mcx_groupcall_type type_of(const struct mcx_mcptt_info *info)
{
    return info->emergency == MCX_MCPTT_TRUE        ? MCX_GC_EMERGENCY
           : info->imminent_peril == MCX_MCPTT_TRUE ? MCX_GC_IMMINENT_PERIL
                                                    : MCX_GC_NORMAL;
}

static mcx_err info_take(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in, struct gc_found *found)
{
    const struct mcx_mcptt_info *info = in->info;

    found->cause = MCX_GC_CAUSE_NOT_GROUP_CALL;
    if (info == NULL || (info->session != MCX_SESSION_PREARRANGED && info->session != MCX_SESSION_CHAT) ||
        group_take(gc, mcx_bytes_str(info->calling_group.text)) != MCX_OK) {
        return mcx_refuse(&found->why, MCX_E_FORMAT, "no session-type of a group call or no mcptt-calling-group-id",
                          "TS 24.379 10.1.1.2.1.2");
    }
    found->cause = MCX_GC_CAUSE_NOT_AFFILIATED;
    if (!mcx_groupcall_is_affiliated(gc, mcx_bytes_str(gc->call.group))) {
        return mcx_refuse(&found->why, MCX_E_POLICY, "not affiliated to the group", "TS 24.379 9.2.1.2");
    }
    gc->call.session = info->session;
    gc->call.type = type_of(info);
    memcpy(gc->call.caller, info->calling_user.text, sizeof gc->call.caller);
    return MCX_OK;
}

static mcx_err description_take(struct mcx_groupcall *gc, struct mcx_sdp *sdp, const struct mcx_groupcall_in *in,
                                struct gc_found *found)
{
    struct mcx_sdp_floor_params offer = { 0 };

    found->cause = MCX_GC_CAUSE_SDP;
    MCX_TRY(mcx_sdp_read(sdp, in->sdp, &found->why));
    found->cause = MCX_GC_CAUSE_KEY_IN_SDP;
    if (mcx_sdp_has_key(sdp)) { /* keys of a group come from the GMS alone ("gc-key-mgmt") */
        return mcx_refuse(&found->why, MCX_E_POLICY, "a key in the description of a group call", "TS 33.180 5.7");
    }
    found->cause = MCX_GC_CAUSE_MEDIA;
    MCX_TRY(remote_take(&gc->call, &offer, sdp, &found->why));
    /* mc_granted and mc_implicit_request mean nothing in an offer of the server */
    gc->call.agreed = (struct mcx_sdp_floor_params){ .queueing = offer.queueing, .priority = offer.priority };
    return MCX_OK;
}

static mcx_err invite_take(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in, struct gc_found *found)
{
    struct mcx_sdp sdp;

    MCX_TRY(info_take(gc, in, found));
    MCX_TRY(description_take(gc, &sdp, in, found));
    MCX_TRY(key_check(gc, in->now, found));
    found->cause = MCX_GC_CAUSE_INTERNAL;
    gc->call.dialog = in->dialog;
    origin_set(gc, in->now);
    MCX_TRY(answer_make(gc, &sdp));
    found->cause = MCX_GC_CAUSE_NONE;
    return MCX_OK;
}

enum mcx_groupcall_event gc_check_invite(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                         struct gc_found *found)
{
    return invite_take(gc, in, found) == MCX_OK ? MCX_GC_INVITE_GOOD : MCX_GC_INVITE_BAD;
}

/* ---- RX_OK ---- */

/* A key-mgmt attribute in the answer is not looked at, as in a private call. */
static mcx_err answer_take(struct gc_call *call, const struct mcx_groupcall_in *in, struct mcx_refusal *why)
{
    struct mcx_sdp_floor_params answer = { 0 };
    uint16_t modes = call->amrwb.mode_set;
    bool octet_align = call->amrwb.octet_align;
    struct mcx_sdp sdp;

    MCX_TRY(mcx_sdp_read(&sdp, in->sdp, why));
    MCX_TRY(remote_take(call, &answer, &sdp, why));
    call->amrwb.mode_set &= modes;
    if (call->amrwb.octet_align != octet_align || call->amrwb.mode_set == 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "the answer does not fit the codec that was offered", "RFC 4867 8.3.1");
    }
    if (answer.priority > call->offered.priority) {
        return mcx_refuse(why, MCX_E_FORMAT, "more floor priority than was asked for", "TS 24.380 12.1.2.2");
    }
    if (answer.granted && !call->offered.implicit_request) {
        return mcx_refuse(why, MCX_E_FORMAT, "the floor, which was not asked for", "TS 24.380 12.1.2.2");
    }
    call->agreed = answer;
    return MCX_OK;
}

/* What we asked for, unless the call is something more urgent already (TS 24.379 6.2.8.1.4). */
static enum mcx_groupcall_type type_answered(const struct mcx_groupcall *gc, const struct mcx_mcptt_info *info)
{
    enum mcx_groupcall_type said = info == NULL ? MCX_GC_NORMAL : type_of(info);

    if (said != MCX_GC_NORMAL) {
        return said;
    }
    return gc->state == MCX_GC_CHANGING ? gc->call.wanted : gc->call.type;
}

enum mcx_groupcall_event gc_check_ok(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                     struct gc_found *found)
{
    struct gc_call call = gc->call;

    if (answer_take(&call, in, &found->why) != MCX_OK) {
        found->cause = MCX_GC_CAUSE_BAD_ANSWER;
        return MCX_GC_OK_BAD;
    }
    gc->call = call;
    found->type = type_answered(gc, in->info);
    return MCX_GC_OK_GOOD;
}

/* ---- RX_OFFER: re-INVITE of the server (TS 24.379 10.1.1.2.1.6) ---- */

/* The type that a re-INVITE asks for; what is not mentioned stays. */
static enum mcx_groupcall_type type_after(enum mcx_groupcall_type now, const struct mcx_mcptt_info *info)
{
    enum mcx_groupcall_type type = type_of(info);
    bool ends = (now == MCX_GC_EMERGENCY && info->emergency == MCX_MCPTT_FALSE) ||
                (now == MCX_GC_IMMINENT_PERIL && info->imminent_peril == MCX_MCPTT_FALSE);

    return type == MCX_GC_NORMAL && !ends ? now : type;
}

static bool same_place(const struct gc_call *a, const struct gc_call *b)
{
    return a->port == b->port && a->floor_port == b->floor_port && strcmp(a->address, b->address) == 0 &&
           strcmp(a->floor_address, b->floor_address) == 0 && a->amrwb.octet_align == b->amrwb.octet_align &&
           a->amrwb.payload_type == b->amrwb.payload_type;
}

static mcx_err reoffer_take(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in, struct gc_found *found)
{
    struct gc_call before = gc->call;
    struct mcx_sdp sdp;
    mcx_err err = description_take(gc, &sdp, in, found);

    if (err == MCX_OK && !same_place(&before, &gc->call)) { /* CHOICE "gc-reinvite": media stay where they are */
        err = mcx_refuse(&found->why, MCX_E_UNSUP, "media that move in a call", "RFC 3264 8.3");
    }
    gc->call.amrwb = before.amrwb;
    err = err == MCX_OK ? answer_make(gc, &sdp) : err;
    if (err != MCX_OK) {
        gc->call = before;
    }
    return err;
}

enum mcx_groupcall_event gc_check_offer(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                        struct gc_found *found)
{
    if (reoffer_take(gc, in, found) != MCX_OK) {
        return MCX_GC_OFFER_BAD;
    }
    found->type = in->info == NULL ? gc->call.type : type_after(gc->call.type, in->info);
    if (in->info != NULL && in->info->calling_user.text[0] != '\0') {
        memcpy(gc->call.caller, in->info->calling_user.text, sizeof gc->call.caller);
    }
    return MCX_GC_OFFER_GOOD;
}

/* ---- RX_FAILURE of a re-INVITE ---- */

enum mcx_groupcall_event gc_check_failure(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                          struct gc_found *found)
{
    (void)found;
    if (in->code == 491 && ++gc->call.tries < MAX_TRIES) {
        return MCX_GC_CHANGE_CROSSED;
    }
    return in->code == 408 || in->code == 481 ? MCX_GC_CHANGE_FATAL : MCX_GC_RX_FAILURE; /* RFC 3261 14.1 */
}
