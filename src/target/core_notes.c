/*
 * core_notes.c - the notes of a core: threads, mapped files, auxiliary vector, the program's name.
 *
 * Notes are gone through one header at a time; only those that are known are read, each into memory of a
 * bounded size. Offsets in elf_prstatus and elf_prpsinfo are of linux/elfcore.h and asm/user.h.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "target/core_internal.h"

#define THREADS_MAX (1u << 20)
#define AUXV_BYTES_MAX 65536u
#define FILE_BYTES_MAX (64u << 20)

/* Where a machine's registers are in NT_PRSTATUS; 0: the thread pointer is in a note of its own. */
static const struct prstatus {
    unsigned machine, bytes, pid, pointer, gs;
} PRSTATUS[] = {
    {EM_X86_64, 336, 32, 112 + 21 * 8, 0},
    {EM_386, 144, 24, 0, 72 + 10 * 4},
    {EM_AARCH64, 392, 32, 0, 0},
};
#define PRSTATUS_BYTES_MAX 392u

static const struct prstatus *prstatus_of(const struct core *core)
{
    for (size_t i = 0; i < sizeof PRSTATUS / sizeof *PRSTATUS; i++)
        if (PRSTATUS[i].machine == core->machine)
            return &PRSTATUS[i];
    return NULL;
}

struct note {
    uint32_t type;
    uint64_t offset; /* of its contents */
    uint64_t length;
};

static uint32_t get_u32(const uint8_t *data)
{
    uint32_t value;
    memcpy(&value, data, sizeof value);
    return value;
}

static uint64_t get_word(const struct core *core, const uint8_t *data)
{
    uint64_t wide;
    if (core->base.word_bytes == 4)
        return get_u32(data);
    memcpy(&wide, data, sizeof wide);
    return wide;
}

static enum status take_thread(struct core *core, const struct note *note, struct error *err)
{
    const struct prstatus *form = prstatus_of(core);
    uint8_t data[PRSTATUS_BYTES_MAX];
    if (!form || note->length != form->bytes || !core_pread(core, note->offset, data, form->bytes))
        return STATUS_OK;
    if ((int32_t)get_u32(data + form->pid) <= 0)
        return STATUS_OK;
    if (core->thread_count == THREADS_MAX)
        return core_bad(core, err, "it has more threads than a process can have");
    if (!array_room(&core->threads, core->thread_count, &core->thread_capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the threads of a core");
    struct core_thread *thread = &core->threads[core->thread_count++];
    *thread = (struct core_thread){.tid = (pid_t)get_u32(data + form->pid)};
    if (form->pointer)
        thread->pointer = get_word(core, data + form->pointer);
    if (form->gs)
        thread->gs = get_u32(data + form->gs);
    return STATUS_OK;
}

/* The thread pointer of the thread whose NT_PRSTATUS came last: i386's descriptors, aarch64's register. */
static void take_pointer(struct core *core, const struct note *note)
{
    uint8_t data[256];
    size_t length = (size_t)min_u64(note->length, sizeof data);
    if (core->thread_count == 0 || !core_pread(core, note->offset, data, length))
        return;
    struct core_thread *thread = &core->threads[core->thread_count - 1];
    if (note->type == NT_ARM_TLS && core->machine == EM_AARCH64 && length >= 8)
        thread->pointer = get_word(core, data);
    for (size_t at = 0; note->type == NT_386_TLS && core->machine == EM_386 && at + 16 <= length; at += 16)
        if (get_u32(data + at) == thread->gs >> 3)
            thread->pointer = get_u32(data + at + 4);
}

static void take_auxv(struct core *core, const struct note *note)
{
    size_t length = (size_t)min_u64(note->length, AUXV_BYTES_MAX), word = core->base.word_bytes;
    scoped_free uint8_t *data = core->has_auxv ? NULL : malloc(length + 1);
    if (!data || !core_pread(core, note->offset, data, length))
        return;
    core->has_auxv = true;
    for (size_t at = 0; at + 2 * word <= length; at += 2 * word) {
        uint64_t type = get_word(core, data + at), value = get_word(core, data + at + word);
        if (type == AT_PAGESZ && value >= 4096 && value <= 65536 && (value & (value - 1)) == 0)
            core->base.page_bytes = (unsigned)value;
        else if (type == AT_RANDOM)
            core->auxv_random = value;
        else if (type == AT_SYSINFO_EHDR)
            core->auxv_vdso = value;
        else if (type == AT_PHDR)
            core->auxv_headers = value;
    }
}

static void take_psinfo(struct core *core, const struct note *note)
{
    bool is_wide = core->base.word_bytes == 8;
    uint8_t data[136];
    size_t length = is_wide ? 136 : 124;
    if (note->length != length || !core_pread(core, note->offset, data, length))
        return;
    core->info.pid = (pid_t)get_u32(data + (is_wide ? 24 : 12));
    if (core->info.pid < 0)
        core->info.pid = 0;
    /* gcore fills all of the field, where the kernel's name of a task ends before */
    memcpy(core->info.comm, data + (is_wide ? 40 : 28), sizeof core->info.comm - 1);
}

static enum status take_file_note(struct core *core, const struct note *note, struct error *err)
{
    if (core->row_text || note->length > FILE_BYTES_MAX)
        return STATUS_OK;
    char *text = malloc((size_t)note->length + 1);
    if (!text)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the names of the files that were mapped");
    if (!core_pread(core, note->offset, text, (size_t)note->length)) {
        free(text);
        return STATUS_OK;
    }
    text[note->length] = '\0';
    return core_take_files(core, text, (size_t)note->length, err);
}

static enum status take_note(struct core *core, const struct note *note, struct error *err)
{
    switch (note->type) {
    case NT_PRSTATUS:
        return take_thread(core, note, err);
    case NT_386_TLS:
    case NT_ARM_TLS:
        take_pointer(core, note);
        return STATUS_OK;
    case NT_AUXV:
        take_auxv(core, note);
        return STATUS_OK;
    case NT_PRPSINFO:
        take_psinfo(core, note);
        return STATUS_OK;
    case NT_FILE:
        return take_file_note(core, note, err);
    default:
        return STATUS_OK;
    }
}

/* Notes end where one does not fit any more: a core that was cut off ends like that. */
enum status core_read_notes(struct core *core, const struct core_notes *notes, struct error *err)
{
    uint64_t at = 0;
    for (; core->notes_left > 0 && notes->length - at >= sizeof(Elf32_Nhdr); core->notes_left--) {
        Elf32_Nhdr head;
        char name[8] = "";
        if (!core_pread(core, notes->offset + at, &head, sizeof head))
            return STATUS_OK;
        at += sizeof head;
        uint64_t name_bytes = align_up(head.n_namesz, 4), data_bytes = align_up(head.n_descsz, 4);
        if (name_bytes > notes->length - at || head.n_descsz > notes->length - at - name_bytes)
            return STATUS_OK;
        bool is_named = head.n_namesz > 0 && head.n_namesz <= sizeof name &&
                        core_pread(core, notes->offset + at, name, head.n_namesz);
        struct note note = {head.n_type, notes->offset + at + name_bytes, head.n_descsz};
        enum status status = STATUS_OK;
        if (is_named && (memcmp(name, "CORE", 4) == 0 || memcmp(name, "LINUX", 5) == 0))
            status = take_note(core, &note, err);
        if (status != STATUS_OK)
            return status;
        at += name_bytes + min_u64(data_bytes, notes->length - at - name_bytes);
    }
    return STATUS_OK;
}
