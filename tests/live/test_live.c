/*
 * test_live.c - a forked child as a target. Memory that is laid out before the fork has the same addresses in
 * both. The child says over a pipe that it is ready, and does the next step when told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/live.h"

#define PAGE 4096

/* What a child does once it is told to go on. */
enum step { STEP_EXIT, STEP_EXEC, STEP_LEADER_EXITS, STEP_VFORK_EXEC, STEP_NAMESPACE };

struct child {
    pid_t pid;
    pid_t starter; /* its parent where that is not the test, else 0 */
    int go;        /* written: next step; closed: exit */
    int released;  /* end of file once the child has exec'ed or ended */
    uint64_t robust_head;
    pid_t second_tid;
};

struct hello {
    uint64_t robust_head;
    pid_t pid; /* in its own namespace */
    pid_t second_tid;
};

static pid_t second_tid;
static pthread_barrier_t second_started;

static void *second_thread(void *unused)
{
    second_tid = (pid_t)syscall(SYS_gettid);
    pthread_barrier_wait(&second_started);
    for (;;)
        pause();
    return unused;
}

static void exec_cat(int go)
{
    dup2(go, STDIN_FILENO);
    execlp("cat", "cat", (char *)NULL);
    _exit(1);
}

static void run_child(enum step step, int ready, int go)
{
    pthread_t thread;
    void *head = NULL;
    size_t length;
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_barrier_init(&second_started, NULL, 2);
    pthread_create(&thread, NULL, second_thread, NULL);
    pthread_barrier_wait(&second_started);
    syscall(SYS_get_robust_list, 0, &head, &length);
    struct hello hello = {
        .robust_head = (uintptr_t)head, .pid = (pid_t)syscall(SYS_getpid), .second_tid = second_tid};
    if (write(ready, &hello, sizeof hello) != (ssize_t)sizeof hello || read(go, &byte, 1) != 1 ||
        step == STEP_EXIT)
        _exit(0);
    if (step == STEP_LEADER_EXITS)
        syscall(SYS_exit, 0);
    exec_cat(go);
}

/* A child that shares its parent's memory until it execs; the parent stands still until then. */
static void run_vfork(int ready, int go)
{
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t pid = vfork();
    if (pid == 0) {
        struct hello hello = {.pid = (pid_t)syscall(SYS_getpid)};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (write(ready, &hello, sizeof hello) != (ssize_t)sizeof hello || read(go, &byte, 1) != 1)
            _exit(1);
        exec_cat(go);
    }
    close_range(STDERR_FILENO + 1, UINT32_MAX, 0);
    for (;;)
        pause();
}

/* A child in a pid namespace of its own; 1 is its pid there. */
static void run_namespace(int ready, int go)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWPID) != 0)
        _exit(1);
    pid_t pid = fork();
    if (pid == 0)
        run_child(STEP_EXIT, ready, go);
    close_range(STDERR_FILENO + 1, UINT32_MAX, 0);
    for (;;)
        pause();
}

static pid_t only_child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    return child;
}

static struct child spawn(enum step step)
{
    int ready[2], go[2], released[2];
    struct hello hello;
    assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(go, O_CLOEXEC) | pipe2(released, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(go[1]);
        if (step == STEP_VFORK_EXEC)
            run_vfork(ready[1], go[0]);
        else if (step == STEP_NAMESPACE)
            run_namespace(ready[1], go[0]);
        run_child(step, ready[1], go[0]);
    }
    close(ready[1]);
    close(go[0]);
    close(released[1]);
    ssize_t got = read(ready[0], &hello, sizeof hello);
    close(ready[0]);
    if (got == 0 && step == STEP_NAMESPACE) {
        waitpid(pid, NULL, 0);
        skip();
    }
    assert_int_equal(got, sizeof hello);
    bool is_own = step != STEP_VFORK_EXEC && step != STEP_NAMESPACE;
    return (struct child){.pid = is_own ? pid : only_child_of(pid),
                          .starter = is_own ? 0 : pid,
                          .go = go[1],
                          .released = released[0],
                          .robust_head = hello.robust_head,
                          .second_tid = hello.second_tid};
}

static void go_on(const struct child *child)
{
    assert_int_equal(write(child->go, "x", 1), 1);
}

static void reap(struct child *child)
{
    kill(child->pid, SIGKILL);
    if (child->starter)
        kill(child->starter, SIGKILL);
    waitpid(child->starter ? child->starter : child->pid, NULL, 0);
    close(child->go);
    close(child->released);
}

static struct target *open_child(const struct child *child)
{
    struct target *target;
    struct error err = {0};
    if (target_live_open("/proc", child->pid, &target, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return target;
}

/* Six pages: 0 and 1 written, 2 a hole, 3 never touched, 4 and 5 written. */
static const uint8_t PAGES[6] = {PAGE_PRESENT, PAGE_PRESENT, PAGE_ABSENT,
                                 PAGE_ABSENT,  PAGE_PRESENT, PAGE_PRESENT};

static uint8_t *lay_out(void)
{
    uint8_t *pages = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    for (int i = 0; i < 6; i++)
        if (i != 2 && i != 3)
            memset(pages + i * PAGE, 0x10 + i, PAGE);
    assert_int_equal(munmap(pages + 2 * PAGE, PAGE), 0);
    return pages;
}

static void reads_to_a_hole(void **state)
{
    (void)state;
    uint8_t *pages = lay_out(), data[6 * PAGE];
    struct child child = spawn(STEP_EXIT);
    scoped_target struct target *target = open_child(&child);
    uint64_t base = (uintptr_t)pages;
    assert_int_equal(target->word_bytes, sizeof(void *));
    assert_int_equal(target_read(target, base + 100, data, sizeof data), 2 * PAGE - 100);
    assert_int_equal(data[0], 0x10);
    assert_int_equal(data[2 * PAGE - 101], 0x11);
    assert_int_equal(target_read(target, base + 2 * PAGE, data, 1), 0);
    assert_int_equal(target_read(target, base + 4 * PAGE, data, 2 * PAGE), 2 * PAGE);
    assert_int_equal(data[PAGE], 0x15);
    assert_int_equal(target->read_bytes, 4 * PAGE - 100);
    reap(&child);
}

static void reads_parts(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    uint8_t *pages = lay_out();
    static struct target_part parts[COUNT];
    static uint8_t data[COUNT][16];
    /* Every third part crosses into the hole, one is empty, one lies at the end of the address space. */
    for (size_t i = 0; i < COUNT; i++)
        parts[i] = (struct target_part){.address = (uintptr_t)pages + (i % 3 == 2 ? 2 * PAGE - 8 : i % PAGE),
                                        .data = data[i],
                                        .length = 16};
    parts[1500].length = 0;
    parts[1501].address = UINT64_MAX - 4;
    struct child child = spawn(STEP_EXIT);
    scoped_target struct target *target = open_child(&child);
    target_read_parts(target, parts, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        bool is_readable = i % 3 != 2 && i != 1501;
        assert_int_equal(parts[i].is_read, is_readable);
        if (is_readable && parts[i].length)
            assert_int_equal(data[i][0], 0x10);
    }
    reap(&child);
}

static void page_states(void **state)
{
    (void)state;
    uint8_t *pages = lay_out(), states[6];
    struct child child = spawn(STEP_EXIT);
    scoped_target struct target *target = open_child(&child);
    memset(states, 0xff, sizeof states);
    assert_int_equal(target_page_states(target, (uintptr_t)pages, 6, states, NULL), STATUS_OK);
    assert_memory_equal(states, PAGES, sizeof states);
    reap(&child);
}

static void threads_and_robust_list(void **state)
{
    (void)state;
    struct child child = spawn(STEP_EXIT);
    scoped_target struct target *target = open_child(&child);
    struct target_thread *rows;
    size_t count;
    uint64_t head;
    assert_int_equal(target_threads(target, &rows, &count, NULL), STATUS_OK);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].tid == child.pid || rows[i].tid == child.second_tid);
        assert_int_equal(rows[i].own_tid, rows[i].tid);
    }
    free(rows);
    assert_int_equal(target_robust_list(target, child.pid, &head), STATUS_OK);
    assert_true(head == child.robust_head);
    assert_int_equal(target_robust_list(target, child.second_tid, &head), STATUS_OK);
    assert_true(head != child.robust_head);
    assert_int_equal(target_robust_list(target, INT32_MAX, &head), STATUS_GONE);
    assert_int_equal(target_live_stat(target)->num_threads, 2);
    reap(&child);
}

static void opens_mapped_files(void **state)
{
    (void)state;
    struct child child = spawn(STEP_EXIT);
    scoped_target struct target *target = open_child(&child);
    scoped_maps struct maps maps = {0};
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    const struct mapping *row = maps_find(&maps, (uintptr_t)&run_child);
    assert_non_null(row);
    int fd = -1;
    assert_int_equal(target_open_file(target, row, &fd, NULL), STATUS_OK);
    struct stat stat;
    assert_int_equal(fstat(fd, &stat), 0);
    assert_true(stat.st_ino == row->inode);
    close(fd);
    struct mapping other = *row;
    other.inode++;
    assert_int_equal(target_open_file(target, &other, &fd, NULL), STATUS_NOT_FOUND);
    other = *row;
    other.name = "/dev/zero";
    assert_int_equal(target_open_file(target, &other, &fd, NULL), STATUS_NOT_FOUND);
    const struct mapping *heap = maps_find(&maps, (uintptr_t)&second_tid);
    assert_non_null(heap);
    assert_true(heap->is_writable);
    reap(&child);
}

static void gone_after_exit(void **state)
{
    (void)state;
    struct child child = spawn(STEP_EXIT);
    scoped_target struct target *target = open_child(&child);
    char byte;
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
    go_on(&child);
    assert_int_equal(read(child.released, &byte, 1), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    struct target *zombie = NULL;
    assert_int_equal(target_live_open("/proc", child.pid, &zombie, NULL), STATUS_GONE);
    pid_t pid = child.pid;
    reap(&child);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    assert_int_equal(target_live_open("/proc", pid, &zombie, NULL), STATUS_NO_PROCESS);
}

static void gone_after_exec(void **state)
{
    (void)state;
    struct child child = spawn(STEP_EXEC);
    scoped_target struct target *target = open_child(&child);
    char byte;
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
    go_on(&child);
    assert_int_equal(read(child.released, &byte, 1), 0);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    struct maps maps;
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_GONE);
    scoped_target struct target *after = open_child(&child);
    assert_int_equal(target_still_same(after, NULL), STATUS_OK);
    assert_true(target_live_stat(after)->start_time_ticks == target_live_stat(target)->start_time_ticks);
    reap(&child);
}

static void gone_after_exec_of_a_vfork_child(void **state)
{
    (void)state;
    struct child child = spawn(STEP_VFORK_EXEC);
    scoped_target struct target *target = open_child(&child);
    char byte;
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
    go_on(&child);
    assert_int_equal(read(child.released, &byte, 1), 0);
    /* Its parent keeps the address space alive, so the mappings alone do not tell. */
    scoped_maps struct maps maps = {0};
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    reap(&child);
}

static void threads_in_a_namespace(void **state)
{
    (void)state;
    struct child child = spawn(STEP_NAMESPACE);
    scoped_target struct target *target = open_child(&child);
    struct target_thread *rows;
    size_t count;
    assert_int_equal(target_threads(target, &rows, &count, NULL), STATUS_OK);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].own_tid, rows[i].tid == child.pid ? 1 : child.second_tid);
    free(rows);
    reap(&child);
}

/* The same as page_states where the kernel has no PAGEMAP_SCAN: a filter refuses it to a forked reader. */
static void page_states_of_an_old_kernel(void **state)
{
    (void)state;
    uint8_t *pages = lay_out();
    struct child child = spawn(STEP_EXIT);
    pid_t pid = fork();
    if (pid == 0) {
        uint8_t states[6];
        struct target *target;
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        bool is_right = filter && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0) == 0 &&
                        seccomp_load(filter) == 0 &&
                        target_live_open("/proc", child.pid, &target, NULL) == STATUS_OK;
        for (int round = 0; round < 2; round++)
            is_right = is_right &&
                       target_page_states(target, (uintptr_t)pages, 6, states, NULL) == STATUS_OK &&
                       memcmp(states, PAGES, sizeof states) == 0;
        _exit(is_right ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_int_equal(result, 0);
    reap(&child);
}

static void goes_on_without_its_leader(void **state)
{
    (void)state;
    uint8_t *pages = lay_out(), byte;
    struct child child = spawn(STEP_LEADER_EXITS);
    scoped_target struct target *before = open_child(&child);
    go_on(&child);
    struct proc_stat stat = {0};
    while (stat.state != 'Z') {
        assert_int_equal(proc_stat_read("/proc", child.pid, &stat, NULL), STATUS_OK);
        sched_yield();
    }
    scoped_target struct target *after = open_child(&child);
    struct target *const both[] = {before, after};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(target_read(both[i], (uintptr_t)pages, &byte, 1), 1);
        assert_int_equal(target_still_same(both[i], NULL), STATUS_OK);
        struct target_thread *rows;
        size_t count;
        assert_int_equal(target_threads(both[i], &rows, &count, NULL), STATUS_OK);
        assert_int_equal(count, 1);
        assert_int_equal(rows[0].tid, child.second_tid);
        free(rows);
        scoped_maps struct maps maps = {0};
        assert_int_equal(target_maps(both[i], &maps, NULL), STATUS_OK);
        assert_non_null(maps_find(&maps, (uintptr_t)pages));
    }
    reap(&child);
}

/* A 32-bit program of our own making: exec closes the pipe, then it pauses. */
static int write_i386_program(const char *path)
{
    static const unsigned char code[] = {
        0xb8, 29,   0, 0, 0, /* mov $pause, %eax */
        0xcd, 0x80,          /* int $0x80 */
        0xeb, 0xf7,          /* again */
    };
    const uint32_t base = 0x08048000, offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr);
    Elf32_Ehdr head = {.e_ident = {ELFMAG0, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                       .e_type = ET_EXEC,
                       .e_machine = EM_386,
                       .e_version = EV_CURRENT,
                       .e_entry = base + offset,
                       .e_phoff = sizeof head,
                       .e_ehsize = sizeof head,
                       .e_phentsize = sizeof(Elf32_Phdr),
                       .e_phnum = 1};
    Elf32_Phdr load = {.p_type = PT_LOAD,
                       .p_vaddr = base,
                       .p_paddr = base,
                       .p_filesz = offset + sizeof code,
                       .p_memsz = offset + sizeof code,
                       .p_flags = PF_R | PF_X,
                       .p_align = PAGE};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (fd < 0 || write(fd, &head, sizeof head) < 0 || write(fd, &load, sizeof load) < 0 ||
        write(fd, code, sizeof code) < 0)
        return -1;
    return close(fd);
}

static void word_of_i386(void **state)
{
    (void)state;
    char directory[] = "/tmp/live-XXXXXX", path[64];
    int released[2], result = 0;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/program", directory);
    assert_int_equal(write_i386_program(path), 0);
    assert_int_equal(pipe2(released, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(path, path, (char *)NULL);
        result = errno;
        (void)!write(released[1], &result, sizeof result);
        _exit(1);
    }
    close(released[1]);
    ssize_t failed = read(released[0], &result, sizeof result);
    close(released[0]);
    struct child child = {.pid = pid, .go = -1, .released = -1};
    if (failed == 0) {
        scoped_target struct target *target = open_child(&child);
        assert_int_equal(target->word_bytes, 4);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(path);
    rmdir(directory);
    if (failed > 0)
        skip();
}

static void refusal_names_the_cause(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    /* A child as nobody tries to read us, who are root. */
    int said[2];
    struct error err = {0};
    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    pid_t own = getpid(), pid = fork();
    if (pid == 0) {
        struct target *target;
        if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
            _exit(1);
        err.status = target_live_open("/proc", own, &target, &err);
        (void)!write(said[1], &err, sizeof err);
        _exit(0);
    }
    close(said[1]);
    assert_int_equal(read(said[0], &err, sizeof err), sizeof err);
    close(said[0]);
    waitpid(pid, NULL, 0);
    assert_int_equal(err.status, STATUS_PERMISSION);
    assert_non_null(strstr(err.message, "CAP_SYS_PTRACE is missing"));
    assert_non_null(strstr(err.message, "user 0"));
}

static void not_a_process_with_memory(void **state)
{
    (void)state;
    struct target *target;
    assert_int_equal(target_live_open("/proc", INT32_MAX, &target, NULL), STATUS_NO_PROCESS);
    struct proc_stat stat;
    if (proc_stat_read("/proc", 2, &stat, NULL) == STATUS_OK && strcmp(stat.comm, "kthreadd") == 0)
        assert_int_equal(target_live_open("/proc", 2, &target, NULL), STATUS_UNSUPPORTED);
}

/* It gives up its memory before it is a zombie, and freeing much of it takes a while. */
static void ended_while_it_frees_its_memory(void **state)
{
    (void)state;
    const size_t length = (size_t)256 << 20;
    int pipe_fds[2];
    char byte;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        (void)!write(pipe_fds[1], "", 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    kill(pid, SIGKILL);
    enum status status = STATUS_OK;
    for (siginfo_t info = {0}; status == STATUS_OK || info.si_pid == 0;) {
        struct target *target = NULL;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
        status = target_live_open("/proc", pid, &target, NULL);
        target_close(target);
        assert_true(status == STATUS_OK || status == STATUS_GONE);
    }
    waitpid(pid, NULL, 0);
}

/* Without a descriptor to ask by, nothing is known of a process, and it is not called ended. */
static void no_descriptor_is_not_its_end(void **state)
{
    (void)state;
    struct child child = spawn(STEP_EXIT);
    scoped_target struct target *target = open_child(&child);
    struct rlimit before, none;
    struct target_thread *rows = NULL;
    size_t count = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status threads = target_threads(target, &rows, &count, NULL), same = target_still_same(target, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(threads, STATUS_SYSTEM);
    assert_int_equal(same, STATUS_SYSTEM);
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
    reap(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_to_a_hole),
        cmocka_unit_test(reads_parts),
        cmocka_unit_test(page_states),
        cmocka_unit_test(threads_and_robust_list),
        cmocka_unit_test(opens_mapped_files),
        cmocka_unit_test(gone_after_exit),
        cmocka_unit_test(gone_after_exec),
        cmocka_unit_test(gone_after_exec_of_a_vfork_child),
        cmocka_unit_test(threads_in_a_namespace),
        cmocka_unit_test(page_states_of_an_old_kernel),
        cmocka_unit_test(goes_on_without_its_leader),
        cmocka_unit_test(word_of_i386),
        cmocka_unit_test(refusal_names_the_cause),
        cmocka_unit_test(not_a_process_with_memory),
        cmocka_unit_test(ended_while_it_frees_its_memory),
        cmocka_unit_test(no_descriptor_is_not_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
