/* SPDX-License-Identifier: Apache-2.0 */
/* a=key-mgmt (RFC 4567 3, 4.1.2); a=crypto is only recognised (RFC 4568). */
#include "codec/sdp/sdp_line.h"

#include <string.h>

#include <mcx/text.h>

/* RFC 4567 registers the first name; TS 24.379 4.7 prints the second: read, never written ("sdp-keymgmt-name"). */
static const char *const NAMES[] = { "key-mgmt", "keymgmt" };

/* What one level holds. */
struct level {
    size_t num;              /* key-mgmt lines */
    size_t num_mikey;        /* of which for MIKEY */
    struct mcx_bytes base64; /* of the MIKEY one */
};

static bool is_key_mgmt(struct mcx_bytes name)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (mcx_bytes_is(name, NAMES[i])) {
            return true;
        }
    }
    return false;
}

/* `[SP] protocol SP data`: one optional space before, exactly one between. */
static mcx_err value_read(struct mcx_bytes *protocol, struct mcx_bytes *data, struct mcx_bytes value)
{
    struct mcx_bytes none = { 0 };

    if (value.len > 0 && value.p[0] == ' ' && !mcx_sdp_cut(&value, ' ', &none)) {
        return MCX_E_FORMAT;
    }
    if (!mcx_sdp_cut(&value, ' ', protocol) || protocol->len == 0 || value.len == 0 ||
        memchr(value.p, ' ', value.len) != NULL || memchr(value.p, '\t', value.len) != NULL) {
        return MCX_E_FORMAT;
    }
    *data = value;
    return MCX_OK;
}

static mcx_err level_read(struct level *out, struct mcx_bytes section, struct mcx_refusal *why)
{
    struct mcx_rd rd = mcx_rd(section);
    struct level v = { 0 };
    struct mcx_bytes name = { 0 };
    struct mcx_bytes value = { 0 };

    while (mcx_sdp_attr_next(&rd, &name, &value)) {
        struct mcx_bytes protocol = { 0 };
        struct mcx_bytes data = { 0 };

        if (!is_key_mgmt(name)) {
            continue;
        }
        v.num++;
        if (value_read(&protocol, &data, value) != MCX_OK) {
            return mcx_refuse(why, MCX_E_FORMAT, "malformed key-mgmt line", "RFC 4567 3");
        }
        if (mcx_bytes_is(protocol, "mikey")) {
            v.num_mikey++;
            v.base64 = data;
        }
    }
    if (v.num_mikey > 1) { /* "sdp-two-mikey" */
        return mcx_refuse(why, MCX_E_FORMAT, "two MIKEY messages at one level of the SDP", "RFC 4567 3.1");
    }
    *out = v;
    return MCX_OK;
}

mcx_err mcx_sdp_key_mgmt(uint8_t *out, size_t cap, size_t *out_len, const struct mcx_sdp *sdp, size_t media,
                         struct mcx_refusal *why)
{
    struct level session = { 0 };
    struct level own = { 0 };
    const struct level *applies = NULL;
    mcx_err err = MCX_OK;

    if (media >= sdp->num_media) {
        return MCX_E_ARG;
    }
    MCX_TRY(level_read(&session, sdp->session, why));
    MCX_TRY(level_read(&own, sdp->media[media].section, why));
    applies = own.num > 0 ? &own : &session; /* RFC 4567 3.1: the media level replaces the session level */
    if (applies->num == 0) {
        return mcx_refuse(why, MCX_E_NOKEY, "the SDP has no key-mgmt attribute", "RFC 4567 3.1");
    }
    if (applies->num_mikey == 0) {
        return mcx_refuse(why, MCX_E_UNSUP, "the SDP offers other key management protocols only", "RFC 4567 4.1.2");
    }
    err = mcx_base64_read(out, cap, out_len, applies->base64);
    if (err == MCX_E_SPACE) {
        return mcx_refuse(why, err, "the MIKEY message in the SDP is too long", "");
    }
    if (err != MCX_OK) {
        return mcx_refuse(why, err, "the MIKEY message in the SDP is not strict base64", "RFC 4648 4");
    }
    return MCX_OK;
}

bool mcx_sdp_has_key(const struct mcx_sdp *sdp)
{
    struct mcx_bytes name = { 0 };
    struct mcx_bytes value = { 0 };
    struct mcx_rd rd = mcx_rd(sdp->text);

    while (mcx_sdp_attr_next(&rd, &name, &value)) {
        if (is_key_mgmt(name) || mcx_bytes_is(name, "crypto")) {
            return true;
        }
    }
    return false;
}
