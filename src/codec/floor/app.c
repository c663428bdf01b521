/* SPDX-License-Identifier: Apache-2.0 */
/* RTCP APP packets and the frame of their fields (TS 24.380 8.1.2, 8.2.3.1; RFC 3550 6.7). */
#include "codec/floor/app.h"

#include <mcx/text.h>

#define APP_HEAD_LEN    12
#define APP_VERSION     0x80
#define APP_PADDING     0x20
#define APP_ACK         0x10
#define APP_PT          204
#define APP_LONG_LENGTH 192 /* from this ID on the length has two octets */

static mcx_err refuse_head(struct mcx_refusal *why, const char *reason)
{
    return mcx_refuse(why, MCX_E_FORMAT, reason, "TS 24.380 8.1.2");
}

/* Octets 0 to 11, of which the first four and the name are checked. */
static mcx_err read_first(uint8_t *flags, uint16_t *words, uint32_t *ssrc, struct mcx_bytes *name, struct mcx_rd *rd,
                          struct mcx_refusal *why)
{
    uint8_t pt = 0;

    if (rd->len < APP_HEAD_LEN) {
        return mcx_refuse(why, MCX_E_TRUNC, "shorter than the header of a control message", "TS 24.380 8.1.2");
    }
    MCX_TRY(mcx_rd_u8(rd, flags));
    MCX_TRY(mcx_rd_u8(rd, &pt));
    MCX_TRY(mcx_rd_u16(rd, words));
    MCX_TRY(mcx_rd_u32(rd, ssrc));
    MCX_TRY(mcx_rd_take(rd, 4, name));
    if ((*flags & 0xc0) != APP_VERSION) {
        return refuse_head(why, "the version in the header is not 2");
    }
    return pt == APP_PT ? MCX_OK : refuse_head(why, "the packet type is not 204");
}

mcx_err mcx_app_name(struct mcx_bytes *name, struct mcx_bytes packet)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct mcx_bytes found = { 0 };
    uint8_t flags = 0;
    uint16_t words = 0;
    uint32_t ssrc = 0;

    MCX_TRY(read_first(&flags, &words, &ssrc, &found, &rd, NULL));
    *name = found;
    return MCX_OK;
}

static mcx_err check_length(size_t len, size_t said, struct mcx_refusal *why)
{
    if (said < APP_HEAD_LEN) {
        return refuse_head(why, "the length field does not reach the end of the header");
    }
    if (said > len) {
        return mcx_refuse(why, MCX_E_TRUNC, "the message is shorter than its length field says", "TS 24.380 8.1.2");
    }
    if (said < len) {
        return mcx_refuse(why, MCX_E_TRAILING, "octets after the end of the message", "TS 24.380 8.1.1");
    }
    return MCX_OK;
}

/* An acknowledgement bit where the table has a plain 0 makes a subtype that names no message ("floor-ack-bit"). */
static bool names_message(const struct app_protocol *protocol, uint8_t type, bool ack_wanted)
{
    const struct app_message *m = &protocol->messages[type];

    return m->name != NULL && (m->may_ask_ack || !ack_wanted);
}

mcx_err mcx_app_head_read(struct app_head *out, struct mcx_rd *rd, const struct app_protocol *protocol,
                          struct mcx_bytes packet, struct mcx_refusal *why)
{
    struct app_head head = { 0 };
    struct mcx_bytes name = { 0 };
    uint8_t flags = 0;
    uint16_t words = 0;

    *rd = mcx_rd(packet);
    MCX_TRY(read_first(&flags, &words, &head.ssrc, &name, rd, why));
    if ((flags & APP_PADDING) != 0) {
        return refuse_head(why, "the padding bit is set");
    }
    MCX_TRY(check_length(packet.len, 4 * ((size_t)words + 1), why));
    if (!mcx_bytes_is(name, protocol->name)) {
        return refuse_head(why, "the packet has another name");
    }
    head.type = flags & (APP_SUBTYPES - 1);
    head.ack_wanted = (flags & APP_ACK) != 0;
    if (!names_message(protocol, head.type, head.ack_wanted)) {
        return mcx_refuse(why, MCX_E_UNSUP, "the subtype names no message", "TS 24.380 8.1.4");
    }
    *out = head;
    return MCX_OK;
}

mcx_err mcx_app_head_write(struct mcx_wr *out, size_t *mark, const struct app_protocol *protocol,
                           const struct app_head *head)
{
    if (head->type >= APP_SUBTYPES || !names_message(protocol, head->type, head->ack_wanted)) {
        return MCX_E_ARG;
    }
    *mark = out->len;
    MCX_TRY(mcx_wr_u8(out, (uint8_t)(APP_VERSION | (head->ack_wanted ? APP_ACK : 0) | head->type)));
    MCX_TRY(mcx_wr_u8(out, APP_PT));
    MCX_TRY(mcx_wr_u16(out, 0));
    MCX_TRY(mcx_wr_u32(out, head->ssrc));
    return mcx_wr_str(out, protocol->name);
}

mcx_err mcx_app_end(struct mcx_wr *out, size_t mark, size_t max)
{
    size_t len = out->len - mark;
    struct mcx_wr words = mcx_wr(out->p + mark + 2, 2);

    if (len > max) {
        return MCX_E_ARG;
    }
    return mcx_wr_u16(&words, (uint16_t)(len / 4 - 1));
}

/* ---- fields ---- */

static size_t length_octets(unsigned id)
{
    return id < APP_LONG_LENGTH ? 1 : 2;
}

/* Up to the next multiple of four, counted from the ID (8.2.3.1). */
static size_t padding(unsigned id, size_t value_len)
{
    return (4 - (1 + length_octets(id) + value_len) % 4) % 4;
}

static mcx_err next(struct mcx_app_field *f, struct mcx_rd *rd)
{
    uint8_t id = 0;

    MCX_TRY(mcx_rd_u8(rd, &id));
    f->id = id;
    MCX_TRY(length_octets(id) == 1 ? mcx_rd_vec8(rd, &f->value) : mcx_rd_vec16(rd, &f->value));
    return mcx_rd_take(rd, padding(id, f->value.len), &f->padding);
}

mcx_err mcx_app_field_next(struct mcx_app_field *out, struct mcx_rd *rd)
{
    struct mcx_rd cursor = *rd;
    struct mcx_app_field f = { 0 };

    MCX_TRY(next(&f, &cursor));
    *out = f;
    *rd = cursor;
    return MCX_OK;
}

size_t mcx_app_field_find(const struct app_protocol *protocol, unsigned id)
{
    size_t i = 0;

    while (i < protocol->num_fields && protocol->fields[i].id != id) {
        i++;
    }
    return i;
}

bool mcx_app_may_have(const struct app_message *message, size_t index)
{
    for (size_t i = 0; i < message->num; i++) {
        if (message->fields[i] == index) {
            return true;
        }
    }
    return false;
}

mcx_err mcx_app_value_read(void *msg, const struct app_field *field, struct mcx_bytes value, struct mcx_refusal *why)
{
    struct mcx_rd rd = mcx_rd(value);
    mcx_err err;

    if (value.len < field->min || value.len > field->max) {
        return mcx_refuse(why, MCX_E_FORMAT, "a field has a length that it cannot have", field->info.clause);
    }
    err = field->read((uint8_t *)msg + field->at, &rd);
    if (err == MCX_OK) {
        err = mcx_rd_end(&rd);
    }
    if (err == MCX_E_SPACE) {
        return mcx_refuse(why, err, "a list has more entries than are taken", field->info.clause);
    }
    return err == MCX_OK ? err : mcx_refuse(why, MCX_E_FORMAT, "the value of a field is malformed", field->info.clause);
}

static mcx_err write_length(struct mcx_wr *out, const struct app_field *field, size_t mark)
{
    size_t num = length_octets(field->id);
    size_t len = out->len - mark - num;
    struct mcx_wr wr = mcx_wr(out->p + mark, num);

    if (len < field->min || len > field->max) {
        return MCX_E_ARG;
    }
    return num == 1 ? mcx_wr_u8(&wr, (uint8_t)len) : mcx_wr_u16(&wr, (uint16_t)len);
}

mcx_err mcx_app_field_write(struct mcx_wr *out, const struct app_field *field, const void *msg)
{
    uint8_t *zeros = NULL;
    size_t mark;

    MCX_TRY(mcx_wr_u8(out, (uint8_t)field->id));
    mark = out->len;
    MCX_TRY(mcx_wr_space(out, length_octets(field->id), &zeros));
    MCX_TRY(field->write(out, (const uint8_t *)msg + field->at));
    MCX_TRY(write_length(out, field, mark));
    return mcx_wr_space(out, padding(field->id, out->len - mark - length_octets(field->id)), &zeros);
}

mcx_err mcx_app_u16_read(void *member, struct mcx_rd *value)
{
    return mcx_rd_u16(value, member);
}

mcx_err mcx_app_u16_write(struct mcx_wr *out, const void *member)
{
    return mcx_wr_u16(out, *(const uint16_t *)member);
}

mcx_err mcx_app_text_read(void *member, struct mcx_rd *value)
{
    struct mcx_bytes text = { 0 };

    MCX_TRY(mcx_rd_take(value, value->len, &text));
    *(struct mcx_bytes *)member = text;
    return mcx_utf8_ok(text) ? MCX_OK : MCX_E_FORMAT;
}

mcx_err mcx_app_text_write(struct mcx_wr *out, const void *member)
{
    const struct mcx_bytes *text = member;

    return mcx_utf8_ok(*text) ? mcx_wr_put(out, *text) : MCX_E_ARG;
}
