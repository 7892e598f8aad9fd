/*
 * oracle_preload.c - preloaded into a real program: on SIGRTMIN+5 it writes malloc_info(3) and mallinfo2(3)
 * of the program into the FIFO named by ORACLE_FIFO, ended by a NUL.
 *
 * No thread of its own, for a thread would have a tcache and perhaps an arena; so the test asks only where
 * the program waits in a system call, asks before and after its scan, and drops unequal pairs. The FILE is
 * made at the start, its buffer and the answer lie in a mapping: asking allocates nothing. A forked child
 * answers too, one at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STREAM_BYTES ((size_t)65536)
#define ANSWER_BYTES ((size_t)1 << 20)
#define FD_MIN 200

static FILE *stream;
static char *answer;
static size_t answer_length;
static int fifo = -1;

static ssize_t write_answer(void *cookie, const char *data, size_t length)
{
    (void)cookie;
    if (length > ANSWER_BYTES - answer_length) {
        return 0;
    }
    memcpy(answer + answer_length, data, length);
    answer_length += length;
    return (ssize_t)length;
}

static void say_mallinfo(void)
{
    struct mallinfo2 info = mallinfo2();
    fprintf(stream, "arena %zu\nordblks %zu\nsmblks %zu\nhblks %zu\nhblkhd %zu\nusmblks %zu\n", info.arena,
            info.ordblks, info.smblks, info.hblks, info.hblkhd, info.usmblks);
    fprintf(stream, "fsmblks %zu\nuordblks %zu\nfordblks %zu\nkeepcost %zu\n", info.fsmblks, info.uordblks,
            info.fordblks, info.keepcost);
}

static void on_request(int signal_number)
{
    (void)signal_number;
    int saved = errno;
    answer_length = 0;
    malloc_info(0, stream);
    say_mallinfo();
    fputc('\0', stream);
    fflush(stream);
    for (size_t sent = 0; sent < answer_length;) {
        ssize_t put = write(fifo, answer + sent, answer_length - sent);
        if (put < 0 && errno != EINTR) {
            break;
        }
        sent += put > 0 ? (size_t)put : 0;
    }
    errno = saved;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("ORACLE_FIFO");
    int opened = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (opened < 0) {
        return;
    }
    fifo = fcntl(opened, F_DUPFD_CLOEXEC, FD_MIN);
    close(opened);
    answer =
        mmap(NULL, ANSWER_BYTES + STREAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_answer});
    if (fifo < 0 || answer == MAP_FAILED || stream == NULL) {
        return;
    }
    setvbuf(stream, answer + ANSWER_BYTES, _IOFBF, STREAM_BYTES);
    struct sigaction action = {.sa_handler = on_request, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN + 5, &action, NULL);
}
