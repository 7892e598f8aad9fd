/* test_locate.c - a heap that has grown since its mappings were read is not taken for none. */
#include "allocator/glibc/locate.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/live.h"

#define GROWTH_CHUNKS 10000
#define CHUNK_BYTES 4000

/* A process that grows its heap when a byte comes, and says so. */
static pid_t spawn_growing(int *to_it, int *from_it)
{
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        free(malloc(CHUNK_BYTES));
        if (write(out[1], "r", 1) == 1 && read(in[0], &byte, 1) == 1) {
            for (int i = 0; i < GROWTH_CHUNKS; i++) {
                char *volatile chunk = malloc(CHUNK_BYTES);
                chunk[0] = 1;
            }
            (void)!write(out[1], "g", 1);
        }
        pause();
        _exit(0);
    }
    close(in[0]);
    close(out[1]);
    *to_it = in[1];
    *from_it = out[0];
    return pid;
}

static void await_byte(int fd, char expected)
{
    char byte = 0;
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(byte, expected);
}

static void test_grown_heap(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its malloc is not glibc's */
#endif
    int to_it, from_it;
    struct error err = {0};
    struct target *target = NULL;
    struct maps before = {0}, after = {0};
    struct glibc_locations locations = {0};
    pid_t pid = spawn_growing(&to_it, &from_it);
    await_byte(from_it, 'r');
    assert_int_equal(target_live_open("/proc", pid, &target, &err), STATUS_OK);
    assert_int_equal(target_maps(target, &before, &err), STATUS_OK);
    assert_int_equal(glibc_locate(target, &before, NULL, NULL, UINT64_MAX, &locations, &err), STATUS_OK);
    free(locations.rows);
    assert_int_equal(write(to_it, "g", 1), 1);
    await_byte(from_it, 'g');
    assert_int_equal(glibc_locate(target, &before, NULL, NULL, UINT64_MAX, &locations, &err),
                     STATUS_INCONSISTENT);
    assert_int_equal(target_maps(target, &after, &err), STATUS_OK);
    assert_int_equal(glibc_locate(target, &after, NULL, NULL, UINT64_MAX, &locations, &err), STATUS_OK);
    free(locations.rows);
    maps_deinit(&before);
    maps_deinit(&after);
    target_close(target);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(to_it);
    close(from_it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_grown_heap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
