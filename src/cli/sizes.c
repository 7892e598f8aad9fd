/* sizes.c - see sizes.h. */
#include "cli/sizes.h"

#include <stdlib.h>

#include "analysis/sizes.h"
#include "base/cleanup.h"
#include "encode/summary.h"

static enum status write_list(const struct oneshot_options *options, const struct snapshot *snapshot,
                              const struct size_list *list, report_write write, struct error *err)
{
    scoped_free struct report *report = malloc(sizeof *report);
    if (!report)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the sizes");
    report_begin(report, options->format == OUTPUT_JSON ? REPORT_JSON : REPORT_TEXT, write, NULL);
    summary_sizes(report, snapshot, list);
    return report_end(report, err);
}

enum status sizes_answer(const struct oneshot_options *options, const struct session_helpers *helpers,
                         report_write write, struct error *err)
{
    const struct sizes_filter filter = {
        .states = options->states, .has_arena = options->has_arena, .arena = options->arena};
    scoped_free struct sizes *sizes = malloc(sizeof *sizes);
    struct snapshot *snapshot = NULL;
    struct size_list list = {0};
    if (!sizes)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the sizes");
    sizes_begin(sizes, &filter);
    enum status status = session_scan(options, helpers, false, &sizes->sink, &snapshot, err);
    if (status == STATUS_OK)
        status = sizes_list(sizes, (uint32_t)options->top, &list, err);
    if (status == STATUS_OK)
        status = write_list(options, snapshot, &list, write, err);
    size_list_deinit(&list);
    snapshot_unref(snapshot);
    return status;
}
