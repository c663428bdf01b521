/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the MCPTT server: the offer taken apart, and what is sent on. */
#include "proc/mcptt_server.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

/* Media of the offer: RTP lines, which the relay carries, and datagram lines, which end here or are refused. */
static mcx_err plan_lines(struct msrv_call *call, const struct mcx_sdp *sdp)
{
    bool any = false;

    for (size_t i = 0; i < sdp->num_media; i++) {
        const struct mcx_sdp_media *m = &sdp->media[i];
        struct mcx_msrv_line *line = &call->lines[call->num_lines];

        if (m->port == 0) {
            continue;
        }
        memset(line, 0, sizeof *line);
        line->media = i;
        line->rtcp = mcx_bytes_is(m->proto, "RTP/AVP") || mcx_bytes_is(m->proto, "RTP/SAVP");
        if (!line->rtcp && !mcx_bytes_is_nocase(m->proto, "udp")) {
            return MCX_E_UNSUP;
        }
        any = any || line->rtcp;
        call->num_lines++;
    }
    return any ? MCX_OK : MCX_E_UNSUP;
}

/* Port of RTCP: a=rtcp (RFC 3605), else the next one. */
static uint16_t rtcp_port_of(const struct mcx_sdp_media *m)
{
    struct mcx_rd rd = mcx_rd(m->section);
    struct mcx_bytes name, value;
    uint64_t port = 0;

    while (mcx_sdp_attr_next(&rd, &name, &value)) {
        if (mcx_bytes_is(name, "rtcp")) {
            size_t n = 0;

            while (n < value.len && value.p[n] != ' ') {
                n++;
            }
            if (mcx_dec_read(&port, 65535, mcx_bytes(value.p, n)) == MCX_OK && port != 0) {
                return (uint16_t)port;
            }
        }
    }
    return m->port < 65535 ? (uint16_t)(m->port + 1) : 0;
}

/* Where one side's media are, from its offer or answer; port 0 = that side wants none. */
mcx_err msrv_take_remotes(struct mcx_msrv_line *lines, size_t num, const struct mcx_sdp *sdp)
{
    for (size_t i = 0; i < num; i++) {
        struct mcx_msrv_port *remote = &lines[i].remote;
        const struct mcx_sdp_media *m;

        memset(remote, 0, sizeof *remote);
        if (lines[i].media >= sdp->num_media) {
            return MCX_E_FORMAT; /* RFC 3264 6: as many m= lines as in the offer */
        }
        m = &sdp->media[lines[i].media];
        if (m->port == 0) {
            continue;
        }
        MCX_TRY(mcx_bytes_cstr(remote->host, sizeof remote->host, mcx_sdp_conn(sdp, lines[i].media)->host));
        remote->port = m->port;
        remote->rtcp_port = lines[i].rtcp ? rtcp_port_of(m) : 0;
    }
    return MCX_OK;
}

mcx_err msrv_read_offer(struct msrv_call *call, const struct mcx_mime *mime)
{
    const struct mcx_mime_part *part = mcx_mime_find(mime, MCX_TYPE_SDP);
    struct mcx_sdp sdp;

    if (part == NULL) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_sdp_read(&sdp, part->body, NULL));
    MCX_TRY(plan_lines(call, &sdp));
    MCX_TRY(msrv_take_remotes(call->lines, call->num_lines, &sdp));
    MCX_TRY(msrv_floor_offer(call, &sdp));
    call->sdp = malloc(part->body.len + 1);
    if (call->sdp == NULL) {
        return MCX_E_NOMEM;
    }
    memcpy(call->sdp, part->body.p, part->body.len);
    call->sdp_len = part->body.len;
    return MCX_OK;
}

/* A description with our ports that face `side`, in the arena. Of the datagram lines one may have floor control; nothing
 * passes through the others. */
mcx_err msrv_write_sdp(struct mcx_bytes *out, struct mcx_msrv *srv, const struct msrv_call *call,
                       const struct mcx_sdp *sdp, enum mcx_msrv_side side)
{
    struct mcx_sdp_replace replace[MCX_SDP_MAX_MEDIA];
    struct mcx_wr *text = &srv->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);
    char fmtp[MCX_SDP_FLOOR_FMTP_MAX];

    msrv_floor_fmtp(fmtp, call, side);
    for (size_t i = 0; i < call->num_lines; i++) {
        const struct mcx_msrv_line *line = &call->lines[i];
        bool floor = call->floor.served && call->floor.line == i;

        replace[i] = (struct mcx_sdp_replace){ .media = line->media };
        if (line->rtcp || floor) {
            replace[i].address = line->local[side].host;
            replace[i].port = line->local[side].port;
            replace[i].rtcp_port = line->local[side].rtcp_port;
            replace[i].floor_fmtp = floor ? fmtp : NULL;
        }
    }
    MCX_TRY(mcx_sdp_rewrite(&wr, sdp, replace, call->num_lines));
    *out = mcx_wr_done(&wr);
    text->len += wr.len;
    return MCX_OK;
}

mcx_err msrv_write_info(struct mcx_bytes *out, struct mcx_msrv *srv, const struct msrv_hop *hop)
{
    struct mcx_wr *text = &srv->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);
    struct mcx_mcptt_info info;

    memset(&info, 0, sizeof info);
    info.session = hop->session;
    info.emergency = hop->emergency ? MCX_MCPTT_TRUE : MCX_MCPTT_UNSET;
    MCX_TRY(mcx_mcptt_set(&info.request_uri, MCX_MCPTT_URI, mcx_bytes_str(hop->callee->mcptt_id)));
    MCX_TRY(mcx_mcptt_set(&info.calling_user, MCX_MCPTT_URI, mcx_bytes_str(hop->caller->mcptt_id)));
    MCX_TRY(mcx_mcptt_info_write(&wr, &info));
    *out = mcx_wr_done(&wr);
    text->len += wr.len;
    return MCX_OK;
}

mcx_err msrv_write_parts(struct mcx_msrv_action *act, struct mcx_msrv *srv, const struct mcx_mime *mime)
{
    char type[MCX_MIME_TYPE_MAX];
    struct mcx_wr *text = &srv->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);

    MCX_TRY(mcx_mime_write(&wr, type, mime));
    act->body = mcx_wr_done(&wr);
    text->len += wr.len;
    act->content_type = msrv_text(srv, "%s", type);
    return act->content_type != NULL ? MCX_OK : MCX_E_SPACE;
}
