/* web_tls_priority.c - names of Go's crypto/tls as a GnuTLS priority string. */
#include <string.h>

#include "base/cleanup.h"
#include "roles/front/web/web_tls.h"

struct suite {
    const char *name;
    const char *cipher, *mac, *exchange; /* GnuTLS' names; @exchange NULL: of TLS 1.3 */
};

static const struct suite SUITES[] = {
    {"TLS_AES_128_GCM_SHA256", "AES-128-GCM", "AEAD", NULL},
    {"TLS_AES_256_GCM_SHA384", "AES-256-GCM", "AEAD", NULL},
    {"TLS_CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305", "AEAD", NULL},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "AES-128-CBC", "SHA1", "ECDHE-ECDSA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "AES-256-CBC", "SHA1", "ECDHE-ECDSA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "AES-128-CBC", "SHA1", "ECDHE-RSA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "AES-256-CBC", "SHA1", "ECDHE-RSA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "AES-128-GCM", "AEAD", "ECDHE-ECDSA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "AES-256-GCM", "AEAD", "ECDHE-ECDSA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "AES-128-GCM", "AEAD", "ECDHE-RSA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "AES-256-GCM", "AEAD", "ECDHE-RSA"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305", "AEAD", "ECDHE-ECDSA"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305", "AEAD", "ECDHE-RSA"},
};
static const struct {
    const char *name, *group;
} CURVES[] = {
    {"CurveP256", "SECP256R1"}, {"CurveP384", "SECP384R1"}, {"CurveP521", "SECP521R1"}, {"X25519", "X25519"}};

static const struct suite *find_suite(const char *name)
{
    for (size_t i = 0; i < sizeof SUITES / sizeof *SUITES; i++)
        if (strcmp(SUITES[i].name, name) == 0)
            return &SUITES[i];
    return NULL;
}

static void check_suites(const struct web_text_list *list, struct problems *problems)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct web_text *item = &list->items[i];
        const char *name = item->text ? item->text : "";
        struct problems_shown shown = problems_show(name, strlen(name));
        if (strncmp(name, "TLS_RSA_", 8) == 0)
            problems_add(
                problems, item->line, item->column,
                "cipher suite \"%s\": key exchange by RSA alone is not supported, as it has no forward "
                "secrecy; take one of TLS_ECDHE_…",
                shown.text);
        else if (!find_suite(name))
            problems_add(problems, item->line, item->column, "unknown cipher suite \"%s\"", shown.text);
    }
}

/* Append "+PREFIXNAME" once. */
static void add(struct buffer *ret, const char *prefix, const char *name)
{
    struct buffer token scoped_buffer = {0};
    struct buffer done scoped_buffer = {0};
    buffer_printf(&token, ":+%s%s:", prefix, name);
    buffer_printf(&done, "%s:", buffer_string(ret));
    if (!strstr(buffer_string(&done), buffer_string(&token)))
        buffer_printf(ret, ":+%s%s", prefix, name);
}

/*
 * GnuTLS names ciphers, codes and key exchanges, not whole suites. With one key exchange, which the kind of
 * the certificate decides, each product of them that exists is a suite of the list. TLS 1.3 shares the
 * ciphers.
 */
static bool add_suites(const struct web_config *config, struct buffer *ret)
{
    bool has_aead = false;
    for (size_t i = 0; i < config->cipher_suites.count; i++) {
        const struct suite *suite = find_suite(config->cipher_suites.items[i].text);
        add(ret, "", suite->cipher);
        add(ret, "", suite->mac);
        has_aead |= strcmp(suite->mac, "AEAD") == 0;
        if (suite->exchange)
            add(ret, "", suite->exchange);
    }
    return has_aead;
}

static void add_curves(const struct web_config *config, struct buffer *ret, struct problems *problems)
{
    const struct web_text_list *list = &config->curve_preferences;
    buffer_text(ret, list->count ? ":-GROUP-ALL" : "");
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i].text ? list->items[i].text : "";
        size_t at = 0;
        while (at < sizeof CURVES / sizeof *CURVES && strcmp(CURVES[at].name, name) != 0)
            at++;
        if (at < sizeof CURVES / sizeof *CURVES)
            add(ret, "GROUP-", CURVES[at].group);
        else
            problems_add(problems, list->items[i].line, list->items[i].column,
                         "unknown curve \"%s\"; there are CurveP256, CurveP384, CurveP521 and X25519",
                         problems_show(name, strlen(name)).text);
    }
}

static void add_versions(const struct web_config *config, bool has_13, struct buffer *ret)
{
    static const char *const NAMES[] = {"VERS-TLS1.0", "VERS-TLS1.1", "VERS-TLS1.2", "VERS-TLS1.3"};
    buffer_text(ret, ":-VERS-ALL");
    for (int version = TLS_VERSION_13; version >= TLS_VERSION_10; version--)
        if (version >= (int)config->min_version && version <= (int)config->max_version &&
            (has_13 || version != TLS_VERSION_13))
            add(ret, "", NAMES[version]);
}

enum status web_tls_priority(const struct web_config *config, struct buffer *ret, struct problems *problems,
                             struct error *err)
{
    size_t before = problems->found;
    bool has_13 = true;
    check_suites(&config->cipher_suites, problems);
    if (config->min_version > config->max_version)
        problems_add(problems, config->max_version_place.line ? config->max_version_place.line : 1,
                     config->max_version_place.line ? config->max_version_place.column : 1,
                     "max_version is below min_version: no client could connect");
    buffer_text(ret, "NORMAL:-RSA");
    /* the list is of TLS 1.2 and below: alone, TLS 1.3 takes its own */
    if (problems->found == before && config->cipher_suites.count && config->min_version < TLS_VERSION_13) {
        buffer_clear(ret);
        buffer_text(ret, "NONE:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:+CTYPE-ALL");
        has_13 = add_suites(config, ret);
    }
    add_versions(config, has_13, ret);
    add_curves(config, ret, problems);
    buffer_text(ret, config->prefer_server_cipher_suites ? ":%SERVER_PRECEDENCE" : "");
    if (problems->found > before)
        return error_set(err, STATUS_USAGE, "the TLS parameters are wrong");
    return buffer_status(ret, err);
}
