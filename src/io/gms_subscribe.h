/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GMS_SUBSCRIBE_H
#define MCX_IO_GMS_SUBSCRIBE_H

/* What a SUBSCRIBE to the group management server takes along, the same for a client and for an MCPTT server. */

#include <mcx/gmc.h>

#include "io/sip_event.h"

/**
 * Token and documents (TS 24.481 6.3.13); the token is read from its file.
 *
 * @param[out] content  points to `type` and to what is written to `body`; wipe that after use: the token is in it
 * @retval MCX_E_IO the file @retval as mcx_gmc_subscribe_write()
 */
MCX_MUST_CHECK mcx_err mcx_gms_subscribe_content(struct mcx_sip_content *content, char type[MCX_MIME_TYPE_MAX],
                                                 struct mcx_wr *body, const char *const *groups, size_t num_groups,
                                                 const char *token_file);

#endif
