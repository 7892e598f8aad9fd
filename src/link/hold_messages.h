/*
 * hold_messages.h - what is said between who wants a process to stand still and the holder, over a
 * SOCK_SEQPACKET pair: one request, one answer, one release, one report; then the holder ends.
 */
#ifndef LINK_HOLD_MESSAGES_H
#define LINK_HOLD_MESSAGES_H

#include <stdint.h>

#define HOLD_MAGIC 0x444c4f48u /* "HOLD" */
/** Nothing stands still for longer, whoever asks: the longest snapshot_max_pause of a configuration. */
#define HOLD_BUDGET_NS_MAX UINT64_C(60000000000)

/** Who asks sends REQUEST and, once there was an ANSWER, RELEASE; the holder tells by REPORT how it was. */
enum hold_kind { HOLD_REQUEST, HOLD_ANSWER, HOLD_RELEASE, HOLD_REPORT };

/** Every message; what a kind does not use is 0. */
struct hold_message {
    uint32_t magic;
    uint32_t kind; /* enum hold_kind */
    int32_t pid;
    uint32_t status; /* enum status: HOLD_ANSWER */
    uint64_t budget_ns;
    uint64_t pause_ns;      /* HOLD_REPORT, and HOLD_ANSWER of a failure: first interrupt to last detach */
    uint64_t begun_ns;      /* HOLD_ANSWER: the first interrupt, monotonic; 0: there was none */
    uint64_t release_by_ns; /* HOLD_ANSWER: see target/hold.h */
    uint32_t threads;
    uint32_t is_confirmed;
};

#endif
