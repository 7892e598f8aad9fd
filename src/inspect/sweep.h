/*
 * sweep.h - the contents of a process' mappings, one window after the other: what strings and search read.
 *
 * Pages of no file that were never touched are zeros and are passed over; swapped ones too, unless they may
 * be read. Device memory is never read.
 */
#ifndef INSPECT_SWEEP_H
#define INSPECT_SWEEP_H

#include "inspect/inspection.h"

#define SWEEP_WINDOW_BYTES (1024u * 1024)

/** Zero-initialise, then set what is above the line. */
struct sweep {
    const struct inspection *inspection;
    const struct report *report;
    const struct maps *maps;
    bool only_writable; /* leave out what the process cannot write */
    size_t carry_bytes; /* of the window before that are seen again in front of the next, at most 4096 */
    /**
     * Takes @length bytes from @address, the first @carried of them for the second time; a run that does not
     * go on from the last call has none. False ends the sweep.
     */
    bool (*take)(void *context, const struct mapping *mapping, uint64_t address, const uint8_t *data,
                 size_t length, size_t carried);
    void *context;
    /* out */
    uint64_t read_bytes;
    uint64_t unread_bytes;  /* that could not be read */
    uint64_t swapped_bytes; /* left in swap */
    bool is_ended;          /* @take wanted no more */
};

/** Run. STATUS_STOPPED, STATUS_TIMEOUT as of inspect_go_on(); STATUS_OK where @take ended it. */
enum status sweep_run(struct sweep *sweep, struct error *err) must_check;

#endif
