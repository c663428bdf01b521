/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* getrandom, clock_gettime */
#include <mcx/seam.h>
#include <mcx/secret.h>
#include <mcx/text.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static mcx_err system_fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return MCX_E_RNG;
        }
        out += n;
        len -= (size_t)n;
    }
    return MCX_OK;
}

struct mcx_rng mcx_rng_system(void)
{
    return (struct mcx_rng){ system_fill, NULL };
}

mcx_err mcx_rng_fill(const struct mcx_rng *rng, void *out, size_t len)
{
    mcx_err err = rng->fill(rng->ctx, out, len);

    if (err != MCX_OK) {
        mcx_wipe(out, len);
        return MCX_E_RNG;
    }
    return MCX_OK;
}

struct mcx_ntp mcx_ntp_from_unix_ms(uint64_t unix_ms)
{
    struct mcx_ntp t;

    t.sec = unix_ms / 1000 + MCX_NTP_UNIX_OFFSET;
    t.frac = (uint32_t)(((unix_ms % 1000) << 32) / 1000);
    return t;
}

uint64_t mcx_ntp_to_unix_ms(struct mcx_ntp t)
{
    if (t.sec < MCX_NTP_UNIX_OFFSET) {
        return 0;
    }
    return (t.sec - MCX_NTP_UNIX_OFFSET) * 1000 + (((uint64_t)t.frac * 1000) >> 32);
}

uint64_t mcx_ntp_to_wire(struct mcx_ntp t)
{
    return t.sec << 32 | t.frac;
}

struct mcx_ntp mcx_ntp_from_wire(uint64_t wire)
{
    struct mcx_ntp t;

    t.sec = wire >> 32;
    t.frac = (uint32_t)wire;
    if (t.sec >> 31 == 0) {
        t.sec += UINT64_C(1) << 32; /* era 1 */
    }
    return t;
}

static uint64_t clock_ms(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) != 0) {
        return 0;
    }
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t mcx_clock_unix_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

uint64_t mcx_clock_mono_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, years from March on. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + doe - 719468;
}

mcx_err mcx_datetime_write(char out[MCX_DATETIME_LEN + 1], uint64_t unix_s)
{
    time_t t = (time_t)unix_s;
    struct tm tm;

    if (unix_s > UINT64_C(253402300799) || gmtime_r(&t, &tm) == NULL) {
        return MCX_E_ARG;
    }
    return strftime(out, MCX_DATETIME_LEN + 1, "%Y-%m-%dT%H:%M:%SZ", &tm) == MCX_DATETIME_LEN ? MCX_OK : MCX_E_BUG;
}

static mcx_err rd_digits(struct mcx_rd *rd, size_t n, uint64_t max, uint64_t *out)
{
    struct mcx_bytes b;

    MCX_TRY(mcx_rd_take(rd, n, &b));
    return mcx_dec_read(out, max, b);
}

static mcx_err rd_char(struct mcx_rd *rd, uint8_t want)
{
    uint8_t c;

    MCX_TRY(mcx_rd_u8(rd, &c));
    return c == want ? MCX_OK : MCX_E_FORMAT;
}

/* "", "Z", "+hh:mm" or "-hh:mm": seconds to subtract. */
static mcx_err rd_zone(struct mcx_rd *rd, int64_t *offset)
{
    uint64_t hour = 0;
    uint64_t min = 0;
    uint8_t c = 0;

    *offset = 0;
    if (rd->len == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_rd_u8(rd, &c));
    if (c == 'Z') {
        return mcx_rd_end(rd);
    }
    if (c != '+' && c != '-') {
        return MCX_E_FORMAT;
    }
    MCX_TRY(rd_digits(rd, 2, 14, &hour));
    MCX_TRY(rd_char(rd, ':'));
    MCX_TRY(rd_digits(rd, 2, 59, &min));
    MCX_TRY(mcx_rd_end(rd));
    *offset = (int64_t)(hour * 3600 + min * 60) * (c == '-' ? -1 : 1);
    return MCX_OK;
}

static bool date_ok(uint64_t y, uint64_t m, uint64_t d)
{
    static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

    return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap ? 1u : 0u);
}

static mcx_err datetime_read(uint64_t *unix_s, struct mcx_rd *rd)
{
    uint64_t v[6] = { 0 };
    static const uint64_t max[6] = { 9999, 12, 31, 23, 59, 60 };
    static const uint8_t sep[6] = { 0, '-', '-', 'T', ':', ':' };
    int64_t offset = 0;
    int64_t s = 0;

    for (size_t i = 0; i < 6; i++) {
        if (sep[i] != 0) {
            MCX_TRY(rd_char(rd, sep[i]));
        }
        MCX_TRY(rd_digits(rd, i == 0 ? 4 : 2, max[i], &v[i]));
    }
    if (!date_ok(v[0], v[1], v[2])) {
        return MCX_E_FORMAT;
    }
    if (rd->len > 0 && rd->p[0] == '.') {
        struct mcx_bytes skip;
        size_t n = 0;

        MCX_TRY(mcx_rd_take(rd, 1, &skip));
        while (rd->len > 0 && rd->p[0] >= '0' && rd->p[0] <= '9') {
            MCX_TRY(mcx_rd_take(rd, 1, &skip));
            n++;
        }
        if (n == 0) {
            return MCX_E_FORMAT;
        }
    }
    MCX_TRY(rd_zone(rd, &offset));
    s = days_from_civil((int64_t)v[0], (int64_t)v[1], (int64_t)v[2]) * 86400 +
        (int64_t)(v[3] * 3600 + v[4] * 60 + v[5]) - offset;
    if (s < 0) {
        return MCX_E_FORMAT;
    }
    *unix_s = (uint64_t)s;
    return MCX_OK;
}

mcx_err mcx_datetime_read(uint64_t *unix_s, struct mcx_bytes in)
{
    struct mcx_rd rd = mcx_rd(in);

    return datetime_read(unix_s, &rd) == MCX_OK ? MCX_OK : MCX_E_FORMAT;
}

void mcx_log(const struct mcx_log *log, const struct mcx_log_record *rec)
{
    if (log != NULL && log->write != NULL) {
        log->write(log->ctx, rec);
    }
}

/* A subject may come from a peer: control characters and quotes do not reach the log. */
static void put_clean(const char *s)
{
    for (; *s != '\0'; s++) {
        fputc((unsigned char)*s < 0x20 || *s == 0x7f || *s == '"' ? '?' : *s, stderr);
    }
}

void mcx_log_stderr(void *ctx, const struct mcx_log_record *rec)
{
    static const char *const level[] = { "debug", "info", "warn", "error" };
    const enum mcx_log_level *min = ctx;
    char when[MCX_DATETIME_LEN + 1] = "";

    if (min != NULL && rec->level < *min) {
        return;
    }
    if (mcx_datetime_write(when, mcx_clock_unix_ms() / 1000) != MCX_OK) {
        when[0] = '\0';
    }
    fprintf(stderr, "%s %-5s %s", when, level[rec->level], rec->subsystem == NULL ? "-" : rec->subsystem);
    fputs(" [", stderr);
    put_clean(rec->subject == NULL ? "-" : rec->subject);
    fprintf(stderr, "] %s", rec->event == NULL ? "-" : rec->event);
    if (rec->err != MCX_OK) {
        fprintf(stderr, " error=%s", mcx_err_name(rec->err));
    }
    if (rec->why.reason != NULL) {
        fprintf(stderr, " reason=\"%s\"", rec->why.reason);
    }
    if (rec->why.clause != NULL && rec->why.clause[0] != '\0') {
        fprintf(stderr, " clause=\"%s\"", rec->why.clause);
    }
    fputc('\n', stderr);
}
