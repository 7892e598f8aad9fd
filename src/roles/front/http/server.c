/* server.c - a daemon of libmicrohttpd for each listener. */
#include "roles/front/http/server.h"

#include <stdlib.h>
#include <string.h>

#include "roles/front/http/request.h"
#include "roles/front/http/router.h"
#include "roles/front/http/streams.h"

/* A relay runs best with this much (it is also the limit of the library for headers: ours is below). */
#define CONNECTION_MEMORY_BYTES (512 * 1024)
#define HEADERS_MAX_BYTES (32 * 1024)
#define CONNECTIONS_MAX 512
#define CONNECTION_TIMEOUT_SECONDS 60

struct server {
    struct front *front;
    struct MHD_Daemon *daemon;
    bool is_unix;
};

static enum MHD_Result add_length(void *context, enum MHD_ValueKind kind, const char *key, size_t key_length,
                                  const char *value, size_t value_length)
{
    (void)kind, (void)key, (void)value;
    *(size_t *)context += key_length + value_length;
    return MHD_YES;
}

static bool headers_are_too_long(struct MHD_Connection *connection, const char *url)
{
    size_t length = strlen(url);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, add_length, &length);
    return length > HEADERS_MAX_BYTES;
}

static enum MHD_Result begin(struct server *server, struct MHD_Connection *connection, const char *url,
                             const char *method, void **context)
{
    struct request *request = calloc(1, sizeof(*request));
    if (!request)
        return MHD_NO;
    request->front = server->front;
    request->connection = connection;
    request->is_unix = server->is_unix;
    request->is_head = !strcmp(method, "HEAD");
    request->url = url;
    request->method = method;
    router_find(request);
    request->is_over_limit =
        atomic_fetch_add(&server->front->requests, 1) >= server->front->start.max_requests;
    *context = request;
    return MHD_YES;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_length, void **request_context)
{
    (void)version, (void)upload;
    if (!*request_context)
        return begin(context, connection, url, method, request_context);
    if (*upload_length) { /* no request has a body that matters */
        *upload_length = 0;
        return MHD_YES;
    }
    struct request *request = *request_context;
    if (request->stream)
        return streams_answer(request);
    if (headers_are_too_long(connection, url))
        return request_error(request, 431, "bad_parameter", "address and headers are longer than 32 KiB", 0);
    return router_dispatch(request);
}

static void completed(void *context, struct MHD_Connection *connection, void **request_context,
                      enum MHD_RequestTerminationCode code)
{
    (void)connection, (void)code;
    struct server *server = context;
    struct request *request = *request_context;
    if (!request)
        return;
    streams_release(request);
    atomic_fetch_sub(&server->front->requests, 1);
    free(request);
    *request_context = NULL;
}

enum status server_new(struct front *front, int listener, bool is_unix, struct server **ret,
                       struct error *err)
{
    struct server *server = calloc(1, sizeof(*server));
    if (!server)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a server");
    server->front = front;
    server->is_unix = is_unix;
    server->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer,
                         server, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_COMPLETED, completed,
                         server, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_SECONDS, MHD_OPTION_END);
    if (!server->daemon) {
        free(server);
        return error_set(err, STATUS_SYSTEM, "the HTTP server cannot start on its listener");
    }
    *ret = server;
    return STATUS_OK;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
