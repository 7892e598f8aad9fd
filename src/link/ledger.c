/* ledger.c - see ledger.h. */
#include "link/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

enum status ledger_make(int *fd_ret, struct error *err)
{
    scoped_fd int fd = memfd_create("ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return error_errno(err, errno, "make the ledger");
    if (ftruncate(fd, sizeof(struct ledger_memory)) != 0 || fcntl(fd, F_ADD_SEALS, SEALS) != 0)
        return error_errno(err, errno, "size the ledger");
    *fd_ret = take_fd(&fd);
    return STATUS_OK;
}

static bool is_sound(const struct ledger_row *row)
{
    return row->name[0] != '\0' && memchr(row->name, '\0', sizeof row->name);
}

enum status ledger_open(int fd, uint64_t now_ns, struct ledger *ret, struct error *err)
{
    struct stat stat;
    if (fcntl(fd, F_GET_SEALS) != SEALS || fstat(fd, &stat) != 0 ||
        stat.st_size != sizeof(struct ledger_memory))
        return error_set(err, STATUS_BAD_DATA, "the ledger is not one");
    struct ledger_memory *memory =
        mmap(NULL, sizeof(struct ledger_memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return error_errno(err, errno, "map the ledger");
    if (memory->used > LEDGER_ROWS_MAX)
        memory->used = LEDGER_ROWS_MAX;
    for (uint64_t i = 0; i < memory->used; i++) {
        if (!is_sound(&memory->rows[i]))
            ledger_drop(&memory->rows[i]);
        else if (memory->rows[i].kept_ns)
            memory->rows[i].kept_ns = now_ns;
    }
    ret->memory = memory;
    return STATUS_OK;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger->memory)
        munmap(ledger->memory, sizeof *ledger->memory);
    ledger->memory = NULL;
}

/* A scanner may die between any two stores: a row is in use once all the rest of it is written. */
static void begin_row(struct ledger_row *row, const char *name, uint64_t now_ns)
{
    row->totals = (struct group_counters){0};
    snprintf(row->name, sizeof row->name, "%s", name);
    __atomic_store_n(&row->kept_ns, now_ns, __ATOMIC_RELEASE);
}

struct ledger_row *ledger_take(struct ledger *ledger, const char *name, uint64_t now_ns)
{
    struct ledger_memory *memory = ledger->memory;
    struct ledger_row *row = NULL;
    for (uint64_t i = 0; memory && i < memory->used; i++) {
        if (memory->rows[i].kept_ns && strcmp(memory->rows[i].name, name) == 0) {
            memory->rows[i].kept_ns = now_ns;
            return &memory->rows[i];
        }
        if (!row && !memory->rows[i].kept_ns)
            row = &memory->rows[i];
    }
    if (!row && memory && memory->used < LEDGER_ROWS_MAX)
        row = &memory->rows[memory->used++];
    if (row)
        begin_row(row, name, now_ns);
    return row;
}

void ledger_drop(struct ledger_row *row)
{
    if (row)
        __atomic_store_n(&row->kept_ns, 0, __ATOMIC_RELEASE);
}

void ledger_expire(struct ledger *ledger, uint64_t before_ns)
{
    struct ledger_memory *memory = ledger->memory;
    for (uint64_t i = 0; memory && i < memory->used; i++)
        if (memory->rows[i].kept_ns < before_ns)
            ledger_drop(&memory->rows[i]);
}
