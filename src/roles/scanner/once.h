/* once.h - what the service would select and show, scanned once in the foreground: `scan --all`. */
#ifndef ROLES_SCANNER_ONCE_H
#define ROLES_SCANNER_ONCE_H

#include "base/buffer.h"
#include "config/config.h"
#include "link/resolver_client.h"
#include "target/hold.h"

/**
 * Select as @config says (it becomes the callee's), scan each selected process once, one after the other, and
 * append the exposition to @out. Failed scans are in it as malloc_up 0; only what makes all of it impossible
 * is an error.
 */
enum status once_scan_all(const char *procfs, struct config *config, struct holder *holder,
                          struct resolver_client *resolver, struct buffer *out, struct error *err) must_check;

#endif
