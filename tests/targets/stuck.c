/*
 * stuck.c - a process whose reader hangs: the page of its first tcache is watched by a userfaultfd(2) that
 * nobody answers. Says "stuck", or "refused" where the kernel does not give one. Upon SIGUSR1 it execs and is
 * sound: says "sound".
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_BYTES 4096u

static const char *make_stuck(uintptr_t page)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {.range = {.start = page, .len = PAGE_BYTES},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0 || ioctl(fd, UFFDIO_REGISTER, &range) != 0 ||
        madvise((void *)page, PAGE_BYTES, MADV_DONTNEED) != 0) {
        return "refused\n";
    }
    return "stuck\n";
}

static void become_sound(int number)
{
    char name[] = "target_stuck", word[] = "sound", *arguments[] = {name, word, NULL},
         *environment[] = {NULL};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, number);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    execve("/proc/self/exe", arguments, environment);
    _exit(1);
}

int main(int argc, char **argv)
{
    /* the first block lies right behind the tcache, in the first page of the heap */
    char *volatile block = malloc(100);
    const char *said = "sound\n";
    (void)argv;
    if (argc == 1) {
        signal(SIGUSR1, become_sound);
        said = make_stuck((uintptr_t)block & ~(uintptr_t)(PAGE_BYTES - 1));
    }
    (void)!write(STDOUT_FILENO, said, said[0] == 's' ? 6 : 8);
    while (pause() < 0) {
    }
    return 0;
}
