/* config_file.h - the configuration as commands that run once read it. */
#ifndef CLI_CONFIG_FILE_H
#define CLI_CONFIG_FILE_H

#include "config/config.h"

#define CONFIG_FILE_DEFAULT "/etc/malloc_exporter/malloc_exporter.yml"
#define CONFIG_FILE_BYTES_MAX (1024 * 1024)

/**
 * Load the file at @path into *@ret; config_free() ends it. What is wrong goes to stderr, a line each.
 * STATUS_USAGE where anything is.
 */
enum status config_file_load(const char *path, struct config **ret) must_check;

#endif
