/*
 * configuration.h - the configuration on its way: from its file to the scanner, and the scanner's verdict to
 * the log, to the service manager and to the front; inside this folder only.
 */
#ifndef ROLES_KEEPER_CONFIGURATION_H
#define ROLES_KEEPER_CONFIGURATION_H

#include "roles/keeper/dispatch.h"

/** Read it again and hand it to the scanner: at once, or when the reload under way is over and a second has
 * passed since that began. */
void configuration_reload(struct keeper *keeper);

/** Begin the reload that is due at @now_ns, if one is. */
void configuration_check(struct keeper *keeper, uint64_t now_ns);

/** The scanner's verdict. STATUS_BAD_DATA: one that it cannot give. */
enum status configuration_judged(struct keeper *keeper, const struct message_config_result *result,
                                 struct error *err) must_check;

/** The scanner has ended: a reload that it had not judged is over, the old configuration stays. */
void configuration_scanner_ended(struct keeper *keeper);

/** Tell the front the last verdict, if there is one. */
void configuration_tell_front(struct keeper *keeper);

#endif
