/* SPDX-License-Identifier: Apache-2.0 */
/* Key values: hex or base64 text, and key content under the transport key (TS 33.180 9.3.4, D.3.4). */
#include "codec/kmsdoc/kmsdoc_int.h"

#include <string.h>

#include <mcx/secret.h>
#include <mcx/text.h>

#include "crypto/sym/sym.h"

#define KW_AES256 "http://www.w3.org/2001/04/xmlenc#kw-aes256"

/* The longest text of a key value: hex of a wrapped RSK (272 octets by RFC 5649), with room to notice more. */
#define TEXT_MAX 640
#define RAW_MAX  320

static const char *const xenc_uri[] = { "http://www.w3.org/2001/04/xmlenc#" };
static const struct mcx_xml_ns xenc = { xenc_uri, 1 };

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without white space inside; where it stands is public, which the digits around it are not. */
static mcx_err compact(uint8_t out[TEXT_MAX], size_t *len, struct mcx_bytes text)
{
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (is_space(text.p[i])) {
            continue;
        }
        if (*len == TEXT_MAX) {
            return MCX_E_FORMAT;
        }
        out[(*len)++] = text.p[i];
    }
    return MCX_OK;
}

/* Bring decoded octets to their one shape: put a missing 04 back, strip two leading zeros of an SSK:
 * docs/DEVIATIONS.md "kms-key-text", "kms-key-wrap". */
static mcx_err fit(uint8_t *out, struct mcx_kmsdoc_shape shape, struct mcx_bytes raw)
{
    uint8_t lead = raw.len > 0 ? raw.p[0] : 0;
    uint8_t zeros = raw.len > 1 ? raw.p[0] | raw.p[1] : 1;

    MCX_CT_PUBLIC(&lead, sizeof lead);   /* of a point: the form octet; otherwise unused */
    MCX_CT_PUBLIC(&zeros, sizeof zeros); /* of a 34-octet SSK: the padding; otherwise unused */
    if (raw.len == shape.len && (!shape.point || lead == 0x04)) {
        memcpy(out, raw.p, raw.len);
        return MCX_OK;
    }
    if (shape.point && raw.len == shape.len - 1) {
        out[0] = 0x04;
        memcpy(out + 1, raw.p, raw.len);
        return MCX_OK;
    }
    if (!shape.point && raw.len == shape.len + 2 && zeros == 0) {
        memcpy(out, raw.p + 2, shape.len);
        return MCX_OK;
    }
    return MCX_E_FORMAT;
}

mcx_err mcx_kmsdoc_octets(uint8_t *out, struct mcx_kmsdoc_shape shape, struct mcx_bytes text)
{
    uint8_t packed[TEXT_MAX];
    uint8_t raw[RAW_MAX];
    size_t packed_len = 0;
    size_t len = 0;
    mcx_err err = compact(packed, &packed_len, text);

    if (err == MCX_OK) {
        /* hex and base64 of the shapes that fit have different lengths, so the length tells which it is */
        bool hex =
            packed_len == 2 * shape.len || packed_len == 2 * (shape.len - 1) || packed_len == 2 * (shape.len + 2);
        struct mcx_bytes in = mcx_bytes(packed, packed_len);

        err = hex ? mcx_hex_read(raw, sizeof raw, &len, in) : mcx_base64_read(raw, sizeof raw, &len, in);
    }
    if (err == MCX_OK) {
        err = fit(out, shape, mcx_bytes(raw, len));
    }
    mcx_wipe(packed, sizeof packed);
    mcx_wipe(raw, sizeof raw);
    if (err != MCX_OK) {
        mcx_wipe(out, shape.len);
        return MCX_E_FORMAT;
    }
    return MCX_OK;
}

static bool all_hex(struct mcx_bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return true;
}

/* CipherValue is base64 by its type; one implementation writes hex. Wrapped octets are public. */
static mcx_err cipher_value(uint8_t out[RAW_MAX], size_t *len, const struct mcx_xml_node *encrypted)
{
    const struct mcx_xml_node *data = NULL;
    const struct mcx_xml_node *value = NULL;
    uint8_t packed[TEXT_MAX];
    size_t packed_len = 0;
    struct mcx_bytes text;

    MCX_TRY(mcx_xml_child(&data, encrypted, xenc, "CipherData"));
    if (data == NULL) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_xml_child(&value, data, xenc, "CipherValue"));
    if (value == NULL) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_xml_text(&text, value));
    MCX_TRY(compact(packed, &packed_len, text));
    text = mcx_bytes(packed, packed_len);
    if (all_hex(text)) {
        return mcx_hex_read(out, RAW_MAX, len, text);
    }
    return mcx_base64_read(out, RAW_MAX, len, text);
}

static mcx_err algorithm_ok(const struct mcx_xml_node *encrypted)
{
    const struct mcx_xml_node *method = NULL;
    struct mcx_bytes algorithm;

    MCX_TRY(mcx_xml_child(&method, encrypted, xenc, "EncryptionMethod"));
    if (method == NULL || !mcx_xml_attr(&algorithm, method, "", "Algorithm")) {
        return MCX_E_FORMAT;
    }
    return mcx_bytes_is(algorithm, KW_AES256) ? MCX_OK : MCX_E_UNSUP;
}

static mcx_err unwrap(uint8_t *out, struct mcx_kmsdoc_shape shape, const struct mcx_xml_node *encrypted,
                      const uint8_t *trk)
{
    uint8_t wrapped[RAW_MAX];
    uint8_t raw[RAW_MAX];
    size_t wrapped_len = 0;
    size_t len = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(algorithm_ok(encrypted));
    MCX_TRY(cipher_value(wrapped, &wrapped_len, encrypted));
    err = mcx_kw256_unwrap(raw, sizeof raw, &len, trk, mcx_bytes(wrapped, wrapped_len));
    if (err == MCX_OK) {
        err = fit(out, shape, mcx_bytes(raw, len));
    }
    mcx_wipe(raw, sizeof raw);
    return err;
}

/* The xsi:type, if there is one, has to say what the content is; its prefix is not looked at (TS 33.180 D.3.3). */
static bool type_fits(const struct mcx_xml_node *node, bool encrypted)
{
    struct mcx_bytes type;
    const uint8_t *colon = NULL;

    if (!mcx_xml_attr(&type, node, MCX_XML_XSI, "type")) {
        return true;
    }
    colon = type.len > 0 ? memchr(type.p, ':', type.len) : NULL;
    if (colon != NULL) {
        type = mcx_bytes(colon + 1, type.len - (size_t)(colon + 1 - type.p));
    }
    return mcx_bytes_is(mcx_bytes_trim(type), encrypted ? "EncKeyContentType" : "KeyContentType");
}

static mcx_err refuse_unwrap(const struct mcx_kmsdoc_elem *e, mcx_err err)
{
    switch (err) {
    case MCX_E_AUTH:
        return mcx_refuse(e->why, err, "key content is not wrapped under the transport key held", "TS 33.180 9.3.4");
    case MCX_E_UNSUP:
        return mcx_refuse(e->why, err, "key content under another algorithm than AES-256 key wrap", "TS 33.180 9.3.4");
    case MCX_E_NOMEM:
    case MCX_E_BUG: return err;
    default:
        return mcx_refuse(e->why, MCX_E_FORMAT, "EncryptedKey is incomplete or has a wrong length", "TS 33.180 D.3.4");
    }
}

mcx_err mcx_kmsdoc_key_content(uint8_t *out, bool *encrypted, struct mcx_kmsdoc_shape shape,
                               const struct mcx_kmsdoc_elem *e, const char *name, const char *bad, const uint8_t *trk)
{
    const struct mcx_xml_node *node = NULL;
    const struct mcx_xml_node *wrapped = NULL;
    struct mcx_bytes text;
    mcx_err err = MCX_OK;

    if (mcx_xml_child(&node, e->node, mcx_kmsdoc_ns, name) != MCX_OK || node == NULL ||
        mcx_xml_child(&wrapped, node, xenc, "EncryptedKey") != MCX_OK || !type_fits(node, wrapped != NULL)) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    *encrypted = wrapped != NULL;
    if (wrapped == NULL) {
        if (mcx_xml_text(&text, node) != MCX_OK || mcx_kmsdoc_octets(out, shape, text) != MCX_OK) {
            return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
        }
        return MCX_OK;
    }
    if (trk == NULL) {
        return mcx_refuse(e->why, MCX_E_NOKEY, "key content is encrypted and no transport key is held",
                          "TS 33.180 9.3.4");
    }
    err = unwrap(out, shape, wrapped, trk);
    if (err != MCX_OK) {
        mcx_wipe(out, shape.len);
        return refuse_unwrap(e, err);
    }
    return MCX_OK;
}
