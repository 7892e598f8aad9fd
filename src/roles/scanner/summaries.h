/* summaries.h - the answers of a scan that are one body: sizes, arenas, the map of the heap. */
#ifndef ROLES_SCANNER_SUMMARIES_H
#define ROLES_SCANNER_SUMMARIES_H

#include "allocator/allocator.h"
#include "analysis/cells.h"
#include "analysis/sizes.h"
#include "encode/report.h"
#include "link/messages.h"

/** One answer under way. Zero-initialised it is none. */
struct summary {
    enum stream_kind kind;
    uint32_t top;
    struct sizes *sizes;
    struct cells cells;
};

/** Whether @kind is one of these. */
bool summary_has(uint32_t kind);

/** Prepare what @wanted asks for and tell @scan what to look at. summary_end() ends it. */
enum status summary_begin(struct summary *summary, const struct message_stream *wanted,
                          struct scan_request *scan, struct error *err) must_check;
void summary_end(struct summary *summary);

/** Write the answer, made of the @snapshot of that scan, as JSON. STATUS_STOPPED: @write wanted no more. */
enum status summary_send(struct summary *summary, const struct snapshot *snapshot, report_write write,
                         void *context, struct error *err) must_check;

#endif
