/* SPDX-License-Identifier: Apache-2.0 */
/* Publications (RFC 3903): the client that keeps one alive, and what a server has to read and to answer. */
#define _GNU_SOURCE
#include "io/sip_event.h"

#include <string.h>

#include <mcx/text.h>

#include "io/sip_event_priv.h"

enum { DEFAULT_EXPIRES = 3600, RETRY_MS = 30000, END_MS = 2000 };

struct mcx_sip_pub {
    struct le le;
    struct mcx_sip *sip;
    struct sip_dlg d; /* Call-ID and CSeq of requests that follow each other */
    struct sip_request *req;
    struct tmr tmr;
    char *event, *etag, *contact_params;
    struct mbuf *content;
    uint32_t expires;
    bool told;   /* the server has what is in `content` */
    bool change; /* the content was changed while a request was on its way */
    bool ending;
    bool matched; /* the request on its way names our etag */
    void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *response);
    void *arg;
};

static void pub_free(void *arg)
{
    struct mcx_sip_pub *pub = arg;

    list_unlink(&pub->le);
    tmr_cancel(&pub->tmr);
    mem_deref(pub->req);
    sip_dlg_clear(&pub->d);
    mem_deref(pub->event);
    mem_deref(pub->etag);
    mem_deref(pub->contact_params);
    sip_content_drop(&pub->content);
}

static void publish(void *arg);

static int pub_contact(enum sip_transp tp, const struct sa *src, const struct sa *dst, struct mbuf *mb, void *arg)
{
    const struct mcx_sip_pub *pub = arg;

    (void)dst;
    return pub->contact_params == NULL ? 0 : sip_write_contact(mb, pub->sip->user, src, tp, pub->contact_params);
}

static int take_etag(struct mcx_sip_pub *pub, const struct sip_msg *msg)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_SIP_ETAG);

    pub->etag = mem_deref(pub->etag);
    return hdr == NULL ? 0 : pl_strdup(&pub->etag, &hdr->val);
}

static void on_accepted(struct mcx_sip_pub *pub, const struct sip_msg *msg)
{
    uint32_t seconds = pl_isset(&msg->expires) ? pl_u32(&msg->expires) : pub->expires;

    pub->told = take_etag(pub, msg) == 0 && pub->etag != NULL && !pub->change; /* without one all is said each time */
    tmr_start(&pub->tmr, pub->change ? 0 : seconds > 2 ? (uint64_t)seconds * 500 : 1000, publish, pub);
    pub->change = false;
}

/* 423: once more, with what the server wants. */
static bool longer(struct mcx_sip_pub *pub, const struct sip_msg *msg)
{
    const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_MIN_EXPIRES);
    uint32_t seconds = hdr != NULL ? pl_u32(&hdr->val) : 0;

    if (msg->scode != 423 || seconds <= pub->expires) {
        return false;
    }
    pub->expires = seconds;
    return true;
}

static void ended(void *arg)
{
    mem_deref(arg);
}

static void on_pub_response(int err, const struct sip_msg *msg, void *arg)
{
    struct mcx_sip_pub *pub = arg;
    struct mcx_sip_msg view;

    if (err == 0 && msg->scode < 200) {
        return;
    }
    if (pub->ending) {
        tmr_start(&pub->tmr, 0, ended, pub);
        return;
    }
    if (err != 0) {
        tmr_start(&pub->tmr, RETRY_MS, publish, pub);
        pub->on_state(pub->arg, 0, NULL);
        return;
    }
    if (msg->scode == 412 && pub->matched) { /* the server has forgotten it (RFC 3903 4.1): all anew */
        pub->etag = mem_deref(pub->etag);
        pub->told = false;
        tmr_start(&pub->tmr, 0, publish, pub);
        return;
    }
    if (longer(pub, msg)) {
        tmr_start(&pub->tmr, 0, publish, pub);
        return;
    }
    if (msg->scode < 300) {
        on_accepted(pub, msg);
    } else if (pub->change) {
        pub->change = false;
        tmr_start(&pub->tmr, 0, publish, pub);
    }
    sip_msg_view(&view, msg);
    pub->on_state(pub->arg, msg->scode, &view);
}

/* A renewal and a removal carry no body; a first publication and a change do (RFC 3903 4.1, table 1). */
static int send_publish(struct mcx_sip_pub *pub, uint32_t expires)
{
    struct mbuf *mb = mbuf_alloc(1024);
    bool body = !pub->told && expires != 0;
    int err = mb == NULL ? ENOMEM : sip_dlg_head(mb, &pub->d, ++pub->d.local_seq, "PUBLISH");

    err = err != 0 ? err : mbuf_printf(mb, "Event: %s\r\nExpires: %u\r\n", pub->event, expires);
    if (err == 0 && pub->etag != NULL) {
        err = mbuf_printf(mb, "SIP-If-Match: %s\r\n", pub->etag);
    }
    pub->matched = pub->etag != NULL;
    err = err != 0 ? err
          : body   ? mbuf_write_mem(mb, pub->content->buf, pub->content->end)
                   : mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");
    if (err == 0) {
        err = sip_send_request(&pub->req, pub->sip, "PUBLISH", pub->d.target, sip_dlg_hop(&pub->d), mb, pub_contact,
                               on_pub_response, pub);
    }
    mem_deref(mb);
    return err;
}

static void publish(void *arg)
{
    struct mcx_sip_pub *pub = arg;

    if (send_publish(pub, pub->expires) != 0) {
        tmr_start(&pub->tmr, RETRY_MS, publish, pub);
        pub->on_state(pub->arg, 0, NULL);
    }
}

mcx_err mcx_sip_pub_new(struct mcx_sip_pub **out, struct mcx_sip *sip, const struct mcx_sip_publish *params)
{
    struct mcx_sip_pub *pub = mem_zalloc(sizeof *pub, pub_free);
    int err;

    if (pub == NULL) {
        return MCX_E_NOMEM;
    }
    tmr_init(&pub->tmr);
    pub->sip = sip;
    pub->expires = params->expires != 0 ? params->expires : DEFAULT_EXPIRES;
    pub->on_state = params->on_state;
    pub->arg = params->arg;
    err = sip_dlg_begin(&pub->d, sip, params->uri, params->from, params->to, params->next_hop, NULL);
    err = err != 0 ? err : str_dup(&pub->event, params->event);
    if (err == 0 && params->content.contact_params != NULL) {
        err = str_dup(&pub->contact_params, params->content.contact_params);
    }
    err = err != 0 ? err : sip_content_keep(&pub->content, &params->content);
    err = err != 0 ? err : send_publish(pub, pub->expires);
    if (err != 0) {
        mem_deref(pub);
        return sip_err(err);
    }
    list_append(&sip->pubs, &pub->le, pub);
    *out = pub;
    return MCX_OK;
}

mcx_err mcx_sip_pub_content(struct mcx_sip_pub *pub, const struct mcx_sip_content *content)
{
    MCX_TRY(sip_err(sip_content_keep(&pub->content, content)));
    pub->told = false;
    pub->change = pub->req != NULL;
    if (!pub->change) {
        tmr_start(&pub->tmr, 0, publish, pub);
    }
    return MCX_OK;
}

void mcx_sip_pub_end(struct mcx_sip_pub *pub)
{
    pub->ending = true;
    pub->req = mem_deref(pub->req);
    tmr_start(&pub->tmr, pub->etag != NULL && send_publish(pub, 0) == 0 ? END_MS : 0, ended, pub);
}

void sip_pubs_drop(struct mcx_sip *sip)
{
    list_flush(&sip->pubs);
}

/* ---- the server's side ---- */

mcx_err mcx_sip_publish_read(struct mcx_sip_publish_view *out, const struct mcx_sip_msg *msg)
{
    struct mcx_sip_publish_view v = { .expires = DEFAULT_EXPIRES };
    struct mcx_bytes value;
    uint64_t seconds = 0;

    if (!mcx_sip_event_of(msg, &v.event)) {
        return MCX_E_FORMAT;
    }
    if (mcx_sip_header(msg, "Expires", 0, &value)) {
        if (mcx_dec_read(&seconds, UINT32_MAX, mcx_bytes_trim(value)) != MCX_OK) {
            return MCX_E_FORMAT;
        }
        v.expires = (uint32_t)seconds;
    }
    if (mcx_sip_header(msg, "SIP-If-Match", 1, &value)) {
        return MCX_E_FORMAT;
    }
    if (mcx_sip_header(msg, "SIP-If-Match", 0, &v.if_match)) {
        v.if_match = mcx_bytes_trim(v.if_match);
    }
    *out = v;
    return MCX_OK;
}

mcx_err mcx_sip_publish_answer(struct mcx_sip *sip, const struct mcx_sip_msg *msg, char etag[MCX_SIP_ETAG_MAX],
                               uint32_t expires)
{
    struct mcx_sip_content content = { 0 };
    char fresh[MCX_SIP_ETAG_MAX];
    char headers[128];

    if (re_snprintf(fresh, sizeof fresh, "%016llx", rand_u64()) < 0 ||
        re_snprintf(headers, sizeof headers, "SIP-ETag: %s\r\nExpires: %u\r\n", fresh, expires) < 0) {
        return MCX_E_SPACE;
    }
    content.headers = headers;
    MCX_TRY(mcx_sip_respond(sip, msg, 200, "OK", &content));
    memcpy(etag, fresh, sizeof fresh);
    return MCX_OK;
}
