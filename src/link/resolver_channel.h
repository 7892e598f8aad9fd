/* resolver_channel.h - messages of a fixed size, each with one descriptor or none, until a deadline. */
#ifndef LINK_RESOLVER_CHANNEL_H
#define LINK_RESOLVER_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/**
 * Send @length bytes, and @fd (stays the caller's) if it is not -1. @deadline_ns is of CLOCK_MONOTONIC.
 * STATUS_GONE: the other end is closed; STATUS_TIMEOUT.
 */
enum status resolver_channel_send(int socket_fd, const void *data, size_t length, int fd,
                                  uint64_t deadline_ns, struct error *err) must_check;

/**
 * Receive one message of exactly @length bytes; *@fd_ret is the descriptor that came with it, the caller's,
 * or -1. STATUS_GONE, STATUS_TIMEOUT, STATUS_BAD_DATA: of another length.
 */
enum status resolver_channel_receive(int socket_fd, void *data, size_t length, int *fd_ret,
                                     uint64_t deadline_ns, struct error *err) must_check;

#endif
