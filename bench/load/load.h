/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_BENCH_LOAD_H
#define MCX_BENCH_LOAD_H

/* What the files of the load program share: clients with their sockets, and the course of a run. */
#include <mcx/bytes.h>
#include <mcx/channel.h>

#include "io/loop.h"
#include "io/sip.h"

#define LOAD_URI_MAX     256
#define LOAD_PAYLOAD     68 /* octets behind the RTP header: a frame of AMR-WB, MKI, ROC and tag of group media */
#define LOAD_PACKET      (12 + LOAD_PAYLOAD)
#define LOAD_MAX_PACKETS 60000 /* the sequence number does not wrap */

struct load_options {
    const char *server; /* sip:127.0.0.1:PORT;transport=tcp */
    const char *group;
    const char *domain;                 /* users are sip:uN@DOMAIN, N from 0; number 0 speaks */
    bool chat;                          /* all join by themselves; else the server invites */
    const char *server_id;              /* everybody has a CSK with it; NULL = floor control in clear */
    const char *make_store, *store_key; /* write the server's key store, and do nothing else */
    unsigned listeners;
    unsigned rate; /* packets a second */
    unsigned seconds;
    unsigned limit; /* seconds for all of it */
    int server_pid; /* 0 = its processor time is not asked for */
};

enum load_state {
    LOAD_NEW,
    LOAD_REGISTERING,
    LOAD_REGISTERED,
    LOAD_PUBLISHING,
    LOAD_AFFILIATED,
    LOAD_CALLING,
    LOAD_IN_CALL
};

struct load;
struct load_client {
    struct load *load;
    unsigned number;
    enum load_state state;
    unsigned tries;
    char uri[LOAD_URI_MAX];
    struct mcx_watch rtp, floor; /* sockets on loopback */
    uint16_t rtp_port, floor_port;
    struct mcx_sip_reg *reg;
    struct mcx_sip_call *call;
    struct mcx_channel *channel; /* NULL = no CSK */
    uint8_t *seen;               /* a bit for each packet */
    uint64_t num_received, num_damaged, num_twice, num_floor, num_refused;
};

/** What all clients have to reach before the next begins. */
enum load_phase { LOAD_REGISTER, LOAD_AFFILIATE, LOAD_CALL, LOAD_FLOOR, LOAD_TALK, LOAD_DRAIN, LOAD_LEAVE };

/** When the server is looked at: before all, when everybody is affiliated, when the call is up, after the last packet.
 */
enum { LOAD_AT_START, LOAD_AT_CALL, LOAD_AT_TALK, LOAD_AT_END, LOAD_NUM_LOOKS };
struct load_look {
    uint64_t cpu; /* clock ticks */
    uint64_t kib; /* memory in use */
};

struct load {
    struct load_options options;
    char host[64];
    struct mcx_sip *sip;
    struct load_keys *keys; /* NULL = no CSKs */
    struct load_client *clients;
    unsigned num_clients;
    enum load_phase phase;
    unsigned next, under_way, done; /* of the phase: not begun from here on; begun; through */
    bool failed;
    const char *failure;
    uint64_t retries;
    struct mcx_timer pump, limit, tick;
    uint16_t server_rtp, server_floor;
    bool granted;
    unsigned floor_requests;
    unsigned sent, send_failures;
    uint64_t start_ms, call_ms, talk_ms;
    struct load_look look[LOAD_NUM_LOOKS];
};

/* load_media.c */
mcx_err load_sockets_open(struct load_client *client);
void load_sockets_close(struct load_client *client);
/** The speaker's datagrams, as many as are due. */
void load_speak(struct load *load, uint64_t now_ms);
mcx_err load_floor_request(struct load *load);
/** Processor time and memory of the server; 0 where they cannot be read. */
void load_look(struct load_look *out, int pid);

/* load_keys.c */
mcx_err load_keys_new(struct load_keys **out, const char *domain);
void load_keys_free(struct load_keys *keys);
/** The key store of the server. */
mcx_err load_keys_store(const struct load_keys *keys, const char *server_id, const char *path, const char *key_file,
                        struct mcx_refusal *why);
/** The client's I_MESSAGE with a new CSK, which his channel opens from now on. */
mcx_err load_keys_csk(struct load_client *client, struct mcx_wr *message);

/* load_sip.c */
mcx_err load_sip_start(struct load *load, struct mcx_refusal *why);
mcx_err load_register(struct load_client *client);
mcx_err load_publish(struct load_client *client);
mcx_err load_invite(struct load_client *client);

/* main.c: what the others report */
void load_reached(struct load_client *client, enum load_state state);
void load_retry(struct load_client *client, enum load_state back_to, const char *what, uint16_t code);
void load_fail(struct load *load, const char *what);
void load_granted(struct load *load);

#endif
