/* notify.h - the datagrams that a service manager waits for (sd_notify(3): the protocol, not the library). */
#ifndef ROLES_KEEPER_NOTIFY_H
#define ROLES_KEEPER_NOTIFY_H

/** Tell the service manager @state ("READY=1"); nothing where there is none. */
void notify(const char *state);

/** "RELOADING=1" with the time stamp that Type=notify-reload wants. */
void notify_reloading(void);

#endif
