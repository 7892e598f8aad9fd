/*
 * web_config.h - the web configuration of Prometheus' exporter-toolkit (docs/web-configuration.md there), as
 * data.
 *
 * Each value keeps its place in the file, so that what only shows later (a certificate that cannot be read)
 * is reported there too.
 */
#ifndef ROLES_FRONT_WEB_WEB_CONFIG_H
#define ROLES_FRONT_WEB_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/problems.h"

/* crypto/tls ClientAuthType by its names there: whether a certificate is asked for, needed, verified. */
#define CLIENT_AUTH_TABLE(X)                                      \
    X(NONE, "NoClientCert", false, false, false)                  \
    X(REQUEST, "RequestClientCert", true, false, false)           \
    X(REQUIRE_OLD, "RequireClientCert", true, true, false)        \
    X(REQUIRE_ANY, "RequireAnyClientCert", true, true, false)     \
    X(VERIFY_GIVEN, "VerifyClientCertIfGiven", true, false, true) \
    X(VERIFY, "RequireAndVerifyClientCert", true, true, true)

enum client_auth {
#define X(name, label, asks, needs, verifies) CLIENT_AUTH_##name,
    CLIENT_AUTH_TABLE(X)
#undef X
        CLIENT_AUTH_COUNT
};

/* The headers that may be set: name, values that are allowed (NULL: any). */
#define WEB_HEADER_TABLE(X)                                            \
    X(HSTS, "Strict-Transport-Security", NULL, NULL)                   \
    X(CONTENT_TYPE_OPTIONS, "X-Content-Type-Options", "nosniff", NULL) \
    X(FRAME_OPTIONS, "X-Frame-Options", "deny", "sameorigin")          \
    X(XSS_PROTECTION, "X-XSS-Protection", NULL, NULL)                  \
    X(CONTENT_SECURITY_POLICY, "Content-Security-Policy", NULL, NULL)

enum web_header {
#define X(name, label, first, second) WEB_HEADER_##name,
    WEB_HEADER_TABLE(X)
#undef X
        WEB_HEADER_COUNT
};

enum tls_version { TLS_VERSION_10, TLS_VERSION_11, TLS_VERSION_12, TLS_VERSION_13, TLS_VERSION_COUNT };

/** A text of the file and its place; @text NULL: not given. */
struct web_text {
    char *text;
    unsigned line, column;
};

struct web_text_list { /* is_given also where it is empty */
    struct web_text *items;
    size_t count;
    bool is_given;
};

/** A user of basic authentication; @hash is bcrypt's. */
struct web_user {
    char *name;
    char *hash;
};

struct web_config {
    struct web_text cert, key, client_ca;                /* PEM, inline */
    struct web_text cert_file, key_file, client_ca_file; /* absolute where the web configuration's path is */
    struct web_text client_auth_type;
    enum client_auth client_auth;
    struct web_text_list client_allowed_sans;
    enum tls_version min_version, max_version;
    struct web_text max_version_place;
    struct web_text_list cipher_suites, curve_preferences; /* crypto/tls' names, not checked here */
    bool prefer_server_cipher_suites;
    bool http2;
    bool is_http2_given;
    struct web_text headers[WEB_HEADER_COUNT];
    struct web_user *users;
    size_t users_count;
    uint64_t rate_interval_ns; /* 0: no limit */
    uint64_t rate_burst;
};

/** Whether the file turns TLS on: any of its keys but the lists and versions is set. */
bool web_config_has_tls(const struct web_config *config);

/**
 * Parse @length bytes of @file's @text. Relative file names are put behind @file's directory. STATUS_USAGE:
 * @problems says what is wrong (also of a syntax). *@ret is to be ended by web_config_deinit() in any case.
 */
enum status web_config_parse(const char *file, const char *text, size_t length, struct web_config *ret,
                             struct problems *problems, struct error *err) must_check;
/** Frees and wipes it. */
void web_config_deinit(struct web_config *config);

/** Whether @hash is a bcrypt hash: $2a$, $2b$, $2x$ or $2y$, a cost of 04 to 31, 53 characters. */
bool web_config_is_bcrypt(const char *hash);

#endif
