/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/group_follow.h>

#include <stdlib.h>
#include <string.h>

struct followed {
    char uri[MCX_GROUP_URI_MAX];
    char etag[MCX_GFOLLOW_ETAG_MAX];
    bool held;
    bool due;   /* to be fetched */
    bool asked; /* fetched in the present round */
};

struct mcx_gfollow {
    struct followed *groups;
    size_t num;
    uint32_t poll_ms, first_retry_ms, max_retry_ms;
    uint32_t num_failures; /* one after the other */
    bool running;
    uint64_t next_poll_ms, retry_ms;
};

/* ---- life ---- */

static struct followed *find(const struct mcx_gfollow *f, const char *uri)
{
    for (size_t i = 0; i < f->num; i++) {
        if (strcmp(f->groups[i].uri, uri) == 0) {
            return &f->groups[i];
        }
    }
    return NULL;
}

static mcx_err add_group(struct mcx_gfollow *f, const char *uri)
{
    struct followed *g = &f->groups[f->num];

    if (uri[0] == '\0' || find(f, uri) != NULL || mcx_bytes_cstr(g->uri, sizeof g->uri, mcx_bytes_str(uri)) != MCX_OK) {
        return MCX_E_ARG;
    }
    g->due = true;
    f->num++;
    return MCX_OK;
}

mcx_err mcx_gfollow_new(struct mcx_gfollow **out, const struct mcx_gfollow_config *config)
{
    struct mcx_gfollow *f = NULL;
    mcx_err err = MCX_E_NOMEM;

    if (config->num_groups == 0 || config->num_groups > MCX_GFOLLOW_GROUPS_MAX || config->first_retry_ms == 0) {
        return MCX_E_ARG;
    }
    f = calloc(1, sizeof *f);
    if (f == NULL || (f->groups = calloc(config->num_groups, sizeof *f->groups)) == NULL) {
        goto out;
    }
    f->poll_ms = config->poll_ms;
    f->first_retry_ms = config->first_retry_ms;
    f->max_retry_ms = config->max_retry_ms;
    f->next_poll_ms = UINT64_MAX;
    for (size_t i = 0; i < config->num_groups; i++) {
        MCX_GO(err, add_group(f, config->groups[i]));
    }
    *out = f;
    return MCX_OK;
out:
    mcx_gfollow_free(f);
    return err;
}

void mcx_gfollow_free(struct mcx_gfollow *f)
{
    if (f != NULL) {
        free(f->groups);
        free(f);
    }
}

const char *mcx_gfollow_group(const struct mcx_gfollow *f, size_t i)
{
    return f->groups[i].uri;
}

const char *mcx_gfollow_etag(const struct mcx_gfollow *f, size_t i)
{
    return f->groups[i].etag;
}

/* ---- rounds ---- */

static void ask_all(struct mcx_gfollow *f)
{
    for (size_t i = 0; i < f->num; i++) {
        f->groups[i].due = true;
    }
}

static size_t num_due(const struct mcx_gfollow *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->num; i++) {
        n += f->groups[i].due ? 1 : 0;
    }
    return n;
}

void mcx_gfollow_ask(struct mcx_gfollow *f)
{
    ask_all(f);
    f->num_failures = 0;
}

struct notice {
    struct mcx_gfollow *f;
    size_t num;
};

static mcx_err take_change(void *arg, const struct mcx_xcap_change *change)
{
    struct notice *n = arg;
    char auid[sizeof MCX_AUID_GROUP];
    char uri[MCX_GROUP_URI_MAX];
    struct followed *g = NULL;

    if (mcx_xcap_path_read(auid, sizeof auid, uri, sizeof uri, mcx_bytes_str(change->sel)) == MCX_OK &&
        strcmp(auid, MCX_AUID_GROUP) == 0) {
        g = find(n->f, uri);
    }
    if (g != NULL && (change->new_etag[0] == '\0' ? g->held : strcmp(change->new_etag, g->etag) != 0)) {
        g->due = true;
        n->num++;
    }
    return MCX_OK;
}

mcx_err mcx_gfollow_notified(struct mcx_gfollow *f, size_t *num, struct mcx_bytes xml, struct mcx_refusal *why)
{
    struct notice n = { f, 0 };
    char root[MCX_GFOLLOW_ROOT_MAX];

    *num = 0;
    MCX_TRY(mcx_xcap_diff_read(root, sizeof root, xml, take_change, &n, why));
    *num = n.num;
    return MCX_OK;
}

uint64_t mcx_gfollow_deadline(const struct mcx_gfollow *f)
{
    if (f->running) {
        return UINT64_MAX;
    }
    if (f->num_failures > 0) {
        return f->retry_ms;
    }
    return num_due(f) > 0 ? 0 : f->next_poll_ms;
}

size_t mcx_gfollow_begin(struct mcx_gfollow *f, uint16_t due[MCX_GFOLLOW_GROUPS_MAX], uint64_t now_ms)
{
    size_t n = 0;

    if (mcx_gfollow_deadline(f) > now_ms) {
        return 0;
    }
    if (f->next_poll_ms <= now_ms) {
        ask_all(f);
    }
    for (size_t i = 0; i < f->num; i++) {
        if (f->groups[i].due) {
            f->groups[i].due = false; /* who asks from now on makes it due again */
            f->groups[i].asked = true;
            due[n++] = (uint16_t)i;
        }
    }
    f->running = n > 0;
    return n;
}

uint64_t mcx_gfollow_end(struct mcx_gfollow *f, bool failed, uint64_t now_ms)
{
    uint64_t wait = f->first_retry_ms;

    f->running = false;
    for (size_t i = 0; i < f->num; i++) {
        f->groups[i].due = f->groups[i].due || f->groups[i].asked;
        f->groups[i].asked = false;
    }
    f->next_poll_ms = f->poll_ms != 0 ? now_ms + f->poll_ms : UINT64_MAX;
    if (!failed) {
        f->num_failures = 0;
        return 0;
    }
    for (uint32_t i = 0; i < f->num_failures && wait < f->max_retry_ms; i++) {
        wait *= 2;
    }
    wait = wait > f->max_retry_ms ? f->max_retry_ms : wait;
    f->num_failures++;
    f->retry_ms = now_ms + wait;
    return wait;
}

/* ---- answers ---- */

static enum mcx_gfollow_verdict refuse(struct mcx_refusal *why, const char *reason, const char *clause)
{
    *why = (struct mcx_refusal){ reason, clause };
    return MCX_GFOLLOW_REFUSED;
}

static enum mcx_gfollow_verdict judge(const struct followed *g, int status, const char *etag, struct mcx_refusal *why)
{
    bool same = g->held && g->etag[0] != '\0' && strcmp(g->etag, etag) == 0;

    switch (status) {
    case 200: return same ? MCX_GFOLLOW_SAME : MCX_GFOLLOW_TAKE;
    case 304:
        return g->held && g->etag[0] != '\0' ? MCX_GFOLLOW_SAME
                                             : refuse(why, "not modified, but no document is held", "RFC 9110 15.4.5");
    case 403: return refuse(why, "this server may not read the document", "TS 24.481 6.3.3");
    case 404: return g->held ? MCX_GFOLLOW_GONE : refuse(why, "there is no such group", "TS 24.481 6.3.3");
    case MCX_GFOLLOW_TOO_LONG: return refuse(why, "the answer is larger than a group document may be", "");
    case 401: (void)refuse(why, "the access token does not serve", "TS 33.180 B.4"); return MCX_GFOLLOW_AGAIN;
    default: (void)refuse(why, "no answer that can be used", ""); return MCX_GFOLLOW_AGAIN;
    }
}

enum mcx_gfollow_verdict mcx_gfollow_answer(struct mcx_gfollow *f, size_t i, int status, const char *etag,
                                            struct mcx_refusal *why)
{
    struct followed *g = i < f->num ? &f->groups[i] : NULL;
    enum mcx_gfollow_verdict verdict;

    *why = (struct mcx_refusal){ "", "" };
    if (g == NULL || !g->asked) {
        return refuse(why, "an answer that nobody has asked for", "");
    }
    verdict = judge(g, status, etag, why);
    g->asked = verdict == MCX_GFOLLOW_AGAIN;
    if (verdict == MCX_GFOLLOW_GONE) {
        g->held = false;
        g->etag[0] = '\0';
    }
    return verdict;
}

void mcx_gfollow_taken(struct mcx_gfollow *f, size_t i, const char *etag)
{
    struct followed *g = &f->groups[i];

    g->held = true;
    if (mcx_bytes_cstr(g->etag, sizeof g->etag, mcx_bytes_str(etag)) != MCX_OK) {
        g->etag[0] = '\0'; /* fetched whole the next time */
    }
}
