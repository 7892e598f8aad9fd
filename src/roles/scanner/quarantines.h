/*
 * quarantines.h - what the keeper says of processes that scanners died of or hung in: some are left alone for
 * a while, some are only scanned while nothing else is, so that the next death tells who it was.
 */
#ifndef ROLES_SCANNER_QUARANTINES_H
#define ROLES_SCANNER_QUARANTINES_H

#include <stdbool.h>
#include <stddef.h>

#include "link/messages.h"

#define QUARANTINES_MAX 256

/** Zero-initialise. */
struct quarantines {
    struct message_quarantine items[QUARANTINES_MAX];
    size_t count;
};

/** Take what the keeper says, in the place of what it said of the same process, or of what is over. */
void quarantines_take(struct quarantines *quarantines, const struct message_quarantine *quarantine,
                      uint64_t now_ns);

/** The quarantine in which a process is at @now_ns, or NULL. */
const struct message_quarantine *quarantines_find(const struct quarantines *quarantines,
                                                  const struct message_process_id *process, uint64_t now_ns);

/** Whether a scanner died in a scan of it: then it is scanned while nothing else is. */
bool quarantines_is_suspect(const struct quarantines *quarantines, const struct message_process_id *process);

/** Of how many processes not even /proc is read at @now_ns. */
uint64_t quarantines_unreadable(const struct quarantines *quarantines, uint64_t now_ns);

#endif
