/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor in a private call: when the phone asks for it, and when it gives it back. What is to be said is the file:
 * it is asked for until it has been played. Without floor control (TS 24.379 11.1.2) both speak when they like.
 */
#include "phone.h"

static void on_linger(void *arg)
{
    const struct mcx_privcall_in in = { .event = MCX_PC_USER_HANGUP };

    ue_phone_step(arg, &in);
}

/* A little later, so that the last packets are there before the BYE; and the other one may speak to his end. */
static void hangup_later(struct ue_phone *ph)
{
    if (ph->options->hangup_after_play && !ph->to_say && ph->media_open &&
        mcx_timer_start(&ph->linger, LINGER_MS, on_linger, ph) != MCX_OK) {
        on_linger(ph);
    }
}

static void on_mic(void *arg, bool open)
{
    const struct ue_phone *ph = arg;

    ue_voice_mic(ph->voice, open);
}

/* The first thing that the server says of the floor also says that we take part: a request before that would be lost.
 */
static void on_note(void *arg, enum mcx_fpart_note note)
{
    struct ue_phone *ph = arg;

    if (note != MCX_FP_NOTE_TAKEN && note != MCX_FP_NOTE_IDLE) {
        return;
    }
    mcx_timer_stop(&ph->linger);
    if (ph->to_say) {
        if (!ph->held_back) {
            ue_talk_push(ph->talk);
        }
    } else if (note == MCX_FP_NOTE_IDLE) {
        hangup_later(ph);
    }
}

mcx_err ue_phone_floor_new(struct ue_phone *ph)
{
    const struct ue_talk_config config = {
        .address = ph->link.local_address, .json = ph->options->json, .on_mic = on_mic, .on_note = on_note, .arg = ph
    };

    return ue_talk_new(&ph->talk, &config);
}

mcx_err ue_phone_floor_start(struct ue_phone *ph, const struct mcx_privcall_media *m)
{
    const struct ue_talk_params params = { .address = m->floor_address,
                                           .port = m->floor_port,
                                           .channel = ue_link_channel(&ph->link),
                                           .priority = m->priority,
                                           .queueing = m->queueing,
                                           .indicator = MCX_FI_NORMAL,
                                           .implicit_request = m->implicit_request,
                                           .granted = m->granted };

    ph->to_say = ph->options->play != NULL;
    ph->held_back = false;
    ph->floor_control = m->floor_port != 0;
    if (ph->floor_control) {
        return ue_talk_start(ph->talk, &params);
    }
    if (ph->caller) {
        ue_voice_mic(ph->voice, true); /* the callee waits for the ACK: only then is the caller ready */
    }
    return MCX_OK;
}

void ue_phone_acked(struct ue_phone *ph)
{
    if (!ph->floor_control) {
        ue_voice_mic(ph->voice, true);
    }
}

void ue_phone_talk(struct ue_phone *ph, bool pressed)
{
    ph->held_back = !pressed;
    if (pressed) {
        ue_talk_push(ph->talk);
    } else {
        ue_talk_release(ph->talk);
    }
}

void ue_phone_played(void *arg)
{
    struct ue_phone *ph = arg;

    ph->to_say = false;
    hangup_later(ph);
    ue_talk_release(ph->talk);
}

void ue_phone_heard(void *arg)
{
    const struct ue_phone *ph = arg;

    ue_talk_heard(ph->talk);
}

void ue_phone_floor_stop(struct ue_phone *ph)
{
    mcx_timer_stop(&ph->linger);
    ue_talk_stop(ph->talk);
    ph->floor_control = false;
}
