/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pre-established session: INVITE to the server's public service identity for it, and the control channel under the
 * CSK, on which calls come (MCPC Connect) and go (Disconnect). Who sent a message is told by the key alone.
 */
#include "preest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/preestablished.h>

#include "drops.h"
#include "io/addr.h"
#include "io/rtp_socket.h"

enum {
    AGAIN_MS = 5000, /* after the server has refused or ended it */
    SPEAK_MS = 100,  /* after the Acknowledgement: until then the server lets nothing pass */
    BURST = 16,
};

struct ue_preest {
    struct ue_phone *ph;
    struct mcx_rtp_socket *socket;
    struct mcx_watch watch;
    bool watched;
    bool wanted; /* it is to be there */
    struct mcx_sip_call *sip;
    bool established;
    struct mcx_privcall_session session;
    char address[UE_ADDRESS_MAX];
    struct sockaddr_storage server; /* other end of the control channel */
    uint64_t call;                  /* number of the call that uses it; 0 = none */
    /* the last Connect, without its SSRC, and what was said to it */
    uint8_t connect[MCX_RTP_SOCKET_MTU];
    size_t connect_len;
    enum mcx_mcpc_reason reason;
    struct ue_drops drops; /* control messages that are plain, not authentic, replayed, malformed */
    struct mcx_timer again, speak;
};

static bool json(const struct ue_preest *p)
{
    return p->ph->options->json;
}

/* ---- control messages out ---- */

static mcx_err acknowledge(struct ue_preest *p, enum mcx_mcpc_reason reason, bool again)
{
    struct mcx_channel *channel = ue_link_channel(&p->ph->link);
    struct mcx_control *control = channel != NULL ? mcx_channel_sender(channel) : NULL;
    struct mcx_mcpc_msg msg = { .type = MCX_MCPC_ACK, .present = 1u << MCX_PF_REASON, .reason = (uint16_t)reason };
    uint8_t plain[64];
    uint8_t sealed[128];
    struct mcx_wr wr = mcx_wr(plain, sizeof plain);
    struct mcx_wr out = mcx_wr(sealed, sizeof sealed);

    if (control == NULL) {
        return MCX_E_NOKEY;
    }
    msg.ssrc = mcx_control_ssrc(control);
    MCX_TRY(mcx_mcpc_write(&wr, &msg));
    MCX_TRY(mcx_control_protect(control, &out, mcx_wr_done(&wr)));
    ue_report(json(p), "acknowledged", NULL, "{s:i, s:b}", "reason", (int)reason, "again", (int)again);
    return mcx_rtp_socket_send(p->socket, MCX_RTP, (const struct sockaddr *)&p->server, mcx_addr_len(&p->server),
                               mcx_wr_done(&out));
}

static void on_speak(void *arg)
{
    const struct ue_preest *p = arg;

    ue_voice_mic(p->ph->voice, true);
}

mcx_err ue_preest_acknowledge(struct ue_preest *p, const struct mcx_privcall_action *a)
{
    p->reason = a->reason;
    if (a->reason == MCX_MCPC_ACCEPTED) {
        p->call = a->dialog;
        MCX_TRY(mcx_timer_start(&p->speak, SPEAK_MS, on_speak, p));
    }
    return acknowledge(p, a->reason, false);
}

/* ---- control messages in ---- */

static bool is_repeated(const struct ue_preest *p, struct mcx_bytes message)
{
    return p->connect_len != 0 && message.len - 8 == p->connect_len &&
           memcmp(message.p + 8, p->connect, p->connect_len) == 0;
}

/* One that was answered already gets the same answer, and costs no second decapsulation. */
static mcx_err take_connect(struct ue_preest *p, const struct mcx_mcpc_msg *msg, struct mcx_bytes message)
{
    struct ue_link *link = &p->ph->link;
    struct mcx_privcall_in in = { .event = MCX_PC_RX_CONNECT,
                                  .imessage = msg->imessage,
                                  .session = &p->session,
                                  .calling_user = msg->inviting_user };
    char claimed[MCX_PREEST_URI_MAX];

    if (is_repeated(p, message)) {
        return acknowledge(p, p->reason, true);
    }
    p->connect_len = message.len - 8;
    memcpy(p->connect, message.p + 8, p->connect_len);
    p->reason = MCX_MCPC_NOT_ACCEPTED;
    if (p->ph->finishing || msg->session_type != MCX_MCPC_PRIVATE ||
        mcx_bytes_cstr(claimed, sizeof claimed, msg->inviting_user) != MCX_OK) {
        return acknowledge(p, MCX_MCPC_NOT_ACCEPTED, false);
    }
    ue_report(json(p), "connect", NULL, "{s:s}", "claimed", claimed);
    if (mcx_privcall_state(p->ph->pc) == MCX_PC_IDLE) {
        p->ph->caller = false;
    }
    in.dialog = ++link->last_dialog;
    ue_phone_step(p->ph, &in);
    return MCX_OK;
}

static mcx_err take_disconnect(struct ue_preest *p)
{
    const struct mcx_privcall_in in = { .event = MCX_PC_RX_BYE, .dialog = p->call };

    MCX_TRY(acknowledge(p, MCX_MCPC_ACCEPTED, p->call == 0));
    mcx_timer_stop(&p->speak);
    p->call = 0;
    if (in.dialog != 0) {
        ue_phone_step(p->ph, &in);
    }
    return MCX_OK;
}

static mcx_err take_message(struct ue_preest *p, struct mcx_bytes message, struct mcx_refusal *why)
{
    struct mcx_mcpc_msg msg;

    MCX_TRY(mcx_mcpc_read(&msg, message, why));
    if (!p->established) {
        return mcx_refuse(why, MCX_E_STATE, "no session is established", "TS 24.380 9.2.2");
    }
    switch (msg.type) {
    case MCX_MCPC_CONNECT: return take_connect(p, &msg, message);
    case MCX_MCPC_DISCONNECT: return take_disconnect(p);
    default: return mcx_refuse(why, MCX_E_STATE, "a message that only a client sends", "TS 24.380 8.3.1");
    }
}

static void take_datagram(struct ue_preest *p, struct mcx_bytes datagram)
{
    struct mcx_rd rd = mcx_rd(datagram);
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    while (rd.len > 0 && err == MCX_OK) {
        struct mcx_channel *channel = ue_link_channel(&p->ph->link);
        uint8_t plain[MCX_RTP_SOCKET_MTU];
        struct mcx_wr wr = mcx_wr(plain, sizeof plain);

        err = channel != NULL ? mcx_channel_take(channel, &wr, &rd, &why)
                              : mcx_refuse(&why, MCX_E_NOKEY, "no CSK with the server", "TS 33.180 5.4");
        err = err == MCX_OK ? take_message(p, mcx_wr_done(&wr), &why) : err;
    }
    if (err != MCX_OK) {
        ue_drops_add(&p->drops, err, &why);
    }
}

static void on_readable(void *arg)
{
    struct ue_preest *p = arg;
    uint8_t buf[MCX_RTP_SOCKET_MTU];

    for (size_t i = 0; i < BURST; i++) {
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_rtp_socket_recv(p->socket, MCX_RTP, &wr, NULL);

        if (err == MCX_E_STATE) {
            return;
        }
        if (err == MCX_OK) {
            take_datagram(p, mcx_wr_done(&wr));
        } else if (err == MCX_E_SPACE) {
            ue_drops_add(&p->drops, err, &ue_drop_too_long);
        }
    }
}

/* ---- the session ---- */

static mcx_err session_read(struct ue_preest *p, const struct mcx_sip_msg *msg)
{
    struct mcx_bytes fmtp;
    struct mcx_mime mime;
    struct mcx_sdp sdp;
    size_t audio = 0;
    size_t control = 0;
    char host[UE_ADDRESS_MAX];

    MCX_TRY(mcx_sdp_read(&sdp, ue_sdp_of(msg, &mime), NULL));
    MCX_TRY(mcx_sdp_audio(&audio, &p->session.amrwb, &sdp, NULL));
    if (!mcx_sdp_floor(&control, &fmtp, &sdp)) {
        return MCX_E_UNSUP;
    }
    MCX_TRY(mcx_bytes_cstr(p->address, sizeof p->address, mcx_sdp_conn(&sdp, audio)->host));
    MCX_TRY(mcx_bytes_cstr(host, sizeof host, mcx_sdp_conn(&sdp, control)->host));
    p->session.address = p->address;
    p->session.port = sdp.media[audio].port;
    return mcx_addr_make(&p->server, host, sdp.media[control].port);
}

static void on_again(void *arg);

static void again_later(struct ue_preest *p, uint32_t ms)
{
    if (p->wanted && mcx_timer_start(&p->again, ms, on_again, p) != MCX_OK) {
        ue_complain("a timer cannot be started", MCX_E_NOMEM, NULL);
    }
}

static void on_answered(struct ue_preest *p, const struct mcx_sip_msg *msg)
{
    if (session_read(p, msg) != MCX_OK) {
        ue_complain("the server's answer for the pre-established session cannot be used", MCX_E_FORMAT, NULL);
        mcx_sip_call_hangup(p->sip, NULL);
        return;
    }
    p->established = true;
    ue_report(json(p), "preestablished", "Calls can reach you over a session that is set up already", "{s:i}",
              "control_port", (int)ue_preest_control_port(p));
    ue_phone_ready(p->ph);
}

/* A call in it ends with it (TS 24.379 8.4.1). */
static void on_closed(struct ue_preest *p, const struct mcx_sip_call_event *ev)
{
    const struct mcx_privcall_in bye = { .event = MCX_PC_RX_BYE, .dialog = p->call };
    bool by_us = ev->why == MCX_SIP_BY_US && p->established;

    p->sip = NULL;
    ue_report(json(p), p->established ? "preestablished-ended" : "preestablished-refused", NULL, "{s:i, s:i, s:I}",
              "code", ev->msg != NULL ? (int)ev->msg->code : 0, "warning",
              ev->msg != NULL ? (int)ue_warning_of(ev->msg) : 0, "dropped", (json_int_t)ue_drops_total(&p->drops));
    ue_drops_tell(&p->drops);
    p->established = false;
    p->call = 0;
    p->connect_len = 0;
    mcx_timer_stop(&p->speak);
    again_later(p, by_us ? 0 : AGAIN_MS);
    if (bye.dialog != 0) {
        ue_phone_step(p->ph, &bye);
    }
}

static void on_sip(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct ue_preest *p = arg;

    switch (ev->event) {
    case MCX_SIP_ANSWERED: on_answered(p, ev->msg); break;
    case MCX_SIP_OFFER: /* what was agreed on stays */
        (void)!mcx_sip_call_reject(call, 488, "Not Acceptable Here", NULL);
        break;
    case MCX_SIP_CLOSED: on_closed(p, ev); break;
    default: break;
    }
}

static mcx_err offer_write(struct ue_preest *p, struct mcx_wr *out)
{
    uint64_t id = mcx_ntp_from_unix_ms(mcx_clock_unix_ms()).sec;
    const struct mcx_sdp_params params = { .session_id = id,
                                           .session_version = id,
                                           .address = p->ph->link.local_address,
                                           .audio_port = ue_voice_audio_port(p->ph->voice),
                                           .amrwb = { .payload_type = AMRWB_PAYLOAD_TYPE, .mode_set = 0x1ff },
                                           .floor_port = ue_preest_control_port(p) };

    return mcx_sdp_offer_write(out, &params);
}

/* The service identity for sessions, at the host of the one for calls ("preest-psi"). */
static mcx_err uri_write(char out[UE_URI_MAX], const struct ue_link *link)
{
    const char *host = strchr(link->psi, '@');
    int n = host != NULL ? snprintf(out, UE_URI_MAX, "sip:" MCX_PREEST_PSI_USER "%s", host) : -1;

    return n < 0 || n >= UE_URI_MAX ? MCX_E_SPACE : MCX_OK;
}

static mcx_err set_up(struct ue_preest *p)
{
    struct ue_link *link = &p->ph->link;
    struct mcx_wr sdp = mcx_wr(link->body, sizeof link->body);
    char uri[UE_URI_MAX];
    char headers[1024];
    struct mcx_sip_invite invite = {
        .uri = uri, .from = p->ph->options->id, .session_expires = SESSION_EXPIRES_S, .handler = on_sip, .arg = p
    };
    int n = snprintf(headers, sizeof headers, "%sP-Preferred-Service: %s\r\nP-Preferred-Identity: <%s>\r\n",
                     MCX_MCPTT_ACCEPT_CONTACT, MCX_MCPTT_SERVICE, p->ph->options->id);

    if (n < 0 || (size_t)n >= sizeof headers) {
        return MCX_E_SPACE;
    }
    MCX_TRY(uri_write(uri, link));
    MCX_TRY(offer_write(p, &sdp));
    invite.content = (struct mcx_sip_content){ .headers = headers,
                                               .contact_params = MCX_MCPTT_CONTACT_PARAMS,
                                               .content_type = MCX_TYPE_SDP,
                                               .body = mcx_wr_done(&sdp) };
    return mcx_sip_call_new(&p->sip, link->sip, &invite);
}

static void on_again(void *arg)
{
    struct ue_preest *p = arg;
    mcx_err err = set_up(p);

    if (err != MCX_OK) {
        ue_complain("the pre-established session cannot be asked for", err, NULL);
        again_later(p, AGAIN_MS);
    }
}

void ue_preest_start(struct ue_preest *p)
{
    p->wanted = true;
    on_again(p);
}

void ue_preest_end(struct ue_preest *p)
{
    p->wanted = false;
    mcx_timer_stop(&p->again);
    if (p->sip != NULL) {
        mcx_sip_call_hangup(p->sip, NULL);
    }
}

/* 11.1.3.1.2 has REFER with method=BYE; a BYE of the session ends session and call ("preest-leave"). */
bool ue_preest_leave(struct ue_preest *p, uint64_t dialog)
{
    if (p->call == 0 || p->call != dialog) {
        return false;
    }
    p->call = 0;
    if (p->sip != NULL) {
        mcx_sip_call_hangup(p->sip, NULL);
    }
    return true;
}

uint16_t ue_preest_control_port(const struct ue_preest *p)
{
    return mcx_rtp_socket_port(p->socket, MCX_RTP);
}

/* ---- life ---- */

mcx_err ue_preest_new(struct ue_preest **out, struct ue_phone *ph)
{
    struct ue_preest *p = calloc(1, sizeof *p);
    mcx_err err = MCX_OK;

    if (p == NULL) {
        return MCX_E_NOMEM;
    }
    p->ph = ph;
    p->drops = ue_drops("control", ph->options->json);
    MCX_GO(err, mcx_rtp_socket_open(&p->socket, ph->link.local_address, 0, 0));
    p->watch = (struct mcx_watch){ mcx_rtp_socket_fd(p->socket, MCX_RTP), on_readable, p };
    MCX_GO(err, mcx_loop_watch(&p->watch));
    p->watched = true;
    *out = p;
    return MCX_OK;
out:
    ue_preest_free(p);
    return err;
}

void ue_preest_free(struct ue_preest *p)
{
    if (p == NULL) {
        return;
    }
    mcx_timer_clear(&p->again);
    mcx_timer_clear(&p->speak);
    if (p->watched) {
        mcx_loop_unwatch(&p->watch);
    }
    if (p->socket != NULL) {
        mcx_rtp_socket_close(p->socket);
    }
    free(p);
}
