/* launch.h - holders and resolvers for the scanner, which the keeper starts. */
#ifndef ROLES_SCANNER_LAUNCH_H
#define ROLES_SCANNER_LAUNCH_H

#include "link/link.h"
#include "roles/scanner/state.h"

/** Context of a struct helper_launcher that asks the keeper: which kind it starts. */
struct launcher {
    struct scanner *scanner;
    enum message_kind want; /* MESSAGE_WANT_HOLDER or MESSAGE_WANT_RESOLVER */
};

/** Start of a launcher: asks the keeper and waits for its answer. STATUS_SYSTEM: it could not. */
enum status launch_start(void *context, int *fd_ret, struct error *err) must_check;

/** The keeper's HELPER has come; its descriptor goes to who asked. */
void launch_answer(struct scanner *scanner, struct message *message);

#endif
