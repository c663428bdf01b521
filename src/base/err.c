/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/err.h>

const char *mcx_err_name(mcx_err err)
{
    switch (err) {
    case MCX_OK: return "ok";
    case MCX_E_ARG: return "arg";
    case MCX_E_STATE: return "state";
    case MCX_E_BUG: return "bug";
    case MCX_E_NOMEM: return "nomem";
    case MCX_E_RNG: return "rng";
    case MCX_E_IO: return "io";
    case MCX_E_SPACE: return "space";
    case MCX_E_TRUNC: return "trunc";
    case MCX_E_FORMAT: return "format";
    case MCX_E_TRAILING: return "trailing";
    case MCX_E_UNSUP: return "unsup";
    case MCX_E_AUTH: return "auth";
    case MCX_E_REPLAY: return "replay";
    case MCX_E_POINT: return "point";
    case MCX_E_NOKEY: return "nokey";
    case MCX_E_EXPIRED: return "expired";
    case MCX_E_POLICY: return "policy";
    }
    return "unknown";
}

mcx_err mcx_refuse(struct mcx_refusal *why, mcx_err err, const char *reason, const char *clause)
{
    if (why != NULL) {
        why->reason = reason;
        why->clause = clause;
    }
    return err;
}
