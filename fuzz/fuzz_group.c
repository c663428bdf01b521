/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group media and sealed group keys. The first octet chooses: bit 0 the sealed form, opened as it is and, sealed
 * rightly, as contents; else a packet that comes to a listener who holds two keys, one with RCCm3. Nothing of it
 * authenticates, so it must be refused, and after it the true speech is heard as before.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/group_media.h>
#include <mcx/rtp.h>

#include "keys/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GROUP "sip:fire@example.org"
#define GMS   "sip:gms@example.org"
#define USER  "sip:alice@example.org"

static mcx_err count_up(void *ctx, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (*(uint8_t *)ctx)++;
    }
    return MCX_OK;
}

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static struct mcx_group_keys *two_keys(struct mcx_ntp now)
{
    static struct mcx_imessage m;
    struct mcx_group_keys *keys = NULL;
    enum mcx_group_key_change change;

    must(mcx_group_keys_new(&keys) == MCX_OK);
    for (uint32_t id = 1; id <= 2; id++) {
        m = (struct mcx_imessage){ .type = MCX_KEY_GMK,
                                   .key = { { (uint8_t)id } },
                                   .key_id = id,
                                   .rand_len = 16,
                                   .time = now,
                                   .initiator = GMS,
                                   .responder = USER,
                                   .rcc = id == 1,
                                   .roc_rate = id == 1 };
        must(mcx_guk_id(&m.csb_id, id, &m.key, mcx_bytes_str(USER)) == MCX_OK);
        must(mcx_group_keys_accept(keys, &change, &m, GMS, GROUP, now, NULL) == MCX_OK);
    }
    return keys;
}

static void packet(struct mcx_bytes in)
{
    const struct mcx_ntp now = { MCX_NTP_UNIX_OFFSET + 1790000000, 0 };
    uint8_t state = 1;
    const struct mcx_rng rng = { count_up, &state };
    struct mcx_group_keys *keys = two_keys(now);
    struct mcx_group_tx *tx = NULL;
    struct mcx_group_rx *rx = NULL;
    struct mcx_group_speaker speaker;
    uint8_t plain[32] = { 0 }, sealed[80], opened[4096];

    must(mcx_group_tx_new(&tx, keys, GROUP, now, &rng, NULL) == MCX_OK);
    must(mcx_group_rx_new(&rx, keys, GROUP, NULL) == MCX_OK);
    for (uint16_t seq = 0; seq < 2; seq++) {
        const struct mcx_rtp rtp = {
            .pt = 97, .seq = seq, .ssrc = mcx_group_tx_ssrc(tx), .payload = mcx_bytes("speech", 6)
        };
        struct mcx_wr wr = mcx_wr(plain, sizeof plain), out = mcx_wr(sealed, sizeof sealed);
        struct mcx_wr back = mcx_wr(opened, sizeof opened);

        must(mcx_rtp_write(&wr, &rtp) == MCX_OK);
        must(mcx_group_tx_protect(tx, &out, mcx_wr_done(&wr)) == MCX_OK);
        must(mcx_group_rx_open(rx, &back, &speaker, mcx_wr_done(&out), now, NULL) == MCX_OK);
        must(mcx_bytes_equal(mcx_wr_done(&back), mcx_wr_done(&wr)));
        back.len = 0;
        must(mcx_group_rx_open(rx, &back, &speaker, in, now, NULL) != MCX_OK && back.len == 0);
    }
    mcx_group_tx_free(tx);
    mcx_group_rx_free(rx);
    mcx_group_keys_free(keys);
}

static void open_sealed(struct mcx_bytes sealed, const uint8_t *key)
{
    struct mcx_group_keys *keys = NULL;

    if (mcx_group_keys_open(&keys, sealed, key, 0, NULL) == MCX_OK) {
        uint8_t state = 1;
        const struct mcx_rng rng = { count_up, &state };
        uint8_t *again = NULL;
        size_t len = 0;

        must(mcx_group_keys_seal(&again, &len, keys, key, &rng) == MCX_OK);
        free(again);
        mcx_group_keys_free(keys);
    }
}

static void contents(struct mcx_bytes in)
{
    static const struct sealed_form form = { .magic = "mcxgroup", .version = 1 };
    static const uint8_t key[MCX_STORE_KEY_LEN];
    uint8_t state = 1;
    const struct mcx_rng rng = { count_up, &state };
    uint8_t *sealed = NULL;
    size_t len = 0;

    open_sealed(in, key);
    must(mcx_sealed_write(&sealed, &len, &form, 1, in, key, &rng) == MCX_OK);
    open_sealed(mcx_bytes(sealed, len), key);
    free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4000) {
        return 0;
    }
    if ((data[0] & 1) != 0) {
        contents(mcx_bytes(data + 1, size - 1));
    } else {
        packet(mcx_bytes(data + 1, size - 1));
    }
    return 0;
}
