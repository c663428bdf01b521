/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CODEC_GROUP_INT_H
#define MCX_CODEC_GROUP_INT_H

#include <mcx/group_doc.h>

#include "codec/xml/xml.h"

#define NS_LIST_SERVICE   "urn:oma:xml:poc:list-service"
#define NS_RESOURCE_LISTS "urn:ietf:params:xml:ns:resource-lists"
#define NS_EXTENSIONS     "urn:oma:xml:xdm:extensions"
#define NS_GROUP_INFO     "urn:3gpp:ns:mcpttGroupInfo:1.0"
#define NS_GKTP           "urn:3gpp:ns:mcpttGKTP:1.0"
#define NS_XCAP_DIFF      "urn:ietf:params:xml:ns:xcap-diff"

/** A URI: trimmed, not empty, no white space or control character in it. @retval MCX_E_FORMAT @retval MCX_E_SPACE */
mcx_err group_uri(char *out, size_t cap, struct mcx_bytes text);
/** The same of a required attribute without namespace. @retval MCX_E_FORMAT also when it is missing */
mcx_err group_uri_attr(char *out, size_t cap, const struct mcx_xml_node *node, const char *local);
/** xs:boolean. @retval MCX_E_FORMAT */
mcx_err group_bool(bool *out, struct mcx_bytes text);
/** xs:duration in whole seconds, without years and months: their length is not fixed. @retval MCX_E_FORMAT also above `max` */
mcx_err group_duration(uint64_t *out, uint64_t max, struct mcx_bytes text);
/** Move the document of a finished writer to the end of `out`, or fail; the writer is cleared either way. */
mcx_err group_append(struct mcx_wr *out, struct mcx_xml_wr *wr);
/** Hand the document of a finished writer to a caller who releases it with free(); the writer is cleared either way. */
mcx_err group_hand_over(char **out, size_t *len, struct mcx_xml_wr *wr);

#endif
