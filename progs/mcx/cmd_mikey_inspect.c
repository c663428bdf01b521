/* SPDX-License-Identifier: Apache-2.0 */
/* mcx mikey inspect: every field of a message with offset, octets, meaning and clause; needs no keys. */
#include "mcx/cmd_mikey.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mcx/mikey.h>
#include <mcx/text.h>

#include "mcx/cmd.h"

#define MEANING_MAX 1200
#define SHOWN_MAX   16 /* octets of a field in the text form */

/*
 * The message is read a second time here, field by field, because the codec rightly does not keep offsets of
 * fields, and because a broken message is to be shown as far as it goes.
 */
struct view {
    struct mcx_bytes message;
    struct mcx_rd rd; /* of the payload, or of the element inside it */
    json_t *fields;
    const char *payload;
    bool broken; /* a field went past its end: nothing more is read */
};

static size_t offset_of(const struct view *v)
{
    return (size_t)(v->rd.p - v->message.p);
}

static void put(struct view *v, size_t offset, struct mcx_bytes octets, const char *field, const char *meaning,
                const char *clause)
{
    json_array_append_new(v->fields,
                          json_pack("{s:I, s:i, s:s, s:s, s:o, s:s, s:s}", "offset", (json_int_t)offset, "length",
                                    (int)octets.len, "payload", v->payload, "field", field, "octets",
                                    mikey_hex(octets.p, octets.len), "meaning", meaning, "clause", clause));
}

__attribute__((format(printf, 5, 6))) static void meaning(struct view *v, size_t offset, struct mcx_bytes octets,
                                                          const char *field, const char *fmt, ...)
{
    char text[MEANING_MAX];
    char *clause;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    clause = strchr(text, '|'); /* "meaning|clause" */
    if (clause != NULL) {
        *clause++ = '\0';
    }
    put(v, offset, octets, field, mcx_utf8_ok(mcx_bytes_str(text)) ? text : "(not UTF-8)",
        clause != NULL ? clause : "");
}

/* Take a field; the first that does not fit ends the explanation. */
static bool take(struct view *v, size_t n, struct mcx_bytes *out, const char *field)
{
    if (v->broken) {
        return false;
    }
    if (mcx_rd_take(&v->rd, n, out) != MCX_OK) {
        meaning(v, offset_of(v), mcx_bytes(v->rd.p, v->rd.len), field,
                "BROKEN: %zu octets needed, %zu left: the element ends here|RFC 3830 6", n, v->rd.len);
        v->broken = true;
        return false;
    }
    return true;
}

static bool number(struct view *v, size_t n, uint64_t *out, struct mcx_bytes *octets, const char *field)
{
    if (!take(v, n, octets, field)) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        *out = *out << 8 | octets->p[i];
    }
    return true;
}

/* The most frequent kinds of field. */
static uint64_t plain_number(struct view *v, size_t n, const char *field, const char *clause)
{
    struct mcx_bytes o;
    uint64_t x = 0;

    if (number(v, n, &x, &o, field)) {
        meaning(v, (size_t)(o.p - v->message.p), o, field, "%" PRIu64 "|%s", x, clause);
    }
    return x;
}

static void octets(struct view *v, size_t n, const char *field, const char *text, const char *clause)
{
    struct mcx_bytes o;

    if (take(v, n, &o, field)) {
        meaning(v, (size_t)(o.p - v->message.p), o, field, "%s|%s", text, clause);
    }
}

static uint8_t next_payload(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0;

    if (number(v, 1, &x, &o, "next payload")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "next payload", "%" PRIu64 ": %s|RFC 3830 6.1", x,
                mcx_mikey_payload_name((uint8_t)x));
    }
    return (uint8_t)x;
}

/* Fit for a terminal: no control characters, and not our own separator. */
static bool printable(struct mcx_bytes o)
{
    for (size_t i = 0; i < o.len; i++) {
        if (o.p[i] < 0x20 || o.p[i] == 0x7F || o.p[i] == '|') {
            return false;
        }
    }
    return mcx_utf8_ok(o);
}

static void string(struct view *v, size_t n, const char *field, const char *clause)
{
    struct mcx_bytes o;
    char text[MCX_KMSDOC_URI_MAX];

    if (!take(v, n, &o, field)) {
        return;
    }
    if (printable(o) && mcx_bytes_cstr(text, sizeof text, o) == MCX_OK) {
        meaning(v, (size_t)(o.p - v->message.p), o, field, "\"%s\"|%s", text, clause);
        return;
    }
    meaning(v, (size_t)(o.p - v->message.p), o, field, "binary|%s", clause);
}

/* Go into an element of `n` octets; `outer` is where reading goes on after it. */
static bool enter(struct view *v, size_t n, struct mcx_rd *outer, const char *field)
{
    struct mcx_bytes o;

    if (!take(v, n, &o, field)) {
        return false;
    }
    *outer = v->rd;
    v->rd = mcx_rd(o);
    return true;
}

static void leave(struct view *v, struct mcx_rd outer)
{
    if (!v->broken && v->rd.len > 0) {
        octets(v, v->rd.len, "more", "octets after the last known field of this element", "");
    }
    v->rd = outer;
}

static const char *type_text(uint64_t csb_id)
{
    enum mcx_key_type type;

    return mcx_key_id_type(&type, (uint32_t)csb_id) == MCX_OK ? mcx_key_type_name(type) : "no kind of key";
}

static void map_generic(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0;

    (void)plain_number(v, 1, "CS ID", "TS 33.180 table E.1.3-1");
    if (number(v, 1, &x, &o, "prot type")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "prot type", "%" PRIu64 ": %s|RFC 6043 6.1.1", x,
                x == 0 ? "SRTP" : "not SRTP");
    }
    if (number(v, 1, &x, &o, "S, #P")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "S, #P", "S %d, %d policies|RFC 6043 6.1.1", (int)(x >> 7),
                (int)(x & 127));
        octets(v, x & 127, "policies", "numbers of the SP payloads", "RFC 6043 6.1.1");
    }
    octets(v, plain_number(v, 2, "session data length", "RFC 6043 6.1.1"), "session data", "SSRC, ROC, SEQ",
           "RFC 6043 6.1.1");
    octets(v, plain_number(v, 1, "SPI length", "RFC 6043 6.1.1"), "SPI",
           "MKI: GMK-ID and GUK-ID of a GMK, else the key identifier", "TS 33.180 7.4.2");
}

static void map(struct view *v, uint64_t type, uint64_t num)
{
    for (uint64_t i = 0; i < num && !v->broken; i++) {
        if (type == MCX_MIKEY_MAP_GENERIC) {
            map_generic(v);
        } else if (type == MCX_MIKEY_MAP_SRTP_ID) {
            (void)plain_number(v, 1, "policy number", "RFC 3830 6.1.1");
            octets(v, 4, "SSRC", "synchronisation source", "RFC 3830 6.1.1");
            octets(v, 4, "ROC", "rollover counter", "RFC 3830 6.1.1");
        }
    }
}

static const char *map_name(uint64_t type)
{
    switch (type) {
    case MCX_MIKEY_MAP_SRTP_ID: return "SRTP-ID, legacy";
    case MCX_MIKEY_MAP_EMPTY: return "empty map";
    case MCX_MIKEY_MAP_GENERIC: return "GENERIC-ID";
    default: return "not supported";
    }
}

static uint8_t header(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0, num = 0;
    uint8_t next;

    v->payload = "HDR";
    (void)plain_number(v, 1, "version", "RFC 3830 6.1");
    if (number(v, 1, &x, &o, "data type")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "data type", "%" PRIu64 ": %s|RFC 6509 4.1", x,
                x == MCX_MIKEY_DATA_SAKKE ? "SAKKE message"
                                          : (x == MCX_MIKEY_DATA_ERROR ? "error message" : "not MIKEY-SAKKE"));
    }
    next = next_payload(v);
    if (number(v, 1, &x, &o, "V, PRF func")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "V, PRF func", "V %d, PRF %d: %s|TS 33.180 E.1.2", (int)(x >> 7),
                (int)(x & 127), (x & 127) == MCX_MIKEY_PRF_HMAC_SHA256 ? "PRF-HMAC-SHA-256" : "not supported");
    }
    if (number(v, 4, &x, &o, "CSB ID")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "CSB ID", "purpose tag %d: %s%s|TS 33.180 5.2.2", (int)(x >> 28),
                type_text(x), x >> 28 == 0 ? "; the GUK-ID of the receiver" : "; the key identifier");
    }
    num = plain_number(v, 1, "#CS", "RFC 3830 6.1");
    if (number(v, 1, &x, &o, "CS ID map type")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "CS ID map type", "%" PRIu64 ": %s|RFC 6043 6.1", x, map_name(x));
        map(v, x, num);
        v->broken = v->broken || x > MCX_MIKEY_MAP_GENERIC;
    }
    return next;
}

static void payload_t(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0;
    char date[MCX_DATETIME_LEN + 1] = "?";

    x = plain_number(v, 1, "TS type", "TS 33.180 E.1.2");
    if (x > 1) {
        octets(v, x == 2 ? 4 : v->rd.len, "TS value", "not a time stamp of type NTP-UTC", "RFC 3830 6.6");
        v->broken = v->broken || x > 2;
        return;
    }
    if (number(v, 8, &x, &o, "TS value")) {
        struct mcx_ntp t = mcx_ntp_from_wire(x);

        if (t.sec < MCX_NTP_UNIX_OFFSET || mcx_datetime_write(date, t.sec - MCX_NTP_UNIX_OFFSET) != MCX_OK) {
            (void)snprintf(date, sizeof date, "before 1970");
        }
        meaning(v, (size_t)(o.p - v->message.p), o, "TS value", "%s, NTP seconds %" PRIu64 "%s|RFC 3830 6.6", date,
                t.sec, t.frac != 0 ? " and a fraction" : "");
    }
}

static void payload_idr(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0;
    bool uid = false;

    if (number(v, 1, &x, &o, "ID role")) {
        uid = x == MCX_MIKEY_ROLE_UID_I || x == MCX_MIKEY_ROLE_UID_R;
        meaning(v, (size_t)(o.p - v->message.p), o, "ID role", "%" PRIu64 ": %s|%s", x, mcx_mikey_role_name((uint8_t)x),
                uid ? "TS 33.180 E.7" : "RFC 6509 4.4");
    }
    if (number(v, 1, &x, &o, "ID type")) {
        static const char *const names[] = { "NAI", "URI", "byte string" };

        meaning(v, (size_t)(o.p - v->message.p), o, "ID type", "%" PRIu64 ": %s|RFC 6043 6.6", x,
                x < 3 ? names[x] : "unknown");
    }
    x = plain_number(v, 2, "ID length", "RFC 6043 6.6");
    if (uid) {
        octets(v, x, "ID data", "UID: hash of a hidden URI, its KMS and key period", "TS 33.180 F.2.1");
    } else {
        string(v, x, "ID data", "RFC 6043 6.6");
    }
}

/* Values of the parameters that choose an algorithm. */
static const char *sp_value_name(uint64_t type, uint64_t x)
{
    static const char *const encryption[] = { "NULL", "AES-CM", "AES-F8", "", "", "", "AES-GCM" };
    static const char *const authentication[] = { "NULL", "HMAC-SHA-1", "RCCm1", "RCCm2", "RCCm3" };

    if (type == MCX_MIKEY_SRTP_ENC_ALG) {
        return x < sizeof encryption / sizeof encryption[0] ? encryption[x] : "unknown";
    }
    if (type == MCX_MIKEY_SRTP_AUTH_ALG) {
        return x < sizeof authentication / sizeof authentication[0] ? authentication[x] : "unknown";
    }
    return "";
}

static void payload_sp(struct view *v)
{
    struct mcx_rd outer;

    (void)plain_number(v, 1, "policy number", "RFC 3830 6.10");
    (void)plain_number(v, 1, "prot type", "RFC 3830 6.10");
    if (!enter(v, plain_number(v, 2, "parameter length", "RFC 3830 6.10"), &outer, "parameters")) {
        return;
    }
    while (v->rd.len > 0 && !v->broken) {
        size_t start = offset_of(v);
        struct mcx_bytes type, len, value;
        uint64_t t = 0, n = 0, x = 0;
        const char *name;

        if (!number(v, 1, &t, &type, "parameter type") || !number(v, 1, &n, &len, "length of a parameter") ||
            !take(v, n, &value, "value of a parameter")) {
            break;
        }
        for (size_t i = 0; i < value.len && i < 8; i++) {
            x = x << 8 | value.p[i];
        }
        name = sp_value_name(t, x);
        meaning(v, start, mcx_bytes(type.p, 2 + value.len), "parameter", "type %" PRIu64 ", %s: %" PRIu64 "%s%s|%s", t,
                mcx_mikey_srtp_param_name((uint8_t)t), x, name[0] != '\0' ? " = " : "", name,
                t == MCX_MIKEY_SRTP_ROC_RATE ? "RFC 4771 4" : "RFC 7714 14.3");
    }
    leave(v, outer);
}

static void sakke_fields(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0;

    (void)plain_number(v, 1, "SAKKE params", "RFC 6509 4.2");
    if (number(v, 1, &x, &o, "ID scheme")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "ID scheme", "%" PRIu64 ": %s|TS 33.180 E.1.2", x,
                x == MCX_MIKEY_ID_SCHEME_UID ? "3GPP MCX hashed UID"
                                             : (x == MCX_MIKEY_ID_SCHEME_TEL ? "tel URI, monthly keys" : "unknown"));
    }
    x = plain_number(v, 2, "SAKKE data length", "RFC 6509 4.2");
    octets(v, x, "SAKKE data", x == MCX_SAKKE_SED_LEN ? "R (257 octets) and H (16)" : "not of a 16-octet key",
           "RFC 6508 4");
}

static void key_params(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0;

    if (!mcx_mikey_kp_is_protected(mcx_bytes(v->rd.p, v->rd.len))) {
        octets(v, v->rd.len, "key parameters", "in clear, or of an early Release 13 form: not conforming",
               "TS 33.180 E.6.1");
        return;
    }
    if (number(v, 1, &x, &o, "message type")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "message type", "protected payload|TS 33.180 8.5.4");
    }
    octets(v, 5, "date and time", "seconds", "TS 33.180 8.5.4");
    octets(v, 4, "payload ID", "ignored", "TS 33.180 E.6.1");
    octets(v, 1, "sequence number", "ignored", "TS 33.180 E.6.1");
    if (number(v, 1, &x, &o, "algorithm")) {
        meaning(v, (size_t)(o.p - v->message.p), o, "algorithm", "%" PRIu64 ": %s|TS 33.180 8.5.4", x,
                x == MCX_MIKEY_KP_ALG_GCM ? "AEAD_AES_128_GCM" : "not supported");
    }
    octets(v, MCX_MIKEY_KP_IV_LEN, "IV", "random", "TS 33.180 8.5.4");
    octets(v, 4, "DPPK-ID", "has to be the CSB ID", "TS 33.180 E.6.1");
    octets(v, 1, "IE identifier", "ignored", "TS 33.180 E.6.1");
    x = plain_number(v, 2, "length", "TS 33.180 E.6.1");
    octets(v, x, "ciphertext and tag", "key parameters under the DPCK of this key", "TS 33.180 E.6.1");
}

static void payload_ext(struct view *v)
{
    struct mcx_bytes o;
    uint64_t type = 0, x = 0;
    struct mcx_rd outer;

    if (number(v, 1, &type, &o, "extension type")) {
        const char *name = type == MCX_MIKEY_EXT_SAKKE_SELF   ? "SAKKE-to-self|TS 33.180 E.5"
                           : type == MCX_MIKEY_EXT_KEY_PARAMS ? "key parameters|TS 33.180 E.6"
                           : type == MCX_MIKEY_EXT_SDP_IDS    ? "SDP IDs|RFC 4567 7"
                           : type == MCX_MIKEY_EXT_VENDOR     ? "vendor ID|RFC 3830 6.15"
                                                              : "unknown, skipped|RFC 3830 6.15";

        meaning(v, (size_t)(o.p - v->message.p), o, "extension type", "%" PRIu64 ": %s", type, name);
    }
    x = plain_number(v, 2, "extension length", "RFC 3830 6.15");
    if (!enter(v, x, &outer, "extension data")) {
        return;
    }
    if (type == MCX_MIKEY_EXT_SAKKE_SELF) {
        octets(v, 1, "inner next payload", "ignored", "TS 33.180 E.5");
        sakke_fields(v);
    } else if (type == MCX_MIKEY_EXT_KEY_PARAMS) {
        key_params(v);
    } else if (v->rd.len > 0) {
        octets(v, v->rd.len, "extension data", "", "RFC 3830 6.15");
    }
    leave(v, outer);
}

static void payload_sign(struct view *v)
{
    struct mcx_bytes o;
    uint64_t x = 0;

    if (!number(v, 2, &x, &o, "S type, length")) {
        return;
    }
    meaning(v, (size_t)(o.p - v->message.p), o, "S type, length",
            "S type %d: %s, %d octets; everything up to here is signed|RFC 3830 5.2, 6.5", (int)(x >> 12),
            x >> 12 == MCX_MIKEY_SIGN_ECCSI ? "ECCSI" : "not supported", (int)(x & 0xFFF));
    if ((x & 0xFFF) != MCX_MIKEY_SIGN_ECCSI_LEN) {
        octets(v, x & 0xFFF, "signature", "an ECCSI signature has 129 octets", "RFC 6509 4.3");
        return;
    }
    octets(v, 32, "r", "x coordinate of [j]G", "RFC 6507 5.2.1");
    octets(v, 32, "s", "q - s verifies too: never identify a message by its signature", "RFC 6507 5.2.1");
    octets(v, 65, "PVT", "public validation token of the signer", "RFC 6507 5.1.1");
}

/* One payload; false when its layout is not known. */
static bool payload(struct view *v, uint8_t number_of, uint8_t *next)
{
    v->payload = mcx_mikey_payload_name(number_of);
    *next = number_of == MCX_MIKEY_PL_SIGN ? (uint8_t)MCX_MIKEY_PL_LAST : next_payload(v);
    switch (number_of) {
    case MCX_MIKEY_PL_T: payload_t(v); return true;
    case MCX_MIKEY_PL_RAND:
        octets(v, plain_number(v, 1, "RAND length", "RFC 3830 6.11"), "RAND", "fresh for each key", "RFC 3830 6.11");
        return true;
    case MCX_MIKEY_PL_IDR: payload_idr(v); return true;
    case MCX_MIKEY_PL_SP: payload_sp(v); return true;
    case MCX_MIKEY_PL_SAKKE: sakke_fields(v); return true;
    case MCX_MIKEY_PL_EXT: payload_ext(v); return true;
    case MCX_MIKEY_PL_CERT:
        (void)plain_number(v, 1, "certificate type", "RFC 3830 6.7");
        octets(v, plain_number(v, 2, "certificate length", "RFC 3830 6.7"), "certificate", "not used with ECCSI",
               "RFC 6509 2.2.1");
        return true;
    case MCX_MIKEY_PL_ERR: {
        uint64_t x = plain_number(v, 1, "error number", "RFC 3830 6.12");

        octets(v, 2, "reserved", mcx_mikey_error_name((uint8_t)x), "RFC 3830 6.12");
        return true;
    }
    case MCX_MIKEY_PL_SIGN: payload_sign(v); return true;
    default: return false;
    }
}

static void explain(struct view *v)
{
    uint8_t next = header(v);

    for (size_t n = 0; next != MCX_MIKEY_PL_LAST && !v->broken && n < MCX_MIKEY_MAX_PAYLOADS; n++) {
        if (!payload(v, next, &next)) {
            meaning(v, offset_of(v), mcx_bytes(v->rd.p, v->rd.len), "rest",
                    "BROKEN: a payload without known layout, so nothing after it can be found|RFC 3830 6.1");
            return;
        }
    }
    if (!v->broken && v->rd.len > 0) {
        v->payload = "end";
        meaning(v, offset_of(v), mcx_bytes(v->rd.p, v->rd.len), "rest",
                "BROKEN: octets after the last payload|RFC 3830 6.5");
    }
}

static json_t *inspect(struct mcx_bytes message, mcx_err *verdict)
{
    struct view v = { .message = message, .rd = mcx_rd(message), .fields = json_array() };
    struct mcx_mikey_sakke_msg msg;
    struct mcx_refusal why = { "", "" };

    explain(&v);
    *verdict = mcx_mikey_sakke_msg_read(&msg, message, &why);
    return json_pack("{s:s, s:s, s:s, s:i, s:o}", "status", mcx_err_name(*verdict), "reason", why.reason, "clause",
                     why.clause, "octets", (int)message.len, "fields", v.fields);
}

static void print_field(const json_t *f)
{
    const char *hex = json_string_value(json_object_get(f, "octets"));
    size_t len = (size_t)json_integer_value(json_object_get(f, "length"));
    char shown[2 * SHOWN_MAX + 4];

    (void)snprintf(shown, sizeof shown, "%.*s%s", 2 * SHOWN_MAX, hex, len > SHOWN_MAX ? "..." : "");
    printf("%04x %4zu  %-22s %-35s %s", (unsigned)json_integer_value(json_object_get(f, "offset")), len,
           json_string_value(json_object_get(f, "field")), shown, json_string_value(json_object_get(f, "meaning")));
    if (json_string_length(json_object_get(f, "clause")) > 0) {
        printf("  [%s]", json_string_value(json_object_get(f, "clause")));
    }
    putchar('\n');
}

static int print_text(json_t *o, mcx_err verdict)
{
    const char *last = "";
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(o, "fields"), i, f)
    {
        const char *name = json_string_value(json_object_get(f, "payload"));

        if (json_string_value(json_object_get(f, "field")) != NULL &&
            (strcmp(name, last) != 0 || strcmp(json_string_value(json_object_get(f, "field")), "next payload") == 0) &&
            strcmp(name, "HDR") != 0) {
            printf("%s\n", name);
        } else if (i == 0) {
            printf("offset len  field; offsets are hexadecimal\n%s\n", name);
        }
        last = name;
        print_field(f);
    }
    if (verdict == MCX_OK) {
        puts("\nwell formed: an I_MESSAGE by RFC 6509 2.2 and TS 33.180 E.1.2. Signature and key were not looked at.");
    } else {
        printf("\nrefused (%s): %s  [%s]\n", mcx_err_name(verdict), json_string_value(json_object_get(o, "reason")),
               json_string_value(json_object_get(o, "clause")));
    }
    json_decref(o);
    return verdict == MCX_OK ? EXIT_DONE : EXIT_REFUSED;
}

static void usage(FILE *f)
{
    fputs("usage: mcx mikey inspect [--json] < MESSAGE\n\n"
          "Reads `mikey BASE64`, bare base64 or an SDP from standard input and explains the message field by field:\n"
          "offset, length, field, octets, meaning, clause. No keys are needed. A broken message is explained as far\n"
          "as it can be read, then where and why it breaks. The last line says whether a receiver would parse it.\n\n"
          "Exit codes: 0 well formed, 1 not, 2 usage, 3 environment.\n",
          f);
}

int cmd_mikey_inspect(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static uint8_t message[MIKEY_INPUT_MAX];
    struct mcx_refusal why = { "", "" };
    mcx_err err;
    size_t len = 0;
    bool json = false;
    json_t *o;
    int c = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'j': json = true; break;
        case 'h': usage(stdout); return EXIT_DONE;
        default: usage(stderr); return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    err = mikey_input(message, sizeof message, &len, &why);
    if (err == MCX_OK && len > MCX_IMESSAGE_MAX) {
        err = mcx_refuse(&why, MCX_E_FORMAT, "the message is longer than 8192 octets", "");
    }
    if (err != MCX_OK) {
        fprintf(stderr, "mcx mikey inspect: %s\n", why.reason);
        return json ? mikey_print(json_pack("{s:s, s:s, s:s}", "status", mcx_err_name(err), "reason", why.reason,
                                            "clause", why.clause),
                                  EXIT_REFUSED)
                    : EXIT_REFUSED;
    }
    o = inspect(mcx_bytes(message, len), &err);
    if (o == NULL) {
        fputs("mcx mikey inspect: out of memory\n", stderr);
        return EXIT_ENVIRONMENT;
    }
    return json ? mikey_print(o, err == MCX_OK ? EXIT_DONE : EXIT_REFUSED) : print_text(o, err);
}
