/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SDP_H
#define MCX_SDP_H

/*
 * SDP of an MCPTT private call (RFC 4566, RFC 3264, RFC 4567, RFC 4867; TS 24.379 6.2.1, 6.2.2).
 *
 * The reader stores nothing: every field is a view into the caller's text, which must outlive it. It wants the
 * line form and the obligatory lines of RFC 4566 and is bounded in size and in the number of media. Lines end in
 * CR LF or LF.
 *
 * The I_MESSAGE stands in `a=key-mgmt:mikey <base64>`, at session level, or in a media section, which then wins for
 * that medium (RFC 4567 3.1). mcx_sdp_key_mgmt() finds and decodes the one that applies.
 *
 * Servers never write a session description anew: mcx_sdp_rewrite() replaces addresses and ports and copies every
 * other octet, the key-mgmt line above all.
 */

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_SDP_MAX       32768 /* octets of a description; an I_MESSAGE of 8192 octets fits */
#define MCX_SDP_MAX_MEDIA 8
#define MCX_SDP_MAX_FORMATS 32 /* of one m= line; each is looked up in the lines below it */

/** c= line (RFC 4566 5.7). */
struct mcx_sdp_conn {
    struct mcx_bytes host; /* address or name without /ttl; empty = no c= line */
    bool ip6;
    struct mcx_bytes value; /* what stands after "c=" */
};

/** One m= section. */
struct mcx_sdp_media {
    struct mcx_bytes section; /* its m= line and all lines up to the next one, with line ends */
    struct mcx_bytes type;    /* "audio" */
    uint16_t port;            /* 0 = refused */
    struct mcx_bytes port_text;
    struct mcx_bytes proto;   /* "RTP/AVP" */
    struct mcx_bytes formats; /* "97 98" */
    struct mcx_sdp_conn conn; /* of this section alone */
};

struct mcx_sdp {
    struct mcx_bytes text;
    struct mcx_bytes session; /* the lines before the first m= line */
    struct mcx_bytes origin;  /* what stands after "o=" */
    struct mcx_sdp_conn conn; /* of the session level */
    struct mcx_sdp_media media[MCX_SDP_MAX_MEDIA];
    size_t num_media;
};

/**
 * Read a description.
 *
 * @retval MCX_E_FORMAT  a line that is not `letter=value`, an octet 0 or bare CR, an obligatory line absent or twice,
 *                       a type letter that RFC 4566 does not know, a malformed c= or m= line
 * @retval MCX_E_UNSUP   v= other than 0, a port count in m=
 * @retval MCX_E_SPACE   over MCX_SDP_MAX octets, MCX_SDP_MAX_MEDIA media or MCX_SDP_MAX_FORMATS formats
 */
MCX_MUST_CHECK mcx_err mcx_sdp_read(struct mcx_sdp *out, struct mcx_bytes text, struct mcx_refusal *why);

/** Address that applies to a medium: its own c= line, or the session's; `host` is empty when there is none. */
const struct mcx_sdp_conn *mcx_sdp_conn(const struct mcx_sdp *sdp, size_t media);

/**
 * Next `a=` line of a section (mcx_rd over `session` or `section`): name, and value after the colon (empty without).
 * @return false at the end
 */
bool mcx_sdp_attr_next(struct mcx_rd *rd, struct mcx_bytes *name, struct mcx_bytes *value);

/**
 * The MIKEY message that applies to a medium, decoded (RFC 4567 3, 4.1.2).
 *
 * Attributes in the media section replace those of the session. Every key-mgmt line of both levels must be well
 * formed and no level may hold two for MIKEY, since one failure ends the session set-up (RFC 4567 4.1.2).
 *
 * @param[out] out      `*out_len` octets; unchanged on error
 * @retval MCX_E_NOKEY  no key-mgmt attribute applies
 * @retval MCX_E_UNSUP  only other protocols are offered
 * @retval MCX_E_FORMAT malformed line, two MIKEY values at one level, not base64 (RFC 4648 4, padded)
 * @retval MCX_E_SPACE  longer than `cap`
 */
MCX_MUST_CHECK mcx_err mcx_sdp_key_mgmt(uint8_t *out, size_t cap, size_t *out_len, const struct mcx_sdp *sdp,
                                        size_t media, struct mcx_refusal *why);

/** Whether a key stands anywhere in it: key-mgmt (RFC 4567 3.1) or crypto (RFC 4568 9.1). */
bool mcx_sdp_has_key(const struct mcx_sdp *sdp);

/** AMR-WB as a description offers it (RFC 4867 8.2). */
struct mcx_sdp_amrwb {
    uint8_t payload_type;
    bool octet_align;
    uint16_t mode_set; /* bit n = mode n (0..8) allowed */
};

/**
 * The first audio line with a usable AMR-WB format: RTP/AVP or RTP/SAVP, port not 0, one channel, no crc, robust
 * sorting or interleaving.
 *
 * @retval MCX_E_UNSUP  there is none
 * @retval MCX_E_FORMAT an rtpmap or fmtp line of AMR-WB is malformed
 */
MCX_MUST_CHECK mcx_err mcx_sdp_audio(size_t *media, struct mcx_sdp_amrwb *amrwb, const struct mcx_sdp *sdp,
                                     struct mcx_refusal *why);

/**
 * The floor control line `m=application PORT udp MCPTT` with a port other than 0 (TS 24.379 6.2.1, TS 24.380 12).
 * @param[out] fmtp  value of a=fmtp:MCPTT, may be empty
 * @return false when there is none
 */
bool mcx_sdp_floor(size_t *media, struct mcx_bytes *fmtp, const struct mcx_sdp *sdp);

/** Attributes of a=fmtp:MCPTT (TS 24.380 12.1.2, 14). */
struct mcx_sdp_floor_params {
    bool queueing;         /* mc_queueing */
    uint8_t priority;      /* mc_priority: 1 to 255; 0 = absent, the default priority */
    bool granted;          /* mc_granted: in an offer: it would be understood; in an answer: the floor is granted */
    bool implicit_request; /* mc_implicit_request: the request counts as a Floor Request */
};
#define MCX_SDP_FLOOR_FMTP_MAX 80 /* octets of all of them, with NUL */
/** Attributes in any order; others are passed over. @retval MCX_E_FORMAT a priority that is no number from 1 to 255, or
 * an attribute twice */
MCX_MUST_CHECK mcx_err mcx_sdp_floor_params_read(struct mcx_sdp_floor_params *out, struct mcx_bytes fmtp);
/** Value for mcx_sdp_params.floor_fmtp; "" when there is nothing to say. */
void mcx_sdp_floor_params_write(char out[MCX_SDP_FLOOR_FMTP_MAX], const struct mcx_sdp_floor_params *params);

/** Where the key-mgmt line is written (docs/DEVIATIONS.md "sdp-key-mgmt-level"). */
enum mcx_sdp_level { MCX_SDP_LEVEL_SESSION, MCX_SDP_LEVEL_AUDIO };

/** What goes into an offer or answer. */
struct mcx_sdp_params {
    uint64_t session_id;
    uint64_t session_version;
    const char *address; /* IPv4 or IPv6 literal */
    uint16_t audio_port;
    uint16_t rtcp_port; /* 0 = no a=rtcp line */
    struct mcx_sdp_amrwb amrwb;
    bool savp; /* offer RTP/SAVP instead of RTP/AVP (docs/DEVIATIONS.md "sdp-profile") */
    enum mcx_sdp_level level;
    struct mcx_bytes imessage; /* empty = no key-mgmt line */
    uint16_t floor_port;       /* 0 = without floor control */
    const char *floor_fmtp;    /* value of a=fmtp:MCPTT, NULL or "" = no line */
};

/** Write an offer (TS 24.379 6.2.1). @retval MCX_E_ARG address, port or format impossible @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_sdp_offer_write(struct mcx_wr *out, const struct mcx_sdp_params *params);

/**
 * Write the answer to an offer (TS 24.379 6.2.2, RFC 3264 6): one m= line for each one offered, in order and with its
 * profile; the audio line of mcx_sdp_audio() with the one format of `params->amrwb`, the floor control line when
 * `floor_port` is not 0, all others refused with port 0.
 *
 * @retval MCX_E_UNSUP no audio line is usable @retval MCX_E_ARG @retval MCX_E_FORMAT @retval MCX_E_SPACE
 */
MCX_MUST_CHECK mcx_err mcx_sdp_answer_write(struct mcx_wr *out, const struct mcx_sdp *offer,
                                            const struct mcx_sdp_params *params);

/** New address and port for one medium. */
struct mcx_sdp_replace {
    size_t media;
    const char *address;    /* IPv4 or IPv6 literal */
    uint16_t port;          /* 0 = the medium is refused: port 0 (RFC 3264 5.1, 6), the rest of it is copied */
    uint16_t rtcp_port;     /* replaces the value of an a=rtcp line; 0 = copy it */
    const char *floor_fmtp; /* value of the one a=fmtp:MCPTT line, "" = no such line; NULL = copy what is there */
};

/**
 * Copy a description with the address and port of some media replaced, and the attributes of the floor control line
 * where the server has its own; every other octet is copied.
 *
 * A medium's own c= line is replaced; where the session's c= line applies, that one is replaced when all media under
 * it get the same address, otherwise a c= line is put into the section. A medium refused with port 0 stays so.
 *
 * @param[in] num  no medium twice
 * @retval MCX_E_ARG @retval MCX_E_SPACE
 */
MCX_MUST_CHECK mcx_err mcx_sdp_rewrite(struct mcx_wr *out, const struct mcx_sdp *sdp,
                                       const struct mcx_sdp_replace *replace, size_t num);

#ifdef __cplusplus
}
#endif

#endif
