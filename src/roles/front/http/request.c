/* request.c - answers, and how many there were. */
#include "roles/front/http/request.h"

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

enum MHD_Result request_queue(struct request *request, unsigned code, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    count(request, code);
    return MHD_queue_response(request->connection, code, response);
}

enum MHD_Result request_reply(struct request *request, unsigned code, const char *content_type,
                              const struct buffer *body)
{
    struct error err;
    if (buffer_status(body, &err))
        return request_fail(request, &err);
    struct MHD_Response *response scoped_response =
        MHD_create_response_from_buffer(body->length, body->data, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    return request_queue(request, code, response);
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
    if (body.failed)
        return MHD_NO;
    struct MHD_Response *response scoped_response =
        MHD_create_response_from_buffer(body.length, body.data, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (code == 405)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, router_allow(request->route));
    if (retry_after_seconds) {
        char text[16];
        snprintf(text, sizeof(text), "%u", retry_after_seconds);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
    return request_queue(request, code, response);
}

enum MHD_Result request_fail(struct request *request, const struct error *err)
{
    return request_error(request, (unsigned)status_http_code(err->status), status_label(err->status),
                         err->message, 0);
}
