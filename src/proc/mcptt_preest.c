/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-established sessions at the participating function: the INVITE that sets one up, the offer of a call over it. */
#include "proc/mcptt_preest.h"

#include <string.h>

#include <mcx/preestablished.h>

bool msrv_preest_is(struct mcx_bytes ruri)
{
    static const char prefix[] = "sip:" MCX_PREEST_PSI_USER "@";
    size_t len = sizeof prefix - 1;

    return ruri.len > len && memcmp(ruri.p, prefix, len) == 0;
}

/* The client's end of one m= line. */
static mcx_err end_of(struct mcx_msrv_port *out, const struct mcx_sdp *sdp, size_t media)
{
    out->port = sdp->media[media].port;
    out->rtcp_port = 0;
    MCX_TRY(mcx_bytes_cstr(out->host, sizeof out->host, mcx_sdp_conn(sdp, media)->host));
    return out->host[0] != '\0' ? MCX_OK : MCX_E_FORMAT;
}

static mcx_err audio_of(struct mcx_msrv_line *out, struct mcx_sdp_amrwb *amrwb, const struct mcx_sdp *sdp)
{
    size_t audio = 0;

    memset(out, 0, sizeof *out);
    MCX_TRY(mcx_sdp_audio(&audio, amrwb, sdp, NULL));
    out->media = audio;
    out->rtcp = true;
    return msrv_take_remotes(out, 1, sdp);
}

static mcx_err body_read(struct mcx_sdp *out, struct mcx_bytes content_type, struct mcx_bytes body)
{
    const struct mcx_mime_part *part;
    struct mcx_mime mime;

    MCX_TRY(mcx_mime_read(&mime, content_type, body, NULL));
    part = mcx_mime_find(&mime, MCX_TYPE_SDP);
    return part == NULL ? MCX_E_FORMAT : mcx_sdp_read(out, part->body, NULL);
}

static mcx_err offer_take(struct msrv_preest_setup *out, const struct mcx_msrv_sip *sip)
{
    struct mcx_bytes fmtp;
    size_t control = 0;

    MCX_TRY(body_read(&out->sdp, sip->content_type, sip->body));
    MCX_TRY(audio_of(&out->audio, &out->amrwb, &out->sdp));
    if (!mcx_sdp_floor(&control, &fmtp, &out->sdp)) {
        return MCX_E_UNSUP;
    }
    out->media_line = (uint8_t)(out->audio.media + 1);
    out->control_line = (uint8_t)(control + 1);
    return end_of(&out->control, &out->sdp, control);
}

/* 8.2.2: who it is, that he has a key for the control channel, that the media can be had. */
struct msrv_verdict msrv_preest_read(struct msrv_preest_setup *out, const struct mcx_msrv *srv,
                                     const struct mcx_msrv_sip *sip, uint64_t now_ms)
{
    struct mcx_channel *channel;

    memset(out, 0, sizeof *out);
    out->user = msrv_identify(srv, sip, now_ms);
    if (out->user == NULL) {
        return (struct msrv_verdict){ 404, "Not Found", MCX_WARN_USER_UNKNOWN, NULL };
    }
    if (!mcx_bytes_is(sip->service, MCX_MCPTT_SERVICE)) {
        return (struct msrv_verdict){ 403, "Forbidden", MCX_WARN_FUNCTION_NOT_ALLOWED,
                                      "missing MCPTT service identifier" };
    }
    channel = mcx_msrv_channel(srv, out->user->mcptt_id, now_ms);
    if (channel == NULL || mcx_channel_sender(channel) == NULL) {
        return (struct msrv_verdict){ 403, "Forbidden", MCX_WARN_FUNCTION_NOT_ALLOWED,
                                      "no key for the control channel" };
    }
    if (offer_take(out, sip) != MCX_OK) {
        return (struct msrv_verdict){ 488, "Not Acceptable Here", MCX_WARN_NONE, NULL };
    }
    return MSRV_PASS;
}

mcx_err msrv_preest_answer(struct mcx_wr *out, const struct msrv_preest_setup *setup, const char *address,
                           uint16_t audio_port, uint16_t control_port, uint64_t session_id)
{
    const struct mcx_sdp_params params = { .session_id = session_id,
                                           .session_version = session_id,
                                           .address = address,
                                           .audio_port = audio_port,
                                           .amrwb = setup->amrwb,
                                           .floor_port = control_port };

    return mcx_sdp_answer_write(out, &setup->sdp, &params);
}

/*
 * The client has agreed to one payload type, one packing and a set of modes, and does not hear of the offer: so the
 * caller has to take all of that. Floor control goes by INVITE ("preest-fit").
 */
static bool fits(const struct msrv_preest_offer *offer, const struct mcx_sdp_amrwb *caller,
                 const struct mcx_sdp_amrwb *session)
{
    struct mcx_bytes fmtp;
    size_t floor = 0;

    return !mcx_sdp_floor(&floor, &fmtp, &offer->sdp) && caller->payload_type == session->payload_type &&
           caller->octet_align == session->octet_align && (session->mode_set & ~caller->mode_set) == 0;
}

mcx_err msrv_preest_offer_read(struct msrv_preest_offer *out, const struct mcx_sdp_amrwb *session,
                               struct mcx_bytes content_type, struct mcx_bytes body)
{
    struct mcx_sdp_amrwb caller;
    mcx_err err;

    out->imessage_len = 0;
    MCX_TRY(body_read(&out->sdp, content_type, body));
    MCX_TRY(audio_of(&out->audio, &caller, &out->sdp));
    if (!fits(out, &caller, session)) {
        return MCX_E_UNSUP;
    }
    err = mcx_sdp_key_mgmt(out->imessage, sizeof out->imessage, &out->imessage_len, &out->sdp, out->audio.media, NULL);
    return err == MCX_E_NOKEY ? MCX_OK : err; /* without one the client says what he thinks of it */
}

mcx_err msrv_preest_offer_answer(struct mcx_wr *out, const struct msrv_preest_offer *offer,
                                 const struct mcx_sdp_amrwb *session, const struct mcx_msrv_port *local,
                                 uint64_t session_id)
{
    const struct mcx_sdp_params params = { .session_id = session_id,
                                           .session_version = session_id,
                                           .address = local->host,
                                           .audio_port = local->port,
                                           .amrwb = *session };

    return mcx_sdp_answer_write(out, &offer->sdp, &params);
}
