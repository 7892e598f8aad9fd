/*
 * test_resolver_files.c - files that a resolver is given and that are not what they should be: changed, cut,
 * huge, or others while they are read. Each is one failed resolution.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "resolver_fixture.h"

/* libc without its build-id: a debug file of the right name is taken if its checksum is the one named. */
static void checks_debuglink(void **state)
{
    (void)state;
    struct module libc;
    struct symbol_answer answer;
    struct resolver_client client;
    char debug_file[400], directory[] = "/tmp/debuglink.XXXXXX", command[2048], path[64];
    scoped_fd int fd = open_libc(&libc);
    debug_file_of(&libc, debug_file);
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof command,
             "mkdir %1$s/.debug && cp %2$s %1$s/.debug/x.debug && "
             "objcopy -R .note.gnu.build-id -R .gnu_debuglink %3$s %1$s/y && "
             "objcopy --add-gnu-debuglink=%1$s/.debug/x.debug %1$s/y %1$s/x",
             directory, debug_file, libc.path);
    bool is_made = system(command) == 0;
    snprintf(path, sizeof path, "%s/x", directory);
    scoped_fd int copy = open(path, O_RDONLY | O_CLOEXEC);
    /* whatever it costs to read a file of a terabyte, it ends with the time that is given */
    snprintf(path, sizeof path, "%s/.debug/x.debug", directory);
    scoped_fd int debug = open(path, O_RDWR | O_CLOEXEC);
    snprintf(command, sizeof command, "rm -r %s", directory);
    resolver_client_init(&client, forked_helper_launcher(&resolver));
    client.timeout_ns = 120 * NS_PER_SECOND; /* however busy the machine is */
    client.debug_directory = "/nonexistent";
    enum status right = is_made ? ask(&client, copy, NULL, &answer) : STATUS_OK;
    /* the padding behind the ELF identification: nothing that a parser looks at */
    bool is_changed = pwrite(debug, "x", 1, 15) == 1;
    enum status wrong = is_made ? ask(&client, copy, NULL, &answer) : STATUS_OK;
    bool is_huge = ftruncate(debug, (off_t)1 << 40) == 0;
    client.timeout_ns = 200 * NS_PER_MS;
    enum status huge = is_made && is_huge ? ask(&client, copy, NULL, &answer) : STATUS_TIMEOUT;
    assert_int_equal(system(command), 0);
    if (!is_made)
        skip(); /* no objcopy */
    assert_true(is_changed);
    assert_int_equal(right, STATUS_OK);
    assert_int_equal(wrong, STATUS_NOT_FOUND);
    assert_int_equal(huge, STATUS_TIMEOUT);
    assert_true(resolver.pid == 0); /* and so does the resolver */
}

static int memory_file(const void *data, size_t length, off_t size)
{
    int fd = memfd_create("elf", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, data, length) == (ssize_t)length);
    assert_int_equal(ftruncate(fd, size), 0);
    return fd;
}

static void refuses_broken_files(void **state)
{
    (void)state;
    struct module libc;
    struct symbol_answer answer;
    struct resolver_client client;
    scoped_fd int fd = open_libc(&libc);
    static char data[1 << 16];
    ssize_t length = pread(fd, data, sizeof data, 0);
    assert_int_equal(length, sizeof data);
    resolver_client_init(&client, forked_helper_launcher(&resolver));
    client.debug_directory = "/nonexistent";
    /* libc cut at several places, then its head in a file of 1 TiB, whose headers point anywhere. */
    for (off_t size = 0; size <= (off_t)sizeof data; size += 8192) {
        scoped_fd int cut = memory_file(data, sizeof data, size);
        enum status status = ask(&client, cut, NULL, &answer);
        assert_true(status == STATUS_BAD_DATA || status == STATUS_NOT_FOUND);
    }
    for (size_t at = 0; at < 64; at += 4) {
        scoped_fd int huge = memory_file(data, sizeof data, (off_t)1 << 40);
        assert_int_equal(pwrite(huge, "\xff\xff\xff\x7f", 4, (off_t)at), 4);
        enum status status = ask(&client, huge, NULL, &answer);
        assert_true(status == STATUS_BAD_DATA || status == STATUS_NOT_FOUND);
    }
    memset(data, 'x', sizeof data);
    scoped_fd int garbage = memory_file(data, sizeof data, sizeof data);
    assert_int_equal(ask(&client, garbage, NULL, &answer), STATUS_BAD_DATA);
}

/* This program with its headers and contents changed at random: libelf and libdw may crash on it, we must
 * not. */
static void survives_changed_files(void **state)
{
    (void)state;
    scoped_fd int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat stat;
    assert_int_equal(fstat(own, &stat), 0);
    size_t length = (size_t)stat.st_size;
    scoped_free char *whole = malloc(length);
    assert_non_null(whole);
    assert_int_equal(pread(own, whole, length, 0), length);
    ElfW(Ehdr) header;
    memcpy(&header, whole, sizeof header);
    struct symbol_answer answer;
    struct resolver_client client;
    resolver_client_init(&client, forked_helper_launcher(&resolver));
    client.debug_directory = "/nonexistent";
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 100; round++) {
        scoped_fd int fd = memory_file(whole, length, (off_t)length);
        for (int change = 0; change < 8; change++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            /* Half of the changes hit the headers, where they do most. */
            size_t at = seed % (length - 8);
            if (change % 4 == 0)
                at = seed % sizeof header;
            else if (change % 4 == 1)
                at = header.e_shoff + seed % (header.e_shnum * sizeof(ElfW(Shdr)) - 8);
            assert_int_equal(pwrite(fd, &seed, 1 + seed % 8, (off_t)at), 1 + seed % 8);
        }
        enum status status = ask(&client, fd, NULL, &answer);
        assert_true(status == STATUS_BAD_DATA || status == STATUS_NOT_FOUND);
    }
}

/* A file that another process changes all the time that it is read. */
static void survives_changing_files(void **state)
{
    (void)state;
    struct module libc;
    struct symbol_answer answer;
    struct resolver_client client;
    scoped_fd int fd = open_libc(&libc);
    char debug_file[400];
    debug_file_of(&libc, debug_file);
    scoped_fd int debug = open(debug_file, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    assert_int_equal(fstat(debug, &stat), 0);
    scoped_fd int copy = memfd_create("elf", MFD_CLOEXEC);
    for (off_t at = 0; at < stat.st_size;)
        assert_true(sendfile(copy, debug, &at, (size_t)(stat.st_size - at)) > 0);
    pid_t changer = fork();
    if (changer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (uint64_t seed = 88172645463325252u;;) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            off_t at = seed % 4 == 0 ? (off_t)(seed / 4 % 64) : (off_t)(seed / 4 % (uint64_t)stat.st_size);
            if (seed % 1024 == 1)
                (void)!ftruncate(copy, at);
            (void)!pwrite(copy, &seed, 8, at);
        }
    }
    resolver_client_init(&client, forked_helper_launcher(&resolver));
    client.timeout_ns = 120 * NS_PER_SECOND; /* however busy the machine is */
    client.debug_directory = "/nonexistent";
    for (int round = 0; round < 30; round++) {
        enum status status = ask(&client, copy, NULL, &answer);
        assert_true(status == STATUS_OK || status == STATUS_BAD_DATA || status == STATUS_NOT_FOUND);
    }
    kill(changer, SIGKILL);
    waitpid(changer, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_debuglink),
        cmocka_unit_test(refuses_broken_files),
        cmocka_unit_test(survives_changed_files),
        cmocka_unit_test(survives_changing_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
