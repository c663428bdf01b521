/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the phone: what TS 24.379 11.1.1.2.1 puts into them, and what is read from them. */
#define _GNU_SOURCE
#include "phone.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/file.h"

#define SESSION_EXPIRES_S 1800
#define WARNING_MAX       256

/* ---- where the server is ---- */

/* The parts of sip:HOST:PORT;transport=T that are needed here. */
struct server {
    char host[256];
    char port[8];
    enum mcx_sip_transport transport;
};

static mcx_err server_read(struct server *out, const char *uri)
{
    struct server s = { .port = "5060", .transport = MCX_SIP_UDP };
    const char *host = strncmp(uri, "sip:", 4) == 0 ? uri + 4 : NULL;
    size_t host_len = 0;
    const char *rest = NULL;

    if (host == NULL) {
        return MCX_E_FORMAT;
    }
    host_len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":;?");
    rest = host + host_len;
    if (host[0] == '[') {
        MCX_TRY(mcx_bytes_cstr(s.host, sizeof s.host, mcx_bytes(host + 1, host_len - 2)));
    } else {
        MCX_TRY(mcx_bytes_cstr(s.host, sizeof s.host, mcx_bytes(host, host_len)));
    }
    if (rest[0] == ':') {
        MCX_TRY(mcx_bytes_cstr(s.port, sizeof s.port, mcx_bytes(rest + 1, strspn(rest + 1, "0123456789"))));
    }
    if (strstr(rest, ";transport=tls") != NULL) {
        s.transport = MCX_SIP_TLS;
    } else if (strstr(rest, ";transport=tcp") != NULL) {
        s.transport = MCX_SIP_TCP;
    }
    *out = s;
    return s.host[0] == '\0' ? MCX_E_FORMAT : MCX_OK;
}

/* The address that the kernel would take towards the server. */
static mcx_err address_towards(char *out, size_t cap, const struct server *server)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
    struct addrinfo *found = NULL;
    struct sockaddr_storage own;
    socklen_t own_len = sizeof own;
    mcx_err err = MCX_E_IO;
    int fd = -1;

    if (getaddrinfo(server->host, server->port, &hints, &found) != 0) {
        return MCX_E_IO;
    }
    fd = socket(found->ai_family, SOCK_DGRAM, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
        getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 &&
        getnameinfo((struct sockaddr *)&own, own_len, out, (socklen_t)cap, NULL, 0, NI_NUMERICHOST) == 0) {
        err = MCX_OK;
    }
    if (fd >= 0) {
        close(fd);
    }
    freeaddrinfo(found);
    return err;
}

mcx_err ue_local_address(char *out, size_t cap, const struct ue_options *options, struct mcx_refusal *why)
{
    struct server server;

    if (server_read(&server, options->server) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "--server is not sip:HOST:PORT;transport=tcp", "");
    }
    if (options->bind != NULL) {
        return mcx_bytes_cstr(out, cap, mcx_bytes_str(options->bind));
    }
    if (address_towards(out, cap, &server) != MCX_OK) {
        return mcx_refuse(why, MCX_E_IO, "the server cannot be reached from here; try --bind", "");
    }
    return MCX_OK;
}

/* ---- legs ---- */

static struct ue_leg *leg_new(struct ue_phone *ph, uint64_t dialog)
{
    struct ue_leg *leg = calloc(1, sizeof *leg);

    if (leg != NULL) {
        leg->phone = ph;
        leg->dialog = dialog;
        leg->next = ph->legs;
        ph->legs = leg;
    }
    return leg;
}

static struct ue_leg *leg_find(struct ue_phone *ph, uint64_t dialog)
{
    struct ue_leg *leg = ph->legs;

    while (leg != NULL && leg->dialog != dialog) {
        leg = leg->next;
    }
    return leg;
}

static void leg_free(struct ue_leg *leg)
{
    struct ue_leg **at = &leg->phone->legs;

    while (*at != leg) {
        at = &(*at)->next;
    }
    *at = leg->next;
    free(leg);
}

/* ---- received ---- */

unsigned ue_warning_of(const struct mcx_sip_msg *msg)
{
    struct mcx_bytes value = { 0 };

    for (size_t n = 0; mcx_sip_header(msg, "Warning", n, &value); n++) {
        struct mcx_bytes text = { 0 };
        unsigned code = 0;

        if (mcx_warning_read(&code, &text, value) == MCX_OK && code != 0) {
            return code;
        }
    }
    return 0;
}

/* View of the SDP in a body; empty when there is none, which the machine refuses. */
static struct mcx_bytes sdp_of(const struct mcx_sip_msg *msg, struct mcx_mime *mime)
{
    const struct mcx_mime_part *part = NULL;

    if (mcx_mime_read(mime, msg->content_type, msg->body, NULL) != MCX_OK) {
        mime->num = 0;
        return mcx_bytes(NULL, 0);
    }
    part = mcx_mime_find(mime, MCX_TYPE_SDP);
    return part == NULL ? mcx_bytes(NULL, 0) : part->body;
}

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
    struct ue_phone *ph = leg->phone;
    struct mcx_privcall_in in = { .event = MCX_PC_RX_LOST, .dialog = leg->dialog };

    leg_free(leg);
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
    struct mcx_privcall_in in = { .dialog = leg->dialog };
    struct mcx_mime mime;

    switch (ev->event) {
    case MCX_SIP_PROGRESS:
        in.event = MCX_PC_RX_PROGRESS;
        in.code = ev->msg->code;
        break;
    case MCX_SIP_ANSWERED:
        in.event = MCX_PC_RX_OK;
        in.sdp = sdp_of(ev->msg, &mime);
        break;
    case MCX_SIP_ACKED: ue_voice_play(leg->phone->voice); return;
    case MCX_SIP_OFFER: /* media of a running call are not changed */
        (void)!mcx_sip_call_reject(call, 488, "Not Acceptable Here", NULL);
        return;
    case MCX_SIP_CLOSED: on_closed(leg, ev); return;
    }
    ue_phone_step(leg->phone, &in);
}

static void on_invite(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg)
{
    struct ue_phone *ph = arg;
    struct ue_leg *leg = leg_new(ph, ++ph->last_dialog);
    const struct mcx_mime_part *part = NULL;
    struct mcx_mcptt_info info = { 0 };
    struct mcx_mime mime;
    struct mcx_privcall_in in = { .event = MCX_PC_RX_INVITE, .dialog = ph->last_dialog };

    if (leg == NULL || ph->finishing) {
        return; /* the layer answers 480 */
    }
    leg->call = call;
    mcx_sip_call_handler(call, on_call, leg);
    in.sdp = sdp_of(msg, &mime);
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
    struct mcx_wr wr = mcx_wr(ph->body, sizeof ph->body);
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
        .uri = ph->psi, .from = ph->options->id, .session_expires = SESSION_EXPIRES_S, .handler = on_call
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
    leg = leg_new(ph, a->dialog);
    if (leg == NULL) {
        return MCX_E_NOMEM;
    }
    invite.arg = leg;
    if (mcx_sip_call_new(&leg->call, ph->sip, &invite) != MCX_OK) {
        leg_free(leg);
        return MCX_E_IO;
    }
    return MCX_OK;
}

mcx_err ue_send_ringing(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = leg_find(ph, a->dialog);
    struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS };

    return leg == NULL ? MCX_E_STATE : mcx_sip_call_progress(leg->call, 180, "Ringing", &content);
}

mcx_err ue_send_ok(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = leg_find(ph, a->dialog);
    struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS,
                                       .content_type = MCX_TYPE_SDP,
                                       .body = a->sdp };

    return leg == NULL ? MCX_E_STATE : mcx_sip_call_answer(leg->call, &content);
}

mcx_err ue_send_refusal(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = leg_find(ph, a->dialog);
    struct mcx_sip_content content = { 0 };
    char warning[WARNING_MAX];

    if (leg == NULL) {
        return MCX_E_STATE;
    }
    if (a->warning != MCX_WARN_NONE) {
        MCX_TRY(mcx_warning_write(warning, sizeof warning, ph->local_address, a->warning, NULL));
        content.headers = warning;
    }
    return mcx_sip_call_reject(leg->call, a->code, a->phrase, &content);
}

void ue_send_hangup(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_leg *leg = leg_find(ph, a->dialog);

    if (leg != NULL) {
        mcx_sip_call_hangup(leg->call, NULL);
    }
}

/* ---- start, registration, stop ---- */

/* Identity without "sip:" up to '@': the user part of our Contact. */
static mcx_err user_part(char *out, size_t cap, const char *id)
{
    const char *user = strncmp(id, "sip:", 4) == 0 ? id + 4 : id;

    return mcx_bytes_cstr(out, cap, mcx_bytes(user, strcspn(user, "@:;")));
}

static mcx_err uris_make(struct ue_phone *ph, const struct server *server)
{
    const char *domain = strchr(ph->options->id, '@');
    const char *open = strchr(server->host, ':') != NULL ? "[" : "";
    const char *close_bracket = open[0] == '\0' ? "" : "]";
    int n = ph->options->psi != NULL
                ? snprintf(ph->psi, sizeof ph->psi, "%s", ph->options->psi)
                : snprintf(ph->psi, sizeof ph->psi, "sip:mcptt@%s%s%s", open, server->host, close_bracket);
    int m = domain != NULL
                ? snprintf(ph->registrar, sizeof ph->registrar, "sip:%s", domain + 1)
                : snprintf(ph->registrar, sizeof ph->registrar, "sip:%s%s%s", open, server->host, close_bracket);

    return n < 0 || m < 0 || (size_t)n >= sizeof ph->psi || (size_t)m >= sizeof ph->registrar ? MCX_E_SPACE : MCX_OK;
}

mcx_err ue_sip_start(struct ue_phone *ph, struct mcx_refusal *why)
{
    struct server server;
    char user[256];
    struct mcx_sip_config config = {
        .agent = "mcx-ue/" MCX_VERSION,
        .user = user,
        .num_listen = 1,
        .outbound = ph->options->server,
        .tls_ca = ph->options->ca,
        .on_invite = on_invite,
        .arg = ph,
    };

    MCX_TRY(server_read(&server, ph->options->server));
    MCX_TRY(user_part(user, sizeof user, ph->options->id));
    MCX_TRY(uris_make(ph, &server));
    if (server.transport == MCX_SIP_TLS && ph->options->ca == NULL) {
        return mcx_refuse(why, MCX_E_POLICY, "transport=tls needs --ca FILE: who vouches for the server", "");
    }
    config.listen[0] = (struct mcx_sip_listen){ server.transport, ph->local_address, 0 };
    return mcx_sip_new(&ph->sip, &config, why);
}

/* mcptt-info with the access token, for service authorisation (TS 24.379 7.2). */
static mcx_err token_body(struct ue_phone *ph, struct mcx_bytes *body)
{
    struct mcx_mcptt_info info = { 0 };
    struct mcx_wr wr = mcx_wr(ph->body, sizeof ph->body);
    struct mcx_file file = { 0 };
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_file_read(&file, ph->options->token, sizeof info.access_token, true));
    MCX_GO(err,
           mcx_bytes_cstr(info.access_token, sizeof info.access_token, mcx_bytes_trim(mcx_bytes(file.p, file.len))));
    MCX_GO(err, mcx_mcptt_info_write(&wr, &info));
    *body = mcx_wr_done(&wr);
out:
    mcx_mcptt_info_clear(&info);
    mcx_file_clear(&file);
    return err;
}

mcx_err ue_sip_register(struct ue_phone *ph, void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *msg))
{
    struct mcx_sip_register params = {
        .registrar = ph->registrar, .aor = ph->options->id, .on_state = on_state, .arg = ph
    };
    mcx_err err = MCX_OK;

    params.content.contact_params = MCX_MCPTT_CONTACT_PARAMS;
    if (ph->options->token != NULL) {
        MCX_TRY(token_body(ph, &params.content.body));
        params.content.content_type = MCX_TYPE_MCPTT_INFO;
    }
    err = mcx_sip_reg_new(&ph->reg, ph->sip, &params);
    mcx_wipe(ph->body, sizeof ph->body);
    return err;
}

void ue_sip_stop(struct ue_phone *ph)
{
    mcx_sip_free(ph->sip);
    while (ph->legs != NULL) {
        leg_free(ph->legs);
    }
}
