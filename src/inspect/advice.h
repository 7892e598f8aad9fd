/*
 * advice.h - in plain words: why a process holds its memory, and whether it would ever give it back.
 *
 * Computed from the numbers of one scan alone; nothing is said that they do not prove.
 */
#ifndef INSPECT_ADVICE_H
#define INSPECT_ADVICE_H

#include "encode/report.h"
#include "snapshot/snapshot.h"

/** Put the verdict and the findings, most bytes first, into @report, which was begun. */
void advice_put(const struct snapshot *snapshot, struct report *report);

#endif
