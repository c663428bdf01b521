/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KEYS_GROUP_MEDIA_INT_H
#define MCX_KEYS_GROUP_MEDIA_INT_H

/* Shared by the sender and the receiver of group media. */

#include <mcx/group_media.h>

#define GROUP_MKI_LEN 8 /* GMK-ID || GUK-ID (TS 33.180 7.4.2) */

/** SRTP parameters of one speaker under a GMK; `params` points into the other two. The caller clears `master`. */
MCX_MUST_CHECK mcx_err mcx_group_speaker_params(struct mcx_srtp_params *params, struct mcx_srtp_master *master,
                                                uint8_t mki[GROUP_MKI_LEN], const struct mcx_group_key *key,
                                                uint32_t guk_id);
/** R of RCCm3; 0 = no ROC in the packets. */
uint16_t mcx_group_roc_rate(const struct mcx_group_key *key);

#endif
