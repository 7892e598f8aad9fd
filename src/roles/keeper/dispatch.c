/* dispatch.c - see dispatch.h. */
#include "roles/keeper/dispatch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"
#include "roles/keeper/configuration.h"
#include "roles/keeper/notify.h"
#include "roles/keeper/own_usage.h"

static void send_start(struct keeper *keeper, struct child *child)
{
    const struct keeper_options *options = keeper->options;
    struct message_start start = {
        .keeper_pid = getpid(),
        .log_level = options->log_level,
        .log_format = options->log_format,
        .enable_lifecycle = options->enable_lifecycle,
        .max_requests = options->max_requests,
        .listener_count = keeper->listener_count,
        .start_time_seconds = keeper->start_time_seconds,
    };
    snprintf(start.procfs, sizeof start.procfs, "%s", options->procfs);
    snprintf(start.telemetry_path, sizeof start.telemetry_path, "%s", options->telemetry_path);
    snprintf(start.web_config_file, sizeof start.web_config_file, "%s", options->web_config_file);
    (void)child_send(child, MESSAGE_START, &start, -1);
}

static void send_listeners(struct keeper *keeper, struct child *child)
{
    for (uint32_t i = 0; i < keeper->listener_count; i++) {
        struct message_listener message = {.is_unix = keeper->listeners[i].is_unix};
        snprintf(message.address, sizeof message.address, "%s", keeper->listeners[i].address);
        (void)child_send(child, MESSAGE_LISTENER, &message, keeper->listeners[i].fd);
    }
}

void dispatch_restarts(struct keeper *keeper)
{
    struct message_restarts message = {0};
    memcpy(message.counts, keeper->helpers.killed, sizeof message.counts);
    for (size_t i = 0; i < KEEPER_CHILDREN; i++)
        message.counts[keeper->children[i].role] = keeper->children[i].restarts;
    (void)child_send(&keeper->children[KEEPER_FRONT], MESSAGE_RESTARTS, &message, -1);
}

static void send_quarantine(struct keeper *keeper)
{
    for (size_t i = 0; i < keeper->quarantine.suspect_count; i++) {
        struct message_quarantine message;
        if (quarantine_message(&keeper->quarantine, i, clock_monotonic_ns(), &message))
            (void)child_send(&keeper->children[KEEPER_SCANNER], MESSAGE_QUARANTINE, &message, -1);
    }
}

enum status dispatch_start(struct keeper *keeper, struct child *child, struct error *err)
{
    enum status status = child_start(child, err);
    if (status != STATUS_OK) {
        child->restart_ns = clock_monotonic_ns() + NS_PER_SECOND;
        return status;
    }
    send_start(keeper, child);
    if (child->role == ROLE_SCANNER) {
        struct message_empty empty = {0};
        send_quarantine(keeper);
        (void)child_send(child, MESSAGE_LEDGER, &empty, keeper->ledger_fd);
        (void)child_send(child, MESSAGE_CONFIG, &keeper->config, keeper->config_fd);
    } else {
        /* first: a counter must not begin with 0 again */
        own_usage_tell(keeper);
        dispatch_restarts(keeper);
        send_listeners(keeper, child);
        configuration_tell_front(keeper);
    }
    dispatch_restarts(keeper);
    return pairing_connect(keeper, err);
}

static void log_listener(const struct listener *listener)
{
    struct sockaddr_storage name = {0};
    socklen_t length = sizeof name;
    char text[INET6_ADDRSTRLEN + 16] = "";
    if (!listener->is_unix && getsockname(listener->fd, (struct sockaddr *)&name, &length) == 0) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&name;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&name;
        char host[INET6_ADDRSTRLEN] = "";
        bool is_v6 = name.ss_family == AF_INET6;
        inet_ntop(name.ss_family, is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, host,
                  sizeof host);
        snprintf(text, sizeof text, is_v6 ? "[%s]:%u" : "%s:%u", host,
                 (unsigned)ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
    }
    log_event(LOG_INFO, "listening", "address", text[0] ? text : listener->address, NULL);
}

/* Ready for users: the configuration is good and the front has its sockets. */
void dispatch_check_started(struct keeper *keeper)
{
    if (keeper->is_started || !keeper->has_result || !keeper->children[KEEPER_FRONT].is_ready)
        return;
    keeper->is_started = true;
    for (uint32_t i = 0; i < keeper->listener_count; i++)
        log_listener(&keeper->listeners[i]);
    notify("READY=1");
}

static void start_helper(struct keeper *keeper, struct child *scanner, const struct message_want *want,
                         int (*main)(int socket_fd), enum role role)
{
    struct error err = {0};
    struct message_want answer = {.sequence = want->sequence, .role = role};
    scoped_fd int fd = -1;
    if (helper_start(&keeper->helpers, role, main, &fd, &err) != STATUS_OK)
        log_error_limited(&keeper->helper_refused, LOG_WARN, "helper could not be started", &err);
    (void)child_send(scanner, MESSAGE_HELPER, &answer, fd);
}

static void take_unlinked(struct keeper *keeper, const struct message_peer *peer)
{
    pairing_broken(keeper, peer->epoch, clock_monotonic_ns());
}

static enum status from_front(struct keeper *keeper, struct child *front, const struct message *message,
                              struct error *err)
{
    switch (message->kind) {
    case MESSAGE_PONG:
        front->heard_ns = clock_monotonic_ns();
        return STATUS_OK;
    case MESSAGE_READY:
        front->is_ready = true;
        dispatch_check_started(keeper);
        return STATUS_OK;
    case MESSAGE_RELOAD:
        if (keeper->options->enable_lifecycle)
            configuration_reload(keeper);
        return STATUS_OK;
    case MESSAGE_UNLINKED:
        take_unlinked(keeper, message->body);
        return STATUS_OK;
    default:
        return error_set(err, STATUS_BAD_DATA, "the front does not send %s", message_name(message->kind));
    }
}

static enum status from_scanner(struct keeper *keeper, struct child *scanner, const struct message *message,
                                struct error *err)
{
    switch (message->kind) {
    case MESSAGE_PONG:
        scanner->heard_ns = clock_monotonic_ns();
        return STATUS_OK;
    case MESSAGE_READY:
        scanner->is_ready = true;
        return STATUS_OK;
    case MESSAGE_CONFIG_RESULT:
        return configuration_judged(keeper, message->body, err);
    case MESSAGE_SCAN_BEGIN:
        quarantine_scan_begin(&keeper->quarantine, message->body);
        return STATUS_OK;
    case MESSAGE_SCAN_END:
        quarantine_scan_end(&keeper->quarantine, message->body);
        return STATUS_OK;
    case MESSAGE_SCAN_STUCK:
        quarantine_stuck(&keeper->quarantine, message->body, clock_monotonic_ns());
        return STATUS_OK;
    case MESSAGE_WANT_HOLDER:
        start_helper(keeper, scanner, message->body, keeper->options->holder_main, ROLE_HOLDER);
        return STATUS_OK;
    case MESSAGE_WANT_RESOLVER:
        start_helper(keeper, scanner, message->body, keeper->options->resolver_main, ROLE_RESOLVER);
        return STATUS_OK;
    case MESSAGE_UNLINKED:
        take_unlinked(keeper, message->body);
        return STATUS_OK;
    default:
        return error_set(err, STATUS_BAD_DATA, "the scanner does not send %s", message_name(message->kind));
    }
}

/* False: there is no more to take. */
static bool take_one(struct keeper *keeper, struct child *child)
{
    struct message message scoped_message = {.fd = -1};
    struct error err = {0};
    enum status status = link_receive(child->control, &message, 0, &err);
    if (status == STATUS_TIMEOUT)
        return false;
    if (status == STATUS_GONE) { /* it is ending; should it only have closed its socket, it ends now */
        child_kill(child);
        return false;
    }
    if (status == STATUS_OK)
        status = child->role == ROLE_FRONT ? from_front(keeper, child, &message, &err)
                                           : from_scanner(keeper, child, &message, &err);
    if (status == STATUS_OK)
        return true;
    if (status == STATUS_SYSTEM && child->role == ROLE_SCANNER)
        quarantine_excuse(&keeper->quarantine); /* we could not read what it said */
    /* whoever says what it cannot say may have been taken over */
    log_error(LOG_ERROR, "role killed: its message cannot be", &err);
    child_kill(child);
    return false;
}

void dispatch_receive(struct keeper *keeper, struct child *child)
{
    if (child->control >= 0)
        (void)take_one(keeper, child);
}

void dispatch_drain(struct keeper *keeper, struct child *child)
{
    while (child->control >= 0 && take_one(keeper, child))
        ;
}
