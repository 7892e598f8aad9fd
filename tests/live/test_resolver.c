/*
 * test_resolver.c - resolvers as real processes: what they find in libc's debug file is proved on the heap of
 * this very process; broken files, dead and lying resolvers are one failed resolution each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "link/resolver_channel.h"
#include "link/resolver_client.h"
#include "link/resolver_messages.h"
#include "roles/resolver/resolver.h"
#include "symbols/symbols.h"

static struct resolver_child child;
static const struct resolver_launcher FORKED = {
    .start = resolver_child_start, .stop = resolver_child_stop, .context = &child};

struct module {
    uint64_t bias;
    char path[256];
    struct symbols_wanted id;
};

static int find_libc(struct dl_phdr_info *info, size_t size, void *data)
{
    struct module *module = data;
    (void)size;
    if (!strstr(info->dlpi_name, "/libc.so.6"))
        return 0;
    module->bias = info->dlpi_addr;
    snprintf(module->path, sizeof module->path, "%s", info->dlpi_name);
    return 1;
}

/* The C library that this process runs with, opened. */
static int open_libc(struct module *module)
{
    if (!dl_iterate_phdr(find_libc, module))
        skip();
    int fd = open(module->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(symbols_wanted_of(fd, &module->id, NULL), STATUS_OK);
    return fd;
}

static enum status ask(struct resolver_client *client, int fd, const struct symbols_wanted *id,
                       struct symbol_answer *ret)
{
    struct error err = {0};
    return client->source.resolve(&client->source, fd, id ? id->build_id : NULL, id ? id->build_id_length : 0,
                                  ret, &err);
}

/* Where the debug file of libc lies; skips the test where it is not installed. */
static void debug_file_of(const struct module *libc, char path[400])
{
    char hex[129] = "";
    for (uint32_t i = 0; i < libc->id.build_id_length; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", libc->id.build_id[i]);
    snprintf(path, 400, "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
    if (access(path, R_OK) != 0)
        skip();
}

static void finds_libc(void **state)
{
    (void)state;
    struct module libc;
    struct symbol_answer answer, again;
    struct resolver_client client;
    scoped_fd int fd = open_libc(&libc);
    char debug_file[400];
    debug_file_of(&libc, debug_file);
    resolver_client_init(&client, &FORKED);
    uint64_t start = clock_monotonic_ns();
    assert_int_equal(ask(&client, fd, &libc.id, &answer), STATUS_OK);
    print_message("resolved in %llu us\n", (unsigned long long)(clock_monotonic_ns() - start) / 1000);
    assert_true(answer.from_debuginfo && answer.has_layout && answer.mp != 0);
    assert_true(answer.has_tcache_tls && answer.has_thread_arena_tls);
    assert_true(answer.sizes[STRUCT_STATE] > answer.offsets[FIELD_STATE_SYSTEM_MEM]);
    assert_true(answer.offsets[FIELD_HEAP_AR_PTR] == 0 && answer.sizes[STRUCT_TCACHE] > 0);

    /* The same by build-id alone. */
    assert_int_equal(ask(&client, -1, &libc.id, &again), STATUS_OK);
    assert_memory_equal(&again, &answer, sizeof answer);

    /* glibc's own word on the same thing: the end of its top chunk is the program break. */
    free(malloc(1));
    const char *arena = (const char *)(uintptr_t)(libc.bias + answer.main_arena);
    uintptr_t top, size;
    memcpy(&top, arena + answer.offsets[FIELD_STATE_TOP], sizeof top);
    if (mallinfo2().arena == 0)
        skip(); /* another allocator is preloaded or built in */
    memcpy(&size, (const char *)top + sizeof size, sizeof size);
    assert_int_equal(top + (size & ~(uintptr_t)7), (uintptr_t)sbrk(0));
}

static void finds_nothing_without_files(void **state)
{
    (void)state;
    struct module libc;
    struct symbol_answer answer = {.main_arena = 77};
    struct resolver_client client;
    scoped_fd int fd = open_libc(&libc);
    struct symbols_query query = {.name = "main_arena"};
    assert_int_equal(symbols_lookup(fd, &query, 1, NULL), STATUS_OK);
    if (query.is_found)
        skip();
    resolver_client_init(&client, &FORKED);
    client.debug_directory = "/nonexistent";
    assert_int_equal(ask(&client, fd, &libc.id, &answer), STATUS_NOT_FOUND);
    assert_int_equal(ask(&client, -1, NULL, &answer), STATUS_NOT_FOUND);
    assert_int_equal(answer.main_arena, 77);
}

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
    resolver_client_init(&client, &FORKED);
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
    assert_true(child.pid == 0); /* and so does the resolver */
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
    resolver_client_init(&client, &FORKED);
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
    resolver_client_init(&client, &FORKED);
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
    resolver_client_init(&client, &FORKED);
    client.timeout_ns = 120 * NS_PER_SECOND; /* however busy the machine is */
    client.debug_directory = "/nonexistent";
    for (int round = 0; round < 30; round++) {
        enum status status = ask(&client, copy, NULL, &answer);
        assert_true(status == STATUS_OK || status == STATUS_BAD_DATA || status == STATUS_NOT_FOUND);
    }
    kill(changer, SIGKILL);
    waitpid(changer, NULL, 0);
}

static bool status_has(pid_t pid, const char *line)
{
    char path[40], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    scoped_file FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    return strstr(text, line) != NULL;
}

static void has_no_power(void **state)
{
    (void)state;
    scoped_fd int socket_fd = -1;
    scoped_fd int fd = -1;
    scoped_fd int extra = open("/", O_RDONLY | O_CLOEXEC);
    struct resolver_request request = {.version = RESOLVER_VERSION, .build_id_length = 20};
    struct resolver_record record;
    char path[40], link[16];
    assert_int_equal(resolver_child_start(&child, &socket_fd, NULL), STATUS_OK);
    uint64_t deadline = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    assert_int_equal(resolver_channel_send(socket_fd, &request, sizeof request, -1, deadline, NULL),
                     STATUS_OK);
    assert_int_equal(resolver_channel_receive(socket_fd, &record, sizeof record, &fd, deadline, NULL),
                     STATUS_OK);
    assert_int_equal(record.kind, RESOLVER_WANT);
    assert_int_equal(record.build_id_length, 20);
    assert_true(status_has(child.pid, "\nCapPrm:\t0000000000000000\n"));
    assert_true(status_has(child.pid, "\nCapEff:\t0000000000000000\n"));
    assert_true(status_has(child.pid, "\nNoNewPrivs:\t1\n"));
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)child.pid, extra);
    assert_true(extra <= 3 || readlink(path, link, sizeof link) < 0);
    resolver_child_stop(&child);
}

/* A resolver of the test's making: what it says is put into the socket beforehand. */
struct liar {
    struct resolver_record record;
    size_t length; /* of each message */
    int count;
    bool stays_open;
    int other_end;
};

static enum status start_liar(void *context, int *fd_ret, struct error *err)
{
    struct liar *liar = context;
    int ends[2];
    (void)err;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    for (int i = 0; i < liar->count; i++)
        if (send(ends[1], &liar->record, liar->length, MSG_DONTWAIT) < 0)
            break;
    liar->other_end = ends[1];
    if (!liar->stays_open)
        shutdown(ends[1], SHUT_WR);
    *fd_ret = ends[0];
    return STATUS_OK;
}

static void stop_liar(void *context)
{
    close(((struct liar *)context)->other_end);
}

static enum status ask_liar(struct liar liar)
{
    struct symbol_answer answer;
    struct resolver_client client;
    const struct resolver_launcher launcher = {.start = start_liar, .stop = stop_liar, .context = &liar};
    if (liar.length == 0)
        liar.length = sizeof liar.record;
    resolver_client_init(&client, &launcher);
    client.timeout_ns = 50 * NS_PER_MS;
    return ask(&client, -1, NULL, &answer);
}

/* A scan's own end is the resolver's too. */
static void ends_with_the_scan(void **state)
{
    (void)state;
    struct symbol_answer answer;
    struct resolver_client client;
    struct liar silent = {.length = 1, .stays_open = true};
    const struct resolver_launcher launcher = {.start = start_liar, .stop = stop_liar, .context = &silent};
    resolver_client_init(&client, &launcher);
    uint64_t start = clock_monotonic_ns();
    client.timeout_ns = 600 * NS_PER_SECOND;
    client.deadline_ns = start + 20 * NS_PER_MS;
    assert_int_equal(ask(&client, -1, NULL, &answer), STATUS_TIMEOUT);
    assert_true(clock_monotonic_ns() >= client.deadline_ns);
    assert_int_equal(ask(&client, -1, NULL, &answer), STATUS_TIMEOUT);
}

static void survives_liars(void **state)
{
    (void)state;
    const struct resolver_record sound = {.version = RESOLVER_VERSION, .kind = RESOLVER_END};
    struct liar liar = {.record = sound};
    assert_int_equal(ask_liar(liar), STATUS_BAD_DATA); /* dead at once */
    liar.stays_open = true;
    assert_int_equal(ask_liar(liar), STATUS_TIMEOUT);
    liar.count = 1;
    assert_int_equal(ask_liar(liar), STATUS_NOT_FOUND); /* an honest end with nothing before it */
    liar.length = sizeof sound - 1;
    assert_int_equal(ask_liar(liar), STATUS_BAD_DATA);
    static const struct resolver_record LIES[] = {
        {.version = RESOLVER_VERSION + 1, .kind = RESOLVER_END},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_END, .index = UINT32_MAX},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_END + 1},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_SYMBOL, .index = RESOLVER_SYMBOL_COUNT},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_OFFSET, .index = FIELD_COUNT},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_OFFSET, .value = -2},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_OFFSET, .value = INT64_MAX},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_SIZE, .index = STRUCT_COUNT},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_WANT, .build_id_length = RESOLVER_BUILD_ID_MAX + 1},
    };
    for (size_t i = 0; i < sizeof LIES / sizeof LIES[0]; i++)
        assert_int_equal(ask_liar((struct liar){.record = LIES[i], .count = 1, .stays_open = true}),
                         STATUS_BAD_DATA);
    struct liar endless = {.record = {.version = RESOLVER_VERSION, .kind = RESOLVER_WANT}, .count = 20};
    memset(endless.record.debuglink, 'x', sizeof endless.record.debuglink);
    assert_int_equal(ask_liar(endless), STATUS_BAD_DATA);
    strcpy(endless.record.debuglink, "../../etc/passwd");
    assert_int_equal(ask_liar(endless), STATUS_BAD_DATA);
    endless.record.kind = RESOLVER_SYMBOL;
    endless.count = 100000;
    assert_true(ask_liar(endless) != STATUS_OK);
}

static bool count_finding(void *context, const struct symbol_finding *finding)
{
    unsigned *count = context;
    ++*count;
    return finding->name[0] != '!';
}

static enum status look_up_liar(struct liar liar, uint32_t limit, unsigned *count)
{
    struct resolver_client client;
    struct symbol_question question = {.kind = SYMBOL_BY_NAME, .text = "x", .limit = limit};
    const struct resolver_launcher launcher = {.start = start_liar, .stop = stop_liar, .context = &liar};
    liar.length = sizeof liar.record;
    *count = 0;
    resolver_client_init(&client, &launcher);
    client.timeout_ns = 50 * NS_PER_MS;
    return client.source.lookup(&client.source, -1, NULL, 0, &question, count_finding, count, NULL);
}

static void survives_liars_of_findings(void **state)
{
    (void)state;
    unsigned count;
    struct liar liar = {.record = {.version = RESOLVER_VERSION, .kind = RESOLVER_FINDING, .count = 1},
                        .count = 10};
    assert_int_equal(look_up_liar(liar, 3, &count),
                     STATUS_OK); /* more than asked for: the rest is not taken */
    assert_int_equal(count, 3);
    assert_int_equal(look_up_liar(liar, 100, &count), STATUS_BAD_DATA); /* no end */
    assert_int_equal(count, 10);
    liar.record.name[0] = '!';
    assert_int_equal(look_up_liar(liar, 100, &count), STATUS_OK);
    assert_int_equal(count, 1);
    struct liar lie = liar;
    memset(lie.record.name, 'x', sizeof lie.record.name);
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    memset(lie.record.type, 'x', sizeof lie.record.type);
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    lie.record.index = FORM_COUNT;
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    lie.record.count = UINT64_MAX;
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    lie.record.kind = RESOLVER_SYMBOL;
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    assert_int_equal(count, 0);
}

struct found_symbol {
    uint64_t value;
    unsigned count;
};

static bool take_symbol_found(void *context, const struct symbol_finding *finding)
{
    struct found_symbol *found = context;
    found->value = finding->value;
    found->count++;
    assert_string_equal(finding->type, "function");
    return true;
}

static void looks_up_symbols(void **state)
{
    (void)state;
    struct module libc;
    struct resolver_client client;
    struct found_symbol found = {0};
    scoped_fd int fd = open_libc(&libc);
    struct symbol_question question = {
        .kind = SYMBOL_BY_NAME, .is_exact = true, .text = "gnu_get_libc_version", .limit = 10};
    resolver_client_init(&client, &FORKED);
    assert_int_equal(client.source.lookup(&client.source, fd, libc.id.build_id, libc.id.build_id_length,
                                          &question, take_symbol_found, &found, NULL),
                     STATUS_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(libc.bias + found.value, (uintptr_t)dlsym(RTLD_NEXT, "gnu_get_libc_version"));
    question = (struct symbol_question){.kind = SYMBOL_BY_ADDRESS, .address = found.value + 1, .limit = 1};
    found.count = 0;
    assert_int_equal(client.source.lookup(&client.source, fd, libc.id.build_id, libc.id.build_id_length,
                                          &question, take_symbol_found, &found, NULL),
                     STATUS_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(libc.bias + found.value, (uintptr_t)dlsym(RTLD_NEXT, "gnu_get_libc_version"));
    question =
        (struct symbol_question){.kind = SYMBOL_BY_NAME, .is_exact = true, .text = "no such", .limit = 10};
    found.count = 0;
    assert_int_equal(
        client.source.lookup(&client.source, fd, NULL, 0, &question, take_symbol_found, &found, NULL),
        STATUS_OK);
    assert_int_equal(found.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_libc),
        cmocka_unit_test(checks_debuglink),
        cmocka_unit_test(finds_nothing_without_files),
        cmocka_unit_test(refuses_broken_files),
        cmocka_unit_test(survives_changed_files),
        cmocka_unit_test(survives_changing_files),
        cmocka_unit_test(has_no_power),
        cmocka_unit_test(survives_liars),
        cmocka_unit_test(ends_with_the_scan),
        cmocka_unit_test(survives_liars_of_findings),
        cmocka_unit_test(looks_up_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
