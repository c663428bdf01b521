/* SPDX-License-Identifier: Apache-2.0 */
/* What an INVITE for a group must hold, in the order of TS 24.379 10.1.1.3.1.1, 10.1.1.4.2 and 10.1.2.4.1.1. */
#include "proc/mcptt_group.h"

#include <string.h>

enum { DEFAULT_MAX_GROUP_CALLS = 4 };

static struct msrv_verdict refuse(uint16_t code, const char *reason, enum mcx_warning warning)
{
    return (struct msrv_verdict){ code, reason, warning, NULL };
}

static struct msrv_verdict not_allowed(const char *due_to)
{
    return (struct msrv_verdict){ 403, "Forbidden", MCX_WARN_FUNCTION_NOT_ALLOWED, due_to };
}

mcx_err mgrp_read_request(struct mgrp_request *out, const struct mcx_msrv_sip *sip)
{
    const struct mcx_mime_part *part;
    struct mcx_mcptt_info info;
    mcx_err err;

    memset(out, 0, sizeof *out);
    MCX_TRY(mcx_mime_read(&out->mime, sip->content_type, sip->body, NULL));
    part = mcx_mime_find(&out->mime, MCX_TYPE_MCPTT_INFO);
    if (part == NULL) {
        return MCX_E_NOKEY;
    }
    err = mcx_mcptt_info_read(&info, part->body, NULL);
    if (err == MCX_OK) {
        out->type = info.session;
        out->emergency = info.emergency;
        out->imminent = info.imminent_peril;
        memcpy(out->group, info.request_uri.text, sizeof out->group);
    }
    mcx_mcptt_info_clear(&info);
    return err;
}

bool mcx_mgrp_is_group_call(const struct mcx_msrv_sip *sip)
{
    struct mgrp_request request;

    return mgrp_read_request(&request, sip) == MCX_OK &&
           (request.type == MCX_SESSION_PREARRANGED || request.type == MCX_SESSION_CHAT);
}

struct msrv_verdict mgrp_check_type(const struct mgrp_request *request, const struct mcx_msrv_user *user)
{
    if (request->emergency != MCX_MCPTT_UNSET && !user->allow_emergency_group) {
        return (struct msrv_verdict){ 403, "Forbidden", MCX_WARN_NONE, "emergency" };
    }
    if (request->imminent != MCX_MCPTT_UNSET && !user->allow_imminent_group) {
        return (struct msrv_verdict){ 403, "Forbidden", MCX_WARN_NONE, "imminent" };
    }
    return MSRV_PASS;
}

static struct msrv_verdict check_group(const struct mgrp_request *request, const struct mgrp_group *group)
{
    bool chat = group->head.kind == MCX_GROUP_CHAT;

    if (chat && request->type == MCX_SESSION_PREARRANGED) {
        return refuse(404, "Not Found", MCX_WARN_GROUP_IS_CHAT);
    }
    if (!chat && request->type == MCX_SESSION_CHAT) {
        return refuse(404, "Not Found", MCX_WARN_GROUP_IS_PREARRANGED);
    }
    return group->head.temporary[0] != '\0' ? refuse(403, "Forbidden", MCX_WARN_GROUP_IS_REGROUPED) : MSRV_PASS;
}

static size_t calls_of(const struct mcx_mgrp *grp, const char *mcptt_id, const struct mgrp_group *except)
{
    size_t n = 0;

    for (size_t i = 0; i < grp->cap_sessions; i++) {
        const struct mgrp_session *session = grp->sessions[i];

        n += session != NULL && session->group != NULL && session->group != except &&
                     mgrp_leg_of(session, mcptt_id) != NULL
                 ? 1
                 : 0;
    }
    return n;
}

/* Affiliation may be implicit in joining a chat group and in an authorised emergency (9.2.2.3.6, 9.2.2.3.7). */
static struct msrv_verdict check_affiliation(struct mgrp_step *s, const struct mgrp_request *request,
                                             const struct mgrp_group *group, struct mgrp_member *member)
{
    uint32_t seconds = s->grp->config.max_affiliation_s != 0 ? s->grp->config.max_affiliation_s : 3600;
    bool urgent = request->emergency == MCX_MCPTT_TRUE || request->imminent == MCX_MCPTT_TRUE;

    if (member->affiliated_until > s->in->now_ms) {
        return MSRV_PASS;
    }
    if (!urgent && group->head.kind != MCX_GROUP_CHAT) {
        return refuse(403, "Forbidden", MCX_WARN_NOT_AFFILIATED);
    }
    member->affiliated_until = s->in->now_ms + (uint64_t)seconds * 1000;
    mgrp_note(s, "affiliated", member->mcptt_id, group->head.uri, "implicitly", NULL);
    return MSRV_PASS;
}

static struct msrv_verdict check_room(const struct mgrp_step *s, const struct mgrp_group *group,
                                      const struct mcx_msrv_user *caller)
{
    const struct mgrp_session *session = group->session;
    size_t limit = s->grp->config.max_group_calls != 0 ? s->grp->config.max_group_calls : DEFAULT_MAX_GROUP_CALLS;
    size_t most = group->head.max_participants;

    most = most == 0 || most > MCX_MGRP_MAX_PARTICIPANTS ? MCX_MGRP_MAX_PARTICIPANTS : most;
    if (calls_of(s->grp, caller->mcptt_id, group) >= limit) {
        return refuse(486, "Busy Here", MCX_WARN_MAX_GROUP_CALLS);
    }
    if (session != NULL && session->num_legs >= most && mgrp_leg_of(session, caller->mcptt_id) == NULL) {
        return refuse(486, "Busy Here", MCX_WARN_TOO_MANY_PARTICIPANTS);
    }
    return MSRV_PASS;
}

struct msrv_verdict mgrp_check_invite(struct mgrp_step *s, const struct mgrp_request *request,
                                      const struct mcx_msrv_user **caller, struct mgrp_group **group)
{
    const struct mcx_mgrp_config *config = &s->grp->config;
    const struct mcx_msrv_user *user = msrv_identify(config->srv, s->in->sip, s->in->now_ms);
    size_t most = config->max_sessions + (request->emergency == MCX_MCPTT_TRUE ? config->max_sessions / 8 + 1 : 0);
    struct mgrp_group *g = mgrp_find_group(s->grp, request->group);
    struct mgrp_member *member;
    struct msrv_verdict v;

    if (user == NULL) {
        return refuse(404, "Not Found", MCX_WARN_USER_UNKNOWN);
    }
    *caller = user;
    if (!mcx_bytes_is(s->in->sip->service, MCX_MCPTT_SERVICE)) {
        return not_allowed("missing MCPTT service identifier");
    }
    if (g == NULL) {
        return refuse(404, "Not Found", MCX_WARN_NO_GROUP_DOCUMENT);
    }
    member = mgrp_find_member(g, user->mcptt_id);
    if (member == NULL) {
        return refuse(403, "Forbidden", MCX_WARN_NOT_A_MEMBER);
    }
    if (g->session == NULL && s->grp->num_sessions >= most) {
        return refuse(500, "Server Internal Error", MCX_WARN_NONE);
    }
    v = check_group(request, g);
    v = v.code == 0 ? mgrp_check_type(request, user) : v;
    v = v.code == 0 ? check_room(s, g, user) : v;
    if (v.code == 0 && g->head.protect_floor && config->has_channel != NULL &&
        !config->has_channel(config->arg, user->mcptt_id)) {
        v = not_allowed("no client-server key"); /* floor control could not be protected (TS 24.380 13) */
    }
    v = v.code == 0 ? check_affiliation(s, request, g, member) : v;
    *group = g;
    return v;
}

/* ---- SDP ---- */

static mcx_err read_host(char *out, size_t cap, const struct mcx_sdp *sdp, size_t line, struct mcx_refusal *why)
{
    struct mcx_bytes host = mcx_sdp_conn(sdp, line)->host;

    return host.len != 0 && mcx_bytes_cstr(out, cap, host) == MCX_OK
               ? MCX_OK
               : mcx_refuse(why, MCX_E_FORMAT, "no address for audio or floor control", "RFC 4566 5.7");
}

static mcx_err read_floor(struct mcx_mgrp_peer *out, const struct mcx_sdp *sdp, struct mcx_refusal *why)
{
    struct mcx_sdp_floor_params params = { 0 };
    struct mcx_bytes fmtp = mcx_bytes(NULL, 0);
    size_t line = 0;

    if (!mcx_sdp_floor(&line, &fmtp, sdp)) {
        return MCX_OK;
    }
    if (mcx_sdp_floor_params_read(&params, fmtp) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "malformed attribute of the floor control line", "TS 24.380 12.1.2");
    }
    MCX_TRY(read_host(out->floor_host, sizeof out->floor_host, sdp, line, why));
    out->floor_port = sdp->media[line].port;
    out->queueing = params.queueing;
    out->max_priority = params.priority;
    out->implicit_request = params.implicit_request;
    return MCX_OK;
}

/* Keys of a group come from the GMS alone, and this server has none (docs/DEVIATIONS.md "group-key-mgmt"). */
static mcx_err read_sdp(struct mcx_sdp *sdp, const struct mcx_mime *mime, struct mcx_refusal *why)
{
    const struct mcx_mime_part *part = mcx_mime_find(mime, MCX_TYPE_SDP);

    if (part == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "no session description", "TS 24.379 6.2.1");
    }
    MCX_TRY(mcx_sdp_read(sdp, part->body, why));
    return mcx_sdp_has_key(sdp)
               ? mcx_refuse(why, MCX_E_POLICY, "a key in the description of a group call", "TS 33.180 5.7")
               : MCX_OK;
}

mcx_err mgrp_read_media(struct mcx_mgrp_peer *out, struct mcx_sdp_amrwb *amrwb, const struct mcx_mime *mime,
                        const struct mgrp_session *session, struct mcx_refusal *why)
{
    struct mcx_mgrp_peer peer = { 0 };
    struct mcx_sdp sdp;
    size_t line = 0;

    MCX_TRY(read_sdp(&sdp, mime, why));
    MCX_TRY(mcx_sdp_audio(&line, amrwb, &sdp, why));
    if (session != NULL && amrwb->payload_type != session->amrwb.payload_type) { /* packets are not rewritten */
        return mcx_refuse(why, MCX_E_UNSUP, "another payload type than that of the call", "RFC 3264 6.1");
    }
    MCX_TRY(read_host(peer.host, sizeof peer.host, &sdp, line, why));
    peer.rtp_port = sdp.media[line].port;
    MCX_TRY(read_floor(&peer, &sdp, why));
    *out = peer;
    return MCX_OK;
}
