/* inspections.h - a question of the front's (model/question.h), answered into its pipe. */
#ifndef ROLES_SCANNER_INSPECTIONS_H
#define ROLES_SCANNER_INSPECTIONS_H

#include "model/question.h"
#include "roles/scanner/pipe_sink.h"
#include "roles/scanner/scan_process.h"

/**
 * Answer @question about the process that @job means. Statuses as of inspection_run(); STATUS_STOPPED: the
 * reader hung up, or was too slow (@pipe says so).
 */
enum status inspections_answer(const struct scan_job *job, const struct inspection_question *question,
                               struct pipe_sink *pipe, struct error *err) must_check;

#endif
