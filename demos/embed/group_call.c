/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group: the group management server makes the key and a payload for each member, the members take it in, and one
 * speaks.
 *
 *     group_call GROUP URI STORE STORE-KEY URI STORE STORE-KEY URI STORE STORE-KEY     the server, then two members
 *
 * The GKTP document goes from the server to a member over HTTPS, the packet over UDP; here it is a function call.
 */
#include "party.h"

#include <stdio.h>
#include <stdlib.h>

#include <mcx/group_doc.h>
#include <mcx/group_media.h>
#include <mcx/secret.h>

/* The same for all members. */
struct group {
    const char *uri;
    const char *gms;
    struct mcx_key gmk;
    uint32_t gmk_id;
    uint8_t rand[MCX_RAND_LEN];
};

static bool group_new(struct group *group, const char *uri, const char *gms)
{
    const struct mcx_rng rng = mcx_rng_system();

    *group = (struct group){ .uri = uri, .gms = gms };
    return went_well("GMK", mcx_key_generate(&group->gmk, &group->gmk_id, MCX_KEY_GMK, &rng), NULL) &&
           went_well("RAND", mcx_rng_fill(&rng, group->rand, sizeof group->rand), NULL);
}

/* ---- the server ---- */

struct payloads {
    const char *member;
    struct mcx_bytes message;
};

static bool next_payload(void *arg, struct mcx_gktp *gktp)
{
    struct payloads *p = arg;

    *gktp = (struct mcx_gktp){ .kind = MCX_GKTP_GMK, .id = p->member, .temporary = "", .message = p->message };
    p->member = NULL;
    return gktp->id != NULL;
}

/* What one member fetches: the key, encrypted to him and signed by the server. */
static bool write_gktp(char **xml, size_t *len, const struct group *group, const struct party *gms, const char *member)
{
    const struct mcx_bytes groups = mcx_bytes_str(group->uri);
    const struct mcx_key_params key_params = { .status = 1, .groups = &groups, .num_groups = 1 };
    const struct mcx_imessage_params params = { .type = MCX_KEY_GMK,
                                                .key = &group->gmk,
                                                .key_id = group->gmk_id,
                                                .rand = mcx_bytes(group->rand, sizeof group->rand),
                                                .time = party_now(),
                                                .from = mcx_bytes_str(gms->uri),
                                                .to = mcx_bytes_str(member),
                                                .key_params = &key_params };
    const struct mcx_rng rng = mcx_rng_system();
    uint8_t message[MCX_IMESSAGE_MAX];
    struct mcx_wr wr = mcx_wr(message, sizeof message);
    struct payloads payloads = { .member = member };
    struct mcx_refusal why = { NULL, NULL };

    if (!went_well("payload", mcx_imessage_make(&wr, &params, gms->ring, &rng, &why), &why)) {
        return false;
    }
    payloads.message = mcx_wr_done(&wr);
    return went_well("GKTP document", mcx_gktp_write(xml, len, next_payload, &payloads), NULL);
}

/* ---- a member ---- */

struct taking {
    const struct group *group;
    const struct party *member;
    struct mcx_group_keys *keys;
};

/* Signed by the server that we know, and by nobody else; then the key store has its say. */
static mcx_err take_payload(void *arg, const struct mcx_gktp *gktp)
{
    const struct taking *t = arg;
    const struct mcx_imessage_policy policy = { .allowed_types = 1u << MCX_KEY_GMK,
                                                .past_skew_s = MCX_SKEW_ANY,
                                                .initiator = mcx_bytes_str(t->group->gms),
                                                .ignore_status = true,
                                                .ignore_expiry = true };
    static struct mcx_imessage msg;
    struct mcx_refusal why = { NULL, NULL };
    enum mcx_group_key_change change;
    mcx_err err =
        mcx_imessage_open(&msg, gktp->message, t->member->ring, t->member->replay, party_now(), &policy, &why);

    if (err == MCX_OK) {
        err = mcx_group_keys_accept(t->keys, &change, &msg, t->group->gms, t->group->uri, party_now(), &why);
    }
    mcx_imessage_clear(&msg);
    (void)went_well("group key", err, &why);
    return err;
}

/* NULL when anything was refused. */
static struct mcx_group_keys *fetch(const struct group *group, const struct party *gms, const struct party *member)
{
    struct taking t = { group, member, NULL };
    struct mcx_refusal why = { NULL, NULL };
    char *xml = NULL;
    size_t len = 0;
    bool ok = write_gktp(&xml, &len, group, gms, member->uri) && went_well("keys", mcx_group_keys_new(&t.keys), NULL) &&
              went_well("document", mcx_gktp_read(mcx_bytes(xml, len), take_payload, &t, &why), &why);

    free(xml);
    if (!ok) {
        mcx_group_keys_free(t.keys);
        return NULL;
    }
    return t.keys;
}

/* ---- speech ---- */

/* The speaker is known by the GUK-ID in his packets, which only he and the holders of the GMK can make. */
static bool is_from(const struct mcx_group_speaker *speaker, const struct group *group, const char *uri)
{
    uint32_t guk_id = 0;

    return mcx_guk_id(&guk_id, group->gmk_id, &group->gmk, mcx_bytes_str(uri)) == MCX_OK && speaker->guk_id == guk_id;
}

static bool speak(const struct group *group, const char *speaker_uri, const struct mcx_group_keys *from,
                  const struct mcx_group_keys *to)
{
    const struct mcx_rng rng = mcx_rng_system();
    uint8_t plain[PACKET_MAX], wire[PACKET_MAX], opened[PACKET_MAX];
    struct mcx_wr p = mcx_wr(plain, sizeof plain), w = mcx_wr(wire, sizeof wire), o = mcx_wr(opened, sizeof opened);
    struct mcx_group_tx *tx = NULL;
    struct mcx_group_rx *rx = NULL;
    struct mcx_group_speaker speaker = { 0, 0, 0 };
    struct mcx_refusal why = { NULL, NULL };
    bool ok = went_well("sender", mcx_group_tx_new(&tx, from, group->uri, party_now(), &rng, &why), &why) &&
              went_well("receiver", mcx_group_rx_new(&rx, to, group->uri, NULL), NULL) &&
              rtp_packet(&p, mcx_group_tx_ssrc(tx), 1, "all to the north gate") &&
              went_well("protect", mcx_group_tx_protect(tx, &w, mcx_wr_done(&p)), NULL) &&
              went_well("open", mcx_group_rx_open(rx, &o, &speaker, mcx_wr_done(&w), party_now(), &why), &why) &&
              rtp_says(mcx_wr_done(&o), "all to the north gate") && is_from(&speaker, group, speaker_uri);

    mcx_group_tx_free(tx);
    mcx_group_rx_free(rx);
    return ok;
}

int main(int argc, char **argv)
{
    struct party party[3] = { { .ring = NULL } }; /* server, speaker, listener */
    struct mcx_group_keys *keys[3] = { NULL };
    struct group group;
    bool ok = argc == 11;

    if (!ok) {
        fprintf(stderr, "usage: group_call GROUP URI STORE STORE-KEY URI STORE STORE-KEY URI STORE STORE-KEY\n");
        return 2;
    }
    for (int i = 0; ok && i < 3; i++) {
        ok = party_load(&party[i], argv + 2 + 3 * i);
    }
    ok = ok && group_new(&group, argv[1], party[0].uri);
    for (int i = 1; ok && i < 3; i++) {
        keys[i] = fetch(&group, &party[0], &party[i]);
        ok = keys[i] != NULL;
    }
    ok = ok && speak(&group, party[1].uri, keys[1], keys[2]);
    mcx_key_clear(&group.gmk);
    for (int i = 0; i < 3; i++) {
        mcx_group_keys_free(keys[i]);
        party_clear(&party[i]);
    }
    puts(ok ? "the group has heard the speaker" : "no speech");
    return ok ? 0 : 1;
}
