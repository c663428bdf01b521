/* SPDX-License-Identifier: Apache-2.0 */
/* RTP header: what is read is written back octet by octet; the padding's contents are free. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/rtp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[1 << 20];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_rtp rtp;
    size_t len = 0;

    if (size > sizeof buf || mcx_rtp_read(&rtp, mcx_bytes(data, size)) != MCX_OK) {
        return 0;
    }
    if (mcx_rtp_header_len(&len, NULL, NULL, mcx_bytes(data, size)) != MCX_OK ||
        len + rtp.payload.len + rtp.padding != size) {
        abort();
    }
    if (mcx_rtp_write(&wr, &rtp) != MCX_OK || wr.len != size || memcmp(buf, data, size - rtp.padding) != 0) {
        abort();
    }
    return 0;
}
