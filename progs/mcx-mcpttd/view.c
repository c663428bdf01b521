/* SPDX-License-Identifier: Apache-2.0 */
/* What the server roles look at, taken out of a SIP message. */
#include "mcx-mcpttd/daemon.h"

#include <string.h>

#include <mcx/text.h>

static struct mcx_bytes address(const struct mcx_sip_msg *msg, const char *header, size_t n)
{
    struct mcx_bytes value = mcx_bytes(NULL, 0);
    struct mcx_bytes uri = mcx_bytes(NULL, 0);

    if (!mcx_sip_header(msg, header, n, &value) || mcx_sip_addr_uri(&uri, value) != MCX_OK) {
        return mcx_bytes(NULL, 0);
    }
    return uri;
}

static struct mcx_bytes header(const struct mcx_sip_msg *msg, const char *name)
{
    struct mcx_bytes value = mcx_bytes(NULL, 0);

    return mcx_sip_header(msg, name, 0, &value) ? mcx_bytes_trim(value) : mcx_bytes(NULL, 0);
}

static int64_t seconds(struct mcx_bytes text)
{
    uint64_t n = 0;

    return text.len > 0 && mcx_dec_read(&n, UINT32_MAX, mcx_bytes_trim(text)) == MCX_OK ? (int64_t)n : -1;
}

static void take_contact(struct mcx_msrv_sip *out, const struct mcx_sip_msg *msg)
{
    struct mcx_bytes value = header(msg, "Contact");
    struct mcx_bytes param = mcx_bytes(NULL, 0);

    out->expires = seconds(header(msg, "Expires"));
    if (mcx_bytes_is(value, "*")) {
        out->contact = value;
        return;
    }
    out->contact = address(msg, "Contact", 0);
    if (mcx_sip_addr_param(value, "expires", &param)) {
        out->expires = seconds(param);
    }
}

/* "sip:ADDR:PORT;transport=x" against "ADDR" or "ADDR:PORT". */
bool md_is_trusted(const struct md_settings *s, const char *source)
{
    const char *at = source + strlen("sip:");

    for (size_t i = 0; i < s->num_trusted; i++) {
        size_t n = strlen(s->trusted[i]);

        if (strncmp(at, s->trusted[i], n) == 0 && (at[n] == ':' || at[n] == ';' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

void md_view(struct mcx_msrv_sip *out, const struct md_settings *s, const struct mcx_sip_msg *msg)
{
    memset(out, 0, sizeof *out);
    out->from = msg->from;
    out->to = msg->to;
    out->source = mcx_bytes_str(msg->source);
    out->trusted = md_is_trusted(s, msg->source);
    out->asserted = address(msg, "P-Asserted-Identity", 0);
    out->preferred = address(msg, "P-Preferred-Identity", 0);
    out->service = header(msg, "P-Asserted-Service");
    if (out->service.len == 0) {
        out->service = header(msg, "P-Preferred-Service");
    }
    out->answer_mode = header(msg, "Answer-Mode");
    out->priv_answer_mode = header(msg, "Priv-Answer-Mode");
    out->resource_priority = header(msg, "Resource-Priority");
    take_contact(out, msg);
    while (out->num_path < MCX_MSRV_MAX_PATH) {
        struct mcx_bytes uri = address(msg, "Path", out->num_path);

        if (uri.len == 0) {
            break;
        }
        out->path[out->num_path++] = uri;
    }
    out->code = msg->code;
    out->reason = msg->reason;
    while (out->num_warnings < MCX_MSRV_MAX_WARNINGS &&
           mcx_sip_header(msg, "Warning", out->num_warnings, &out->warning[out->num_warnings])) {
        out->num_warnings++;
    }
    out->content_type = msg->content_type;
    out->body = msg->body;
}
