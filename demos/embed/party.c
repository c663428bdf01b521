/* SPDX-License-Identifier: Apache-2.0 */
#include "party.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/rtp.h>
#include <mcx/secret.h>
#include <mcx/store.h>
#include <mcx/text.h>

bool went_well(const char *what, mcx_err err, const struct mcx_refusal *why)
{
    if (err != MCX_OK) {
        fprintf(stderr, "%s: %s: %s (%s)\n", what, mcx_err_name(err),
                why != NULL && why->reason != NULL ? why->reason : "-",
                why != NULL && why->clause != NULL ? why->clause : "-");
    }
    return err == MCX_OK;
}

struct mcx_ntp party_now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

static bool read_file(uint8_t *out, size_t cap, size_t *len, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL) {
        perror(path);
        return false;
    }
    *len = fread(out, 1, cap, f);
    (void)fclose(f);
    return *len < cap;
}

static bool read_store_key(uint8_t key[MCX_STORE_KEY_LEN], const char *path)
{
    uint8_t text[2 * MCX_STORE_KEY_LEN + 2];
    size_t len = 0;
    bool ok = read_file(text, sizeof text, &len, path) &&
              mcx_hex_read_exact(key, MCX_STORE_KEY_LEN, mcx_bytes_trim(mcx_bytes(text, len))) == MCX_OK;

    mcx_wipe(text, sizeof text);
    return ok;
}

bool party_load(struct party *party, char *const arg[3])
{
    static uint8_t sealed[MCX_STORE_MAX + 1];
    uint8_t key[MCX_STORE_KEY_LEN];
    struct mcx_store *store = NULL;
    struct mcx_refusal why = { NULL, NULL };
    size_t len = 0;
    bool ok = read_file(sealed, sizeof sealed, &len, arg[1]) && read_store_key(key, arg[2]);

    *party = (struct party){ .uri = arg[0] };
    ok = ok && went_well("store", mcx_store_open(&store, mcx_bytes(sealed, len), key, 0, &why), &why) &&
         went_well("keyring", mcx_keyring_new(&party->ring, MCX_SAKKE_TABLES_NONE), NULL) &&
         went_well("keys", mcx_store_load(party->ring, store, &why), &why) &&
         went_well("replay cache", mcx_replay_new(&party->replay, 1000), NULL);
    mcx_wipe(key, sizeof key);
    mcx_store_free(store);
    return ok;
}

void party_clear(struct party *party)
{
    mcx_replay_free(party->replay);
    mcx_keyring_free(party->ring);
}

bool rtp_packet(struct mcx_wr *out, uint32_t ssrc, uint16_t seq, const char *speech)
{
    const struct mcx_rtp rtp = { .pt = 97, .seq = seq, .ssrc = ssrc, .payload = mcx_bytes_str(speech) };

    return mcx_rtp_write(out, &rtp) == MCX_OK;
}

bool rtp_says(struct mcx_bytes packet, const char *speech)
{
    struct mcx_rtp rtp;

    return mcx_rtp_read(&rtp, packet) == MCX_OK && mcx_bytes_is(rtp.payload, speech);
}
