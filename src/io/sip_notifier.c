/* SPDX-License-Identifier: Apache-2.0 */
/* The notifier's side of subscriptions (RFC 6665 4.2). */
#define _GNU_SOURCE
#include "io/sip_event.h"

#include <string.h>

#include "io/sip_event_priv.h"

enum {
    MIN_EXPIRES = 60,
    MAX_EXPIRES = 3600,
    TELL_MS = 1000, /* a SUBSCRIBE is followed by a NOTIFY: after this by an empty one */
};

struct mcx_sip_watcher {
    struct le he;
    struct sip_dlg d;
    struct sip_request *req; /* the NOTIFY on its way */
    struct list queue;       /* struct waiting */
    struct tmr tmr;          /* its end */
    struct tmr tell;
    char *event;
    const char *why;    /* reason of the end */
    uint64_t until;     /* tmr_jiffies() */
    bool ending, ended; /* the last NOTIFY is due; has gone */
    bool answering;     /* the 200 comes first */
    struct mcx_sip_watch_params p;
};

struct waiting {
    struct le le;
    struct mbuf *content;
};

static void waiting_free(void *arg)
{
    struct waiting *w = arg;

    list_unlink(&w->le);
    mem_deref(w->content);
}

static void watcher_free(void *arg)
{
    struct mcx_sip_watcher *w = arg;

    if (w->he.list != NULL) {
        w->d.sip->num_watchers--;
    }
    hash_unlink(&w->he);
    tmr_cancel(&w->tmr);
    tmr_cancel(&w->tell);
    mem_deref(w->req);
    list_flush(&w->queue);
    sip_dlg_clear(&w->d);
    mem_deref(w->event);
}

size_t mcx_sip_num_watchers(const struct mcx_sip *sip)
{
    return sip->num_watchers;
}

static void finish(struct mcx_sip_watcher *w, const struct sip_msg *msg)
{
    struct mcx_sip_msg view;

    if (w->p.on_end != NULL) {
        if (msg != NULL) {
            sip_msg_view(&view, msg);
        }
        w->p.on_end(w->p.arg, w, msg != NULL ? &view : NULL);
    }
    mem_deref(w);
}

static void send_next(struct mcx_sip_watcher *w);

static void on_notify_response(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_watcher *w = arg;

    if (err == 0 && msg->scode < 200) {
        return;
    }
    if (err != 0 || msg->scode >= 300 || w->ended) { /* whoever does not take NOTIFYs gets no more (RFC 6665 4.2.2) */
        finish(w, err == 0 ? msg : NULL);
        return;
    }
    send_next(w);
}

static int notify_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst, struct mbuf *mb, void *arg)
{
    const struct mcx_sip_watcher *w = arg;

    (void)dst;
    return sip_write_contact(mb, w->d.sip->user, src, tp, NULL);
}

static int write_state(struct mbuf *mb, const struct mcx_sip_watcher *w)
{
    uint64_t now = tmr_jiffies();

    return w->ended ? mbuf_printf(mb, "Subscription-State: terminated;reason=%s\r\n", w->why)
                    : mbuf_printf(mb, "Subscription-State: active;expires=%llu\r\n",
                                  w->until > now ? (unsigned long long)((w->until - now) / 1000) : 0ULL);
}

static int send_notify(struct mcx_sip_watcher *w, const struct mbuf *content)
{
    struct mbuf *mb = mbuf_alloc(1024);
    int err = mb == NULL ? ENOMEM : sip_dlg_head(mb, &w->d, ++w->d.local_seq, "NOTIFY");

    err = err != 0 ? err : mbuf_printf(mb, "Event: %s\r\n", w->event);
    err = err != 0 ? err : write_state(mb, w);
    err = err != 0 ? err : mbuf_write_mem(mb, content->buf, content->end);
    if (err == 0) {
        err = sip_send_request(&w->req, w->d.sip, "NOTIFY", w->d.target, sip_dlg_hop(&w->d), mb, notify_contact,
                               on_notify_response, w);
    }
    mem_deref(mb);
    return err;
}

static void give_up(void *arg)
{
    finish(arg, NULL);
}

/* One at a time, so that they arrive in order; the last of an ended subscription says so. */
static void send_next(struct mcx_sip_watcher *w)
{
    struct waiting *next = list_ledata(list_head(&w->queue));

    if (next == NULL || w->req != NULL || w->answering || w->ended) {
        return;
    }
    tmr_cancel(&w->tell);
    w->ended = w->ending && list_count(&w->queue) == 1;
    if (send_notify(w, next->content) != 0) {
        tmr_start(&w->tmr, 0, give_up, w); /* not from inside a call of the program */
    }
    mem_deref(next);
}

static mcx_err enqueue(struct mcx_sip_watcher *w, const struct mcx_sip_content *content)
{
    struct waiting *next = mem_zalloc(sizeof *next, waiting_free);
    int err = next == NULL ? ENOMEM : sip_content_keep(&next->content, content);

    if (err != 0) {
        mem_deref(next);
        return sip_err(err);
    }
    list_append(&w->queue, &next->le, next);
    send_next(w);
    return MCX_OK;
}

mcx_err mcx_sip_notify(struct mcx_sip_watcher *watcher, const struct mcx_sip_content *content)
{
    if (watcher->ended) {
        return MCX_E_STATE;
    }
    return list_count(&watcher->queue) < MCX_SIP_MAX_NOTIFIES ? enqueue(watcher, content) : MCX_E_SPACE;
}

/* The end: what waits goes out, the last of it as the last one. */
static void end(struct mcx_sip_watcher *w, const char *why)
{
    tmr_cancel(&w->tmr);
    if (!w->ending) {
        w->ending = true;
        w->why = why;
    }
    if (!w->ended && list_isempty(&w->queue) && enqueue(w, NULL) != MCX_OK) {
        tmr_start(&w->tmr, 0, give_up, w);
    }
}

static void expired(void *arg)
{
    end(arg, "timeout");
}

static void tell_nothing(void *arg)
{
    struct mcx_sip_watcher *w = arg;

    if (w->ending) {
        end(w, "timeout");
    } else if (enqueue(w, NULL) != MCX_OK) {
        tmr_start(&w->tell, TELL_MS, tell_nothing, w);
    }
}

void mcx_sip_watcher_end(struct mcx_sip_watcher *watcher, const char *reason)
{
    if (watcher != NULL) {
        watcher->p.on_end = NULL;
        watcher->p.on_refresh = NULL;
        end(watcher, reason);
    }
}

/* ---- SUBSCRIBE ---- */

bool mcx_sip_event_of(const struct mcx_sip_msg *msg, struct mcx_bytes *event)
{
    size_t len = 0;

    if (!mcx_sip_header(msg, "Event", 0, event)) {
        return false;
    }
    while (len < event->len && event->p[len] != ';' && event->p[len] != ' ') {
        len++;
    }
    event->len = len;
    return len > 0;
}

static bool read_expires(uint32_t *seconds, const struct mcx_sip_watch_params *p, const struct sip_msg *msg)
{
    uint32_t min = p->min_expires != 0 ? p->min_expires : MIN_EXPIRES;
    uint32_t max = p->max_expires != 0 ? p->max_expires : MAX_EXPIRES;

    *seconds = pl_isset(&msg->expires) ? pl_u32(&msg->expires) : max;
    *seconds = *seconds < max ? *seconds : max;
    return *seconds == 0 || *seconds >= min;
}

static void too_brief(const struct mcx_sip *sip, const struct mcx_sip_watch_params *p, const struct sip_msg *msg)
{
    (void)sip_treplyf(NULL, NULL, sip->stack, msg, false, 423, "Interval Too Brief",
                      "Min-Expires: %u\r\nContent-Length: 0\r\n\r\n",
                      p->min_expires != 0 ? p->min_expires : (uint32_t)MIN_EXPIRES);
}

/* 200 with what was granted; the time runs from here. */
static int grant(struct mcx_sip_watcher *w, const struct sip_msg *msg, uint32_t seconds)
{
    struct mbuf *mb = mbuf_alloc(256);
    struct sa local;
    int err = mb == NULL ? ENOMEM : 0;

    sip_local_for(&local, w->d.sip, msg);
    err = err != 0 ? err : sip_write_contact(mb, w->d.sip->user, &local, msg->tp, NULL);
    err = err != 0 ? err : mbuf_printf(mb, "Expires: %u\r\nContent-Length: 0\r\n\r\n", seconds);
    err = err != 0 ? err : sip_treplyf(NULL, NULL, w->d.sip->stack, msg, true, 200, "OK", "%b", mb->buf, mb->end);
    mem_deref(mb);
    if (err == 0) {
        w->until = tmr_jiffies() + (uint64_t)seconds * 1000;
        tmr_start(&w->tell, TELL_MS, tell_nothing, w);
        if (seconds == 0) {
            w->ending = true;
            w->why = "timeout";
            tmr_cancel(&w->tmr);
        } else {
            tmr_start(&w->tmr, (uint64_t)seconds * 1000, expired, w);
        }
    }
    return err;
}

mcx_err mcx_sip_watcher_accept(struct mcx_sip_watcher **out, struct mcx_sip *sip, const struct mcx_sip_msg *view,
                               const struct mcx_sip_watch_params *params)
{
    const struct sip_msg *msg = view->impl;
    const struct sip_hdr *event = sip_msg_hdr(msg, SIP_HDR_EVENT);
    struct mcx_sip_watcher *w;
    uint32_t seconds;
    int err;

    *out = NULL;
    if (!read_expires(&seconds, params, msg)) {
        too_brief(sip, params, msg);
        return MCX_OK;
    }
    if (sip->num_watchers >= MCX_SIP_MAX_WATCHERS) {
        sip_refused(sip, "too many subscriptions");
        (void)sip_reply(sip->stack, msg, 503, "Service Unavailable");
        return MCX_OK;
    }
    w = mem_zalloc(sizeof *w, watcher_free);
    if (w == NULL) {
        return MCX_E_NOMEM;
    }
    tmr_init(&w->tmr);
    tmr_init(&w->tell);
    w->p = *params;
    if (event == NULL || sip_dlg_accept(&w->d, sip, msg) != 0) {
        mem_deref(w);
        (void)sip_treply(NULL, sip->stack, msg, 400, "Bad Request");
        return MCX_OK;
    }
    err = pl_strdup(&w->event, &event->val);
    err = err != 0 ? err : grant(w, msg, seconds);
    if (err != 0) {
        mem_deref(w);
        return sip_err(err);
    }
    hash_append(sip->watchers, hash_joaat_str(w->d.call_id), &w->he, w);
    sip->num_watchers++;
    *out = w;
    return MCX_OK;
}

static bool same_dialog(struct le *le, void *arg)
{
    const struct mcx_sip_watcher *w = le->data;

    return sip_dlg_is(&w->d, arg);
}

static void on_refresh(struct mcx_sip_watcher *w, const struct sip_msg *msg)
{
    const struct sip_hdr *event = sip_msg_hdr(msg, SIP_HDR_EVENT);
    struct sip *stack = w->d.sip->stack;
    struct mcx_sip_msg view;
    uint32_t seconds;
    uint16_t code = 200;

    if (msg->cseq.num <= w->d.remote_seq) {
        sip_refused(w->d.sip, "SUBSCRIBE out of order");
        (void)sip_treply(NULL, stack, msg, 500, "Server Internal Error"); /* RFC 3261 12.2.2 */
        return;
    }
    w->d.remote_seq = msg->cseq.num;
    if (w->ending || event == NULL || pl_strcmp(&event->val, w->event) != 0) {
        (void)sip_treply(NULL, stack, msg, 481, "Subscription Does Not Exist");
        return;
    }
    if (!read_expires(&seconds, &w->p, msg)) {
        too_brief(w->d.sip, &w->p, msg);
        return;
    }
    (void)sip_dlg_target(&w->d, msg);
    sip_msg_view(&view, msg);
    w->answering = true;
    if (w->p.on_refresh != NULL) {
        code = w->p.on_refresh(w->p.arg, w, &view, seconds == 0);
    }
    w->answering = false;
    if (code != 200) {
        (void)sip_treply(NULL, stack, msg, code, "Refused");
    } else if (grant(w, msg, seconds) != 0) {
        (void)sip_treply(NULL, stack, msg, 500, "Server Internal Error");
    }
    send_next(w);
}

bool sip_watcher_request(struct mcx_sip *sip, const struct sip_msg *msg)
{
    struct mcx_sip_watcher *w;

    if (!pl_isset(&msg->to.tag)) {
        return false; /* a new one: the program decides */
    }
    w = list_ledata(hash_lookup(sip->watchers, hash_joaat_pl(&msg->callid), same_dialog, (void *)(uintptr_t)msg));
    if (w == NULL) {
        return false;
    }
    mem_ref(w);
    on_refresh(w, msg);
    mem_deref(w);
    return true;
}

static bool drop_one(struct le *le, void *arg)
{
    (void)arg;
    mem_deref(le->data);
    return false;
}

void sip_watchers_drop(struct mcx_sip *sip)
{
    if (sip->watchers != NULL) {
        (void)hash_apply(sip->watchers, drop_one, NULL);
    }
}
