/*
 * test_symbols.c - symbols, build-id and DWARF of this very program (built with -g), of libc's debug file
 * where it is installed, and of files that are none or are cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbols/symbols.h"

/* What is looked for: a struct that only this file has. */
struct test_symbols_sample {
    char first;
    uint64_t second;
    uint32_t third[5];
};
struct test_symbols_sample test_symbols_object;
__thread int test_symbols_thread_local = 3;

static int open_own(void)
{
    return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

static void finds_symbols(void **state)
{
    (void)state;
    scoped_fd int fd = open_own();
    struct symbols_query queries[] = {{.name = "test_symbols_object"},
                                      {.name = "test_symbols_thread_local"},
                                      {.name = "test_symbols_none"}};
    test_symbols_object.first = (char)test_symbols_thread_local;
    assert_int_equal(symbols_lookup(fd, queries, 3, NULL), STATUS_OK);
    assert_true(queries[0].is_found && !queries[0].is_tls && queries[0].value != 0);
    assert_int_equal(queries[0].size_bytes, sizeof test_symbols_object);
    assert_true(queries[1].is_found && queries[1].is_tls);
    assert_false(queries[2].is_found);
}

static void finds_layout(void **state)
{
    (void)state;
    scoped_fd int fd = open_own();
    struct symbols_member members[] = {
        {.structure = "test_symbols_sample", .member = "second"},
        {.structure = "test_symbols_sample", .member = NULL},
        {.structure = "test_symbols_sample", .member = "fourth"},
        {.structure = "test_symbols_other", .member = "first"},
    };
    assert_int_equal(symbols_layout(fd, members, 4, NULL), STATUS_OK);
    assert_true(members[0].is_found && members[1].is_found && members[2].is_found && !members[3].is_found);
    assert_int_equal(members[0].offset, offsetof(struct test_symbols_sample, second));
    assert_int_equal(members[1].offset, sizeof(struct test_symbols_sample));
    assert_int_equal(members[2].offset, -1);
    assert_int_equal(members[3].offset, -1);
}

static void knows_build_ids(void **state)
{
    (void)state;
    scoped_fd int fd = open_own();
    struct symbols_wanted wanted;
    assert_int_equal(symbols_wanted_of(fd, &wanted, NULL), STATUS_OK);
    if (wanted.build_id_length == 0)
        skip();
    assert_int_equal(symbols_check_build_id(fd, wanted.build_id, wanted.build_id_length), STATUS_OK);
    assert_int_equal(symbols_check_build_id(fd, wanted.build_id, wanted.build_id_length - 1),
                     STATUS_NOT_FOUND);
    wanted.build_id[0] ^= 1;
    assert_int_equal(symbols_check_build_id(fd, wanted.build_id, wanted.build_id_length), STATUS_NOT_FOUND);
    assert_int_equal(symbols_check_build_id(fd, wanted.build_id, 0), STATUS_NOT_FOUND);
}

static int memory_file(const void *data, size_t length)
{
    int fd = memfd_create("elf", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < length;) {
        ssize_t part = write(fd, (const char *)data + done, length - done);
        assert_true(part > 0);
        done += (size_t)part;
    }
    return fd;
}

static void knows_checksums(void **state)
{
    (void)state;
    /* the check value of CRC-32 */
    scoped_fd int fd = memory_file("123456789", 9);
    scoped_fd int empty = memory_file("", 0);
    assert_int_equal(symbols_check_crc(fd, 0xcbf43926), STATUS_OK);
    assert_int_equal(symbols_check_crc(fd, 0xcbf43927), STATUS_NOT_FOUND);
    assert_int_equal(symbols_check_crc(empty, 0), STATUS_OK);
    assert_int_equal(symbols_check_crc(-1, 0), STATUS_BAD_DATA);
}

/* Whatever the file is: every call ends, without a fault. */
static void try_all(int fd)
{
    struct symbols_query query = {.name = "test_symbols_object"};
    struct symbols_member member = {.structure = "test_symbols_sample", .member = "second"};
    struct symbols_wanted wanted;
    (void)!symbols_lookup(fd, &query, 1, NULL);
    (void)!symbols_layout(fd, &member, 1, NULL);
    (void)!symbols_wanted_of(fd, &wanted, NULL);
}

static void refuses_garbage(void **state)
{
    (void)state;
    char garbage[4096];
    memset(garbage, 'x', sizeof garbage);
    struct symbols_query query = {.name = "a"};
    struct symbols_member member = {.structure = "a"};
    struct symbols_wanted wanted;
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            memcpy(garbage, ELFMAG "\x02\x01\x01", 7);
        scoped_fd int fd = memory_file(garbage, i == 0 ? 0 : i == 1 ? sizeof garbage : 20);
        assert_int_equal(symbols_lookup(fd, &query, 1, NULL), STATUS_BAD_DATA);
        assert_int_equal(symbols_layout(fd, &member, 1, NULL), STATUS_BAD_DATA);
        assert_int_equal(symbols_wanted_of(fd, &wanted, NULL), STATUS_BAD_DATA);
        assert_int_equal(symbols_check_build_id(fd, (const uint8_t *)"a", 1), STATUS_BAD_DATA);
    }
    scoped_fd int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(symbols_lookup(directory, &query, 1, NULL), STATUS_BAD_DATA);
}

static char *read_own(size_t *length)
{
    scoped_fd int own = open_own();
    struct stat stat;
    assert_int_equal(fstat(own, &stat), 0);
    *length = (size_t)stat.st_size;
    char *whole = malloc(*length);
    assert_non_null(whole);
    assert_int_equal(pread(own, whole, *length, 0), *length);
    return whole;
}

static void survives_cut_files(void **state)
{
    (void)state;
    size_t length;
    scoped_free char *whole = read_own(&length);
    for (size_t part = 0; part < 16; part++) {
        scoped_fd int cut = memory_file(whole, length * part / 16);
        try_all(cut);
    }
}

/* The header of the file's .symtab, in the file's bytes. */
static ElfW(Shdr) * symtab_of(char *file)
{
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)file;
    ElfW(Shdr) *sections = (ElfW(Shdr) *)(file + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_SYMTAB)
            return &sections[i];
    fail_msg("the test has no .symtab");
    return NULL;
}

static bool count_one(void *context, const struct symbols_found *found)
{
    (void)found;
    ++*(unsigned *)context;
    return true;
}

static enum status count_symbols(const char *file, size_t length, unsigned *count)
{
    scoped_fd int fd = memory_file(file, length);
    *count = 0;
    return symbols_by_name(fd, "test_symbols_", false, count_one, count, NULL);
}

/* What could not be read is an error, not the absence of symbols. */
static void says_what_it_could_not_read(void **state)
{
    size_t length;
    unsigned count;
    bool has_symtab;
    (void)state;
    scoped_free char *file = read_own(&length);
    ElfW(Shdr) *symtab = symtab_of(file);
    ElfW(Shdr) whole = *symtab;
    assert_int_equal(count_symbols(file, length, &count), STATUS_OK);
    assert_true(count > 0);
    symtab->sh_offset = length + 1;
    assert_int_equal(count_symbols(file, length, &count), STATUS_BAD_DATA);
    *symtab = whole;
    symtab->sh_link = 0;
    assert_int_equal(count_symbols(file, length, &count), STATUS_BAD_DATA);
    assert_int_equal(count, 0);
    *symtab = whole;
    scoped_fd int cut = memory_file(file, (size_t)((const ElfW(Ehdr) *)file)->e_shoff + 1);
    assert_int_equal(symbols_has_symtab(cut, &has_symtab, NULL), STATUS_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_symbols),
        cmocka_unit_test(finds_layout),
        cmocka_unit_test(knows_build_ids),
        cmocka_unit_test(refuses_garbage),
        cmocka_unit_test(survives_cut_files),
        cmocka_unit_test(knows_checksums),
        cmocka_unit_test(says_what_it_could_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
