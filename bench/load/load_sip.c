/* SPDX-License-Identifier: Apache-2.0 */
/* Signalling of the load program: one SIP stack and one connection for all clients, as an edge proxy would have it. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/mcptt.h>
#include <mcx/sdp.h>

#define SESSION_EXPIRES_S 1800

static const char *domain_of(const struct load_client *c)
{
    return c->load->options.domain;
}

/* ---- bodies ---- */

static struct mcx_sdp_params sdp_params(const struct load_client *c, const char *fmtp)
{
    return (struct mcx_sdp_params){
        .session_id = 1000 + c->number,
        .session_version = 1,
        .address = c->load->host,
        .audio_port = c->rtp_port,
        .amrwb = { .payload_type = 97, .mode_set = 0x1ff },
        .floor_port = c->floor_port,
        .floor_fmtp = fmtp,
    };
}

static struct mcx_bytes sdp_of(const struct mcx_sip_msg *msg, struct mcx_mime *mime)
{
    const struct mcx_mime_part *part = NULL;

    if (mcx_mime_read(mime, msg->content_type, msg->body, NULL) == MCX_OK) {
        part = mcx_mime_find(mime, MCX_TYPE_SDP);
    }
    return part != NULL ? part->body : mcx_bytes(NULL, 0);
}

/* Where the server takes the speaker's media and floor messages. */
static mcx_err note_server_ports(struct load *load, const struct mcx_sip_msg *msg)
{
    struct mcx_sdp_amrwb amrwb;
    struct mcx_bytes fmtp;
    struct mcx_sdp sdp;
    struct mcx_mime mime;
    size_t audio = 0, floor = 0;

    MCX_TRY(mcx_sdp_read(&sdp, sdp_of(msg, &mime), NULL));
    MCX_TRY(mcx_sdp_audio(&audio, &amrwb, &sdp, NULL));
    if (!mcx_sdp_floor(&floor, &fmtp, &sdp)) {
        return MCX_E_UNSUP;
    }
    load->server_rtp = sdp.media[audio].port;
    load->server_floor = sdp.media[floor].port;
    return MCX_OK;
}

/* mcptt-info of a call or of an affiliation. */
static mcx_err info_write(struct mcx_wr *wr, const struct load_client *c, enum mcx_mcptt_session session)
{
    struct mcx_mcptt_info info = { .session = session };
    char client_id[64];

    snprintf(client_id, sizeof client_id, "urn:uuid:00000000-0000-4000-8000-%012u", c->number);
    MCX_TRY(mcx_mcptt_set(&info.client_id, MCX_MCPTT_STRING, mcx_bytes_str(client_id)));
    MCX_TRY(mcx_mcptt_set(&info.request_uri, MCX_MCPTT_URI,
                          mcx_bytes_str(session != MCX_SESSION_UNSET ? c->load->options.group : c->uri)));
    return mcx_mcptt_info_write(wr, &info);
}

static mcx_err write_headers(char *out, size_t cap, const struct load_client *c, const char *more)
{
    int n = snprintf(out, cap, "%sP-Preferred-Service: %s\r\nP-Preferred-Identity: <%s>\r\n%s",
                     MCX_MCPTT_ACCEPT_CONTACT, MCX_MCPTT_SERVICE, c->uri, more);

    return n < 0 || (size_t)n >= cap ? MCX_E_SPACE : MCX_OK;
}

/* ---- registration and affiliation ---- */

static void on_registered(void *arg, uint16_t code, const struct mcx_sip_msg *msg)
{
    struct load_client *c = arg;

    (void)msg;
    if (c->state != LOAD_REGISTERING) {
        return; /* a renewal */
    }
    if (c->channel != NULL && mcx_channel_answered(c->channel, code) != MCX_CHANNEL_TAKEN) {
        code = code == 200 ? 0 : code;
    }
    if (code == 200) {
        load_reached(c, LOAD_REGISTERED);
    } else {
        load_retry(c, LOAD_NEW, "REGISTER", code);
    }
}

mcx_err load_register(struct load_client *c)
{
    char registrar[LOAD_URI_MAX], type[MCX_MIME_TYPE_MAX];
    uint8_t csk[4096], body[8192];
    struct mcx_wr csk_wr = mcx_wr(csk, sizeof csk), wr = mcx_wr(body, sizeof body);
    struct mcx_mime mime = { .num = 1 };
    struct mcx_sip_register params = { .registrar = registrar, .aor = c->uri, .on_state = on_registered, .arg = c };

    snprintf(registrar, sizeof registrar, "sip:%s", domain_of(c));
    params.content.contact_params = MCX_MCPTT_CONTACT_PARAMS;
    if (c->load->keys != NULL) { /* TS 33.180 5.4 */
        MCX_TRY(load_keys_csk(c, &csk_wr));
        mime.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MIKEY), .body = mcx_wr_done(&csk_wr) };
        MCX_TRY(mcx_mime_write(&wr, type, &mime));
        params.content.content_type = type;
        params.content.body = mcx_wr_done(&wr);
    }
    c->state = LOAD_REGISTERING;
    if (c->reg != NULL) {
        mcx_sip_reg_end(c->reg, NULL, NULL);
        c->reg = NULL;
    }
    return mcx_sip_reg_new(&c->reg, c->load->sip, &params);
}

static void on_published(void *arg, const struct mcx_sip_msg *msg)
{
    struct load_client *c = arg;

    if (msg != NULL && msg->code == 200) {
        load_reached(c, LOAD_AFFILIATED);
    } else {
        load_retry(c, LOAD_REGISTERED, "PUBLISH", msg != NULL ? msg->code : 0);
    }
}

/* TS 24.379 9.2.1.2 */
mcx_err load_publish(struct load_client *c)
{
    struct mcx_affiliation *a = calloc(1, sizeof *a);
    uint8_t pidf[4096], info[4096], body[8192];
    struct mcx_wr pidf_wr = mcx_wr(pidf, sizeof pidf), info_wr = mcx_wr(info, sizeof info);
    struct mcx_wr wr = mcx_wr(body, sizeof body);
    struct mcx_mime mime = { .num = 2 };
    char type[MCX_MIME_TYPE_MAX], psi[LOAD_URI_MAX], headers[1024];
    struct mcx_sip_request request = {
        .method = "PUBLISH", .uri = psi, .from = c->uri, .done = on_published, .arg = c
    };
    mcx_err err = MCX_OK;

    if (a == NULL) {
        return MCX_E_NOMEM;
    }
    a->num_groups = 1;
    snprintf(psi, sizeof psi, "sip:mcptt@%s", c->load->host);
    snprintf(a->mcptt_id, sizeof a->mcptt_id, "%s", c->uri);
    snprintf(a->client_id, sizeof a->client_id, "urn:uuid:00000000-0000-4000-8000-%012u", c->number);
    snprintf(a->p_id, sizeof a->p_id, "p%u", c->number);
    snprintf(a->group[0].group, sizeof a->group[0].group, "%s", c->load->options.group);
    MCX_GO(err, mcx_affiliation_write(&pidf_wr, a));
    MCX_GO(err, info_write(&info_wr, c, MCX_SESSION_UNSET));
    mime.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_wr_done(&info_wr) };
    mime.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_PIDF), .body = mcx_wr_done(&pidf_wr) };
    MCX_GO(err, mcx_mime_write(&wr, type, &mime));
    MCX_GO(err, write_headers(headers, sizeof headers, c, "Event: presence\r\nExpires: 3600\r\n"));
    request.content.headers = headers;
    request.content.content_type = type;
    request.content.body = mcx_wr_done(&wr);
    c->state = LOAD_PUBLISHING;
    err = mcx_sip_send(c->load->sip, &request);
out:
    free(a);
    return err;
}

/* ---- calls ---- */

static void on_call(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct load_client *c = arg;

    switch (ev->event) {
    case MCX_SIP_PROGRESS:
    case MCX_SIP_CHANGED:
    case MCX_SIP_UNCHANGED: return; /* we change nothing in a call */
    case MCX_SIP_ANSWERED:
        if (c->number == 0 && note_server_ports(c->load, ev->msg) != MCX_OK) {
            load_fail(c->load, "the server's answer has no media or no floor control");
            return;
        }
        load_reached(c, LOAD_IN_CALL);
        return;
    case MCX_SIP_ACKED: load_reached(c, LOAD_IN_CALL); return;
    case MCX_SIP_OFFER: (void)!mcx_sip_call_reject(call, 488, "Not Acceptable Here", NULL); return;
    case MCX_SIP_CLOSED:
        c->call = NULL;
        if (c->state == LOAD_CALLING && (c->number == 0 || c->load->options.chat)) {
            load_retry(c, LOAD_AFFILIATED, "INVITE", ev->msg != NULL ? ev->msg->code : 0);
        } else if (c->load->phase < LOAD_LEAVE) {
            load_fail(c->load, "a client was put out of the call");
        }
        return;
    }
}

mcx_err load_invite(struct load_client *c)
{
    struct mcx_sdp_params params = sdp_params(c, "mc_queueing;mc_priority=5");
    uint8_t sdp[4096], info[4096], body[8192];
    struct mcx_wr sdp_wr = mcx_wr(sdp, sizeof sdp), info_wr = mcx_wr(info, sizeof info);
    struct mcx_wr wr = mcx_wr(body, sizeof body);
    struct mcx_mime mime = { .num = 2 };
    char type[MCX_MIME_TYPE_MAX], psi[LOAD_URI_MAX], headers[1024];
    struct mcx_sip_invite invite = { .uri = psi, .from = c->uri, .handler = on_call, .arg = c };

    snprintf(psi, sizeof psi, "sip:mcptt@%s", c->load->host);
    MCX_TRY(mcx_sdp_offer_write(&sdp_wr, &params));
    MCX_TRY(info_write(&info_wr, c, c->load->options.chat ? MCX_SESSION_CHAT : MCX_SESSION_PREARRANGED));
    mime.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_SDP), .body = mcx_wr_done(&sdp_wr) };
    mime.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_wr_done(&info_wr) };
    MCX_TRY(mcx_mime_write(&wr, type, &mime));
    MCX_TRY(write_headers(headers, sizeof headers, c, "Answer-Mode: Auto\r\n"));
    invite.session_expires = SESSION_EXPIRES_S;
    invite.content = (struct mcx_sip_content){
        .headers = headers, .contact_params = MCX_MCPTT_CONTACT_PARAMS, .content_type = type, .body = mcx_wr_done(&wr)
    };
    c->state = LOAD_CALLING;
    return mcx_sip_call_new(&c->call, c->load->sip, &invite);
}

/* sip:uN@... */
static struct load_client *client_of(struct load *load, struct mcx_bytes uri)
{
    char text[LOAD_URI_MAX];
    unsigned n = 0;

    if (mcx_bytes_cstr(text, sizeof text, uri) != MCX_OK || sscanf(text, "sip:u%u@", &n) != 1 ||
        n >= load->num_clients) {
        return NULL;
    }
    return &load->clients[n];
}

static mcx_err answer_write(struct mcx_wr *wr, const struct load_client *c, const struct mcx_sip_msg *msg)
{
    struct mcx_sdp_params params = sdp_params(c, "mc_queueing");
    struct mcx_sdp offer;
    struct mcx_mime mime;
    size_t audio = 0;

    MCX_TRY(mcx_sdp_read(&offer, sdp_of(msg, &mime), NULL));
    MCX_TRY(mcx_sdp_audio(&audio, &params.amrwb, &offer, NULL));
    return mcx_sdp_answer_write(wr, &offer, &params);
}

static void on_invite(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg)
{
    struct load *load = arg;
    struct load_client *c = client_of(load, msg->to);
    uint8_t sdp[4096];
    struct mcx_wr wr = mcx_wr(sdp, sizeof sdp);
    struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS, .content_type = MCX_TYPE_SDP };

    if (c == NULL || c->call != NULL || answer_write(&wr, c, msg) != MCX_OK) {
        load_fail(load, "an INVITE of the server cannot be answered");
        return; /* 480 */
    }
    c->call = call;
    c->state = LOAD_CALLING;
    mcx_sip_call_handler(call, on_call, c);
    content.body = mcx_wr_done(&wr);
    if (mcx_sip_call_answer(call, &content) != MCX_OK) {
        load_fail(load, "an INVITE cannot be answered");
    }
}

mcx_err load_sip_start(struct load *load, struct mcx_refusal *why)
{
    struct mcx_sip_config config = {
        .agent = "mcx-group-load",
        .user = "load",
        .num_listen = 1,
        .outbound = load->options.server,
        .on_invite = on_invite,
        .arg = load,
    };

    config.listen[0] = (struct mcx_sip_listen){ MCX_SIP_TCP, load->host, 0 };
    return mcx_sip_new(&load->sip, &config, why);
}
