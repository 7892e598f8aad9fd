/* accept.h - what a client says that it takes: Accept and Accept-Encoding (RFC 9110, 12.4.2 and 12.5). */
#ifndef ROLES_FRONT_HTTP_ACCEPT_H
#define ROLES_FRONT_HTTP_ACCEPT_H

#include <stdbool.h>

#include "encode/exposition.h"

/**
 * The exposition that @accept (NULL: no such header) likes best, the first of equals. Types and versions that
 * we do not write are passed over; where nothing is left it is text 0.0.4, never an error, as Prometheus'
 * clients do.
 */
enum exposition_format accept_exposition(const char *accept);

/** Whether @accept_encoding (or NULL) takes gzip. */
bool accept_takes_gzip(const char *accept_encoding);

#endif
