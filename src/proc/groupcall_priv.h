/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GROUPCALL_PRIV_H
#define MCX_GROUPCALL_PRIV_H

/* What the files of the group call share. */
#include <mcx/groupcall.h>

#define GC_SDP_MAX  4096
#define GC_HOST_MAX 256

_Static_assert(MCX_GC_URI_MAX == MCX_MCPTT_VALUE_MAX, "a value of the mcptt-info is copied as it is");

/* The call that the machine holds. All zero when idle. */
struct gc_call {
    uint64_t dialog;
    bool ours; /* we sent the INVITE */
    char group[MCX_GC_URI_MAX];
    char key_group[MCX_GC_URI_MAX]; /* whose keys are used */
    char caller[MCX_GC_URI_MAX];
    enum mcx_mcptt_session session;
    enum mcx_groupcall_type type;
    enum mcx_groupcall_type wanted; /* of the re-INVITE under way */
    unsigned tries;                 /* of it */
    bool protect_media;
    bool protect_floor;
    uint32_t key_id;
    uint64_t sdp_id, sdp_version;        /* of our origin line (RFC 4566 5.2) */
    struct mcx_sdp_floor_params offered; /* by us */
    struct mcx_sdp_floor_params agreed;
    struct mcx_sdp_amrwb amrwb;
    char address[GC_HOST_MAX];
    uint16_t port;
    char floor_address[GC_HOST_MAX];
    uint16_t floor_port;
};

struct mcx_groupcall {
    enum mcx_groupcall_state state;
    struct mcx_groupcall_config config; /* string members point to the copies below */
    char own_id[MCX_GC_URI_MAX];
    char local_address[GC_HOST_MAX];
    char affiliated[MCX_GC_AFFILIATIONS_MAX][MCX_GC_URI_MAX]; /* "" = free */
    struct gc_call call;
    uint8_t sdp[GC_SDP_MAX];
    size_t sdp_len;
    /* strings of the actions of the last step */
    char sentence[MCX_GC_URI_MAX + 256];
    char told_group[MCX_GC_URI_MAX];
    char told_caller[MCX_GC_URI_MAX];
};

/* What a check found out, to be acted on by the row. */
struct gc_found {
    enum mcx_groupcall_cause cause;
    struct mcx_refusal why;
    enum mcx_groupcall_type type; /* of a re-INVITE or of the answer to ours */
};

/* ---- checks: read the event, fill the call, return the event for the table. A bad event leaves no call. ---- */
enum mcx_groupcall_event gc_check_call(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                       struct gc_found *found);
enum mcx_groupcall_event gc_check_change(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                         struct gc_found *found);
enum mcx_groupcall_event gc_check_invite(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                         struct gc_found *found);
enum mcx_groupcall_event gc_check_ok(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                     struct gc_found *found);
enum mcx_groupcall_event gc_check_offer(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                        struct gc_found *found);
/** Timer AGAIN. */
enum mcx_groupcall_event gc_check_again(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                        struct gc_found *found);
enum mcx_groupcall_event gc_check_failure(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                          struct gc_found *found);

/** Floor priority that may be asked for in a call of this type, within what was agreed. */
uint8_t gc_priority(const struct mcx_groupcall *gc, enum mcx_groupcall_type type);

/* ---- groupcall_cause.c: the one table of responses and sentences ---- */
struct gc_cause_row {
    enum mcx_groupcall_cause cause;
    const char *name;
    uint16_t code; /* response to an INVITE; 0 = none */
    const char *phrase;
    const char *sentence; /* "{}" stands for the group */
};
const struct gc_cause_row *gc_cause_row(enum mcx_groupcall_cause cause);
/** What a final response tells who called. */
const char *gc_peer_sentence(uint16_t code, unsigned warning);

#endif
