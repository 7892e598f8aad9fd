/* sizes.h - the subcommand sizes: which chunk sizes a heap has, most bytes first. */
#ifndef CLI_SIZES_H
#define CLI_SIZES_H

#include "cli/session.h"
#include "encode/report.h"

/** Scan what @options name and write the sizes. Statuses as session_scan(); STATUS_STOPPED: @write refused.
 */
enum status sizes_answer(const struct oneshot_options *options, const struct session_helpers *helpers,
                         report_write write, struct error *err) must_check;

#endif
