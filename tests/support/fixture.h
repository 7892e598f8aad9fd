/* fixture.h - the one target program that a test has, and what cmocka does before and after a test for it. */
#ifndef SUPPORT_FIXTURE_H
#define SUPPORT_FIXTURE_H

#include "support/spawn.h"

/** The target of the test under way; the test starts it, or begin_faults() does. */
extern struct spawned subject;

/** A set-up: start tests/targets/faults.c as @subject. Not 0: it does not start. */
int begin_faults(void **state);

/** A teardown: end @subject. */
int end_subject(void **state);

#endif
