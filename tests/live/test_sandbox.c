/*
 * test_sandbox.c - each role's real filter, and every call that harms tried under it in a process of its own:
 * what must kill kills, what is unknown gets ENOSYS and does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "link/landlock.h"
#include "link/sandbox.h"
#include "roles/front/confine.h"
#include "target/pagemap_scan.h"

#define REFUSED 250
#define LATER_CALL 4000 /* of a kernel to come */

/* What a call comes to, by role: K it kills, A it is made, E it is unknown: ENOSYS. */
struct attempt {
    const char *what;
    const char expected[ROLE_COUNT + 1]; /* keeper, front, scanner, resolver, holder */
    long number;
    long arguments[4];
};

static struct open_how how = {.flags = O_RDONLY};
#define TEXT(text) ((long)(uintptr_t)(text))

static const struct attempt *attempts(size_t *count_ret)
{
    static struct attempt list[64];
    const struct attempt all[] = {
        {"attach", "AKKKK", SYS_ptrace, {PTRACE_ATTACH, 0x7fffffff}},
        {"seize", "AKKKA", SYS_ptrace, {PTRACE_SEIZE, 0x7fffffff}},
        {"detach", "AKKKK", SYS_ptrace, {PTRACE_DETACH, 0x7fffffff}},
        {"poke", "AKKKK", SYS_ptrace, {PTRACE_POKEDATA, 0x7fffffff}},
        {"set registers", "AKKKK", SYS_ptrace, {PTRACE_SETREGSET, 0x7fffffff}},
        {"read memory", "AKAKK", SYS_process_vm_readv, {0x7fffffff}},
        {"write memory", "KKKKK", SYS_process_vm_writev, {0x7fffffff}},
        {"execute", "AKKKK", SYS_execve, {0}},
        {"fork", "AKKKK", SYS_clone, {CLONE_SIGHAND}},
        {"fork with a copy of the memory", "AKKKK", SYS_clone, {SIGCHLD}},
        {"make a socket", "AKKKK", SYS_socket, {AF_INET, SOCK_STREAM}},
        {"make a pair", "AKKKK", SYS_socketpair, {AF_UNIX, -1}},
        {"connect", "AKKKK", SYS_connect, {-1}},
        {"bind", "AKKKK", SYS_bind, {-1}},
        {"listen", "AKKKK", SYS_listen, {-1}},
        {"accept", "AAKKK", SYS_accept4, {-1}},
        {"open for reading", "AAAKA", SYS_openat, {AT_FDCWD, TEXT("/dev/null"), O_RDONLY | O_CLOEXEC}},
        {"open for writing", "AKKKK", SYS_openat, {AT_FDCWD, TEXT("/dev/null"), O_WRONLY}},
        {"open for both", "AKKKK", SYS_openat, {AT_FDCWD, TEXT("/dev/null"), O_RDWR}},
        {"create", "AKKKK", SYS_openat, {AT_FDCWD, TEXT("/nowhere/file"), O_CREAT, 0600}},
        {"open in a root", "AKAKK", SYS_openat2, {AT_FDCWD, TEXT("/dev/null"), TEXT(&how), sizeof how}},
        {"unlink", "AKKKK", SYS_unlinkat, {AT_FDCWD, TEXT("/nowhere/file")}},
        {"rename", "AKKKK", SYS_renameat2, {AT_FDCWD, TEXT("/nowhere/a"), AT_FDCWD, TEXT("/nowhere/b")}},
        {"write at a place", "AKKKK", SYS_pwrite64, {-1}},
        {"signal", "AKKKK", SYS_kill, {0x7fffffff, 0}},
        {"signal by pidfd", "AKKKK", SYS_pidfd_send_signal, {-1}},
        {"take a descriptor", "KKKKK", SYS_pidfd_getfd, {-1}},
        {"change user", "AKKKK", SYS_setuid, {0}},
        {"change capabilities", "AKKKK", SYS_capset, {0}},
        {"map code", "AKKKK", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE}},
        {"make code", "AKKKK", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}},
        {"bpf", "KKKKK", SYS_bpf, {0}},
        {"mount", "KKKKK", SYS_mount, {0}},
        {"namespaces", "KKKKK", SYS_unshare, {0}},
        {"io_uring", "KKKKK", SYS_io_uring_setup, {0}},
        {"a module", "KKKKK", SYS_finit_module, {-1}},
        {"userfaultfd", "KKKKK", SYS_userfaultfd, {0}},
        {"what no role knows", "AEEEE", SYS_getpgid, {0}},
        {"other limits", "AEEEE", SYS_prlimit64, {0, 7, TEXT(&how)}},
        {"be dumpable", "AEEEE", SYS_prctl, {PR_SET_DUMPABLE, 1}},
    };
    _Static_assert(sizeof all <= sizeof list, "room");
    memcpy(list, all, sizeof all);
    *count_ret = sizeof all / sizeof *all;
    return list;
}

static _Noreturn void attempt_run(enum role role, const struct attempt *attempt)
{
    if (sandbox_enter(role, NULL) != STATUS_OK)
        _exit(1);
    errno = 0;
    long rc = syscall(attempt->number, attempt->arguments[0], attempt->arguments[1], attempt->arguments[2],
                      attempt->arguments[3], 0, 0);
    _exit(rc < 0 && errno == ENOSYS ? REFUSED : 0);
}

static char outcome(int wait_status)
{
    if (WIFSIGNALED(wait_status))
        return WTERMSIG(wait_status) == SIGSYS ? 'K' : '?';
    return WEXITSTATUS(wait_status) == 0 ? 'A' : WEXITSTATUS(wait_status) == REFUSED ? 'E' : '?';
}

static void test_every_call(void **state)
{
    (void)state;
    size_t count;
    const struct attempt *list = attempts(&count);
    for (enum role role = ROLE_KEEPER; role < ROLE_COUNT; role++) {
        assert_int_equal(sandbox_prepare(role, NULL), STATUS_OK);
        for (size_t i = 0; i < count; i++) {
            int wait_status;
            pid_t pid = fork();
            if (pid == 0)
                attempt_run(role, &list[i]);
            assert_int_equal(waitpid(pid, &wait_status, 0), pid);
            if (outcome(wait_status) != list[i].expected[role])
                fail_msg("role %d, %s: %c instead of %c", (int)role, list[i].what, outcome(wait_status),
                         list[i].expected[role]);
        }
    }
}

/* Run @body in a process of its own; it must _exit(0). */
static void in_child(void (*body)(void))
{
    int wait_status;
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &wait_status, 0), pid);
    assert_int_equal(wait_status, 0);
}

static void require(int holds, int line)
{
    if (holds)
        return;
    dprintf(STDERR_FILENO, "test_sandbox.c:%d does not hold, errno %d\n", line, errno);
    _exit(1);
}
#define REQUIRE(what) require((what) != 0, __LINE__)

static void *nothing(void *context)
{
    return context;
}

/* What libraries do in a role that serves must go on. */
static void threads_and_memory(void)
{
    pthread_t threads[64];
    REQUIRE(sandbox_enter(ROLE_FRONT, NULL) == STATUS_OK);
    for (size_t i = 0; i < 64; i++)
        REQUIRE(pthread_create(&threads[i], NULL, nothing, NULL) == 0);
    for (size_t i = 0; i < 64; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    void *block = malloc(64 << 20);
    REQUIRE(block != NULL);
    free(block);
}

/* Around the start of a thread the C library blocks every signal, SIGSYS too. */
static void later_call_with_signals_blocked(void)
{
    sigset_t all;
    REQUIRE(sandbox_enter(ROLE_FRONT, NULL) == STATUS_OK);
    sigfillset(&all);
    REQUIRE(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    errno = 0;
    REQUIRE(syscall(LATER_CALL, 0) == -1 && errno == ENOSYS);
}

static void scanner_reads(void)
{
    char byte = 'x', copy = 0;
    struct iovec local = {&copy, 1}, remote = {&byte, 1};
    int memory = memfd_create("test", MFD_CLOEXEC);
    REQUIRE(sandbox_enter(ROLE_SCANNER, NULL) == STATUS_OK);
    REQUIRE(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 && copy == 'x');
    errno = 0;
    REQUIRE(lseek(memory, 1, SEEK_SET) == -1 && errno == ESPIPE);
    errno = 0; /* of no pagemap: made, and refused by the file */
    REQUIRE(ioctl(memory, PAGEMAP_SCAN_IOCTL, NULL) == -1 && errno != ENOSYS);
    REQUIRE(syscall(SYS_pidfd_open, getpid(), 0) >= 0);
}

static void only_below(void)
{
    const char *const places[] = {"/proc", "/nowhere"};
    bool is_enforced = false;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9)};
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(landlock_enter(places, 2, &is_enforced, NULL) == STATUS_OK);
    if (!is_enforced)
        return;
    REQUIRE(open("/proc/self/stat", O_RDONLY) >= 0);
    REQUIRE(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
    REQUIRE(open("/tmp", O_RDONLY | O_DIRECTORY) == -1 && errno == EACCES);
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 4)
        REQUIRE(connect(tcp, (const struct sockaddr *)&name, sizeof name) == -1 && errno == EACCES);
    REQUIRE(ptrace(PTRACE_SEIZE, getppid(), 0, 0) == -1 && errno == EPERM);
}

static void test_what_roles_need(void **state)
{
    (void)state;
    in_child(threads_and_memory);
    in_child(later_call_with_signals_blocked);
    in_child(scanner_reads);
}

static char web_file[64];

/* Of files the front can open none but those beside its web configuration. */
static void front_reads_nothing_else(void)
{
    struct buffer problems scoped_buffer = {0};
    struct front front = {0};
    bool has_landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
    REQUIRE(web_new(web_file, &front.web, &problems, NULL) == STATUS_OK);
    REQUIRE(front_confine(&front, NULL) == STATUS_OK);
    REQUIRE(open(web_file, O_RDONLY) >= 0);
    if (!has_landlock)
        return;
    REQUIRE(open("/proc/self/stat", O_RDONLY) == -1 && errno == EACCES);
    REQUIRE(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
}

static void test_landlock(void **state)
{
    (void)state;
    char directory[] = "/tmp/test_sandbox-XXXXXX";
    in_child(only_below);
    assert_non_null(mkdtemp(directory));
    snprintf(web_file, sizeof web_file, "%s/web.yml", directory);
    int fd = open(web_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "{}\n", 3), 3);
    close(fd);
    in_child(front_reads_nothing_else);
    unlink(web_file);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call),
        cmocka_unit_test(test_what_roles_need),
        cmocka_unit_test(test_landlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
