/*
 * quarantine.h - which processes were being scanned when a scanner died, and which are left alone for it.
 */
#ifndef ROLES_KEEPER_QUARANTINE_H
#define ROLES_KEEPER_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>

#include "link/messages.h"

#define QUARANTINE_SCANS_MAX 64
#define QUARANTINE_SUSPECTS_MAX 256

/** A process that a scanner died of, or hung in. */
struct suspect {
    struct message_process_id process;
    unsigned deaths;
    unsigned hangs;
    uint64_t seen_ns;  /* the last death or hang */
    uint64_t until_ns; /* 0: not left alone (yet) */
    enum failure failure;
};

/** Zero-initialise. */
struct quarantine {
    struct message_process_id scans[QUARANTINE_SCANS_MAX]; /* under way */
    size_t scan_count;
    bool is_death_explained; /* it is known why the scanner ends: no process under scan is blamed */
    struct suspect suspects[QUARANTINE_SUSPECTS_MAX];
    size_t suspect_count;
};

/** A scan begins, ends. More at once than there is room for are not told apart from none. */
void quarantine_scan_begin(struct quarantine *quarantine, const struct message_process_id *process);
void quarantine_scan_end(struct quarantine *quarantine, const struct message_process_id *process);

/**
 * The scanner hangs in a scan of @process and is about to end for it: that one is left alone for a minute,
 * twice as long each time, and no other is blamed.
 */
void quarantine_stuck(struct quarantine *quarantine, const struct message_process_id *process,
                      uint64_t now_ns);

/** The scanner is about to be ended for what is no process' fault: none is blamed. */
void quarantine_excuse(struct quarantine *quarantine);

/**
 * The scanner died: each process under scan is blamed once, and left alone for an hour from the second death
 * within a day on.
 */
void quarantine_scanner_died(struct quarantine *quarantine, uint64_t now_ns);

/** The message for suspect @index, if it is to be left alone at @now_ns, or scanned while nothing else is. */
bool quarantine_message(const struct quarantine *quarantine, size_t index, uint64_t now_ns,
                        struct message_quarantine *ret);

#endif
