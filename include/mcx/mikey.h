/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MIKEY_H
#define MCX_MIKEY_H

/*
 * The octets of a MIKEY message (RFC 3830 6), as far as MIKEY-SAKKE uses them (RFC 6509, TS 33.180 annex E).
 *
 * A message is a common header and a chain of payloads. Each payload begins with the number of the one that
 * follows it; the chain ends with SIGN. Views only: every `struct mcx_bytes` below points into the message that
 * was read, nothing is allocated, and no cryptography is known here: SAKKE data, signature and protected key
 * parameters are carried as octets, and src/keys/ gives them their meaning.
 *
 * Three ways in:
 *   mcx_mikey_walk_*()        payload by payload, for tools that explain a message, also a broken one
 *   mcx_mikey_sakke_msg_read() the whole I_MESSAGE, checked against the table of payloads
 *   mcx_mikey_error_read()    recognises a MIKEY error message; nobody acts on it
 *
 * Read and write of one payload stand side by side in one file. A `_read` leaves `rd` and its outputs as they
 * were when it fails. A `_write` is strict: what the specification forbids gives MCX_E_ARG.
 */

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Payload numbers: "next payload" values (RFC 3830 table 6.1.b, RFC 6043, RFC 6509 4.2). */
enum mcx_mikey_payload_no {
    MCX_MIKEY_PL_LAST = 0,
    MCX_MIKEY_PL_KEMAC = 1,
    MCX_MIKEY_PL_PKE = 2,
    MCX_MIKEY_PL_DH = 3,
    MCX_MIKEY_PL_SIGN = 4,
    MCX_MIKEY_PL_T = 5,
    MCX_MIKEY_PL_ID = 6,
    MCX_MIKEY_PL_CERT = 7,
    MCX_MIKEY_PL_CHASH = 8,
    MCX_MIKEY_PL_V = 9,
    MCX_MIKEY_PL_SP = 10,
    MCX_MIKEY_PL_RAND = 11,
    MCX_MIKEY_PL_ERR = 12,
    MCX_MIKEY_PL_TR = 13,
    MCX_MIKEY_PL_IDR = 14,
    MCX_MIKEY_PL_RANDR = 15,
    MCX_MIKEY_PL_TP = 16,
    MCX_MIKEY_PL_TICKET = 17,
    MCX_MIKEY_PL_KEY_DATA = 20,
    MCX_MIKEY_PL_EXT = 21,
    MCX_MIKEY_PL_SAKKE = 26,
};
/** "T", "IDR", "SAKKE"...; "unknown" for a number without a name. Never NULL. */
const char *mcx_mikey_payload_name(uint8_t number);

/* Common header ------------------------------------------------------------------------------------------- */

#define MCX_MIKEY_VERSION   1
#define MCX_MIKEY_DATA_ERROR 6  /* RFC 3830 table 6.1.a */
#define MCX_MIKEY_DATA_SAKKE 26 /* RFC 6509 4.1 */
#define MCX_MIKEY_PRF_HMAC_SHA256 1
#define MCX_MIKEY_MAX_CS 255

enum mcx_mikey_map_type {
    MCX_MIKEY_MAP_SRTP_ID = 0, /* RFC 3830 6.1.1 */
    MCX_MIKEY_MAP_EMPTY = 1,   /* RFC 4563 5 */
    MCX_MIKEY_MAP_GENERIC = 2, /* RFC 6043 6.1.1 */
};

/** Common header HDR (RFC 3830 6.1, RFC 6043 6.1). */
struct mcx_mikey_hdr {
    uint8_t version;
    uint8_t data_type;
    bool v;
    uint8_t prf;
    uint32_t csb_id;
    uint8_t num_cs;
    uint8_t map_type;
    struct mcx_bytes map; /* CS ID map info; blocks: mcx_mikey_map_*_read() */
};
/**
 * @retval MCX_E_TRUNC
 * @retval MCX_E_FORMAT  crypto sessions together with an empty map, or S = 1 with too little session data
 * @retval MCX_E_UNSUP   version or map type not known: nothing after it can be found
 */
MCX_MUST_CHECK mcx_err mcx_mikey_hdr_read(struct mcx_mikey_hdr *out, uint8_t *next, struct mcx_rd *rd);
/** Checks that `map` holds exactly `num_cs` blocks of `map_type`; V must be off (RFC 6509 2.2.1). */
MCX_MUST_CHECK mcx_err mcx_mikey_hdr_write(struct mcx_wr *wr, const struct mcx_mikey_hdr *v, uint8_t next);

/** One block of an SRTP-ID map (type 0). The CS ID of block i is i, from 1 on. */
struct mcx_mikey_map_srtp {
    uint8_t policy_no;
    uint32_t ssrc;
    uint32_t roc;
};
MCX_MUST_CHECK mcx_err mcx_mikey_map_srtp_read(struct mcx_mikey_map_srtp *out, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_map_srtp_write(struct mcx_wr *wr, const struct mcx_mikey_map_srtp *v);

/** One block of a GENERIC-ID map (type 2). */
struct mcx_mikey_map_generic {
    uint8_t cs_id;
    uint8_t prot_type;        /* 0 = SRTP */
    bool s;                   /* session data contains ROC and SEQ */
    struct mcx_bytes policies; /* one octet each, 0 .. 127 of them */
    struct mcx_bytes session; /* SSRC [ROC SEQ], normally empty */
    struct mcx_bytes spi;     /* SRTP MKI */
};
/** @retval MCX_E_TRUNC @retval MCX_E_FORMAT S = 1 with less than 10 octets of session data */
MCX_MUST_CHECK mcx_err mcx_mikey_map_generic_read(struct mcx_mikey_map_generic *out, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_map_generic_write(struct mcx_wr *wr, const struct mcx_mikey_map_generic *v);

/* Payloads ------------------------------------------------------------------------------------------------ */

#define MCX_MIKEY_TS_NTP_UTC 0
/** Time stamp T (RFC 3830 6.6). `value` is 64 bits for types 0 and 1, 32 for the counter (type 2). */
struct mcx_mikey_t {
    uint8_t ts_type;
    uint64_t value;
};
/** @retval MCX_E_TRUNC @retval MCX_E_UNSUP a type whose length is not known */
MCX_MUST_CHECK mcx_err mcx_mikey_t_read(struct mcx_mikey_t *out, uint8_t *next, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_t_write(struct mcx_wr *wr, const struct mcx_mikey_t *v, uint8_t next);

#define MCX_MIKEY_RAND_MIN 16 /* CHOICE after "SHOULD be at least 16" of RFC 3830 6.11 */
/** RAND (RFC 3830 6.11). The writer demands MCX_MIKEY_RAND_MIN octets; the reader takes any number. */
MCX_MUST_CHECK mcx_err mcx_mikey_rand_read(struct mcx_bytes *out, uint8_t *next, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_rand_write(struct mcx_wr *wr, struct mcx_bytes rand, uint8_t next);

enum mcx_mikey_role {
    MCX_MIKEY_ROLE_I = 1,
    MCX_MIKEY_ROLE_R = 2,
    MCX_MIKEY_ROLE_KMS = 3,   /* RFC 6043; one vendor sends it twice instead of 6 and 7 */
    MCX_MIKEY_ROLE_PSK = 4,
    MCX_MIKEY_ROLE_APP = 5,
    MCX_MIKEY_ROLE_KMS_I = 6, /* RFC 6509 4.4 */
    MCX_MIKEY_ROLE_KMS_R = 7,
    MCX_MIKEY_ROLE_UID_I = 8, /* TS 33.180 E.7 */
    MCX_MIKEY_ROLE_UID_R = 9,
};
/** "IDRi", "IDRkmsr", "IDRuidi"...; "IDR" for a role without a name. Never NULL. */
const char *mcx_mikey_role_name(uint8_t role);
#define MCX_MIKEY_ID_NAI   0
#define MCX_MIKEY_ID_URI   1
#define MCX_MIKEY_ID_BYTES 2

/** Identity with role, IDR (RFC 6043 6.6). */
struct mcx_mikey_idr {
    uint8_t role;
    uint8_t id_type;
    struct mcx_bytes id;
};
MCX_MUST_CHECK mcx_err mcx_mikey_idr_read(struct mcx_mikey_idr *out, uint8_t *next, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_idr_write(struct mcx_wr *wr, const struct mcx_mikey_idr *v, uint8_t next);

/** Security policy SP (RFC 3830 6.10): number, protocol, and parameters as type, length, value. */
struct mcx_mikey_sp {
    uint8_t policy_no;
    uint8_t prot_type; /* 0 = SRTP */
    struct mcx_bytes params;
};
/** One parameter of an SP payload. */
struct mcx_mikey_sp_param {
    uint8_t type;
    struct mcx_bytes value;
};
/** @retval MCX_E_TRUNC also when a parameter goes past the end of the payload */
MCX_MUST_CHECK mcx_err mcx_mikey_sp_read(struct mcx_mikey_sp *out, uint8_t *next, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_sp_write(struct mcx_wr *wr, const struct mcx_mikey_sp *v, uint8_t next);
MCX_MUST_CHECK mcx_err mcx_mikey_sp_param_read(struct mcx_mikey_sp_param *out, struct mcx_rd *rd);

/** SP parameter types for SRTP (RFC 3830 6.10.1, RFC 4771 4, RFC 7714 14.3). */
enum mcx_mikey_srtp_param {
    MCX_MIKEY_SRTP_ENC_ALG = 0,
    MCX_MIKEY_SRTP_ENC_KEY_LEN = 1,
    MCX_MIKEY_SRTP_AUTH_ALG = 2,
    MCX_MIKEY_SRTP_AUTH_KEY_LEN = 3,
    MCX_MIKEY_SRTP_SALT_LEN = 4,
    MCX_MIKEY_SRTP_PRF = 5,
    MCX_MIKEY_SRTP_KDR = 6,
    MCX_MIKEY_SRTP_ENC_ON = 7,
    MCX_MIKEY_SRTCP_ENC_ON = 8,
    MCX_MIKEY_SRTP_FEC_ORDER = 9,
    MCX_MIKEY_SRTP_AUTH_ON = 10,
    MCX_MIKEY_SRTP_TAG_LEN = 11,
    MCX_MIKEY_SRTP_PREFIX_LEN = 12,
    MCX_MIKEY_SRTP_ROC_RATE = 13,
    MCX_MIKEY_SRTP_ONLY_AUTH_ALG = 14,
    MCX_MIKEY_SRTCP_AUTH_ALG = 15,
    MCX_MIKEY_SRTP_ONLY_AUTH_KEY_LEN = 16,
    MCX_MIKEY_SRTCP_AUTH_KEY_LEN = 17,
    MCX_MIKEY_SRTP_ONLY_TAG_LEN = 18,
    MCX_MIKEY_SRTCP_TAG_LEN = 19,
    MCX_MIKEY_SRTP_AEAD_TAG_LEN = 20,
};
/** Name of a parameter type, "unknown" where there is none. Never NULL. */
const char *mcx_mikey_srtp_param_name(uint8_t type);

/** What an SP payload for SRTP selects, when that is something that TS 33.180 E.2 .. E.4 profile. */
struct mcx_mikey_suite {
    bool rcc;          /* RCCm3 (RFC 4771) on SRTP */
    uint16_t roc_rate; /* R, 0 without rcc */
};
/**
 * Read the parameters: AES-GCM with a 16-octet key, 12-octet salt, AES-CM PRF, KDR 0 and 16-octet tag, with or
 * without RCCm3. Parameter types that are not known are ignored (RFC 3830 6.10).
 *
 * @retval MCX_E_UNSUP   "Invalid SPpar": anything else
 * @retval MCX_E_FORMAT  a value longer than its meaning, or the same type twice
 */
MCX_MUST_CHECK mcx_err mcx_mikey_suite_read(struct mcx_mikey_suite *out, const struct mcx_mikey_sp *sp);
/** The ten rows of TS 33.179 table E.2-1 (with rcc) or the six of E.3-1, as parameters of an SP payload. */
MCX_MUST_CHECK mcx_err mcx_mikey_suite_write(struct mcx_wr *params, const struct mcx_mikey_suite *suite);

#define MCX_MIKEY_SAKKE_PARAMS_1 1 /* parameter set 1, RFC 6509 appendix A */
#define MCX_MIKEY_ID_SCHEME_TEL  1 /* tel URI with monthly keys, RFC 6509 */
#define MCX_MIKEY_ID_SCHEME_UID  2 /* "3GPP MCX hashed UID", TS 33.180 E.1.2 */
/** SAKKE payload (RFC 6509 4.2). */
struct mcx_mikey_sakke {
    uint8_t params;
    uint8_t id_scheme;
    struct mcx_bytes sed;
};
MCX_MUST_CHECK mcx_err mcx_mikey_sakke_read(struct mcx_mikey_sakke *out, uint8_t *next, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_sakke_write(struct mcx_wr *wr, const struct mcx_mikey_sakke *v, uint8_t next);

#define MCX_MIKEY_EXT_VENDOR     0
#define MCX_MIKEY_EXT_SDP_IDS    1 /* RFC 4567 7 */
#define MCX_MIKEY_EXT_KEY_ID     3 /* RFC 4563 */
#define MCX_MIKEY_EXT_SAKKE_SELF 6 /* TS 33.180 E.5: a whole SAKKE payload */
#define MCX_MIKEY_EXT_KEY_PARAMS 7 /* TS 33.180 E.6 */
/** General extension (RFC 3830 6.15). */
struct mcx_mikey_ext {
    uint8_t type;
    struct mcx_bytes data;
};
MCX_MUST_CHECK mcx_err mcx_mikey_ext_read(struct mcx_mikey_ext *out, uint8_t *next, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_ext_write(struct mcx_wr *wr, const struct mcx_mikey_ext *v, uint8_t next);

#define MCX_MIKEY_SIGN_ECCSI     2
#define MCX_MIKEY_SIGN_ECCSI_LEN 129
/** Signature SIGN (RFC 3830 6.5, RFC 6509 4.3): always last, no next payload. */
struct mcx_mikey_sign {
    uint8_t s_type;
    struct mcx_bytes signature;
};
MCX_MUST_CHECK mcx_err mcx_mikey_sign_read(struct mcx_mikey_sign *out, struct mcx_rd *rd);
/** The two octets before the signature, which are signed too: `20 81` for ECCSI (RFC 3830 5.2). */
MCX_MUST_CHECK mcx_err mcx_mikey_sign_head_write(struct mcx_wr *wr, uint8_t s_type, size_t signature_len);

/** Certificate CERT (RFC 3830 6.7): can be skipped, its layout is known. */
struct mcx_mikey_cert {
    uint8_t cert_type;
    struct mcx_bytes data;
};
MCX_MUST_CHECK mcx_err mcx_mikey_cert_read(struct mcx_mikey_cert *out, uint8_t *next, struct mcx_rd *rd);

/** Error payload ERR (RFC 3830 6.12). Never written: TS 24.379 answers with SIP responses. */
MCX_MUST_CHECK mcx_err mcx_mikey_err_read(uint8_t *error_no, uint8_t *next, struct mcx_rd *rd);
/** "Auth failure", "Invalid TS"...; "unknown" for a number without a name. Never NULL. */
const char *mcx_mikey_error_name(uint8_t error_no);

/* Key parameters (extension 7) ---------------------------------------------------------------------------- */

/** MCData Protected Payload around the key parameters (TS 33.180 8.5.4, E.6.1). */
#define MCX_MIKEY_KP_IV_LEN    16
#define MCX_MIKEY_KP_HEAD_LEN  32 /* the octets that are the AAD */
#define MCX_MIKEY_KP_TAG_LEN   16
#define MCX_MIKEY_KP_MSG_TYPE  0x43 /* CHOICE: protected data payload, TS 24.282 table 15.2.2-1 */
#define MCX_MIKEY_KP_PROTECTED 0x40
#define MCX_MIKEY_KP_ALG_GCM   1    /* AEAD_AES_128_GCM, RFC 5116 */
struct mcx_mikey_kp_frame {
    uint8_t msg_type;
    uint64_t date; /* seconds, 40 bits; not checked */
    uint32_t payload_id;
    uint8_t seq;
    uint8_t alg;
    struct mcx_bytes iv;
    uint32_t dppk_id;
    struct mcx_bytes head;       /* the 32 octets of AAD */
    struct mcx_bytes ciphertext; /* without tag */
    struct mcx_bytes tag;
};
/** True when octet 0 has the "protected" bit; false for the clear and Release 13 forms (TS 33.180 E.6.1, 8.5.4). */
bool mcx_mikey_kp_is_protected(struct mcx_bytes ext_data);
/** @retval MCX_E_TRUNC @retval MCX_E_TRAILING @retval MCX_E_FORMAT shorter than a tag, or not protected */
MCX_MUST_CHECK mcx_err mcx_mikey_kp_frame_read(struct mcx_mikey_kp_frame *out, struct mcx_bytes ext_data);
/** Writes everything before the ciphertext: `head` (32 octets), IE identifier and length of `inner_len` + tag. */
MCX_MUST_CHECK mcx_err mcx_mikey_kp_frame_write(struct mcx_wr *wr, const struct mcx_mikey_kp_frame *v,
                                                size_t inner_len);

/** Key parameters in clear (TS 33.180 table E.6.1-1). */
#define MCX_MIKEY_KP_VALID 1u /* bit 0 of status, E.6.9 */
#define MCX_MIKEY_KP_MAX   4096
struct mcx_mikey_key_params {
    uint8_t key_type; /* E.6.11 */
    uint32_t status;
    uint64_t activation; /* Unix seconds, 40 bits */
    uint64_t expiry;
    struct mcx_bytes text;
    bool has_groups;         /* field present: GMK, MKFC, MuSiK only */
    uint8_t num_groups;
    struct mcx_bytes groups; /* elements: mcx_mikey_kp_group_read() */
};
/**
 * Octets after the last known field are "reserved" and ignored (E.6.1). Identifier and length may stand before the
 * parameters when the key type inside then is `key_type`; the caller still compares `out->key_type`.
 */
MCX_MUST_CHECK mcx_err mcx_mikey_key_params_read(struct mcx_mikey_key_params *out, struct mcx_bytes plain,
                                                 uint8_t key_type);
/** `groups` must hold exactly `num_groups` elements made by mcx_mikey_kp_group_write(). */
MCX_MUST_CHECK mcx_err mcx_mikey_key_params_write(struct mcx_wr *wr, const struct mcx_mikey_key_params *v);
/** Old clear form of two vendors, 15, 17 or 20 octets. @retval MCX_E_FORMAT another length */
MCX_MUST_CHECK mcx_err mcx_mikey_key_params_clear_read(struct mcx_mikey_key_params *out, struct mcx_bytes ext_data);
/** One MC group ID: IEI 7B, length, URI (TS 24.282 15.2.14). */
MCX_MUST_CHECK mcx_err mcx_mikey_kp_group_read(struct mcx_bytes *uri, struct mcx_rd *rd);
MCX_MUST_CHECK mcx_err mcx_mikey_kp_group_write(struct mcx_wr *wr, struct mcx_bytes uri);

/* Messages ------------------------------------------------------------------------------------------------ */

#define MCX_MIKEY_MSG_MAX      8192 /* CHOICE: octets of a message */
#define MCX_MIKEY_MAX_PAYLOADS 32   /* CHOICE: a conforming I_MESSAGE has at most 12 */
#define MCX_MIKEY_MAX_SP       4    /* CHOICE */

/** One payload as met on the way. */
struct mcx_mikey_payload {
    uint8_t number;
    uint8_t next; /* MCX_MIKEY_PL_LAST for SIGN */
    size_t offset;
    struct mcx_bytes octets; /* the whole payload */
    union {
        struct mcx_mikey_t t;
        struct mcx_bytes rand;
        struct mcx_mikey_idr idr;
        struct mcx_mikey_sp sp;
        struct mcx_mikey_sakke sakke;
        struct mcx_mikey_ext ext;
        struct mcx_mikey_sign sign;
        struct mcx_mikey_cert cert;
        uint8_t error_no;
    } u;
};

/** Position in the chain of payloads. */
struct mcx_mikey_walk {
    struct mcx_bytes message;
    struct mcx_rd rd;
    uint8_t next; /* number of the payload at `rd`; MCX_MIKEY_PL_LAST when the chain has ended */
    size_t num;   /* payloads taken */
};
/** Offset in the message of what is read next; after an error, of what could not be read. */
size_t mcx_mikey_walk_offset(const struct mcx_mikey_walk *walk);
/** Read the common header. On error `walk` stands at offset 0. Errors as mcx_mikey_hdr_read(). */
MCX_MUST_CHECK mcx_err mcx_mikey_walk_begin(struct mcx_mikey_walk *walk, struct mcx_mikey_hdr *hdr,
                                            struct mcx_bytes message, struct mcx_refusal *why);
/**
 * Take the next payload; call while `walk->next` is not MCX_MIKEY_PL_LAST.
 *
 * @retval MCX_E_UNSUP  a payload whose length is not known: what follows cannot be found
 * @retval MCX_E_TRUNC @retval MCX_E_FORMAT more than MCX_MIKEY_MAX_PAYLOADS
 */
MCX_MUST_CHECK mcx_err mcx_mikey_walk_next(struct mcx_mikey_walk *walk, struct mcx_mikey_payload *out,
                                           struct mcx_refusal *why);
/** @retval MCX_E_TRAILING octets after the last payload */
MCX_MUST_CHECK mcx_err mcx_mikey_walk_end(const struct mcx_mikey_walk *walk, struct mcx_refusal *why);

/** A MIKEY-SAKKE I_MESSAGE; a view with p == NULL is absent. */
struct mcx_mikey_sakke_msg {
    struct mcx_mikey_hdr hdr;
    struct mcx_mikey_t t;
    struct mcx_bytes rand;
    struct mcx_bytes id_i, id_r;         /* roles 1 and 2: URIs */
    struct mcx_bytes uid_i, uid_r;       /* roles 8 and 9: 32 octets */
    struct mcx_bytes kms_i, kms_r;       /* roles 6 and 7, or the two of role 3 in their order */
    bool role3_kms;                      /* they came as role 3, which RFC 6509 2.2.1 does not know */
    size_t num_sp;
    struct mcx_mikey_sp sp[MCX_MIKEY_MAX_SP];
    struct mcx_mikey_sakke sakke;
    bool has_self;
    struct mcx_mikey_sakke self;         /* extension 6, opened */
    struct mcx_bytes key_params;         /* extension 7 */
    struct mcx_bytes sdp_ids;            /* extension 1 */
    struct mcx_mikey_sign sign;
    struct mcx_bytes signed_octets;      /* version octet .. SIGN header (RFC 3830 5.2) */
    struct mcx_bytes signed_short;       /* without the SIGN header: not conforming, some vendors */
};
/**
 * Read a whole I_MESSAGE and check it against the table of payloads (RFC 6509 2.2, TS 33.180 E.1.2):
 * lengths, the set of payloads, each at most as often as allowed, every mandatory one present, SIGN last, header
 * values (data type 26, PRF 1, map rules), T type 0, RAND length, identity types, signature type and length.
 *
 * @retval MCX_E_TRUNC @retval MCX_E_TRAILING
 * @retval MCX_E_FORMAT  duplicate, missing, out of place, or a value that is forbidden
 * @retval MCX_E_UNSUP   data type, PRF, map, time stamp or signature type, or a payload that is not known here
 */
MCX_MUST_CHECK mcx_err mcx_mikey_sakke_msg_read(struct mcx_mikey_sakke_msg *out, struct mcx_bytes message,
                                                struct mcx_refusal *why);
/**
 * Write an I_MESSAGE up to and with the SIGN header, in the order
 * HDR T RAND IDRi IDRr IDRkmsi IDRkmsr [SP] SAKKE [EXT 6] [EXT 7] SIGN; the signature over `signed_octets` is
 * appended by the caller. `signed_octets` and `signed_short` of `msg` are not looked at; `sign` gives the type and
 * the length to announce.
 *
 * @retval MCX_E_ARG @retval MCX_E_SPACE
 */
MCX_MUST_CHECK mcx_err mcx_mikey_sakke_msg_write(struct mcx_wr *wr, const struct mcx_mikey_sakke_msg *msg);

/** A MIKEY error message (RFC 3830 5.1.2): a hint for the log, never acted on. */
#define MCX_MIKEY_MAX_ERRORS 8
struct mcx_mikey_error_msg {
    uint32_t csb_id;
    uint64_t t;
    size_t num_errors;
    uint8_t error_no[MCX_MIKEY_MAX_ERRORS];
};
/** @retval MCX_E_UNSUP data type other than 6 @retval MCX_E_TRUNC @retval MCX_E_FORMAT no T or no ERR */
MCX_MUST_CHECK mcx_err mcx_mikey_error_read(struct mcx_mikey_error_msg *out, struct mcx_bytes message,
                                            struct mcx_refusal *why);

#ifdef __cplusplus
}
#endif

#endif
