/* SPDX-License-Identifier: Apache-2.0 */
/* The subscriber's side of subscriptions (RFC 6665 4.1), and which subscription a request belongs to. */
#define _GNU_SOURCE
#include "io/sip_event.h"

#include "io/sip_event_priv.h"

#include <string.h>
#include <strings.h>

enum {
    DEFAULT_EXPIRES = 3600,
    MAX_RETRY_MS = 300000,
    NOTIFY_WAIT_MS = 64 * SIP_T1, /* Timer N (RFC 6665 4.1.2) */
    LAST_NOTIFY_MS = 2000,        /* how long the NOTIFY after an unsubscription is awaited */
};

struct mcx_sip_sub {
    struct le le;
    struct mcx_sip *sip;
    struct sip_dlg d;
    struct sip_request *req;
    struct tmr tmr;  /* next SUBSCRIBE */
    struct tmr wait; /* for the first NOTIFY */
    char *uri, *from, *to, *next_hop, *event, *contact_params;
    struct mbuf *content;
    struct sa peer; /* where the SUBSCRIBE went: NOTIFYs come from there */
    bool has_peer, notified, ending, again;
    uint32_t expires, asked; /* by the caller; in the SUBSCRIBE, after a 423 */
    struct sip_retry retry;
    struct sip_keepalive *flow;
    enum mcx_sip_sub_state state;
    void (*on_due)(void *arg);
    void (*on_notify)(void *arg, const struct mcx_sip_msg *msg);
    void (*on_state)(void *arg, enum mcx_sip_sub_state state, const struct mcx_sip_msg *msg);
    void *arg;
};

static void sub_free(void *arg)
{
    struct mcx_sip_sub *sub = arg;

    list_unlink(&sub->le);
    tmr_cancel(&sub->tmr);
    tmr_cancel(&sub->wait);
    mem_deref(sub->flow);
    mem_deref(sub->req);
    sip_dlg_clear(&sub->d);
    mem_deref(sub->uri);
    mem_deref(sub->from);
    mem_deref(sub->to);
    mem_deref(sub->next_hop);
    mem_deref(sub->event);
    mem_deref(sub->contact_params);
    sip_content_drop(&sub->content);
}

static void tell(struct mcx_sip_sub *sub, enum mcx_sip_sub_state state, const struct sip_msg *msg)
{
    struct mcx_sip_msg view;

    sub->state = state;
    if (sub->ending || sub->on_state == NULL) {
        return;
    }
    if (msg != NULL) {
        sip_msg_view(&view, msg);
    }
    sub->on_state(sub->arg, state, msg != NULL ? &view : NULL);
}

static void subscribe(void *arg);

/* The subscription is gone; another dialog after a while. */
static void lost(struct mcx_sip_sub *sub, const struct sip_msg *msg, uint64_t at_least_ms)
{
    uint64_t wait = sip_retry_wait(&sub->retry);

    tmr_cancel(&sub->wait);
    sub->flow = mem_deref(sub->flow);
    sub->req = mem_deref(sub->req);
    sip_dlg_clear(&sub->d);
    tmr_start(&sub->tmr, wait > at_least_ms ? wait : at_least_ms, subscribe, sub);
    tell(sub, MCX_SIP_SUB_LOST, msg);
}

static void refused(struct mcx_sip_sub *sub, const struct sip_msg *msg)
{
    tmr_cancel(&sub->wait);
    tmr_cancel(&sub->tmr);
    sub->flow = mem_deref(sub->flow);
    sip_dlg_clear(&sub->d);
    tell(sub, MCX_SIP_SUB_REFUSED, msg);
}

static void no_notify(void *arg)
{
    lost(arg, NULL, 0);
}

/* NOTIFYs would not arrive any more. */
static void flow_lost(int err, void *arg)
{
    struct mcx_sip_sub *sub = arg;

    (void)err;
    if (!sub->ending) {
        lost(sub, NULL, 0);
    }
}

static void renew_in(struct mcx_sip_sub *sub, uint32_t seconds)
{
    tmr_start(&sub->tmr, seconds > 2 ? (uint64_t)seconds * 500 : 1000, subscribe, sub);
}

static int sub_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst, struct mbuf *mb, void *arg)
{
    struct mcx_sip_sub *sub = arg;

    sub->peer = *dst;
    sub->has_peer = true;
    return sip_write_contact(mb, sub->sip->user, src, tp, sub->contact_params);
}

static void on_accepted(struct mcx_sip_sub *sub, const struct sip_msg *msg)
{
    uint32_t seconds = pl_isset(&msg->expires) ? pl_u32(&msg->expires) : sub->asked;
    bool first = sub->d.remote_tag == NULL;

    if (sip_dlg_establish(&sub->d, msg) != 0) { /* no Contact: nothing can be renewed */
        lost(sub, msg, 0);
        return;
    }
    renew_in(sub, seconds < sub->asked ? seconds : sub->asked);
    sip_flow_watch(&sub->flow, sub->sip, msg, flow_lost, sub);
    if (first && !sub->notified) {
        tmr_start(&sub->wait, NOTIFY_WAIT_MS, no_notify, sub);
        tell(sub, MCX_SIP_SUB_PENDING, msg);
    }
}

/* 423: once more, with what the notifier wants. */
static bool longer(struct mcx_sip_sub *sub, const struct sip_msg *msg)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_MIN_EXPIRES);
    uint32_t seconds = hdr != NULL ? pl_u32(&hdr->val) : 0;

    if (msg->scode != 423 || seconds <= sub->asked) {
        return false;
    }
    sub->asked = seconds;
    return true;
}

static void on_sub_response(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_sub *sub = arg;

    if (err == 0 && msg->scode < 200) {
        return;
    }
    if (sub->ending) {
        return; /* the last NOTIFY is awaited, or the time for it runs out */
    }
    if (err != 0 || msg->scode == 408 || msg->scode == 481) {
        lost(sub, err != 0 ? NULL : msg, 0);
    } else if (msg->scode < 300) {
        on_accepted(sub, msg);
    } else if (longer(sub, msg)) {
        tmr_start(&sub->tmr, 0, subscribe, sub);
    } else if (msg->scode >= 500 || sip_retry_after_ms(msg) != 0) {
        lost(sub, msg, sip_retry_after_ms(msg));
    } else {
        refused(sub, msg);
    }
    if (sub->again && sub->req == NULL) {
        sub->again = false;
        tmr_start(&sub->tmr, 0, subscribe, sub);
    }
}

static int send_subscribe(struct mcx_sip_sub *sub, uint32_t expires)
{
    struct mbuf *mb = mbuf_alloc(1024);
    int err = mb == NULL ? ENOMEM : 0;

    if (err == 0 && sub->d.call_id == NULL) {
        sub->notified = false;
        err = sip_dlg_begin(&sub->d, sub->sip, sub->uri, sub->from, sub->to, sub->next_hop, NULL);
    }
    err = err != 0 ? err : sip_dlg_head(mb, &sub->d, ++sub->d.local_seq, "SUBSCRIBE");
    err = err != 0 ? err : mbuf_printf(mb, "Event: %s\r\nExpires: %u\r\n", sub->event, expires);
    err = err != 0 ? err : mbuf_write_mem(mb, sub->content->buf, sub->content->end);
    if (err == 0) {
        err = sip_send_request(&sub->req, sub->sip, "SUBSCRIBE", sub->d.target, sip_dlg_hop(&sub->d), mb, sub_contact,
                               on_sub_response, sub);
    }
    mem_deref(mb);
    return err;
}

static void subscribe(void *arg)
{
    struct mcx_sip_sub *sub = arg;

    if (sub->req != NULL) { /* one at a time */
        sub->again = true;
        return;
    }
    if (sub->on_due != NULL) {
        sub->on_due(sub->arg);
    }
    if (send_subscribe(sub, sub->asked) != 0) {
        lost(sub, NULL, 0);
    }
}

static int sub_copy(struct mcx_sip_sub *sub, const struct mcx_sip_subscribe *p)
{
    int err = str_dup(&sub->uri, p->uri);

    err = err != 0 ? err : str_dup(&sub->from, p->from);
    err = err != 0 ? err : str_dup(&sub->to, p->to != NULL ? p->to : p->uri);
    err = err != 0 ? err : str_dup(&sub->event, p->event);
    if (err == 0 && p->next_hop != NULL) {
        err = str_dup(&sub->next_hop, p->next_hop);
    }
    if (err == 0 && p->content.contact_params != NULL) {
        err = str_dup(&sub->contact_params, p->content.contact_params);
    }
    return err != 0 ? err : sip_content_keep(&sub->content, &p->content);
}

mcx_err mcx_sip_sub_new(struct mcx_sip_sub **out, struct mcx_sip *sip, const struct mcx_sip_subscribe *params)
{
    struct mcx_sip_sub *sub = mem_zalloc(sizeof *sub, sub_free);
    int err;

    if (sub == NULL) {
        return MCX_E_NOMEM;
    }
    tmr_init(&sub->tmr);
    tmr_init(&sub->wait);
    sub->sip = sip;
    sub->expires = params->expires != 0 ? params->expires : DEFAULT_EXPIRES;
    sub->asked = sub->expires;
    sub->retry.max_ms = params->max_retry_ms != 0 ? params->max_retry_ms : MAX_RETRY_MS;
    sub->on_due = params->on_due;
    sub->on_notify = params->on_notify;
    sub->on_state = params->on_state;
    sub->arg = params->arg;
    err = sub_copy(sub, params);
    err = err != 0 ? err : send_subscribe(sub, sub->asked);
    if (err != 0) {
        mem_deref(sub);
        return sip_err(err);
    }
    list_append(&sip->subs, &sub->le, sub);
    *out = sub;
    return MCX_OK;
}

void mcx_sip_sub_now(struct mcx_sip_sub *sub)
{
    sub->asked = sub->expires;
    tmr_start(&sub->tmr, 0, subscribe, sub);
}

mcx_err mcx_sip_sub_content(struct mcx_sip_sub *sub, const struct mcx_sip_content *content, bool now)
{
    MCX_TRY(sip_err(sip_content_keep(&sub->content, content)));
    if (now) {
        mcx_sip_sub_now(sub);
    }
    return MCX_OK;
}

static void ended(void *arg)
{
    mem_deref(arg);
}

void mcx_sip_sub_end(struct mcx_sip_sub *sub)
{
    bool there = sub->d.remote_tag != NULL;

    sub->ending = true;
    tmr_cancel(&sub->wait);
    sub->flow = mem_deref(sub->flow);
    sub->req = mem_deref(sub->req);
    tmr_start(&sub->tmr, there && send_subscribe(sub, 0) == 0 ? LAST_NOTIFY_MS : 0, ended, sub);
}

/* ---- NOTIFY ---- */

static struct mcx_sip_sub *find_sub(struct mcx_sip *sip, const struct sip_msg *msg)
{
    for (struct le *le = list_head(&sip->subs); le != NULL; le = le->next) {
        struct mcx_sip_sub *sub = le->data;

        if (sip_dlg_is(&sub->d, msg)) {
            return sub;
        }
        /* it may be there before the 200 to the SUBSCRIBE, and opens the dialog then (RFC 6665 4.1.2.4) */
        if (sub->d.call_id != NULL && sub->d.remote_tag == NULL && pl_strcmp(&msg->callid, sub->d.call_id) == 0 &&
            pl_strcmp(&msg->to.tag, sub->d.local_tag) == 0) {
            return sub;
        }
    }
    return NULL;
}

static int open_by_notify(struct mcx_sip_sub *sub, const struct sip_msg *msg)
{
    int err;

    if (sub->d.remote_tag != NULL) {
        return 0;
    }
    err = sip_dlg_target(&sub->d, msg);
    err = err != 0 ? err : pl_strdup(&sub->d.remote_tag, &msg->from.tag);
    if (err == 0) {
        sub->d.remote = mem_deref(sub->d.remote);
        err = pl_strdup(&sub->d.remote, &msg->from.val);
    }
    return err;
}

struct subscription_state {
    struct pl word, expires, reason, retry_after;
};

static bool read_state(struct subscription_state *out, const struct sip_msg *msg)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_SUBSCRIPTION_STATE);
    struct pl params = { NULL, 0 };

    *out = (struct subscription_state){ .word = { NULL, 0 } };
    if (hdr == NULL || re_regex(hdr->val.p, hdr->val.l, "[a-z]+[^]*", &out->word, &params) != 0) {
        return false;
    }
    (void)msg_param_decode(&params, "expires", &out->expires);
    (void)msg_param_decode(&params, "reason", &out->reason);
    (void)msg_param_decode(&params, "retry-after", &out->retry_after);
    return true;
}

/* Ended by the notifier: what to do about it is in its reason (RFC 6665 4.1.3). */
static void terminated(struct mcx_sip_sub *sub, const struct subscription_state *st, const struct sip_msg *msg)
{
    if (sub->ending) {
        tmr_start(&sub->tmr, 0, ended, sub);
    } else if (pl_strcasecmp(&st->reason, "rejected") == 0 || pl_strcasecmp(&st->reason, "noresource") == 0 ||
               pl_strcasecmp(&st->reason, "invariant") == 0) {
        sub->req = mem_deref(sub->req);
        refused(sub, msg);
    } else {
        uint32_t seconds = pl_isset(&st->retry_after) ? pl_u32(&st->retry_after) : 0;

        lost(sub, msg, (uint64_t)(seconds < 86400 ? seconds : 86400) * 1000);
    }
}

static void take_state(struct mcx_sip_sub *sub, const struct subscription_state *st, const struct sip_msg *msg)
{
    uint32_t seconds = pl_isset(&st->expires) ? pl_u32(&st->expires) : sub->asked;
    enum mcx_sip_sub_state state = pl_strcasecmp(&st->word, "pending") == 0 ? MCX_SIP_SUB_PENDING : MCX_SIP_SUB_ACTIVE;
    bool first = !sub->notified;

    tmr_cancel(&sub->wait);
    sub->notified = true;
    sip_retry_good(&sub->retry);
    if (sub->ending) {
        return;
    }
    if (sub->req == NULL && seconds < sub->asked) { /* shortened by the notifier */
        renew_in(sub, seconds);
    }
    if (first || state != sub->state) {
        tell(sub, state, msg);
    }
}

/* What makes a NOTIFY one of this subscription. @return 200, or the refusal */
static uint16_t judge(struct mcx_sip_sub *sub, struct subscription_state *st, const struct sip_msg *msg,
                      const char **reason)
{
    const struct sip_hdr *event = sip_msg_hdr(msg, SIP_HDR_EVENT);

    if (!sub->has_peer || !sa_cmp(&msg->src, &sub->peer, SA_ADDR)) { /* docs/DEVIATIONS.md "notify-source" */
        *reason = "NOTIFY from elsewhere";
        return 403;
    }
    if (sub->d.remote_tag != NULL && sub->d.remote_seq != 0 && msg->cseq.num <= sub->d.remote_seq) {
        *reason = "NOTIFY out of order";
        return 500; /* RFC 3261 12.2.2 */
    }
    if (event == NULL || !sip_event_is(&event->val, sub->event)) {
        *reason = "NOTIFY of another event package";
        return 489;
    }
    if (!read_state(st, msg) || open_by_notify(sub, msg) != 0) {
        *reason = "NOTIFY without state or Contact";
        return 400;
    }
    return 200;
}

static void on_notify(struct mcx_sip_sub *sub, const struct sip_msg *msg)
{
    struct subscription_state st;
    struct mcx_sip_msg view;
    const char *reason = "OK";
    uint16_t code = judge(sub, &st, msg, &reason);

    if (code != 200) {
        sip_refused(sub->sip, reason);
        (void)sip_treply(NULL, sub->sip->stack, msg, code, code == 489 ? "Bad Event" : "Refused");
        return;
    }
    sub->d.remote_seq = msg->cseq.num;
    (void)sip_dlg_target(&sub->d, msg); /* a NOTIFY is a target refresh; without Contact the old one stays */
    (void)sip_treply(NULL, sub->sip->stack, msg, 200, "OK");
    mem_ref(sub);
    take_state(sub, &st, msg);
    if (!sub->ending && sub->on_notify != NULL && mbuf_get_left(msg->mb) > 0) {
        sip_msg_view(&view, msg);
        sub->on_notify(sub->arg, &view);
    }
    if (pl_strcasecmp(&st.word, "terminated") == 0) {
        terminated(sub, &st, msg);
    }
    mem_deref(sub);
}

bool sip_event_request(struct mcx_sip *sip, const struct sip_msg *msg)
{
    struct mcx_sip_sub *sub;

    if (pl_strcmp(&msg->met, "SUBSCRIBE") == 0) {
        return sip_watcher_request(sip, msg);
    }
    if (pl_strcmp(&msg->met, "NOTIFY") != 0) {
        return false;
    }
    sub = find_sub(sip, msg);
    if (sub == NULL) { /* RFC 6665 4.1.3; keeps no transaction for a stranger */
        sip_refused(sip, "NOTIFY outside a subscription");
        (void)sip_reply(sip->stack, msg, 481, "Subscription Does Not Exist");
        return true;
    }
    on_notify(sub, msg);
    return true;
}

void sip_events_drop(struct mcx_sip *sip)
{
    list_flush(&sip->subs);
    sip_pubs_drop(sip);
    sip_watchers_drop(sip);
}

/* ---- shared ---- */

bool sip_event_is(const struct pl *value, const char *event)
{
    size_t len = strcspn(event, ";");

    return value->l >= len && strncasecmp(value->p, event, len) == 0 &&
           (value->l == len || value->p[len] == ';' || value->p[len] == ' ');
}
