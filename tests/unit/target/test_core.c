/*
 * test_core.c - core files made to cost time: each is small, or sparse, and done with at once. What cores say
 * of real processes is in e2e/test_core.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/core.h"

#define PAGE 4096u
#define SEGMENT_START UINT64_C(0x400000)

static int make_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void put(int fd, uint64_t offset, const void *data, size_t length)
{
    assert_int_equal(pwrite(fd, data, length, (off_t)offset), length);
}

static void put_elf_header(int fd, uint16_t type, uint16_t headers)
{
    const Elf64_Ehdr head = {.e_ident = {ELFMAG0, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                             .e_type = type,
                             .e_machine = EM_X86_64,
                             .e_version = EV_CURRENT,
                             .e_phoff = sizeof head,
                             .e_ehsize = sizeof head,
                             .e_phentsize = sizeof(Elf64_Phdr),
                             .e_phnum = headers};
    put(fd, 0, &head, sizeof head);
}

static void put_header(int fd, unsigned index, const Elf64_Phdr *header)
{
    put(fd, sizeof(Elf64_Ehdr) + index * sizeof *header, header, sizeof *header);
}

/* A page of memory at SEGMENT_START, whose bytes are those of the file's start. */
static void put_load(int fd, unsigned index)
{
    const Elf64_Phdr load = {
        .p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = SEGMENT_START, .p_filesz = PAGE, .p_memsz = PAGE};
    put_header(fd, index, &load);
}

static struct target *open_core(int fd)
{
    struct target *target = NULL;
    struct error err = {0};
    if (target_core_open_fd(fd, "core", NULL, &target, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return target;
}

/* Thousands of headers that all point at one megabyte of empty notes: 350 million notes. */
static void notes_that_are_told_again_and_again(void **state)
{
    (void)state;
    enum { HEADERS = 4000, NOTES_BYTES = 1 << 20, NOTES_OFFSET = 1 << 18 };
    int fd = make_file("notes");
    put_elf_header(fd, ET_CORE, HEADERS);
    put_load(fd, 0);
    const Elf64_Phdr notes = {.p_type = PT_NOTE, .p_offset = NOTES_OFFSET, .p_filesz = NOTES_BYTES};
    for (unsigned i = 1; i < HEADERS; i++)
        put_header(fd, i, &notes);
    assert_int_equal(ftruncate(fd, NOTES_OFFSET + NOTES_BYTES), 0);
    scoped_target struct target *target = open_core(fd);
    assert_int_equal(target_core_info(target)->pid, 0);
}

/* A program without a dynamic section is told by its read-only bytes; this one says it has 2^60 of them. */
static void program_of_a_billion_gigabytes(void **state)
{
    (void)state;
    const uint64_t length = UINT64_C(1) << 60;
    scoped_fd int program = make_file("program");
    put_elf_header(program, ET_EXEC, 1);
    put_load(program, 0);
    assert_int_equal(ftruncate(program, (off_t)length), 0);
    struct __attribute__((packed)) {
        Elf64_Nhdr head;
        char name[8];
        uint64_t count, page, start, end, offset;
        char path[32];
    } note = {.head = {.n_namesz = 5, .n_type = NT_FILE},
              .name = "CORE",
              .count = 1,
              .page = PAGE,
              .start = SEGMENT_START,
              .end = SEGMENT_START + length};
    note.head.n_descsz = sizeof note - offsetof(__typeof__(note), count);
    snprintf(note.path, sizeof note.path, "/proc/self/fd/%d", program);
    int fd = make_file("core");
    put_elf_header(fd, ET_CORE, 2);
    put_load(fd, 0);
    put_header(fd, 1, &(Elf64_Phdr){.p_type = PT_NOTE, .p_offset = PAGE, .p_filesz = sizeof note});
    put(fd, PAGE, &note, sizeof note);
    scoped_target struct target *target = open_core(fd);
    scoped_maps struct maps maps = {0};
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    const struct mapping *row = maps_find(&maps, SEGMENT_START + PAGE);
    assert_non_null(row);
    assert_string_equal(row->name, note.path);
    assert_int_equal(target_open_file(target, row, &fd, NULL), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_that_are_told_again_and_again),
        cmocka_unit_test(program_of_a_billion_gigabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
