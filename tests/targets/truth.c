/*
 * truth.c - answers of a target program about its own heap.
 *
 * The list and the answer's bytes lie in mappings of their own, and the one FILE has a buffer there and was
 * made before anything else, so that being asked changes nothing in the heap.
 */
#include "truth.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLACES_MAX ((size_t)6 << 20)
#define ANSWER_BYTES ((size_t)256 << 20)
#define STREAM_BYTES 65536

struct place {
    void *block;
    const char *what;
};

static struct place *places;
static atomic_size_t place_count;
static char *answer;
static size_t answer_length;
static FILE *stream;

static void *map_memory(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        _exit(120);
    }
    return memory;
}

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

void truth_init(void)
{
    places = map_memory(PLACES_MAX * sizeof *places);
    answer = map_memory(ANSWER_BYTES);
    stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_answer});
    if (stream == NULL || setvbuf(stream, map_memory(STREAM_BYTES), _IOFBF, STREAM_BYTES) != 0) {
        _exit(121);
    }
    truth_note(stream, "FILE");
}

size_t truth_note(void *block, const char *what)
{
    size_t place = atomic_fetch_add(&place_count, 1);
    if (block == NULL || place >= PLACES_MAX) {
        _exit(122);
    }
    places[place] = (struct place){block, what};
    return place;
}

size_t truth_malloc(size_t bytes)
{
    void *block = malloc(bytes);
    size_t place = truth_note(block, "block");
    memset(block, 0x5a, bytes);
    return place;
}

void *truth_block(size_t place)
{
    return places[place].block;
}

void truth_move(size_t place, void *block)
{
    places[place].block = block;
}

void truth_free(size_t place)
{
    free(places[place].block);
    places[place].block = NULL;
}

size_t truth_count(void)
{
    return atomic_load(&place_count);
}

void truth_note_thread(void)
{
    /* glibc elf/dl-tls.c allocate_dtv(): the pointer in the TCB's second word is one entry of two words into
       it */
    char **tcb = __builtin_thread_pointer();
    truth_note(tcb[1] - 2 * sizeof(void *), "dtv");
}

/* mallinfo2(3) came with 2.33; before it the same numbers were cut to an int, which no target exceeds. */
#if __GLIBC_PREREQ(2, 33)
#define mallinfo_wide mallinfo2
#else
#define mallinfo_wide mallinfo
#endif

static void say_info(void)
{
    malloc_info(0, stream);
    struct mallinfo_wide info = mallinfo_wide();
    const struct {
        const char *name;
        size_t value;
    } fields[] = {
        {"arena", (size_t)info.arena},       {"ordblks", (size_t)info.ordblks},
        {"smblks", (size_t)info.smblks},     {"hblks", (size_t)info.hblks},
        {"hblkhd", (size_t)info.hblkhd},     {"usmblks", (size_t)info.usmblks},
        {"fsmblks", (size_t)info.fsmblks},   {"uordblks", (size_t)info.uordblks},
        {"fordblks", (size_t)info.fordblks}, {"keepcost", (size_t)info.keepcost},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        fprintf(stream, "%s %zu\n", fields[i].name, fields[i].value);
    }
}

static void say_list(void)
{
    size_t count = truth_count();
    for (size_t i = 0; i < count; i++) {
        if (places[i].block != NULL) {
            fprintf(stream, "%lx %zu %s\n", (unsigned long)(uintptr_t)places[i].block,
                    malloc_usable_size(places[i].block), places[i].what);
        }
    }
}

static void write_all(const char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(STDOUT_FILENO, data, length);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            _exit(0);
        }
        data += put;
        length -= (size_t)put;
    }
}

static void send_answer(void)
{
    char head[32];
    fflush(stream);
    int length = snprintf(head, sizeof head, "%zu\n", answer_length);
    write_all(head, (size_t)length);
    write_all(answer, answer_length);
    answer_length = 0;
}

static int read_command(char *line, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++) {
        if (read(STDIN_FILENO, &line[i], 1) != 1) {
            return 0;
        }
        if (line[i] == '\n') {
            line[i] = '\0';
            return 1;
        }
    }
    return 0;
}

void truth_serve(const char *(*own)(const char *command))
{
    static char line[256];
    fputs("ready", stream);
    send_answer();
    while (read_command(line, sizeof line)) {
        if (strcmp(line, "info") == 0) {
            say_info();
        } else if (strcmp(line, "list") == 0) {
            say_list();
        } else {
            const char *said = own != NULL ? own(line) : NULL;
            fputs(said != NULL ? said : "unknown", stream);
        }
        send_answer();
    }
}
