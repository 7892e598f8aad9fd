/* test_proc_file.c - files are read whole or not at all, and never without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/proc_file.h"

/* more than one read gives */
#define BYTES ((size_t)100000)

static int file_of(size_t bytes)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(write(fd, &(char){(char)('a' + i % 23)}, 1), 1);
    return fd;
}

static void whole(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0};
    scoped_fd int fd = file_of(BYTES);
    buffer_text(&text, "before");
    assert_int_equal(proc_file_read_fd(fd, BYTES, &text, NULL), STATUS_OK);
    assert_int_equal(text.length, strlen("before") + BYTES);
    assert_memory_equal(text.data, "beforeabc", 9);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(text.data[strlen("before") + i], 'a' + i % 23);
}

static void too_long(void **state)
{
    (void)state;
    struct error err = {0};
    scoped_buffer struct buffer text = {0};
    scoped_fd int fd = file_of(BYTES);
    buffer_text(&text, "before");
    assert_int_equal(proc_file_read_fd(fd, BYTES - 1, &text, &err), STATUS_SYSTEM);
    assert_non_null(strstr(err.message, "99999"));
    assert_int_equal(text.length, strlen("before"));
    assert_int_equal(proc_file_read_fd(fd, 0, &text, NULL), STATUS_SYSTEM);
}

static void empty(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0};
    scoped_fd int fd = file_of(0);
    assert_int_equal(proc_file_read_fd(fd, 0, &text, NULL), STATUS_OK);
    assert_int_equal(text.length, 0);
}

static void without_end(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0};
    assert_int_equal(proc_file_read(AT_FDCWD, "/dev/zero", PROC_STATUS_BYTES_MAX, &text, NULL),
                     STATUS_SYSTEM);
    assert_true(text.capacity <= 4 * PROC_STATUS_BYTES_MAX);
    assert_int_equal(proc_file_read(AT_FDCWD, "/nowhere", 1, &text, NULL), STATUS_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(too_long),
        cmocka_unit_test(empty),
        cmocka_unit_test(without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
