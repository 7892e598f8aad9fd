/* confine.h - the front gives up all that serving does not need. */
#ifndef ROLES_FRONT_CONFINE_H
#define ROLES_FRONT_CONFINE_H

#include "base/error.h"
#include "roles/front/state.h"

/**
 * From here on @front can open nothing but what lies in the directories of the web configuration's files,
 * which are read again when they change, and make no system call that serving does not need. Before any
 * thread is started.
 */
enum status front_confine(const struct front *front, struct error *err) must_check;

#endif
