/* server.c - a daemon of libmicrohttpd for each listener. */
#include "roles/front/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "roles/front/http/connections.h"
#include "roles/front/http/guard.h"
#include "roles/front/http/request.h"
#include "roles/front/http/router.h"
#include "roles/front/http/streams.h"

/* Also the library's limit for headers, above ours. It touches most of it for each connection. */
#define CONNECTION_MEMORY_BYTES (64 * 1024)
#define HEADERS_MAX_BYTES (32 * 1024)
#define BODY_MAX_BYTES (64 * 1024)
/* Never reached: connections.h closes one before. */
#define LIBRARY_CONNECTIONS_MAX (4 * CONNECTIONS_MAX)
/* Above all deadlines of connections.h: of a stream whose reader has stopped. */
#define LIBRARY_TIMEOUT_SECONDS 130
/* A peer that has vanished or closed its window for so long is gone. */
#define PEER_TIMEOUT_MS 60000
/* What the kernel takes off us for a reader that does not read: it is memory, and copying it is time. */
#define SEND_BUFFER_BYTES (128 * 1024)

struct server {
    struct front *front;
    struct MHD_Daemon *daemon;
    bool is_unix, has_tls;
};

static const union MHD_ConnectionInfo *info_of(struct MHD_Connection *connection,
                                               enum MHD_ConnectionInfoType type)
{
    return MHD_get_connection_info(connection, type);
}

/* A connection came or goes; its TLS handshake has not begun. */
static void notify(void *context, struct MHD_Connection *connection, void **socket_context,
                   enum MHD_ConnectionNotificationCode code)
{
    struct server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        connection_closed(*socket_context);
        *socket_context = NULL;
        return;
    }
    int fd = info_of(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct web_state *web = server->has_tls ? web_current(server->front->web) : NULL;
    unsigned timeout_ms = PEER_TIMEOUT_MS;
    int buffer_bytes = SEND_BUFFER_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    if (!server->is_unix)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    struct connection *place = connection_opened(server->front->connections, fd, web);
    const union MHD_ConnectionInfo *session = info_of(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    /* a session without credentials, or one that nobody watches, must not go on */
    if (!place || (web && (!session || !web_tls_apply(web->tls, session->tls_session))))
        shutdown(fd, SHUT_RDWR);
    web_state_unref(web);
    *socket_context = place;
}

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
    const union MHD_ConnectionInfo *place = info_of(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (!request)
        return MHD_NO;
    request->front = server->front;
    request->connection = connection;
    request->is_unix = server->is_unix;
    request->is_head = !strcmp(method, "HEAD");
    request->url = url;
    request->method = method;
    request->web = web_current(server->front->web);
    request->place = place ? place->socket_context : NULL;
    router_find(request);
    connection_enter(request->place, CONNECTION_READING);
    *context = request;
    const char *length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && strtoull(length, NULL, 10) > BODY_MAX_BYTES)
        return request_error(request, 413, "bad_parameter", "no request here takes a body", 0);
    return MHD_YES;
}

/* No request has a body that matters. */
static enum MHD_Result discard(struct request *request, size_t *length)
{
    request->uploaded_bytes += *length;
    *length = 0;
    return request->uploaded_bytes > BODY_MAX_BYTES ? MHD_NO : MHD_YES;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_length, void **request_context)
{
    (void)version, (void)upload;
    if (!*request_context)
        return begin(context, connection, url, method, request_context);
    struct request *request = *request_context;
    if (*upload_length)
        return discard(request, upload_length);
    if (request->stream)
        return streams_answer(request);
    connection_enter(request->place, CONNECTION_WORKING);
    if (headers_are_too_long(connection, url))
        return request_error(request, 431, "bad_parameter", "address and headers are longer than 32 KiB", 0);
    enum MHD_Result result = MHD_YES;
    return guard_check(request, &result) == GUARD_PASS ? router_dispatch(request) : result;
}

/* A NUL would end the text for whoever looks at it: what has one stays as it was written, and fits nothing.
 */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

static void completed(void *context, struct MHD_Connection *connection, void **request_context,
                      enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    struct request *request = *request_context;
    if (!request)
        return;
    streams_release(request);
    request_uncount(request);
    connection_enter(request->place, CONNECTION_IDLE);
    web_state_unref(request->web);
    free(request);
    *request_context = NULL;
}

static struct MHD_Daemon *start(struct server *server, int listener)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)web_tls_no_certificate()},
        {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    return MHD_start_daemon(
        flags | (server->has_tls ? (unsigned)MHD_USE_TLS : 0), 0, NULL, NULL, answer, server,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, notify, server, MHD_OPTION_NOTIFY_COMPLETED, completed, server,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)LIBRARY_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIBRARY_TIMEOUT_SECONDS,
        MHD_OPTION_ARRAY, server->has_tls ? tls : &tls[1], MHD_OPTION_END);
}

enum status server_new(struct front *front, int listener, bool is_unix, struct server **ret,
                       struct error *err)
{
    struct server *server = calloc(1, sizeof(*server));
    if (!server)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a server");
    server->front = front;
    server->is_unix = is_unix;
    server->has_tls = !is_unix && web_has_tls(front->web);
    server->daemon = start(server, listener);
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
