/* own_descriptors.h - how many files this process has open. */
#ifndef ROLES_FRONT_OWN_DESCRIPTORS_H
#define ROLES_FRONT_OWN_DESCRIPTORS_H

#include <stdint.h>

#include "base/error.h"

/** Open the list, below @procfs, for own_descriptors_count(): before files can be opened by name no more. */
enum status own_descriptors_open(const char *procfs, struct error *err) must_check;

/** Count them, that of the list included; 0 where it cannot be read whole. Any thread. */
uint64_t own_descriptors_count(void);

#endif
