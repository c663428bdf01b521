/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_SIP_PRIV_H
#define MCX_IO_SIP_PRIV_H

/* Shared by the files of the SIP layer. */

#include "io/libre.h"

#include "base/rate.h"
#include "io/sip.h"

#define SIP_ALLOW  "INVITE, ACK, CANCEL, BYE, UPDATE, MESSAGE, OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH"
#define SIP_MIN_SE 90u /* RFC 4028 5 */

struct mcx_sip {
    struct sip *stack;
    struct sip_lsnr *requests;
    struct sip_lsnr *responses;
    struct hash *calls; /* by Call-ID */
    struct list regs, singles;
    struct list subs, pubs;
    struct hash *watchers; /* by Call-ID */
    size_t num_watchers;
    struct tls *tls;
    char *user;
    char *agent;
    char *outbound;
    void (*on_invite)(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg);
    bool (*on_request)(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg);
    void (*on_refusal)(void *arg, const char *reason);
    struct mcx_sip_limits limits;
    struct mcx_rate peer_rate, all_rate;
    /* Connections on which a length was ambiguous: what follows there may be the body of that message. */
    struct sip_unframed {
        struct sa peer;
        uint64_t until; /* tmr_jiffies() */
    } unframed[16];
    size_t next_unframed;
    void (*on_trace)(void *arg, bool sent, const char *local, const char *remote, struct mcx_bytes message);
    void *arg;
};

/** Contact header with the address of the transport that the message leaves by. */
int sip_write_contact(struct mbuf *mb, const char *user, const struct sa *local, enum sip_transp tp,
                      const char *params);
/** Our listening address for answers to a request (a connection's own port may be a passing one). */
void sip_local_for(struct sa *local, const struct mcx_sip *sip, const struct sip_msg *msg);
/** Headers, Content-Type, Content-Length, empty line, body. `content` may be NULL. */
int sip_write_content(struct mbuf *mb, const struct mcx_sip_content *content);
/** Keep headers and body as they will be sent; replaces what was kept. */
int sip_content_keep(struct mbuf **at, const struct mcx_sip_content *content);
/** Wipe and release. */
void sip_content_drop(struct mbuf **at);
void sip_msg_view(struct mcx_sip_msg *out, const struct sip_msg *msg);
struct mcx_bytes sip_view(const struct pl *pl);
/** libre's error as ours. */
mcx_err sip_err(int err);
/** Send a request whose headers after Via are in `mb`; `hop` is the URI that it goes to. */
int sip_send_request(struct sip_request **req, const struct mcx_sip *sip, const char *method, const char *uri,
                     const char *hop, struct mbuf *mb, sip_send_h *contact, sip_resp_h *done, void *arg);
/** TLS context by the configuration. */
mcx_err sip_tls_new(struct tls **out, const struct mcx_sip_config *config, struct mcx_refusal *why);
bool sip_supports(const struct sip_msg *msg, const char *option);

/** Tell the program of a refusal. */
void sip_refused(const struct mcx_sip *sip, const char *reason);
/** Calls that a request belongs to, if there is one. */
bool sip_call_known(struct mcx_sip *sip, const struct sip_msg *msg);

/** State of a dialog, of one to come, or of requests that follow each other outside one (RFC 3261 12). */
struct sip_dlg {
    struct mcx_sip *sip;
    char *call_id, *local_tag, *remote_tag;
    char *local, *remote; /* our From and To values */
    char *target;         /* URI of the peer's Contact */
    char *routes;         /* "Route: ...\r\n" lines */
    char *first_route;
    char *next_hop; /* used when there is no route */
    uint32_t local_seq, remote_seq;
};
/** Our side begins. @param[in] to  NULL = uri @param[in] route  preloaded, NULL = none */
int sip_dlg_begin(struct sip_dlg *d, struct mcx_sip *sip, const char *uri, const char *from, const char *to,
                  const char *next_hop, const char *const route[4]);
/** The peer has begun with this request. */
int sip_dlg_accept(struct sip_dlg *d, struct mcx_sip *sip, const struct sip_msg *msg);
/** Established as the side that began: remote tag, target and routes from a 2xx. */
int sip_dlg_establish(struct sip_dlg *d, const struct sip_msg *msg);
/** The peer's Contact is the target from now on. */
int sip_dlg_target(struct sip_dlg *d, const struct sip_msg *msg);
/** Max-Forwards, Route, To, From, Call-ID, CSeq, User-Agent. */
int sip_dlg_head(struct mbuf *mb, const struct sip_dlg *d, uint32_t cseq, const char *method);
/** Where the next request goes: first route, else the connection it came by, else (NULL) the target. */
const char *sip_dlg_hop(const struct sip_dlg *d);
/** Requests go back by the connection that this one came by: that of before may be gone (RFC 5626 5.3). */
int sip_dlg_follow(struct sip_dlg *d, const struct sip_msg *msg);
bool sip_dlg_is(const struct sip_dlg *d, const struct sip_msg *msg);
void sip_dlg_clear(struct sip_dlg *d);

/**
 * Watch the connection that a response came by: CRLFs keep it open, and `lost` is told when it breaks or when they are
 * not answered (RFC 5626 4.4.1). In place of what was watched before; mem_deref() ends it.
 */
void sip_flow_watch(struct sip_keepalive **flow, struct mcx_sip *sip, const struct sip_msg *msg, sip_keepalive_h *lost,
                    void *arg);
/** Tries that failed one after the other (docs/DEVIATIONS.md "registration-retry"). */
struct sip_retry {
    unsigned failures;
    uint64_t since; /* tmr_jiffies() of the success that lasts; 0 = none */
    uint64_t max_ms;
};
/** A try was good, or still is. */
void sip_retry_good(struct sip_retry *retry);
/** It has failed, or what was good has ended: milliseconds to wait. After two good minutes it begins anew. */
uint64_t sip_retry_wait(struct sip_retry *retry);
/** Retry-After of a response, at most a day; 0 = none. */
uint64_t sip_retry_after_ms(const struct sip_msg *msg);

/** Subscriptions: NOTIFYs, and SUBSCRIBEs within one. @return false = not of these */
bool sip_event_request(struct mcx_sip *sip, const struct sip_msg *msg);
void sip_events_drop(struct mcx_sip *sip);

/* Calls: requests of a dialog, new INVITEs, late 2xx. */
bool sip_call_request(struct mcx_sip *sip, const struct sip_msg *msg);
void sip_call_invite(struct mcx_sip *sip, const struct sip_msg *msg);
void sip_call_response(struct mcx_sip *sip, const struct sip_msg *msg);
void sip_calls_drop(struct mcx_sip *sip);
void sip_regs_drop(struct mcx_sip *sip);

#endif
