/* SPDX-License-Identifier: Apache-2.0 */
/* MIKEY codec. First octet: 0 a message, 1 key parameters, 2 the frame around them, 3 SP parameters, 4 a header. What
 * the writer makes of a message that was read is read again. */
#include <stdint.h>
#include <stdlib.h>

#include <mcx/mikey.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message(struct mcx_bytes in)
{
    static uint8_t buf[2 * MCX_MIKEY_MSG_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_mikey_sakke_msg m;
    struct mcx_mikey_sakke_msg again;
    struct mcx_mikey_error_msg e;
    uint8_t *signature;

    (void)!mcx_mikey_error_read(&e, in, NULL);
    if (mcx_mikey_sakke_msg_read(&m, in, NULL) != MCX_OK || mcx_mikey_sakke_msg_write(&wr, &m) != MCX_OK) {
        return;
    }
    if (mcx_wr_space(&wr, MCX_MIKEY_SIGN_ECCSI_LEN, &signature) != MCX_OK ||
        mcx_mikey_sakke_msg_read(&again, mcx_wr_done(&wr), NULL) != MCX_OK || again.hdr.csb_id != m.hdr.csb_id ||
        again.t.value != m.t.value || !mcx_bytes_equal(again.rand, m.rand) ||
        !mcx_bytes_equal(again.sakke.sed, m.sakke.sed) || again.num_sp != m.num_sp) {
        abort();
    }
}

static void key_params(struct mcx_bytes in)
{
    static uint8_t buf[1 << 17];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_mikey_key_params v;
    struct mcx_mikey_key_params again;

    (void)!mcx_mikey_key_params_clear_read(&v, in);
    if (mcx_mikey_key_params_read(&v, in, 0) != MCX_OK || v.status > UINT16_MAX) {
        return; /* bits that nobody has defined could make the written form look like one with an IE head */
    }
    if (mcx_mikey_key_params_write(&wr, &v) != MCX_OK ||
        mcx_mikey_key_params_read(&again, mcx_wr_done(&wr), 0) != MCX_OK || again.num_groups != v.num_groups ||
        again.expiry != v.expiry) {
        abort();
    }
}

static void frame(struct mcx_bytes in)
{
    struct mcx_mikey_kp_frame f;

    if (mcx_mikey_kp_frame_read(&f, in) == MCX_OK &&
        (f.head.len != MCX_MIKEY_KP_HEAD_LEN || f.tag.len != MCX_MIKEY_KP_TAG_LEN)) {
        abort();
    }
}

static void suite(struct mcx_bytes in)
{
    const struct mcx_mikey_sp sp = { .params = in };
    struct mcx_mikey_suite s;

    if (mcx_mikey_suite_read(&s, &sp) == MCX_OK && s.rcc != (s.roc_rate > 0)) {
        abort();
    }
}

static void header(struct mcx_bytes in)
{
    static uint8_t buf[1 << 17];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_rd rd = mcx_rd(in);
    struct mcx_mikey_hdr h;
    uint8_t next = 0;

    if (in.len > sizeof buf || mcx_mikey_hdr_read(&h, &next, &rd) != MCX_OK || h.v) {
        return;
    }
    if (mcx_mikey_hdr_write(&wr, &h, next) != MCX_OK ||
        !mcx_bytes_equal(mcx_wr_done(&wr), mcx_bytes(in.p, in.len - rd.len))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(struct mcx_bytes in) = { message, key_params, frame, suite, header };

    if (size > 0 && data[0] < sizeof targets / sizeof targets[0]) {
        targets[data[0]](mcx_bytes(data + 1, size - 1));
    }
    return 0;
}
