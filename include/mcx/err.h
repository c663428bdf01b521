/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_ERR_H
#define MCX_ERR_H

/*
 * Errors.
 *
 * There is one closed list of results. The families tell a program what to do:
 * -1..-9 our own mistake, -10..-19 a resource, -20..-29 the peer's bytes, -30..-39 the peer's
 * cryptography, -40..-49 key management. Toward a peer every error of one family gets the same answer.
 *
 * A function that refuses something a peer sent also fills a `struct mcx_refusal`: the sentence and the
 * clause for the operator's log. Both are string constants; they never contain octets of a message.
 */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_MUST_CHECK __attribute__((warn_unused_result))

typedef enum mcx_err {
    MCX_OK = 0,

    MCX_E_ARG = -1,   /* a caller broke the contract in the header */
    MCX_E_STATE = -2, /* the call or event does not fit the present state */
    MCX_E_BUG = -3,   /* an invariant of ours is broken */

    MCX_E_NOMEM = -10,
    MCX_E_RNG = -11,
    MCX_E_IO = -12,
    MCX_E_SPACE = -13, /* the output buffer is too small */

    MCX_E_TRUNC = -20,    /* the input ends inside an element */
    MCX_E_FORMAT = -21,   /* a value or structure that the specification forbids */
    MCX_E_TRAILING = -22, /* octets left over after the last element */
    MCX_E_UNSUP = -23,    /* well formed, but an algorithm, type or version that is not supported */

    MCX_E_AUTH = -30,   /* a signature, tag or re-computation check failed */
    MCX_E_REPLAY = -31, /* seen before, or older than what has been accepted */
    MCX_E_POINT = -32,  /* a point that is not on its curve */

    MCX_E_NOKEY = -40,   /* no certificate or key set for this identity, KMS or period */
    MCX_E_EXPIRED = -41, /* a key, certificate or time stamp outside its period */
    MCX_E_POLICY = -42,  /* forbidden by configuration or by the procedure */
} mcx_err;

/** Name of an error without prefix, for logs and JSON: "ok", "auth", "replay"... Never NULL. */
const char *mcx_err_name(mcx_err err);

/** Why a peer's input was refused. Both strings are constants; `clause` may be "" where no clause applies. */
struct mcx_refusal {
    const char *reason; /* one plain sentence without full stop */
    const char *clause; /* "RFC 3830 6.5", "TS 33.180 5.2.4" */
};

/** Fill `why` (may be NULL) and return `err`: `return mcx_refuse(why, MCX_E_AUTH, "...", "...");` */
mcx_err mcx_refuse(struct mcx_refusal *why, mcx_err err, const char *reason, const char *clause);

/** Return early with the error of `call`. Only where nothing is owned; otherwise `goto out`. */
#define MCX_TRY(call)                \
    do {                             \
        mcx_err mcx_try_ = (call);   \
        if (mcx_try_ != MCX_OK) {    \
            return mcx_try_;         \
        }                            \
    } while (0)

/** As MCX_TRY for functions that own something: store the error in `err` and go to `out`. */
#define MCX_GO(err, call)            \
    do {                             \
        (err) = (call);              \
        if ((err) != MCX_OK) {       \
            goto out;                \
        }                            \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
