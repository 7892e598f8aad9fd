/* web_tls.c - see web_tls.h: certificates, and what a session is held to. */
#include "roles/front/web/web_tls.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "roles/front/web/web_file.h"

struct web_tls {
    atomic_uint references;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    bool asks, needs, verifies;
    bool has_sans;
    char **sans;
    size_t sans_count;
};

static const struct {
    bool asks, needs, verifies;
} POLICIES[] = {
#define X(name, label, asks, needs, verifies) {asks, needs, verifies},
    CLIENT_AUTH_TABLE(X)
#undef X
};

static enum status refuse(struct problems *problems, const struct web_text *place, struct error *err,
                          const char *why, const char *detail)
{
    problems_add(problems, place->line ? place->line : 1, place->column ? place->column : 1, "%s%s", why,
                 detail);
    return error_set(err, STATUS_USAGE, "%s%s", why, detail);
}

/* The bytes of @file where given, else those inline. The place is of what was taken. */
static enum status take_pem(const struct web_text *file, const struct web_text *inline_text,
                            struct buffer *ret, struct problems *problems, struct error *err)
{
    if (!file->text) {
        buffer_text(ret, inline_text->text);
        return buffer_status(ret, err);
    }
    enum status status = web_file_read(file->text, ret, err);
    return status == STATUS_OK ? status : refuse(problems, file, err, err->message, "");
}

static gnutls_datum_t datum(struct buffer *buffer)
{
    return (gnutls_datum_t){(unsigned char *)buffer->data, (unsigned)buffer->length};
}

static enum status load_pair(struct web_tls *tls, const struct web_config *config, struct problems *problems,
                             struct error *err)
{
    scoped(web_file_wipe) struct buffer cert = {0};
    scoped(web_file_wipe) struct buffer key = {0};
    const struct web_text *cert_place = config->cert_file.text ? &config->cert_file : &config->cert;
    if (!config->cert_file.text && !config->cert.text)
        return refuse(problems, &config->client_auth_type, err,
                      "tls_server_config: cert or cert_file is missing", "");
    if (!config->key_file.text && !config->key.text)
        return refuse(problems, cert_place, err, "tls_server_config: key or key_file is missing", "");
    enum status status = take_pem(&config->cert_file, &config->cert, &cert, problems, err);
    if (status == STATUS_OK)
        status = take_pem(&config->key_file, &config->key, &key, problems, err);
    if (status != STATUS_OK)
        return status;
    gnutls_datum_t cert_datum = datum(&cert), key_datum = datum(&key);
    int code =
        gnutls_certificate_set_x509_key_mem(tls->credentials, &cert_datum, &key_datum, GNUTLS_X509_FMT_PEM);
    return code >= 0
               ? STATUS_OK
               : refuse(problems, cert_place, err, "the certificate and its key: ", gnutls_strerror(code));
}

/* Without authorities a certificate is verified against the system's, as Go does. */
static enum status load_authorities(struct web_tls *tls, const struct web_config *config,
                                    struct problems *problems, struct error *err)
{
    const struct web_text *place = config->client_ca_file.text ? &config->client_ca_file : &config->client_ca;
    scoped_buffer struct buffer pem = {0};
    if (!place->text) {
        if (tls->verifies)
            gnutls_certificate_set_x509_system_trust(tls->credentials);
        return STATUS_OK;
    }
    if (!tls->asks)
        return refuse(
            problems, place, err,
            "client_ca has no effect with client_auth_type NoClientCert: set RequireAndVerifyClientCert", "");
    enum status status = take_pem(&config->client_ca_file, &config->client_ca, &pem, problems, err);
    if (status != STATUS_OK)
        return status;
    gnutls_datum_t data = datum(&pem);
    int code = gnutls_certificate_set_x509_trust_mem(tls->credentials, &data, GNUTLS_X509_FMT_PEM);
    return code > 0 ? STATUS_OK
                    : refuse(problems, place, err,
                             "client_ca: ", code ? gnutls_strerror(code) : "no certificate in it");
}

static enum status copy_sans(struct web_tls *tls, const struct web_text_list *list, struct error *err)
{
    tls->has_sans = list->is_given;
    tls->sans = calloc(list->count + 1, sizeof *tls->sans);
    for (size_t i = 0; tls->sans && i < list->count; i++) {
        tls->sans[i] = strdup(list->items[i].text ? list->items[i].text : "");
        if (!tls->sans[i])
            return error_set(err, STATUS_NO_MEMORY, "no memory for client_allowed_sans");
        tls->sans_count++;
    }
    return tls->sans ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for client_allowed_sans");
}

static enum status fill(struct web_tls *tls, const struct web_config *config, struct problems *problems,
                        struct error *err)
{
    scoped_buffer struct buffer priority = {0};
    tls->asks = POLICIES[config->client_auth].asks;
    tls->needs = POLICIES[config->client_auth].needs;
    tls->verifies = POLICIES[config->client_auth].verifies;
    enum status status = web_tls_priority(config, &priority, problems, err);
    if (status == STATUS_OK)
        status = load_pair(tls, config, problems, err);
    if (status == STATUS_OK)
        status = load_authorities(tls, config, problems, err);
    if (status == STATUS_OK)
        status = copy_sans(tls, &config->client_allowed_sans, err);
    if (status != STATUS_OK)
        return status;
    int code = gnutls_priority_init(&tls->priority, buffer_string(&priority), NULL);
    return code == GNUTLS_E_SUCCESS
               ? STATUS_OK
               : refuse(problems,
                        config->cipher_suites.count ? &config->cipher_suites.items[0]
                                                    : &config->max_version_place,
                        err, "GnuTLS cannot do these versions and suites: ", gnutls_strerror(code));
}

enum status web_tls_new(const struct web_config *config, struct web_tls **ret, struct problems *problems,
                        struct error *err)
{
    struct web_tls *tls = calloc(1, sizeof *tls);
    if (!tls || gnutls_certificate_allocate_credentials(&tls->credentials) != GNUTLS_E_SUCCESS) {
        free(tls);
        return error_set(err, STATUS_NO_MEMORY, "no memory for TLS");
    }
    atomic_init(&tls->references, 1);
    enum status status = fill(tls, config, problems, err);
    if (status == STATUS_OK)
        *ret = tls;
    else
        web_tls_unref(tls);
    return status;
}

struct web_tls *web_tls_ref(struct web_tls *tls)
{
    if (tls)
        atomic_fetch_add(&tls->references, 1);
    return tls;
}

void web_tls_unref(struct web_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->references, 1) != 1)
        return;
    gnutls_certificate_free_credentials(tls->credentials);
    if (tls->priority)
        gnutls_priority_deinit(tls->priority);
    for (size_t i = 0; i < tls->sans_count; i++)
        free(tls->sans[i]);
    free(tls->sans);
    free(tls);
}

/* One subject alternative name as Go writes it, into @text; false: of another kind. */
static bool san_text(unsigned type, const unsigned char *data, size_t size, char *text, size_t text_size)
{
    if (type == GNUTLS_SAN_IPADDRESS) {
        static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
        bool is_mapped = size == 16 && memcmp(data, mapped, sizeof mapped) == 0;
        if (size != 4 && size != 16)
            return false;
        return inet_ntop(size == 4 || is_mapped ? AF_INET : AF_INET6, is_mapped ? data + 12 : data, text,
                         (socklen_t)text_size) != NULL;
    }
    if ((type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_RFC822NAME && type != GNUTLS_SAN_URI) ||
        size >= text_size || memchr(data, '\0', size))
        return false;
    memcpy(text, data, size);
    text[size] = '\0';
    return true;
}

static bool has_allowed_san(const struct web_tls *tls, const gnutls_datum_t *der)
{
    gnutls_x509_crt_t certificate;
    bool found = false;
    if (gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS)
        return false;
    int code = gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER);
    for (unsigned at = 0; code >= 0 && !found; at++) {
        unsigned char data[1024];
        char text[1024];
        size_t size = sizeof data;
        unsigned type = 0;
        code = gnutls_x509_crt_get_subject_alt_name2(certificate, at, data, &size, &type, NULL);
        if (code == GNUTLS_E_SHORT_MEMORY_BUFFER)
            code = 0; /* longer than any that could be meant */
        else if (code >= 0 && san_text(type, data, size, text, sizeof text))
            for (size_t i = 0; i < tls->sans_count; i++)
                found |= strcmp(tls->sans[i], text) == 0;
    }
    gnutls_x509_crt_deinit(certificate);
    return found;
}

/* Called in the handshake once the client had its chance to send a certificate; not 0 ends it. */
static int verify(gnutls_session_t session)
{
    const struct web_tls *tls = gnutls_db_get_ptr(session);
    unsigned count = 0, result = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (!chain || count == 0)
        return tls->needs || tls->has_sans ? GNUTLS_E_CERTIFICATE_ERROR : 0;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    if (tls->verifies && (gnutls_certificate_verify_peers(session, &purpose, 1, &result) < 0 || result != 0))
        return GNUTLS_E_CERTIFICATE_ERROR;
    return tls->has_sans && !has_allowed_san(tls, &chain[0]) ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

bool web_tls_apply(struct web_tls *tls, void *session)
{
    gnutls_session_t s = session;
    if (gnutls_priority_set(s, tls->priority) != GNUTLS_E_SUCCESS ||
        gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, tls->credentials) != GNUTLS_E_SUCCESS)
        return false;
    bool needs = tls->needs || (tls->asks && tls->has_sans);
    gnutls_certificate_server_set_request(s, needs       ? GNUTLS_CERT_REQUIRE
                                             : tls->asks ? GNUTLS_CERT_REQUEST
                                                         : GNUTLS_CERT_IGNORE);
    /* libmicrohttpd has the session's own pointer; that of the session cache is free, as there is none */
    gnutls_db_set_ptr(s, tls);
    if (tls->asks)
        gnutls_session_set_verify_function(s, verify);
    return true;
}

static int no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int authorities_count,
                          const gnutls_pk_algorithm_t *algorithms, int algorithms_count,
                          gnutls_pcert_st **pcert, unsigned int *pcert_length, gnutls_privkey_t *privkey)
{
    (void)session, (void)authorities, (void)authorities_count, (void)algorithms, (void)algorithms_count;
    (void)pcert, (void)pcert_length, (void)privkey;
    return -1;
}

void (*web_tls_no_certificate(void))(void)
{
    return (void (*)(void))no_certificate;
}

bool web_tls_is_verified(const struct web_tls *tls, void *session)
{
    unsigned count = 0;
    return tls->verifies && gnutls_certificate_get_peers(session, &count) && count > 0;
}
