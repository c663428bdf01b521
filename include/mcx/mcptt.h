/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTT_H
#define MCX_MCPTT_H

/*
 * What MCPTT call control carries in SIP (TS 24.379): the mcptt-info body, the resource-lists body with the called
 * user, multipart/mixed around them and the SDP, the Warning texts, the commencement mode and the feature tags.
 *
 * Pure: octets in, structures out, and the reverse. mcptt-info is written in the order of the schema (F.1.2) and
 * read in any order; unknown elements are ignored. The I_MESSAGE itself is in the SDP (<mcx/sdp.h>), not here.
 */

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_TYPE_SDP            "application/sdp"
#define MCX_TYPE_MCPTT_INFO     "application/vnd.3gpp.mcptt-info+xml"
#define MCX_TYPE_RESOURCE_LISTS "application/resource-lists+xml"
#define MCX_TYPE_KMS_REDIRECT   "application/vnd.3gpp.kmsredirectresponse+xml"
#define MCX_TYPE_PIDF           "application/pidf+xml"
#define MCX_TYPE_MIKEY          "application/mikey" /* an I_MESSAGE as raw octets (TS 33.180 5.4, 5.8) */

#define MCX_MCPTT_SERVICE  "urn:urn-7:3gpp-service.ims.icsi.mcptt"
#define MCX_MCPTT_ICSI_REF "+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt\""
/** Contact parameters of a client (11.1.1.2.1.1 5.). */
#define MCX_MCPTT_CONTACT_PARAMS ";+g.3gpp.mcptt;" MCX_MCPTT_ICSI_REF
/** Two separate Accept-Contact fields, never one (11.1.1.2.1.1 6.). */
#define MCX_MCPTT_ACCEPT_CONTACT                                                                                       \
    "Accept-Contact: *;+g.3gpp.mcptt;require;explicit\r\n"                                                             \
    "Accept-Contact: *;" MCX_MCPTT_ICSI_REF ";require;explicit\r\n"

/* ---- mcptt-info (F.1.2) ---- */

#define MCX_MCPTT_VALUE_MAX 512   /* octets of a value, with NUL */
#define MCX_MCPTT_TOKEN_MAX 8192  /* octets of an access token, with NUL */
#define MCX_MCPTT_INFO_MAX  32768 /* octets of a whole document */

/** Form of a contentType element. */
enum mcx_mcptt_form {
    MCX_MCPTT_ABSENT = 0,
    MCX_MCPTT_URI,       /* <mcpttURI>; on reading also bare text, as old clients write it */
    MCX_MCPTT_STRING,    /* <mcpttString> */
    MCX_MCPTT_ENCRYPTED, /* type="Encrypted"; text is empty, opening it needs the CSK */
};
struct mcx_mcptt_value {
    enum mcx_mcptt_form form;
    char text[MCX_MCPTT_VALUE_MAX];
};
/** A boolean that may be absent. */
enum mcx_mcptt_bool { MCX_MCPTT_UNSET = 0, MCX_MCPTT_FALSE, MCX_MCPTT_TRUE };

enum mcx_mcptt_session {
    MCX_SESSION_UNSET = 0,
    MCX_SESSION_CHAT,
    MCX_SESSION_PREARRANGED,
    MCX_SESSION_PRIVATE,
    MCX_SESSION_FIRST_TO_ANSWER,
    MCX_SESSION_AMBIENT_LISTENING,
    MCX_SESSION_ADHOC,
    MCX_SESSION_OTHER, /* read only: a string that names none of these */
};
const char *mcx_mcptt_session_name(enum mcx_mcptt_session session);

/** <release-reason> in anyExt. */
enum mcx_mcptt_release {
    MCX_RELEASE_UNSET = 0,
    MCX_RELEASE_PRIVATE_CALL_EXPIRY,
    MCX_RELEASE_ADMINISTRATOR_ACTION,
    MCX_RELEASE_NOT_SELECTED,
    MCX_RELEASE_REQUEST_FOR_LISTENED,
    MCX_RELEASE_INITIATED_BY_LISTENED,
    MCX_RELEASE_AUTHENTICATION_FAILED, /* authentication of the MIKEY-SAKE I_MESSAGE failed */
    MCX_RELEASE_OTHER,                 /* read only */
};
const char *mcx_mcptt_release_text(enum mcx_mcptt_release reason);

/** All of <mcptt-Params> that this house uses. Zeroed = empty. */
struct mcx_mcptt_info {
    char access_token[MCX_MCPTT_TOKEN_MAX]; /* secret; "" = absent */
    enum mcx_mcptt_session session;
    struct mcx_mcptt_value request_uri;
    struct mcx_mcptt_value calling_user;
    struct mcx_mcptt_value called_party;
    struct mcx_mcptt_value calling_group;
    enum mcx_mcptt_bool emergency;
    enum mcx_mcptt_bool alert;
    enum mcx_mcptt_bool imminent_peril;
    enum mcx_mcptt_bool broadcast;
    char mc_org[MCX_MCPTT_VALUE_MAX];
    char floor_state[MCX_MCPTT_VALUE_MAX];
    struct mcx_mcptt_value associated_group;
    struct mcx_mcptt_value originated_by;
    struct mcx_mcptt_value client_id;
    enum mcx_mcptt_bool alert_received;
    /* anyExt */
    enum mcx_mcptt_release release;
    enum mcx_mcptt_bool end_to_end_security; /* Rel-18 */
};
/** Set `value` to a copy of `text`. @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_mcptt_set(struct mcx_mcptt_value *value, enum mcx_mcptt_form form, struct mcx_bytes text);
/** Append the document. @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_mcptt_info_write(struct mcx_wr *out, const struct mcx_mcptt_info *info);
/**
 * Read a document; `out` is about 14 kB.
 *
 * @retval MCX_E_FORMAT  not well formed, another root, a value longer than its field or of a wrong form
 * @retval MCX_E_SPACE   larger than MCX_MCPTT_INFO_MAX
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_mcptt_info_read(struct mcx_mcptt_info *out, struct mcx_bytes xml, struct mcx_refusal *why);
/** Wipes the access token too. */
void mcx_mcptt_info_clear(struct mcx_mcptt_info *info);

/* ---- resource-lists (RFC 4826, RFC 5366) ---- */

/** One list with one entry. @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_resource_list_write(struct mcx_wr *out, struct mcx_bytes uri);
/**
 * First entry and how many there are (nested lists included); who needs exactly one checks `num_entries`.
 *
 * @retval MCX_E_FORMAT @retval MCX_E_SPACE @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_resource_list_read(char uri[MCX_MCPTT_VALUE_MAX], size_t *num_entries, struct mcx_bytes xml,
                                              struct mcx_refusal *why);

/** One list with several entries (RFC 5875 4.3: the documents of a subscription). @retval MCX_E_ARG none
 * @retval MCX_E_SPACE also for more than MCX_RESOURCE_MAX_ENTRIES */
#define MCX_RESOURCE_MAX_ENTRIES 64
MCX_MUST_CHECK mcx_err mcx_resource_list_write_all(struct mcx_wr *out, const struct mcx_bytes *uris, size_t num);
/**
 * All entries, nested lists included, in the order of the document.
 *
 * @param[out] uris  room for `cap` of them
 * @retval MCX_E_SPACE more than `cap`, or a document too large @retval MCX_E_FORMAT @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_resource_list_read_all(char (*uris)[MCX_MCPTT_VALUE_MAX], size_t *num, size_t cap,
                                                  struct mcx_bytes xml, struct mcx_refusal *why);

/* ---- affiliation (9.3.1: PIDF of RFC 3863 with mcpttPresInfo) ---- */

#define MCX_AFFILIATION_MAX 32 /* groups of one client */

enum mcx_affiliation_status {
    MCX_AFFILIATION_UNSET = 0, /* what a client publishes: the server decides */
    MCX_AFFILIATION_AFFILIATING,
    MCX_AFFILIATION_AFFILIATED,
    MCX_AFFILIATION_DEAFFILIATING,
};
/**
 * The affiliations of one client: all of them at once, so that a group that is not in the list is left
 * (9.2.2.2.3). One tuple, whose id is the client's identifier.
 */
struct mcx_affiliation {
    char mcptt_id[MCX_MCPTT_VALUE_MAX];  /* entity of the document */
    char client_id[MCX_MCPTT_VALUE_MAX]; /* id of the tuple */
    char p_id[MCX_MCPTT_VALUE_MAX];      /* tells publications apart; "" = none */
    struct mcx_affiliation_group {
        char group[MCX_MCPTT_VALUE_MAX];
        enum mcx_affiliation_status status;
        uint64_t expires; /* Unix seconds; 0 = none */
    } group[MCX_AFFILIATION_MAX];
    size_t num_groups;
};
/** Append the document. @retval MCX_E_ARG no identity, or a group without name @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_affiliation_write(struct mcx_wr *out, const struct mcx_affiliation *affiliation);
/**
 * Read a document; `out` is about 18 kB.
 *
 * @retval MCX_E_FORMAT  not well formed, no or two tuples, a group twice, an unknown status or time
 * @retval MCX_E_SPACE   larger than MCX_MCPTT_INFO_MAX, or more groups than MCX_AFFILIATION_MAX
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_affiliation_read(struct mcx_affiliation *out, struct mcx_bytes xml,
                                            struct mcx_refusal *why);

/* ---- multipart/mixed (RFC 2046 5.1) ---- */

#define MCX_MIME_MAX_PARTS 8
struct mcx_mime_part {
    struct mcx_bytes type;        /* "application/sdp;charset=x": the whole Content-Type */
    struct mcx_bytes disposition; /* whole Content-Disposition, may be empty */
    struct mcx_bytes id;          /* Content-ID with its angle brackets, may be empty */
    struct mcx_bytes body;
};
struct mcx_mime {
    struct mcx_mime_part part[MCX_MIME_MAX_PARTS];
    size_t num;
};
/** Split a body into views; a type that is not multipart gives one part. An empty type and body give none.
 * @retval MCX_E_FORMAT no or over-long boundary, no part, no closing boundary @retval MCX_E_UNSUP too many parts,
 *         or a content transfer encoding other than 7bit, 8bit, binary */
MCX_MUST_CHECK mcx_err mcx_mime_read(struct mcx_mime *out, struct mcx_bytes content_type, struct mcx_bytes body,
                                     struct mcx_refusal *why);
/** First part whose type, parameters aside, is `type` (letter case ignored), or NULL. */
const struct mcx_mime_part *mcx_mime_find(const struct mcx_mime *mime, const char *type);
#define MCX_MIME_TYPE_MAX 128
/** Write the parts. One part is written bare, several as multipart/mixed with a boundary that occurs in none of them.
 * @param[out] content_type  value for the Content-Type of the message
 * @retval MCX_E_ARG no part, or parts that hold every boundary of a short list @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_mime_write(struct mcx_wr *out, char content_type[MCX_MIME_TYPE_MAX],
                                      const struct mcx_mime *mime);

/* ---- Warning (4.4) ---- */

enum mcx_warning {
    MCX_WARN_NONE = 0,
    MCX_WARN_FUNCTION_NOT_ALLOWED = 100, /* text ends with a reason */
    MCX_WARN_SERVICE_AUTHORISATION = 101,
    MCX_WARN_TOO_MANY_AFFILIATIONS = 102,
    MCX_WARN_MAX_GROUP_CALLS = 103,
    MCX_WARN_ISFOCUS_NOT_ASSIGNED = 104,
    MCX_WARN_PRIVATE_CALLS_NOT_AUTHORISED = 107,
    MCX_WARN_USER_DECLINED = 110,
    MCX_WARN_NO_GROUP_DOCUMENT = 113,
    MCX_WARN_NOT_A_MEMBER = 116,
    MCX_WARN_GROUP_IS_PREARRANGED = 117,
    MCX_WARN_GROUP_IS_CHAT = 118,
    MCX_WARN_NOT_AFFILIATED = 120,
    MCX_WARN_TOO_MANY_PARTICIPANTS = 122,
    MCX_WARN_MAX_PRIVATE_CALLS = 124,
    MCX_WARN_AUTOMATIC_NOT_AUTHORISED = 125,
    MCX_WARN_MANUAL_NOT_AUTHORISED = 126,
    MCX_WARN_NOT_CALLABLE = 127,
    MCX_WARN_IMESSAGE_AUTHENTICATION = 136,
    MCX_WARN_INTEGRITY = 139,
    MCX_WARN_XML_DECRYPTION = 140,
    MCX_WARN_USER_UNKNOWN = 141,
    MCX_WARN_NO_CONTROLLING_FUNCTION = 142,
    MCX_WARN_FORCE_AUTO_NOT_AUTHORISED = 143,
    MCX_WARN_CALLEE_NOT_AUTHORISED = 144,
    MCX_WARN_NO_CALLED_PARTY = 145,
    MCX_WARN_NO_SERVICE_SETTINGS = 146,
    MCX_WARN_GROUP_IS_REGROUPED = 148, /* docs/DEVIATIONS.md "warning-148" */
    MCX_WARN_FIRST_TO_ANSWER_NOT_AUTHORISED = 156,
};
/** Text of table 4.4.2-2 without the number, letter for letter; NULL for a code not listed above. */
const char *mcx_warning_text(enum mcx_warning code);
/** "Warning: 399 AGENT \"NNN text\"\r\n" (4.4.1). @param[in] reason completes code 100; else NULL
 * @retval MCX_E_SPACE @retval MCX_E_ARG unknown code */
MCX_MUST_CHECK mcx_err mcx_warning_write(char *out, size_t cap, const char *agent, enum mcx_warning code,
                                         const char *reason);
/** Code and text of a received Warning value; code 0 when the text starts with no number. @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_warning_read(unsigned *code, struct mcx_bytes *text, struct mcx_bytes value);

/** Text, without a number, of the Warning in the 200 to a REGISTER by which a server says that it holds no CSK of this
 * client; docs/DEVIATIONS.md "csk-unknown". */
#define MCX_TEXT_NO_CSK "no client-server key is held"

/* ---- commencement mode (RFC 5373) ---- */

enum mcx_answer_mode { MCX_ANSWER_UNSET = 0, MCX_ANSWER_AUTO, MCX_ANSWER_MANUAL };
/** Value of Answer-Mode or Priv-Answer-Mode; "Automatic" counts as "Auto", parameters are ignored.
 * @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_answer_mode_read(enum mcx_answer_mode *out, struct mcx_bytes value);

#ifdef __cplusplus
}
#endif

#endif
