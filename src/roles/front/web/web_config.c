/* web_config.c - see web_config.h: the sections of the file and their keys. */
#include "roles/front/web/web_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/values.h"
#include "config/yaml_tree.h"
#include "roles/front/web/web_values.h"

static void set_cert(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_text(reader, value, "cert", &reader->config->cert);
}
static void set_key(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_text(reader, value, "key", &reader->config->key);
}
static void set_client_ca(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_text(reader, value, "client_ca", &reader->config->client_ca);
}
static void set_cert_file(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_path(reader, value, "cert_file", &reader->config->cert_file);
}
static void set_key_file(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_path(reader, value, "key_file", &reader->config->key_file);
}
static void set_client_ca_file(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_path(reader, value, "client_ca_file", &reader->config->client_ca_file);
}

static void set_client_auth(struct web_reader *reader, const struct yaml_node *value)
{
    static const char *const NAMES[] = {
#define X(name, label, asks, needs, verifies) label,
        CLIENT_AUTH_TABLE(X)
#undef X
    };
    web_read_text(reader, value, "client_auth_type", &reader->config->client_auth_type);
    const char *text = reader->config->client_auth_type.text;
    int found = !text ? CLIENT_AUTH_NONE : web_find_name(NAMES, CLIENT_AUTH_COUNT, text);
    if (found < 0)
        web_problem(
            reader, value,
            "client_auth_type: \"%s\" is none of NoClientCert, RequestClientCert, RequireAnyClientCert, "
            "VerifyClientCertIfGiven and RequireAndVerifyClientCert",
            problems_show(text, strlen(text)).text);
    else
        reader->config->client_auth = (enum client_auth)found;
}

static void set_sans(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_list(reader, value, "client_allowed_sans", &reader->config->client_allowed_sans);
}

static void set_version(struct web_reader *reader, const struct yaml_node *value, const char *key,
                        enum tls_version *ret)
{
    static const char *const NAMES[] = {"TLS10", "TLS11", "TLS12", "TLS13"};
    scoped_web_text struct web_text text = {0};
    web_read_text(reader, value, key, &text);
    int found = text.text ? web_find_name(NAMES, TLS_VERSION_COUNT, text.text) : (int)*ret;
    if (found < 0)
        web_problem(reader, value, "%s: unknown TLS version \"%s\"; there are TLS10, TLS11, TLS12 and TLS13",
                    key, problems_show(text.text, strlen(text.text)).text);
    else
        *ret = (enum tls_version)found;
}
static void set_min_version(struct web_reader *reader, const struct yaml_node *value)
{
    set_version(reader, value, "min_version", &reader->config->min_version);
}
static void set_max_version(struct web_reader *reader, const struct yaml_node *value)
{
    set_version(reader, value, "max_version", &reader->config->max_version);
    reader->config->max_version_place = (struct web_text){.line = value->line, .column = value->column};
}
static void set_ciphers(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_list(reader, value, "cipher_suites", &reader->config->cipher_suites);
}
static void set_curves(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_list(reader, value, "curve_preferences", &reader->config->curve_preferences);
}
static void set_prefer_server(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_bool(reader, value, "prefer_server_cipher_suites", &reader->config->prefer_server_cipher_suites);
}
static void set_http2(struct web_reader *reader, const struct yaml_node *value)
{
    reader->config->is_http2_given = true;
    web_read_bool(reader, value, "http2", &reader->config->http2);
}

static void set_header(struct web_reader *reader, const struct yaml_node *key, const struct yaml_node *value)
{
    static const struct {
        const char *name;
        const char *allowed[2];
    } HEADERS[] = {
#define X(name, label, first, second) {label, {first, second}},
        WEB_HEADER_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < WEB_HEADER_COUNT; i++) {
        struct web_text *header = &reader->config->headers[i];
        const char *const *allowed = HEADERS[i].allowed;
        if (strcmp(HEADERS[i].name, key->text) != 0)
            continue;
        web_read_text(reader, value, key->text, header);
        const char *text = header->text ? header->text : "";
        if (allowed[0] && strcmp(text, allowed[0]) != 0 && (!allowed[1] || strcmp(text, allowed[1]) != 0))
            web_problem(reader, value, "%s must be %s%s%s", key->text, allowed[0], allowed[1] ? " or " : "",
                        allowed[1] ? allowed[1] : "");
        for (const char *at = text; *at; at++)
            if ((unsigned char)*at < 0x20 || *at == 0x7f)
                return web_problem(reader, value, "%s: control characters are not allowed", key->text);
        return;
    }
    web_problem(reader, key,
                "header \"%s\" cannot be set; there are Strict-Transport-Security, X-Content-Type-Options, "
                "X-Frame-Options, X-XSS-Protection and Content-Security-Policy",
                problems_show(key->text, key->length).text);
}

static void set_headers(struct web_reader *reader, const struct yaml_node *value)
{
    if (yaml_node_is_null(value) || !web_is_map(reader, value, "headers"))
        return;
    for (size_t i = 0; i + 1 < value->count; i += 2)
        set_header(reader, value->children[i], value->children[i + 1]);
}

static void set_interval(struct web_reader *reader, const struct yaml_node *value)
{
    scoped_web_text struct web_text text = {0};
    web_read_text(reader, value, "interval", &text);
    if (text.text && !value_duration(text.text, &reader->config->rate_interval_ns))
        web_problem(reader, value, "interval must be a duration, as 500ms or 1s, or 0 for no limit");
}
static void set_burst(struct web_reader *reader, const struct yaml_node *value)
{
    scoped_web_text struct web_text text = {0};
    web_read_text(reader, value, "burst", &text);
    if (text.text &&
        (!value_count(text.text, &reader->config->rate_burst) || reader->config->rate_burst > UINT32_MAX))
        web_problem(reader, value, "burst must be a whole number from 1");
}

static const struct web_key TLS_KEYS[] = {
    {"cert", set_cert},
    {"key", set_key},
    {"client_ca", set_client_ca},
    {"cert_file", set_cert_file},
    {"key_file", set_key_file},
    {"client_ca_file", set_client_ca_file},
    {"client_auth_type", set_client_auth},
    {"client_allowed_sans", set_sans},
    {"min_version", set_min_version},
    {"max_version", set_max_version},
    {"cipher_suites", set_ciphers},
    {"curve_preferences", set_curves},
    {"prefer_server_cipher_suites", set_prefer_server},
    {NULL, NULL},
};
static const struct web_key HTTP_KEYS[] = {{"http2", set_http2}, {"headers", set_headers}, {NULL, NULL}};
static const struct web_key RATE_KEYS[] = {{"interval", set_interval}, {"burst", set_burst}, {NULL, NULL}};

static void set_tls(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_keys(reader, value, "tls_server_config", TLS_KEYS);
}
static void set_http(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_keys(reader, value, "http_server_config", HTTP_KEYS);
}
static void set_rate(struct web_reader *reader, const struct yaml_node *value)
{
    web_read_keys(reader, value, "rate_limit", RATE_KEYS);
    if (reader->config->rate_interval_ns > 0 && reader->config->rate_burst == 0)
        web_problem(reader, value,
                    "rate_limit: burst must be a whole number from 1: without it every request "
                    "would be refused");
}

bool web_config_is_bcrypt(const char *hash)
{
    if (strlen(hash) != 60 || hash[0] != '$' || hash[1] != '2' || !strchr("abxy", hash[2]) ||
        hash[3] != '$' || hash[6] != '$' || strspn(hash + 4, "0123456789") != 2 ||
        strspn(hash + 7, "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != 53)
        return false;
    long cost = strtol(hash + 4, NULL, 10);
    return cost >= 4 && cost <= 31;
}

static void set_users(struct web_reader *reader, const struct yaml_node *value)
{
    struct web_config *config = reader->config;
    if (yaml_node_is_null(value) || config->users || !web_is_map(reader, value, "basic_auth_users"))
        return;
    config->users = calloc(value->count / 2 + 1, sizeof *config->users);
    for (size_t i = 0; config->users && i + 1 < value->count; i += 2) {
        const struct yaml_node *name = value->children[i], *hash = value->children[i + 1];
        struct web_user *user = &config->users[config->users_count];
        scoped_web_text struct web_text text = {0};
        web_read_text(reader, hash, "the password", &text);
        if (!text.text || !web_config_is_bcrypt(text.text)) {
            web_problem(reader, hash,
                        "the password of \"%s\" is not a bcrypt hash: make one with htpasswd -nBC 10 USER",
                        problems_show(name->text, name->length).text);
            continue;
        }
        user->name = strdup(name->text);
        user->hash = take_ptr(text.text);
        if (!user->name)
            reader->problems->no_memory = true;
        config->users_count++;
    }
    if (!config->users)
        reader->problems->no_memory = true;
}

static const struct web_key ROOT_KEYS[] = {{"tls_server_config", set_tls},
                                           {"http_server_config", set_http},
                                           {"rate_limit", set_rate},
                                           {"basic_auth_users", set_users},
                                           {NULL, NULL}};

bool web_config_has_tls(const struct web_config *config)
{
    return config->cert.text || config->key.text || config->client_ca.text || config->cert_file.text ||
           config->key_file.text || config->client_ca_file.text || config->client_auth_type.text;
}

enum status web_config_parse(const char *file, const char *text, size_t length, struct web_config *ret,
                             struct problems *problems, struct error *err)
{
    struct web_reader reader = {.file = file, .config = ret, .problems = problems};
    scoped_yaml_tree struct yaml_tree tree = {0};
    *ret = (struct web_config){.min_version = TLS_VERSION_12,
                               .max_version = TLS_VERSION_13,
                               .prefer_server_cipher_suites = true,
                               .http2 = true};
    enum status status = yaml_tree_parse(text, length, &tree, problems, err);
    if (status != STATUS_OK)
        return status;
    if (tree.root)
        web_read_keys(&reader, tree.root, "the file", ROOT_KEYS);
    if (problems->no_memory)
        return error_set(err, STATUS_NO_MEMORY, "%s: no memory to read it", file);
    if (problems->found > 0)
        return error_set(err, STATUS_USAGE, "%s: %zu problem%s", file, problems->found,
                         problems->found == 1 ? "" : "s");
    return STATUS_OK;
}

void web_config_deinit(struct web_config *config)
{
    struct web_text *texts[] = {&config->cert,
                                &config->key,
                                &config->client_ca,
                                &config->cert_file,
                                &config->key_file,
                                &config->client_ca_file,
                                &config->client_auth_type};
    struct web_text_list *lists[] = {&config->client_allowed_sans, &config->cipher_suites,
                                     &config->curve_preferences};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        web_text_deinit(texts[i]);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (size_t k = 0; k < lists[i]->count; k++)
            web_text_deinit(&lists[i]->items[k]);
        free(lists[i]->items);
    }
    for (size_t i = 0; i < WEB_HEADER_COUNT; i++)
        web_text_deinit(&config->headers[i]);
    for (size_t i = 0; i < config->users_count; i++) {
        free(config->users[i].name);
        free(config->users[i].hash);
    }
    free(config->users);
    *config = (struct web_config){0};
}
