/* SPDX-License-Identifier: Apache-2.0 */
/* AMR-WB payload: the first octet chooses the form; what is read and written again is read as the same frames. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/amrwb.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(const struct mcx_amrwb_payload *a, const struct mcx_amrwb_payload *b)
{
    if (a->cmr != b->cmr || a->num_frames != b->num_frames) {
        return 0;
    }
    for (size_t i = 0; i < a->num_frames; i++) {
        const struct mcx_amrwb_frame *x = &a->frame[i];
        const struct mcx_amrwb_frame *y = &b->frame[i];

        if (x->ft != y->ft || x->quality != y->quality || memcmp(x->bits, y->bits, sizeof x->bits) != 0) {
            return 0;
        }
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[MCX_AMRWB_PAYLOAD_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_amrwb_payload first;
    struct mcx_amrwb_payload second;
    bool octet_align = false;

    if (size == 0) {
        return 0;
    }
    octet_align = (data[0] & 1) != 0;
    if (mcx_amrwb_read(&first, mcx_bytes(data + 1, size - 1), octet_align) != MCX_OK) {
        return 0;
    }
    if (mcx_amrwb_write(&wr, &first, octet_align) != MCX_OK || wr.len != size - 1 ||
        mcx_amrwb_read(&second, mcx_wr_done(&wr), octet_align) != MCX_OK || !same(&first, &second)) {
        abort();
    }
    return 0;
}
