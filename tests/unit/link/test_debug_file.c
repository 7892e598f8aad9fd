/* test_debug_file.c - where debug files are looked for below a root, and what is never opened there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/debug_file.h"

#define DEBUG "/usr/lib/debug"

static char directory[] = "/tmp/debug-file-XXXXXX";
static int root_fd = -1;

static const struct resolver_record WANTED = {
    .build_id_length = 4, .build_id = {0xab, 0x01, 0x02, 0xff}, .debuglink = "libc.debug"};

static void make_directories(const char *path)
{
    char part[200];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdirat(root_fd, part, 0700);
    }
}

static void put_file(const char *path, const char *text)
{
    make_directories(path);
    scoped_fd int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* What is found, "" for nothing. */
static const char *found(const struct resolver_record *wanted, const char *module_directory)
{
    static char text[32];
    memset(text, 0, sizeof text);
    scoped_fd int fd = debug_file_open(root_fd, true, DEBUG, module_directory, wanted);
    if (fd >= 0)
        assert_true(read(fd, text, sizeof text - 1) >= 0);
    return text;
}

static void looks_in_order(void **state)
{
    (void)state;
    assert_string_equal(found(&WANTED, "/lib/x"), "");
    put_file("lib/x/.debug/libc.debug", "beside");
    assert_string_equal(found(&WANTED, "/lib/x"), "beside");
    assert_string_equal(found(&WANTED, ""), "");
    put_file("usr/lib/debug/lib/x/libc.debug", "by name");
    assert_string_equal(found(&WANTED, "/lib/x"), "by name");
    put_file("usr/lib/debug/.build-id/ab/0102ff.debug", "by build-id");
    assert_string_equal(found(&WANTED, "/lib/x"), "by build-id");
    assert_string_equal(found(&WANTED, ""), "by build-id");
}

static void stays_inside(void **state)
{
    (void)state;
    struct resolver_record wanted = {.build_id_length = 2, .build_id = {0xcc, 0xdd}};
    make_directories("usr/lib/debug/.build-id/cc/");
    assert_int_equal(symlinkat("/etc/hostname", root_fd, "usr/lib/debug/.build-id/cc/dd.debug"), 0);
    assert_string_equal(found(&wanted, ""), "");
    put_file("etc/hostname", "inside");
    assert_string_equal(found(&wanted, ""), "inside");
    static const char *const NAMES[] = {"../etc/hostname", "/etc/hostname", "..", ".", ""};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct resolver_record other = {0};
        strcpy(other.debuglink, NAMES[i]);
        assert_string_equal(found(&other, "/usr"), "");
    }
}

static void opens_regular_files_only(void **state)
{
    (void)state;
    struct resolver_record wanted = {.build_id_length = 2, .build_id = {0xee, 0x01}};
    make_directories("usr/lib/debug/.build-id/ee/01.debug/");
    assert_string_equal(found(&wanted, ""), "");
    wanted.build_id[1] = 2;
    assert_int_equal(mkfifoat(root_fd, "usr/lib/debug/.build-id/ee/02.debug", 0600), 0);
    assert_string_equal(found(&wanted, ""), "");
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    root_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const PATHS[] = {
        "usr/lib/debug/.build-id/ee/01.debug",
        "usr/lib/debug/.build-id/ee/02.debug",
        "usr/lib/debug/.build-id/ee",
        "usr/lib/debug/.build-id/cc/dd.debug",
        "usr/lib/debug/.build-id/cc",
        "usr/lib/debug/.build-id/ab/0102ff.debug",
        "usr/lib/debug/.build-id/ab",
        "usr/lib/debug/.build-id",
        "usr/lib/debug/lib/x/libc.debug",
        "usr/lib/debug/lib/x",
        "usr/lib/debug/lib",
        "usr/lib/debug",
        "usr/lib",
        "usr",
        "lib/x/.debug/libc.debug",
        "lib/x/.debug",
        "lib/x",
        "lib",
        "etc/hostname",
        "etc",
    };
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        if (unlinkat(root_fd, PATHS[i], 0) != 0)
            unlinkat(root_fd, PATHS[i], AT_REMOVEDIR);
    close(root_fd);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_in_order),
        cmocka_unit_test(stays_inside),
        cmocka_unit_test(opens_regular_files_only),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
