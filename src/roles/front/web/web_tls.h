/*
 * web_tls.h - the TLS side of a web configuration, ready for sessions; the only user of GnuTLS with logins.c.
 *
 * Go's names of suites and curves are mapped to GnuTLS' priorities (web_tls_priority.c).
 */
#ifndef ROLES_FRONT_WEB_WEB_TLS_H
#define ROLES_FRONT_WEB_WEB_TLS_H

#include "roles/front/web/web_config.h"

/** Immutable once made; shared by the sessions that began with it. */
struct web_tls;

/**
 * Load certificate, key and authorities of @config. STATUS_USAGE: something is missing, cannot be read or
 * does not fit; @problems says what and where. Release it by web_tls_unref().
 */
enum status web_tls_new(const struct web_config *config, struct web_tls **ret, struct problems *problems,
                        struct error *err) must_check;
struct web_tls *web_tls_ref(struct web_tls *tls);
/** NULL is allowed. */
void web_tls_unref(struct web_tls *tls);

/**
 * Make a new server session (a gnutls_session_t before its handshake) one of @tls, which must outlive it: its
 * certificate, versions, suites, and what is asked of the client. False: GnuTLS refuses.
 */
bool web_tls_apply(struct web_tls *tls, void *session);
/** What libmicrohttpd is given as MHD_OPTION_HTTPS_CERT_CALLBACK, so that it starts without a certificate; it
 * offers none. */
void (*web_tls_no_certificate(void))(void);
/** Whether the client of @session gave a certificate that was verified against the authorities. */
bool web_tls_is_verified(const struct web_tls *tls, void *session);

/**
 * The GnuTLS priority string of @config. STATUS_USAGE: a name is unknown or cannot be had; @problems says
 * which.
 */
enum status web_tls_priority(const struct web_config *config, struct buffer *ret, struct problems *problems,
                             struct error *err) must_check;

#endif
