/* SPDX-License-Identifier: Apache-2.0 */
/* Values that several documents have in common. */
#include "codec/group/group_int.h"

mcx_err group_uri(char *out, size_t cap, struct mcx_bytes text)
{
    struct mcx_bytes v = mcx_bytes_trim(text);

    if (v.len == 0) {
        return MCX_E_FORMAT;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] <= ' ' || v.p[i] == 0x7f) {
            return MCX_E_FORMAT;
        }
    }
    return mcx_bytes_cstr(out, cap, v);
}

mcx_err group_uri_attr(char *out, size_t cap, const struct mcx_xml_node *node, const char *local)
{
    struct mcx_bytes v;

    return mcx_xml_attr(&v, node, "", local) ? group_uri(out, cap, v) : MCX_E_FORMAT;
}

mcx_err group_bool(bool *out, struct mcx_bytes text)
{
    struct mcx_bytes v = mcx_bytes_trim(text);
    bool yes = mcx_bytes_is(v, "true") || mcx_bytes_is(v, "1");

    if (!yes && !mcx_bytes_is(v, "false") && !mcx_bytes_is(v, "0")) {
        return MCX_E_FORMAT;
    }
    *out = yes;
    return MCX_OK;
}

mcx_err group_append(struct mcx_wr *out, struct mcx_xml_wr *wr)
{
    char *xml = NULL;
    size_t len = 0;
    mcx_err err = mcx_xml_wr_done(&xml, &len, wr);

    if (err == MCX_OK) {
        err = mcx_wr_put(out, mcx_bytes(xml, len));
        mcx_xml_text_free(xml, len);
    }
    mcx_xml_wr_clear(wr);
    return err;
}

mcx_err group_hand_over(char **out, size_t *len, struct mcx_xml_wr *wr)
{
    mcx_err err = mcx_xml_wr_done(out, len, wr);

    mcx_xml_wr_clear(wr);
    return err;
}
