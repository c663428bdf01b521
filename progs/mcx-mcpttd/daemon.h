/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTTD_DAEMON_H
#define MCX_MCPTTD_DAEMON_H

/* Inside of the daemon: SIP dialogs and relays of each call, and the queue of events. */

#include <sys/types.h>
#include <time.h>

#include "base/tally.h"
#include "io/loop.h"
#include "mcx-mcpttd/mcpttd.h"

struct md_call;
struct md_floor;
struct md_gms;
struct md_gms_sub;
struct md_groups;
struct md_preest;
struct md_session;

struct md_leg {
    struct md_daemon *d;
    struct md_call *call;
    enum mcx_msrv_side side;
    struct mcx_sip_call *sip; /* NULL = ended, or not there yet */
    struct md_session *session; /* instead of it: reached over his pre-established session */
    bool ended;               /* told to end at shutdown */
};

struct md_call {
    struct md_call *next;
    uint32_t id;
    struct md_leg leg[2];
    struct mcx_relay_call *relay;
    struct md_floor *floor; /* NULL = without floor control */
};

/** A MESSAGE on its way to a user. */
struct md_delivery {
    struct md_delivery *next;
    struct md_daemon *d;
    const char *user; /* MCPTT ID, in the settings */
};

/** An event that arose while actions were carried out; it has its turn after them. */
struct md_event {
    enum mcx_msrv_event event;
    uint32_t call;
    enum mcx_msrv_side side;
    struct mcx_msrv_line lines[MCX_SDP_MAX_MEDIA];
    size_t num_lines;
};
#define MD_MAX_EVENTS 16

struct md_daemon {
    const struct md_settings *s;
    struct mcx_msrv_config config;
    struct mcx_msrv_authoriser authoriser;
    struct mcx_token_policy token_policy;
    struct mcx_jwks *jwks;
    struct mcx_keyring *ring; /* this server's own keys */
    struct mcx_timer look;    /* at the key store's file */
    struct timespec store_modified;
    ino_t store_inode;
    uint64_t store_serial;    /* the highest seen */
    struct mcx_msrv *srv;
    struct mcx_sip *sip;
    struct mcx_relay *relay;
    bool loop;
    struct md_call *calls;
    struct md_delivery *deliveries;
    struct md_groups *groups;
    struct md_gms *gms;         /* NULL = groups come from files */
    struct md_gms_sub *gms_sub; /* NULL = they are polled only */
    struct md_preest *preest;
    uint32_t last_id;
    const struct mcx_sip_msg *request; /* the REGISTER being answered */
    struct mcx_msrv_out out;
    bool busy; /* actions are being carried out */
    struct md_event queue[MD_MAX_EVENTS];
    size_t num_queued;
    struct mcx_timer deadline, shutdown;
    struct mcx_watch signals; /* a signalfd: SIGUSR1, SIGHUP */
    bool watching;
    struct mcx_tally tally; /* events and refusals by name */
    bool stopping;
    int rc;
};

/** A trusted proxy, by the source of its message. */
bool md_is_trusted(const struct md_settings *s, const char *source);
void md_view(struct mcx_msrv_sip *out, const struct md_settings *s, const struct mcx_sip_msg *msg);

/** Reads the server's own keys; without --store there are none. @return exit code, after a complaint */
int md_store_open(struct md_daemon *d);
/** Looks at the file from now on: keys are fetched into it before a key period ends. */
void md_store_watch(struct md_daemon *d);
/** Before the loop is closed. */
void md_store_unwatch(struct md_daemon *d);
/** Reads it again; when that fails, the present keys stay. */
void md_store_renew(struct md_daemon *d);

/** Handlers for the SIP layer; `arg` is the daemon. */
void md_on_invite(void *arg, struct mcx_sip_call *sip, const struct mcx_sip_msg *msg);
bool md_on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg);
/** What became of a leg that is no SIP dialog of ours. */
void md_call_event(struct md_leg *leg, enum mcx_msrv_event event, const struct mcx_msrv_sip *sip);
void md_free_calls(struct md_daemon *d);
void md_free_deliveries(struct md_daemon *d);

#endif
