/* pairing.c - see pairing.h. */
#include "roles/keeper/pairing.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"
#include "roles/keeper/dispatch.h"

/* The usual reason is that the other end has died, which is heard of by then. */
#define GRACE_NS NS_PER_SECOND

static bool both_run(const struct keeper *keeper)
{
    return keeper->children[KEEPER_FRONT].pid > 0 && keeper->children[KEEPER_SCANNER].pid > 0;
}

enum status pairing_connect(struct keeper *keeper, struct error *err)
{
    struct pairing *pairing = &keeper->pairing;
    int ends[2];
    pairing->is_due = false;
    if (!both_run(keeper))
        return STATUS_OK;
    enum status status = link_pair(ends, err);
    pairing->is_due = status != STATUS_OK;
    if (status != STATUS_OK)
        return status;
    struct message_peer peer = {.epoch = ++pairing->epoch};
    pairing->broken_ns = 0;
    for (size_t i = 0; i < KEEPER_CHILDREN; i++) {
        (void)child_send(&keeper->children[i], MESSAGE_PEER, &peer, ends[i]);
        close(ends[i]); /* no end stays here: the death of one is seen by the other at once */
    }
    return STATUS_OK;
}

void pairing_broken(struct keeper *keeper, uint64_t epoch, uint64_t now_ns)
{
    if (epoch == keeper->pairing.epoch && keeper->pairing.broken_ns == 0)
        keeper->pairing.broken_ns = now_ns;
}

void pairing_check(struct keeper *keeper, uint64_t now_ns)
{
    struct pairing *pairing = &keeper->pairing;
    struct error err = {0};
    if (!both_run(keeper))
        return;
    if (pairing->is_due && pairing_connect(keeper, &err) != STATUS_OK)
        log_error_limited(&pairing->refused, LOG_ERROR, "front and scanner could not be linked", &err);
    if (pairing->broken_ns == 0 || now_ns - pairing->broken_ns < GRACE_NS)
        return;
    pairing->broken_ns = 0;
    log_event(LOG_WARN, "front and scanner have lost their link: the front is replaced", NULL);
    child_kill(&keeper->children[KEEPER_FRONT]);
}
