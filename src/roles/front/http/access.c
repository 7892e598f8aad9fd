/* access.c - api.access: who may ask for addresses. */
#include "roles/front/http/access.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "config/config.h"

bool access_is_trusted_peer(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t length = sizeof(peer);
    if (!request->is_unix || !info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
        return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

static bool is_loopback(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr)
        return false;
    if (info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)info->client_addr;
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (info->client_addr->sa_family != AF_INET6)
        return false;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

bool access_allowed(const struct request *request)
{
    if (request->is_authenticated)
        return true;
    switch (store_current_settings(request->front->store).api_access) {
    case API_OPEN:
        return true;
    case API_LOCAL:
        return is_loopback(request);
    default:
        return false;
    }
}

enum MHD_Result access_refuse(struct request *request)
{
    struct buffer message scoped_buffer = {0};
    static const char *const names[] = {"authenticated", "local", "open"};
    buffer_printf(
        &message,
        "this gives addresses, and api.access is %s: ask as root or the exporter's user with "
        "`curl --unix-socket PATH http://localhost%s` over a --web.listen-address=unix:PATH, as one "
        "of the basic_auth_users or with a verified client certificate of --web.config.file, or set "
        "api.access to local (also loopback) or open",
        names[store_current_settings(request->front->store).api_access], request->url);
    return request_error(request, 403, "access_denied", buffer_string(&message), 0);
}
