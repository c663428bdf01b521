/* SPDX-License-Identifier: Apache-2.0 */
/* Typed values of child elements. */
#include "codec/kmsdoc/kmsdoc_int.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/seam.h>
#include <mcx/text.h>

/* Release 14 and later; the placeholder that Release 13 prints; documents without a namespace:
 * docs/DEVIATIONS.md "kms-namespace". */
static const char *const ns_uris[] = { MCX_KMS_NS, "TOBEDEFINED", "" };
const struct mcx_xml_ns mcx_kmsdoc_ns = { ns_uris, sizeof ns_uris / sizeof ns_uris[0] };

mcx_err mcx_kmsdoc_bad(const struct mcx_kmsdoc_elem *e, mcx_err err, const char *bad)
{
    if (err == MCX_E_NOMEM) {
        return err;
    }
    return mcx_refuse(e->why, MCX_E_FORMAT, bad, e->clause);
}

mcx_err mcx_kmsdoc_strdup(char **out, const char *s)
{
    *out = NULL;
    if (s == NULL) {
        return MCX_OK;
    }
    *out = malloc(strlen(s) + 1);
    if (*out == NULL) {
        return MCX_E_NOMEM;
    }
    memcpy(*out, s, strlen(s) + 1);
    return MCX_OK;
}

mcx_err mcx_kmsdoc_view(struct mcx_bytes *out, const struct mcx_kmsdoc_elem *e, const char *name, const char *bad,
                        enum mcx_kmsdoc_need need)
{
    const struct mcx_xml_node *child = NULL;
    struct mcx_bytes text = { 0 };

    if (mcx_xml_child(&child, e->node, mcx_kmsdoc_ns, name) != MCX_OK) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    if (child != NULL && mcx_xml_text(&text, child) != MCX_OK) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    text = mcx_bytes_trim(text);
    if (text.len == 0 && need == MCX_KMSDOC_REQUIRED) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    *out = text;
    return MCX_OK;
}

mcx_err mcx_kmsdoc_str(char **out, const struct mcx_kmsdoc_elem *e, const char *name, const char *bad,
                       enum mcx_kmsdoc_need need)
{
    struct mcx_bytes text;
    char *s = NULL;

    MCX_TRY(mcx_kmsdoc_view(&text, e, name, bad, need));
    if (text.len == 0) {
        return MCX_OK;
    }
    if (text.len >= MCX_KMSDOC_URI_MAX) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    s = malloc(text.len + 1);
    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    memcpy(s, text.p, text.len);
    s[text.len] = '\0';
    free(*out);
    *out = s;
    return MCX_OK;
}

mcx_err mcx_kmsdoc_u64(uint64_t *out, const struct mcx_kmsdoc_elem *e, const char *name, const char *bad,
                       enum mcx_kmsdoc_need need)
{
    struct mcx_bytes text;

    MCX_TRY(mcx_kmsdoc_view(&text, e, name, bad, need));
    if (text.len == 0) {
        return MCX_OK;
    }
    if (mcx_dec_read(out, INT64_MAX, text) != MCX_OK) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    return MCX_OK;
}

mcx_err mcx_kmsdoc_time(uint64_t *out, const struct mcx_kmsdoc_elem *e, const char *name, const char *bad,
                        enum mcx_kmsdoc_need need)
{
    struct mcx_bytes text;

    MCX_TRY(mcx_kmsdoc_view(&text, e, name, bad, need));
    if (text.len == 0) {
        *out = 0;
        return MCX_OK;
    }
    if (mcx_datetime_read(out, text) != MCX_OK) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    return MCX_OK;
}

mcx_err mcx_kmsdoc_validity(uint64_t *from, uint64_t *to, const struct mcx_kmsdoc_elem *e)
{
    MCX_TRY(mcx_kmsdoc_time(from, e, MCX_KMSDOC_FIELD("ValidFrom"), MCX_KMSDOC_OPTIONAL));
    MCX_TRY(mcx_kmsdoc_time(to, e, MCX_KMSDOC_FIELD("ValidTo"), MCX_KMSDOC_OPTIONAL));
    if (*from != 0 && *to != 0 && *from > *to) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, "ValidFrom is later than ValidTo");
    }
    return MCX_OK;
}

mcx_err mcx_kmsdoc_revoked(bool *out, const struct mcx_kmsdoc_elem *e)
{
    struct mcx_bytes text;

    MCX_TRY(mcx_kmsdoc_view(&text, e, MCX_KMSDOC_FIELD("Revoked"), MCX_KMSDOC_OPTIONAL));
    *out = mcx_bytes_is(text, "true") || mcx_bytes_is(text, "1");
    if (*out || text.len == 0 || mcx_bytes_is(text, "false") || mcx_bytes_is(text, "0")) {
        return MCX_OK;
    }
    return mcx_kmsdoc_bad(e, MCX_E_FORMAT, "Revoked is not a boolean");
}

void mcx_kmsdoc_wr_time(struct mcx_xml_wr *wr, const char *name, uint64_t unix_s)
{
    char text[MCX_DATETIME_LEN + 1] = "";

    if (unix_s == 0) {
        return;
    }
    if (mcx_datetime_write(text, unix_s) != MCX_OK) {
        wr->err = wr->err == MCX_OK ? MCX_E_ARG : wr->err;
        return;
    }
    mcx_xml_wr_elem(wr, name, text);
}
