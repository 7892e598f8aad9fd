/* users.c - see users.h. passwd(5): name:password:uid:gid:… */
#include "roles/scanner/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#define PASSWD_PATH "/etc/passwd"
#define ROWS_MAX 65536

static int by_uid(const void *a, const void *b)
{
    uint32_t left = ((const struct user_row *)a)->uid, right = ((const struct user_row *)b)->uid;
    return (left > right) - (left < right);
}

static void add_row(struct users *users, char *line)
{
    char *name = strsep(&line, ":");
    strsep(&line, ":");
    const char *number = strsep(&line, ":");
    char *end;
    unsigned long uid = number ? strtoul(number, &end, 10) : 0;
    if (!number || end == number || *end != '\0' || uid > UINT32_MAX || users->count == ROWS_MAX ||
        !array_room(&users->rows, users->count, &users->capacity))
        return;
    struct user_row *row = &users->rows[users->count++];
    row->uid = (uint32_t)uid;
    utf8_clean(row->name, sizeof row->name, name);
}

void users_refresh(struct users *users)
{
    struct stat stat;
    scoped_file FILE *file = fopen(PASSWD_PATH, "re");
    if (!file || fstat(fileno(file), &stat) != 0 ||
        (users->rows && stat.st_mtim.tv_sec == users->modified.tv_sec &&
         stat.st_mtim.tv_nsec == users->modified.tv_nsec))
        return;
    users_deinit(users);
    users->modified = stat.st_mtim;
    scoped_free char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0)
        add_row(users, line);
    if (users->count)
        qsort(users->rows, users->count, sizeof *users->rows, by_uid);
}

void users_name(const struct users *users, uint32_t uid, char *name, size_t size)
{
    struct user_row key = {.uid = uid};
    const struct user_row *row =
        users->count ? bsearch(&key, users->rows, users->count, sizeof key, by_uid) : NULL;
    if (row)
        snprintf(name, size, "%s", row->name);
    else
        snprintf(name, size, "%u", (unsigned)uid);
}

void users_deinit(struct users *users)
{
    free(users->rows);
    *users = (struct users){0};
}
