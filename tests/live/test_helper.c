/* test_helper.c - a forked helper: it has its socket, and it ends when who started it wants or ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/helper.h"

#define PATIENCE_MS 60000

/* All that hold its writing end have it from the test; its end of file tells that none of them lives. */
static int alive[2];

static int say_mask(int socket_fd)
{
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    return send(socket_fd, &mask, sizeof mask, 0) != (ssize_t)sizeof mask;
}

static int hang(int socket_fd)
{
    (void)socket_fd;
    if (write(alive[1], "x", 1) != 1)
        return 1;
    for (;;)
        pause();
}

static void test_has_socket_and_all_signals(void **state)
{
    (void)state;
    struct forked_helper helper = {.main = say_mask};
    scoped_fd int fd = -1;
    sigset_t blocked, before, mask;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    enum status status = forked_helper_start(&helper, &fd, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(recv(fd, &mask, sizeof mask, 0), sizeof mask);
    assert_false(sigismember(&mask, SIGTERM));
    forked_helper_stop(&helper);
}

static void test_stop_ends_it(void **state)
{
    (void)state;
    struct forked_helper helper = {.main = hang};
    struct helper_launcher launcher = forked_helper_launcher(&helper);
    scoped_fd int fd = -1;
    char byte;
    assert_int_equal(pipe(alive), 0);
    assert_int_equal(launcher.start(launcher.context, &fd, NULL), STATUS_OK);
    assert_int_equal(read(alive[0], &byte, 1), 1);
    launcher.end(launcher.context);
    assert_int_equal(helper.pid, 0);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
    launcher.end(launcher.context);
    close(alive[0]);
    close(alive[1]);
}

static _Noreturn void run_parent(void)
{
    struct forked_helper helper = {.main = hang};
    int fd;
    if (forked_helper_start(&helper, &fd, NULL) != STATUS_OK)
        _exit(1);
    for (;;)
        pause();
}

static void test_ends_with_its_parent(void **state)
{
    (void)state;
    char byte;
    assert_int_equal(pipe(alive), 0);
    pid_t parent = fork();
    if (parent == 0)
        run_parent();
    close(alive[1]);
    assert_int_equal(read(alive[0], &byte, 1), 1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    struct pollfd ended = {.fd = alive[0], .events = POLLIN};
    assert_int_equal(poll(&ended, 1, PATIENCE_MS), 1);
    assert_int_equal(read(alive[0], &byte, 1), 0);
    close(alive[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has_socket_and_all_signals),
        cmocka_unit_test(test_stop_ends_it),
        cmocka_unit_test(test_ends_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
