/* users.h - names of users, from /etc/passwd alone: no name service runs in a process with power. */
#ifndef ROLES_SCANNER_USERS_H
#define ROLES_SCANNER_USERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/** The file's rows by number. Zero-initialise; users_deinit() ends it. */
struct users {
    struct user_row {
        uint32_t uid;
        char name[36];
    } * rows;
    size_t count, capacity;
    struct timespec modified;
};

/** Read the file again where it has changed. What cannot be read leaves numbers. */
void users_refresh(struct users *users);

/** Name of user @uid, or the number where there is none. */
void users_name(const struct users *users, uint32_t uid, char *name, size_t size);

void users_deinit(struct users *users);

#endif
