/* keeper.c - start of the service and its main loop: signals, heartbeats, restarts. */
#include "roles/keeper/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/helper.h"
#include "link/ledger.h"
#include "link/sandbox.h"
#include "roles/keeper/configuration.h"
#include "roles/keeper/dispatch.h"
#include "roles/keeper/notify.h"
#include "roles/keeper/own_usage.h"
#include "roles/keeper/user.h"
#include "target/live.h"

#define TICK_MS 250
#define END_NS (700 * NS_PER_MS)
/* some 25 s of them */
#define FAILED_WAITS_MAX 100u

static void raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    /* for the holder; no other role may ask the kernel for it */
    setrlimit(RLIMIT_RTPRIO, &(struct rlimit){1, 1});
}

/* Sockets first, since a port below 1024 needs root, and a bad address should end all at once. */
static enum status open_listeners(struct keeper *keeper, uid_t uid, gid_t gid, struct error *err)
{
    if (keeper->options->systemd_socket)
        return listeners_inherit(keeper->listeners, KEEPER_ADDRESSES_MAX, &keeper->listener_count, err);
    for (uint32_t i = 0; i < keeper->options->address_count; i++) {
        struct listener *listener = &keeper->listeners[keeper->listener_count];
        enum status status = listener_open(keeper->options->addresses[i], listener, err);
        if (status != STATUS_OK)
            return status;
        keeper->listener_count++;
        status = listener_give_to(listener, uid, gid, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status take_signals(struct keeper *keeper, struct error *err)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    /* what is ignored is not read either, and who starts us may leave it so; SIGINT is: a shell's way to say
     * that ^C is not for us */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    keeper->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return keeper->signal_fd >= 0 ? STATUS_OK : error_errno(err, errno, "signalfd");
}

static enum status prepare(struct keeper *keeper, struct error *err)
{
    const struct keeper_options *options = keeper->options;
    uid_t uid;
    gid_t gid;
    enum status status = target_live_check_procfs(options->procfs, err);
    if (status == STATUS_OK)
        status = user_find(options->user, &uid, &gid, err);
    if (status != STATUS_OK)
        return status;
    raise_limits();
    status = open_listeners(keeper, uid, gid, err);
    if (status == STATUS_OK)
        status = user_become(uid, gid, err);
    if (status == STATUS_OK)
        status = config_file_read(options->config_file, !options->is_config_given, &keeper->config,
                                  &keeper->config_fd, err);
    if (status == STATUS_OK)
        status = ledger_make(&keeper->ledger_fd, err);
    if (status == STATUS_OK)
        status = take_signals(keeper, err);
    /* the holder's filter now: it is forked when a stop is wanted, and a stop is in a hurry */
    if (status == STATUS_OK)
        status = sandbox_prepare(ROLE_HOLDER, err);
    if (status == STATUS_OK)
        status = sandbox_prepare(ROLE_RESOLVER, err);
    return status == STATUS_OK ? sandbox_enter(ROLE_KEEPER, err) : status;
}

/* A child has ended. In the start phase an exit code of 2 says that a flag cannot be honoured. */
static void child_exited(struct keeper *keeper, struct child *child, int wait_status)
{
    char how[64];
    if (WIFSIGNALED(wait_status))
        snprintf(how, sizeof how, "signal %d%s", WTERMSIG(wait_status),
                 WTERMSIG(wait_status) == SIGSYS ? " (a forbidden system call)" : "");
    else
        snprintf(how, sizeof how, "exit code %d", WEXITSTATUS(wait_status));
    log_event(LOG_WARN, "role ended", "role_name", child->name, "by", how, NULL);
    if (!keeper->is_started && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 2)
        keeper_end(keeper, 2);
    child->pid = 0;
    dispatch_drain(keeper, child);
    uint64_t now_ns = clock_monotonic_ns();
    if (child->role == ROLE_SCANNER) {
        quarantine_scanner_died(&keeper->quarantine, now_ns);
        configuration_scanner_ended(keeper);
    }
    child_ended(child, now_ns);
}

static void reap(struct keeper *keeper)
{
    int wait_status;
    pid_t pid;
    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        if (helper_ended(&keeper->helpers, pid, wait_status)) {
            if (helper_signal(wait_status) != 0)
                dispatch_restarts(keeper);
            continue;
        }
        for (size_t i = 0; i < KEEPER_CHILDREN; i++)
            if (keeper->children[i].pid == pid)
                child_exited(keeper, &keeper->children[i], wait_status);
    }
}

static void take_signal(struct keeper *keeper)
{
    struct signalfd_siginfo info;
    while (read(keeper->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            keeper_end(keeper, 0);
        else if (info.ssi_signo == SIGHUP)
            configuration_reload(keeper);
    }
    reap(keeper);
}

static void restart_what_is_due(struct keeper *keeper)
{
    uint64_t now_ns = clock_monotonic_ns();
    for (size_t i = 0; i < KEEPER_CHILDREN; i++) {
        struct error err = {0};
        struct child *child = &keeper->children[i];
        child_check(child, keeper->options->procfs, now_ns);
        if (child_is_due(child, now_ns) && dispatch_start(keeper, child, &err) != STATUS_OK)
            log_error(LOG_ERROR, "role could not be started", &err);
    }
    pairing_check(keeper, now_ns);
    own_usage_refresh(keeper, now_ns);
}

/* Without memory for it: again, a moment later. One that never can wait has nothing to serve for. */
static void wait_for_event(struct keeper *keeper, struct pollfd *polled, nfds_t count)
{
    if (poll(polled, count, TICK_MS) >= 0 || errno == EINTR) {
        keeper->failed_waits = 0;
        return;
    }
    if (++keeper->failed_waits == FAILED_WAITS_MAX) {
        log_event(LOG_ERROR, "the keeper cannot wait for events, and ends", "os_error", strerror(errno),
                  NULL);
        keeper_end(keeper, 1);
    }
    nanosleep(&(struct timespec){.tv_nsec = TICK_MS * (long)NS_PER_MS}, NULL);
}

static void run(struct keeper *keeper)
{
    while (!keeper->is_ending) {
        struct pollfd polled[1 + KEEPER_CHILDREN] = {{keeper->signal_fd, POLLIN, 0}};
        restart_what_is_due(keeper);
        configuration_check(keeper, clock_monotonic_ns());
        log_report_dropped();
        for (size_t i = 0; i < KEEPER_CHILDREN; i++)
            polled[1 + i] = (struct pollfd){keeper->children[i].control, POLLIN, 0};
        wait_for_event(keeper, polled, 1 + KEEPER_CHILDREN);
        for (size_t i = 0; i < KEEPER_CHILDREN; i++)
            if (polled[1 + i].revents)
                dispatch_receive(keeper, &keeper->children[i]);
        take_signal(keeper);
    }
}

void keeper_end(struct keeper *keeper, int exit_code)
{
    if (!keeper->is_ending)
        keeper->exit_code = exit_code;
    keeper->is_ending = true;
}

static bool has_children(const struct keeper *keeper)
{
    for (size_t i = 0; i < KEEPER_CHILDREN; i++)
        if (keeper->children[i].pid > 0)
            return true;
    return false;
}

/* Closing its socket tells a role to end. What still runs then is killed; holders let go as their sockets
 * close with the scanner. */
static void end_children(struct keeper *keeper)
{
    uint64_t limit_ns = clock_monotonic_ns() + END_NS;
    for (size_t i = 0; i < KEEPER_CHILDREN; i++)
        scoped_fd_run(&keeper->children[i].control);
    /* who was killed ends at once; one that the kernel holds does not keep us from it */
    while (has_children(keeper) && clock_monotonic_ns() < limit_ns + END_NS) {
        int wait_status;
        pid_t pid = waitpid(-1, &wait_status, WNOHANG);
        for (size_t i = 0; pid > 0 && i < KEEPER_CHILDREN; i++)
            if (keeper->children[i].pid == pid)
                keeper->children[i].pid = 0;
        if (pid > 0)
            continue;
        uint64_t now_ns = clock_monotonic_ns();
        for (size_t i = 0; now_ns >= limit_ns && i < KEEPER_CHILDREN; i++)
            child_kill(&keeper->children[i]);
        struct pollfd polled = {keeper->signal_fd, POLLIN, 0};
        poll(&polled, 1, 20);
        struct signalfd_siginfo info;
        while (read(keeper->signal_fd, &info, sizeof info) > 0)
            ;
    }
}

static int serve(struct keeper *keeper)
{
    struct error err = {0};
    enum status status = prepare(keeper, &err);
    if (status != STATUS_OK) {
        fprintf(stderr, "malloc_exporter: %s\n", err.message);
        return status == STATUS_USAGE || keeper->listener_count == keeper->options->address_count ? 2 : 1;
    }
    run(keeper);
    notify("STOPPING=1");
    end_children(keeper);
    return keeper->exit_code;
}

int keeper_run(const struct keeper_options *options)
{
    scoped_free struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return 1;
    keeper->options = options;
    keeper->signal_fd = keeper->config_fd = keeper->ledger_fd = keeper->new_config_fd = -1;
    keeper->start_time_seconds = (double)clock_realtime_ns() / 1e9;
    keeper->children[KEEPER_FRONT] = (struct child){.role = ROLE_FRONT, .name = "front", .control = -1};
    keeper->children[KEEPER_SCANNER] = (struct child){.role = ROLE_SCANNER, .name = "scanner", .control = -1};
    log_init((enum log_level)options->log_level, (enum log_format)options->log_format, "keeper");
    int code = serve(keeper);
    for (uint32_t i = 0; i < keeper->listener_count; i++)
        listener_close(&keeper->listeners[i]);
    scoped_fd_run(&keeper->signal_fd);
    scoped_fd_run(&keeper->config_fd);
    scoped_fd_run(&keeper->new_config_fd);
    scoped_fd_run(&keeper->ledger_fd);
    return code;
}
