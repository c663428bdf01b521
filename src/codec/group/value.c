/* SPDX-License-Identifier: Apache-2.0 */
/* Values that several documents have in common. */
#include "codec/group/group_int.h"

#include <mcx/text.h>

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

/* 12S of PT1M12.5S: the number, and its unit. */
static mcx_err take_part(uint64_t *number, uint8_t *unit, struct mcx_rd *rd)
{
    struct mcx_bytes digits = { rd->p, 0 };
    bool fraction = false;

    MCX_TRY(mcx_rd_u8(rd, unit));
    for (; *unit >= '0' && *unit <= '9'; digits.len++) {
        MCX_TRY(mcx_rd_u8(rd, unit));
    }
    if (*unit == '.') { /* of a second; it is dropped */
        do {
            MCX_TRY(mcx_rd_u8(rd, unit));
            fraction = fraction || (*unit >= '0' && *unit <= '9');
        } while (*unit >= '0' && *unit <= '9');
        if (!fraction || *unit != 'S') {
            return MCX_E_FORMAT;
        }
    }
    return mcx_dec_read(number, UINT32_MAX, digits);
}

static mcx_err take_designator(uint8_t want, struct mcx_rd *rd)
{
    struct mcx_rd ahead = *rd;
    uint8_t is = 0;

    MCX_TRY(mcx_rd_u8(&ahead, &is));
    if (is != want) {
        return MCX_E_FORMAT;
    }
    *rd = ahead;
    return MCX_OK;
}

static mcx_err read_duration(uint64_t *sum, struct mcx_rd rd)
{
    static const struct {
        bool of_day;
        uint8_t unit;
        uint32_t seconds;
    } units[] = { { false, 'D', 86400 }, { true, 'H', 3600 }, { true, 'M', 60 }, { true, 'S', 1 } };
    size_t next = 0;
    bool of_day = false;

    MCX_TRY(take_designator('P', &rd));
    do {
        uint64_t number = 0;
        uint8_t unit = 0;

        of_day = of_day || take_designator('T', &rd) == MCX_OK;
        MCX_TRY(take_part(&number, &unit, &rd));
        while (next < 4 && (units[next].unit != unit || units[next].of_day != of_day)) {
            next++;
        }
        if (next == 4) {
            return MCX_E_FORMAT;
        }
        *sum += number * units[next++].seconds;
    } while (mcx_rd_end(&rd) != MCX_OK);
    return MCX_OK;
}

mcx_err group_duration(uint64_t *out, uint64_t max, struct mcx_bytes text)
{
    uint64_t sum = 0;

    if (read_duration(&sum, mcx_rd(mcx_bytes_trim(text))) != MCX_OK || sum > max) {
        return MCX_E_FORMAT;
    }
    *out = sum;
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
