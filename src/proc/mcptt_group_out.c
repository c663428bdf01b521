/* SPDX-License-Identifier: Apache-2.0 */
/* What group calls send: actions, and the messages in them. */
#include "proc/mcptt_group.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *mgrp_text(struct mcx_mgrp *grp, const char *format, ...)
{
    char *at = (char *)grp->text.p + grp->text.len;
    size_t room = grp->text.cap - grp->text.len;
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(at, room, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room) {
        return "";
    }
    grp->text.len += (size_t)n + 1;
    return at;
}

struct mcx_mgrp_action *mgrp_action(struct mgrp_step *s, enum mcx_mgrp_act act)
{
    size_t last = MCX_MGRP_MAX_ACTIONS - 1; /* never reached: drain() stops MGRP_PER_MARK before it (test) */
    struct mcx_mgrp_action *a = &s->out->action[s->out->num < last ? s->out->num++ : last];

    memset(a, 0, sizeof *a);
    a->act = act;
    a->headers = a->note = a->user = a->group = a->text = a->clause = "";
    a->session = s->session != NULL ? s->session->id : 0;
    return a;
}

static struct mcx_mgrp_action *make_note(struct mgrp_step *s, const char *what, const char *user, const char *group,
                                         const char *text, const struct msrv_verdict *v)
{
    struct mcx_mgrp_action *a = mgrp_action(s, MCX_MGRP_NOTE);

    a->note = what;
    a->user = mgrp_text(s->grp, "%s", user);
    a->group = mgrp_text(s->grp, "%s", group);
    a->text = mgrp_text(s->grp, "%s", text);
    if (v != NULL) {
        a->code = v->code;
        a->warning = v->warning;
    }
    return a;
}

void mgrp_note(struct mgrp_step *s, const char *what, const char *user, const char *group, const char *text,
               const struct msrv_verdict *v)
{
    (void)make_note(s, what, user, group, text, v);
}

/* What stands behind a response, for the log. */
static struct mcx_refusal why_of(const struct msrv_verdict *v)
{
    bool type = v->warning == MCX_WARN_NONE && v->warning_reason != NULL;

    if (type) {
        return (struct mcx_refusal){ "he may not have a call of this type", "TS 24.379 6.3.3.1.14" };
    }
    if (v->warning != MCX_WARN_NONE) {
        return (struct mcx_refusal){ v->warning_reason != NULL ? v->warning_reason : mcx_warning_text(v->warning),
                                     "TS 24.379 4.4.2" };
    }
    return (struct mcx_refusal){ "no room for it in this server", "TS 24.379 10.1.1.4.2" };
}

void mgrp_note_refused(struct mgrp_step *s, const char *what, const char *user, const char *group,
                       const struct msrv_verdict *v, const struct mcx_refusal *why)
{
    const struct mcx_refusal found = why != NULL ? *why : why_of(v);

    make_note(s, what, user, group, found.reason, v)->clause = found.clause;
}

/* A refused call type is answered with what the call is instead (TS 24.379 6.3.3.1.14). */
static void add_info_body(struct mcx_mgrp_action *a, struct mcx_mgrp *grp, const struct mcx_mcptt_info *info)
{
    struct mcx_wr *text = &grp->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);

    if (mcx_mcptt_info_write(&wr, info) == MCX_OK) {
        a->content_type = MCX_TYPE_MCPTT_INFO;
        a->body = mcx_wr_done(&wr);
        text->len += wr.len;
    }
}

void mgrp_reject(struct mgrp_step *s, uint32_t leg, const struct msrv_verdict *v)
{
    struct mcx_mgrp_action *a = mgrp_action(s, MCX_MGRP_REJECT);
    char line[512];

    a->leg = leg;
    a->code = v->code;
    a->reason = v->reason;
    if (v->warning != MCX_WARN_NONE &&
        mcx_warning_write(line, sizeof line, s->grp->config.server->host, v->warning, v->warning_reason) == MCX_OK) {
        a->headers = mgrp_text(s->grp, "%s", line);
    }
    if (v->warning == MCX_WARN_NONE && v->warning_reason != NULL) {
        struct mcx_mcptt_info info;

        memset(&info, 0, sizeof info);
        info.emergency = strcmp(v->warning_reason, "emergency") == 0 ? MCX_MCPTT_FALSE : MCX_MCPTT_UNSET;
        info.imminent_peril = info.emergency == MCX_MCPTT_UNSET ? MCX_MCPTT_FALSE : MCX_MCPTT_UNSET;
        add_info_body(a, s->grp, &info);
    }
}

/* false says that it has ended (TS 24.379 6.2.8.1.13). */
static enum mcx_mcptt_bool indication(bool now, bool ever)
{
    return now ? MCX_MCPTT_TRUE : ever ? MCX_MCPTT_FALSE : MCX_MCPTT_UNSET;
}

/* A re-INVITE names who has changed the call type, and not who has called (TS 24.379 6.3.3.1.6). */
static mcx_err write_info(struct mcx_bytes *out, struct mgrp_step *s, const struct mgrp_leg *leg, bool renew)
{
    struct mgrp_session *session = s->session;
    const char *by = renew && session->changed_by != NULL ? session->changed_by : session->initiator;
    struct mcx_wr *text = &s->grp->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);
    struct mcx_mcptt_info info;

    memset(&info, 0, sizeof info);
    info.session = session->prearranged ? MCX_SESSION_PREARRANGED : MCX_SESSION_CHAT;
    info.emergency = indication(session->emergency, session->was_emergency);
    info.imminent_peril = indication(session->imminent, session->was_imminent);
    MCX_TRY(mcx_mcptt_set(&info.request_uri, MCX_MCPTT_URI, mcx_bytes_str(leg->mcptt_id)));
    MCX_TRY(mcx_mcptt_set(&info.calling_user, MCX_MCPTT_URI, mcx_bytes_str(by)));
    MCX_TRY(mcx_mcptt_set(&info.calling_group, MCX_MCPTT_URI, mcx_bytes_str(session->group->head.uri)));
    MCX_TRY(mcx_mcptt_info_write(&wr, &info));
    *out = mcx_wr_done(&wr);
    text->len += wr.len;
    return MCX_OK;
}

/* Parameters of our side of the SDP; fmtp must outlive them. */
static struct mcx_sdp_params sdp_params(const struct mgrp_session *session, const char *fmtp)
{
    return (struct mcx_sdp_params){ .session_id = session->id,
                                    .session_version = session->id,
                                    .address = session->media.host,
                                    .audio_port = session->media.rtp_port,
                                    .amrwb = session->amrwb,
                                    .floor_port = session->media.floor_port,
                                    .floor_fmtp = fmtp };
}

/* TS 24.380 4.1.1.4, 14.3.3. */
uint8_t mgrp_floor_priority(const struct mgrp_session *session, const struct mgrp_leg *leg)
{
    const struct mgrp_member *m = mgrp_find_member(session->group, leg->mcptt_id);
    uint8_t allowed = m != NULL ? m->priority : 0;

    return leg->peer.max_priority < allowed ? leg->peer.max_priority : allowed;
}

/* An answer says that the INVITE was taken as a Floor Request (TS 24.380 14.3.5). */
static mcx_err write_sdp(struct mcx_bytes *out, struct mgrp_step *s, struct mcx_bytes offer,
                         const struct mcx_sdp_floor_params *floor)
{
    struct mcx_wr *text = &s->grp->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);
    char fmtp[MCX_SDP_FLOOR_FMTP_MAX];
    struct mcx_sdp_params params;
    struct mcx_sdp sdp;

    mcx_sdp_floor_params_write(fmtp, floor);
    params = sdp_params(s->session, fmtp);
    if (offer.len == 0) {
        MCX_TRY(mcx_sdp_offer_write(&wr, &params));
    } else {
        MCX_TRY(mcx_sdp_read(&sdp, offer, NULL));
        MCX_TRY(mcx_sdp_answer_write(&wr, &sdp, &params));
    }
    *out = mcx_wr_done(&wr);
    text->len += wr.len;
    return MCX_OK;
}

static mcx_err write_parts(struct mcx_mgrp_action *act, struct mcx_mgrp *grp, const struct mcx_mime *mime)
{
    struct mcx_wr *text = &grp->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);
    char type[MCX_MIME_TYPE_MAX];

    MCX_TRY(mcx_mime_write(&wr, type, mime));
    act->body = mcx_wr_done(&wr);
    text->len += wr.len;
    act->content_type = mgrp_text(grp, "%s", type);
    return MCX_OK;
}

static void address_invite(struct mcx_mgrp_action *act, struct mgrp_step *s, const struct mcx_msrv_user *user)
{
    const struct mcx_msrv_config *server = s->grp->config.server;
    const struct msrv_binding *b = msrv_binding(s->grp->config.srv, user);
    const char *priority = s->session->resource_priority;

    act->uri = b->contact;
    act->from = server->controlling_psi;
    act->to = msrv_public_id(user);
    act->next_hop = b->num_path == 0 ? b->flow : NULL;
    for (size_t i = 0; i < b->num_path; i++) {
        act->route[i] = b->path[i];
    }
    act->session_expires = server->session_expires;
    act->headers =
        mgrp_text(s->grp, "%sP-Asserted-Service: %s\r\nP-Asserted-Identity: <%s>\r\nAnswer-Mode: Auto\r\n%s%s%s",
                  MCX_MCPTT_ACCEPT_CONTACT, MCX_MCPTT_SERVICE, server->controlling_psi,
                  priority[0] != '\0' ? "Resource-Priority: " : "", priority, priority[0] != '\0' ? "\r\n" : "");
}

mcx_err mgrp_fill_invite(struct mcx_mgrp_action *act, struct mgrp_step *s, struct mgrp_leg *leg, bool renew)
{
    const struct mgrp_member *member = mgrp_find_member(s->session->group, leg->mcptt_id);
    struct mcx_sdp_floor_params floor = { .queueing = !s->grp->config.server->no_queueing };
    struct mcx_mime mime = { .num = 2 };

    if (member == NULL || member->user == NULL) {
        return MCX_E_STATE;
    }
    floor.priority = renew ? mgrp_floor_priority(s->session, leg) : member->priority;
    act->leg = leg->id;
    act->contact_params = MCX_MCPTT_CONTACT_PARAMS ";isfocus";
    act->contact_user = s->session->identity;
    mime.part[0].type = mcx_bytes_str(MCX_TYPE_SDP);
    MCX_TRY(write_sdp(&mime.part[0].body, s, mcx_bytes(NULL, 0), &floor));
    mime.part[1].type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO);
    MCX_TRY(write_info(&mime.part[1].body, s, leg, renew));
    MCX_TRY(write_parts(act, s->grp, &mime));
    leg->told = mgrp_indicator_of(s->session);
    if (!renew) {
        address_invite(act, s, member->user);
    }
    return MCX_OK;
}

mcx_err mgrp_fill_answer(struct mcx_mgrp_action *act, struct mgrp_step *s, struct mgrp_leg *leg,
                         struct mcx_bytes offer)
{
    const struct mcx_sdp_floor_params floor = { .queueing = leg->peer.queueing && !s->grp->config.server->no_queueing,
                                                .priority = mgrp_floor_priority(s->session, leg),
                                                .implicit_request = leg->peer.implicit_request };
    struct mcx_mime mime = { .num = 2 };

    act->leg = leg->id;
    act->code = 200;
    act->reason = "OK";
    act->headers = mgrp_text(s->grp, "P-Asserted-Identity: <%s>\r\n", s->grp->config.server->controlling_psi);
    act->contact_params = MCX_MCPTT_CONTACT_PARAMS ";isfocus";
    act->contact_user = s->session->identity;
    mime.part[0].type = mcx_bytes_str(MCX_TYPE_SDP);
    MCX_TRY(write_sdp(&mime.part[0].body, s, offer, &floor));
    mime.part[1].type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO);
    MCX_TRY(write_info(&mime.part[1].body, s, leg, false));
    leg->told = mgrp_indicator_of(s->session);
    return write_parts(act, s->grp, &mime);
}
