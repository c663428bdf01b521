/* SPDX-License-Identifier: Apache-2.0 */
/* TLS for SIP. libre verifies no server unless told to; here a connection that we open is verified or fails. */
#define _GNU_SOURCE
#include "io/sip_priv.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* One context serves both directions: whom we connect to must show a certificate, who connects to us need not. */
static void by_direction(const SSL *ssl, int where, int ret)
{
    (void)ret;
    if ((where & SSL_CB_HANDSHAKE_START) != 0 && SSL_is_server(ssl)) {
        SSL_set_verify((SSL *)(uintptr_t)ssl, SSL_VERIFY_NONE, NULL);
    }
}

static int set_name(SSL_CTX *ctx, const struct mcx_sip_config *config)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    char host[256];
    struct uri uri;
    struct pl pl;

    if (config->tls_server_name != NULL) {
        if (str_len(config->tls_server_name) >= sizeof host) {
            return 0;
        }
        str_ncpy(host, config->tls_server_name, sizeof host);
    } else if (config->outbound != NULL) {
        pl_set_str(&pl, config->outbound);
        if (uri_decode(&uri, &pl) != 0 || pl_strcpy(&uri.host, host, sizeof host) != 0) {
            return 0;
        }
    } else {
        return 1; /* a server: connections that it opens are held to the CA alone */
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1) {
        return 1;
    }
    ERR_clear_error();
    return X509_VERIFY_PARAM_set1_host(param, host, 0);
}

mcx_err sip_tls_new(struct tls **out, const struct mcx_sip_config *config, struct mcx_refusal *why)
{
    struct tls *tls = NULL;
    SSL_CTX *ctx;

    if (tls_alloc(&tls, TLS_METHOD_SSLV23, NULL, NULL) != 0) {
        return MCX_E_NOMEM;
    }
    ctx = tls_openssl_context(tls);
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_info_callback(ctx, by_direction);
    if (config->tls_cert != NULL &&
        (SSL_CTX_use_certificate_chain_file(ctx, config->tls_cert) != 1 || config->tls_key == NULL ||
         SSL_CTX_use_PrivateKey_file(ctx, config->tls_key, SSL_FILETYPE_PEM) != 1 ||
         SSL_CTX_check_private_key(ctx) != 1)) {
        mem_deref(tls);
        return mcx_refuse(why, MCX_E_FORMAT, "TLS certificate or key cannot be used: need two matching PEM files", "");
    }
    if (config->tls_ca != NULL && SSL_CTX_load_verify_file(ctx, config->tls_ca) != 1) {
        mem_deref(tls);
        return mcx_refuse(why, MCX_E_FORMAT, "CA file holds no usable PEM certificate", "");
    }
    if (set_name(ctx, config) != 1) {
        mem_deref(tls);
        return mcx_refuse(why, MCX_E_FORMAT, "name of the TLS server cannot be used", "");
    }
    *out = tls;
    return MCX_OK;
}
