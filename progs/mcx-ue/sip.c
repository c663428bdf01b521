/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the phone: what TS 24.379 11.1.1.2.1 puts into them, and what is read from them. */
#include "phone.h"

#include <stdio.h>

#define WARNING_MAX 256

/* ---- received ---- */

static enum mcx_answer_mode mode_of(const struct mcx_sip_msg *msg, const char *header)
{
    struct mcx_bytes value = { 0 };
    enum mcx_answer_mode mode = MCX_ANSWER_UNSET;

    if (mcx_sip_header(msg, header, 0, &value) && mcx_answer_mode_read(&mode, value) != MCX_OK) {
        return MCX_ANSWER_MANUAL; /* something that we do not know: the user decides */
    }
    return mode;
}

static void on_closed(struct ue_leg *leg, const struct mcx_sip_call_event *ev)
{
    struct ue_phone *ph = leg->link->owner;
    struct mcx_privcall_in in = { .event = MCX_PC_RX_LOST, .dialog = leg->dialog };

    ue_leg_free(leg);
    switch (ev->why) {
    case MCX_SIP_BY_US: return;
    case MCX_SIP_BY_REJECT:
        in.event = MCX_PC_RX_FAILURE;
        in.code = ev->msg->code;
        in.warning = ue_warning_of(ev->msg);
        break;
    case MCX_SIP_BY_CANCEL: in.event = MCX_PC_RX_CANCEL; break;
    case MCX_SIP_BY_BYE: in.event = MCX_PC_RX_BYE; break;
    case MCX_SIP_BY_TIMEOUT:
    case MCX_SIP_BY_TRANSPORT: break;
    }
    ue_phone_step(ph, &in);
}

static void on_call(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct ue_leg *leg = arg;
    struct ue_phone *ph = leg->link->owner;
    struct mcx_privcall_in in = { .dialog = leg->dialog };
    struct mcx_mime mime;

    switch (ev->event) {
    case MCX_SIP_PROGRESS:
        in.event = MCX_PC_RX_PROGRESS;
        in.code = ev->msg->code;
        break;
    case MCX_SIP_ANSWERED:
        in.event = MCX_PC_RX_OK;
        in.sdp = ue_sdp_of(ev->msg, &mime);
        break;
    case MCX_SIP_ACKED: ue_phone_acked(ph); return;
    case MCX_SIP_CHANGED:
    case MCX_SIP_UNCHANGED: return; /* a private call is not changed from here */
    case MCX_SIP_OFFER:             /* media of a running call are not changed */
        (void)!mcx_sip_call_reject(call, 488, "Not Acceptable Here", NULL);
        return;
    case MCX_SIP_CLOSED: on_closed(leg, ev); return;
    }
    ue_phone_step(ph, &in);
}

void ue_phone_invited(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg)
{
    struct ue_link *link = arg;
    struct ue_phone *ph = link->owner;
    struct ue_leg *leg = ue_leg_new(link, ++link->last_dialog);
    const struct mcx_mime_part *part = NULL;
    struct mcx_mcptt_info info = { 0 };
    struct mcx_mime mime;
    struct mcx_privcall_in in = { .event = MCX_PC_RX_INVITE, .dialog = link->last_dialog };

    if (leg == NULL || ph->finishing) {
        return; /* the layer answers 480 */
    }
    leg->call = call;
    mcx_sip_call_handler(call, on_call, leg);
    in.sdp = ue_sdp_of(msg, &mime);
    part = mcx_mime_find(&mime, MCX_TYPE_MCPTT_INFO);
    if (part != NULL && mcx_mcptt_info_read(&info, part->body, NULL) == MCX_OK) {
        in.calling_user = mcx_bytes_str(info.calling_user.text);
    }
    in.answer_mode = mode_of(msg, "Answer-Mode");
    in.priv_answer_mode = mode_of(msg, "Priv-Answer-Mode");
    ue_report(ph->options->json, "incoming", NULL, "{s:s}", "claimed", info.calling_user.text);
    if (mcx_privcall_state(ph->pc) == MCX_PC_IDLE) {
        ph->caller = false;
    }
    ue_phone_step(ph, &in);
    mcx_mcptt_info_clear(&info);
}

/* ---- sent ---- */

static const char *answer_mode_header(enum mcx_privcall_commencement commencement)
{
    switch (commencement) { /* TS 24.379 11.1.1.2.1.1 12. */
    case MCX_PC_MANUAL: return "Answer-Mode: Manual\r\n";
    case MCX_PC_FORCE_AUTO: return "Priv-Answer-Mode: Auto\r\n";
    default: return "Answer-Mode: Auto\r\n";
    }
}

/* The three parts of the INVITE: SDP, mcptt-info, the callee as resource list. */
static mcx_err invite_body(struct ue_phone *ph, char type[MCX_MIME_TYPE_MAX], struct mcx_bytes *body,
                           const struct mcx_privcall_action *a)
{
    struct mcx_mcptt_info info = { .session = MCX_SESSION_PRIVATE };
    uint8_t info_xml[4096];
    uint8_t list_xml[4096];
    struct mcx_wr info_wr = mcx_wr(info_xml, sizeof info_xml);
    struct mcx_wr list_wr = mcx_wr(list_xml, sizeof list_xml);
    struct mcx_wr wr = mcx_wr(ph->link.body, sizeof ph->link.body);
    struct mcx_mime mime = { .num = 3 };

    MCX_TRY(mcx_mcptt_info_write(&info_wr, &info));
    MCX_TRY(mcx_resource_list_write(&list_wr, a->callee));
    mime.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_SDP), .body = a->sdp };
    mime.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_wr_done(&info_wr) };
    mime.part[2] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_RESOURCE_LISTS),
                                           .disposition = mcx_bytes_str("recipient-list"),
                                           .body = mcx_wr_done(&list_wr) };
    MCX_TRY(mcx_mime_write(&wr, type, &mime));
    *body = mcx_wr_done(&wr);
    return MCX_OK;
}

mcx_err ue_send_invite(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    char type[MCX_MIME_TYPE_MAX];
    char headers[1024];
    struct mcx_sip_invite invite = {
        .uri = ph->link.psi, .from = ph->options->id, .session_expires = SESSION_EXPIRES_S, .handler = on_call
    };
    struct ue_leg *leg = NULL;
    int n = snprintf(headers, sizeof headers, "%sP-Preferred-Service: %s\r\nP-Preferred-Identity: <%s>\r\n%s",
                     MCX_MCPTT_ACCEPT_CONTACT, MCX_MCPTT_SERVICE, ph->options->id, answer_mode_header(a->commencement));

    if (n < 0 || (size_t)n >= sizeof headers) {
        return MCX_E_SPACE;
    }
    MCX_TRY(invite_body(ph, type, &invite.content.body, a));
    invite.content.headers = headers;
    invite.content.content_type = type;
    invite.content.contact_params = MCX_MCPTT_CONTACT_PARAMS;
    leg = ue_leg_new(&ph->link, a->dialog);
    if (leg == NULL) {
        return MCX_E_NOMEM;
    }
    invite.arg = leg;
    if (mcx_sip_call_new(&leg->call, ph->link.sip, &invite) != MCX_OK) {
        ue_leg_free(leg);
        return MCX_E_IO;
    }
    return MCX_OK;
}

mcx_err ue_send_ringing(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&ph->link, a->dialog);
    struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS };

    return leg == NULL ? MCX_E_STATE : mcx_sip_call_progress(leg->call, 180, "Ringing", &content);
}

mcx_err ue_send_ok(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&ph->link, a->dialog);
    struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS,
                                       .content_type = MCX_TYPE_SDP,
                                       .body = a->sdp };

    return leg == NULL ? MCX_E_STATE : mcx_sip_call_answer(leg->call, &content);
}

mcx_err ue_send_refusal(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&ph->link, a->dialog);
    struct mcx_sip_content content = { 0 };
    char warning[WARNING_MAX];

    if (leg == NULL) {
        return MCX_E_STATE;
    }
    if (a->warning != MCX_WARN_NONE) {
        MCX_TRY(mcx_warning_write(warning, sizeof warning, ph->link.local_address, a->warning, NULL));
        content.headers = warning;
    }
    return mcx_sip_call_reject(leg->call, a->code, a->phrase, &content);
}

void ue_send_hangup(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&ph->link, a->dialog);

    if (leg != NULL) {
        mcx_sip_call_hangup(leg->call, NULL);
    }
}
