/* census.h - one look over /proc: who is there, and which entry takes whom. */
#ifndef ROLES_SCANNER_CENSUS_H
#define ROLES_SCANNER_CENSUS_H

#include "roles/scanner/state.h"

/** Bring the table up to date: new, changed and ended processes. Of discovery's thread; takes the lock. */
void census_take(struct scanner *scanner);

#endif
