/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/core.h"

#include "kms/target.h"

#include <mcx/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFETCH_PART 10 /* the last tenth of a period: docs/DEVIATIONS.md "kms-prefetch-server" */
#define MAX_KEY_SETS  (2 * MCX_KMS_MAX_IDENTITIES)

struct mcx_kms_core {
    struct mcx_kms_config config;
    struct mcx_rate rate;     /* key sets, by user */
    struct mcx_rate refusals; /* by peer address */
    struct mcx_tally tally;
};

/* One request on its way. */
struct job {
    struct mcx_kms_core *core;
    const struct mcx_kms_in *in;
    struct mcx_kms_answer *out;
    struct mcx_kms_target target;
    struct mcx_kms_request *req; /* NULL: empty body */
    struct mcx_kms_identities ids;
    struct mcx_refusal why;
    char url[MCX_KMSDOC_URI_MAX]; /* request target, when the body names none */
};

void mcx_kms_answer_clear(struct mcx_kms_answer *answer)
{
    mcx_kmsdoc_text_free(answer->xml, answer->xml_len);
    *answer = (struct mcx_kms_answer){ 0 };
}

static bool cert_is_of_vault(const struct mcx_kms_cert *cert, const struct mcx_vault *vault)
{
    const struct mcx_vault_public *pub = mcx_vault_public(vault);

    return strcmp(cert->kms_uri, pub->kms_uri) == 0 && cert->period.length == pub->period.length &&
           cert->period.offset == pub->period.offset &&
           memcmp(cert->pub_enc_key, pub->pub_enc_key, sizeof pub->pub_enc_key) == 0 && /* public */
           memcmp(cert->pub_auth_key, pub->pub_auth_key, sizeof pub->pub_auth_key) == 0;
}

mcx_err mcx_kms_core_new(struct mcx_kms_core **out, const struct mcx_kms_config *config)
{
    struct mcx_kms_core *core = NULL;

    if (!cert_is_of_vault(config->root, config->vault)) {
        return MCX_E_STATE;
    }
    core = calloc(1, sizeof *core);
    if (core == NULL) {
        return MCX_E_NOMEM;
    }
    core->config = *config;
    core->rate.per_minute = config->key_sets_per_minute;
    core->refusals.per_minute = config->refusals_per_minute;
    *out = core;
    return MCX_OK;
}

void mcx_kms_core_free(struct mcx_kms_core *core)
{
    free(core);
}

/* Head of a response (D.3): copies from the request; what a request without body leaves open comes from the token. */
static struct mcx_kmsdoc response(struct job *j, enum mcx_kmsdoc_kind kind)
{
    struct mcx_kmsdoc doc = { .kind = kind };
    const char *who = j->target.op == MCX_KMS_OP_KEYPROV && j->target.has_uri ? j->target.uri : j->in->auth.mcptt_id;

    doc.user_uri = j->req != NULL ? j->req->user_uri : (char *)who;
    doc.kms_uri = j->core->config.root->kms_uri;
    doc.time = j->in->unix_ms / 1000;
    doc.client_req_url = j->req != NULL ? j->req->client_req_url : j->url;
    return doc;
}

static int answer_with(struct job *j, const struct mcx_kmsdoc *doc, int status)
{
    mcx_err err = mcx_kmsdoc_write(&j->out->xml, &j->out->xml_len, doc);

    if (err != MCX_OK) {
        j->out->xml = NULL;
        j->out->xml_len = 0;
        (void)mcx_refuse(&j->why, err, "the response could not be written", "");
        return 500;
    }
    return status;
}

/* KmsError in the body once the request could be parsed (TS 33.180 D.3.5.1); the key words are constants of ours. */
static void answer_error(struct job *j, int status)
{
    struct mcx_kmsdoc doc;

    if (status < 400 || j->in->auth.mcptt_id == NULL || j->url[0] == '\0' || (j->req == NULL && j->in->body.len > 0)) {
        return;
    }
    doc = response(j, MCX_KMSDOC_ERROR);
    doc.error_code = status;
    doc.error_msg = (char *)(j->why.reason == NULL ? "internal error" : j->why.reason);
    if (mcx_kmsdoc_write(&j->out->xml, &j->out->xml_len, &doc) != MCX_OK) {
        j->out->xml = NULL;
        j->out->xml_len = 0;
    }
}

static int refuse(struct job *j, int status, const char *reason, const char *clause)
{
    j->why = (struct mcx_refusal){ reason, clause };
    return status;
}

static int check_token(struct job *j)
{
    const struct mcx_kms_auth *a = &j->in->auth;

    if (a->present && a->err == MCX_OK && a->mcptt_id != NULL) {
        return 0;
    }
    j->why = a->why;
    if (!a->present) {
        j->out->www_authenticate = "Bearer";
        return refuse(j, 401, "the request has no bearer token", "TS 33.180 B.10");
    }
    if (a->err == MCX_E_POLICY) { /* RFC 6750 3.1 */
        j->out->www_authenticate = "Bearer error=\"insufficient_scope\"";
        return 403;
    }
    j->out->www_authenticate = "Bearer error=\"invalid_token\"";
    return 401;
}

static int check_target(struct job *j)
{
    mcx_err err = mcx_kms_target_read(&j->target, j->in->target, &j->why);

    if (err != MCX_OK) {
        return err == MCX_E_NOKEY ? 404 : 400;
    }
    if (mcx_bytes_cstr(j->url, sizeof j->url, j->in->target) != MCX_OK) {
        return refuse(j, 400, "the request target is too long", "");
    }
    if (j->target.op == MCX_KMS_OP_LOOKUP || j->target.op == MCX_KMS_OP_REDIRECT) {
        return refuse(j, 501, "lookup and redirect are not supported", "TS 33.180 D.2.7");
    }
    return 0;
}

static int check_time(struct job *j)
{
    uint64_t now = j->in->unix_ms / 1000;
    uint64_t t = j->req->time;
    uint64_t apart = now > t ? now - t : t - now;

    if (apart > j->core->config.time_tolerance_s) {
        return refuse(j, 400, "Time is not recent", "TS 33.180 D.2.2");
    }
    return 0;
}

/* KmsRequest, when there is one: an empty body asks for no message security: docs/DEVIATIONS.md "kms-empty-body". */
static int check_body(struct job *j)
{
    struct mcx_kms_target named;
    mcx_err err = MCX_OK;

    if (j->in->body.len == 0) {
        return 0;
    }
    if (j->in->body.len > MCX_KMS_BODY_MAX) {
        return refuse(j, 400, "the body is too long", "");
    }
    err = mcx_kms_request_read(&j->req, j->in->body, &j->why);
    if (err != MCX_OK) {
        j->req = NULL;
        return err == MCX_E_NOMEM ? 503 : 400;
    }
    if (strcmp(j->req->kms_uri, j->core->config.root->kms_uri) != 0) {
        return refuse(j, 400, "KmsUri is not the URI of this KMS", "TS 33.180 D.2.2");
    }
    if (check_time(j) != 0) {
        return 400;
    }
    /* Path and operation only: a proxy may change the host (docs/DEVIATIONS.md "kms-client-req-url"). */
    if (mcx_kms_target_read(&named, mcx_bytes_str(j->req->client_req_url), NULL) != MCX_OK ||
        !mcx_kms_target_equal(&named, &j->target)) {
        return refuse(j, 400, "ClientReqUrl is not what was requested", "TS 33.180 D.2.2");
    }
    return 0;
}

static bool is_identity(const struct job *j, const char *uri)
{
    for (size_t i = 0; i < j->ids.num; i++) {
        if (strcmp(j->ids.uri[i], uri) == 0) {
            return true;
        }
    }
    return false;
}

static int check_user(struct job *j)
{
    const struct mcx_kms_store *s = &j->core->config.store;
    mcx_err err = s->identities(s->ctx, &j->ids, j->in->auth.mcptt_id);

    if (err == MCX_E_NOKEY) {
        return refuse(j, 403, "the user of the token is not known here", "TS 33.180 5.3.3");
    }
    if (err != MCX_OK) {
        return refuse(j, 503, "the user store does not answer", "");
    }
    if (j->req != NULL && !is_identity(j, j->req->user_uri)) {
        return refuse(j, 403, "UserUri is not an identity of the user of the token", "TS 33.180 5.3.3");
    }
    if (j->target.op == MCX_KMS_OP_KEYPROV && j->target.has_uri && !is_identity(j, j->target.uri)) {
        return refuse(j, 403, "the URI of the path is not an identity of the user of the token", "TS 33.180 5.3.3");
    }
    return 0;
}

/* Periods to issue: the one of {time}, else the present one, and the next inside its prefetch window. */
static int choose_periods(struct job *j, uint64_t period[2], size_t *num)
{
    const struct mcx_key_period *p = &j->core->config.root->period;
    uint64_t now = mcx_ntp_from_unix_ms(j->in->unix_ms).sec;
    uint64_t start = 0;
    uint64_t end = 0;

    *num = 1;
    if (mcx_period_no(&period[0], p, now) != MCX_OK || mcx_period_bounds(&start, &end, p, period[0]) != MCX_OK) {
        return refuse(j, 500, "the present time is in no key period", "TS 33.180 F.2.1.1");
    }
    if (!j->target.has_time) {
        period[1] = period[0] + 1;
        *num = !j->target.has_uri && end - now <= p->length / PREFETCH_PART ? 2 : 1;
        return 0;
    }
    uint64_t latest = period[0] + 1; /* docs/DEVIATIONS.md "kms-time-range" */

    if (mcx_period_no(&period[0], p, j->target.time.sec) != MCX_OK) {
        return refuse(j, 400, "the time of the path is in no key period", "TS 33.180 F.2.1.1");
    }
    if (period[0] > latest) {
        return refuse(j, 403, "the time of the path is more than one period ahead", "TS 33.180 D.2.4");
    }
    return 0;
}

static mcx_err issue_one(struct job *j, struct mcx_kms_key_set *set, struct mcx_kms_audit *rec, const char *uri,
                         uint64_t period_no)
{
    const struct mcx_kms_config *c = &j->core->config;
    struct mcx_vault_request req = { .period_no = period_no };
    struct mcx_vault_key_set keys;
    uint64_t start = 0;
    uint64_t end = 0;

    MCX_TRY(mcx_period_bounds(&start, &end, &c->root->period, period_no));
    MCX_TRY(mcx_bytes_cstr(req.user_uri, sizeof req.user_uri, mcx_bytes_str(uri)));
    MCX_TRY(mcx_vault_issue(c->vault, &keys, &req, &c->rng));
    *set = (struct mcx_kms_key_set){ .kms_uri = c->root->kms_uri,
                                     .cert_uri = c->root->cert_uri,
                                     .issuer = c->root->issuer,
                                     .user_uri = (char *)uri,
                                     .period_no = period_no,
                                     .valid_from = mcx_ntp_to_unix_ms((struct mcx_ntp){ start, 0 }) / 1000,
                                     .valid_to = mcx_ntp_to_unix_ms((struct mcx_ntp){ end, 0 }) / 1000 - 1 };
    memcpy(set->uid, keys.uid, sizeof set->uid);
    memcpy(set->rsk, keys.rsk, sizeof set->rsk);
    memcpy(set->ssk, keys.ssk, sizeof set->ssk);
    memcpy(set->pvt, keys.pvt, sizeof set->pvt);
    mcx_vault_key_set_clear(&keys);
    *rec = (struct mcx_kms_audit){ .request_id = j->out->request_id,
                                   .mcptt_id = j->in->auth.mcptt_id,
                                   .user_uri = uri,
                                   .uid = set->uid,
                                   .period_no = period_no,
                                   .unix_ms = j->in->unix_ms };
    return MCX_OK;
}

/* Make, write, record, and only then let go: nothing leaves without its audit record. */
static int issue_all(struct job *j, struct mcx_kms_key_set *sets, const uint64_t *period, size_t num_periods)
{
    const struct mcx_kms_store *s = &j->core->config.store;
    struct mcx_kms_audit rec[MAX_KEY_SETS];
    struct mcx_kmsdoc doc = response(j, MCX_KMSDOC_KEYPROV);
    size_t num = 0;
    int status = 0;

    for (size_t i = 0; i < j->ids.num; i++) {
        if (j->target.has_uri && strcmp(j->ids.uri[i], j->target.uri) != 0) {
            continue;
        }
        for (size_t k = 0; k < num_periods; k++) {
            if (issue_one(j, &sets[num], &rec[num], j->ids.uri[i], period[k]) != MCX_OK) {
                return refuse(j, 500, "a key set could not be made", "RFC 6507 5.1.2");
            }
            num++;
        }
    }
    doc.key_sets = sets;
    doc.num_key_sets = num;
    status = answer_with(j, &doc, 200);
    if (status == 200 && s->audit(s->ctx, rec, num) != MCX_OK) {
        mcx_kmsdoc_text_free(j->out->xml, j->out->xml_len);
        j->out->xml = NULL;
        j->out->xml_len = 0;
        return refuse(j, 503, "the audit record could not be written", "");
    }
    j->out->num_key_sets = status == 200 ? num : 0;
    return status;
}

static int do_keyprov(struct job *j)
{
    uint64_t period[2] = { 0 };
    size_t num_periods = 0;
    struct mcx_kms_key_set *sets = NULL;
    int status = choose_periods(j, period, &num_periods);

    if (status != 0) {
        return status;
    }
    j->out->retry_after_s = mcx_rate_take(&j->core->rate, mcx_bytes_str(j->in->auth.mcptt_id),
                                          (j->target.has_uri ? 1 : j->ids.num) * num_periods, j->in->mono_ms);
    if (j->out->retry_after_s != 0) {
        return refuse(j, 503, "the user asks for too many key sets", "");
    }
    sets = mcx_secret_alloc(MAX_KEY_SETS * sizeof *sets);
    if (sets == NULL) {
        return refuse(j, 503, "no locked memory", "");
    }
    status = issue_all(j, sets, period, num_periods);
    mcx_secret_free(sets); /* wipes */
    return status;
}

static int do_init(struct job *j)
{
    struct mcx_kmsdoc doc = response(j, MCX_KMSDOC_INIT);
    struct mcx_kms_cert root = *j->core->config.root;

    doc.certs = &root;
    doc.num_certs = 1;
    return answer_with(j, &doc, 200);
}

/* External certificates, copied out of the store. */
struct external {
    struct mcx_kms_cert cert[MCX_KMS_MAX_EXTERNAL];
    size_t num;
    const char *only; /* KmsUri wanted, or NULL for all */
};

static mcx_err collect(void *arg, struct mcx_bytes xml)
{
    struct external *e = arg;
    struct mcx_kmsdoc *doc = NULL;
    mcx_err err = e->num < MCX_KMS_MAX_EXTERNAL ? MCX_OK : MCX_E_SPACE;

    MCX_GO(err, err);
    MCX_GO(err, mcx_kmsdoc_read(&doc, xml, NULL, NULL));
    if (doc->num_certs == 1 && (e->only == NULL || strcmp(doc->certs[0].kms_uri, e->only) == 0)) {
        MCX_GO(err, mcx_kms_cert_copy(&e->cert[e->num], &doc->certs[0]));
        e->cert[e->num++].role = MCX_KMS_EXTERNAL;
    }
out:
    mcx_kmsdoc_free(doc);
    return err;
}

static int do_certs(struct job *j)
{
    const struct mcx_kms_store *s = &j->core->config.store;
    bool one = j->target.op == MCX_KMS_OP_CERT;
    struct mcx_kmsdoc doc = response(j, MCX_KMSDOC_CERTCACHE);
    struct external *e = calloc(1, sizeof *e);
    struct mcx_kms_cert root = *j->core->config.root;
    int status = 200;

    if (e == NULL) {
        return refuse(j, 503, "no memory", "");
    }
    e->only = one ? j->target.uri : NULL;
    if (s->external(s->ctx, &doc.cache_num, collect, e) != MCX_OK) {
        status = refuse(j, 503, "the certificate store does not answer", "");
    }
    doc.certs = e->cert;
    doc.num_certs = e->num;
    if (one && strcmp(j->target.uri, root.kms_uri) == 0) {
        doc.certs = &root;
        doc.num_certs = 1;
    }
    if (j->target.has_num && j->target.num == doc.cache_num) { /* D.2.5: the client has it all */
        doc.num_certs = 0;
    }
    if (status == 200 && one && doc.num_certs == 0) {
        status = refuse(j, 404, "no certificate held for this KMS URI", "TS 33.180 D.3.1");
    }
    if (status == 200) {
        status = answer_with(j, &doc, 200);
    }
    for (size_t i = 0; i < e->num; i++) {
        mcx_kms_cert_clear(&e->cert[i]);
    }
    free(e);
    return status;
}

static int run(struct job *j)
{
    static int (*const checks[])(struct job *) = { check_token, check_target, check_body, check_user };
    int status = 0;

    if (!mcx_bytes_is(j->in->method, "POST")) {
        j->out->allow_post = true;
        return refuse(j, 405, "the method is not POST", "TS 33.180 D.2");
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        status = checks[i](j);
        if (status != 0) {
            return status;
        }
    }
    switch (j->target.op) {
    case MCX_KMS_OP_INIT: return do_init(j);
    case MCX_KMS_OP_KEYPROV: return do_keyprov(j);
    case MCX_KMS_OP_CERTCACHE:
    case MCX_KMS_OP_CERT: return do_certs(j);
    default: return refuse(j, 500, "an operation without a handler", "");
    }
}

static void log_answer(const struct job *j)
{
    const struct mcx_kms_answer *a = j->out;
    char event[96];
    struct mcx_log_record rec = { .level = a->status < 400 ? MCX_LOG_INFO : MCX_LOG_WARN,
                                  .subsystem = "kms",
                                  .subject = j->in->auth.mcptt_id != NULL ? j->in->auth.mcptt_id : j->in->peer,
                                  .event = event,
                                  .why = j->why };

    (void)snprintf(event, sizeof event, "%s %d, %zu key sets, request %s",
                   j->url[0] == '\0' ? "request" : mcx_kms_op_name(j->target.op), a->status, a->num_key_sets,
                   a->request_id);
    rec.level = a->status >= 500 ? MCX_LOG_ERROR : rec.level;
    mcx_log(&j->core->config.log, &rec);
}

/* A refusal to a peer that nobody vouches for: is there budget for a proper one? */
static bool shed(struct job *j)
{
    struct mcx_kms_core *core = j->core;

    if (j->out->status < 400 || j->in->auth.mcptt_id != NULL || core->config.refusals_per_minute == 0) {
        return false;
    }
    j->out->retry_after_s = mcx_rate_take(&core->refusals, mcx_bytes_str(j->in->peer), 1, j->in->mono_ms);
    if (j->out->retry_after_s == 0) {
        return false;
    }
    j->out->status = refuse(j, 429, "too many refusals for this address", "RFC 6585 4");
    j->out->www_authenticate = NULL;
    j->out->allow_post = false;
    j->out->close = true;
    return true;
}

const struct mcx_tally *mcx_kms_tally(const struct mcx_kms_core *core)
{
    return &core->tally;
}

void mcx_kms_handle(struct mcx_kms_core *core, struct mcx_kms_answer *out, const struct mcx_kms_in *in)
{
    struct job j = { .core = core, .in = in, .out = out };
    uint8_t id[MCX_KMS_REQUEST_ID_LEN / 2];

    *out = (struct mcx_kms_answer){ 0 };
    if (mcx_rng_fill(&core->config.rng, id, sizeof id) != MCX_OK ||
        mcx_hex_write(out->request_id, sizeof out->request_id, mcx_bytes(id, sizeof id)) != MCX_OK) {
        out->status = refuse(&j, 500, "no random numbers", "");
    } else {
        out->status = run(&j);
    }
    if (!shed(&j)) {
        answer_error(&j, out->status);
        log_answer(&j);
    }
    mcx_tally_add(&core->tally, j.why.reason == NULL ? "served" : j.why.reason);
    mcx_kms_request_free(j.req);
}
