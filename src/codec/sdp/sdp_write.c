/* SPDX-License-Identifier: Apache-2.0 */
/* Offer, answer, and the servers' rewriting of addresses and ports. */
#include "codec/sdp/sdp_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mcx/text.h>

/* Append as one piece or not at all. */
__attribute__((format(printf, 2, 3))) static mcx_err put(struct mcx_wr *wr, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    int n = 0;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof line) {
        return MCX_E_SPACE;
    }
    return mcx_wr_put(wr, mcx_bytes(line, (size_t)n));
}

static const char *net_type(const char *address)
{
    return strchr(address, ':') != NULL ? "IP6" : "IP4";
}

static bool address_ok(const char *address)
{
    return address != NULL && mcx_sdp_host_ok(mcx_bytes_str(address)) && strlen(address) <= 64;
}

static mcx_err key_mgmt_write(struct mcx_wr *wr, struct mcx_bytes imessage)
{
    size_t len = MCX_BASE64_LEN(imessage.len);
    uint8_t *at = NULL;

    if (imessage.len == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_wr_str(wr, "a=key-mgmt:mikey "));
    MCX_TRY(mcx_wr_space(wr, len + 1, &at)); /* one for the NUL, which the line end then overwrites */
    MCX_TRY(mcx_base64_write((char *)at, len + 1, imessage));
    wr->len--;
    return mcx_wr_str(wr, "\r\n");
}

/* mode-set=0,2,8; nothing when all modes are allowed */
static mcx_err mode_set_write(struct mcx_wr *wr, uint16_t set)
{
    const char *before = " mode-set=";

    if (set == 0x1ff) {
        return MCX_OK;
    }
    for (unsigned mode = 0; mode <= 8; mode++) {
        if ((set & 1u << mode) != 0) {
            MCX_TRY(put(wr, "%s%u", before, mode));
            before = ",";
        }
    }
    return mcx_wr_str(wr, ";");
}

/* Everything of the audio section below its m= line (TS 24.379 6.2.1). */
static mcx_err audio_body_write(struct mcx_wr *wr, const struct mcx_sdp_params *p)
{
    unsigned pt = p->amrwb.payload_type;

    MCX_TRY(put(wr, "i=speech\r\na=rtpmap:%u AMR-WB/16000/1\r\na=fmtp:%u", pt, pt));
    MCX_TRY(mode_set_write(wr, p->amrwb.mode_set));
    MCX_TRY(put(wr, " mode-change-capability=2; max-red=0%s\r\n", p->amrwb.octet_align ? "; octet-align=1" : ""));
    if (p->rtcp_port != 0) {
        MCX_TRY(put(wr, "a=rtcp:%u\r\n", (unsigned)p->rtcp_port));
    }
    return p->level == MCX_SDP_LEVEL_AUDIO ? key_mgmt_write(wr, p->imessage) : MCX_OK;
}

static mcx_err floor_body_write(struct mcx_wr *wr, const char *fmtp)
{
    return fmtp == NULL || fmtp[0] == '\0' ? MCX_OK : put(wr, "a=fmtp:MCPTT %s\r\n", fmtp);
}

static mcx_err session_write(struct mcx_wr *wr, const struct mcx_sdp_params *p)
{
    const char *net = net_type(p->address);

    MCX_TRY(put(wr, "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN %s %s\r\ns=-\r\n", p->session_id, p->session_version, net,
                p->address));
    MCX_TRY(put(wr, "c=IN %s %s\r\nt=0 0\r\n", net, p->address));
    return p->level == MCX_SDP_LEVEL_SESSION ? key_mgmt_write(wr, p->imessage) : MCX_OK;
}

static bool params_ok(const struct mcx_sdp_params *p)
{
    bool fmtp_ok = p->floor_fmtp == NULL || strpbrk(p->floor_fmtp, "\r\n") == NULL;

    return address_ok(p->address) && p->audio_port != 0 && p->amrwb.payload_type < 128 &&
           (p->amrwb.mode_set & 0x1ff) != 0 && p->amrwb.mode_set <= 0x1ff && fmtp_ok;
}

static mcx_err offer_body_write(struct mcx_wr *wr, const struct mcx_sdp_params *p)
{
    MCX_TRY(session_write(wr, p));
    MCX_TRY(put(wr, "m=audio %u %s %u\r\n", (unsigned)p->audio_port, p->savp ? "RTP/SAVP" : "RTP/AVP",
                (unsigned)p->amrwb.payload_type));
    MCX_TRY(audio_body_write(wr, p));
    if (p->floor_port == 0) {
        return MCX_OK;
    }
    MCX_TRY(put(wr, "m=application %u udp MCPTT\r\n", (unsigned)p->floor_port));
    return floor_body_write(wr, p->floor_fmtp);
}

mcx_err mcx_sdp_offer_write(struct mcx_wr *out, const struct mcx_sdp_params *params)
{
    struct mcx_wr wr = *out;

    if (!params_ok(params)) {
        return MCX_E_ARG;
    }
    MCX_TRY(offer_body_write(&wr, params));
    *out = wr;
    return MCX_OK;
}

/* m= line of the answer with the type, profile and format of the offer (RFC 3264 6). */
static mcx_err answer_line_write(struct mcx_wr *wr, const struct mcx_sdp_media *m, uint16_t port,
                                 struct mcx_bytes formats)
{
    MCX_TRY(mcx_wr_str(wr, "m="));
    MCX_TRY(mcx_wr_put(wr, m->type));
    MCX_TRY(put(wr, " %u ", (unsigned)port));
    MCX_TRY(mcx_wr_put(wr, m->proto));
    MCX_TRY(mcx_wr_str(wr, " "));
    MCX_TRY(mcx_wr_put(wr, formats));
    return mcx_wr_str(wr, "\r\n");
}

static mcx_err answer_body_write(struct mcx_wr *wr, const struct mcx_sdp *offer, const struct mcx_sdp_params *p)
{
    struct mcx_sdp_amrwb amrwb = { 0 };
    struct mcx_bytes fmtp = { 0 };
    size_t audio = 0;
    size_t floor = MCX_SDP_MAX_MEDIA;
    char pt[12];

    MCX_TRY(mcx_sdp_audio(&audio, &amrwb, offer, NULL));
    if (p->floor_port == 0 || !mcx_sdp_floor(&floor, &fmtp, offer)) {
        floor = MCX_SDP_MAX_MEDIA;
    }
    (void)snprintf(pt, sizeof pt, "%u", (unsigned)p->amrwb.payload_type);
    MCX_TRY(session_write(wr, p));
    for (size_t i = 0; i < offer->num_media; i++) {
        const struct mcx_sdp_media *m = &offer->media[i];

        if (i == audio) {
            MCX_TRY(answer_line_write(wr, m, p->audio_port, mcx_bytes_str(pt)));
            MCX_TRY(audio_body_write(wr, p));
        } else if (i == floor) {
            MCX_TRY(answer_line_write(wr, m, p->floor_port, m->formats));
            MCX_TRY(floor_body_write(wr, p->floor_fmtp));
        } else {
            MCX_TRY(answer_line_write(wr, m, 0, m->formats));
        }
    }
    return MCX_OK;
}

mcx_err mcx_sdp_answer_write(struct mcx_wr *out, const struct mcx_sdp *offer, const struct mcx_sdp_params *params)
{
    struct mcx_wr wr = *out;

    if (!params_ok(params)) {
        return MCX_E_ARG;
    }
    MCX_TRY(answer_body_write(&wr, offer, params));
    *out = wr;
    return MCX_OK;
}
