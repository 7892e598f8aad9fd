/* debug_file.h - finding separate debug files by build-id or debug link below a root directory. */
#ifndef LINK_DEBUG_FILE_H
#define LINK_DEBUG_FILE_H

#include <stdbool.h>

#include "link/resolver_messages.h"

/**
 * Open the debug file that @wanted (already bounds-checked, but of hostile origin) asks for below @root_fd,
 * which nothing in a path can leave (below a root that is not the host's, @is_hosts, not its file system
 * either: one that is mounted there may be FUSE and never answer): @debug_directory/.build-id/xx/yyyy.debug,
 * else by the debug link in
 * @debug_directory, under the name of @module_directory, or in @module_directory/.debug ("" where it is not
 * known). A read-only descriptor of a regular file, the caller's; -1 where there is none.
 */
int debug_file_open(int root_fd, bool is_hosts, const char *debug_directory, const char *module_directory,
                    const struct resolver_record *wanted);

#endif
