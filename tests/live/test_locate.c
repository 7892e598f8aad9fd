/*
 * test_locate.c - finding the heap: one that has grown since its mappings were read is not taken for none;
 * what another process taught, or one of two ways says, is not believed where this process contradicts.
 */
#include "allocator/glibc/locate.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "allocator/cache.h"
#include "base/cleanup.h"
#include "support/spawn.h"
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
    uint64_t main_arena = locations.rows[0].main_arena_addr;
    free(locations.rows);
    assert_int_equal(write(to_it, "g", 1), 1);
    await_byte(from_it, 'g');
    /* top lies beyond all that these mappings know: the bins tell that the place is right */
    assert_int_equal(glibc_locate(target, &before, NULL, NULL, UINT64_MAX, &locations, &err), STATUS_OK);
    assert_int_equal(locations.rows[0].main_arena_addr, main_arena);
    free(locations.rows);
    assert_int_equal(target_maps(target, &after, &err), STATUS_OK);
    assert_int_equal(glibc_locate(target, &after, NULL, NULL, UINT64_MAX, &locations, &err), STATUS_OK);
    assert_int_equal(locations.rows[0].main_arena_addr, main_arena);
    free(locations.rows);
    maps_deinit(&before);
    maps_deinit(&after);
    target_close(target);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(to_it);
    close(from_it);
}

/* Where the tcaches of @target are, with what @cache teaches. */
static void find(struct target *target, struct allocator_cache *cache, struct glibc_tcaches *ret)
{
    struct error err = {0};
    scoped_maps struct maps maps = {0};
    struct glibc_locations locations = {0};
    assert_int_equal(target_maps(target, &maps, &err), STATUS_OK);
    assert_int_equal(glibc_locate(target, &maps, NULL, cache, UINT64_MAX, &locations, &err), STATUS_OK);
    assert_true(locations.rows[0].is_main_libc);
    assert_int_equal(glibc_find_tcaches(target, &maps, &locations.rows[0], cache, ret, &err), STATUS_OK);
    free(locations.rows);
}

static struct cache_entry *entry_of(struct target *target, struct allocator_cache *cache)
{
    struct error err = {0};
    scoped_maps struct maps maps = {0};
    struct glibc_locations locations = {0};
    assert_int_equal(target_maps(target, &maps, &err), STATUS_OK);
    assert_int_equal(glibc_locate(target, &maps, NULL, cache, UINT64_MAX, &locations, &err), STATUS_OK);
    struct cache_entry *entry = cache_get(cache, &locations.rows[0].key);
    free(locations.rows);
    return entry;
}

/* The same build-id in another file: nothing is told of it. */
static void test_forged_build_id(void **state)
{
    (void)state;
    struct allocator_cache *cache = allocator_cache_new();
    struct cache_entry lesson = {.key = {.build_id = {1, 2, 3}, .build_id_length = 20, .inode = 7}};
    struct cache_key other = lesson.key;
    cache_put(cache, &lesson);
    assert_non_null(cache_get(cache, &lesson.key));
    other.inode = 8;
    assert_null(cache_get(cache, &other));
    other = lesson.key;
    other.device_minor = 1;
    assert_null(cache_get(cache, &other));
    other = lesson.key;
    other.build_id_length = 19;
    assert_null(cache_get(cache, &other));
    allocator_cache_free(cache);
}

static void test_wrong_lessons(void **state)
{
    (void)state;
    static const uint64_t SLOTS[] = {0, 8, 0x10, UINT64_MAX, UINT64_MAX - 7, 1 << 20, 3};
    struct spawned spawned;
    struct target *target = NULL;
    struct allocator_cache *cache = allocator_cache_new();
    struct glibc_tcaches right, found;
    assert_true(spawn_target(&spawned, "threads", NULL));
    assert_int_equal(target_live_open("/proc", spawned.pid, &target, NULL), STATUS_OK);
    find(target, cache, &right);
    assert_true(right.count > 1 && right.missing == 0 && right.rows[0].address != 0);
    for (size_t i = 0; i < sizeof SLOTS / sizeof *SLOTS; i++) {
        struct cache_entry *entry = entry_of(target, cache);
        assert_non_null(entry);
        entry->has_tcache_slot = entry->has_thread_arena_slot = true;
        entry->tcache_slot = entry->thread_arena_slot = SLOTS[i];
        find(target, cache, &found);
        assert_int_equal(found.count, right.count);
        assert_int_equal(found.missing, 0);
        assert_memory_equal(found.rows, right.rows, right.count * sizeof *right.rows);
        free(found.rows);
    }
    /* addresses of another build under the same build-id: found anew */
    struct cache_entry *entry = entry_of(target, cache);
    entry->main_arena += 16;
    entry->mp += 64;
    find(target, cache, &found);
    assert_memory_equal(found.rows, right.rows, right.count * sizeof *right.rows);
    free(found.rows);
    free(right.rows);
    target_close(target);
    allocator_cache_free(cache);
    spawn_end(&spawned);
}

static void test_big_tls(void **state)
{
    (void)state;
    struct spawned spawned;
    struct target *target = NULL;
    struct glibc_tcaches found;
    assert_true(spawn_target(&spawned, "big_tls", NULL));
    assert_int_equal(target_live_open("/proc", spawned.pid, &target, NULL), STATUS_OK);
    find(target, NULL, &found);
    assert_int_equal(found.count, 4);
    assert_int_equal(found.missing, 0);
    for (size_t i = 0; i < found.count; i++)
        assert_true(found.rows[i].address != 0);
    free(found.rows);
    target_close(target);
    spawn_end(&spawned);
}

/* A process whose dtv names another block than its link_map; its libc never looks there itself. */
static pid_t spawn_contradicting(int *from_it)
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        free(malloc(CHUNK_BYTES));
        uint64_t *pointer = __builtin_thread_pointer();
        uint64_t *dtv = (uint64_t *)(uintptr_t)pointer[1];
        for (uint64_t module = 1; module <= dtv[-2]; module++)
            dtv[2 * module] += dtv[2 * module] && dtv[2 * module] != UINT64_MAX ? 16 : 0;
        (void)!write(out[1], "r", 1);
        pause();
        _exit(0);
    }
    close(out[1]);
    *from_it = out[0];
    return pid;
}

static void test_ways_that_disagree(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || !defined __x86_64__
    skip();
#endif
    int from_it;
    struct target *target = NULL;
    struct glibc_tcaches found;
    pid_t pid = spawn_contradicting(&from_it);
    await_byte(from_it, 'r');
    assert_int_equal(target_live_open("/proc", pid, &target, NULL), STATUS_OK);
    find(target, NULL, &found);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.missing, 1);
    free(found.rows);
    target_close(target);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(from_it);
}

/* Where link-time @address lies in the ELF file. */
static off_t file_offset(int fd, uint64_t address)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
    for (unsigned i = 0; i < header.e_phnum; i++) {
        off_t at = (off_t)(header.e_phoff + i * sizeof segment);
        assert_int_equal(pread(fd, &segment, sizeof segment, at), sizeof segment);
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address < segment.p_vaddr + segment.p_filesz)
            return (off_t)(segment.p_offset + (address - segment.p_vaddr));
    }
    fail_msg("%s", "no segment has it");
    return 0;
}

/* Move the arena's image in the file a little: a file that says other than the memory does. */
static void move_image(const char *path, const struct glibc_location *location)
{
    uint64_t place = location->main_arena_addr - location->bias, moved = place + 32, one = 1;
    uint8_t image[4096] = {0};
    scoped_fd int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    memcpy(image + 32 + location->layout.state.next, &moved, sizeof moved);
    memcpy(image + 32 + location->layout.state.attached_threads, &one, sizeof one);
    size_t length = 32 + (size_t)location->layout.state.size;
    assert_int_equal(pwrite(fd, image, length, file_offset(fd, place)), length);
}

static void test_file_that_was_changed(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || !defined __x86_64__
    skip();
#endif
    char place[] = "/tmp/locate.XXXXXX", libc[64], target_path[512], command[1024];
    struct spawned spawned;
    struct target *target = NULL;
    scoped_maps struct maps maps = {0};
    struct glibc_locations before = {0}, after = {0};
    assert_non_null(mkdtemp(place));
    snprintf(libc, sizeof libc, "%s/libc.so.6", place);
    snprintf(command, sizeof command,
             "cp $(ldd %s/tests/targets/target_plain | awk '/libc.so.6/ {print $3}') %s",
             getenv("BUILD_ROOT"), place);
    assert_int_equal(system(command), 0);
    snprintf(target_path, sizeof target_path, "%s/tests/targets/target_plain", getenv("BUILD_ROOT"));
    const char *argv[] = {"/lib64/ld-linux-x86-64.so.2", "--library-path", place, target_path, NULL};
    assert_true(spawn_start(&spawned, argv, NULL));
    scoped_free char *answer = spawn_answer(&spawned);
    assert_non_null(answer);
    assert_int_equal(target_live_open("/proc", spawned.pid, &target, NULL), STATUS_OK);
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    assert_int_equal(glibc_locate(target, &maps, NULL, NULL, UINT64_MAX, &before, NULL), STATUS_OK);
    move_image(libc, &before.rows[0]);
    assert_int_equal(glibc_locate(target, &maps, NULL, NULL, UINT64_MAX, &after, NULL), STATUS_OK);
    assert_int_equal(after.rows[0].main_arena_addr, before.rows[0].main_arena_addr);
    assert_int_equal(after.rows[0].mp_addr, before.rows[0].mp_addr);
    free(before.rows);
    free(after.rows);
    target_close(target);
    spawn_end(&spawned);
    snprintf(command, sizeof command, "rm -r %s", place);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grown_heap),      cmocka_unit_test(test_wrong_lessons),
        cmocka_unit_test(test_forged_build_id), cmocka_unit_test(test_ways_that_disagree),
        cmocka_unit_test(test_big_tls),         cmocka_unit_test(test_file_that_was_changed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
