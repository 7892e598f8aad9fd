/* web.c - see web.h. */
#include "roles/front/web/web.h"

#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rate_limit.h"
#include "roles/front/web/web_file.h"

#define LOOK_NS NS_PER_SECOND
/* The file itself, certificate, key, authorities. */
#define FILES_MAX 4

struct web {
    char *file; /* "" for none */
    bool has_tls;
    pthread_mutex_t lock; /* guards all below */
    struct web_state *state;
    uint64_t looked_ns;
    char *names[FILES_MAX];
    struct web_file_stamp stamps[FILES_MAX];
    struct rate_limit limit;
};

struct web_state *web_state_ref(struct web_state *state)
{
    atomic_fetch_add(&state->references, 1);
    return state;
}

void web_state_unref(struct web_state *state)
{
    if (!state || atomic_fetch_sub(&state->references, 1) != 1)
        return;
    web_config_deinit(&state->config);
    web_tls_unref(state->tls);
    free(state);
}

static struct web_state *new_state(void)
{
    struct web_state *state = calloc(1, sizeof *state);
    if (state)
        atomic_init(&state->references, 1);
    return state;
}

/* The parts that are only checked where TLS is off too: their names are wrong in any case. */
static enum status check_tls(struct web_state *state, struct problems *problems, struct error *err)
{
    scoped_buffer struct buffer ignored = {0};
    if (web_config_has_tls(&state->config))
        return web_tls_new(&state->config, &state->tls, problems, err);
    return web_tls_priority(&state->config, &ignored, problems, err);
}

static enum status parse(const char *file, struct web_state *state, struct problems *problems,
                         struct error *err)
{
    scoped(web_file_wipe) struct buffer text = {0};
    enum status status = web_file_read(file, &text, err);
    if (status != STATUS_OK)
        return status;
    return web_config_parse(file, text.data ? text.data : "", text.length, &state->config, problems, err);
}

static enum status load(const char *file, struct web_state **ret, struct buffer *lines, struct error *err)
{
    scoped_problems struct problems problems = {.file = file};
    struct web_state *state = new_state();
    if (!state)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the web configuration");
    enum status status = file[0] ? parse(file, state, &problems, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = check_tls(state, &problems, err);
    problems_write(&problems, lines);
    if (status == STATUS_OK)
        *ret = state;
    else
        web_state_unref(state);
    return status;
}

/* What is accepted but does not do what it says. */
static void warn(const struct web_config *config)
{
    if (config->is_http2_given && config->http2)
        log_event(LOG_WARN, "web configuration: HTTP/2 is not supported, HTTP/1.1 is served", NULL);
    if (config->client_allowed_sans.is_given && config->client_auth == CLIENT_AUTH_NONE)
        log_event(LOG_WARN, "web configuration: client_allowed_sans has no effect with NoClientCert", NULL);
}

/* Look at the files that @config names from now on. The stamp of a name that stays is the one of before it
 * was read, so that a change meanwhile is seen. */
static void watch(struct web *web, const struct web_config *config)
{
    const char *names[FILES_MAX] = {web->file, config->cert_file.text, config->key_file.text,
                                    config->client_ca_file.text};
    for (size_t i = 0; i < FILES_MAX; i++) {
        const char *name = names[i] ? names[i] : "";
        if (web->names[i] && strcmp(web->names[i], name) == 0)
            continue;
        free(web->names[i]);
        web->names[i] = name[0] ? strdup(name) : NULL;
        web->stamps[i] = name[0] ? web_file_stamp(name) : (struct web_file_stamp){0};
    }
}

static void stamp(struct web *web)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        web->stamps[i] = web->names[i] ? web_file_stamp(web->names[i]) : (struct web_file_stamp){0};
}

static bool has_changed(const struct web *web)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct web_file_stamp now = {0};
        if (web->names[i])
            now = web_file_stamp(web->names[i]);
        if (!web_file_stamp_equal(&now, &web->stamps[i]))
            return true;
    }
    return false;
}

/* @file by its own name, so that a link that is replaced is seen; absolute, wherever the process goes. */
static char *absolute(const char *file)
{
    char *joined = NULL;
    scoped_free char *directory = file[0] && file[0] != '/' ? getcwd(NULL, 0) : NULL;
    if (!directory)
        return strdup(file);
    return asprintf(&joined, "%s/%s", directory, file) < 0 ? NULL : joined;
}

enum status web_new(const char *file, struct web **ret, struct buffer *problems, struct error *err)
{
    struct web *web = calloc(1, sizeof *web);
    if (!web || !(web->file = absolute(file))) {
        free(web);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the web configuration");
    }
    pthread_mutex_init(&web->lock, NULL);
    watch(web, &(struct web_config){0});
    enum status status = load(web->file, &web->state, problems, err);
    if (status != STATUS_OK) {
        web_free(web);
        return status;
    }
    web->has_tls = web->state->tls != NULL;
    watch(web, &web->state->config);
    warn(&web->state->config);
    *ret = web;
    return STATUS_OK;
}

void web_free(struct web *web)
{
    if (!web)
        return;
    web_state_unref(web->state);
    for (size_t i = 0; i < FILES_MAX; i++)
        free(web->names[i]);
    pthread_mutex_destroy(&web->lock);
    free(web->file);
    free(web);
}

static void log_problems(struct buffer *lines, const struct error *err)
{
    char *rest = NULL;
    log_error(LOG_ERROR, "web configuration is broken: every request is answered 500 until it is mended",
              err);
    for (char *line = strtok_r((char *)(uintptr_t)buffer_string(lines), "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        log_event(LOG_ERROR, "web configuration", "problem", line, NULL);
}

/* The lock is held. Where there is no memory the state of before stays, and the next look tries again. */
static void reload(struct web *web)
{
    scoped_buffer struct buffer lines = {0};
    struct error err = {0};
    struct web_state *state = NULL;
    stamp(web);
    enum status status = load(web->file, &state, &lines, &err);
    if (status == STATUS_OK && (state->tls != NULL) != web->has_tls) {
        web_state_unref(state);
        status =
            error_set(&err, STATUS_USAGE,
                      "%s: TLS cannot be turned on or off while the exporter runs: restart it", web->file);
    }
    if (status == STATUS_OK) {
        watch(web, &state->config);
        log_event(LOG_INFO, "web configuration loaded again", "file", web->file, NULL);
    } else {
        log_problems(&lines, &err);
        state = new_state();
        if (!state)
            return;
        state->is_broken = true;
        state->tls = web_tls_ref(web->state->tls);
    }
    web_state_unref(web->state);
    web->state = state;
}

struct web_state *web_current(struct web *web)
{
    uint64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&web->lock);
    if (web->file[0] && now_ns - web->looked_ns >= LOOK_NS) {
        web->looked_ns = now_ns;
        if (has_changed(web))
            reload(web);
    }
    struct web_state *state = web_state_ref(web->state);
    pthread_mutex_unlock(&web->lock);
    return state;
}

bool web_has_tls(const struct web *web)
{
    return web->has_tls;
}

bool web_rate_allows(struct web *web, const struct web_state *state, uint64_t now_ns)
{
    if (state->config.rate_interval_ns == 0)
        return true;
    pthread_mutex_lock(&web->lock);
    bool allows =
        rate_limit_take(&web->limit, state->config.rate_interval_ns, state->config.rate_burst, now_ns);
    pthread_mutex_unlock(&web->lock);
    return allows;
}

void web_directories(const struct web *web, void (*visit)(void *context, const char *directory),
                     void *context)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        scoped_free char *named = web->names[i] ? strdup(web->names[i]) : NULL;
        scoped_free char *real = web->names[i] ? realpath(web->names[i], NULL) : NULL;
        if (named)
            visit(context, dirname(named));
        if (real)
            visit(context, dirname(real));
    }
}
