/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_PHONES_H
#define MCX_TESTS_PHONES_H

/*
 * Two private call machines, Alice (unit07) and Bob (unit08), joined by a wire without I/O on a fake clock. What a
 * server does is done by the wire: it asserts the caller and passes the SDP on. Tests may change what passes.
 */
#include <mcx/privcall.h>

#include "support/fake.h"
#include "support/ring.h"

#define ALICE_ID "sip:unit07@mcx.example.net"
#define BOB_ID   "sip:unit08@mcx.example.net"
#define GMS_ID   "sip:gms1@mcx.example.net"

struct phone {
    struct mcx_privcall *pc;
    struct mcx_keyring *ring;
    struct mcx_replay *replay;
    struct fake_rng rng;
    struct phone *peer;
    const char *id;
    uint64_t dialog; /* of the present call, as this side counts */
    /* what it did */
    bool media;
    bool listening; /* before the answer */
    struct mcx_srtp_master early_rx;
    bool protected_media;
    struct mcx_srtp_master tx, rx;
    struct mcx_privcall_media media_is;
    char media_address[64];
    char floor_address[64];
    uint8_t mki[4];
    uint32_t timer_ms[MCX_PC_NUM_TIMERS]; /* 0 = not running */
    unsigned num_notes;
    unsigned notes;              /* bit per note that was ever told */
    enum mcx_privcall_note note; /* the last one */
    enum mcx_privcall_cause cause;
    char sentence[1400];
    char reason[200];
    uint16_t sent_code; /* last refusal */
    enum mcx_warning sent_warning;
    unsigned num_refusals, num_byes, num_cancels, num_oks, num_ringings, num_connect_acks;
    enum mcx_mcpc_reason sent_reason; /* last Acknowledgement to a Connect */
    size_t most_actions;
};

/** A message under way to `to`. */
struct wire_msg {
    struct phone *to;
    struct mcx_privcall_in in;
    char sdp[16384];
    size_t sdp_len;
    char caller[128];
};

struct wire {
    struct phone alice, bob;
    struct mcx_ntp now;
    struct wire_msg queue[8];
    size_t num;
    /** Called for each message before it arrives; may change it. @return false = lost */
    bool (*passing)(struct wire *wire, struct wire_msg *msg, void *arg);
    void *arg;
};

/** Both phones with their keys; `edit` (may be NULL) changes a configuration before the machine is made. */
void wire_setup(struct wire *wire, void (*edit)(struct mcx_privcall_config *config, bool alice));
void wire_clear(struct wire *wire);
/** A user's event, then everything that follows from it. @return result of the step */
mcx_err phone_user(struct wire *wire, struct phone *phone, enum mcx_privcall_event event);
mcx_err phone_call(struct wire *wire, enum mcx_privcall_commencement commencement, bool floor);
mcx_err phone_timer(struct wire *wire, struct phone *phone, enum mcx_privcall_timer timer);
mcx_err phone_give(struct wire *wire, struct phone *phone, const struct mcx_privcall_in *in);
/** I_MESSAGE in an SDP; *at and *len are the place of its base64. */
struct vec imessage_of(const char *sdp, size_t sdp_len, size_t *at, size_t *len);
/** Put another one in its place. */
void imessage_put(struct wire_msg *msg, struct mcx_bytes imessage);

#endif
