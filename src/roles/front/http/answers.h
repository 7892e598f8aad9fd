/*
 * answers.h - whole answers that several clients may share.
 *
 * Rendering everything is the dearest thing that a client can ask for. So the result serves those who ask for
 * the same right after, too: it is never older than a few times what it took to make it, so that however many
 * ask, a fixed share of the time goes into rendering.
 */
#ifndef ROLES_FRONT_HTTP_ANSWERS_H
#define ROLES_FRONT_HTTP_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/** What is shared; each packed and not. */
enum answer_kind {
    ANSWER_METRICS_TEXT,
    ANSWER_METRICS_OPENMETRICS,
    ANSWER_PROCESSES,
    ANSWER_PAGE,
    ANSWER_PAGE_WITH_DUMPS,
    ANSWER_KIND_COUNT,
};

/** Immutable bytes with a count of references. */
struct answer;
const char *answer_data(const struct answer *answer); /* its bytes, how many, one holder more */
size_t answer_length(const struct answer *answer);
struct answer *answer_ref(struct answer *answer);
/** A void pointer, as libmicrohttpd calls it. NULL is allowed. */
void answer_unref(void *answer);

/** Count @more holders (connections.c, under its lock); returns how many there are then. */
unsigned answer_holders(struct answer *answer, int more);

struct answers;
struct answers *answers_new(void); /* none kept yet; NULL without memory */
void answers_free(struct answers *answers);

/** The one of @kind that is young enough at @now_ns, with a reference for the caller, or NULL. */
struct answer *answers_find(struct answers *answers, enum answer_kind kind, bool is_packed, uint64_t now_ns);
/**
 * Make one of the bytes of @body, which is empty then, begun at @begin_ns and done at @now_ns, and keep it. A
 * reference for the caller, or NULL without memory.
 */
struct answer *answers_put(struct answers *answers, enum answer_kind kind, bool is_packed,
                           struct buffer *body, uint64_t begin_ns, uint64_t now_ns);

#endif
