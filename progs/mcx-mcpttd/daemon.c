/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up, the ready file, the end. */
#define _GNU_SOURCE
#include "mcx-mcpttd/groups.h"
#include "mcx-mcpttd/preest.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <mcx/keyring.h>

#include "io/file.h"

enum { JWKS_MAX = 1 << 20, GRACE_MS = 2000 };

/* FROM MEMORY (TS 33.180 B): scopes of the MCPTT service, older and newer spelling. docs/DEVIATIONS.md "mcptt-scope" */
static const char *const mcptt_scopes[] = { "3gpp:mcptt:ptt_server", "3gpp:mc:ptt_service" };

static mcx_err check_token(void *ctx, char mcptt_id[MCX_MCPTT_VALUE_MAX], struct mcx_bytes token, uint64_t now_ms,
                           struct mcx_refusal *why)
{
    struct md_daemon *d = ctx;
    struct mcx_token_claims claims;

    (void)now_ms; /* the step's clock is monotonic, tokens are dated by the wall clock */
    MCX_TRY(mcx_token_verify(&claims, d->jwks, &d->token_policy, token, mcx_clock_unix_ms() / 1000, why));
    return mcx_bytes_cstr(mcptt_id, MCX_MCPTT_VALUE_MAX, mcx_bytes_str(claims.mcptt_id));
}

static int open_jwks(struct md_daemon *d)
{
    struct mcx_file file = { 0 };
    struct mcx_refusal why = { "", "" };
    mcx_err err;

    if (d->s->jwks == NULL) {
        return EXIT_DONE;
    }
    if (mcx_file_read(&file, d->s->jwks, JWKS_MAX, false) != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, d->s->jwks, strerror(errno));
    }
    err = mcx_jwks_read(&d->jwks, mcx_bytes(file.p, file.len), &why);
    mcx_file_clear(&file);
    if (err != MCX_OK) {
        return md_complain(EXIT_REFUSED, d->s->jwks, why.reason);
    }
    d->token_policy =
        (struct mcx_token_policy){ .iss = d->s->token_iss, .aud = d->s->token_aud, .skew_s = MCX_TOKEN_SKEW_S };
    d->token_policy.scopes = d->s->num_scopes > 0 ? d->s->scopes : mcptt_scopes;
    d->token_policy.num_scopes = d->s->num_scopes > 0 ? d->s->num_scopes : sizeof mcptt_scopes / sizeof mcptt_scopes[0];
    d->authoriser = (struct mcx_msrv_authoriser){ check_token, d };
    d->config.authoriser = &d->authoriser;
    return EXIT_DONE;
}

static int open_server(struct md_daemon *d)
{
    struct mcx_rng rng = mcx_rng_system();

    d->config.host = d->s->host;
    d->config.controlling_psi = d->s->controlling_psi;
    d->config.server_id = d->s->server_id;
    d->config.ring = d->ring;
    d->config.started = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    d->config.csk_lifetime_s = d->s->csk_lifetime_s;
    d->config.no_queueing = !d->s->floor.queueing;
    d->config.users = d->s->users;
    d->config.num_users = d->s->num_users;
    d->config.max_calls = d->s->max_calls;
    d->config.max_expires_s = d->s->max_expires_s;
    d->config.no_answer_ms = d->s->no_answer_s * 1000;
    d->config.max_call_ms = d->s->max_call_s * 1000;
    d->config.session_expires = d->s->session_expires_s;
    return mcx_msrv_new(&d->srv, &d->config, &rng) == MCX_OK ? EXIT_DONE
                                                             : md_complain(EXIT_ENVIRONMENT, "out of memory", "");
}

static bool is_proxy(void *arg, const char *source)
{
    const struct md_daemon *d = arg;

    return md_is_trusted(d->s, source);
}

static void on_refusal(void *arg, const char *reason)
{
    struct md_daemon *d = arg;

    mcx_tally_add(&d->tally, reason);
}

static int open_sockets(struct md_daemon *d)
{
    const struct md_settings *s = d->s;
    struct mcx_relay_config relay = { s->media_address, s->media_min, s->media_max, s->symmetric_rtp, s->capture };
    struct mcx_sip_config sip = { .agent = "mcx-mcpttd/" MCX_VERSION,
                                  .user = "mcptt",
                                  .num_listen = s->num_listen,
                                  .tls_cert = s->tls_cert,
                                  .tls_key = s->tls_key,
                                  .tls_ca = s->tls_ca,
                                  .on_invite = md_on_invite,
                                  .on_request = md_on_request,
                                  .limits = { s->peer_rate, s->total_rate, is_proxy },
                                  .on_refusal = on_refusal,
                                  .arg = d };
    struct mcx_refusal why = { "", "" };
    mcx_err err;

    memcpy(sip.listen, s->listen, sizeof sip.listen);
    if (s->tls_key != NULL && mcx_file_is_open_to_all(s->tls_key)) {
        return md_complain(EXIT_ENVIRONMENT, s->tls_key, "anybody can read the TLS key; chmod 600 (640 for a group)");
    }
    if (mcx_loop_open((int)s->max_fds) != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, "the event loop cannot watch so many sockets; see --max-fds", "");
    }
    d->loop = true;
    errno = 0;
    err = mcx_relay_new(&d->relay, &relay);
    if (err != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, err == MCX_E_IO ? s->capture : "--media",
                           err == MCX_E_IO ? strerror(errno) : "not a numeric address");
    }
    if (mcx_sip_new(&d->sip, &sip, &why) != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, "SIP", why.reason[0] != '\0' ? why.reason : strerror(errno));
    }
    return EXIT_DONE;
}

int md_open(struct md_daemon **out, const struct md_settings *s)
{
    struct md_daemon *d = calloc(1, sizeof *d);
    int rc;

    if (d == NULL) {
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    *out = d;
    d->s = s;
    rc = open_jwks(d);
    rc = rc == EXIT_DONE ? md_store_open(d) : rc;
    rc = rc == EXIT_DONE ? open_server(d) : rc;
    rc = rc == EXIT_DONE ? open_sockets(d) : rc;
    rc = rc == EXIT_DONE ? md_preest_open(&d->preest, d) : rc;
    rc = rc == EXIT_DONE ? md_groups_open(&d->groups, d) : rc;
    rc = rc == EXIT_DONE ? md_gms_open(&d->gms, d) : rc;
    return rc == EXIT_DONE ? md_gms_sub_open(&d->gms_sub, d) : rc;
}

void md_close(struct md_daemon *d)
{
    if (d == NULL) {
        return;
    }
    mcx_timer_clear(&d->deadline);
    mcx_timer_clear(&d->shutdown);
    md_store_unwatch(d);
    md_gms_sub_close(d->gms_sub);
    md_gms_close(d->gms);
    if (d->watching) {
        mcx_loop_unwatch(&d->signals);
        (void)close(d->signals.fd);
    }
    mcx_sip_free(d->sip);
    md_free_calls(d);
    md_free_deliveries(d);
    md_groups_close(d->groups);
    md_preest_close(d->preest);
    mcx_relay_free(d->relay);
    if (d->loop) {
        mcx_loop_close();
    }
    mcx_msrv_free(d->srv);
    mcx_keyring_free(d->ring);
    mcx_jwks_free(d->jwks);
    free(d);
}

/* ---- running ---- */

static json_t *ready_object(const struct md_daemon *d)
{
    static const char *const names[] = { "udp", "tcp", "tls" };
    json_t *o = json_pack("{s:i, s:s}", "pid", (int)getpid(), "host", d->s->host);

    for (size_t i = 0; o != NULL && i < 3; i++) {
        char addr[64];
        uint16_t port = 0;

        if (mcx_sip_local(d->sip, (enum mcx_sip_transport)i, addr, &port) == MCX_OK) {
            (void)json_object_set_new(o, names[i], json_integer(port));
            (void)json_object_set_new(o, "address", json_string(addr));
        }
    }
    return o;
}

static int tell_ready(const struct md_daemon *d)
{
    json_t *o = ready_object(d);
    char *text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
    int rc = EXIT_DONE;

    if (text == NULL) {
        json_decref(o);
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    if (d->s->ready_file != NULL && mcx_file_replace(d->s->ready_file, mcx_bytes_str(text), 0644) != MCX_OK) {
        rc = md_complain(EXIT_ENVIRONMENT, d->s->ready_file, strerror(errno));
    }
    free(text);
    md_journal(d->s, "ready", o);
    return rc;
}

static struct md_daemon *running; /* libre's signal handler has no argument */

static void time_is_up(void *arg)
{
    (void)arg;
    mcx_loop_stop();
}

/* Looked up anew each time: ending one leg may take its call off the list. */
static struct md_leg *next_leg(const struct md_daemon *d)
{
    for (struct md_call *c = d->calls; c != NULL; c = c->next) {
        for (size_t side = 0; side < 2; side++) {
            if (c->leg[side].sip != NULL && !c->leg[side].ended) {
                return &c->leg[side];
            }
        }
    }
    return NULL;
}

static void on_signal(int sig)
{
    struct md_daemon *d = running;

    (void)sig;
    md_preest_hang_up(d->preest);
    if (d->stopping || (d->calls == NULL && md_groups_idle(d->groups)) ||
        mcx_timer_start(&d->shutdown, GRACE_MS, time_is_up, d) != MCX_OK) {
        mcx_loop_stop();
        return;
    }
    d->stopping = true;
    md_journal(d->s, "stopping", NULL);
    for (struct md_leg *leg = next_leg(d); leg != NULL; leg = next_leg(d)) {
        leg->ended = true;
        mcx_sip_call_hangup(leg->sip, NULL);
    }
    (void)md_groups_hang_up(d->groups);
}

static void count_member(void *arg, const char *name, uint64_t count)
{
    (void)json_object_set_new(arg, name, json_integer((json_int_t)count));
}

/* {"event":"counters","counts":{...}} */
static void report(const struct md_daemon *d)
{
    json_t *counts = json_object();

    if (counts != NULL) {
        mcx_tally_each(&d->tally, count_member, counts);
        md_journal(d->s, "counters", json_pack("{s:o}", "counts", counts));
    }
}

static void on_signals(void *arg)
{
    struct md_daemon *d = arg;
    struct signalfd_siginfo info;

    while (read(d->signals.fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            md_store_renew(d);
            (void)md_groups_load(d->groups);
            md_gms_fetch(d->gms);
        } else {
            report(d);
        }
    }
}

static int watch_signals(struct md_daemon *d)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGHUP);
    d->signals = (struct mcx_watch){ -1, on_signals, d };
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0) {
        d->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    d->watching = d->signals.fd >= 0 && mcx_loop_watch(&d->signals) == MCX_OK;
    if (!d->watching && d->signals.fd >= 0) {
        (void)close(d->signals.fd);
    }
    return d->watching ? EXIT_DONE : md_complain(EXIT_ENVIRONMENT, "SIGUSR1 and SIGHUP", strerror(errno));
}

int md_run(struct md_daemon *d)
{
    int rc = watch_signals(d);

    rc = rc == EXIT_DONE ? tell_ready(d) : rc;
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (d->s->jwks == NULL) {
        (void)md_complain(rc, "no --jwks: whoever can connect may register as any user", "");
    }
    md_store_watch(d);
    running = d;
    rc = mcx_loop_run(on_signal) == MCX_OK ? EXIT_DONE : EXIT_ENVIRONMENT;
    running = NULL;
    report(d);
    md_journal(d->s, "stopped", NULL);
    return rc;
}
