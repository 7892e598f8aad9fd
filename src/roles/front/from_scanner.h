/* from_scanner.h - the front's end of its link to the scanner, which may have been taken over. */
#ifndef ROLES_FRONT_FROM_SCANNER_H
#define ROLES_FRONT_FROM_SCANNER_H

#include "roles/front/state.h"

/**
 * Take one message of the scanner, if one is there. What is not sound is left out and logged, at most a few
 * lines a minute. False: the scanner has closed the link, and so it is closed here.
 */
bool front_serve_scanner(struct front *front);

/** Close the link; streams under way end. */
void front_close_scanner(struct front *front);

#endif
