/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the group radio: what TS 24.379 10.1.1.2, 10.1.2.2 and 9.2.1.2 put into them, and what is read from them.
 */
#include "group.h"

#include <stdio.h>
#include <string.h>

#define HEADERS_MAX 1024

/* ---- received ---- */

static bool info_of(struct mcx_mcptt_info *info, const struct mcx_mime *mime)
{
    const struct mcx_mime_part *part = mcx_mime_find(mime, MCX_TYPE_MCPTT_INFO);

    return part != NULL && mcx_mcptt_info_read(info, part->body, NULL) == MCX_OK;
}

/* INVITE or re-INVITE of the server, or its answer to ours: a description, and what the call is. */
static void session_take(struct ue_group *g, struct mcx_groupcall_in *in, const struct mcx_sip_msg *msg)
{
    struct mcx_mcptt_info info = { 0 };
    struct mcx_mime mime;

    in->sdp = ue_sdp_of(msg, &mime);
    in->info = info_of(&info, &mime) ? &info : NULL;
    ue_group_step(g, in);
    mcx_mcptt_info_clear(&info);
}

static void failure_take(struct mcx_groupcall_in *in, const struct mcx_sip_msg *msg)
{
    in->event = MCX_GC_RX_FAILURE;
    in->code = msg->code;
    in->warning = ue_warning_of(msg);
}

static void on_closed(struct ue_leg *leg, const struct mcx_sip_call_event *ev)
{
    struct ue_group *g = leg->link->owner;
    struct mcx_groupcall_in in = { .event = MCX_GC_RX_LOST, .dialog = leg->dialog };

    ue_leg_free(leg);
    switch (ev->why) {
    case MCX_SIP_BY_US: return;
    case MCX_SIP_BY_REJECT: failure_take(&in, ev->msg); break;
    case MCX_SIP_BY_BYE: in.event = MCX_GC_RX_BYE; break;
    case MCX_SIP_BY_CANCEL:
    case MCX_SIP_BY_TIMEOUT:
    case MCX_SIP_BY_TRANSPORT: break;
    }
    ue_group_step(g, &in);
}

static void on_call(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct ue_leg *leg = arg;
    struct ue_group *g = leg->link->owner;
    struct mcx_groupcall_in in = { .dialog = leg->dialog };

    switch (ev->event) {
    case MCX_SIP_PROGRESS: in.event = MCX_GC_RX_PROGRESS; break;
    case MCX_SIP_ANSWERED:
    case MCX_SIP_CHANGED:
        in.event = MCX_GC_RX_OK;
        session_take(g, &in, ev->msg);
        return;
    case MCX_SIP_UNCHANGED:
        failure_take(&in, ev->msg);
        in.retry_ms = mcx_sip_call_glare_ms(call);
        break;
    case MCX_SIP_ACKED: return;
    case MCX_SIP_OFFER:
        in.event = MCX_GC_RX_OFFER;
        session_take(g, &in, ev->msg);
        return;
    case MCX_SIP_CLOSED: on_closed(leg, ev); return;
    }
    ue_group_step(g, &in);
}

void ue_group_invited(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg)
{
    struct ue_link *link = arg;
    struct ue_group *g = link->owner;
    struct ue_leg *leg = ue_leg_new(link, ++link->last_dialog);
    struct mcx_groupcall_in in = { .event = MCX_GC_RX_INVITE, .dialog = link->last_dialog };

    if (leg == NULL || g->finishing) {
        return; /* the layer answers 480 */
    }
    leg->call = call;
    mcx_sip_call_handler(call, on_call, leg);
    session_take(g, &in, msg);
}

/* ---- sent ---- */

static mcx_err headers_write(char *out, size_t cap, const struct ue_group *g, const char *more)
{
    int n = snprintf(out, cap, "%sP-Preferred-Service: %s\r\nP-Preferred-Identity: <%s>\r\n%s",
                     MCX_MCPTT_ACCEPT_CONTACT, MCX_MCPTT_SERVICE, g->options->id, more);

    return n < 0 || (size_t)n >= cap ? MCX_E_SPACE : MCX_OK;
}

/* True where it is asked for, false where it is to end, else nothing: it would need a right of its own (6.3.3.1.13). */
static enum mcx_mcptt_bool indication(const struct mcx_groupcall_action *a, enum mcx_groupcall_type type)
{
    bool ends = a->act == MCX_GC_SEND_REINVITE && a->type == MCX_GC_NORMAL && a->before == type;

    return a->type == type ? MCX_MCPTT_TRUE : ends ? MCX_MCPTT_FALSE : MCX_MCPTT_UNSET;
}

/* What the call is: session-type, group, client, and the indications of its type (10.1.1.2.1.1, 6.2.8.1). */
static mcx_err info_write(struct mcx_wr *out, const struct ue_group *g, const struct mcx_groupcall_action *a)
{
    struct mcx_mcptt_info info = {
        .session = a->session,
        .emergency = indication(a, MCX_GC_EMERGENCY),
        .imminent_peril = indication(a, MCX_GC_IMMINENT_PERIL),
    };

    MCX_TRY(mcx_mcptt_set(&info.request_uri, MCX_MCPTT_URI, mcx_bytes_str(a->group)));
    MCX_TRY(mcx_mcptt_set(&info.client_id, MCX_MCPTT_STRING, mcx_bytes_str(g->affiliation.client_id)));
    return mcx_mcptt_info_write(out, &info);
}

static mcx_err offer_write(struct ue_group *g, char type[MCX_MIME_TYPE_MAX], struct mcx_bytes *body,
                           const struct mcx_groupcall_action *a)
{
    uint8_t xml[4096];
    struct mcx_wr info = mcx_wr(xml, sizeof xml);
    struct mcx_wr wr = mcx_wr(g->link.body, sizeof g->link.body);
    struct mcx_mime mime = { .num = 2 };

    MCX_TRY(info_write(&info, g, a));
    mime.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_SDP), .body = a->sdp };
    mime.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_wr_done(&info) };
    MCX_TRY(mcx_mime_write(&wr, type, &mime));
    *body = mcx_wr_done(&wr);
    return MCX_OK;
}

mcx_err ue_group_send_invite(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    char type[MCX_MIME_TYPE_MAX];
    char headers[HEADERS_MAX];
    struct mcx_sip_invite invite = {
        .uri = g->link.psi, .from = g->options->id, .session_expires = SESSION_EXPIRES_S, .handler = on_call
    };
    struct ue_leg *leg = NULL;

    MCX_TRY(headers_write(headers, sizeof headers, g, "Answer-Mode: Auto\r\n"));
    MCX_TRY(offer_write(g, type, &invite.content.body, a));
    invite.content.headers = headers;
    invite.content.content_type = type;
    invite.content.contact_params = MCX_MCPTT_CONTACT_PARAMS;
    leg = ue_leg_new(&g->link, a->dialog);
    if (leg == NULL) {
        return MCX_E_NOMEM;
    }
    invite.arg = leg;
    if (mcx_sip_call_new(&leg->call, g->link.sip, &invite) != MCX_OK) {
        ue_leg_free(leg);
        return MCX_E_IO;
    }
    return MCX_OK;
}

mcx_err ue_group_send_reinvite(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&g->link, a->dialog);
    char type[MCX_MIME_TYPE_MAX];
    struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS, .content_type = type };

    if (leg == NULL) {
        return MCX_E_IO;
    }
    MCX_TRY(offer_write(g, type, &content.body, a));
    return mcx_sip_call_reinvite(leg->call, &content);
}

mcx_err ue_group_send_ok(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&g->link, a->dialog);
    const struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS,
                                             .content_type = MCX_TYPE_SDP,
                                             .body = a->sdp };

    return leg == NULL ? MCX_E_STATE : mcx_sip_call_answer(leg->call, &content);
}

mcx_err ue_group_send_refusal(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&g->link, a->dialog);
    const struct mcx_sip_content content = { 0 };

    return leg == NULL ? MCX_E_STATE : mcx_sip_call_reject(leg->call, a->code, a->phrase, &content);
}

void ue_group_send_hangup(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    struct ue_leg *leg = ue_leg_find(&g->link, a->dialog);

    if (leg != NULL) {
        mcx_sip_call_hangup(leg->call, NULL);
    }
}

/* ---- affiliation (9.2.1.2): all groups of this client in one document ---- */

static void on_published(void *arg, uint16_t code, const struct mcx_sip_msg *response)
{
    ue_group_affiliated(arg, code, response == NULL ? 0 : ue_warning_of(response));
}

static mcx_err publication_write(struct ue_group *g, char type[MCX_MIME_TYPE_MAX], struct mcx_bytes *body)
{
    static uint8_t pidf[16384];
    uint8_t xml[4096];
    struct mcx_mcptt_info info = { 0 };
    struct mcx_wr pidf_wr = mcx_wr(pidf, sizeof pidf);
    struct mcx_wr info_wr = mcx_wr(xml, sizeof xml);
    struct mcx_wr wr = mcx_wr(g->link.body, sizeof g->link.body);
    struct mcx_mime mime = { .num = 2 };

    MCX_TRY(mcx_mcptt_set(&info.request_uri, MCX_MCPTT_URI, mcx_bytes_str(g->options->id)));
    MCX_TRY(mcx_mcptt_info_write(&info_wr, &info));
    MCX_TRY(mcx_affiliation_write(&pidf_wr, &g->affiliation));
    mime.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_wr_done(&info_wr) };
    mime.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_PIDF), .body = mcx_wr_done(&pidf_wr) };
    MCX_TRY(mcx_mime_write(&wr, type, &mime));
    *body = mcx_wr_done(&wr);
    return MCX_OK;
}

mcx_err ue_group_publish(struct ue_group *g)
{
    char type[MCX_MIME_TYPE_MAX];
    char headers[256];
    struct mcx_sip_publish params = {
        .uri = g->link.psi, .from = g->options->id, .event = "presence", .on_state = on_published, .arg = g
    };
    int n = snprintf(headers, sizeof headers, "P-Preferred-Service: %s\r\n", MCX_MCPTT_SERVICE);

    if (n < 0 || (size_t)n >= sizeof headers) {
        return MCX_E_SPACE;
    }
    MCX_TRY(publication_write(g, type, &params.content.body));
    params.content.content_type = type;
    params.content.headers = headers;
    return g->pub == NULL ? mcx_sip_pub_new(&g->pub, g->link.sip, &params)
                          : mcx_sip_pub_content(g->pub, &params.content);
}

void ue_group_sip_close(struct ue_group *g)
{
    if (g->pub != NULL) {
        mcx_sip_pub_end(g->pub);
        g->pub = NULL;
    }
}
