/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CODEC_FLOOR_FIELDS_H
#define MCX_CODEC_FLOOR_FIELDS_H

#include "codec/floor/app.h"

#define MCX_FLOOR_NUM_FIELDS 26
/** Index = ID. */
extern const struct app_field mcx_floor_fields[MCX_FLOOR_NUM_FIELDS];

#endif
