/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GROUP_DOC_H
#define MCX_GROUP_DOC_H

/*
 * Documents of group management (TS 24.481): the group document (OMA POC list-service with the MCPTT extension), the
 * GKTP document with the members' I_MESSAGEs in hexadecimal, xcap-diff (RFC 5874) of a notification, and the resource
 * list of a subscription (RFC 5875). The group document never holds a key; the GKTP document holds only what is
 * encrypted to members.
 *
 * Readers take elements by namespace and local name in any order, ignore unknown elements and attributes, refuse DTDs
 * and entities, and are bounded. Lists may be long (10,000 members): they are handed out one entry at a time.
 */

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_TYPE_GROUP     "application/vnd.oma.poc.groups+xml"
#define MCX_TYPE_GKTP      "application/vnd.3gpp.mcptt-gktp+xml" /* docs/DEVIATIONS.md "gktp-type" */
#define MCX_TYPE_XCAP_DIFF "application/xcap-diff+xml"
#define MCX_AUID_GROUP     "org.openmobilealliance.groups"
#define MCX_AUID_GKTP      "org.3gpp.MCPTT-GKTP"
#define MCX_GROUP_URI_MAX  256
#define MCX_GROUP_DOC_MAX  (32u << 20) /* octets of a document: 10,000 payloads of 1,500 octets in hexadecimal */
#define MCX_GKTP_MAX       8192        /* octets of a payload */
#define MCX_XCAP_PATH_MAX  1024        /* of a document below the root, with NUL */

enum mcx_group_kind { MCX_GROUP_PREARRANGED, MCX_GROUP_CHAT };

/** A member, as the reader hands it out; strings borrowed for the call. */
struct mcx_group_member {
    const char *mcptt_id;
    const char *display_name; /* may be "" */
    uint8_t priority;         /* user-priority, 0 when absent */
    bool receive_only;
};

/** A group without its list. */
struct mcx_group_head {
    char uri[MCX_GROUP_URI_MAX];
    char display_name[MCX_GROUP_URI_MAX];
    enum mcx_group_kind kind; /* invite-members: true = prearranged */
    bool protect_media;       /* absent means true (7.2.8) */
    bool protect_floor;
    bool multicast_floor;              /* require-multicast-floor-control-signalling */
    uint32_t max_participants;         /* 0 = no limit */
    uint32_t hang_s;                   /* on-network-hang-timer; 0 = none told, UINT32_MAX = PT0S, at most a day */
    uint8_t priority;                  /* on-network-group-priority */
    char temporary[MCX_GROUP_URI_MAX]; /* on-network-regrouped: the temporary group; "" = not regrouped */
    char requestor[MCX_GROUP_URI_MAX];
};

/** Read; `each` is called for every entry of the list and may be NULL. @retval MCX_E_FORMAT @retval MCX_E_SPACE
 * @retval MCX_E_UNSUP a group without MCPTT service @retval whatever `each` returns */
MCX_MUST_CHECK mcx_err mcx_group_doc_read(struct mcx_group_head *out, struct mcx_bytes xml,
                                          mcx_err (*each)(void *arg, const struct mcx_group_member *member), void *arg,
                                          struct mcx_refusal *why);
/** What to write; `next` gives the members one by one and false at the end. */
struct mcx_group_doc_params {
    const struct mcx_group_head *head;
    bool (*next)(void *arg, struct mcx_group_member *member);
    void *arg;
    const char *const *constituents; /* of head->temporary, when that is set */
    size_t num_constituents;
};
/** @param[out] out  heap octets, release with free() @retval MCX_E_ARG no URI, or no requestor of a temporary group
 * @retval MCX_E_SPACE @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_group_doc_write(char **out, size_t *len, const struct mcx_group_doc_params *params);

/** One payload of a GKTP document. */
enum mcx_gktp_kind { MCX_GKTP_GMK, MCX_GKTP_MKFC };
struct mcx_gktp {
    enum mcx_gktp_kind kind;
    const char *id;           /* "" when absent */
    const char *temporary;    /* temporary group it stands under; "" = the group itself */
    uint64_t activation;      /* Unix seconds, a hint; 0 = absent */
    struct mcx_bytes message; /* decoded */
};
/** Read; a payload that is not hexadecimal, or longer than MCX_GKTP_MAX, makes `each` see an empty message and the
 * reading go on. @retval MCX_E_FORMAT @retval MCX_E_SPACE @retval whatever `each` returns */
MCX_MUST_CHECK mcx_err mcx_gktp_read(struct mcx_bytes xml, mcx_err (*each)(void *arg, const struct mcx_gktp *gktp),
                                     void *arg, struct mcx_refusal *why);
/** Write; `next` gives payloads grouped: GMKs of the group, GMKs by temporary group, then MKFCs likewise.
 * @retval MCX_E_ARG  not so grouped, or a payload without id or message */
MCX_MUST_CHECK mcx_err mcx_gktp_write(char **out, size_t *len, bool (*next)(void *arg, struct mcx_gktp *gktp),
                                      void *arg);

/** One <document> of an xcap-diff. Entity tags stand without quotation marks, here and everywhere in this house. */
struct mcx_xcap_change {
    const char *sel; /* path below the XCAP root; written without a slash before it, read as it stands */
    const char *new_etag, *previous_etag; /* "" = absent; no new_etag: the document is gone */
};
MCX_MUST_CHECK mcx_err mcx_xcap_diff_read(char *root, size_t cap, struct mcx_bytes xml,
                                          mcx_err (*each)(void *arg, const struct mcx_xcap_change *change), void *arg,
                                          struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_xcap_diff_write(struct mcx_wr *out, const char *root, const struct mcx_xcap_change *changes,
                                           size_t num);
/** resource-lists of a subscription (RFC 5875): the XCAP URIs, relative to the root; slash as in `sel`. */
MCX_MUST_CHECK mcx_err mcx_xcap_list_read(struct mcx_bytes xml, mcx_err (*each)(void *arg, const char *uri), void *arg,
                                          struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_xcap_list_write(struct mcx_wr *out, const char *const *uris, size_t num);

/** XCAP path of a document below the root, percent-encoded: "/<auid>/global/byGroupID/<group>" (RFC 4825 6; TS 24.481
 * 7.2.10.2; of the GKTP document docs/DEVIATIONS.md "gktp-path"). */
MCX_MUST_CHECK mcx_err mcx_xcap_path_write(char *out, size_t cap, const char *auid, const char *group);
/** The reverse; the first slash may be missing. @retval MCX_E_FORMAT no such path, or too long for the buffers */
MCX_MUST_CHECK mcx_err mcx_xcap_path_read(char *auid, size_t auid_cap, char *group, size_t group_cap,
                                          struct mcx_bytes path);

#ifdef __cplusplus
}
#endif

#endif
