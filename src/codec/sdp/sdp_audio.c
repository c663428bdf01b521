/* SPDX-License-Identifier: Apache-2.0 */
/* The audio line with AMR-WB (RFC 4867 8) and the floor control line (TS 24.379 6.2.1). */
#include "codec/sdp/sdp_line.h"

#include <mcx/text.h>

#define ALL_MODES 0x1ff /* nine speech modes */

/* rtpmap value "97 AMR-WB/16000/1" names AMR-WB with one channel. */
static bool is_amrwb(struct mcx_bytes map)
{
    struct mcx_bytes name = { 0 };
    struct mcx_bytes rate = { 0 };

    map = mcx_bytes_trim(map);
    if (!mcx_sdp_cut(&map, '/', &name) || !mcx_sdp_cut(&map, '/', &rate)) {
        return false;
    }
    return mcx_bytes_is_nocase(name, "AMR-WB") && mcx_bytes_is(rate, "16000") &&
           (map.len == 0 || mcx_bytes_is(map, "1"));
}

static bool rtpmap_find(struct mcx_bytes *map, const struct mcx_sdp_media *media, struct mcx_bytes fmt)
{
    struct mcx_rd rd = mcx_rd(media->section);
    struct mcx_bytes name = { 0 };
    struct mcx_bytes value = { 0 };

    while (mcx_sdp_attr_next(&rd, &name, &value)) {
        struct mcx_bytes word = { 0 };

        if (mcx_bytes_is(name, "rtpmap") && mcx_sdp_cut(&value, ' ', &word) && mcx_bytes_equal(word, fmt)) {
            *map = value;
            return true;
        }
    }
    return false;
}

/* mode-set=0,2,8 */
static mcx_err mode_set_read(uint16_t *out, struct mcx_bytes list)
{
    uint16_t set = 0;
    struct mcx_bytes word = { 0 };

    while (mcx_sdp_cut(&list, ',', &word)) {
        uint64_t mode = 0;

        MCX_TRY(mcx_dec_read(&mode, 8, mcx_bytes_trim(word)));
        set = (uint16_t)(set | 1u << mode);
    }
    if (set == 0) {
        return MCX_E_FORMAT;
    }
    *out = set;
    return MCX_OK;
}

/* One parameter of RFC 4867 8.2; those that do not concern how a packet looks are passed over. */
static mcx_err param_take(struct mcx_sdp_amrwb *v, struct mcx_bytes name, struct mcx_bytes value)
{
    uint64_t n = 0;

    if (mcx_bytes_is_nocase(name, "mode-set")) {
        return mode_set_read(&v->mode_set, value);
    }
    if (mcx_bytes_is_nocase(name, "octet-align")) {
        MCX_TRY(mcx_dec_read(&n, 1, value));
        v->octet_align = n == 1;
        return MCX_OK;
    }
    if (mcx_bytes_is_nocase(name, "crc") || mcx_bytes_is_nocase(name, "robust-sorting")) {
        MCX_TRY(mcx_dec_read(&n, 1, value));
        return n == 1 ? MCX_E_UNSUP : MCX_OK;
    }
    if (mcx_bytes_is_nocase(name, "interleaving")) {
        return MCX_E_UNSUP;
    }
    return MCX_OK;
}

static mcx_err fmtp_read(struct mcx_sdp_amrwb *v, struct mcx_bytes fmtp)
{
    struct mcx_bytes param = { 0 };

    while (mcx_sdp_cut(&fmtp, ';', &param)) {
        struct mcx_bytes name = { 0 };

        (void)mcx_sdp_cut(&param, '=', &name);
        MCX_TRY(param_take(v, mcx_bytes_trim(name), mcx_bytes_trim(param)));
    }
    return MCX_OK;
}

/* First usable AMR-WB format of one audio line. */
static mcx_err formats_search(struct mcx_sdp_amrwb *out, const struct mcx_sdp_media *media)
{
    struct mcx_bytes formats = media->formats;
    struct mcx_bytes fmt = { 0 };

    while (mcx_sdp_cut(&formats, ' ', &fmt)) {
        struct mcx_sdp_amrwb v = { .mode_set = ALL_MODES };
        struct mcx_bytes map = { 0 };
        uint64_t payload_type = 0;
        mcx_err err = MCX_OK;

        if (!rtpmap_find(&map, media, fmt) || !is_amrwb(map)) {
            continue;
        }
        MCX_TRY(mcx_dec_read(&payload_type, 127, fmt));
        v.payload_type = (uint8_t)payload_type;
        err = fmtp_read(&v, mcx_sdp_fmtp(media, fmt));
        if (err == MCX_E_UNSUP) {
            continue;
        }
        MCX_TRY(err);
        *out = v;
        return MCX_OK;
    }
    return MCX_E_UNSUP;
}

mcx_err mcx_sdp_audio(size_t *media, struct mcx_sdp_amrwb *amrwb, const struct mcx_sdp *sdp, struct mcx_refusal *why)
{
    for (size_t i = 0; i < sdp->num_media; i++) {
        const struct mcx_sdp_media *m = &sdp->media[i];
        mcx_err err = MCX_OK;

        /* "sdp-profile": the profile does not decide whether SRTP is on */
        if (!mcx_bytes_is(m->type, "audio") || m->port == 0 ||
            (!mcx_bytes_is(m->proto, "RTP/AVP") && !mcx_bytes_is(m->proto, "RTP/SAVP"))) {
            continue;
        }
        err = formats_search(amrwb, m);
        if (err == MCX_OK) {
            *media = i;
            return MCX_OK;
        }
        if (err != MCX_E_UNSUP) {
            return mcx_refuse(why, err, "malformed AMR-WB format in the SDP", "RFC 4867 8.2");
        }
    }
    return mcx_refuse(why, MCX_E_UNSUP, "the SDP has no AMR-WB audio that can be used", "TS 26.179 4");
}

bool mcx_sdp_floor(size_t *media, struct mcx_bytes *fmtp, const struct mcx_sdp *sdp)
{
    for (size_t i = 0; i < sdp->num_media; i++) {
        const struct mcx_sdp_media *m = &sdp->media[i];

        if (mcx_bytes_is(m->type, "application") && m->port != 0 && mcx_bytes_is_nocase(m->proto, "udp") &&
            mcx_bytes_is(m->formats, "MCPTT")) {
            *media = i;
            *fmtp = mcx_sdp_fmtp(m, mcx_bytes_str("MCPTT"));
            return true;
        }
    }
    return false;
}
