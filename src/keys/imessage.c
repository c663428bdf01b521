/* SPDX-License-Identifier: Apache-2.0 */
/* What making and opening an I_MESSAGE share. */
#include "keys/imessage_int.h"

/* Default profiles (TS 33.180 E.2 to E.4 by the tables of TS 33.179 E.2-1 and E.3-1; DEVIATIONS "default-profiles"). */
static const struct mcx_key_profile profiles[MCX_NUM_KEY_TYPES] = {
    [MCX_KEY_GMK] = { .explicit_policy = true, .group_field = true, .suite = { .rcc = true, .roc_rate = 1 } },
    [MCX_KEY_MKFC] = { .explicit_policy = true, .group_field = true, .suite = { .rcc = true, .roc_rate = 1 } },
    [MCX_KEY_MUSIK] = { .group_field = true },
    /* PCK, CSK, SPK, MSCCK: the PCK row, nothing special */
};

const struct mcx_key_profile *mcx_key_profile(enum mcx_key_type type)
{
    return (unsigned)type < MCX_NUM_KEY_TYPES ? &profiles[type] : NULL;
}

uint64_t mcx_unix_of(struct mcx_ntp t)
{
    return t.sec >= MCX_NTP_UNIX_OFFSET ? t.sec - MCX_NTP_UNIX_OFFSET : 0;
}

void mcx_imessage_clear(struct mcx_imessage *msg)
{
    if (msg != NULL) {
        mcx_wipe(msg, sizeof *msg);
    }
}
