/* chunks.h - the one-shot command that prints every chunk. */
#ifndef CLI_CHUNKS_H
#define CLI_CHUNKS_H

#include "cli/session.h"
#include "encode/dump.h"

/** Print the chunks that @options take to @write; a snapshot's after its process was let go. */
enum status chunks_print(const struct oneshot_options *options, const struct session_helpers *helpers,
                         dump_write write, struct error *err) must_check;

#endif
