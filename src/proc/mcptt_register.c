/* SPDX-License-Identifier: Apache-2.0 */
/* Registration: which MCPTT ID is reached by which contact (TS 24.379 7.3; RFC 3261 10.3, RFC 3327). */
#include "proc/mcptt_server.h"

#include <stdio.h>
#include <string.h>

#include <mcx/secret.h>

enum { DEFAULT_EXPIRES = 3600 };

const struct mcx_msrv_user *msrv_user(const struct mcx_msrv *srv, struct mcx_bytes mcptt_id)
{
    for (size_t i = 0; i < srv->config->num_users; i++) {
        if (mcx_bytes_is(mcptt_id, srv->config->users[i].mcptt_id)) {
            return &srv->config->users[i];
        }
    }
    return NULL;
}

const char *msrv_public_id(const struct mcx_msrv_user *user)
{
    return user->public_id[0] != '\0' ? user->public_id : user->mcptt_id;
}

static const struct mcx_msrv_user *user_by_public_id(const struct mcx_msrv *srv, struct mcx_bytes id)
{
    for (size_t i = 0; i < srv->config->num_users; i++) {
        if (mcx_bytes_is(id, msrv_public_id(&srv->config->users[i]))) {
            return &srv->config->users[i];
        }
    }
    return NULL;
}

struct msrv_binding *msrv_binding(const struct mcx_msrv *srv, const struct mcx_msrv_user *user)
{
    return &srv->bindings[user - srv->config->users];
}

bool msrv_registered(const struct mcx_msrv *srv, const struct mcx_msrv_user *user, uint64_t now_ms)
{
    return msrv_binding(srv, user)->until_ms > now_ms;
}

size_t mcx_msrv_num_bindings(const struct mcx_msrv *srv, uint64_t now_ms)
{
    size_t n = 0;

    for (size_t i = 0; i < srv->config->num_users; i++) {
        n += srv->bindings[i].until_ms > now_ms ? 1 : 0;
    }
    return n;
}

const struct mcx_msrv_user *msrv_identify(const struct mcx_msrv *srv, const struct mcx_msrv_sip *sip, uint64_t now_ms)
{
    const struct mcx_msrv_user *user = NULL;

    if (sip->trusted) {
        user = sip->asserted.len > 0 ? user_by_public_id(srv, sip->asserted) : NULL;
        return user != NULL && msrv_registered(srv, user, now_ms) ? user : NULL;
    }
    for (size_t i = 0; i < srv->config->num_users; i++) {
        const struct msrv_binding *b = &srv->bindings[i];

        if (b->until_ms > now_ms && b->flow[0] != '\0' && mcx_bytes_is(sip->source, b->flow)) {
            user = &srv->config->users[i];
            if (sip->preferred.len == 0 || mcx_bytes_is(sip->preferred, msrv_public_id(user))) {
                return user;
            }
        }
    }
    return NULL;
}

/* Access token of the mcptt-info body (7.3.2), in a buffer that the caller wipes. */
static mcx_err find_token(char token[MCX_MCPTT_TOKEN_MAX], const struct mcx_msrv_sip *sip)
{
    const struct mcx_mime_part *part;
    struct mcx_mcptt_info info;
    struct mcx_mime mime;
    mcx_err err;

    MCX_TRY(mcx_mime_read(&mime, sip->content_type, sip->body, NULL));
    part = mcx_mime_find(&mime, MCX_TYPE_MCPTT_INFO);
    if (part == NULL) {
        return MCX_E_NOKEY;
    }
    err = mcx_mcptt_info_read(&info, part->body, NULL);
    if (err == MCX_OK && info.access_token[0] == '\0') {
        err = MCX_E_NOKEY;
    }
    if (err == MCX_OK) {
        memcpy(token, info.access_token, sizeof info.access_token);
    }
    mcx_mcptt_info_clear(&info);
    return err;
}

/* Service authorisation: the token names the MCPTT ID, and the public identity must be that user's own. */
static const struct mcx_msrv_user *authorise(const struct mcx_msrv *srv, const struct mcx_msrv_in *in,
                                             struct mcx_refusal *why)
{
    const struct mcx_msrv_authoriser *auth = srv->config->authoriser;
    const struct mcx_msrv_user *user = user_by_public_id(srv, in->sip->to);
    char token[MCX_MCPTT_TOKEN_MAX] = "";
    char id[MCX_MCPTT_VALUE_MAX] = "";
    mcx_err err;

    if (user == NULL) {
        (void)mcx_refuse(why, MCX_E_NOKEY, "public user identity is not known here", "TS 24.379 7.3");
        return NULL;
    }
    if (in->sip->trusted && in->sip->asserted.len > 0 && !mcx_bytes_equal(in->sip->asserted, in->sip->to)) {
        (void)mcx_refuse(why, MCX_E_AUTH, "asserted identity and To differ", "RFC 3325 9");
        return NULL;
    }
    if (auth == NULL) {
        return user;
    }
    err = find_token(token, in->sip);
    if (err != MCX_OK) {
        (void)mcx_refuse(why, err, "no access token in the mcptt-info body", "TS 24.379 7.3");
    } else {
        err = auth->check(auth->ctx, id, mcx_bytes_str(token), in->now_ms, why);
    }
    mcx_wipe(token, sizeof token);
    if (err != MCX_OK) {
        return NULL;
    }
    if (strcmp(id, user->mcptt_id) != 0) {
        (void)mcx_refuse(why, MCX_E_AUTH, "access token is for another user", "TS 24.379 7.3");
        return NULL;
    }
    return user;
}

static mcx_err respond(struct mcx_msrv *srv, struct mcx_msrv_out *out, uint16_t code, const char *reason,
                       const char *headers)
{
    struct mcx_msrv_action *act = msrv_action(out, MCX_MSRV_RESPOND, 0);

    (void)srv;
    if (act == NULL || headers == NULL) {
        return MCX_E_BUG;
    }
    act->code = code;
    act->reason = reason;
    act->headers = headers;
    return MCX_OK;
}

static mcx_err note(struct mcx_msrv *srv, struct mcx_msrv_out *out, const char *what, const char *user,
                    const char *text)
{
    struct mcx_msrv_action *act = msrv_action(out, MCX_MSRV_NOTE, 0);

    (void)srv;
    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->note = what;
    act->caller = user;
    act->callee = "";
    act->text = text;
    return MCX_OK;
}

static mcx_err refuse(struct mcx_msrv *srv, struct mcx_msrv_out *out, const struct mcx_msrv_sip *sip,
                      enum mcx_warning warning, const struct mcx_refusal *why)
{
    const struct msrv_verdict v = { 403, "Forbidden", warning, NULL };

    MCX_TRY(respond(srv, out, v.code, v.reason, msrv_warning(srv, &v)));
    return note(srv, out, "register-refused", msrv_text(srv, "%.*s", (int)sip->to.len, (const char *)sip->to.p),
                why->clause[0] != '\0' ? msrv_text(srv, "%s (%s)", why->reason, why->clause) : why->reason);
}

static mcx_err binding_of(struct msrv_binding *out, const struct mcx_msrv_in *in, uint32_t expires)
{
    struct msrv_binding b = { .until_ms = in->now_ms + (uint64_t)expires * 1000, .num_path = in->sip->num_path };

    MCX_TRY(mcx_bytes_cstr(b.contact, sizeof b.contact, in->sip->contact));
    for (size_t i = 0; i < b.num_path; i++) {
        MCX_TRY(mcx_bytes_cstr(b.path[i], sizeof b.path[i], in->sip->path[i]));
    }
    if (b.num_path == 0) {
        MCX_TRY(mcx_bytes_cstr(b.flow, sizeof b.flow, in->sip->source));
    }
    *out = b;
    return MCX_OK;
}

/* The CSK comes last of what can fail, so that a refusal leaves the registration as it was. */
static mcx_err store(struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct mcx_msrv_in *in,
                     const struct mcx_control_key *csk, uint32_t expires)
{
    struct msrv_binding *at = msrv_binding(srv, user);
    struct msrv_binding b;

    MCX_TRY(binding_of(&b, in, expires));
    if (csk != NULL) {
        MCX_TRY(msrv_csk_store(srv, user, csk, in->now_ms));
    } else if (at->until_ms <= in->now_ms) {
        msrv_csk_drop(at); /* of a registration that ran out */
    }
    b.channel = at->channel;
    b.renew_ms = at->renew_ms;
    *at = b;
    return MCX_OK;
}

static mcx_err answer_question(struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct mcx_msrv_in *in,
                               struct mcx_msrv_out *out)
{
    const struct msrv_binding *b = msrv_binding(srv, user);

    return respond(srv, out, 200, "OK",
                   b->until_ms > in->now_ms ? msrv_text(srv, "Contact: <%s>;expires=%llu\r\n", b->contact,
                                                        (unsigned long long)((b->until_ms - in->now_ms) / 1000))
                                            : "");
}

static mcx_err remove_binding(struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct mcx_msrv_in *in,
                              struct mcx_msrv_out *out)
{
    struct msrv_binding *b = msrv_binding(srv, user);

    if (!mcx_bytes_is(in->sip->contact, "*") && !mcx_bytes_is(in->sip->contact, b->contact)) {
        return respond(srv, out, 200, "OK", ""); /* a contact that has been replaced; the present one stays */
    }
    msrv_csk_drop(b);
    memset(b, 0, sizeof *b);
    MCX_TRY(respond(srv, out, 200, "OK", ""));
    return note(srv, out, "deregistered", user->mcptt_id, "");
}

/* A client that believes to have uploaded one, to a server that was started again since, has to know. */
static const char *no_csk(struct mcx_msrv *srv, const struct mcx_msrv_user *user)
{
    const char *line = NULL;

    if (srv->config->server_id != NULL && msrv_binding(srv, user)->channel == NULL) {
        line = msrv_text(srv, "Warning: 399 %s \"" MCX_TEXT_NO_CSK "\"\r\n", srv->config->host);
    }
    return line != NULL ? line : "";
}

static mcx_err add_binding(struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct mcx_msrv_in *in,
                           struct mcx_msrv_out *out, uint32_t expires)
{
    struct mcx_control_key csk = { .type = MCX_KEY_CSK };
    struct mcx_refusal why = { "", "" };
    bool has_csk = false;
    mcx_err err = msrv_csk_read(&csk, &has_csk, srv, in, user, &why);

    if (err != MCX_OK) {
        return refuse(srv, out, in->sip, MCX_WARN_IMESSAGE_AUTHENTICATION, &why);
    }
    err = store(srv, user, in, has_csk ? &csk : NULL, expires);
    mcx_control_key_clear(&csk);
    if (err != MCX_OK) {
        return err == MCX_E_SPACE || err == MCX_E_FORMAT ? respond(srv, out, 400, "Bad Request", "")
                                                         : respond(srv, out, 500, "Server Internal Error", "");
    }
    MCX_TRY(respond(srv, out, 200, "OK",
                    msrv_text(srv, "Contact: <%s>;expires=%u\r\nP-Associated-URI: <%s>\r\n%s",
                              msrv_binding(srv, user)->contact, expires, msrv_public_id(user), no_csk(srv, user))));
    return note(srv, out, "registered", user->mcptt_id, msrv_binding(srv, user)->contact);
}

mcx_err msrv_register(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out)
{
    const struct mcx_msrv_sip *sip = in->sip;
    struct mcx_refusal why = { "", "" };
    const struct mcx_msrv_user *user = authorise(srv, in, &why);
    uint32_t cap = srv->config->max_expires_s != 0 ? srv->config->max_expires_s : DEFAULT_EXPIRES;
    uint32_t expires = sip->expires < 0 || sip->expires > (int64_t)cap ? cap : (uint32_t)sip->expires;

    if (user == NULL) {
        return refuse(srv, out, sip, MCX_WARN_SERVICE_AUTHORISATION, &why);
    }
    if (sip->contact.len == 0) { /* a question (RFC 3261 10.2.3) */
        return answer_question(srv, user, in, out);
    }
    if (expires == 0) {
        return remove_binding(srv, user, in, out);
    }
    if (mcx_bytes_is(sip->contact, "*")) {
        return respond(srv, out, 400, "Bad Request", ""); /* RFC 3261 10.3 step 6 */
    }
    return add_binding(srv, user, in, out, expires);
}
