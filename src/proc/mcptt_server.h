/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROC_MCPTT_SERVER_H
#define MCX_PROC_MCPTT_SERVER_H

/* Inside of the MCPTT server: the roles, the bindings, the calls. */

#include <mcx/mcptt_server.h>

#include "base/rate.h"

#define MSRV_ARENA 262144 /* octets for the strings of one step's actions */
#define MSRV_ID    32

/** Registration of a user's contact (TS 24.379 7.3, RFC 3261 10.3): one a user, the latest wins. */
struct msrv_binding {
    uint64_t until_ms; /* 0 = none */
    char contact[MCX_MCPTT_VALUE_MAX];
    char flow[MCX_MCPTT_VALUE_MAX]; /* the connection, where there is no Path */
    char path[MCX_MSRV_MAX_PATH][MCX_MCPTT_VALUE_MAX];
    size_t num_path;
    struct mcx_channel *channel; /* with the CSK; NULL = none */
    uint64_t renew_ms;           /* when we make a new one */
};

/** An INVITE between two roles: what the next role may rely on. */
struct msrv_hop {
    const struct mcx_msrv_user *caller;  /* asserted by the O-PF; mcptt-calling-user-id from there on */
    const struct mcx_msrv_user *callee;  /* NULL = a user of no function of this server */
    char callee_id[MCX_MCPTT_VALUE_MAX]; /* from resource-lists; mcptt-request-uri after the CF */
    enum mcx_mcptt_session session;
    enum mcx_answer_mode answer;
    enum mcx_answer_mode priv_answer;
    bool emergency;
    bool isfocus; /* the sender is a controlling function */
    char session_id[MSRV_ID];
    size_t callee_calls; /* private calls that the callee is in already */
    bool callee_registered;
};

/** Refusal of a role. code 0 = go on. */
struct msrv_verdict {
    uint16_t code;
    const char *reason;
    enum mcx_warning warning;
    const char *warning_reason;
};
#define MSRV_PASS ((struct msrv_verdict){ 0, NULL, MCX_WARN_NONE, NULL })

/* Roles (TS 24.379 11.1.1.3.1.1, 11.1.1.4.2, 11.1.1.3.2). The callee's state is looked up between CF and T-PF. */
struct msrv_load {
    size_t calls;
    size_t max_calls;
    size_t caller_calls;
};
struct msrv_verdict msrv_opf(struct msrv_hop *out, const struct mcx_msrv_user *caller, const struct mcx_msrv_sip *sip,
                             const struct mcx_mime *mime, const struct msrv_load *load);
struct msrv_verdict msrv_cf(struct msrv_hop *hop, const char session_id[MSRV_ID]);
struct msrv_verdict msrv_tpf(struct msrv_hop *hop);

/** Floor control of a call: what each side has said of it. */
struct msrv_floor {
    bool offered; /* the caller has a floor control line */
    bool served;  /* and it leads to us */
    bool joined;
    bool queueing; /* we queue requests */
    size_t line; /* in `lines` */
    struct mcx_sdp_floor_params params[2]; /* of the caller's offer, of the callee's answer */
    struct mcx_msrv_port at[2];
};

struct msrv_call {
    bool used;
    uint32_t id;
    unsigned state;
    struct msrv_hop hop;
    char *sdp; /* the caller's offer, on the heap */
    size_t sdp_len;
    char resource_priority[MCX_MCPTT_VALUE_MAX];
    bool alive[2];        /* legs that still exist */
    uint64_t deadline_ms; /* UINT64_MAX = none */
    bool relay;
    struct mcx_msrv_line lines[MCX_SDP_MAX_MEDIA];
    size_t num_lines;
    struct msrv_floor floor;
};

struct mcx_msrv {
    const struct mcx_msrv_config *config;
    struct mcx_rng rng;
    struct msrv_binding *bindings; /* one a user, same index */
    struct mcx_replay *replay;     /* of key messages; NULL = none are taken */
    struct mcx_rate csk_rate;      /* of uploads, by user: nobody fills the replay cache alone */
    struct msrv_call *calls;
    size_t cap_calls;
    uint8_t *arena;
    struct mcx_wr text;
};

/* Strings of actions. NULL when the arena is full. */
const char *msrv_text(struct mcx_msrv *srv, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct mcx_msrv_action *msrv_action(struct mcx_msrv_out *out, enum mcx_msrv_act act, uint32_t call);
/** Warning line of a verdict, "" when it has none. */
const char *msrv_warning(struct mcx_msrv *srv, const struct msrv_verdict *verdict);

/** The offer of an INVITE into `call`: its octets, its lines, where the caller's media are. */
mcx_err msrv_read_offer(struct msrv_call *call, const struct mcx_mime *mime);
/** Where one side's media are, from its offer or answer; port 0 = that side wants none. */
mcx_err msrv_take_remotes(struct mcx_msrv_line *lines, size_t num, const struct mcx_sdp *sdp);
/** A description with the relay's ports that face `side`, in the arena. */
mcx_err msrv_write_sdp(struct mcx_bytes *out, struct mcx_msrv *srv, const struct msrv_call *call,
                       const struct mcx_sdp *sdp, enum mcx_msrv_side side);
/** The caller's floor control line, if he has one. @retval MCX_E_FORMAT its attributes */
mcx_err msrv_floor_offer(struct msrv_call *call, const struct mcx_sdp *sdp);
/** The callee's. He may have refused it, then nothing is served. @retval MCX_E_FORMAT */
mcx_err msrv_floor_answer(struct msrv_call *call, const struct mcx_sdp *sdp);
/** Serve the caller's line if both can be protected. @return NULL, or why it is refused */
const char *msrv_floor_decide(const struct mcx_msrv *srv, struct msrv_call *call, uint64_t now_ms);
/** Call type of a call that is set up. */
uint16_t msrv_floor_indicator(const struct msrv_call *call);
/** Our attributes towards `side` (TS 24.380 14.2, 14.3). */
void msrv_floor_fmtp(char out[MCX_SDP_FLOOR_FMTP_MAX], const struct msrv_call *call, enum mcx_msrv_side side);
void msrv_floor_talker(struct mcx_msrv_talker *out, const struct msrv_call *call, enum mcx_msrv_side side);

mcx_err msrv_write_info(struct mcx_bytes *out, struct mcx_msrv *srv, const struct msrv_hop *hop);
mcx_err msrv_write_parts(struct mcx_msrv_action *act, struct mcx_msrv *srv, const struct mcx_mime *mime);

const struct mcx_msrv_user *msrv_user(const struct mcx_msrv *srv, struct mcx_bytes mcptt_id);
const char *msrv_public_id(const struct mcx_msrv_user *user);
struct msrv_binding *msrv_binding(const struct mcx_msrv *srv, const struct mcx_msrv_user *user);
bool msrv_registered(const struct mcx_msrv *srv, const struct mcx_msrv_user *user, uint64_t now_ms);
/** Whose request this is: by P-Asserted-Identity of a trusted proxy, else by the connection of a registration. */
const struct mcx_msrv_user *msrv_identify(const struct mcx_msrv *srv, const struct mcx_msrv_sip *sip, uint64_t now_ms);
mcx_err msrv_register(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out);

/** CSKs. What msrv_csk_read() gives is wiped by the caller; it is stored only once nothing else can refuse. */
mcx_err msrv_csk_init(struct mcx_msrv *srv);
/** The CSK in a REGISTER; `*has` is false when there is none. Any error refuses the registration. */
mcx_err msrv_csk_read(struct mcx_control_key *out, bool *has, struct mcx_msrv *srv, const struct mcx_msrv_in *in,
                      const struct mcx_msrv_user *user, struct mcx_refusal *why);
mcx_err msrv_csk_store(struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct mcx_control_key *key,
                       uint64_t now_ms);
void msrv_csk_drop(struct msrv_binding *binding);
uint64_t msrv_csk_deadline(const struct mcx_msrv *srv);
mcx_err msrv_csk_tick(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out);
mcx_err msrv_csk_delivered(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out);

#endif
