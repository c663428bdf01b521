/* SPDX-License-Identifier: Apache-2.0 */
/* SDP: whatever is read is looked at, answered and rewritten; a rewritten description is read again. */
#include <stdint.h>
#include <stdlib.h>

#include <mcx/sdp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct mcx_sdp *sdp)
{
    static uint8_t message[MCX_SDP_MAX];
    struct mcx_sdp_amrwb amrwb = { 0 };
    struct mcx_bytes fmtp = { 0 };
    size_t media = 0;
    size_t len = 0;

    for (size_t i = 0; i < sdp->num_media; i++) {
        (void)mcx_sdp_conn(sdp, i);
        (void)!mcx_sdp_key_mgmt(message, sizeof message, &len, sdp, i, NULL);
    }
    (void)!mcx_sdp_audio(&media, &amrwb, sdp, NULL);
    (void)mcx_sdp_floor(&media, &fmtp, sdp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[2 * MCX_SDP_MAX];
    static const struct mcx_sdp_params params = {
        .address = "192.0.2.1", .audio_port = 9, .amrwb = { 97, false, 0x1ff }, .floor_port = 11
    };
    struct mcx_sdp_replace rep[MCX_SDP_MAX_MEDIA];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_sdp sdp;
    struct mcx_sdp again;

    if (mcx_sdp_read(&sdp, mcx_bytes(data, size), NULL) != MCX_OK) {
        return 0;
    }
    look(&sdp);
    (void)!mcx_sdp_answer_write(&wr, &sdp, &params);
    wr.len = 0;
    for (size_t i = 0; i < sdp.num_media; i++) {
        rep[i] = (struct mcx_sdp_replace){ i, i % 3 == 2 ? "2001:db8::1" : "192.0.2.9", (uint16_t)i, 5,
                                            i % 4 == 1 ? "mc_queueing" : NULL };
    }
    if (mcx_sdp_rewrite(&wr, &sdp, rep, sdp.num_media) != MCX_OK) {
        abort(); /* the buffer is large enough for any description */
    }
    if (wr.len <= MCX_SDP_MAX && mcx_sdp_read(&again, mcx_wr_done(&wr), NULL) != MCX_OK) {
        abort();
    }
    return 0;
}
