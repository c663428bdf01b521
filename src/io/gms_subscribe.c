/* SPDX-License-Identifier: Apache-2.0 */
#include "io/gms_subscribe.h"

#include <mcx/secret.h>

#include "io/file.h"

mcx_err mcx_gms_subscribe_content(struct mcx_sip_content *content, char type[MCX_MIME_TYPE_MAX], struct mcx_wr *body,
                                  const char *const *groups, size_t num_groups, const char *token_file)
{
    char token[MCX_MCPTT_TOKEN_MAX];
    struct mcx_file file = { 0 };
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_file_read(&file, token_file, sizeof token, true));
    MCX_GO(err, mcx_bytes_cstr(token, sizeof token, mcx_bytes_trim(mcx_bytes(file.p, file.len))));
    MCX_GO(err, mcx_gmc_subscribe_write(body, type, groups, num_groups, token));
    *content = (struct mcx_sip_content){ .headers = "Accept: " MCX_TYPE_XCAP_DIFF "\r\n",
                                         .contact_params = MCX_MCPTT_CONTACT_PARAMS,
                                         .content_type = type,
                                         .body = mcx_wr_done(body) };
out:
    mcx_wipe(token, sizeof token);
    mcx_file_clear(&file);
    return err;
}
