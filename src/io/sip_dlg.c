/* SPDX-License-Identifier: Apache-2.0 */
/* Dialog state, shared by calls and subscriptions (RFC 3261 12). */
#define _GNU_SOURCE
#include "io/sip_priv.h"

struct route_list {
    struct mbuf *mb;
    char *first;
    int err;
};

static bool add_route(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    struct route_list *list = arg;
    struct sip_addr addr;

    (void)msg;
    if (list->first == NULL) {
        list->err = sip_addr_decode(&addr, &hdr->val);
        if (list->err == 0) {
            list->err = pl_strdup(&list->first, &addr.auri);
        }
    }
    if (list->err == 0) {
        list->err = mbuf_printf(list->mb, "Route: %r\r\n", &hdr->val);
    }
    return list->err != 0;
}

/* Route set from Record-Route: as it is for the side that was asked, reversed for the one that began (RFC 3261 12.1).
 */
static int take_routes(struct sip_dlg *d, const struct sip_msg *msg)
{
    struct route_list list = { .mb = mbuf_alloc(256) };

    if (list.mb == NULL) {
        return ENOMEM;
    }
    (void)sip_msg_hdr_apply(msg, msg->req, SIP_HDR_RECORD_ROUTE, add_route, &list);
    if (list.err == 0) {
        list.mb->pos = 0;
        mem_deref(d->routes);
        mem_deref(d->first_route);
        d->routes = NULL;
        d->first_route = list.first;
        list.err = mbuf_strdup(list.mb, &d->routes, list.mb->end);
    } else {
        mem_deref(list.first);
    }
    mem_deref(list.mb);
    return list.err;
}

int sip_dlg_target(struct sip_dlg *d, const struct sip_msg *msg)
{
    const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
    struct sip_addr addr;
    char *target = NULL;
    int err;

    if (contact == NULL || sip_addr_decode(&addr, &contact->val) != 0) {
        return EBADMSG;
    }
    err = pl_strdup(&target, &addr.auri);
    if (err == 0) {
        mem_deref(d->target);
        d->target = target;
    }
    return err;
}

int sip_dlg_establish(struct sip_dlg *d, const struct sip_msg *msg)
{
    int err = sip_dlg_target(d, msg);

    err = err != 0 ? err : take_routes(d, msg);
    if (err == 0 && d->remote_tag == NULL) {
        err = pl_strdup(&d->remote_tag, &msg->to.tag);
        mem_deref(d->remote);
        d->remote = NULL;
        err = err != 0 ? err : pl_strdup(&d->remote, &msg->to.val);
    }
    return err;
}

int sip_dlg_head(struct mbuf *mb, const struct sip_dlg *d, uint32_t cseq, const char *method)
{
    int err = mbuf_write_str(mb, "Max-Forwards: 70\r\n");

    if (d->routes != NULL) {
        err |= mbuf_write_str(mb, d->routes);
    }
    err |= mbuf_printf(mb, "To: %s\r\nFrom: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", d->remote, d->local, d->call_id,
                       cseq, method);
    if (d->sip->agent != NULL) {
        err |= mbuf_printf(mb, "User-Agent: %s\r\n", d->sip->agent);
    }
    return err;
}

const char *sip_dlg_hop(const struct sip_dlg *d)
{
    return d->first_route != NULL ? d->first_route : d->next_hop;
}

static int preload_routes(struct sip_dlg *d, const char *const route[4])
{
    struct mbuf *mb = mbuf_alloc(256);
    int err = mb == NULL ? ENOMEM : 0;

    for (size_t i = 0; err == 0 && i < 4 && route[i] != NULL; i++) {
        err = mbuf_printf(mb, "Route: <%s>\r\n", route[i]);
    }
    if (err == 0 && route[0] != NULL) {
        mb->pos = 0;
        err = mbuf_strdup(mb, &d->routes, mb->end);
        err = err != 0 ? err : str_dup(&d->first_route, route[0]);
    }
    mem_deref(mb);
    return err;
}

int sip_dlg_begin(struct sip_dlg *d, struct mcx_sip *sip, const char *uri, const char *from, const char *to,
                  const char *next_hop, const char *const route[4])
{
    int err = re_sdprintf(&d->call_id, "%016llx%016llx", rand_u64(), rand_u64());

    d->sip = sip;
    err = err != 0 ? err : re_sdprintf(&d->local_tag, "%016llx", rand_u64());
    err = err != 0 ? err : re_sdprintf(&d->local, "<%s>;tag=%s", from, d->local_tag);
    err = err != 0 ? err : re_sdprintf(&d->remote, "<%s>", to != NULL ? to : uri);
    err = err != 0 ? err : str_dup(&d->target, uri);
    if (err == 0 && next_hop != NULL) {
        err = str_dup(&d->next_hop, next_hop);
    }
    d->local_seq = rand_u16();
    return err != 0 || route == NULL ? err : preload_routes(d, route);
}

int sip_dlg_accept(struct sip_dlg *d, struct mcx_sip *sip, const struct sip_msg *msg)
{
    struct mcx_sip_msg view;
    int err = pl_strdup(&d->call_id, &msg->callid);

    d->sip = sip;
    err = err != 0 ? err : re_sdprintf(&d->local_tag, "%016llx", msg->tag);
    err = err != 0 ? err : pl_strdup(&d->remote_tag, &msg->from.tag);
    err = err != 0 ? err : re_sdprintf(&d->local, "%r;tag=%s", &msg->to.val, d->local_tag);
    err = err != 0 ? err : pl_strdup(&d->remote, &msg->from.val);
    err = err != 0 ? err : sip_dlg_target(d, msg);
    err = err != 0 ? err : take_routes(d, msg);
    if (err == 0) {
        sip_msg_view(&view, msg);
        err = str_dup(&d->next_hop, sip->outbound != NULL ? sip->outbound : view.source);
    }
    d->remote_seq = msg->cseq.num;
    d->local_seq = rand_u16();
    return err;
}

int sip_dlg_follow(struct sip_dlg *d, const struct sip_msg *msg)
{
    struct mcx_sip_msg view;

    if (d->sip->outbound != NULL || d->next_hop == NULL) {
        return 0;
    }
    sip_msg_view(&view, msg);
    d->next_hop = mem_deref(d->next_hop);
    return str_dup(&d->next_hop, view.source);
}

bool sip_dlg_is(const struct sip_dlg *d, const struct sip_msg *msg)
{
    const struct pl *local = msg->req ? &msg->to.tag : &msg->from.tag;
    const struct pl *remote = msg->req ? &msg->from.tag : &msg->to.tag;

    return d->remote_tag != NULL && pl_strcmp(&msg->callid, d->call_id) == 0 && pl_strcmp(local, d->local_tag) == 0 &&
           pl_strcmp(remote, d->remote_tag) == 0;
}

void sip_dlg_clear(struct sip_dlg *d)
{
    mem_deref(d->call_id);
    mem_deref(d->local_tag);
    mem_deref(d->remote_tag);
    mem_deref(d->local);
    mem_deref(d->remote);
    mem_deref(d->target);
    mem_deref(d->routes);
    mem_deref(d->first_route);
    mem_deref(d->next_hop);
    *d = (struct sip_dlg){ .sip = NULL };
}
