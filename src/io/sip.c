/* SPDX-License-Identifier: Apache-2.0 */
/* The SIP stack: transports, what arrives, and the views that programs get. */
#define _GNU_SOURCE
#include "io/sip_priv.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include <mcx/secret.h>

enum { UNFRAMED_MS = 10000 };

struct mcx_bytes sip_view(const struct pl *pl)
{
    return mcx_bytes(pl->p, pl->p == NULL ? 0 : pl->l);
}

mcx_err sip_err(int err)
{
    switch (err) {
    case 0: return MCX_OK;
    case ENOMEM: return MCX_E_NOMEM;
    case EINVAL:
    case EBADMSG: return MCX_E_FORMAT;
    default: return MCX_E_IO;
    }
}

static enum sip_transp transp_of(enum mcx_sip_transport transport)
{
    switch (transport) {
    case MCX_SIP_UDP: return SIP_TRANSP_UDP;
    case MCX_SIP_TCP: return SIP_TRANSP_TCP;
    case MCX_SIP_TLS: return SIP_TRANSP_TLS;
    default: return SIP_TRANSP_NONE;
    }
}

void sip_msg_view(struct mcx_sip_msg *out, const struct sip_msg *msg)
{
    const struct sip_hdr *type = sip_msg_hdr(msg, SIP_HDR_CONTENT_TYPE);
    size_t left = mbuf_get_left(msg->mb);

    memset(out, 0, sizeof *out);
    out->method = sip_view(msg->req ? &msg->met : &msg->cseq.met);
    if (msg->req) {
        out->ruri = sip_view(&msg->ruri);
    } else {
        out->code = msg->scode;
        out->reason = sip_view(&msg->reason);
    }
    out->from = sip_view(&msg->from.auri);
    out->to = sip_view(&msg->to.auri);
    out->call_id = sip_view(&msg->callid);
    if (msg->clen.p != NULL && pl_u32(&msg->clen) < left) {
        left = pl_u32(&msg->clen); /* a datagram may be longer than its message (RFC 3261 18.3) */
    }
    if (left > 0) {
        out->body = mcx_bytes(mbuf_buf(msg->mb), left);
        if (type != NULL) {
            out->content_type = sip_view(&type->val);
        }
    }
    (void)re_snprintf(out->source, sizeof out->source, "sip:%J%s", &msg->src, sip_transp_param(msg->tp));
    out->impl = msg;
}

struct nth {
    size_t left;
    struct mcx_bytes value;
    bool found;
};

static bool take_nth(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    struct nth *nth = arg;

    (void)msg;
    if (nth->left > 0) {
        nth->left--;
        return false;
    }
    nth->value = sip_view(&hdr->val);
    nth->found = true;
    return true;
}

bool mcx_sip_header(const struct mcx_sip_msg *msg, const char *name, size_t n, struct mcx_bytes *value)
{
    struct nth nth = { .left = n };

    (void)sip_msg_xhdr_apply(msg->impl, true, name, take_nth, &nth);
    if (nth.found) {
        *value = nth.value;
    }
    return nth.found;
}

static struct pl pl_of(struct mcx_bytes b)
{
    return (struct pl){ (const char *)b.p, b.len };
}

mcx_err mcx_sip_addr_uri(struct mcx_bytes *uri, struct mcx_bytes value)
{
    struct pl pl = pl_of(value);
    struct sip_addr addr;

    if (value.len == 0 || sip_addr_decode(&addr, &pl) != 0) {
        return MCX_E_FORMAT;
    }
    *uri = sip_view(&addr.auri);
    return MCX_OK;
}

bool mcx_sip_addr_param(struct mcx_bytes value, const char *name, struct mcx_bytes *param)
{
    struct pl pl = pl_of(value);
    struct pl found;
    struct sip_addr addr;

    if (value.len == 0 || sip_addr_decode(&addr, &pl) != 0) {
        return false;
    }
    if (msg_param_decode(&addr.params, name, &found) == 0) {
        *param = sip_view(&found);
        return true;
    }
    *param = mcx_bytes(NULL, 0);
    return msg_param_exists(&addr.params, name, &found) == 0;
}

bool sip_supports(const struct sip_msg *msg, const char *option)
{
    return sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, option) || sip_msg_hdr_has_value(msg, SIP_HDR_REQUIRE, option);
}

int sip_write_contact(struct mbuf *mb, const char *user, const struct sa *local, enum sip_transp tp, const char *params)
{
    return mbuf_printf(mb, "Contact: <sip:%s@%J%s>%s\r\n", user, local, sip_transp_param(tp),
                       params != NULL ? params : "");
}

void sip_local_for(struct sa *local, const struct mcx_sip *sip, const struct sip_msg *msg)
{
    if (sip_transp_laddr(sip->stack, local, msg->tp, &msg->src) != 0) {
        *local = msg->dst;
    }
}

int sip_write_content(struct mbuf *mb, const struct mcx_sip_content *content)
{
    static const struct mcx_sip_content none;
    const struct mcx_sip_content *c = content != NULL ? content : &none;
    size_t len = c->content_type != NULL ? c->body.len : 0;
    int err = 0;

    if (c->headers != NULL) {
        err |= mbuf_write_str(mb, c->headers);
    }
    if (c->content_type != NULL) {
        err |= mbuf_printf(mb, "Content-Type: %s\r\n", c->content_type);
    }
    err |= mbuf_printf(mb, "Content-Length: %zu\r\n\r\n", len);
    if (len > 0) {
        err |= mbuf_write_mem(mb, c->body.p, len);
    }
    return err;
}

int sip_content_keep(struct mbuf **at, const struct mcx_sip_content *content)
{
    struct mbuf *mb = mbuf_alloc(512);
    int err = mb == NULL ? ENOMEM : sip_write_content(mb, content);

    if (err != 0) {
        mem_deref(mb);
        return err;
    }
    sip_content_drop(at);
    *at = mb;
    return 0;
}

void sip_content_drop(struct mbuf **at)
{
    if (*at != NULL) {
        mcx_wipe((*at)->buf, (*at)->size); /* an access token may be in it */
    }
    *at = mem_deref(*at);
}

int sip_send_request(struct sip_request **req, const struct mcx_sip *sip, const char *method, const char *uri,
                     const char *hop, struct mbuf *mb, sip_send_h *contact, sip_resp_h *done, void *arg)
{
    struct uri route;
    struct pl pl;
    int err;

    pl_set_str(&pl, hop != NULL ? hop : sip->outbound != NULL ? sip->outbound : uri);
    err = uri_decode(&route, &pl);
    if (err != 0) {
        return err;
    }
    mb->pos = 0;
    return sip_request(req, sip->stack, strcmp(method, "ACK") != 0, method, -1, uri, -1, &route, mb, 0, contact, done,
                       arg);
}

mcx_err mcx_sip_respond(struct mcx_sip *sip, const struct mcx_sip_msg *msg, uint16_t code, const char *reason,
                        const struct mcx_sip_content *content)
{
    const struct sip_msg *request = msg->impl;
    struct mbuf *mb = mbuf_alloc(512);
    int err;

    if (mb == NULL) {
        return MCX_E_NOMEM;
    }
    err = sip_write_content(mb, content);
    if (err == 0) {
        err = sip_treplyf(NULL, NULL, sip->stack, request, false, code, reason, "%b", mb->buf, mb->end);
    }
    mem_deref(mb);
    return sip_err(err);
}

/* The option tags that we can honour; anything else in Require is refused (RFC 3261 8.2.2.3). */
static bool find_unknown(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    static const char *const known[] = { "timer", "recipient-list-invite", "path", "norefersub" };
    struct pl *unknown = arg;

    (void)msg;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (pl_strcasecmp(&hdr->val, known[i]) == 0) {
            return false;
        }
    }
    *unknown = hdr->val;
    return true;
}

static bool count_one(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    (void)hdr;
    (void)msg;
    ++*(unsigned *)arg;
    return false;
}

/* Exactly one Content-Length on a stream, at most one in a datagram, of digits alone (RFC 3261 18.3, 20.14, 25.1). */
static bool length_is_clear(const struct sip_msg *msg)
{
    unsigned count = 0;

    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTENT_LENGTH, count_one, &count);
    for (size_t i = 0; i < msg->clen.l; i++) {
        if (msg->clen.p[i] < '0' || msg->clen.p[i] > '9') {
            return false;
        }
    }
    return count == 1 ? msg->clen.l > 0 && msg->clen.l <= 9 : count == 0 && msg->tp == SIP_TRANSP_UDP;
}

/*
 * Two lengths, or one that is no number: a proxy before us may have cut the stream at another place than libre does,
 * and then a sender's body would be read as a request of the proxy's. libre cannot be told to close the connection, so
 * nothing from it is believed for a while.
 */
static bool refuse_unframed(struct mcx_sip *sip, const struct sip_msg *msg)
{
    uint64_t now = tmr_jiffies();
    bool doubtful = !length_is_clear(msg);

    for (size_t i = 0; i < ARRAY_SIZE(sip->unframed) && !doubtful; i++) {
        const struct sip_unframed *u = &sip->unframed[i];

        if (now < u->until && msg->tp != SIP_TRANSP_UDP && sa_cmp(&u->peer, &msg->src, SA_ALL)) {
            sip_refused(sip, "connection with an ambiguous length");
            (void)sip_reply(sip->stack, msg, 400, "Bad Request");
            return true;
        }
    }
    if (!doubtful) {
        return false;
    }
    if (msg->tp != SIP_TRANSP_UDP) {
        sip->unframed[sip->next_unframed++ % ARRAY_SIZE(sip->unframed)] =
            (struct sip_unframed){ msg->src, now + UNFRAMED_MS };
    }
    sip_refused(sip, "ambiguous Content-Length");
    (void)sip_reply(sip->stack, msg, 400, "Bad Request");
    return true;
}

static bool refuse_malformed(struct mcx_sip *sip, const struct sip_msg *msg)
{
    struct pl unknown = { NULL, 0 };

    if (refuse_unframed(sip, msg)) {
        return true;
    }
    if (!pl_isset(&msg->callid) || !pl_isset(&msg->cseq.met) || pl_cmp(&msg->cseq.met, &msg->met) != 0 ||
        !pl_isset(&msg->from.tag) || !pl_isset(&msg->to.auri) ||
        (msg->clen.p != NULL && pl_u32(&msg->clen) > mbuf_get_left(msg->mb))) {
        sip_refused(sip, "malformed request");
        (void)sip_reply(sip->stack, msg, 400, "Bad Request");
        return true;
    }
    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_REQUIRE, find_unknown, &unknown);
    if (unknown.p != NULL && pl_strcmp(&msg->met, "ACK") != 0) {
        sip_refused(sip, "unknown option in Require");
        (void)sip_replyf(sip->stack, msg, 420, "Bad Extension", "Unsupported: %r\r\nContent-Length: 0\r\n\r\n",
                         &unknown);
        return true;
    }
    return false;
}

void sip_refused(const struct mcx_sip *sip, const char *reason)
{
    if (sip->on_refusal != NULL) {
        sip->on_refusal(sip->arg, reason);
    }
}

/* The address without its port: what one peer can have many of is not counted apart. */
static struct mcx_bytes peer_name(uint8_t buf[16], const struct sa *src)
{
    uint32_t in = sa_in(src);

    if (sa_af(src) == AF_INET6) {
        sa_in6(src, buf);
        return mcx_bytes(buf, 8);
    }
    memcpy(buf, &in, sizeof in);
    return mcx_bytes(buf, sizeof in);
}

static const char *over_limit(struct mcx_sip *sip, const struct sip_msg *msg)
{
    const struct mcx_sip_limits *l = &sip->limits;
    uint64_t now = tmr_jiffies();
    uint8_t buf[16];
    char source[MCX_SIP_URI_MAX];

    if (pl_strcmp(&msg->met, "ACK") == 0 || (pl_strcmp(&msg->met, "BYE") == 0 && sip_call_known(sip, msg))) {
        return NULL;
    }
    (void)re_snprintf(source, sizeof source, "sip:%J%s", &msg->src, sip_transp_param(msg->tp));
    if (l->peer_per_minute != 0 && (l->exempt == NULL || !l->exempt(sip->arg, source)) &&
        mcx_rate_take(&sip->peer_rate, peer_name(buf, &msg->src), 1, now) != 0) {
        return "too many requests from this address";
    }
    if (l->all_per_minute != 0 && mcx_rate_take(&sip->all_rate, mcx_bytes_str("all"), 1, now) != 0) {
        return "too many requests";
    }
    return NULL;
}

/* RFC 3261 21.5.4; without a transaction, so that a flood leaves nothing behind. */
static bool shed(struct mcx_sip *sip, const struct sip_msg *msg)
{
    const char *reason = over_limit(sip, msg);

    if (reason == NULL) {
        return false;
    }
    sip_refused(sip, reason);
    (void)sip_replyf(sip->stack, msg, 503, "Service Unavailable", "Retry-After: 60\r\nContent-Length: 0\r\n\r\n");
    return true;
}

static bool on_request(const struct sip_msg *msg, void *arg)
{
    struct mcx_sip *sip = arg;
    struct mcx_sip_msg view;

    if (shed(sip, msg) || refuse_malformed(sip, msg) || sip_event_request(sip, msg) || sip_call_request(sip, msg)) {
        return true;
    }
    if (pl_strcmp(&msg->met, "INVITE") == 0) {
        sip_call_invite(sip, msg);
        return true;
    }
    if (pl_strcmp(&msg->met, "OPTIONS") == 0) {
        (void)sip_treplyf(NULL, NULL, sip->stack, msg, false, 200, "OK",
                          "Allow: " SIP_ALLOW "\r\nSupported: timer\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (pl_strcmp(&msg->met, "CANCEL") == 0) {
        (void)sip_reply(sip->stack, msg, 481, "Transaction Does Not Exist");
        return true;
    }
    sip_msg_view(&view, msg);
    if (sip->on_request == NULL || !sip->on_request(sip->arg, sip, &view)) {
        (void)sip_treply(NULL, sip->stack, msg, 501, "Not Implemented");
    }
    return true;
}

static bool on_response(const struct sip_msg *msg, void *arg)
{
    sip_call_response(arg, msg);
    return true;
}

static void on_trace(bool tx, enum sip_transp tp, const struct sa *src, const struct sa *dst, const uint8_t *pkt,
                     size_t len, void *arg)
{
    const struct mcx_sip *sip = arg;
    char local[80], remote[80];

    (void)re_snprintf(local, sizeof local, "%s:%J", sip_transp_name(tp), tx ? src : dst);
    (void)re_snprintf(remote, sizeof remote, "%s:%J", sip_transp_name(tp), tx ? dst : src);
    sip->on_trace(sip->arg, tx, local, remote, mcx_bytes(pkt, len));
}

static void destroy(void *arg)
{
    struct mcx_sip *sip = arg;

    sip_calls_drop(sip);
    sip_regs_drop(sip);
    sip_events_drop(sip);
    mem_deref(sip->requests);
    mem_deref(sip->responses);
    if (sip->stack != NULL) {
        sip_close(sip->stack, true);
        sip_transp_flush(sip->stack);
    }
    mem_deref(sip->stack);
    mem_deref(sip->calls);
    mem_deref(sip->watchers);
    mem_deref(sip->tls);
    mem_deref(sip->user);
    mem_deref(sip->agent);
    mem_deref(sip->outbound);
}

static mcx_err add_transports(struct mcx_sip *sip, const struct mcx_sip_config *config, struct mcx_refusal *why)
{
    for (size_t i = 0; i < config->num_listen; i++) {
        const struct mcx_sip_listen *l = &config->listen[i];
        struct sa addr;

        if (sa_set_str(&addr, l->addr, l->port) != 0) {
            return mcx_refuse(why, MCX_E_FORMAT, "listening address is not numeric", "");
        }
        if (l->transport == MCX_SIP_TLS && sip->tls == NULL) {
            MCX_TRY(sip_tls_new(&sip->tls, config, why));
        }
        if (sip_transp_add(sip->stack, transp_of(l->transport), &addr, sip->tls) != 0) {
            return mcx_refuse(why, MCX_E_IO, "cannot listen on that address and port", "");
        }
    }
    return MCX_OK;
}

/* libre wants numbers; names are looked up once, here. */
static mcx_err resolve_outbound(struct mcx_sip *sip, const char *text, struct mcx_refusal *why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    struct uri uri;
    struct pl pl;
    struct sa sa;
    char host[256];
    int err;

    pl_set_str(&pl, text);
    if (uri_decode(&uri, &pl) != 0 || pl_strcpy(&uri.host, host, sizeof host) != 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "server is not a SIP URI", "RFC 3261 19.1");
    }
    if (getaddrinfo(host, NULL, &hints, &found) != 0) {
        return mcx_refuse(why, MCX_E_IO, "name of the server is not known", "");
    }
    err = sa_set_sa(&sa, found->ai_addr);
    freeaddrinfo(found);
    if (err != 0) {
        return mcx_refuse(why, MCX_E_IO, "address of the server is of an unknown kind", "");
    }
    sa_set_port(&sa, uri.port);
    err = uri.port != 0
              ? re_sdprintf(&sip->outbound, "sip:%J%r", &sa, &uri.params)
              : re_sdprintf(&sip->outbound, sa_af(&sa) == AF_INET6 ? "sip:[%j]%r" : "sip:%j%r", &sa, &uri.params);
    return sip_err(err);
}

mcx_err mcx_sip_new(struct mcx_sip **out, const struct mcx_sip_config *config, struct mcx_refusal *why)
{
    struct mcx_sip *sip = mem_zalloc(sizeof *sip, destroy);
    mcx_err err = MCX_OK;

    if (sip == NULL) {
        return MCX_E_NOMEM;
    }
    sip->on_invite = config->on_invite;
    sip->on_request = config->on_request;
    sip->on_trace = config->on_trace;
    sip->on_refusal = config->on_refusal;
    sip->limits = config->limits;
    sip->peer_rate.per_minute = config->limits.peer_per_minute;
    sip->all_rate.per_minute = config->limits.all_per_minute;
    sip->arg = config->arg;
    MCX_GO(err, sip_err(str_dup(&sip->user, config->user)));
    if (config->agent != NULL) {
        MCX_GO(err, sip_err(str_dup(&sip->agent, config->agent)));
    }
    MCX_GO(err, sip_err(hash_alloc(&sip->calls, 256)));
    MCX_GO(err, sip_err(hash_alloc(&sip->watchers, 256)));
    MCX_GO(err, sip_err(sip_alloc(&sip->stack, NULL, 256, 256, 256, config->agent, NULL, sip)));
    MCX_GO(err, sip_err(sip_listen(&sip->requests, sip->stack, true, on_request, sip)));
    MCX_GO(err, sip_err(sip_listen(&sip->responses, sip->stack, false, on_response, sip)));
    if (sip->on_trace != NULL) {
        sip_set_trace_handler(sip->stack, on_trace);
    }
    if (config->outbound != NULL) {
        MCX_GO(err, resolve_outbound(sip, config->outbound, why));
    }
    MCX_GO(err, add_transports(sip, config, why));
    *out = sip;
    return MCX_OK;
out:
    mem_deref(sip);
    return err;
}

void mcx_sip_free(struct mcx_sip *sip)
{
    mem_deref(sip);
}

mcx_err mcx_sip_local(const struct mcx_sip *sip, enum mcx_sip_transport transport, char addr[64], uint16_t *port)
{
    struct sa sa, any;

    for (int af = 0; af < 2; af++) {
        sa_init(&any, af == 0 ? AF_INET : AF_INET6);
        if (sip_transp_laddr(sip->stack, &sa, transp_of(transport), &any) == 0) {
            *port = sa_port(&sa);
            return re_snprintf(addr, 64, "%j", &sa) > 0 ? MCX_OK : MCX_E_SPACE;
        }
    }
    return MCX_E_NOKEY;
}
