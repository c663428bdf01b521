/* SPDX-License-Identifier: Apache-2.0 */
/* The line to the MCPTT server: where it is, registration, dialogs (TS 24.379 7.2). */
#define _GNU_SOURCE
#include "csk.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/file.h"

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

mcx_err ue_link_address(struct ue_link *link, struct mcx_refusal *why)
{
    const struct ue_options *options = link->options;
    char *out = link->local_address;
    size_t cap = sizeof link->local_address;
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

struct ue_leg *ue_leg_new(struct ue_link *link, uint64_t dialog)
{
    struct ue_leg *leg = calloc(1, sizeof *leg);

    if (leg != NULL) {
        leg->link = link;
        leg->dialog = dialog;
        leg->next = link->legs;
        link->legs = leg;
    }
    return leg;
}

struct ue_leg *ue_leg_find(struct ue_link *link, uint64_t dialog)
{
    struct ue_leg *leg = link->legs;

    while (leg != NULL && leg->dialog != dialog) {
        leg = leg->next;
    }
    return leg;
}

void ue_leg_free(struct ue_leg *leg)
{
    struct ue_leg **at = &leg->link->legs;

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

struct mcx_bytes ue_sdp_of(const struct mcx_sip_msg *msg, struct mcx_mime *mime)
{
    const struct mcx_mime_part *part = NULL;

    if (mcx_mime_read(mime, msg->content_type, msg->body, NULL) != MCX_OK) {
        mime->num = 0;
        return mcx_bytes(NULL, 0);
    }
    part = mcx_mime_find(mime, MCX_TYPE_SDP);
    return part == NULL ? mcx_bytes(NULL, 0) : part->body;
}

void ue_registration_refused(const struct ue_link *link, uint16_t code, const struct mcx_sip_msg *response)
{
    unsigned warning = response == NULL ? 0 : ue_warning_of(response);

    ue_report(link->options->json, "refused",
              code == 0 ? "The server does not answer: is its address right, and does it run"
              : warning == MCX_WARN_SERVICE_AUTHORISATION
                  ? "The server does not let you use the service: is your token still good, and for this identity"
                  : "The server refused the registration",
              "{s:s, s:s, s:s, s:s, s:i, s:i}", "peer", link->options->server, "cause", "registration", "reason", "",
              "clause", "TS 24.379 7.2", "code", (int)code, "warning", (int)warning);
}

/* ---- start, registration, stop ---- */

/* Identity without "sip:" up to '@': the user part of our Contact. */
static mcx_err user_part(char *out, size_t cap, const char *id)
{
    const char *user = strncmp(id, "sip:", 4) == 0 ? id + 4 : id;

    return mcx_bytes_cstr(out, cap, mcx_bytes(user, strcspn(user, "@:;")));
}

static mcx_err uris_make(struct ue_link *link, const struct server *server)
{
    const char *domain = strchr(link->options->id, '@');
    const char *open = strchr(server->host, ':') != NULL ? "[" : "";
    const char *close_bracket = open[0] == '\0' ? "" : "]";
    int n = link->options->psi != NULL
                ? snprintf(link->psi, sizeof link->psi, "%s", link->options->psi)
                : snprintf(link->psi, sizeof link->psi, "sip:mcptt@%s%s%s", open, server->host, close_bracket);
    int m = domain != NULL
                ? snprintf(link->registrar, sizeof link->registrar, "sip:%s", domain + 1)
                : snprintf(link->registrar, sizeof link->registrar, "sip:%s%s%s", open, server->host, close_bracket);

    return n < 0 || m < 0 || (size_t)n >= sizeof link->psi || (size_t)m >= sizeof link->registrar ? MCX_E_SPACE
                                                                                                  : MCX_OK;
}

static bool on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    const struct ue_link *link = arg;

    return link->csk != NULL && ue_csk_request(link->csk, sip, msg);
}

mcx_err ue_link_open(struct ue_link *link,
                     void (*on_invite)(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg),
                     struct mcx_refusal *why)
{
    struct server server;
    char user[256];
    struct mcx_sip_config config = {
        .agent = "mcx-ue/" MCX_VERSION,
        .user = user,
        .num_listen = 1,
        .outbound = link->options->server,
        .tls_ca = link->options->ca,
        .on_invite = on_invite,
        .on_request = on_request,
        .arg = link,
    };

    MCX_TRY(server_read(&server, link->options->server));
    if (link->options->server_id != NULL) {
        if (link->keys == NULL) {
            return MCX_E_BUG;
        }
        MCX_TRY(ue_csk_new(&link->csk, link));
    }
    MCX_TRY(user_part(user, sizeof user, link->options->id));
    MCX_TRY(uris_make(link, &server));
    if (server.transport == MCX_SIP_TLS && link->options->ca == NULL) {
        return mcx_refuse(why, MCX_E_POLICY, "transport=tls needs --ca FILE: who vouches for the server", "");
    }
    config.listen[0] = (struct mcx_sip_listen){ server.transport, link->local_address, 0 };
    return mcx_sip_new(&link->sip, &config, why);
}

struct register_parts {
    uint8_t info[MCX_MCPTT_TOKEN_MAX + 512];
    uint8_t csk[UE_CSK_MAX];
    char type[MCX_MIME_TYPE_MAX];
};

/* mcptt-info with the access token, for service authorisation (TS 24.379 7.2). */
static mcx_err token_body(const struct ue_link *link, struct register_parts *parts, struct mcx_bytes *body)
{
    struct mcx_mcptt_info info = { 0 };
    struct mcx_wr wr = mcx_wr(parts->info, sizeof parts->info);
    struct mcx_file file = { 0 };
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_file_read(&file, link->options->token, sizeof info.access_token, true));
    MCX_GO(err,
           mcx_bytes_cstr(info.access_token, sizeof info.access_token, mcx_bytes_trim(mcx_bytes(file.p, file.len))));
    MCX_GO(err, mcx_mcptt_info_write(&wr, &info));
    *body = mcx_wr_done(&wr);
out:
    mcx_mcptt_info_clear(&info);
    mcx_file_clear(&file);
    return err;
}

/* Access token and, on request, a new CSK (TS 33.180 5.4, 9.2.1.3). What it points to is wiped by the caller. */
static mcx_err register_content(struct mcx_sip_content *out, struct ue_link *link, struct register_parts *parts,
                                bool with_csk, struct mcx_refusal *why)
{
    struct mcx_mime mime = { .num = 0 };
    struct mcx_wr csk = mcx_wr(parts->csk, sizeof parts->csk);
    struct mcx_wr wr = mcx_wr(link->body, sizeof link->body);

    *out = (struct mcx_sip_content){ .contact_params = MCX_MCPTT_CONTACT_PARAMS };
    if (link->options->token != NULL) {
        struct mcx_mime_part *part = &mime.part[mime.num++];

        part->type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO);
        MCX_TRY(token_body(link, parts, &part->body));
    }
    if (with_csk) {
        MCX_TRY(ue_csk_make(link->csk, &csk, why));
        mime.part[mime.num++] =
            (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MIKEY), .body = mcx_wr_done(&csk) };
    }
    if (mime.num > 0) {
        MCX_TRY(mcx_mime_write(&wr, parts->type, &mime));
        out->content_type = parts->type;
        out->body = mcx_wr_done(&wr);
    }
    return MCX_OK;
}

static void wipe_content(struct ue_link *link, struct register_parts *parts)
{
    mcx_wipe(parts, sizeof *parts);
    mcx_wipe(link->body, sizeof link->body);
}

/* A key message is good for one REGISTER: the next ones carry none, or another. */
static mcx_err change_content(struct ue_link *link, bool with_csk)
{
    struct mcx_sip_content content;
    struct register_parts parts;
    struct mcx_refusal why = { "", "" };
    mcx_err err = register_content(&content, link, &parts, with_csk, &why);

    if (err == MCX_OK) {
        err = mcx_sip_reg_content(link->reg, &content);
    }
    wipe_content(link, &parts);
    if (err != MCX_OK) {
        if (link->csk != NULL) {
            (void)ue_csk_uploaded(link->csk, 0); /* not on its way */
        }
        ue_complain("the next registration cannot be prepared", err, &why);
    }
    return err;
}

/* The server holds no CSK of ours, as it was started again since (docs/DEVIATIONS.md "csk-unknown"). */
static bool csk_unknown(const struct mcx_sip_msg *msg)
{
    struct mcx_bytes value = { 0 };

    for (size_t n = 0; mcx_sip_header(msg, "Warning", n, &value); n++) {
        struct mcx_bytes text = { 0 };
        unsigned code = 0;

        if (mcx_warning_read(&code, &text, value) == MCX_OK && mcx_bytes_is(text, MCX_TEXT_NO_CSK)) {
            return true;
        }
    }
    return false;
}

/* What was sent and is unknown there did not arrive whole: it is sent anew with the next registration, not at once.
 * @return whether the next REGISTER has been prepared */
static bool on_csk_state(struct ue_link *link, uint16_t code, const struct mcx_sip_msg *msg)
{
    bool sent = ue_csk_pending(link->csk);
    bool unknown = code == 200 && csk_unknown(msg);
    bool again = true;
    bool at_once = false;

    if (sent && unknown) {
        ue_csk_lost(link->csk);
    } else {
        again = !ue_csk_uploaded(link->csk, code) || unknown;
        at_once = again && code == 200;
    }
    if (link->reg == NULL || (!sent && !again)) {
        return false;
    }
    if (change_content(link, again) == MCX_OK && at_once) {
        mcx_sip_reg_now(link->reg);
    }
    return true;
}

/* A registration that was good, and is not renewed. It is tried again, with the token as it is then. */
static void on_reg_lost(struct ue_link *link, uint16_t code, const struct mcx_sip_msg *msg)
{
    if (!link->off || link->off_code != code) {
        ue_report(link->options->json, "unregistered",
                  code == 0 ? "The server does not answer any more; it is tried again"
                            : "The server has refused to renew the registration; it is tried again",
                  "{s:s, s:i, s:i}", "server", link->options->server, "code", (int)code, "warning",
                  msg != NULL ? (int)ue_warning_of(msg) : 0);
    }
    link->off = true;
    link->off_code = code;
}

static void on_reg_state(void *arg, uint16_t code, const struct mcx_sip_msg *msg)
{
    struct ue_link *link = arg;
    bool prepared = link->csk != NULL && on_csk_state(link, code, msg);

    if (code != 200 && link->registered) {
        if (!prepared && link->reg != NULL) {
            (void)!change_content(link, false);
        }
        on_reg_lost(link, code, msg);
        return;
    }
    if (link->off) {
        mcx_sip_calls_ask(link->sip); /* it may be another server by now, or the same one that has forgotten them */
    }
    link->registered = code == 200;
    link->on_state(link->owner, code, msg);
    link->off = false;
}

mcx_err ue_link_register(struct ue_link *link,
                         void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *msg))
{
    struct mcx_sip_register params = {
        .registrar = link->registrar, .aor = link->options->id, .on_state = on_reg_state, .arg = link
    };
    struct register_parts parts;
    struct mcx_refusal why = { "", "" };
    mcx_err err = register_content(&params.content, link, &parts, link->csk != NULL, &why);

    if (err != MCX_OK && why.reason[0] != '\0') {
        ue_complain("no key for the signalling can be made", err, &why);
    }
    link->on_state = on_state;
    if (err == MCX_OK) {
        err = mcx_sip_reg_new(&link->reg, link->sip, &params);
    }
    wipe_content(link, &parts);
    return err;
}

struct mcx_channel *ue_link_channel(const struct ue_link *link)
{
    return link->csk != NULL ? ue_csk_channel(link->csk) : NULL;
}

bool ue_link_has_csk(const struct ue_link *link)
{
    struct mcx_channel *channel = ue_link_channel(link);

    return channel != NULL && mcx_channel_sender(channel) != NULL;
}

void ue_link_close(struct ue_link *link)
{
    mcx_sip_free(link->sip);
    ue_csk_free(link->csk);
    while (link->legs != NULL) {
        ue_leg_free(link->legs);
    }
}
