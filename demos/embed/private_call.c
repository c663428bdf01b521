/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private call: Alice's offer with the signed key of the call in it, Bob's answer, and a packet of speech.
 *
 *     private_call URI STORE STORE-KEY URI STORE STORE-KEY        the caller, then the one who is called
 *
 * Both ends are here. Where a step of one machine takes what the other has put out, your SIP stack is in between: it
 * carries the SDP and knows no key. A program that waits for events also starts the timers that the machines ask for.
 */
#include "party.h"

#include <stdio.h>
#include <stdlib.h>

#include <mcx/privcall.h>

struct phone {
    struct party party;
    struct mcx_privcall *call;
    struct mcx_privcall_actions todo;
};

static bool phone_new(struct phone *phone, char *const arg[3], const char *address)
{
    struct mcx_privcall_config config = { .own_id = arg[0],
                                          .local_address = address,
                                          .audio_port = 40000,
                                          .rng = mcx_rng_system(),
                                          .amrwb = { .payload_type = 97, .mode_set = 0x1ff } };

    if (!party_load(&phone->party, arg)) {
        return false;
    }
    config.ring = phone->party.ring;
    config.replay = phone->party.replay;
    return went_well("phone", mcx_privcall_new(&phone->call, &config), NULL);
}

static void phone_free(struct phone *phone)
{
    mcx_privcall_free(phone->call);
    party_clear(&phone->party);
}

/* One event; what the machine wants done is then in `todo`. What was refused says why. */
static bool step(struct phone *phone, const struct mcx_privcall_in *in)
{
    mcx_err err = mcx_privcall_step(phone->call, in, &phone->todo);

    for (size_t i = 0; err == MCX_OK && i < phone->todo.num; i++) {
        const struct mcx_privcall_action *a = &phone->todo.list[i];

        if (a->act == MCX_PC_TELL && a->note == MCX_PC_NOTE_REFUSED) {
            return went_well(a->sentence, MCX_E_POLICY, &a->why);
        }
    }
    return went_well("the call", err, NULL);
}

static const struct mcx_privcall_action *find(const struct phone *phone, enum mcx_privcall_act act)
{
    for (size_t i = 0; i < phone->todo.num; i++) {
        if (phone->todo.list[i].act == act) {
            return &phone->todo.list[i];
        }
    }
    fprintf(stderr, "the machine did not ask for what it should\n");
    exit(1);
}

/* INVITE with the offer to Bob, 200 with his answer back. */
static bool set_up(struct phone *alice, struct phone *bob)
{
    struct mcx_privcall_in in = { .event = MCX_PC_USER_CALL, .dialog = 1, .now = party_now() };

    in.callee = mcx_bytes_str(bob->party.uri);
    in.commencement = MCX_PC_AUTO;
    if (!step(alice, &in)) {
        return false;
    }
    in = (struct mcx_privcall_in){ .event = MCX_PC_RX_INVITE, .dialog = 1, .now = party_now() };
    in.sdp = find(alice, MCX_PC_SEND_INVITE)->sdp;
    in.calling_user = mcx_bytes_str(alice->party.uri); /* whom the network asserts: it has to be the signer */
    in.answer_mode = MCX_ANSWER_AUTO;
    if (!step(bob, &in)) {
        return false;
    }
    in = (struct mcx_privcall_in){ .event = MCX_PC_RX_OK, .dialog = 1, .now = party_now() };
    in.sdp = find(bob, MCX_PC_SEND_OK)->sdp;
    return step(alice, &in);
}

static struct mcx_srtp_params params_of(const struct mcx_privcall_media *media, const struct mcx_srtp_master *master)
{
    return (struct mcx_srtp_params){ master, mcx_bytes(media->mki, sizeof media->mki), media->roc_rate };
}

/* Alice speaks; the packet is opened by Bob, once. */
static bool speak(const struct phone *alice, const struct phone *bob)
{
    const struct mcx_privcall_media *sent = &find(alice, MCX_PC_START_MEDIA)->media;
    const struct mcx_privcall_media *heard = &find(bob, MCX_PC_START_MEDIA)->media;
    const struct mcx_srtp_params tx_params = params_of(sent, sent->tx);
    const struct mcx_srtp_params rx_params = params_of(heard, heard->rx);
    uint8_t plain[PACKET_MAX], wire[PACKET_MAX], opened[PACKET_MAX];
    struct mcx_wr p = mcx_wr(plain, sizeof plain), w = mcx_wr(wire, sizeof wire), o = mcx_wr(opened, sizeof opened);
    struct mcx_srtp_tx *tx = NULL;
    struct mcx_srtp_rx *rx = NULL;
    struct mcx_refusal why = { NULL, NULL };
    bool ok =
        went_well("sender", mcx_srtp_tx_new(&tx, &tx_params), NULL) &&
        went_well("receiver", mcx_srtp_rx_new(&rx, &rx_params, 4), NULL) && rtp_packet(&p, 0x1234, 1, "north gate") &&
        went_well("protect", mcx_srtp_protect(tx, &w, mcx_wr_done(&p)), NULL) &&
        went_well("open", mcx_srtp_unprotect(rx, &o, mcx_wr_done(&w), &why), &why) &&
        rtp_says(mcx_wr_done(&o), "north gate") && mcx_srtp_unprotect(rx, &o, mcx_wr_done(&w), NULL) == MCX_E_REPLAY;

    mcx_srtp_tx_free(tx);
    mcx_srtp_rx_free(rx);
    return ok;
}

int main(int argc, char **argv)
{
    struct phone alice = { .call = NULL }, bob = { .call = NULL };
    bool ok = false;

    if (argc != 7) {
        fprintf(stderr, "usage: private_call URI STORE STORE-KEY URI STORE STORE-KEY\n");
        return 2;
    }
    ok = phone_new(&alice, argv + 1, "192.0.2.1") && phone_new(&bob, argv + 4, "192.0.2.2") && set_up(&alice, &bob) &&
         speak(&alice, &bob);
    phone_free(&alice);
    phone_free(&bob);
    puts(ok ? "Bob has heard Alice" : "no call");
    return ok ? 0 : 1;
}
