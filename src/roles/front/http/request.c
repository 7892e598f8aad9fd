/* request.c - answers, and how many there were. */
#include "roles/front/http/request.h"

#include <string.h>

#include "base/clock.h"
#include "roles/front/http/accept.h"
#include "roles/front/http/connections.h"
#include "roles/front/http/gzip.h"
#include "roles/front/http/router.h"

/* All codes that we answer with; the index is the counter's. */
static const unsigned codes[] = {200, 400, 401, 403, 404, 405, 410, 413, 415, 429, 431, 500, 503};
#define CODES_COUNT (sizeof(codes) / sizeof(*codes))
static atomic_ullong counts[ROUTES_MAX + 1][CODES_COUNT];

static void count(const struct request *request, unsigned code)
{
    size_t route = request->route ? router_index(request->route) : ROUTES_MAX;
    for (size_t i = 0; i < CODES_COUNT; i++)
        if (codes[i] == code)
            atomic_fetch_add(&counts[route][i], 1);
}

void request_count_each(void (*visit)(void *context, unsigned code, const char *handler, uint64_t count),
                        void *context)
{
    for (size_t route = 0; route <= ROUTES_MAX; route++)
        for (size_t i = 0; i < CODES_COUNT; i++)
            if (atomic_load(&counts[route][i]))
                visit(context, codes[i], router_name(route), atomic_load(&counts[route][i]));
}

void request_uncount(struct request *request)
{
    if (request->is_counted)
        atomic_fetch_sub(&request->front->requests, 1);
    request->is_counted = false;
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool is_api(const struct request *request)
{
    return strncmp(request->url, "/api/", 5) == 0;
}

/* The web configuration's headers, which go before our own. */
static void add_headers(const struct request *request, struct MHD_Response *response)
{
    static const char *const NAMES[] = {
#define X(name, label, first, second) label,
        WEB_HEADER_TABLE(X)
#undef X
    };
    const struct web_text *headers = request->web->config.headers;
    const struct web_state *begun = connection_web(request->place);
    for (size_t i = 0; i < WEB_HEADER_COUNT; i++) {
        if (!headers[i].text)
            continue;
        const char *own = MHD_get_response_header(response, NAMES[i]);
        if (own)
            MHD_del_response_header(response, NAMES[i], own);
        MHD_add_response_header(response, NAMES[i], headers[i].text);
    }
    if (!headers[WEB_HEADER_CONTENT_TYPE_OPTIONS].text)
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (is_api(request))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (begun && begun->tls != request->web->tls) /* the next handshake is held to what is in force now */
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result queue(struct request *request, unsigned code, struct MHD_Response *response,
                             size_t bytes, struct answer *shared)
{
    if (!response)
        return MHD_NO;
    add_headers(request, response);
    count(request, code);
    if (!request->stream)
        request_uncount(request);
    if (request->stream)
        connection_enter(request->place, CONNECTION_WORKING);
    else
        connection_send(request->place, bytes, shared);
    return MHD_queue_response(request->connection, code, response);
}

enum MHD_Result request_queue(struct request *request, unsigned code, struct MHD_Response *response,
                              size_t bytes)
{
    return queue(request, code, response, bytes, NULL);
}

static void add_type(struct MHD_Response *response, const char *content_type)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (strncmp(content_type, "text/html", 9) == 0)
        MHD_add_response_header(response, "Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
                                "base-uri 'none'; form-action 'none'");
}

/* A response of the bytes of @body, which is empty then. */
static struct MHD_Response *take_body(struct buffer *body, const char *content_type)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->length, body->data, MHD_RESPMEM_MUST_FREE);
    if (!response)
        return NULL;
    *body = (struct buffer){0};
    add_type(response, content_type);
    return response;
}

static bool takes_gzip(const struct request *request)
{
    return accept_takes_gzip(request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
}

static void add_coding(struct MHD_Response *response, bool is_packed)
{
    if (is_packed)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
}

enum MHD_Result request_reply(struct request *request, unsigned code, const char *content_type,
                              struct buffer *body)
{
    struct error err;
    bool is_packed = takes_gzip(request) && gzip_pack(body);
    if (buffer_status(body, &err))
        return request_fail(request, &err);
    size_t bytes = body->length;
    struct MHD_Response *response scoped_response = take_body(body, content_type);
    if (!response)
        return MHD_NO;
    add_coding(response, is_packed);
    return request_queue(request, code, response, bytes);
}

static enum status make_answer(struct request *request, enum answer_kind kind, bool *is_packed,
                               request_render *render, struct answer **ret, struct error *err)
{
    struct buffer body scoped_buffer = {0};
    uint64_t begin_ns = clock_monotonic_ns();
    enum status status = render(request, &body, err);
    if (status == STATUS_OK)
        status = buffer_status(&body, err);
    if (status != STATUS_OK)
        return status;
    *is_packed = *is_packed && gzip_pack(&body);
    *ret = answers_put(request->front->answers, kind, *is_packed, &body, begin_ns, clock_monotonic_ns());
    return *ret ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for an answer");
}

enum MHD_Result request_share(struct request *request, enum answer_kind kind, const char *content_type,
                              request_render *render)
{
    struct error err;
    bool is_packed = takes_gzip(request);
    struct answer *answer = answers_find(request->front->answers, kind, is_packed, clock_monotonic_ns());
    if (!answer && make_answer(request, kind, &is_packed, render, &answer, &err) != STATUS_OK)
        return request_fail(request, &err);
    struct MHD_Response *response scoped_response = MHD_create_response_from_buffer_with_free_callback_cls(
        answer_length(answer), (void *)(uintptr_t)answer_data(answer), answer_unref, answer);
    if (!response) {
        answer_unref(answer);
        return MHD_NO;
    }
    add_type(response, content_type);
    add_coding(response, is_packed);
    return queue(request, 200, response, 0, answer);
}

enum MHD_Result request_error(struct request *request, unsigned code, const char *error_code,
                              const char *message, unsigned retry_after_seconds)
{
    struct buffer body scoped_buffer = {0};
    buffer_text(&body, "{\"error\": {\"code\": \"");
    buffer_json_escaped(&body, error_code);
    buffer_text(&body, "\", \"message\": \"");
    buffer_json_escaped(&body, message);
    buffer_text(&body, "\"}}\n");
    size_t bytes = body.length;
    struct MHD_Response *response scoped_response = body.failed ? NULL : take_body(&body, "application/json");
    if (!response)
        return MHD_NO;
    if (code == 401)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Basic realm=\"malloc_exporter\"");
    if (code == 405)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, router_allow(request->route));
    if (retry_after_seconds) {
        char text[16];
        snprintf(text, sizeof(text), "%u", retry_after_seconds);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
    return request_queue(request, code, response, bytes);
}

const char *request_error_code(enum status status)
{
    return status_http_code(status) == 503 ? "unavailable" : status_label(status);
}

enum MHD_Result request_fail(struct request *request, const struct error *err)
{
    return request_error(request, (unsigned)status_http_code(err->status), request_error_code(err->status),
                         err->message, 0);
}
