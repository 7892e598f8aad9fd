/*
 * link.h - a connection between two roles: framed, versioned, length-checked messages over a SOCK_SEQPACKET
 * pair, with descriptors (SCM_RIGHTS, unix(7)).
 *
 * A message whose bytes exceed LINK_INLINE_MAX travels in a sealed memfd; sender and receiver do not see it.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "link/messages.h"

#define LINK_INLINE_MAX 32768
/** A received message. @body has at least the size of the kind's struct; @extra what follows it. */
struct message {
    enum message_kind kind;
    void *body;
    const uint8_t *extra;
    size_t extra_length;
    int fd; /* the descriptor that came with it, or -1; take_fd() to keep it */
};

/** Two connected, close-on-exec ends. */
enum status link_pair(int ends[2], struct error *err) must_check;

/**
 * Send one message: the kind's struct at @body, then @extra_length bytes of @extra; @fd (or -1) goes along
 * and stays the caller's. Waits at most @timeout_ms (-1: for ever). STATUS_GONE: the other end is closed;
 * STATUS_TIMEOUT: it does not read.
 */
enum status link_send(int end, enum message_kind kind, const void *body, const void *extra,
                      size_t extra_length, int fd, int timeout_ms, struct error *err) must_check;

/**
 * Receive one message, waiting at most @timeout_ms. STATUS_TIMEOUT: none came; STATUS_GONE: the other end is
 * closed; STATUS_BAD_DATA: what came is not a message, or longer than its kind may be; the next one may be.
 * message_deinit() ends *@ret.
 */
enum status link_receive(int end, struct message *ret, int timeout_ms, struct error *err) must_check;

/** Free its bytes, close its descriptor if it was not taken. */
void message_deinit(struct message *message);
#define scoped_message __attribute__((cleanup(message_deinit)))

/** "PING" …; for logs. */
const char *message_name(enum message_kind kind);
/** Size of a kind's struct in bytes. */
size_t message_body_size(enum message_kind kind);
/** Whether a char array in a message ends inside its array. */
bool message_string_ok(const char *text, size_t size);

#endif
