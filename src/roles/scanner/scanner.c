/* scanner.c - the role's main thread: what the keeper and the front say, and whether the other threads hang.
 */
#include "roles/scanner/scanner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/give_back.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "link/link.h"
#include "link/sandbox.h"
#include "roles/scanner/discovery.h"
#include "roles/scanner/ends.h"
#include "roles/scanner/front_link.h"
#include "roles/scanner/launch.h"
#include "roles/scanner/scans.h"
#include "roles/scanner/streams.h"
#include "roles/scanner/watch.h"

#define START_TIMEOUT_MS 10000
/* a keeper reads at once, but where it gets no processor */
#define SEND_TIMEOUT_MS 60000
#define TICK_MS 500
#define CONFIG_BYTES_MAX (1024 * 1024)

enum status scanner_tell_keeper(struct scanner *scanner, enum message_kind kind, const void *body,
                                struct error *err)
{
    pthread_mutex_lock(&scanner->control_lock);
    enum status status = link_send(scanner->control, kind, body, NULL, 0, -1, SEND_TIMEOUT_MS, err);
    pthread_mutex_unlock(&scanner->control_lock);
    return status;
}

void scanner_wake(struct scanner *scanner)
{
    uint64_t one = 1;
    (void)!write(scanner->wake_fd, &one, sizeof one);
}

static void take_quarantine(struct scanner *scanner, const struct message_quarantine *quarantine)
{
    pthread_mutex_lock(&scanner->lock);
    quarantines_take(&scanner->quarantines, quarantine, clock_monotonic_ns());
    pthread_mutex_unlock(&scanner->lock);
    scanner_wake(scanner);
}

static enum status load(const struct message_config *message, int fd, struct config **ret,
                        struct buffer *problems, struct error *err)
{
    if (message->is_default)
        return config_default(ret, err);
    if (fd < 0 || message->length_bytes > CONFIG_BYTES_MAX)
        return error_set(err, STATUS_BAD_DATA, "the configuration did not come along");
    if (message->length_bytes == 0)
        return config_load(message->file, "", 0, ret, problems, err);
    char *text = mmap(NULL, message->length_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED)
        return error_errno(err, errno, "look at the configuration");
    enum status status = config_load(message->file, text, message->length_bytes, ret, problems, err);
    munmap(text, message->length_bytes);
    return status;
}

static void start_workers(struct scanner *scanner, uint32_t concurrency)
{
    static uint32_t running;
    struct error err;
    for (; running < concurrency && running < SCANNER_WORKERS_MAX; running++)
        if (scans_start(scanner, &err) != STATUS_OK) {
            log_error(LOG_ERROR, "a scanning thread could not be started", &err);
            return;
        }
}

static void put_in_force(struct scanner *scanner, struct config *config)
{
    uint32_t concurrency = config->limits.concurrency;
    if (config->is_default)
        log_event(LOG_WARN,
                  "there is no configuration file: the 50 largest processes with glibc malloc that "
                  "may be read are scanned, grouped by comm",
                  NULL);
    else if (config->entries_count == 0)
        log_event(LOG_WARN, "the configuration has no process_names: nothing is scanned", NULL);
    pthread_mutex_lock(&scanner->lock);
    config_free(scanner->next_config);
    scanner->next_config = config;
    pthread_mutex_unlock(&scanner->lock);
    start_workers(scanner, concurrency);
    scanner_wake(scanner);
}

static enum status take_config(struct scanner *scanner, const struct message *message, struct error *err)
{
    const struct message_config *body = message->body;
    if (!message_string_ok(body->file, sizeof body->file))
        return error_set(err, STATUS_BAD_DATA, "CONFIG is not sound");
    struct message_config_result result = {.is_reload = body->is_reload,
                                           .at_seconds = (double)clock_realtime_ns() / 1e9};
    struct config *config = NULL;
    struct error why = {0};
    scoped_buffer struct buffer problems = {0};
    result.is_ok = load(body, message->fd, &config, &problems, &why) == STATUS_OK;
    if (result.is_ok) {
        put_in_force(scanner, config);
    } else {
        /* all that is wrong, for the person who wrote it; the first of it goes to the keeper */
        const char *text = problems.length ? buffer_string(&problems) : why.message;
        log_lines(LOG_ERROR, "the configuration is wrong", text);
        snprintf(result.message, sizeof result.message, "%.*s", (int)strcspn(text, "\n"), text);
    }
    return scanner_tell_keeper(scanner, MESSAGE_CONFIG_RESULT, &result, err);
}

static enum status take_peer(struct scanner *scanner, struct message *message, struct error *err)
{
    if (message->fd < 0)
        return error_set(err, STATUS_BAD_DATA, "PEER came without a descriptor");
    const struct message_peer *peer = message->body;
    return front_link_replace(scanner, take_fd(&message->fd), peer->epoch, err);
}

static enum status take_ledger(struct scanner *scanner, const struct message *message, struct error *err)
{
    pthread_mutex_lock(&scanner->lock);
    bool is_late = scanner->groups.count > 0 || scanner->groups.ledger.memory;
    enum status status = is_late
                             ? error_set(err, STATUS_BAD_DATA, "LEDGER came once too often")
                             : ledger_open(message->fd, clock_monotonic_ns(), &scanner->groups.ledger, err);
    pthread_mutex_unlock(&scanner->lock);
    return status;
}

static enum status from_keeper(struct scanner *scanner, struct message *message, struct error *err)
{
    struct message_empty empty = {0};
    switch (message->kind) {
    case MESSAGE_PING:
        sandbox_report();
        log_report_dropped();
        give_back_if_due(clock_monotonic_ns());
        return scanner_tell_keeper(scanner, MESSAGE_PONG, &empty, err);
    case MESSAGE_PEER:
        return take_peer(scanner, message, err);
    case MESSAGE_LEDGER:
        return take_ledger(scanner, message, err);
    case MESSAGE_CONFIG:
        return take_config(scanner, message, err);
    case MESSAGE_QUARANTINE:
        take_quarantine(scanner, message->body);
        return STATUS_OK;
    case MESSAGE_HELPER:
        launch_answer(scanner, message);
        return STATUS_OK;
    case MESSAGE_RESTARTS:
        return STATUS_OK;
    default:
        return error_set(err, STATUS_BAD_DATA, "the keeper does not send %s", message_name(message->kind));
    }
}

static void serve_front(struct scanner *scanner, const struct front_link *link)
{
    static struct log_limit refused;
    struct message message scoped_message = {.fd = -1};
    struct error err = {0};
    enum status status = link_receive(link->fd, &message, 0, &err);
    if (status == STATUS_TIMEOUT)
        return;
    if (status == STATUS_OK && message.kind == MESSAGE_STREAM_REQUEST) {
        streams_begin(scanner, &message);
        return;
    }
    if (status == STATUS_OK)
        status = error_set(&err, STATUS_BAD_DATA, "the front does not send %s", message_name(message.kind));
    if (status != STATUS_GONE)
        log_error_limited(&refused, LOG_WARN, "message of the front refused", &err);
    if (status == STATUS_GONE || status == STATUS_SYSTEM)
        front_link_lost(scanner, link);
}

static enum status run(struct scanner *scanner, struct error *err)
{
    for (;;) {
        scoped_front_link struct front_link *link = front_link_ref(scanner);
        struct pollfd polled[] = {{scanner->control, POLLIN, 0}, {link ? link->fd : -1, POLLIN, 0}};
        if (poll(polled, 2, TICK_MS) < 0 && errno != EINTR)
            return error_errno(err, errno, "poll");
        watch_check(scanner);
        if (link && polled[1].revents)
            serve_front(scanner, link);
        if (!polled[0].revents)
            continue;
        struct message message scoped_message = {.fd = -1};
        enum status status = link_receive(scanner->control, &message, 0, err);
        if (status == STATUS_TIMEOUT)
            continue;
        if (status == STATUS_OK)
            status = from_keeper(scanner, &message, err);
        if (status != STATUS_OK)
            return status;
    }
}

static enum status receive_start(struct scanner *scanner, struct error *err)
{
    struct message message scoped_message = {.fd = -1};
    enum status status = link_receive(scanner->control, &message, START_TIMEOUT_MS, err);
    if (status != STATUS_OK)
        return status;
    const struct message_start *start = message.body;
    if (message.kind != MESSAGE_START || !message_string_ok(start->procfs, sizeof start->procfs) ||
        start->log_level > LOG_ERROR || start->log_format > LOG_JSON)
        return error_set(err, STATUS_BAD_DATA, "the first message is not a sound START");
    scanner->start = *start;
    log_init((enum log_level)start->log_level, (enum log_format)start->log_format, "scanner");
    return sandbox_enter(ROLE_SCANNER, err);
}

static enum status init(struct scanner *scanner, struct error *err)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&scanner->lock, NULL);
    pthread_mutex_init(&scanner->control_lock, NULL);
    pthread_mutex_init(&scanner->watch_lock, NULL);
    pthread_cond_init(&scanner->is_due, &monotonic);
    pthread_cond_init(&scanner->launched, &monotonic);
    pthread_cond_init(&scanner->is_untold, NULL);
    pthread_condattr_destroy(&monotonic);
    scanner->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return scanner->wake_fd >= 0 ? STATUS_OK : error_errno(err, errno, "eventfd");
}

int scanner_main(int control_fd)
{
    struct scanner *scanner = calloc(1, sizeof *scanner);
    struct error err = {0};
    if (!scanner)
        return 1;
    signal(SIGPIPE, SIG_IGN);
    scanner->control = control_fd;
    scanner->wake_fd = scanner->epoll_fd = -1;
    enum status status = receive_start(scanner, &err);
    if (status == STATUS_OK)
        status = init(scanner, &err);
    if (status == STATUS_OK)
        status = ends_start(scanner, &err);
    if (status == STATUS_OK)
        status = discovery_start(scanner, &err);
    if (status == STATUS_OK)
        status = front_link_start(scanner, FRONT_LINK_PATIENCE_MS, &err);
    struct message_empty empty = {0};
    if (status == STATUS_OK)
        status = scanner_tell_keeper(scanner, MESSAGE_READY, &empty, &err);
    if (status == STATUS_OK)
        status = run(scanner, &err);
    if (status != STATUS_GONE)
        log_error(LOG_ERROR, "the scanner ends", &err);
    /* other threads may be in the middle of a read: they end with the process, and holders with their sockets
     */
    _exit(status == STATUS_GONE ? 0 : 1);
}
