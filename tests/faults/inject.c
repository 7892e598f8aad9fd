/*
 * inject.c - runs a program and lets one of its system calls fail: inject FD COMMAND…
 *
 * From outside of the program (seccomp_unotify(2)): each call of calls.c waits for our word, of every process
 * that comes of the command, whichever library makes it. FD is a socket to who steers. He sends lines:
 *
 * - "arm ROLE NTH FAULT [CALL]": from here on the NTH call (from 1; of CALL, if given) of ROLE (any, main,
 *   helper, front, scanner) fails by its fault number FAULT (from 0, as calls.c has them);
 * - "count": answered by "count N", the calls of ROLE since the last arm.
 *
 * We say "fired CALL FAULT ROLE" when it did so, "none CALL" where the call has fewer faults and was let
 * through, "skipped CALL" where a short transfer cannot be made of it. What a program's loader does before it
 * runs is not counted. Exits as the command does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "short_transfer.h"

/* PID_MAX_LIMIT of 64-bit kernels, to which a pid namespace may set its own limit (include/linux/threads.h)
 */
#define PROCESSES_MAX (4 * 1024 * 1024)

enum role { ROLE_UNKNOWN, ROLE_MAIN, ROLE_HELPER, ROLE_FRONT, ROLE_SCANNER, ROLE_ANY };
static const char *const ROLE_NAMES[] = {"?", "main", "helper", "front", "scanner", "any"};

static struct {
    int steering;
    int notices;
    pid_t first; /* the command */
    enum role armed_role;
    uint64_t nth, seen;
    int fault;
    bool is_armed;
    char call[32]; /* "": any */
} injector;

/* By the number of a thread: its process and role; forgotten at exec and at each arming. */
static struct thread {
    pid_t process;
    uint8_t role;
} * threads;                           /* PROCESSES_MAX of them, most never touched */
static bool is_loading[PROCESSES_MAX]; /* by process: between exec and the end of its loader's work */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char line[160];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    (void)!write(injector.steering, line, (size_t)length);
}

static size_t read_file(pid_t tid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, size - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

static pid_t process_of(pid_t tid)
{
    char text[4096];
    if (threads[tid].process == 0) {
        read_file(tid, "status", text, sizeof text);
        const char *line = strstr(text, "\nTgid:\t");
        threads[tid].process = line ? (pid_t)atoi(line + strlen("\nTgid:\t")) : tid;
    }
    return threads[tid].process;
}

static enum role role_of(pid_t tid)
{
    char text[4096];
    if (threads[tid].role != ROLE_UNKNOWN)
        return (enum role)threads[tid].role;
    enum role role = process_of(tid) == injector.first ? ROLE_MAIN : ROLE_HELPER;
    size_t length = read_file(tid, "cmdline", text, sizeof text);
    if (memmem(text, length, "--role=front", strlen("--role=front")))
        role = ROLE_FRONT;
    if (memmem(text, length, "--role=scanner", strlen("--role=scanner")))
        role = ROLE_SCANNER;
    threads[tid].role = (uint8_t)role;
    return role;
}

/* Answer with the planted fault; false: it cannot be, let the call go on. */
static bool plant(const struct seccomp_notif *notice, const struct faulty_call *call,
                  struct seccomp_notif_resp *answer)
{
    int faults = 0;
    while (call->faults[faults] != 0)
        faults++;
    if (injector.fault >= faults) {
        say("none %s\n", call->name);
        return false;
    }
    int fault = call->faults[injector.fault];
    if (fault == FAULT_SHORT) {
        int64_t done = short_transfer(process_of((pid_t)notice->pid), &notice->data);
        answer->val = done;
        answer->flags = 0;
        if (done < 0) {
            say("skipped %s\n", call->name);
            return false;
        }
    } else {
        answer->error = -fault;
        answer->flags = 0;
    }
    say("fired %s %s %s\n", call->name, fault_name(fault), ROLE_NAMES[role_of((pid_t)notice->pid)]);
    return true;
}

/* Loaders and exec; false: the call does not count. */
static bool is_counted(const struct seccomp_notif *notice)
{
    pid_t tid = (pid_t)notice->pid, process = process_of(tid);
    bool was_loading = is_loading[process];
    if (notice->data.nr == SYS_execve) {
        threads[tid].role = ROLE_UNKNOWN;
        is_loading[process] = true;
    } else if (notice->data.nr == SYS_munmap) {
        is_loading[process] = false;
        return false;
    }
    return !was_loading && injector.first != 0;
}

static void judge(const struct seccomp_notif *notice, struct seccomp_notif_resp *answer)
{
    const struct faulty_call *call = faulty_call_find(notice->data.nr, notice->data.args[1]);
    enum role role = role_of((pid_t)notice->pid);
    if (!is_counted(notice) || !call || (injector.armed_role != ROLE_ANY && role != injector.armed_role))
        return;
    if (injector.call[0] && strcmp(injector.call, call->name) != 0)
        return;
    injector.seen++;
    if (!injector.is_armed || injector.seen != injector.nth)
        return;
    injector.is_armed = false;
    plant(notice, call, answer);
}

static void take_notice(void)
{
    struct seccomp_notif notice = {0};
    if (ioctl(injector.notices, SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0)
        return;
    struct seccomp_notif_resp answer = {.id = notice.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    judge(&notice, &answer);
    ioctl(injector.notices, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void obey(const char *line)
{
    char role[16], call[sizeof injector.call] = "";
    unsigned long long nth;
    int fault;
    if (strncmp(line, "count", 5) == 0) {
        say("count %llu\n", (unsigned long long)injector.seen);
        return;
    }
    if (sscanf(line, "arm %15s %llu %d %31s", role, &nth, &fault, call) < 3)
        return;
    for (int i = ROLE_MAIN; i <= ROLE_ANY; i++)
        if (strcmp(ROLE_NAMES[i], role) == 0)
            injector.armed_role = (enum role)i;
    madvise(threads, PROCESSES_MAX * sizeof *threads, MADV_DONTNEED); /* zeros again */
    memcpy(injector.call, call, sizeof call);
    injector.nth = nth;
    injector.fault = fault;
    injector.seen = 0;
    injector.is_armed = nth > 0;
    say("armed\n");
}

static bool take_steering(void)
{
    char text[512];
    ssize_t length = read(injector.steering, text, sizeof text - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
        obey(line);
    return true;
}

static int install_filter(void)
{
    struct sock_filter code[2 * 128 + 4] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short at = 1;
    for (size_t i = 0; i < FAULTY_CALLS_COUNT + 1; i++) {
        unsigned number = (unsigned)(i < FAULTY_CALLS_COUNT ? FAULTY_CALLS[i].number : SYS_munmap);
        if ((int)number < 0)
            continue;
        code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
        code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    }
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = at, .filter = code};
    if (geteuid() != 0)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* The listener's number goes over shared memory: any call of the child may wait for us already. */
static int start(char **command)
{
    volatile int *listener = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (listener == MAP_FAILED)
        return -1;
    *listener = -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(injector.steering);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = install_filter();
        *listener = fd < 0 ? -2 : fd;
        if (fd < 0)
            _exit(125);
        execv(command[0], command);
        _exit(127);
    }
    while (*listener == -1)
        usleep(200);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    injector.notices = *listener >= 0 ? (int)syscall(SYS_pidfd_getfd, pidfd, *listener, 0) : -1;
    injector.first = pid;
    is_loading[pid] = true;
    return pidfd;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 125;
    faulty_calls_resolve();
    threads = mmap(NULL, PROCESSES_MAX * sizeof *threads, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (threads == MAP_FAILED) {
        perror("inject: no memory for its threads");
        return 125;
    }
    injector.steering = atoi(argv[1]);
    injector.armed_role = ROLE_ANY;
    fcntl(injector.steering, F_SETFD, FD_CLOEXEC);
    if (!take_steering()) /* the first order comes before the first call */
        return 125;
    int pidfd = start(argv + 2);
    if (pidfd < 0 || injector.notices < 0) {
        perror("inject: the command cannot be held");
        return 125;
    }
    struct pollfd polled[] = {
        {injector.notices, POLLIN, 0}, {injector.steering, POLLIN, 0}, {pidfd, POLLIN, 0}};
    while (poll(polled, 3, -1) > 0 || errno == EINTR) {
        if (polled[0].revents & POLLIN)
            take_notice();
        else if (polled[2].revents) /* the command has ended, and nobody waits for us */
            break;
        if (polled[1].revents && !take_steering())
            break;
    }
    int status = 0;
    kill(injector.first, SIGKILL);
    waitpid(injector.first, &status, 0);
    say("count %llu\n", (unsigned long long)injector.seen);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
