/* resolver_session.h - one question to one resolver: started, asked, given files, ended. */
#ifndef LINK_RESOLVER_SESSION_H
#define LINK_RESOLVER_SESSION_H

#include "link/resolver_client.h"
#include "link/resolver_messages.h"

/** Set what is above the line; the rest is the session's. */
struct resolver_session {
    const struct resolver_client *client;
    int module_fd; /* or -1 */
    unsigned records_max;
    /** Takes a record that is neither END nor WANT; *@is_sound false: it cannot be. STATUS_STOPPED ends it.
     */
    enum status (*take)(void *context, const struct resolver_record *record, bool *is_sound);
    void *context;
    /* --- */
    int socket_fd;
    unsigned files;
    uint64_t deadline_ns;
};

/** Put the build-id into @request; one that is too long counts as none. */
void resolver_session_name(struct resolver_request *request, const uint8_t *build_id, uint32_t length);

/**
 * Ask @request and take the records up to the last, which is *@end. STATUS_TIMEOUT; STATUS_STOPPED where
 * @take said so; STATUS_BAD_DATA: the resolver died, or sent what cannot be.
 */
enum status resolver_session_run(struct resolver_session *session, struct resolver_request *request,
                                 struct resolver_record *end, struct error *err) must_check;

#endif
