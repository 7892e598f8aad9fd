/* test_live.c - a running process opened: its threads, its files, its word size, and why one cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/forked.h"
#include "target/live.h"

#define PAGE 4096

static void threads_and_robust_list(void **state)
{
    (void)state;
    struct forked child = forked_start(FORKED_EXITS);
    scoped_target struct target *target = forked_open(&child);
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
    forked_reap(&child);
}

static void opens_mapped_files(void **state)
{
    (void)state;
    static int written = 1;
    struct forked child = forked_start(FORKED_EXITS);
    scoped_target struct target *target = forked_open(&child);
    scoped_maps struct maps maps = {0};
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    const struct mapping *row = maps_find(&maps, (uintptr_t)&opens_mapped_files);
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
    const struct mapping *heap = maps_find(&maps, (uintptr_t)&written);
    assert_non_null(heap);
    assert_true(heap->is_writable);
    forked_reap(&child);
}

static void threads_in_a_namespace(void **state)
{
    (void)state;
    struct forked child = forked_start(FORKED_IN_NAMESPACE);
    scoped_target struct target *target = forked_open(&child);
    struct target_thread *rows;
    size_t count;
    assert_int_equal(target_threads(target, &rows, &count, NULL), STATUS_OK);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].own_tid, rows[i].tid == child.pid ? 1 : child.second_tid);
    free(rows);
    forked_reap(&child);
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
    struct forked child = {.pid = pid, .go = -1, .released = -1};
    if (failed == 0) {
        scoped_target struct target *target = forked_open(&child);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_robust_list), cmocka_unit_test(opens_mapped_files),
        cmocka_unit_test(threads_in_a_namespace),  cmocka_unit_test(word_of_i386),
        cmocka_unit_test(refusal_names_the_cause), cmocka_unit_test(not_a_process_with_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
