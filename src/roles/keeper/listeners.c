/* listeners.c - see listeners.h. */
#include "roles/keeper/listeners.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define UNIX_PREFIX "unix:"
/* The kernel's own limit: a burst of connections must not keep a scrape out. */
#define BACKLOG SOMAXCONN

static const char *unix_path(const char *address)
{
    size_t length = strlen(UNIX_PREFIX);
    return strncmp(address, UNIX_PREFIX, length) == 0 ? address + length : NULL;
}

/* Remove a socket file whose server has ended; anything else stays, and bind() will say so. */
static void remove_stale(const struct sockaddr_un *name)
{
    struct stat stat;
    if (lstat(name->sun_path, &stat) != 0 || !S_ISSOCK(stat.st_mode))
        return;
    scoped_fd int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe >= 0 && connect(probe, (const struct sockaddr *)name, sizeof *name) != 0 &&
        errno == ECONNREFUSED)
        unlink(name->sun_path);
}

static enum status open_unix(const char *path, int *fd_ret, struct error *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof name.sun_path)
        return error_set(err, STATUS_USAGE, "unix:%s: the path must have 1 to %zu bytes", path,
                         sizeof name.sun_path - 1);
    memcpy(name.sun_path, path, strlen(path));
    remove_stale(&name);
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, errno, "socket");
    mode_t before = umask(0177);
    int rc = bind(fd, (const struct sockaddr *)&name, sizeof name);
    int bind_errno = errno;
    umask(before);
    if (rc != 0)
        return error_errno(err, bind_errno, "listen on unix:%s", path);
    if (listen(fd, BACKLOG) != 0)
        return error_errno(err, errno, "listen on unix:%s", path);
    *fd_ret = take_fd(&fd);
    return STATUS_OK;
}

/* "host:port" to its parts; @host is empty for all addresses. */
static enum status split(const char *address, char *host, size_t host_size, const char **port_ret,
                         struct error *err)
{
    const char *colon = strrchr(address, ':');
    const char *begin = address, *end = colon;
    bool is_bracketed = colon && address[0] == '[' && colon > address && colon[-1] == ']';
    if (is_bracketed) {
        begin++;
        end--;
    }
    if (!colon || colon[1] == '\0' || (size_t)(end - begin) >= host_size ||
        (!is_bracketed && memchr(begin, ':', (size_t)(end - begin))))
        return error_set(err, STATUS_USAGE,
                         "--web.listen-address %s: write HOST:PORT, [V6]:PORT, :PORT or unix:PATH", address);
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    *port_ret = colon + 1;
    return STATUS_OK;
}

/* On all addresses one IPv6 socket serves IPv4 too. */
static int listen_on(const struct addrinfo *info, bool is_any)
{
    int one = 1, zero = 0;
    scoped_fd int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_any ? &zero : &one, sizeof one);
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
        return -1;
    return take_fd(&fd);
}

static void scoped_addresses_run(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

static enum status open_tcp(const char *address, int *fd_ret, struct error *err)
{
    char host[256];
    const char *port = "";
    enum status status = split(address, host, sizeof host, &port, err);
    if (status != STATUS_OK)
        return status;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    scoped(scoped_addresses_run) struct addrinfo *list = NULL;
    int code = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
    if (code != 0)
        return error_set(err, STATUS_USAGE, "--web.listen-address %s: %s", address, gai_strerror(code));
    static const int ORDER[] = {AF_INET6, AF_INET};
    int last_errno = EADDRNOTAVAIL;
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++) {
        for (const struct addrinfo *info = list; info; info = info->ai_next) {
            if (info->ai_family != ORDER[i])
                continue;
            *fd_ret = listen_on(info, host[0] == '\0');
            if (*fd_ret >= 0)
                return STATUS_OK;
            last_errno = errno;
        }
    }
    return error_errno(err, last_errno, "listen on %s", address);
}

enum status listener_open(const char *address, struct listener *ret, struct error *err)
{
    const char *path = unix_path(address);
    struct listener listener = {.fd = -1, .is_unix = path != NULL, .address = address};
    enum status status = path ? open_unix(path, &listener.fd, err) : open_tcp(address, &listener.fd, err);
    if (status == STATUS_OK)
        *ret = listener;
    return status;
}

enum status listener_give_to(const struct listener *listener, uid_t uid, gid_t gid, struct error *err)
{
    if (listener->is_unix && !listener->is_inherited && chown(unix_path(listener->address), uid, gid) != 0)
        return error_errno(err, errno, "give %s to user %u", listener->address, (unsigned)uid);
    return STATUS_OK;
}

void listener_close(struct listener *listener)
{
    if (listener->is_unix && !listener->is_inherited)
        unlink(unix_path(listener->address));
    close(listener->fd);
    listener->fd = -1;
}
