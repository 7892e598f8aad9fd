/* landlock.h - which files a process may open by name (landlock(7)): for roles that read no other process. */
#ifndef LINK_LANDLOCK_H
#define LINK_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/**
 * From now on this process may open by name only what lies below one of @directories, for reading; it may
 * bind and connect nowhere, and signal and trace nobody, as far as the kernel knows how to (from Linux 5.13
 * on). A directory that does not exist is passed over. *@is_enforced: false where the kernel has no Landlock,
 * which is no failure. PR_SET_NO_NEW_PRIVS must be set. Call before any thread is started.
 */
enum status landlock_enter(const char *const *directories, size_t count, bool *is_enforced,
                           struct error *err) must_check;

#endif
