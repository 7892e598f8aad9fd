/* truth_check.c - see truth_check.h. */
#include "support/truth_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "support/block_list.h"
#include "support/malloc_info_text.h"
#include "support/scan.h"

static bool say(struct truth_verdict *verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool say(struct truth_verdict *verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->why, sizeof verdict->why, format, arguments);
    va_end(arguments);
    return false;
}

/* The first line in which two texts differ. */
static bool is_same_text(const char *scanned, const char *told, struct truth_verdict *verdict)
{
    for (unsigned line = 1;; line++) {
        size_t left = strcspn(scanned, "\n"), right = strcspn(told, "\n");
        if (left != right || memcmp(scanned, told, left) != 0)
            return say(verdict, "line %u: scanned \"%.*s\", told \"%.*s\"", line, (int)left, scanned,
                       (int)right, told);
        if (scanned[left] == '\0' || told[right] == '\0')
            return scanned[left] == told[right] || say(verdict, "one text is longer from line %u on", line);
        scanned += left + 1;
        told += right + 1;
    }
}

/* To the byte in each arena: system = states but mmapped + overhead + unread. */
static bool do_arenas_sum(const struct snapshot *snapshot, struct truth_verdict *verdict)
{
    const struct arena_numbers *arenas = snapshot_arenas(snapshot);
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        uint64_t sum = arenas[i].overhead_bytes + arenas[i].unread_bytes;
        for (int state = 0; state < CHUNK_MMAPPED; state++)
            sum += arenas[i].states[state].bytes;
        if (sum != arenas[i].system_bytes)
            return say(verdict, "arena %" PRIu32 ": states sum up to %" PRIu64 " of %" PRIu64, i, sum,
                       arenas[i].system_bytes);
    }
    return true;
}

static bool is_reconciled(const struct snapshot *snapshot, struct truth_verdict *verdict)
{
    const struct scan_numbers *numbers = &snapshot->numbers;
    for (int check = 0; check < CHECK_COUNT; check++) {
        const struct check_result *result = &numbers->checks[check];
        if (!result->is_known || !result->is_reconciled || result->difference_bytes != 0)
            return say(verdict, "check %s: known %d reconciled %d difference %" PRIu64,
                       check_name((enum check)check), result->is_known, result->is_reconciled,
                       result->difference_bytes);
    }
    if (numbers->completeness.unread_bytes != 0 || numbers->completeness.corrupt_count != 0 ||
        !numbers->is_complete)
        return say(verdict, "unread %" PRIu64 " bytes, %" PRIu64 " corrupt places",
                   numbers->completeness.unread_bytes, numbers->completeness.corrupt_count);
    return numbers->tcaches_missing == 0 ||
           say(verdict, "%" PRIu64 " tcaches were not found", (uint64_t)numbers->tcaches_missing);
}

static bool is_list_found(struct block_list *list, const struct snapshot *snapshot, bool ignores_unlisted,
                          struct truth_verdict *verdict)
{
    size_t missing = block_list_missing(list);
    size_t unnamed = ignores_unlisted ? 0 : block_list_unnamed(list, snapshot);
    return (missing == 0 && list->wrong == 0 && unnamed == 0) ||
           say(verdict, "of the program's blocks %zu not found, %zu of another size; %zu in use are nobody's",
               missing, list->wrong, unnamed);
}

/* Scan, with what the program says before and after: NULL where they differ or there is no scan. */
static struct snapshot *scan_idle(struct spawned *target, const struct truth_check *how, char **told,
                                  struct truth_verdict *verdict)
{
    scoped_free char *before = spawn_ask(target, "info");
    struct snapshot *snapshot =
        scan_as(target->pid, &(struct scan_wish){how->consistency, how->sink, how->symbols, how->threads});
    scoped_free char *after = spawn_ask(target, "info");
    if (snapshot != NULL && before != NULL && after != NULL && strcmp(before, after) == 0) {
        *told = take_ptr(before);
        return snapshot;
    }
    say(verdict, snapshot != NULL ? "the program was not idle" : "no scan could be made");
    snapshot_unref(snapshot);
    return NULL;
}

static bool check(struct spawned *target, const struct truth_check *how, struct block_list *list,
                  struct truth_verdict *verdict)
{
    scoped_free char *told = NULL;
    *verdict = (struct truth_verdict){0};
    struct snapshot *snapshot = scan_idle(target, how, &told, verdict);
    if (snapshot == NULL)
        return false;
    scoped_free char *rebuilt = malloc_info_text(snapshot, how->minor);
    snprintf(verdict->libc_version, sizeof verdict->libc_version, "%s", snapshot->labels.libc_version);
    verdict->found_by = snapshot->numbers.found_by;
    bool is_true = is_same_text(rebuilt, told, verdict) && do_arenas_sum(snapshot, verdict) &&
                   is_reconciled(snapshot, verdict) &&
                   (list == NULL || is_list_found(list, snapshot, how->ignores_unlisted, verdict));
    snapshot_unref(snapshot);
    return is_true;
}

bool truth_check_sums(struct spawned *target, const struct truth_check *how, struct truth_verdict *ret)
{
    return check(target, how, NULL, ret);
}

bool truth_check_blocks(struct spawned *target, const struct truth_check *how, struct truth_verdict *ret)
{
    scoped_free char *blocks = spawn_ask(target, "list");
    struct block_list list;
    if (blocks == NULL || !block_list_init(&list, blocks))
        return say(ret, "the program does not list its blocks");
    struct truth_check with_list = *how;
    with_list.sink = &list.sink;
    bool is_true = check(target, &with_list, &list, ret);
    block_list_deinit(&list);
    return is_true;
}
