/* config_file.h - the configuration's bytes, which the keeper hands on and does not look at. */
#ifndef ROLES_KEEPER_CONFIG_FILE_H
#define ROLES_KEEPER_CONFIG_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "link/messages.h"

/** A larger file is refused. */
#define CONFIG_FILE_BYTES_MAX (1024 * 1024)

/**
 * Read @path into a sealed memfd, *@fd_ret, the caller's, and fill @message for it. Where it does not exist
 * and @may_be_missing, the message says is_default and *@fd_ret is -1.
 */
enum status config_file_read(const char *path, bool may_be_missing, struct message_config *message,
                             int *fd_ret, struct error *err) must_check;

#endif
