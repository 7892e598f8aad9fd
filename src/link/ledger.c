/* ledger.c - see ledger.h. */
#include "link/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The row is free from here on, for this scanner and for the next. */
static void free_row(struct ledger *ledger, size_t at)
{
    __atomic_store_n(&ledger->memory->rows[at].kept_ns, 0, __ATOMIC_RELEASE);
    ledger->free[ledger->free_count++] = (uint32_t)at;
}

/* Backwards, so that the first free row is taken first. */
static bool read_rows(struct ledger *ledger, uint64_t now_ns)
{
    struct ledger_memory *memory = ledger->memory;
    if (memory->used > LEDGER_ROWS_MAX)
        memory->used = LEDGER_ROWS_MAX;
    ledger->used = memory->used;
    for (size_t i = ledger->used; i-- > 0;) {
        struct ledger_row *row = &memory->rows[i];
        if (!row->kept_ns || !is_sound(row)) {
            free_row(ledger, i);
            continue;
        }
        row->kept_ns = now_ns;
        if (!name_index_put(&ledger->index, i, row->name))
            return false;
    }
    return true;
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
    struct ledger ledger = {.memory = memory, .free = calloc(LEDGER_ROWS_MAX, sizeof *ledger.free)};
    if (!ledger.free || !read_rows(&ledger, now_ns)) {
        ledger_close(&ledger);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the ledger's names");
    }
    *ret = ledger;
    return STATUS_OK;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger->memory)
        munmap(ledger->memory, sizeof *ledger->memory);
    name_index_deinit(&ledger->index);
    free(ledger->free);
    *ledger = (struct ledger){0};
}

static struct ledger_row *find_row(const struct ledger *ledger, const char *name)
{
    size_t at = name_index_first(&ledger->index, name);
    for (; at != NAME_INDEX_END; at = name_index_next(&ledger->index, at)) {
        struct ledger_row *row = &ledger->memory->rows[at];
        if (strncmp(row->name, name, sizeof row->name) == 0)
            return row;
    }
    return NULL;
}

/* A scanner may die between any two stores: a row is in use once all the rest of it is written. */
static void begin_row(struct ledger_row *row, const char *name, uint64_t now_ns)
{
    row->totals = (struct group_counters){0};
    snprintf(row->name, sizeof row->name, "%s", name);
    __atomic_store_n(&row->kept_ns, now_ns, __ATOMIC_RELEASE);
}

static struct ledger_row *add_row(struct ledger *ledger, const char *name, uint64_t now_ns)
{
    struct ledger_memory *memory = ledger->memory;
    bool is_reused = ledger->free_count > 0;
    size_t at = is_reused ? ledger->free[ledger->free_count - 1] : ledger->used;
    if (at == LEDGER_ROWS_MAX || !name_index_put(&ledger->index, at, name))
        return NULL;
    if (is_reused)
        ledger->free_count--;
    else
        memory->used = ++ledger->used;
    begin_row(&memory->rows[at], name, now_ns);
    return &memory->rows[at];
}

struct ledger_row *ledger_take(struct ledger *ledger, const char *name, uint64_t now_ns)
{
    if (!ledger->memory)
        return NULL;
    struct ledger_row *row = find_row(ledger, name);
    if (!row)
        return add_row(ledger, name, now_ns);
    row->kept_ns = now_ns;
    return row;
}

void ledger_drop(struct ledger *ledger, struct ledger_row *row)
{
    if (!row)
        return;
    size_t at = (size_t)(row - ledger->memory->rows);
    if (name_index_remove(&ledger->index, at))
        free_row(ledger, at);
}

void ledger_expire(struct ledger *ledger, uint64_t before_ns)
{
    for (size_t i = 0; i < ledger->used; i++)
        if (ledger->memory->rows[i].kept_ns < before_ns)
            ledger_drop(ledger, &ledger->memory->rows[i]);
}
