/*
 * test_resolver.c - resolvers as real processes: what they find in libc's debug file is proved on the heap of
 * this very process, and they have no power.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "link/resolver_channel.h"
#include "link/resolver_messages.h"
#include "resolver_fixture.h"

static void finds_libc(void **state)
{
    (void)state;
    struct module libc;
    struct symbol_answer answer, again;
    struct resolver_client client;
    scoped_fd int fd = open_libc(&libc);
    char debug_file[400];
    debug_file_of(&libc, debug_file);
    resolver_client_init(&client, forked_helper_launcher(&resolver));
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
    resolver_client_init(&client, forked_helper_launcher(&resolver));
    client.debug_directory = "/nonexistent";
    assert_int_equal(ask(&client, fd, &libc.id, &answer), STATUS_NOT_FOUND);
    assert_int_equal(ask(&client, -1, NULL, &answer), STATUS_NOT_FOUND);
    assert_int_equal(answer.main_arena, 77);
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
    assert_int_equal(forked_helper_start(&resolver, &socket_fd, NULL), STATUS_OK);
    uint64_t deadline = clock_monotonic_ns() + 10 * NS_PER_SECOND;
    assert_int_equal(resolver_channel_send(socket_fd, &request, sizeof request, -1, deadline, NULL),
                     STATUS_OK);
    assert_int_equal(resolver_channel_receive(socket_fd, &record, sizeof record, &fd, deadline, NULL),
                     STATUS_OK);
    assert_int_equal(record.kind, RESOLVER_WANT);
    assert_int_equal(record.build_id_length, 20);
    assert_true(status_has(resolver.pid, "\nCapPrm:\t0000000000000000\n"));
    assert_true(status_has(resolver.pid, "\nCapEff:\t0000000000000000\n"));
    assert_true(status_has(resolver.pid, "\nNoNewPrivs:\t1\n"));
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)resolver.pid, extra);
    assert_true(extra <= 3 || readlink(path, link, sizeof link) < 0);
    forked_helper_stop(&resolver);
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
    resolver_client_init(&client, forked_helper_launcher(&resolver));
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
        cmocka_unit_test(finds_nothing_without_files),
        cmocka_unit_test(has_no_power),
        cmocka_unit_test(looks_up_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
