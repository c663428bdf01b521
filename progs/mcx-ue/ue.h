/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_H
#define MCX_UE_H

/*
 * The parts of mcx-ue. Private calls: phone (machine and user), sip (messages), voice (media). Group calls: group,
 * group_sip, group_media, group_keys, console. Both: options, report (what is printed), keys, link (the line to the
 * server), microphone, talk (floor control).
 */
#include <sys/socket.h>

#include <mcx/channel.h>
#include <mcx/floor_participant.h>
#include <mcx/group_media.h>
#include <mcx/groupcall.h>
#include <mcx/privcall.h>

#include "io/child.h"
#include "io/loop.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

enum ue_command { UE_REGISTER, UE_CALL, UE_ANSWER, UE_GROUP, UE_FETCH, UE_FETCH_GROUPS };
#define UE_MAX_GROUPS 16

struct ue_options {
    enum ue_command command;
    const char *id;                    /* MCPTT ID */
    const char *server;                /* sip:HOST:PORT;transport=tcp */
    const char *psi;                   /* Request-URI of calls; NULL = made from the server */
    const char *server_id;             /* identity that a CSK is made for; NULL = none is made */
    const char *group_keys;            /* sealed file; NULL = beside the store */
    const char *groups[UE_MAX_GROUPS]; /* whose keys are fetched */
    size_t num_groups;
    const char *gms_url; /* NULL = group keys are only read from the file */
    const char *gms_uri;
    const char *gms_ca;
    const char *gms_token; /* NULL = token */
    const char *gms_sip;   /* where it takes subscriptions; NULL = none is made */
    uint32_t gms_poll_ms;  /* 0 = not */
    const char *store;
    const char *store_key;
    const char *ca;
    const char *token;
    const char *kms_url; /* NULL = keys are only read from the store */
    const char *kms_uri;
    const char *kms_ca;
    const char *bind;
    const char *to;
    const char *play;
    const char *record;
    const char *ready_file;
    enum mcx_privcall_commencement commencement;
    enum mcx_sdp_level key_mgmt_level;
    bool savp;
    bool no_floor;
    bool allow_clear;
    bool preestablished;
    bool manual;
    bool reject;
    bool json;
    bool hangup_after_play;
    bool has_answer_after;
    uint32_t answer_after_ms;
    uint32_t hangup_after_ms; /* 0 = not */
    uint32_t num_calls;       /* answer: calls after which it ends, 0 = never */
    uint32_t timer_ms[MCX_PC_NUM_TIMERS];
};
/** @return -1 to go on, else the exit code */
int ue_options_read(struct ue_options *out, int argc, char **argv);

/* ---- report ---- */

/** One event as a JSON line or a plain one; `fmt` as json_pack() has it, all keys beside "event". */
void ue_report(bool json, const char *event, const char *sentence, const char *fmt, ...);
/** A failure of the environment, on standard error. */
void ue_complain(const char *what, mcx_err err, const struct mcx_refusal *why);

/* ---- child: what a process that fetches has printed (src/io/child.h) ---- */

/** Take it, and print it here too when `forward`. @return true when it has closed its output */
bool ue_child_drain(const struct mcx_child *child, bool forward);

/* ---- keys ---- */

struct ue_keys;
/** Reads the key store; asks the KMS first when that has no keys for now. @return exit code, after a complaint */
int ue_keys_open(struct ue_keys **out, const struct ue_options *options);
void ue_keys_close(struct ue_keys *keys);
const struct mcx_keyring *ue_keys_ring(const struct ue_keys *keys);
struct mcx_replay *ue_keys_replay(const struct ue_keys *keys);
/** Since when its replay cache knows what came. */
struct mcx_ntp ue_keys_started(const struct ue_keys *keys);
/** Fetch ahead from now on, in the loop; `on_fresh`: call ue_keys_renew() as soon as no call is open. */
void ue_keys_watch(struct ue_keys *keys, void (*on_fresh)(void *arg), void *arg);
/** Before the loop is closed. */
void ue_keys_unwatch(struct ue_keys *keys);
/** Reads the store again and gives the machine the new keyring; when that fails, the present one stays. */
void ue_keys_renew(struct ue_keys *keys, struct mcx_privcall *pc); /* pc: NULL = nobody else holds the ring */
/** mcx-ue fetch. @return exit code */
int ue_fetch(const struct ue_options *options);

/* ---- microphone ---- */

struct ue_mic;
struct ue_mic_config {
    const char *play;                                 /* NULL = nothing is said */
    mcx_err (*send)(void *arg, struct mcx_bytes rtp); /* one packet, to be protected */
    void (*on_played)(void *arg);                     /* the file has been played to its end; may be NULL */
    void *arg;
};
MCX_MUST_CHECK mcx_err ue_mic_new(struct ue_mic **out, const struct ue_mic_config *config, struct mcx_refusal *why);
void ue_mic_free(struct ue_mic *mic);
/** A new call: the file from its beginning, closed. @param[in] ssrc  NULL = a random one */
MCX_MUST_CHECK mcx_err ue_mic_start(struct ue_mic *mic, const struct mcx_sdp_amrwb *amrwb, const uint32_t *ssrc);
/** Speak from now on; nothing happens when there is nothing (more) to say. */
void ue_mic_open(struct ue_mic *mic);
/** Say nothing; the file stays where it is. */
void ue_mic_close(struct ue_mic *mic);
void ue_mic_set_cmr(struct ue_mic *mic, uint8_t cmr);
/** Packets of this call. */
uint64_t ue_mic_sent(const struct ue_mic *mic);
void ue_mic_stop(struct ue_mic *mic);

/* ---- voice ---- */

struct ue_voice;
struct ue_voice_config {
    const char *address; /* local */
    const char *play;    /* NULL = nothing is said */
    const char *record;  /* NULL = nothing is kept */
    bool json;
    void (*on_played)(void *arg); /* the file has been played to its end */
    void (*on_heard)(void *arg);  /* a packet was good */
    void *arg;
};
struct ue_voice_counts {
    uint64_t sent;
    uint64_t received;   /* authenticated, in time */
    uint64_t late;       /* authenticated, but their place was played already */
    uint64_t lost;       /* sequence numbers that never came */
    uint64_t duplicates; /* replayed, or too old to tell */
    uint64_t concealed;  /* frames that the decoder had to make up */
    uint64_t refused;    /* not authenticated, malformed, or outside a call */
};
/** Opens sockets and files. */
MCX_MUST_CHECK mcx_err ue_voice_new(struct ue_voice **out, const struct ue_voice_config *config,
                                    struct mcx_refusal *why);
/** Completes the recording. @return false when the file is not complete */
bool ue_voice_free(struct ue_voice *voice);
uint16_t ue_voice_audio_port(const struct ue_voice *voice);
/** Receive under `rx`, before anything is known of the other side. The masters are not kept. */
MCX_MUST_CHECK mcx_err ue_voice_listen(struct ue_voice *voice, const struct mcx_privcall_media *media);
/** Both ways; goes on with what ue_voice_listen() has made. */
MCX_MUST_CHECK mcx_err ue_voice_start(struct ue_voice *voice, const struct mcx_privcall_media *media);
/** Speak from now on, or say nothing; the file goes on where it stopped. */
void ue_voice_mic(struct ue_voice *voice, bool open);
/** Ends and wipes the SRTP contexts. */
void ue_voice_stop(struct ue_voice *voice);
struct ue_voice_counts ue_voice_counts(const struct ue_voice *voice);

/* ---- talk: floor control ---- */

struct ue_talk;
struct ue_talk_config {
    const char *address; /* local */
    bool json;
    void (*on_mic)(void *arg, bool open);
    void (*on_talker)(void *arg, const char *mcptt_id);   /* "" = not told who; may be NULL */
    void (*on_note)(void *arg, enum mcx_fpart_note note); /* after it was reported; may be NULL */
    void *arg;
};
MCX_MUST_CHECK mcx_err ue_talk_new(struct ue_talk **out, const struct ue_talk_config *config);
void ue_talk_free(struct ue_talk *talk);
uint16_t ue_talk_port(const struct ue_talk *talk);
struct ue_talk_params {
    const char *address; /* of the server's floor control */
    uint16_t port;
    struct mcx_channel *channel; /* borrowed; NULL = messages are not protected (group documents only) */
    uint8_t priority;
    bool queueing;
    uint16_t indicator;
    bool implicit_request, granted;
};
/** A call with floor control has begun. */
MCX_MUST_CHECK mcx_err ue_talk_start(struct ue_talk *talk, const struct ue_talk_params *params);
void ue_talk_stop(struct ue_talk *talk);
void ue_talk_push(struct ue_talk *talk);
void ue_talk_release(struct ue_talk *talk);
void ue_talk_ask_position(struct ue_talk *talk);
/** Media of somebody else have arrived. */
void ue_talk_heard(struct ue_talk *talk);
void ue_talk_set_priority(struct ue_talk *talk, uint8_t priority, uint16_t indicator);
/** Messages of the last call that were not taken: not authenticated, malformed, plain, out of place. */
uint64_t ue_talk_refused(const struct ue_talk *talk);
/** An address literal and a port. @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err ue_address_read(struct sockaddr_storage *out, socklen_t *len, const char *address,
                                       uint16_t port);

/* ---- radio: media of group calls ---- */

struct ue_radio;
struct ue_radio_config {
    const char *address; /* local */
    const char *play;
    const char *record;
    bool json;
    void (*on_played)(void *arg);
    void (*on_heard)(void *arg);                                            /* a packet of somebody was good */
    void (*on_speaker)(void *arg, const struct mcx_group_speaker *speaker); /* another one than before */
    void *arg;
};
struct ue_radio_counts {
    uint64_t sent, unsent;                                /* unsent: for want of a key */
    uint64_t received, late, lost, duplicates, concealed; /* as of ue_voice_counts */
    uint64_t unknown_key;                                 /* under a key that is not held, or not valid now */
    uint64_t refused;                                     /* everything else that was not taken */
};
MCX_MUST_CHECK mcx_err ue_radio_new(struct ue_radio **out, const struct ue_radio_config *config,
                                    struct mcx_refusal *why);
/** Completes the recording. @return false when the file is not complete */
bool ue_radio_free(struct ue_radio *radio);
uint16_t ue_radio_port(const struct ue_radio *radio);
/** Keys from now on, borrowed; in a call they are switched to at once. @param[out] switched  another key is sent with
 * @retval as mcx_group_tx_renew(): nothing is sent until there is a key again */
MCX_MUST_CHECK mcx_err ue_radio_set_keys(struct ue_radio *radio, const struct mcx_group_keys *keys, bool *switched,
                                         struct mcx_refusal *why);
/** GMK-ID that is sent with; 0 = none. */
uint32_t ue_radio_key_id(const struct ue_radio *radio);
MCX_MUST_CHECK mcx_err ue_radio_listen(struct ue_radio *radio, const struct mcx_groupcall_media *media);
MCX_MUST_CHECK mcx_err ue_radio_start(struct ue_radio *radio, const struct mcx_groupcall_media *media,
                                      struct mcx_refusal *why);
void ue_radio_mic(struct ue_radio *radio, bool open);
void ue_radio_stop(struct ue_radio *radio);
struct ue_radio_counts ue_radio_counts(const struct ue_radio *radio);

/* ---- group keys ---- */

struct ue_group_keys;
/** @return exit code, after a complaint */
int ue_group_keys_open(struct ue_group_keys **out, const struct ue_options *options);
void ue_group_keys_close(struct ue_group_keys *keys);
/** Look at file and clock from now on; `on_change` comes at once too. */
void ue_group_keys_watch(struct ue_group_keys *keys, void (*on_change)(void *arg), void *arg);
/** Before the loop is closed. */
void ue_group_keys_unwatch(struct ue_group_keys *keys);
/** Borrowed until on_change has returned. */
const struct mcx_group_keys *ue_group_keys_now(const struct ue_group_keys *keys);

/* ---- group fetch: keys and documents of groups ---- */

/** mcx-ue fetch-groups. @return exit code */
int ue_fetch_groups(const struct ue_options *options);

/* ---- console ---- */

struct ue_console;
MCX_MUST_CHECK mcx_err ue_console_open(struct ue_console **out, void (*on_line)(void *arg, char *line), void *arg);
void ue_console_close(struct ue_console *console);

/* ---- group ---- */

/** mcx-ue group: runs until told to quit. @return exit code */
int ue_group_run(const struct ue_options *options, struct ue_keys *keys);

/* ---- phone ---- */

struct ue_phone;
/** Runs until the command is done. @return exit code */
int ue_phone_run(const struct ue_options *options, struct ue_keys *keys);

#endif
