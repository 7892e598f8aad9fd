/*
 * untold.h - what the front is to be told next; inside this folder only.
 *
 * What has a latest state (settings, groups, processes, the round) is told from the scanner's tables when its
 * turn comes, so that a front that reads slowly gets the latest and nothing piles up for it. What happens
 * once waits in a list of bounded size. The scanner's lock is held in all of these but those of a letter.
 */
#ifndef ROLES_SCANNER_UNTOLD_H
#define ROLES_SCANNER_UNTOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "link/messages.h"

struct scanner;

/** What happened once: the kind's struct. */
struct event {
    struct event *next;
    enum message_kind kind;
    size_t length;
    uint8_t body[];
};

/** What is not told yet. Groups and processes have a mark of their own. Zero-initialise. */
struct untold {
    struct event *first, **last;
    size_t event_bytes;
    bool are_events_lost; /* there were too many: this front cannot be told all any more */
    bool has_settings, has_round;
    struct message_settings settings;
    bool may_have_groups, may_have_processes;
    size_t group_at, process_at; /* where the last one was found */
};

/** One message, with what it holds on to. letter_deinit() ends it. */
struct letter {
    enum message_kind kind;
    const void *extra; /* behind the struct */
    size_t extra_length;
    union {
        struct message_settings settings;
        struct message_group group;
        struct message_process process;
        struct message_round round;
    } copy;
    struct event *event;
    struct snapshot *snapshot;
    char *labels;
};

/** Put @length bytes at @body, the struct of @kind, behind the events that wait. */
void untold_event(struct scanner *scanner, enum message_kind kind, const void *body, size_t length);

/**
 * The next message, which counts as told. Events go first, then groups, processes, and the round last: it
 * says that all others were told. STATUS_NOT_FOUND: all is told; STATUS_TIMEOUT: events were lost;
 * STATUS_NO_MEMORY.
 */
enum status untold_next(struct scanner *scanner, struct letter *ret, struct error *err) must_check;

/** Forget what happened once: a new front knows of nothing that could have ended. */
void untold_forget_events(struct scanner *scanner);

/** The kind's struct; the letter's. */
const void *letter_body(const struct letter *letter);
void letter_deinit(struct letter *letter);
#define scoped_letter __attribute__((cleanup(letter_deinit)))

#endif
