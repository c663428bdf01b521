/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/amrwb.h>

#include <string.h>

#define NUM_TYPES 16
#define RESERVED  (-1)

/* TS 26.201 table 2: bits of a frame by its type */
static const int16_t type_bits[NUM_TYPES] = {
    132, 177, 253, 285, 317, 365, 397, 461, 477, 40, RESERVED, RESERVED, RESERVED, RESERVED, 0, 0,
};

/* Octet-aligned form: CMR and ToC entries fill an octet each, from the top (RFC 4867 4.4.1, 4.4.2) */
#define CMR_SHIFT      4
#define TOC_MORE       0x80
#define TOC_TYPE_SHIFT 3
#define TOC_TYPE_MASK  0x0f
#define TOC_QUALITY    0x04
/* Bandwidth-efficient form: the same without the padding bits (RFC 4867 4.3.1, 4.3.2) */
#define CMR_BITS 4
#define TOC_BITS 6

mcx_err mcx_amrwb_num_bits(size_t *num, uint8_t ft)
{
    if (ft >= NUM_TYPES || type_bits[ft] == RESERVED) {
        return MCX_E_UNSUP;
    }
    *num = (size_t)type_bits[ft];
    return MCX_OK;
}

struct mcx_amrwb_frame mcx_amrwb_no_data(void)
{
    return (struct mcx_amrwb_frame){ .ft = MCX_AMRWB_FT_NO_DATA, .quality = true };
}

/*
 * Both forms are one sequence of fields; they differ in that the octet-aligned one rounds each field up to
 * octets. So one bit cursor with a `round` flag serves both.
 */
struct bits_rd {
    struct mcx_rd rd;
    uint8_t octet; /* the octet that is being taken apart */
    unsigned left; /* its bits not yet taken, 0 to 7 */
    bool round;
};

static mcx_err take_bits(uint8_t *out, struct bits_rd *br, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (br->left == 0) {
            MCX_TRY(mcx_rd_u8(&br->rd, &br->octet));
            br->left = 8;
        }
        br->left--;
        out[i / 8] = (uint8_t)(out[i / 8] | ((br->octet >> br->left) & 1) << (7 - i % 8));
    }
    if (br->round) {
        br->left = 0;
    }
    return MCX_OK;
}

/* RFC 4867 4.3.2, 4.4.2: entries until one without F */
static mcx_err read_toc(struct mcx_amrwb_payload *out, struct bits_rd *br)
{
    uint8_t entry = 0;

    do {
        struct mcx_amrwb_frame *f = &out->frame[out->num_frames];
        size_t num_bits = 0;

        if (out->num_frames == MCX_AMRWB_NUM_FRAMES_MAX) {
            return MCX_E_UNSUP;
        }
        entry = 0;
        MCX_TRY(take_bits(&entry, br, TOC_BITS));
        f->ft = (entry >> TOC_TYPE_SHIFT) & TOC_TYPE_MASK;
        f->quality = (entry & TOC_QUALITY) != 0;
        MCX_TRY(mcx_amrwb_num_bits(&num_bits, f->ft));
        out->num_frames++;
    } while ((entry & TOC_MORE) != 0);
    return MCX_OK;
}

mcx_err mcx_amrwb_read(struct mcx_amrwb_payload *out, struct mcx_bytes payload, bool octet_align)
{
    struct bits_rd br = { .rd = mcx_rd(payload), .round = octet_align };
    struct mcx_amrwb_payload v;
    uint8_t cmr = 0;
    size_t num_bits = 0;

    memset(&v, 0, sizeof v);
    MCX_TRY(take_bits(&cmr, &br, CMR_BITS));
    v.cmr = cmr >> CMR_SHIFT;
    if (v.cmr > MCX_AMRWB_FT_23_85) {
        v.cmr = MCX_AMRWB_CMR_NONE;
    }
    MCX_TRY(read_toc(&v, &br));
    for (size_t i = 0; i < v.num_frames; i++) {
        MCX_TRY(mcx_amrwb_num_bits(&num_bits, v.frame[i].ft));
        MCX_TRY(take_bits(v.frame[i].bits, &br, num_bits));
    }
    MCX_TRY(mcx_rd_end(&br.rd));
    *out = v;
    return MCX_OK;
}

struct bits_wr {
    struct mcx_wr wr;
    unsigned left; /* free bits of the last octet written, 0 to 7 */
    bool round;
};

static mcx_err put_bits(struct bits_wr *bw, const uint8_t *in, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (bw->left == 0) {
            MCX_TRY(mcx_wr_u8(&bw->wr, 0));
            bw->left = 8;
        }
        bw->left--;
        bw->wr.p[bw->wr.len - 1] = (uint8_t)(bw->wr.p[bw->wr.len - 1] | ((in[i / 8] >> (7 - i % 8)) & 1) << bw->left);
    }
    if (bw->round) {
        bw->left = 0;
    }
    return MCX_OK;
}

static mcx_err check_payload(const struct mcx_amrwb_payload *payload)
{
    size_t num_bits = 0;

    if (payload->num_frames == 0 || payload->num_frames > MCX_AMRWB_NUM_FRAMES_MAX) {
        return MCX_E_ARG;
    }
    if (payload->cmr > MCX_AMRWB_FT_23_85 && payload->cmr != MCX_AMRWB_CMR_NONE) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < payload->num_frames; i++) {
        if (mcx_amrwb_num_bits(&num_bits, payload->frame[i].ft) != MCX_OK) {
            return MCX_E_ARG;
        }
    }
    return MCX_OK;
}

mcx_err mcx_amrwb_write(struct mcx_wr *out, const struct mcx_amrwb_payload *payload, bool octet_align)
{
    struct bits_wr bw = { .wr = *out, .round = octet_align };
    uint8_t cmr = 0;
    size_t num_bits = 0;

    MCX_TRY(check_payload(payload));
    cmr = (uint8_t)(payload->cmr << CMR_SHIFT);
    MCX_TRY(put_bits(&bw, &cmr, CMR_BITS));
    for (size_t i = 0; i < payload->num_frames; i++) {
        const struct mcx_amrwb_frame *f = &payload->frame[i];
        bool more = i + 1 < payload->num_frames;
        uint8_t entry = (uint8_t)((more ? TOC_MORE : 0) | f->ft << TOC_TYPE_SHIFT | (f->quality ? TOC_QUALITY : 0));

        MCX_TRY(put_bits(&bw, &entry, TOC_BITS));
    }
    for (size_t i = 0; i < payload->num_frames; i++) {
        MCX_TRY(mcx_amrwb_num_bits(&num_bits, payload->frame[i].ft));
        MCX_TRY(put_bits(&bw, payload->frame[i].bits, num_bits));
    }
    *out = bw.wr;
    return MCX_OK;
}
