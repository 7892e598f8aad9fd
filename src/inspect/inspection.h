/*
 * inspection.h - questions about one process or core beyond its numbers: what is where, and what is in it.
 *
 * One row of INSPECTION_TABLE is a one-shot command and a path below /api/v1/processes/{pid}; both print the
 * same report. Nothing grows with the process: reads go through windows, findings are limited in number.
 */
#ifndef INSPECT_INSPECTION_H
#define INSPECT_INSPECTION_H

#include "allocator/allocator.h"
#include "allocator/symbol_source.h"
#include "encode/report.h"
#include "model/question.h"

/** Whether the answer has contents of memory: malloc_state and malloc_par are books, no contents. */
bool inspection_gives_memory(const struct inspection_question *question);

/** STATUS_USAGE where the question cannot be: the message names what is missing or allowed. */
enum status inspection_check(const struct inspection_question *question, struct error *err) must_check;

/** The target and what goes with it. */
struct inspection {
    struct target *target;
    const char *comm;              /* "" where not known */
    struct symbol_source *symbols; /* NULL: no names */
    struct allocator_cache *cache; /* may be NULL */
    bool read_swapped;
    uint64_t deadline_ns; /* monotonic */
    /* Called between windows with what was done of how much; false ends the inspection. NULL: nothing. */
    bool (*progress)(void *context, uint64_t done_bytes, uint64_t total_bytes);
    void *progress_context;
};

/**
 * Answer into @report, which was begun; the caller ends it on success. STATUS_NOT_FOUND: what was asked for
 * is not there; STATUS_STOPPED: the reader or @progress wanted no more; STATUS_TIMEOUT, STATUS_GONE,
 * STATUS_PERMISSION. Where a failure comes before the first block, nothing was written.
 */
enum status inspection_run(const struct inspection *inspection, const struct inspection_question *question,
                           struct report *report, struct error *err) must_check;

/** A name or pattern into @question. False: it is longer than INSPECTION_TEXT_MAX. */
bool inspection_set_text(struct inspection_question *question, const char *text);

/** An address as people write it, hexadecimal with or without "0x". False: it is none. */
bool inspection_parse_address(const char *text, uint64_t *ret);

/** Bytes as hexadecimal digits, two each, at most INSPECTION_TEXT_MAX. False: they are none. */
bool inspection_parse_bytes(const char *text, uint8_t *ret, uint32_t *length);

#endif
