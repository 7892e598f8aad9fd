/* question.h - the one-shot commands that ask one question (inspect/inspection.h): maps, address, search, …
 */
#ifndef CLI_QUESTION_H
#define CLI_QUESTION_H

#include "cli/session.h"
#include "inspect/inspection.h"

/** Put what the arguments ask into *@ret. STATUS_USAGE: the message names the argument and what is allowed.
 */
enum status question_parse(enum inspection_kind kind, const struct oneshot_options *options,
                           struct inspection_question *ret, struct error *err) must_check;

/** Answer it to @write. Statuses of session_open() and inspection_run(). */
enum status question_answer(const struct oneshot_options *options, const struct session_helpers *helpers,
                            const struct inspection_question *question, report_write write,
                            struct error *err) must_check;

#endif
