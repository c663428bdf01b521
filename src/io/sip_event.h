/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_SIP_EVENT_H
#define MCX_IO_SIP_EVENT_H

/*
 * Subscriptions (RFC 6665) and publications (RFC 3903) on the SIP layer.
 *
 * Subscriber: mcx_sip_sub_new() subscribes, renews, and subscribes anew with a growing wait when the subscription was
 * lost, be it that its connection broke. NOTIFYs are answered here; what is not of the subscription never reaches the
 * handler.
 *
 * Notifier: SUBSCRIBEs that open a subscription come to on_request of the configuration, as any other request; answer
 * with mcx_sip_watcher_accept(), or refuse with mcx_sip_respond(). Then tell the state with mcx_sip_notify(), at once
 * (RFC 6665 4.2.1.2: every SUBSCRIBE is followed by a NOTIFY) and at each change. Renewals come to on_refresh.
 *
 * Publication: mcx_sip_pub_new() publishes and keeps alive (SIP-If-Match); mcx_sip_pub_content() changes it. The
 * server's side of it is one request and one answer: mcx_sip_publish_read(), mcx_sip_publish_answer().
 */

#include "io/sip.h"

/* ---- subscriber ---- */

struct mcx_sip_sub;

enum mcx_sip_sub_state {
    MCX_SIP_SUB_PENDING, /* accepted, the notifier has not decided yet */
    MCX_SIP_SUB_ACTIVE,
    MCX_SIP_SUB_LOST,    /* no answer, no NOTIFY, or ended by the notifier; it is subscribed anew after a wait */
    MCX_SIP_SUB_REFUSED, /* msg = the final response, or the NOTIFY that said so; it is not tried again */
};
struct mcx_sip_subscribe {
    const char *uri; /* Request-URI */
    const char *from;
    const char *to;                 /* NULL = uri */
    const char *next_hop;           /* NULL = outbound, or the URI */
    const char *event;              /* "xcap-diff", "presence" */
    uint32_t expires;               /* seconds; 0 = 3600 */
    uint32_t max_retry_ms;          /* longest wait before it is tried again; 0 = 300000. The first is a second */
    struct mcx_sip_content content; /* Accept among its headers */
    /** Another SUBSCRIBE is about to go: its content may be changed, with `now` false. NULL = nothing to change. */
    void (*on_due)(void *arg);
    /** A NOTIFY of the subscription; it is answered with 200. */
    void (*on_notify)(void *arg, const struct mcx_sip_msg *msg);
    void (*on_state)(void *arg, enum mcx_sip_sub_state state, const struct mcx_sip_msg *msg); /* msg may be NULL */
    void *arg;
};
MCX_MUST_CHECK mcx_err mcx_sip_sub_new(struct mcx_sip_sub **out, struct mcx_sip *sip,
                                       const struct mcx_sip_subscribe *params);
/** What SUBSCRIBEs carry from now on (a fresh token, other documents), and one at once when `now`. */
MCX_MUST_CHECK mcx_err mcx_sip_sub_content(struct mcx_sip_sub *sub, const struct mcx_sip_content *content, bool now);
/** A SUBSCRIBE at once, also after a refusal. */
void mcx_sip_sub_now(struct mcx_sip_sub *sub);
/** Unsubscribe and release; no event follows. */
void mcx_sip_sub_end(struct mcx_sip_sub *sub);

/* ---- notifier ---- */

/** A subscription at our side. */
struct mcx_sip_watcher;

#define MCX_SIP_MAX_WATCHERS 4096 /* of one stack; more get 503 */
#define MCX_SIP_MAX_NOTIFIES 8    /* waiting in one subscription, while one is on its way */

struct mcx_sip_watch_params {
    uint32_t min_expires; /* less gets 423, but 0, which asks for the state once; 0 = 60 */
    uint32_t max_expires; /* more is cut; 0 = 3600 */
    /** A SUBSCRIBE in the subscription: 200 to go on, else the final response. `ends` = it is the last one. Tell the
     * state here or soon after; when nothing was told here, an empty NOTIFY follows. NULL = always 200. */
    uint16_t (*on_refresh)(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg, bool ends);
    /** Exactly once, last: it ran out, was ended by the peer, or a NOTIFY failed (response, or NULL = no answer). Not
     *  after mcx_sip_watcher_end(). */
    void (*on_end)(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg);
    void *arg;
};
/** "xcap-diff" of "Event: xcap-diff;diff-processing=aggregate"; false = no Event. */
bool mcx_sip_event_of(const struct mcx_sip_msg *msg, struct mcx_bytes *event);
/**
 * Accept a SUBSCRIBE, inside on_request. `*out` is NULL when it was answered here instead: 423, 400, 503.
 * @retval MCX_E_NOMEM @retval MCX_E_IO nothing was answered
 */
MCX_MUST_CHECK mcx_err mcx_sip_watcher_accept(struct mcx_sip_watcher **out, struct mcx_sip *sip,
                                              const struct mcx_sip_msg *msg, const struct mcx_sip_watch_params *params);
/** Tell the state. @retval MCX_E_SPACE MCX_SIP_MAX_NOTIFIES are waiting @retval MCX_E_STATE it has ended */
MCX_MUST_CHECK mcx_err mcx_sip_notify(struct mcx_sip_watcher *watcher, const struct mcx_sip_content *content);
/** Tell that it is over ("deactivated": subscribe anew; "rejected"; "noresource") and release; NULL is allowed. */
void mcx_sip_watcher_end(struct mcx_sip_watcher *watcher, const char *reason);
size_t mcx_sip_num_watchers(const struct mcx_sip *sip);

/* ---- publication ---- */

struct mcx_sip_pub;

struct mcx_sip_publish {
    const char *uri;
    const char *from;
    const char *to;       /* NULL = uri */
    const char *next_hop; /* NULL = outbound, or the URI */
    const char *event;    /* "presence" */
    uint32_t expires;     /* seconds; 0 = 3600 */
    struct mcx_sip_content content;
    /** Each final answer: 200, a refusal (not tried again until the content is changed), or 0 and NULL: none came, it
     * is tried again. 412 is dealt with here: published anew. */
    void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *response);
    void *arg;
};
MCX_MUST_CHECK mcx_err mcx_sip_pub_new(struct mcx_sip_pub **out, struct mcx_sip *sip,
                                       const struct mcx_sip_publish *params);
/** Publish this instead (RFC 3903 4.1, modify). One change at a time is on its way; the last one counts. */
MCX_MUST_CHECK mcx_err mcx_sip_pub_content(struct mcx_sip_pub *pub, const struct mcx_sip_content *content);
/** Remove what was published and release; no event follows. */
void mcx_sip_pub_end(struct mcx_sip_pub *pub);

/** A PUBLISH as the server sees it (RFC 3903 6). */
#define MCX_SIP_ETAG_MAX 64
struct mcx_sip_publish_view {
    struct mcx_bytes event;    /* without parameters */
    struct mcx_bytes if_match; /* SIP-If-Match, empty = a first publication */
    uint32_t expires;          /* 0 = remove; 3600 when absent */
};
/** @retval MCX_E_FORMAT no Event, an Expires that is no number, two SIP-If-Match: answer 400 (489 without Event) */
MCX_MUST_CHECK mcx_err mcx_sip_publish_read(struct mcx_sip_publish_view *out, const struct mcx_sip_msg *msg);
/** 200 with a fresh SIP-ETag and Expires; keep `etag` and demand it next time (412 for another one). */
MCX_MUST_CHECK mcx_err mcx_sip_publish_answer(struct mcx_sip *sip, const struct mcx_sip_msg *msg,
                                              char etag[MCX_SIP_ETAG_MAX], uint32_t expires);

#endif
