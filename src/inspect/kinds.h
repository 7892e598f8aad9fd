/* kinds.h - what answers each kind of question; inside this folder only. */
#ifndef INSPECT_KINDS_H
#define INSPECT_KINDS_H

#include "inspect/inspection.h"

/** Answers one kind of question, as inspection_run() says. */
typedef enum status inspect_fn(const struct inspection *inspection,
                               const struct inspection_question *question, struct report *report,
                               struct error *err);

/** One a kind, in the order of INSPECTION_TABLE; each in the file of its name. */
inspect_fn inspect_maps, inspect_status, inspect_symbols, inspect_address, inspect_struct, inspect_memory,
    inspect_strings, inspect_search;

/** Begin every answer with whose it is. */
void inspect_head(const struct inspection *inspection, struct report *report);

/** STATUS_STOPPED, STATUS_TIMEOUT where it is time to end, else STATUS_OK. */
enum status inspect_go_on(const struct inspection *inspection, const struct report *report, uint64_t done,
                          uint64_t total, struct error *err) must_check;

#endif
