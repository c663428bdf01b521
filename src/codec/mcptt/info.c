/* SPDX-License-Identifier: Apache-2.0 */
/* mcptt-info (TS 24.379 F.1.2). One table, in the order of the schema, serves the reader and the writer. */
#include <mcx/mcptt.h>

#include <string.h>

#include <mcx/secret.h>

#include "codec/xml/xml.h"

#define INFO_NS "urn:3gpp:ns:mcpttInfo:1.0"
#define CLAUSE  "TS 24.379 F.1.2"

static const char *const ns_uris[] = { INFO_NS };
static const struct mcx_xml_ns ns = { ns_uris, 1 };

enum kind {
    KIND_TOKEN,      /* contentType with a long string */
    KIND_SESSION,    /* xs:string, enumerated */
    KIND_VALUE,      /* contentType with URI or string */
    KIND_PLAIN,      /* xs:string in one release, contentType in another: read both, written plain */
    KIND_BOOL,       /* contentType with a boolean */
    KIND_PLAIN_BOOL, /* xs:boolean */
    KIND_STRING,     /* xs:string */
    KIND_RELEASE,    /* xs:string, enumerated */
};

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
};
#define FIELD(name, kind, member)                                                                                      \
    {                                                                                                                  \
        name, kind, offsetof(struct mcx_mcptt_info, member)                                                            \
    }

static const struct field params_fields[] = {
    FIELD("mcptt-access-token", KIND_TOKEN, access_token),
    FIELD("session-type", KIND_SESSION, session),
    FIELD("mcptt-request-uri", KIND_VALUE, request_uri),
    FIELD("mcptt-calling-user-id", KIND_VALUE, calling_user),
    FIELD("mcptt-called-party-id", KIND_VALUE, called_party),
    FIELD("mcptt-calling-group-id", KIND_VALUE, calling_group),
    FIELD("emergency-ind", KIND_BOOL, emergency),
    FIELD("alert-ind", KIND_BOOL, alert),
    FIELD("imminentperil-ind", KIND_BOOL, imminent_peril),
    FIELD("broadcast-ind", KIND_PLAIN_BOOL, broadcast),
    FIELD("mc-org", KIND_STRING, mc_org),
    FIELD("floor-state", KIND_STRING, floor_state),
    FIELD("associated-group-id", KIND_PLAIN, associated_group),
    FIELD("originated-by", KIND_VALUE, originated_by),
    FIELD("mcptt-client-id", KIND_VALUE, client_id),
    FIELD("alert-ind-rcvd", KIND_BOOL, alert_received),
};
#define NUM_PARAMS (sizeof params_fields / sizeof params_fields[0])

static const struct field any_fields[] = {
    FIELD("release-reason", KIND_RELEASE, release),
    FIELD("end-to-end-security", KIND_PLAIN_BOOL, end_to_end_security),
};
#define NUM_ANY (sizeof any_fields / sizeof any_fields[0])

static const char *const session_names[] = {
    [MCX_SESSION_UNSET] = "",
    [MCX_SESSION_CHAT] = "chat",
    [MCX_SESSION_PREARRANGED] = "prearranged",
    [MCX_SESSION_PRIVATE] = "private",
    [MCX_SESSION_FIRST_TO_ANSWER] = "first-to-answer",
    [MCX_SESSION_AMBIENT_LISTENING] = "ambient-listening",
    [MCX_SESSION_ADHOC] = "adhoc",
    [MCX_SESSION_OTHER] = "other",
};

static const char *const release_texts[] = {
    [MCX_RELEASE_UNSET] = "",
    [MCX_RELEASE_PRIVATE_CALL_EXPIRY] = "private-call-expiry",
    [MCX_RELEASE_ADMINISTRATOR_ACTION] = "administrator-action",
    [MCX_RELEASE_NOT_SELECTED] = "not selected for call",
    [MCX_RELEASE_REQUEST_FOR_LISTENED] = "call-request-for-listened-to-client",
    [MCX_RELEASE_INITIATED_BY_LISTENED] = "call-request-initiated-by-listened-to-client",
    [MCX_RELEASE_AUTHENTICATION_FAILED] = "authentication of the MIKEY-SAKE I_MESSAGE failed",
    [MCX_RELEASE_OTHER] = "other",
};

const char *mcx_mcptt_session_name(enum mcx_mcptt_session session)
{
    return session <= MCX_SESSION_OTHER ? session_names[session] : "";
}

const char *mcx_mcptt_release_text(enum mcx_mcptt_release reason)
{
    return reason <= MCX_RELEASE_OTHER ? release_texts[reason] : "";
}

/* Number of `text` in a list of names; the last entry stands for what is not in the list. */
static unsigned find_name(const char *const *names, unsigned last, struct mcx_bytes text)
{
    for (unsigned i = 1; i < last; i++) {
        if (mcx_bytes_is(text, names[i])) {
            return i;
        }
    }
    return last;
}

mcx_err mcx_mcptt_set(struct mcx_mcptt_value *value, enum mcx_mcptt_form form, struct mcx_bytes text)
{
    struct mcx_mcptt_value v = { .form = form };

    MCX_TRY(mcx_bytes_cstr(v.text, sizeof v.text, text));
    *value = v;
    return MCX_OK;
}

void mcx_mcptt_info_clear(struct mcx_mcptt_info *info)
{
    mcx_wipe(info, sizeof *info);
}

/* ---- writer ---- */

static void write_content(struct mcx_xml_wr *wr, const char *name, const char *child, const char *text)
{
    mcx_xml_wr_open(wr, name);
    mcx_xml_wr_attr(wr, "type", "Normal");
    mcx_xml_wr_elem(wr, child, text);
    mcx_xml_wr_close(wr);
}

static void write_value(struct mcx_xml_wr *wr, const struct field *f, const struct mcx_mcptt_value *v)
{
    if (v->form == MCX_MCPTT_ABSENT) {
        return;
    }
    if (v->form == MCX_MCPTT_ENCRYPTED) { /* nothing here can encrypt, and nothing passes ciphertext on */
        wr->err = wr->err == MCX_OK ? MCX_E_ARG : wr->err;
        return;
    }
    if (f->kind == KIND_PLAIN) {
        mcx_xml_wr_elem(wr, f->name, v->text);
        return;
    }
    write_content(wr, f->name, v->form == MCX_MCPTT_URI ? "mcpttURI" : "mcpttString", v->text);
}

static void write_bool(struct mcx_xml_wr *wr, const struct field *f, enum mcx_mcptt_bool b)
{
    const char *text = b == MCX_MCPTT_TRUE ? "true" : "false";

    if (b == MCX_MCPTT_UNSET) {
        return;
    }
    if (f->kind == KIND_PLAIN_BOOL) {
        mcx_xml_wr_elem(wr, f->name, text);
    } else {
        write_content(wr, f->name, "mcpttBoolean", text);
    }
}

static void write_field(struct mcx_xml_wr *wr, const struct field *f, const struct mcx_mcptt_info *info)
{
    const void *at = (const char *)info + f->offset;
    enum mcx_mcptt_session session;
    enum mcx_mcptt_release release;
    enum mcx_mcptt_bool flag;

    switch (f->kind) {
    case KIND_TOKEN:
        if (info->access_token[0] != '\0') {
            write_content(wr, f->name, "mcpttString", info->access_token);
        }
        break;
    case KIND_SESSION:
        memcpy(&session, at, sizeof session);
        if (session != MCX_SESSION_UNSET) {
            mcx_xml_wr_elem(wr, f->name, mcx_mcptt_session_name(session));
        }
        break;
    case KIND_RELEASE:
        memcpy(&release, at, sizeof release);
        if (release != MCX_RELEASE_UNSET) {
            mcx_xml_wr_elem(wr, f->name, mcx_mcptt_release_text(release));
        }
        break;
    case KIND_VALUE:
    case KIND_PLAIN: write_value(wr, f, at); break;
    case KIND_BOOL:
    case KIND_PLAIN_BOOL:
        memcpy(&flag, at, sizeof flag);
        write_bool(wr, f, flag);
        break;
    case KIND_STRING:
        if (*(const char *)at != '\0') {
            mcx_xml_wr_elem(wr, f->name, at);
        }
        break;
    default: break;
    }
}

static void write_any(struct mcx_xml_wr *wr, const struct mcx_mcptt_info *info)
{
    if (info->release == MCX_RELEASE_UNSET && info->end_to_end_security == MCX_MCPTT_UNSET) {
        return;
    }
    mcx_xml_wr_open(wr, "anyExt");
    for (size_t i = 0; i < NUM_ANY; i++) {
        write_field(wr, &any_fields[i], info);
    }
    mcx_xml_wr_close(wr);
}

mcx_err mcx_mcptt_info_write(struct mcx_wr *out, const struct mcx_mcptt_info *info)
{
    struct mcx_xml_wr wr = { 0 };
    char *xml = NULL;
    size_t len = 0;
    mcx_err err;

    if (info->session == MCX_SESSION_OTHER || info->release == MCX_RELEASE_OTHER) {
        return MCX_E_ARG;
    }
    mcx_xml_wr_open(&wr, "mcpttinfo");
    mcx_xml_wr_attr(&wr, "xmlns", INFO_NS);
    mcx_xml_wr_open(&wr, "mcptt-Params");
    for (size_t i = 0; i < NUM_PARAMS; i++) {
        write_field(&wr, &params_fields[i], info);
    }
    write_any(&wr, info);
    mcx_xml_wr_close(&wr);
    mcx_xml_wr_close(&wr);
    err = mcx_xml_wr_done(&xml, &len, &wr);
    if (err == MCX_OK) {
        err = mcx_wr_put(out, mcx_bytes(xml, len));
        mcx_xml_text_free(xml, len);
    }
    mcx_xml_wr_clear(&wr);
    return err;
}

/* ---- reader ---- */

/* Text of a contentType: of its only known child, or its own text as old clients write it. */
static mcx_err content_text(struct mcx_bytes *text, enum mcx_mcptt_form *form, const struct mcx_xml_node *node)
{
    const struct mcx_xml_node *child = mcx_xml_first(node);
    struct mcx_bytes type = mcx_bytes(NULL, 0);

    if (mcx_xml_attr(&type, node, "", "type") && !mcx_bytes_is(type, "Normal")) {
        *form = MCX_MCPTT_ENCRYPTED;
        return mcx_bytes_is(type, "Encrypted") ? MCX_OK : MCX_E_FORMAT;
    }
    if (child == NULL) {
        *form = MCX_MCPTT_URI;
        MCX_TRY(mcx_xml_text(text, node));
        *text = mcx_bytes_trim(*text);
        return MCX_OK;
    }
    for (; child != NULL; child = mcx_xml_next(child)) {
        bool uri = mcx_xml_is(child, ns, "mcpttURI");

        if (uri || mcx_xml_is(child, ns, "mcpttString") || mcx_xml_is(child, ns, "mcpttBoolean")) {
            *form = uri ? MCX_MCPTT_URI : MCX_MCPTT_STRING;
            MCX_TRY(mcx_xml_text(text, child));
            *text = mcx_bytes_trim(*text);
            return MCX_OK;
        }
    }
    *form = MCX_MCPTT_ABSENT; /* only elements of later releases */
    return MCX_OK;
}

static mcx_err read_bool(enum mcx_mcptt_bool *out, struct mcx_bytes text)
{
    if (mcx_bytes_is(text, "true") || mcx_bytes_is(text, "1")) {
        *out = MCX_MCPTT_TRUE;
        return MCX_OK;
    }
    if (mcx_bytes_is(text, "false") || mcx_bytes_is(text, "0")) {
        *out = MCX_MCPTT_FALSE;
        return MCX_OK;
    }
    return MCX_E_FORMAT;
}

static mcx_err plain_text(struct mcx_bytes *text, const struct mcx_xml_node *node)
{
    MCX_TRY(mcx_xml_text(text, node));
    *text = mcx_bytes_trim(*text);
    return MCX_OK;
}

static mcx_err read_plain(struct mcx_mcptt_info *out, const struct field *f, const struct mcx_xml_node *node)
{
    char *at = (char *)out + f->offset;
    struct mcx_bytes text = mcx_bytes(NULL, 0);
    enum mcx_mcptt_bool flag = MCX_MCPTT_UNSET;

    MCX_TRY(plain_text(&text, node));
    switch (f->kind) {
    case KIND_SESSION:
        out->session = (enum mcx_mcptt_session)find_name(session_names, MCX_SESSION_OTHER, text);
        return MCX_OK;
    case KIND_RELEASE:
        out->release = (enum mcx_mcptt_release)find_name(release_texts, MCX_RELEASE_OTHER, text);
        return MCX_OK;
    case KIND_PLAIN_BOOL:
        MCX_TRY(read_bool(&flag, text));
        memcpy(at, &flag, sizeof flag);
        return MCX_OK;
    default: return mcx_bytes_cstr(at, MCX_MCPTT_VALUE_MAX, text);
    }
}

static mcx_err read_content(struct mcx_mcptt_info *out, const struct field *f, const struct mcx_xml_node *node)
{
    char *at = (char *)out + f->offset;
    struct mcx_bytes text = mcx_bytes(NULL, 0);
    enum mcx_mcptt_form form = MCX_MCPTT_ABSENT;
    enum mcx_mcptt_bool flag = MCX_MCPTT_UNSET;
    struct mcx_mcptt_value value;

    MCX_TRY(content_text(&text, &form, node));
    if (f->kind == KIND_VALUE || f->kind == KIND_PLAIN) {
        MCX_TRY(mcx_mcptt_set(&value, form, text));
        memcpy(at, &value, sizeof value);
        return MCX_OK;
    }
    if (form == MCX_MCPTT_ABSENT) {
        return MCX_OK;
    }
    if (form == MCX_MCPTT_ENCRYPTED) {
        return MCX_E_UNSUP;
    }
    if (f->kind == KIND_TOKEN) {
        return mcx_bytes_cstr(at, MCX_MCPTT_TOKEN_MAX, text);
    }
    MCX_TRY(read_bool(&flag, text));
    memcpy(at, &flag, sizeof flag);
    return MCX_OK;
}

static mcx_err read_field(struct mcx_mcptt_info *out, const struct field *f, const struct mcx_xml_node *node)
{
    switch (f->kind) {
    case KIND_TOKEN:
    case KIND_VALUE:
    case KIND_PLAIN:
    case KIND_BOOL: return read_content(out, f, node);
    default: return read_plain(out, f, node);
    }
}

/* Children in any order; unknown ones are skipped, a known one twice is refused. */
static mcx_err read_fields(struct mcx_mcptt_info *out, const struct field *fields, size_t num, uint32_t *seen,
                           const struct mcx_xml_node *parent, struct mcx_refusal *why)
{
    const struct mcx_xml_node *node;

    for (node = mcx_xml_first(parent); node != NULL; node = mcx_xml_next(node)) {
        for (size_t i = 0; i < num; i++) {
            mcx_err err;

            if (!mcx_xml_is(node, ns, fields[i].name)) {
                continue;
            }
            if ((*seen & (UINT32_C(1) << i)) != 0) {
                return mcx_refuse(why, MCX_E_FORMAT, "an element of mcptt-info comes twice", CLAUSE);
            }
            *seen |= UINT32_C(1) << i;
            err = read_field(out, &fields[i], node);
            if (err == MCX_E_UNSUP) {
                return mcx_refuse(why, err, "an element of mcptt-info is encrypted and there is no key",
                                  "TS 24.379 4.8");
            }
            if (err != MCX_OK) {
                return mcx_refuse(why, MCX_E_FORMAT, "an element of mcptt-info has a wrong value", CLAUSE);
            }
        }
    }
    return MCX_OK;
}

static mcx_err read_params(struct mcx_mcptt_info *out, const struct mcx_xml_node *params, struct mcx_refusal *why)
{
    const struct mcx_xml_node *any = mcx_xml_first_of(params, ns, "anyExt");
    uint32_t seen = 0, seen_any = 0;

    MCX_TRY(read_fields(out, params_fields, NUM_PARAMS, &seen, params, why));
    for (; any != NULL; any = mcx_xml_next_of(any, ns, "anyExt")) {
        MCX_TRY(read_fields(out, any_fields, NUM_ANY, &seen_any, any, why));
        MCX_TRY(read_fields(out, params_fields, NUM_PARAMS, &seen, any, why)); /* mcptt-client-id of some clients */
    }
    return MCX_OK;
}

static mcx_err read_root(struct mcx_mcptt_info *out, const struct mcx_xml_node *root, struct mcx_refusal *why)
{
    const struct mcx_xml_node *params = NULL;

    if (!mcx_xml_is(root, ns, "mcpttinfo")) {
        return mcx_refuse(why, MCX_E_FORMAT, "root element is not mcpttinfo", CLAUSE);
    }
    if (mcx_xml_child(&params, root, ns, "mcptt-Params") != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "mcptt-Params comes twice", CLAUSE);
    }
    return params == NULL ? MCX_OK : read_params(out, params, why);
}

mcx_err mcx_mcptt_info_read(struct mcx_mcptt_info *out, struct mcx_bytes xml, struct mcx_refusal *why)
{
    struct mcx_xml *doc = NULL;
    mcx_err err;

    if (xml.len > MCX_MCPTT_INFO_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, "mcptt-info is too large", CLAUSE);
    }
    MCX_TRY(mcx_xml_read(&doc, xml, why));
    memset(out, 0, sizeof *out);
    err = read_root(out, mcx_xml_root(doc), why);
    if (err != MCX_OK) {
        mcx_mcptt_info_clear(out);
    }
    mcx_xml_free(doc);
    return err;
}
