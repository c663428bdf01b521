/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_SIP_H
#define MCX_IO_SIP_H

/*
 * SIP for the server and the client: a thin layer over libre's transactions and transports.
 *
 * libre parses messages, runs transactions (RFC 3261 17) over UDP, TCP and TLS, and keeps connections. This
 * layer adds what its session module cannot carry for MCPTT: feature tags in Contact, bodies in every request and
 * response (a BYE and a REGISTER have mcptt-info), Path and Record-Route, session timers (RFC 4028), requests
 * that go back over the connection which the peer opened, and TLS with a verified server.
 *
 * A call is one INVITE dialog, whoever started it. Its handler gets events; MCX_SIP_CLOSED comes exactly once,
 * last, and after it the call pointer is dead. Functions on a call may be used inside its handler. All views in a
 * message are valid only during the handler that got it.
 *
 * Bodies up to MCX_SIP_MESSAGE_MAX; an I_MESSAGE makes an INVITE of 3 to 5 kB, so TCP or TLS is preferred, UDP works
 * where fragments pass.
 */

#include <mcx/bytes.h>

#define MCX_SIP_MESSAGE_MAX 65536 /* octets of one message over TCP and TLS; 8192 over UDP: libre reads no more */
#define MCX_SIP_MAX_LISTEN  8
#define MCX_SIP_URI_MAX     512

struct mcx_sip;
struct mcx_sip_call;
struct mcx_sip_reg;

enum mcx_sip_transport { MCX_SIP_UDP, MCX_SIP_TCP, MCX_SIP_TLS };

/** A received request or response. */
struct mcx_sip_msg {
    struct mcx_bytes method; /* of the request, also in a response */
    struct mcx_bytes ruri;   /* empty in a response */
    uint16_t code;           /* 0 in a request */
    struct mcx_bytes reason;
    struct mcx_bytes from; /* URI of From, without name and parameters */
    struct mcx_bytes to;
    struct mcx_bytes call_id;
    struct mcx_bytes content_type; /* whole value with parameters, empty without body */
    struct mcx_bytes body;
    char source[MCX_SIP_URI_MAX]; /* where it came from, usable as next_hop: "sip:127.0.0.1:4711;transport=tcp" */
    const void *impl;
};
/** Value number `n` (from 0) of a header; comma-separated values of list headers count one by one. false = none. */
bool mcx_sip_header(const struct mcx_sip_msg *msg, const char *name, size_t n, struct mcx_bytes *value);
/** URI inside `<...>` of a name-addr, or the bare addr-spec. @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_sip_addr_uri(struct mcx_bytes *uri, struct mcx_bytes value);
/** Parameter after the URI of an address header ("+g.3gpp.mcptt", "isfocus"); *value empty when it has none. */
bool mcx_sip_addr_param(struct mcx_bytes value, const char *name, struct mcx_bytes *param);

/** What a message of ours carries besides what the layer writes itself. Zeroed = nothing. */
struct mcx_sip_content {
    const char *headers;        /* complete lines, each with CRLF; NULL = none */
    const char *contact_params; /* after the Contact URI: ";+g.3gpp.mcptt;isfocus"; NULL = none */
    const char *contact_user;   /* user part of the Contact URI of a call; NULL = that of the configuration */
    const char *content_type;   /* with its parameters; NULL = no body */
    struct mcx_bytes body;
};

enum mcx_sip_event {
    MCX_SIP_PROGRESS,  /* outgoing: 101..199, msg = the response */
    MCX_SIP_ANSWERED,  /* outgoing: 2xx, msg = the response; the ACK is sent by this layer */
    MCX_SIP_ACKED,     /* incoming: the peer's ACK to our 2xx */
    MCX_SIP_CHANGED,   /* our re-INVITE was accepted, msg = the 2xx */
    MCX_SIP_UNCHANGED, /* it was refused, msg = the response (491: both sides at once, try again); the call goes on */
    MCX_SIP_OFFER,     /* re-INVITE with a body: answer with mcx_sip_call_answer() or _reject() in the handler */
    MCX_SIP_CLOSED,    /* the end; `why` says how, msg where it says so */
};
enum mcx_sip_close {
    MCX_SIP_BY_REJECT,    /* outgoing: msg = the final response, 300 and above (also 487 after our CANCEL) */
    MCX_SIP_BY_CANCEL,    /* incoming: the peer cancelled before our final response */
    MCX_SIP_BY_BYE,       /* msg = the peer's BYE */
    MCX_SIP_BY_TIMEOUT,   /* no response, no ACK, or the session timer ran out */
    MCX_SIP_BY_TRANSPORT, /* connection refused, broken, or TLS not verified */
    MCX_SIP_BY_US,        /* mcx_sip_call_hangup(), _reject() */
};
struct mcx_sip_call_event {
    enum mcx_sip_event event;
    enum mcx_sip_close why;        /* for MCX_SIP_CLOSED */
    const struct mcx_sip_msg *msg; /* may be NULL */
};
typedef void mcx_sip_call_h(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev);

struct mcx_sip_listen {
    enum mcx_sip_transport transport;
    const char *addr; /* numeric; the address that goes into Via and Contact, so not 0.0.0.0 */
    uint16_t port;    /* 0 = any */
};

/**
 * How many requests a minute are looked at; more get a stateless 503 with Retry-After. Counted are INVITE, REGISTER and
 * all others that are not ACK, nor the BYE of a call that there is. 0 = any number.
 */
struct mcx_sip_limits {
    uint32_t peer_per_minute; /* from one address, whatever the port (IPv6: one /64); a UDP source can be forged */
    uint32_t all_per_minute;  /* together; bounds the server transactions, which live 32 s over UDP (64*T1) */
    bool (*exempt)(void *arg, const char *source); /* a proxy: many users behind one address; may be NULL */
};

struct mcx_sip_config {
    const char *agent; /* User-Agent and Server; may be NULL */
    const char *user;  /* user part of our Contact */
    struct mcx_sip_listen listen[MCX_SIP_MAX_LISTEN];
    size_t num_listen;
    const char *outbound; /* all requests that no route or next_hop directs elsewhere; NULL = to the URI itself */
    const char *tls_cert; /* PEM chain and key, for who listens with TLS; NULL = client only */
    const char *tls_key;
    const char *tls_ca; /* PEM, who may vouch for a server; NULL = no TLS connection of ours is trusted */
    const char
        *tls_server_name; /* DNS name or address that the server's certificate must show; NULL = host of outbound */
    /** A new INVITE. Give the call a handler and answer now or later; without mcx_sip_call_handler() it gets 480. */
    void (*on_invite)(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg);
    /** Another request outside dialogs (REGISTER, MESSAGE, SUBSCRIBE, PUBLISH); answer with mcx_sip_respond(). NULL =
     * 501. OPTIONS is answered by the layer. @return false = not mine, 501 */
    bool (*on_request)(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg);
    struct mcx_sip_limits limits;
    /** Told of each request that this layer itself refuses, with a constant reason, to be counted. NULL = nobody. */
    void (*on_refusal)(void *arg, const char *reason);
    /** Laboratory: every message sent and received, as it is. NULL = none */
    void (*on_trace)(void *arg, bool sent, const char *local, const char *remote, struct mcx_bytes message);
    void *arg;
};

/** @retval MCX_E_IO a port cannot be bound @retval MCX_E_FORMAT certificate, key or CA file @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_sip_new(struct mcx_sip **out, const struct mcx_sip_config *config, struct mcx_refusal *why);
/** Ends transactions without waiting and drops calls, subscriptions and publications without events. NULL is allowed.
 */
void mcx_sip_free(struct mcx_sip *sip);
/** Address and port really bound for a transport: "127.0.0.1", 5060. @retval MCX_E_NOKEY not listening */
MCX_MUST_CHECK mcx_err mcx_sip_local(const struct mcx_sip *sip, enum mcx_sip_transport transport, char addr[64],
                                     uint16_t *port);

/** Answer a request outside dialogs, inside on_request. */
MCX_MUST_CHECK mcx_err mcx_sip_respond(struct mcx_sip *sip, const struct mcx_sip_msg *msg, uint16_t code,
                                       const char *reason, const struct mcx_sip_content *content);

/** Send a request outside dialogs (MESSAGE, OPTIONS); `done` gets the final response, or NULL when none came. */
struct mcx_sip_request {
    const char *method;
    const char *uri;
    const char *from;
    const char *to;       /* NULL = uri */
    const char *route[4]; /* preloaded Route URIs (Path of a registration), NULL-terminated when fewer */
    const char *next_hop; /* NULL = first route, outbound, or the URI */
    struct mcx_sip_content content;
    void (*done)(void *arg, const struct mcx_sip_msg *response);
    void *arg;
};
MCX_MUST_CHECK mcx_err mcx_sip_send(struct mcx_sip *sip, const struct mcx_sip_request *request);

/**
 * Register and keep registered: renewal at half time; again after a refusal, without an answer, or when the connection
 * has ended, with a wait that grows from a second to five minutes (RFC 5626 4.5). `on_state`: code 200; or the refusal;
 * or 0 and NULL, no answer or no connection any more.
 */
struct mcx_sip_register {
    const char *registrar; /* Request-URI */
    const char *aor;       /* To and From: public user identity */
    uint32_t expires;      /* seconds asked for; 0 = 3600 */
    struct mcx_sip_content content;
    void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *response);
    void *arg;
};
MCX_MUST_CHECK mcx_err mcx_sip_reg_new(struct mcx_sip_reg **out, struct mcx_sip *sip,
                                       const struct mcx_sip_register *params);
/** What the next REGISTERs carry; their contact_params stay. */
MCX_MUST_CHECK mcx_err mcx_sip_reg_content(struct mcx_sip_reg *reg, const struct mcx_sip_content *content);
/** Register at once, not only when it is due; may be called in on_state. */
void mcx_sip_reg_now(struct mcx_sip_reg *reg);
/** De-register and release; `done` (may be NULL) is called once when the answer has come, or after 2 s. */
void mcx_sip_reg_end(struct mcx_sip_reg *reg, void (*done)(void *arg), void *arg);

struct mcx_sip_invite {
    const char *uri; /* Request-URI */
    const char *from;
    const char *to;           /* NULL = uri */
    const char *route[4];     /* preloaded Route URIs (Path of a registration), NULL-terminated when fewer */
    const char *next_hop;     /* NULL = first route, outbound, or the URI */
    uint32_t session_expires; /* seconds for RFC 4028, at least 90; 0 = no timer offered */
    struct mcx_sip_content content;
    mcx_sip_call_h *handler;
    void *arg;
};
MCX_MUST_CHECK mcx_err mcx_sip_call_new(struct mcx_sip_call **out, struct mcx_sip *sip,
                                        const struct mcx_sip_invite *params);
/** Who gets the events of an incoming call; call it inside on_invite. */
void mcx_sip_call_handler(struct mcx_sip_call *call, mcx_sip_call_h *handler, void *arg);
/** 101..199 to an incoming call. @retval MCX_E_STATE @retval MCX_E_IO */
MCX_MUST_CHECK mcx_err mcx_sip_call_progress(struct mcx_sip_call *call, uint16_t code, const char *reason,
                                             const struct mcx_sip_content *content);
/** 200. With a Session-Expires in the INVITE, Require: timer and Session-Expires are added. */
MCX_MUST_CHECK mcx_err mcx_sip_call_answer(struct mcx_sip_call *call, const struct mcx_sip_content *content);
/** 300 and above (less is MCX_E_ARG, no open INVITE MCX_E_IO); also ends the call (MCX_SIP_CLOSED by us), except on
 * MCX_SIP_OFFER, where the call goes on. */
MCX_MUST_CHECK mcx_err mcx_sip_call_reject(struct mcx_sip_call *call, uint16_t code, const char *reason,
                                           const struct mcx_sip_content *content);
/**
 * Change a running call by a re-INVITE (RFC 3261 14.1): MCX_SIP_CHANGED or MCX_SIP_UNCHANGED follows, or the end.
 * @retval MCX_E_STATE not established, or another INVITE is open (also one of the peer's)
 */
MCX_MUST_CHECK mcx_err mcx_sip_call_reinvite(struct mcx_sip_call *call, const struct mcx_sip_content *content);
/** How long to wait, in ms, until a re-INVITE that met one of the peer (491) may be sent again: RFC 3261 14.1. */
uint32_t mcx_sip_call_glare_ms(const struct mcx_sip_call *call);
/** Ask the peer of each established call whether there still is one (UPDATE): one that is gone ends (RFC
 * 3261 12.2.1.2). */
void mcx_sip_calls_ask(struct mcx_sip *sip);
/** End it as its state demands: CANCEL (then CLOSED comes with the answer), BYE with `content`, or 480. */
void mcx_sip_call_hangup(struct mcx_sip_call *call, const struct mcx_sip_content *content);

#endif
