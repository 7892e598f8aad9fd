/* listeners_inherit.c - sockets that the service manager made: from descriptor 3 on, counted in LISTEN_FDS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "roles/keeper/listeners.h"

#define FIRST_FD 3
/* Beyond what the roles number themselves. */
#define MOVED_FD 64

static enum status count(uint32_t room, uint32_t *ret, struct error *err)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    long number = pid && fds && strtol(pid, NULL, 10) == getpid() ? strtol(fds, NULL, 10) : 0;
    if (number <= 0)
        return error_set(
            err, STATUS_USAGE,
            "--web.systemd-socket: no sockets were handed over: start by a systemd .socket unit, "
            "or use --web.listen-address");
    if ((uint64_t)number > room)
        return error_set(err, STATUS_USAGE, "--web.systemd-socket: %ld sockets are more than %u", number,
                         (unsigned)room);
    *ret = (uint32_t)number;
    return STATUS_OK;
}

static enum status take(int given, struct listener *ret, struct error *err)
{
    int is_listening = 0, type = 0;
    struct sockaddr_storage name = {0};
    socklen_t length = sizeof is_listening, type_length = sizeof type, name_length = sizeof name;
    if (getsockopt(given, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) != 0 || !is_listening ||
        getsockopt(given, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 || type != SOCK_STREAM ||
        getsockname(given, (struct sockaddr *)&name, &name_length) != 0)
        return error_set(
            err, STATUS_USAGE,
            "--web.systemd-socket: descriptor %d is no listening stream socket: use ListenStream= "
            "with Accept=no",
            given);
    scoped_fd int fd = fcntl(given, F_DUPFD_CLOEXEC, MOVED_FD);
    if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        return error_errno(err, errno, "--web.systemd-socket: descriptor %d", given);
    close(given);
    *ret =
        (struct listener){.is_unix = name.ss_family == AF_UNIX, .is_inherited = true, .address = "systemd"};
    ret->fd = take_fd(&fd);
    return STATUS_OK;
}

enum status listeners_inherit(struct listener *listeners, uint32_t room, uint32_t *count_ret,
                              struct error *err)
{
    uint32_t number = 0;
    enum status status = count(room, &number, err);
    for (uint32_t i = 0; status == STATUS_OK && i < number; i++) {
        status = take(FIRST_FD + (int)i, &listeners[i], err);
        if (status == STATUS_OK)
            *count_ret = i + 1;
    }
    return status;
}
