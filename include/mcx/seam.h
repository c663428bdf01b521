/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SEAM_H
#define MCX_SEAM_H

/*
 * Time, randomness and the log come in from outside, so that a whole procedure can be replayed.
 * The libraries hold no global state: whoever calls passes these along.
 */

#include <stdint.h>

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Source of random octets; fill either writes all of `out` or fails. */
struct mcx_rng {
    mcx_err (*fill)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
};
/** The kernel's generator (getrandom). */
struct mcx_rng mcx_rng_system(void);
/** @retval MCX_E_RNG the source failed; `out` is wiped */
MCX_MUST_CHECK mcx_err mcx_rng_fill(const struct mcx_rng *rng, void *out, size_t len);

/** UTC as NTP counts it: seconds since 1900-01-01, held in 64 bits so that era 1 (2036) is just larger. */
struct mcx_ntp {
    uint64_t sec;
    uint32_t frac; /* 2^-32 s */
};
#define MCX_NTP_UNIX_OFFSET UINT64_C(2208988800)
struct mcx_ntp mcx_ntp_from_unix_ms(uint64_t unix_ms);
uint64_t mcx_ntp_to_unix_ms(struct mcx_ntp t);
/** 64-bit wire form (RFC 3830 6.6): low 32 bits of seconds, then fraction. */
uint64_t mcx_ntp_to_wire(struct mcx_ntp t);
/** Era from the top bit: 1 = era 0 (1968 to 2036), 0 = era 1 (CHOICE, docs/DEVIATIONS.md "ntp-era"). */
struct mcx_ntp mcx_ntp_from_wire(uint64_t wire);

/** The wall clock and a monotonic clock in milliseconds. Only programs and src/io call these. */
uint64_t mcx_clock_unix_ms(void);
uint64_t mcx_clock_mono_ms(void);

/** xs:dateTime in UTC, "2026-03-04T12:00:00Z", 20 characters and a NUL. @retval MCX_E_ARG year over 9999 */
#define MCX_DATETIME_LEN 20
MCX_MUST_CHECK mcx_err mcx_datetime_write(char out[MCX_DATETIME_LEN + 1], uint64_t unix_s);
/** Reads zone "Z", an offset, or none (= UTC); a fraction is cut off. @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_datetime_read(uint64_t *unix_s, struct mcx_bytes in);

enum mcx_log_level { MCX_LOG_DEBUG, MCX_LOG_INFO, MCX_LOG_WARN, MCX_LOG_ERROR };

/** One log record. Strings may be NULL. Never a key, never octets of a message. */
struct mcx_log_record {
    enum mcx_log_level level;
    const char *subsystem; /* "kms", "call", "media" */
    const char *subject;   /* call, user or group identifier */
    const char *event;     /* "i-message refused" */
    mcx_err err;
    struct mcx_refusal why;
};
struct mcx_log {
    void (*write)(void *ctx, const struct mcx_log_record *rec);
    void *ctx;
};
/** Hand a record to the sink; `log` or its `write` may be NULL. */
void mcx_log(const struct mcx_log *log, const struct mcx_log_record *rec);
/** A sink that writes one line a record to standard error, from `*min_level` on (ctx = enum mcx_log_level *). */
void mcx_log_stderr(void *ctx, const struct mcx_log_record *rec);

#ifdef __cplusplus
}
#endif

#endif
