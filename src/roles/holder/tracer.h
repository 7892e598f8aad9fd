/* tracer.h - who traces a thread, from /proc, by system calls alone. */
#ifndef ROLES_HOLDER_TRACER_H
#define ROLES_HOLDER_TRACER_H

#include <sys/types.h>

/** Who traces thread @tid: a pid, 0 for nobody, -1 where the thread is gone or over (a zombie). */
pid_t task_tracer(pid_t tid);

#endif
